"""What a run found, in words and numbers, from results.json alone: what the report, the terminal and README say first.

Only models that a claim is about count here; all others are illustrations and are told apart.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Sequence

from fixtures.plain import text
from fixtures.verdict.claim import (
    CLAIM_ROLE,
    CONTRADICTED,
    IMPLEMENTATION,
    INCONCLUSIVE,
    NOT_RUN,
    PRETRAINED,
    PRINTED,
    PUBLISHED,
    SUPPORTED,
    TRAINED_HERE,
)
from fixtures.verdict.tiers import PLANTED, tier_of

HOLDS, IN_PART, FAILS, UNKNOWN, NOT_MEASURED = "holds", "holds in part", "fails", "unknown", "not measured"
STATUSES = (HOLDS, IN_PART, FAILS, UNKNOWN, NOT_MEASURED)

TIER_WORDS = {
    PRINTED: "printed table",
    PRETRAINED: "pretrained",
    TRAINED_HERE: "trained here",
    PUBLISHED: "published measurement",
    IMPLEMENTATION: "implementation",
    PLANTED: "planted",
}
"""What stands beside a model's name, so that arithmetic on printed numbers does not read as a run of the model."""

PARTS = (("C", "The paper"), ("R", "RoPE implementations"), ("X", "Beyond the paper"))
"""First letter of a claim's id -> the part of the board that it belongs to."""

NAMED, REASONS = 4, 5
"""So many models, and reasons, are told one by one in a line; the others are counted."""


@dataclasses.dataclass(frozen=True)
class Finding:
    """What one claim came to. by_verdict: verdict -> the models that the claim is about. illustrations: the same of the
    others. said: the deciding number and the models it was decided on, without the status."""

    claim: dict
    status: str
    by_verdict: dict[str, list[str]]
    illustrations: dict[str, list[str]]
    said: str

    @property
    def line(self) -> str:
        """'C03 Fast dimensions get small weights: holds: ...'."""
        return f"{self.claim['id']} {self.claim['title']}: {self.status}{': ' if self.said else ''}{self.said}"


def findings(results: dict) -> list[Finding]:
    """One finding for each claim that the run stated, in its order."""
    rows = rows_by_claim(results)
    return [finding(claim, rows.get(claim["id"], [])) for claim in results["claims"]]


def rows_by_claim(results: dict) -> dict[str, list[dict]]:
    found: dict[str, list[dict]] = {}
    for row in results["evidence"]:
        found.setdefault(row["claim"], []).append(row)
    return found


def finding(claim: dict, rows: list[dict]) -> Finding:
    """rows: evidence rows of this claim."""
    about, others = (by_verdict(claim, inside) for inside in (True, False))
    status = status_of(about)
    decided = {verdict: models for verdict, models in about.items() if verdict != NOT_RUN}
    if status == NOT_MEASURED:
        said = _why_not_measured(claim, rows, about, others)
    elif sum(map(len, decided.values())) > NAMED and claim["id"].startswith("R"):
        said = _counted(claim, rows, decided)
    else:
        worst, *rest = decided.items()  # what did not hold decides; of the rest the names are enough
        said = "; ".join(
            [
                _group(claim, rows, *worst, status),
                *(f"{_HEADS[verdict]} {named(models, titles(rows))}" for verdict, models in rest),
            ]
        )
    return Finding(claim, status, about, others, said)


def by_verdict(claim: dict, inside: bool) -> dict[str, list[str]]:
    """Verdict -> models that the claim is about (or, if not `inside`, the illustrations), worst verdict first."""
    return {
        verdict: models
        for verdict in (CONTRADICTED, INCONCLUSIVE, SUPPORTED, NOT_RUN)
        if (models := [m for m, v in claim["verdicts"].items() if v == verdict and claim["in_scope"][m] is inside])
    }


