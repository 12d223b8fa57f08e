"""R06 · Changing a model's dtype changes its vectors, not its angles.

`from_pretrained(dtype=bfloat16)` should leave frequencies in float32, and so should `model.to(bfloat16)`: a frequency cast to
bfloat16 is off by up to 2^-9 of itself, which is an angle that grows with the position. Every rotary module of transformers
is given bfloat16 vectors as it was made, and after either change. What differs between the two is an error of the angle.
"""

import pytest

from fixtures.conformance import planted_outcomes
from fixtures.run.conformance import every_file, judge_all
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import within_rounding

CASTING = within_rounding(
    name="casting",
    quantity="worst change of a rotated bfloat16 vector by model.to(bfloat16) or by from_pretrained, "
    "at positions to 4096",
    why="two turns' rounding for bfloat16 vectors and float32 angles: 0.04 of a length",
)

CLAIM = Claim(
    id="R06",
    title="A dtype changes vectors, not angles",
    source="§2, eq. 1: m theta_i, whatever the vectors are",
    scope=(IMPLEMENTATION,),
    statement="Bfloat16 vectors are turned by the same angles whether the module was left alone, "
    "cast by model.to(bfloat16), or loaded by from_pretrained(dtype=bfloat16).",
    contradicted_if="a rotated vector moves by more than the rounding of bfloat16 vectors turned by float32 angles allows",
    unit_of_analysis="position",
    rules=(CASTING,),
    notes="Loading is done as from_pretrained does it, which makes the module under that default dtype; "
    "a self-test holds this against from_pretrained itself.",
)


@every_file()
def test_angles(file, conformance, judge):
    judge_all(judge, conformance.of("R06", file))


@pytest.mark.parametrize(("dtype", "role"), [("bfloat16", NEGATIVE_CONTROL), ("float32", POSITIVE_CONTROL)])
def test_control_frequencies_in_a_dtype(dtype, role, judge, store):
    """Frequencies of base 10000, 64 dimensions, held in that dtype; the vectors are bfloat16."""
    found = store.measured(planted_outcomes.cast(dtype)).values
    judge.exact(
        CASTING,
        found["error"],
        of=Subject(f"planted/{dtype}-frequencies", role=role, provenance=found),
        n=2,
        test="worst of two positions",
        worst=True,
    )
