"""What differs from the recorded baseline, what was not run, and what the exit code means."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Sequence

from fixtures.models.registry import BY_NAME
from fixtures.verdict.claim import CLAIM_ROLE, CONTRADICTED, NOT_RUN, SUPPORTED, worded
from fixtures.verdict.tiers import tier_of

from .findings import reason


@dataclasses.dataclass(frozen=True)
class Change:
    """Models of a claim whose verdict is not the one recorded. before: '' where nothing is recorded."""

    claim: str
    before: str
    now: str
    excuse: str
    in_scope: bool
    models: tuple[str, ...]

    @property
    def line(self) -> str:
        words = worded(self.in_scope)
        before, now = words.get(self.before, "nothing recorded"), words[self.now].replace("-", " ")
        whose = "" if self.in_scope else " (illustration)"
        excuse = f" ({self.excuse})" if self.excuse else ""
        return f"{self.claim}{whose}: {before} -> {now}: {', '.join(self.models)}{excuse}"


NOT_MEASURED_NOW = "recorded, and not measured in this run"
INCOMPLETE = "not all tests of the claim were selected"
REWORDED = "the claim's sentence, margin or rules changed since it was recorded"
ANEW = "trained to other weights here, so that it is not held to the record"
EXTERNAL = "it reads what others published, which this run did not have"


def reworded(results: dict) -> list[str]:
    """Selected claims that the baseline was recorded for in other words, or with another rule."""
    return [
        claim["id"]
        for claim in results["claims"]
        if claim["selected"] and claim["baseline_digest"] not in (None, claim["digest"])
    ]


def rope_alone(run: dict) -> bool:
    """Whether --rope alone was given: what the baseline holds of other RoPEs was never asked for."""
    return bool(run["options"].get("rope")) and run["options"].get("claim") == ["R05"]


def changes(results: dict) -> list[Change] | None:
    """Every difference from the recorded baseline, whatever excuses it; None where nothing was compared."""
    run = results["run"]
    if run["options"].get("baseline") == "off" or run["options"].get("scale") == "smoke":
        return None
    grouped: dict[tuple, list[str]] = {}
    anew, other_words = set(run.get("drawn_anew", ())), reworded(results)
    by_name = BY_NAME - set(run["options"].get("model") or ())  # a run that does not name these measures none of them
    for claim in results["claims"]:
        if not claim["selected"]:
            continue
        held, said = claim["baseline"] or {}, claim["verdicts"]
        is_reworded = claim["id"] in other_words
        for model in sorted(held.keys() | said.keys()):
            before, now = held.get(model, ""), said.get(model, NOT_RUN)
            if before == now or (not before and now == NOT_RUN):
                continue
            if model not in said and (rope_alone(run) or model in by_name):
                continue
            inside = claim["in_scope"].get(model, tier_of(model) in claim["scope"])
            excuse = "; ".join(
                words
                for applies, words in (
                    (is_reworded and before, REWORDED),
                    (model in anew, ANEW),
                    (model not in said and claim["complete"], NOT_MEASURED_NOW),
                    (not claim["complete"], INCOMPLETE),
                    (before and said.get(model) == NOT_RUN and claim["external"], EXTERNAL),
                )
                if applies
            )
            grouped.setdefault((claim["id"], before, now, excuse, inside), []).append(model)
    found = [Change(*key, tuple(models)) for key, models in grouped.items()]
    flipped = {SUPPORTED, CONTRADICTED}
    return sorted(
        found,
        key=lambda one: (
            {one.before, one.now} != flipped,
            not one.before,
            one.now == NOT_RUN,
            not one.in_scope,
            one.claim,
        ),
    )


def not_run(results: dict) -> list[dict]:
    """What was not run, grouped by reason: {why, to_run, what: {claim: models}}, the most frequent first. to_run: one command
    that would run all of it; what takes another one stands apart."""
    groups: dict[tuple[str, str], dict] = {}
    named: dict[tuple[str, str], dict[str, list[str]]] = {}
    for row in results["evidence"]:
        if row["verdict"] != NOT_RUN or row["role"] != CLAIM_ROLE:
            continue
        why, to_run = reason(row)
        rest = _NAMES.sub(r" \1", to_run)
        entry = groups.setdefault((why, rest), {"why": why, "to_run": to_run, "what": {}})
        names = named.setdefault((why, rest), {})
        for option, name in _NAMES.findall(to_run):
            if name not in names.setdefault(option, []):
                names[option].append(name)
        models = entry["what"].setdefault(row["claim"], [])
        if row["model"] not in models:
            models.append(row["model"])
    for key, entry in groups.items():
        for option, names in named[key].items():
            entry["to_run"] = _with_all(entry["to_run"], option, names)
    return sorted(
        groups.values(), key=lambda entry: (-sum(map(len, entry["what"].values())), entry["why"], entry["to_run"])
    )


_NAMES = re.compile(r""" (--claim|--model) ((?:'[^']*'|"[^"]*"|[^\s'"])+)""")
"""What a command may say several times: of which claims, and of which models."""


def _with_all(command: str, option: str, names: Sequence[str]) -> str:
    """The command with this option for each of the names, where its own one stands."""
    first, *_ = (match for match in _NAMES.finditer(command) if match[1] == option)
    return command[: first.start()] + "".join(f" {option} {name}" for name in names) + command[first.end() :]


def outcome(results: dict) -> str:
    """What the exit code means; a code of 0 never says more than it does."""
    run = results["run"]
    if run["exit"]:
        return (
            "This run does not pass:" if run["problems"] else "This run does not pass; the tests that failed say why."
        )
    if run["options"].get("scale") == "smoke":
        return "Smoke scale: plumbing works, nothing decided."
    if run["options"].get("record_baseline"):
        return "This run recorded its verdicts as the baseline; it was not held against an earlier one."
    said = "is supported, or is the one that the recorded baseline holds"
    found = changes(results)
    if found is None:
        said = "is supported; none was held against a recorded one"
    # what is supported and has no record differs from none
    differ = sum(len(change.models) for change in found or () if change.before or change.now != SUPPORTED)
    beside = "What was not run is not counted."
    if not differ:
        return f"Every verdict of this run {said}. {beside}"
    those = "1 verdict differs from the recorded one, which does not fail the run (see the list of changes)"
    if differ > 1:
        those = (
            f"{differ} verdicts differ from the recorded ones, which does not fail the run (see the list of changes)"
        )
    return f"{those}. Every other verdict {said}. {beside}"
