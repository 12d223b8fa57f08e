"""What stands at the end of a run on the terminal: the same sentences as at the top of the report, from the same results."""

from __future__ import annotations

from fixtures.plain.text import counted
from fixtures.verdict.claim import HOLDS_IN, NOT_RUN

from . import answer, differences, findings
from .findings import named


def lines(results: dict) -> list[str]:
    """Verdicts by claim, the answer to the title's question, what changed, what was not run."""
    return [*board(results), "", answer.headline(results), *against_baseline(results), *not_run(results)]


def board(results: dict) -> list[str]:
    """One line for each claim and verdict; models that the claim is not about are illustrations, in lines of their own."""
    found = []
    for claim in results["claims"]:
        if not claim["selected"]:
            continue
        inside, others = (findings.by_verdict(claim, side) for side in (True, False))
        found += [f"{claim['id']}  {verdict:<13} {named(models)}" for verdict, models in inside.items()]
        told = [f"{HOLDS_IN[verdict]} {named(models)}" for verdict, models in others.items()]
        found += [f"{claim['id']}  illustration  {'; '.join(told)}"] if told else []
        if not (inside or others):
            why = findings.broken(claim) or "none of the tests that decide it was selected"
            found.append(f"{claim['id']}  {NOT_RUN:<13} {why}")
    return found


def against_baseline(results: dict) -> list[str]:
    """Every difference from the recorded verdicts, whatever excuses it, with all of its models."""
    changes = differences.changes(results)
    if changes is None:
        return ["BASELINE: nothing was compared"]
    other_words = findings.id_ranges(differences.reworded(results))
    told = [f"BASELINE: {other_words}: {differences.REWORDED}"] if other_words else []
    if not changes:
        return [*told, "BASELINE: every verdict is as recorded"]
    count = sum(len(change.models) for change in changes)
    verdicts = counted(count, "verdict")
    what = f"{verdicts} not as recorded" if any(change.before for change in changes) else f"no record of {verdicts}"
    return [*told, f"BASELINE: {what}:"] + [f"  {change.line}" for change in changes]


def not_run(results: dict) -> list[str]:
    """A line for each reason, with what it kept from running and one command that would run it."""
    if results["run"]["options"].get("scale") == "smoke":
        return [
            "NOT RUN: smoke scale checks the plumbing and gives no verdict; leave out --scale smoke to get verdicts"
        ]
    return [f"NOT RUN: {one_reason(entry)}" for entry in differences.not_run(results)]


def one_reason(entry: dict) -> str:
    by_models: dict[tuple[str, ...], list[str]] = {}
    for claim, models in entry["what"].items():
        by_models.setdefault(tuple(models), []).append(claim)
    what = "; ".join(f"{findings.id_ranges(claims)} {named(models)}" for models, claims in by_models.items())
    command = f"; to run it: {entry['to_run']}" if entry["to_run"] else ""
    return f"{entry['why'] or 'no reason was recorded'}: {what}{command}"
