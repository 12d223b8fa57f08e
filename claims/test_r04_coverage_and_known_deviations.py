"""R04 · The sweep covers transformers, and every deviation it finds is known, explained and still there.

At least 95% of the modelling files that mention rotary are driven; each that is not is listed with the reason. What
contradicts R01, R02, R03 or R06 stands in `fixtures/rope/known_deviations.json` with its kind, reason, effect and version; an
entry that nothing shows any more fails the run, and so does a defect whose reproduction no longer reproduces it.
"""

import dataclasses

import pytest

from fixtures.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.conformance import Known, Outcome, known_deviations, reproduces, reproductions, stale, unexplained
from fixtures.rope.discovery import modelling_files

CLAIM = Claim(
    id="R04",
    title="The sweep covers transformers, and deviations are known",
    source="the installed transformers",
    scope=(IMPLEMENTATION,),
    statement="At least 95% of the modelling files that mention rotary are exercised, and each deviation found is recorded "
    "with its reason, while nothing recorded has ceased to be.",
    contradicted_if="less is covered, a deviation is not recorded, or a recorded one is gone",
    unit_of_analysis="modelling file",
    rules=(
        Rule("coverage", "share of the modelling files that mention rotary of which every implementation was driven", "above",
             0.95, "of the files", "the rest are words in comments and code that needs a model around it; a lower share "
             "would hide a family"),
        Rule("deviations are known", "deviations found that are not recorded", "below", 0, "deviations",
             "each must be looked into", shift=1),
        Rule("records are current", "recorded deviations that nothing shows any more", "below", 0, "records",
             "a list that only grows excuses what nobody sees", shift=1),
        Rule("defects reproduce", "defects whose self-contained reproduction no longer shows them", "below", 0, "defects",
             "a defect is what a stranger can reproduce", shift=1),
    ),
)  # fmt: skip

ALL = "transformers/all"


def test_coverage(conformance, judge):
    undriven = {
        file.name: "; ".join(f"{key}: {found['not driven']}" for key, found in conformance.measured(file).values.items()
                             if "not driven" in found)
        for file in modelling_files()
    }  # fmt: skip
    undriven = {name: why for name, why in undriven.items() if why}
    count, found = len(modelling_files()), conformance.everything()
    judge.exact("coverage", 1 - len(undriven) / count, n=count, test="count", model=ALL,
                provenance={"not covered": undriven,
                            "implementations": sum("not driven" not in one for one in found.values()),
                            "configurations changed": {key: one["how"] for key, one in found.items()
                                                       if "set" in one.get("how", "")}})  # fmt: skip


def test_every_deviation_is_recorded(conformance, judge):
    outcomes = conformance.outcomes()
    unknown = unexplained(outcomes, known_deviations())
    judge.exact("deviations are known", len(unknown), n=len(outcomes), test="count", model=ALL,
                provenance={"not recorded": [f"{one.claim}, {one.rule}, {one.model}: {what}"
                                             for one, what in unknown]})  # fmt: skip


def test_every_record_is_current(conformance, judge):
    known = known_deviations()
    gone = stale(conformance.outcomes(), known)
    judge.exact("records are current", len(gone), n=sum(len(entry.models) for entry in known), test="count", model=ALL,
                provenance={"gone": [f"{entry.claim}, {pattern}: {entry.what}" for entry, pattern in gone]})  # fmt: skip


def test_every_defect_reproduces(judge):
    """Each reproduction needs transformers and torch alone, and says at its end whether it saw the defect."""
    scripts = reproductions()
    wrong = {path.name: said for path in scripts if (said := reproduces(path))}
    judge.exact("defects reproduce", len(wrong), n=len(scripts), test="count", model=ALL, provenance={"failed": wrong})


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
    judge.exact("deviations are known", len(unexplained([PLANTED], recorded)), n=1, test="count",
                model=f"planted/{name}-recorded", role=role)  # fmt: skip


@pytest.mark.parametrize(("error", "role"), [(0.5, NEGATIVE_CONTROL), (7.0, POSITIVE_CONTROL)], ids=["gone", "there"])
def test_control_a_record_without_a_deviation(error, role, judge):
    gone = stale([dataclasses.replace(PLANTED, errors={"composition": error})], (ENTRY,))
    judge.exact("records are current", len(gone), n=1, test="count", model=f"planted/error-{error:g}", role=role)


def test_control_a_reproduction_that_shows_nothing(tmp_path, judge):
    script = tmp_path / "nothing.py"
    script.write_text("reproduced = False\n", encoding="utf-8")
    judge.exact("defects reproduce", int(bool(reproduces(script))), n=1, test="count",
                model="planted/reproduction", role=NEGATIVE_CONTROL)  # fmt: skip


def test_control_files_that_nothing_drives(judge):
    judge.exact("coverage", 0.9, n=10, test="count", model="planted/one-of-ten-not-driven", role=NEGATIVE_CONTROL)