def status_of(about: dict[str, list[str]]) -> str:
    """One of STATUSES: holds in all, in some, in none, is undecided in all, or nothing was measured."""
    said = set(about) - {NOT_RUN}
    if not said:
        return NOT_MEASURED
    if SUPPORTED in said:
        return HOLDS if said == {SUPPORTED} else IN_PART
    return FAILS if CONTRADICTED in said else UNKNOWN


def _why_not_measured(claim: dict, rows: list[dict], about: dict, others: dict) -> str:
    if not claim["selected"]:
        return "none of its tests was selected"
    reasons = [
        f"{named(about[NOT_RUN])}: {reason(row)[0]}"
        for row in rows
        if NOT_RUN in about and row["model"] in about[NOT_RUN] and row["verdict"] == NOT_RUN and row["reason"]
    ]
    if reasons:
        return reasons[0]
    if NOT_RUN in about and not claim["complete"]:
        return "not all of its tests were selected"
    return "no model that it is about was run" + (", illustrations only" if others else "")


_HEADS = {CONTRADICTED: "fails in", INCONCLUSIVE: "undecided in", SUPPORTED: "holds in"}


def _group(claim: dict, rows: list[dict], verdict: str, models: list[str], status: str) -> str:
    """Models of one verdict with the number that decided: 'fails in a, b: the rise: 0.1 nats (claimed: at least 1)'."""
    said, who = decided_by(claim, rows, verdict, models), named(models, titles(rows))
    if status in (HOLDS, FAILS, UNKNOWN) and len(models) == _measured(claim):  # the status has said it already
        return f"{said}; decided on {who}" if said else f"decided on {who}"
    return f"{_HEADS[verdict]} {who}" + (f": {said}" if said else "")


def _measured(claim: dict) -> int:
    return sum(v != NOT_RUN and claim["in_scope"][m] for m, v in claim["verdicts"].items())


def decided_by(claim: dict, rows: list[dict], verdict: str, models: Sequence[str]) -> str:
    """The number that gave these models their verdict: of the first rule, in the claim's order, that says the same."""
    order = [rule["name"] for rule in claim["rules"]]
    deciding: dict[str, dict] = {}
    for model in models:
        row = deciding_row(rows, order, verdict, model)
        if row is not None:
            deciding[model] = row
    if not deciding:
        return broken(claim)
    failed = [row for row in deciding.values() if row["control_ok"] is False]
    if failed:
        return f"its control {failed[0]['model']} went wrong ({figure(failed[0])})"
    first = min((row["rule"] for row in deciding.values()), key=order.index)
    shown = [row for row in deciding.values() if row["rule"] == first]
    where = ""
    if len(shown) < len(models):
        where = f", in {_counted_names(shown, len(models))}"
    own = [r for r in rows if r["model"] == shown[0]["model"] and r["role"] == CLAIM_ROLE and r["decisive"]]
    agree = sum(row["verdict"] == SUPPORTED for row in own)
    besides = ""
    if verdict != SUPPORTED and len(own) > 1 and len(models) == 1:
        besides = f"; {agree} of its {len(own)} rules hold{'s' if agree == 1 else ''}" if agree else ""
    elif verdict == SUPPORTED:
        others = {r["rule"] for r in rows if r["model"] in models and r["role"] == CLAIM_ROLE and r["decisive"]} - {
            first
        }
        besides = f"; {len(others)} more rule{'s hold' if len(others) > 1 else ' holds'}" if others else ""
    return figure(*shown) + where + besides


def _counted_names(rows: list[dict], of: int = 0) -> str:
    """'a, b', or '12 of 20' where they are many."""
    return ", ".join(row["model"] for row in rows) if len(rows) <= NAMED else f"{len(rows)}{f' of {of}' if of else ''}"


def broken(claim: dict) -> str:
    """How many of a claim's tests broke and what they said, or what the first of them said; '' if none broke."""
    errors = claim["errors"]
    if not errors:
        return ""
    said = [error["message"].removeprefix(f"{error['nodeid']}: ") for error in errors]
    head = f"{len(errors)} of its tests broke"
    return f"{head}: {said[0]}" if len(set(said)) == 1 else f"{head}, the first of them: {said[0]}"


