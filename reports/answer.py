"""The answer to the question that the paper's title asks, with the models and RoPEs that it rests on."""

from __future__ import annotations

from fixtures.models.presets import PRESETS
from fixtures.verdict.claim import CONTRADICTED, INCONCLUSIVE, NOT_RUN, PRETRAINED, SUPPORTED
from fixtures.verdict.tiers import tier_of

from .findings import (
    FAILS,
    HOLDS,
    IN_PART,
    NOT_MEASURED,
    STATUSES,
    TIER_WORDS,
    UNKNOWN,
    decided_by,
    findings,
    id_ranges,
    named,
    reason,
    rows_by_claim,
    titles,
)

QUESTION = "Does the rotary position embedding leave dimensions of attention heads unused in long-distance retrieval?"
"""The paper's title as a question."""

AREAS = (
    ("in the arithmetic of rotations", ("C01", "C02")),
    ("in the controlled experiment", ("C03", "C04")),
    ("in pretrained language models", ("C05", "C06", "C07", "C08", "C09", "C10")),
    ("in the paper's printed tables", ("C11",)),
    ("in measurements that others published", ("C12",)),
)
"""Where the question is asked, and the claims that ask it there."""


def headline(results: dict) -> str:
    """The title's question with its answer; one line, the same on the terminal and in the report."""
    return f"{QUESTION} {answered(results)}"


def answered(results: dict) -> str:
    """The answer to the title's question and how many of the paper's claims it rests on."""
    return " ".join(sentences(results))


def sentences(results: dict) -> list[str]:
    """The answer with its count of claims, then one sentence for each place where the question was asked."""
    run = results["run"]
    if run["options"].get("scale") == "smoke":
        passes = "Plumbing works, nothing decided."
        return [passes if not run["exit"] else "Nothing decided, and this run does not pass."]
    found = {one.claim["id"]: one for one in findings(results)}
    paper = [claim for claim in run["manifest"] if claim.startswith("C")]
    grouped = {s: [c for c in paper if (found[c].status if c in found else NOT_MEASURED) == s] for s in STATUSES}
    if len(grouped[NOT_MEASURED]) == len(paper):
        return ["Not measured in this run: no claim of the paper got a verdict."]
    areas = {where: {c: found[c].status for c in claims if c in found} for where, claims in AREAS}
    answers = {where: answer_of(list(statuses.values())) for where, statuses in areas.items()}
    told = [
        f"{where[0].upper()}{where[1:]}: {answers[where]}{_as_far(areas[where], claims)} ({by_status(areas[where])})."
        for where, claims in ((where, set(claims) & set(paper)) for where, claims in AREAS)
        if answers[where] != NOT_MEASURED
    ]
    missing = len(grouped[NOT_MEASURED])
    if 2 * missing > len(paper):
        return [f"This run alone gives no answer. {_few(grouped, len(paper))}", *told]
    whole = _overall(list(answers.values()))
    if missing and NOT_MEASURED not in answers.values():
        whole += AS_FAR
    if len(paper) == 1:
        return [f"{whole}. The paper's one claim {_of_one(grouped)}.", *told]
    return [f"{whole}. Of the paper's {len(paper)} claims, {_counts(grouped)}.", *told]


AS_FAR = ", as far as it was measured"


def _counts(grouped: dict[str, list[str]]) -> str:
    """'7 hold, 2 fail and 3 are unknown'. grouped: status -> claims."""
    *most, last = [
        f"{len(claims)} {_PLURAL[status] if len(claims) != 1 else _SINGULAR[status]}"
        for status, claims in grouped.items()
        if claims
    ]
    return f"{', '.join(most)} and {last}" if most else last


def _of_one(grouped: dict[str, list[str]]) -> str:
    """'holds', of the only claim that there is."""
    return next(_SINGULAR[status] for status, claims in grouped.items() if claims)


def _few(grouped: dict[str, list[str]], total: int) -> str:
    """A sentence on the claims that were measured, where most were not."""
    measured = {status: claims for status, claims in grouped.items() if status != NOT_MEASURED}
    if sum(map(len, measured.values())) == 1:
        return f"It measured one of the paper's {total} claims, and that one {_of_one(measured)}."
    return f"It measured {sum(map(len, measured.values()))} of the paper's {total} claims: {_counts(measured)}."


def _as_far(statuses: dict[str, str], claims: set[str]) -> str:
    """What an answer is followed by where some of the claims that ask the question there were not measured."""
    measured = {claim for claim, status in statuses.items() if status != NOT_MEASURED}
    return AS_FAR if claims - measured else ""


