"""R04 · The sweep covers transformers, and every deviation it finds is known, explained and still there.

At least 95% of the modelling files that mention rotary are driven; each that is not is listed with the reason. What
contradicts R01, R02, R03 or R06 stands in `fixtures/conformance/known_deviations.json` with its kind, reason, effect
and version; an entry that nothing shows any more fails the run, and so does a defect whose reproduction no longer
reproduces it.
"""

import dataclasses

import pytest

from fixtures.conformance import reproduced
from fixtures.conformance.discovery import modelling_files
from fixtures.conformance.outcomes import (
    Known,
    Outcome,
    known_deviations,
    stale,
    unexplained,
)
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.verdict.subject import Subject

COVERAGE = Rule(
    name="coverage",
    quantity="share of the modelling files that mention rotary of which every implementation was driven",
    side="above",
    margin=0.95,
    unit="of the files",
    why="the rest are words in comments and code that needs a model around it; a lower share would hide a family",
)

KNOWN = Rule(
    name="deviations are known",
    quantity="deviations found that are not recorded",
    side="below",
    margin=0,
    unit="deviations",
    why="each must be looked into",
    shift=1,
)

CURRENT = Rule(
    name="records are current",
    quantity="recorded deviations that nothing shows any more",
    side="below",
    margin=0,
    unit="records",
    why="a list that only grows excuses what nobody sees",
    shift=1,
)

REPRODUCE = Rule(
    name="defects reproduce",
    quantity="defects whose self-contained reproduction no longer shows them",
    side="below",
    margin=0,
    unit="defects",
    why="a defect is what a stranger can reproduce",
    shift=1,
)

CLAIM = Claim(
    id="R04",
    title="The sweep covers transformers, and deviations are known",
    source="the installed transformers",
    scope=(IMPLEMENTATION,),
    statement="At least 95% of the modelling files that mention rotary are exercised, "
    "and each deviation found is recorded with its reason, while nothing recorded has ceased to be.",
    contradicted_if="less is covered, a deviation is not recorded, or a recorded one is gone",
    unit_of_analysis="modelling file",
    rules=(
        COVERAGE,
        KNOWN,
        CURRENT,
        REPRODUCE,
    ),
)

ALL = "transformers/all"


def test_coverage(conformance, judge):
    count, found, undriven = len(modelling_files()), conformance.everything(), not_driven(conformance)
    changed = {key: one["how"] for key, one in found.items() if "set" in one.get("how", "")}
    provenance = {
        "not covered": undriven,
        "implementations": sum("not driven" not in one for one in found.values()),
        "configurations changed": changed,
    }
    judge.exact(COVERAGE, 1 - len(undriven) / count, of=Subject(ALL, provenance=provenance), n=count, test="count")


def not_driven(conformance) -> dict[str, str]:
    """Modelling file -> why some implementation in it was not driven."""
    why = {}
    for file in modelling_files():
        found = conformance.measured(file).values.items()
        why[file.name] = "; ".join(f"{key}: {one['not driven']}" for key, one in found if "not driven" in one)
    return {name: said for name, said in why.items() if said}


def test_every_deviation_is_recorded(conformance, judge):
    outcomes = conformance.outcomes()
    unknown = unexplained(outcomes, known_deviations())
    not_recorded = [f"{one.claim}, {one.rule}, {one.model}: {what}" for one, what in unknown]
    judge.exact(
        KNOWN,
        len(unknown),
        of=Subject(ALL, provenance={"not recorded": not_recorded}),
        n=len(outcomes),
        test="count",
    )


def test_every_record_is_current(conformance, judge):
    known = known_deviations()
    gone = stale(conformance.outcomes(), known)
    named = [f"{entry.claim}, {pattern}: {entry.what}" for entry, pattern in gone]
    judge.exact(
        CURRENT,
        len(gone),
        of=Subject(ALL, provenance={"gone": named}),
        n=sum(len(entry.models) for entry in known),
        test="count",
    )


def test_every_defect_reproduces(judge, store):
    """Each reproduction needs transformers and torch alone, and says at its end whether it saw the defect."""
    scripts = reproduced.reproductions()
    found = {path.name: store.measured(reproduced.recipe(path)).values["said"] for path in scripts}
    wrong = {name: said for name, said in found.items() if said}
    judge.exact(
        REPRODUCE,
        len(wrong),
        of=Subject(ALL, provenance={"failed": wrong}),
        n=len(scripts),
        test="count",
    )


# Controls: a planted deviation without an entry, an entry without a deviation, and both right.

PLANTED = Outcome("R01", "identities", "transformers/planted", {"composition": 7.0, "norm": 3.0}, {})
ENTRY = Known(
    "R01", "identities", ("transformers/planted",), ("composition", "norm"), "documented", "planted", "", "", "0", ""
)
PARTLY = dataclasses.replace(ENTRY, errors=("norm",))


@pytest.mark.parametrize(
    ("name", "recorded", "role"),
    [("none", (), NEGATIVE_CONTROL), ("part", (PARTLY,), NEGATIVE_CONTROL), ("whole", (ENTRY,), POSITIVE_CONTROL)],
)
def test_control_a_deviation_and_its_record(name, recorded, role, judge):
    judge.exact(
        KNOWN,
        len(unexplained([PLANTED], recorded)),
        of=Subject(f"planted/{name}-recorded", role=role),
        n=1,
        test="count",
    )


@pytest.mark.parametrize(("error", "role"), [(0.5, NEGATIVE_CONTROL), (7.0, POSITIVE_CONTROL)], ids=["gone", "there"])
def test_control_a_record_without_a_deviation(error, role, judge):
    gone = stale([dataclasses.replace(PLANTED, errors={"composition": error})], (ENTRY,))
    judge.exact(CURRENT, len(gone), of=Subject(f"planted/error-{error:g}", role=role), n=1, test="count")


def test_control_a_reproduction_that_shows_nothing(tmp_path, judge):
    script = tmp_path / "nothing.py"
    script.write_text("reproduced = False\n", encoding="utf-8")
    failed = int(bool(reproduced.reproduces(script)))
    judge.exact(REPRODUCE, failed, of=Subject("planted/reproduction", role=NEGATIVE_CONTROL), n=1, test="count")


def test_control_files_that_nothing_drives(judge):
    planted = Subject("planted/one-of-ten-not-driven", role=NEGATIVE_CONTROL)
    judge.exact(COVERAGE, 0.9, of=planted, n=10, test="count")