def deciding_row(rows: list[dict], order: list[str], verdict: str, model: str) -> dict | None:
    """The row that a model's verdict rests on: a failed control's, else the first decisive one which says the same.

    None where no row says it: the verdict was held back because tests broke or were left out.
    """
    decisive = sorted((row for row in rows if row["decisive"]), key=lambda row: order.index(row["rule"]))
    if verdict in (INCONCLUSIVE, NOT_RUN):
        for row in decisive:
            if row["control_ok"] is False and (row["guards"] is None or model in row["guards"]):
                return row
    own = [row for row in decisive if row["role"] == CLAIM_ROLE and row["model"] == model]
    same = [row for row in own if row["verdict"] == verdict]
    if not same and verdict == INCONCLUSIVE:  # contradicted on its own, and not after Holm's correction
        same = [row for row in own if row["verdict"] == CONTRADICTED]
    return next(iter(same), None)


def figure(*rows: dict) -> str:
    """'the rise: 0.31 nats (90% CI 0.28 to 0.34; claimed: at least 0.1)'; over several rows of a rule, their range, and which
    of them have no number, with the reason of the first."""
    without = [row for row in rows if row["estimate"] is None]
    if without and len(without) < len(rows):
        told = [row for row in rows if row["estimate"] is not None]
        why = reason(without[0])[0] or "no number"
        return f"{figure(*told)}, in {_counted_names(told)}; {why}, in {_counted_names(without)}"
    first = rows[0]
    values = [row["estimate"] for row in rows if row["estimate"] is not None]
    claimed = f"claimed: {_claimed(first)}"
    if not values:
        why, command = reason(first)
        return f"{first['quantity']}: {why or 'no number'}" + (f"; to run it: {command}" if command else "")
    unit = f" {first['unit']}" if first["unit"] not in ("", "ratio") else ""
    if len(rows) > 1:
        low, high = text.number(min(values)), text.number(max(values))
        ends = [end for row in rows for end in row["ci"] or () if row["ci"][0] != row["ci"][1]]
        reach = (
            f"{1 - 2 * first['alpha']:.0%} CIs from {text.number(min(ends))} to {text.number(max(ends))}; "
            if ends
            else ""
        )
        return f"{first['quantity']}: {low if low == high else f'{low} to {high}'}{unit} ({reach}{claimed})"
    spread = ""
    if first["ci"] and first["ci"][0] != first["ci"][1]:
        low, high = map(text.number, first["ci"])
        spread = f"{1 - 2 * first['alpha']:.0%} CI {low} to {high}; "
    held = f"; {reason(first)[0]}" if is_held_back(first) else ""
    return f"{first['quantity']}: {text.number(values[0])}{unit} ({spread}{claimed}{held})"


def _claimed(row: dict) -> str:
    where = {"below": "at most ", "above": "at least ", "within": "within ±"}[row["side"]]
    return f"{where}{text.number(row['margin'])}"


def is_held_back(row: dict) -> bool:
    """Whether something other than the interval decided this row: ability, or room to gain or lose."""
    from fixtures.verdict.statistics import decide  # late: it brings scipy

    decided = by_interval(row, decide) in (SUPPORTED, CONTRADICTED)
    return row["verdict"] == INCONCLUSIVE and bool(row["reason"]) and decided


def by_interval(row: dict, decide) -> str:
    """What the interval alone would say; '' where there is none."""
    return decide(row["ci"], row["side"], row["margin"]) if row["ci"] else ""


