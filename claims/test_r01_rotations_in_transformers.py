"""R01 · §2, eqs. 1-2 · Every RoPE in the installed transformers is a rotation by relative position.

Each implementation is found by reading the package's sources, and is asked for its matrix R(p): the identity basis goes
through its own rotary module and its own apply function, at plain, axial and multi-axis positions whose coordinates
differ. Layout, pairing, sign, scale, frequencies and the rotated share are read off R(p), and the identities become
identities of matrices.

Another layout, sign, scale, origin or output order is no deviation, because no score depends on it. What breaks an
identity is one. `fixtures/conformance/known_deviations.json` says for each deviation whether it is a defect or a
documented variant. A class that keeps a single number in checkpoints is told as two tolerances, since one is allowed.
"""

import pytest

from fixtures.conformance.controls import RIGHT, WRONG
from fixtures.run.conformance import every_file, judge_all
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import within_rounding

IDENTITY = within_rounding(
    name="identities",
    quantity="worst of relative position, norm, composition, pair locality, rotation, linear angles, "
    "one scale and queries as keys, in three dtypes, and of the numbers kept in checkpoints",
    why="one tolerance is the largest error that rounding can make, derived in fixtures/rope/identities.py; "
    "none is fitted to an implementation. A number kept in a checkpoint counts as one tolerance",
)

CLAIM = Claim(
    id="R01",
    title="Every RoPE in transformers is a rotation",
    source="eqs. 1-2, against every modelling file of the installed transformers",
    scope=(IMPLEMENTATION,),
    statement="Through its own rotary module and apply function, "
    "every implementation turns pairs of dimensions by an angle that grows with the position, in float32, "
    "bfloat16 and float64, along every axis, so that a score depends on relative position alone; "
    "and it keeps no numbers in checkpoints.",
    contradicted_if="one identity of an implementation is off by more than rounding can explain, in any dtype",
    unit_of_analysis="identity and dtype",
    rules=(IDENTITY,),
    notes="Kinds of deviation: different but equivalent (layout, sign, scale, origin: read off, "
    "and no deviation here), a documented variant, a defect; which it is stands beside the verdict. "
    "Default configurations, changed only where one cannot run; the change stands in the provenance. "
    "Angles count as float32, which nearly all implementations force.",
)


@every_file()
def test_rotation(file, conformance, judge):
    measured = conformance.measured(file)
    judge_all(judge, conformance.of("R01", file), measured.provenance())


# Controls: matrices whose one fault is known.


@pytest.mark.parametrize("control", WRONG, ids=lambda control: control.name)
def test_control_a_wrong_one_is_caught(control, judge):
    errors, _ = control.errors()
    judge.exact(
        IDENTITY,
        errors[control.identity],
        of=Subject(f"planted/{control.name}", role=NEGATIVE_CONTROL),
        n=len(errors),
        test=f"identity '{control.identity}'",
        note=control.what,
    )


@pytest.mark.parametrize("control", RIGHT, ids=lambda control: control.name)
def test_control_a_different_one_is_not_accused(control, judge):
    errors, reading = control.errors()
    judge.exact(
        IDENTITY,
        max(errors.values()),
        of=Subject(
            f"planted/{control.name}",
            role=POSITIVE_CONTROL,
            provenance={"read off": reading.to_json()},
        ),
        n=len(errors),
        test="worst identity",
        worst=True,
        note=control.what,
    )