_SINGULAR = {
    HOLDS: "holds",
    IN_PART: "holds in part",
    FAILS: "fails",
    UNKNOWN: "is unknown",
    NOT_MEASURED: "was not measured",
}
_PLURAL = {
    HOLDS: "hold",
    IN_PART: "hold in part",
    FAILS: "fail",
    UNKNOWN: "are unknown",
    NOT_MEASURED: "were not measured",
}


def answer_of(statuses: list[str]) -> str:
    """yes: every claim that was measured there holds; no: none does and one fails; in part: some do; else unknown."""
    measured = [status for status in statuses if status != NOT_MEASURED]
    if not measured:
        return NOT_MEASURED
    if all(status == HOLDS for status in measured):
        return "yes"
    if any(status in (HOLDS, IN_PART) for status in measured):
        return "in part"
    return "no" if FAILS in measured else UNKNOWN


def _overall(answers: list[str]) -> str:
    """One answer over all areas, and whether every one of them was measured."""
    measured = {answer for answer in answers if answer != NOT_MEASURED}
    if "yes" in measured or "in part" in measured:
        whole = "Yes" if measured == {"yes"} else "In part"
    else:
        whole = "No" if "no" in measured else "Unknown"
    return whole + AS_FAR if NOT_MEASURED in answers else whole


def by_status(statuses: dict[str, str]) -> str:
    """What claims came to, those not measured left out: 'C05, C07 hold; C06 fails'. statuses: claim id -> status."""
    parts = []
    for status in (HOLDS, IN_PART, FAILS, UNKNOWN):
        own = [claim for claim, its in statuses.items() if its == status]
        if own:
            parts.append(f"{id_ranges(own)} {(_PLURAL if len(own) > 1 else _SINGULAR)[status]}")
    return "; ".join(parts)


def language_models(results: dict) -> dict[str, list[str]]:
    """Lines on which language models were run and which were not, the paper's own among them.

    run: name, tier and the claims it got a verdict in. not_run: name and why.
    """
    run: dict[str, list[str]] = {}
    missed: dict[str, list[str]] = {}
    rows = rows_by_claim(results)
    for claim in results["claims"]:
        for model, verdict in claim["verdicts"].items():
            if claim["tiers"][model] == PRETRAINED or model.startswith("embedded/"):
                (missed if verdict == NOT_RUN else run).setdefault(model, []).append(claim["id"])
    known = titles(row for own in rows.values() for row in own)
    about = {model for claim in results["claims"] for model, inside in claim["in_scope"].items() if inside}
    told = [
        f"{known.get(model, model)} ({TIER_WORDS[tier_of(model)]}): {id_ranges(claims)}"
        for model, claims in run.items()
        if model in about
    ]
    others = [model for model in run if model not in about]
    told += [f"for illustration only: {named(others, known)}"] if others else []
    not_run = []
    for model, claims in missed.items():
        if model in run:
            continue
        whys = [
            reason(row)[0]
            for claim in claims
            for row in rows.get(claim, [])
            if row["model"] == model and row["verdict"] == NOT_RUN and row["reason"]
        ]
        not_run.append(f"{model} ({TIER_WORDS[tier_of(model)]}): {whys[0] if whys else 'not all tests were selected'}")
    unasked = [preset for preset in PRESETS if preset not in run and preset not in missed]
    if unasked:
        not_run.append(f"{', '.join(unasked)} (the paper's own): not asked for; pytest claims/ --model paper")
    return {"run": told, "not_run": not_run}


SUITE_S_OWN = "fixtures.rope."
"""How the RoPEs begin that R05 puts under its rules in every run."""


def own_ropes(results: dict) -> list[str]:
    """Lines on the RoPEs that --rope gave; one that says how, where none was given."""
    given = results["run"]["options"].get("rope", [])
    asked = [f"rope/{spec}" for spec in given if not spec.startswith(SUITE_S_OWN)]
    claim = next((claim for claim in results["claims"] if claim["id"] == "R05"), None)
    if not asked:
        return ["None was given. To put yours under the same identities: pytest claims/ --rope MODULE:NAME"]
    lines = []
    own = rows_by_claim(results).get("R05", [])
    for model in dict.fromkeys(asked):
        verdict = (claim or {"verdicts": {}})["verdicts"].get(model, NOT_RUN)
        said = {
            SUPPORTED: "it is a rotation by relative position",
            CONTRADICTED: "it is not the rotation it should be",
            INCONCLUSIVE: "undecided",
            NOT_RUN: "not measured",
        }[verdict]
        why = decided_by(claim, own, verdict, [model]) if claim and verdict not in (SUPPORTED, NOT_RUN) else ""
        lines.append(f"{model.removeprefix('rope/')}: {said}" + (f": {why}" if why else ""))
    return lines