def named(models: Iterable[str], titles: dict[str, str] | None = None) -> str:
    """Names with their tier, as 'paper/a, paper/b (printed table)'; long lists are counted."""
    models, parts = list(models), []
    for tier in dict.fromkeys(map(tier_of, models)):
        own = [(titles or {}).get(model, model) for model in models if tier_of(model) == tier]
        if tier == IMPLEMENTATION and len(own) > NAMED:  # names of functions tell a reader of this page nothing
            parts.append(f"{len(own)} implementations")
            continue
        shown = own if len(own) <= NAMED else own[: NAMED - 1]
        more = f" and {len(own) - len(shown)} more" if len(own) > len(shown) else ""
        parts.append(f"{', '.join(shown)}{more} ({TIER_WORDS[tier]})")
    return ", ".join(parts)


def titles(rows: Iterable[dict]) -> dict[str, str]:
    """Model -> what it calls itself, with the quantisation that makes it another model, where its provenance says so."""
    found = {}
    for row in rows:
        model = row["provenance"].get("model")
        title = model.get("title") if isinstance(model, dict) else None
        if isinstance(title, str) and row["role"] == CLAIM_ROLE:
            found[row["model"]] = title
    return found


def kept(rows: Iterable[dict]) -> dict[str, str]:
    """Model -> how its weights are kept, in what numbers they were measured, and their hash, where its provenance says."""
    found = {}
    for row in rows:
        model = row["provenance"].get("model")
        if not isinstance(model, dict) or row["role"] != CLAIM_ROLE:
            continue
        words = {
            "quantisation": "kept as {}",
            "dtype": "measured in {}",
            "weights": "SHA-256 of the weights {:.12}",
        }
        told = [said.format(model[name]) for name, said in words.items() if isinstance(model.get(name), str)]
        if told:
            found[row["model"]] = ", ".join(told)
    return found


def _counted(claim: dict, rows: list[dict], decided: dict[str, list[str]]) -> str:
    """'259 implementations: 250 hold, 9 fail (the two halves of a pair follow different axes: 1, ...)'."""
    words = {SUPPORTED: "hold", CONTRADICTED: "fail", INCONCLUSIVE: "undecided"}
    total = sum(map(len, decided.values()))
    counts = [f"{len(decided[verdict])} {words[verdict]}" for verdict in words if verdict in decided]
    failed = {model for verdict, models in decided.items() if verdict != SUPPORTED for model in models}
    reasons: dict[str, set[str]] = {}
    for row in rows:
        if row["role"] == CLAIM_ROLE and row["decisive"] and row["verdict"] != SUPPORTED and row["model"] in failed:
            reasons.setdefault(_what_is_wrong(row), set()).add(row["model"])
    ranked = sorted(reasons.items(), key=lambda item: (-len(item[1]), item[0]))
    told = [f"{reason} ({len(models)})" for reason, models in ranked[:REASONS]]
    rest = set().union(*(models for _, models in ranked[REASONS:]))
    told += [f"other reasons ({len(rest)})"] if rest else []
    return f"{total} implementations: {', '.join(counts)}" + (f"; {'; '.join(told)}" if told else "")


_DEVIATION = re.compile(r"(?:^|; )((?:defect|documented|not in known_deviations)[^;]*)")
"""How the reason of a row names what is recorded of it, in files of before `deviations` was a field."""


def _what_is_wrong(row: dict) -> str:
    """What is wrong: what is recorded of it, else the row's own reason."""
    recorded = row["deviations"] if "deviations" in row else _DEVIATION.findall(row["reason"])
    return recorded[0] if recorded else row["reason"] or row["rule"]


def reason(row: dict) -> tuple[str, str]:
    """A not-run row's reason and the command that would measure it, '' in a file of before they were kept apart."""
    return row["reason"], row.get("to_run", "")


def id_ranges(claims: Sequence[str]) -> str:
    """Claim ids with runs joined: 'C01-C04, C06'."""
    runs: list[list[str]] = []
    for claim in claims:
        last = runs[-1][-1] if runs else ""
        if last and claim[0] == last[0] and int(claim[1:]) == int(last[1:]) + 1:
            runs[-1].append(claim)
        else:
            runs.append([claim])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 2 else ", ".join(run) for run in runs)
