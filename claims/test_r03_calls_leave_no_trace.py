"""R03 · What a RoPE does at a position depends on the position: not on earlier calls, other rows, or how a sequence is cut.

Each implementation of transformers is called twice: after a longer call, after a call in another dtype, for one row of
a batch beside a longer one, and for the last position alone as cached decoding does. Each result is compared with that
of a fresh module that is asked for the same at once. In the types dynamic and longrope the frequencies depend on the
length, and one decorator that all implementations share sees to that. So they are measured in every implementation and
judged once, by the worst.
"""

import dataclasses

import pytest

from fixtures.conformance import planted_outcomes
from fixtures.conformance.memory import PLANTED, PLANTED_CALLING
from fixtures.conformance.outcomes import shared_update
from fixtures.run.conformance import every_file, judge_all
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim
from fixtures.verdict.usual_rules import within_rounding

CLAIM = Claim(
    id="R03",
    title="Calls leave no trace",
    source="§2, eq. 1: M_m is a function of m",
    scope=(IMPLEMENTATION,),
    statement="A call gives the same whatever was called before, whatever stands in the other rows, "
    "and whether a sequence is rotated at once or position by position.",
    contradicted_if="one of these changes a rotated vector by more than the tolerance of two turns",
    unit_of_analysis="way of calling",
    rules=(
        within_rounding(
            name="no memory",
            quantity="worst change of a rotated vector by history, dtype of an earlier call, other rows, or cutting",
            why="two turns' rounding of float32 angles up to the largest position; "
            "equal calls usually agree to the bit",
        ),
        within_rounding(
            name="ways of calling",
            quantity="worst change of a rotated vector by rows with other positions, "
            "one token in each of several rows, strides of a view, keys that are not the queries, or fewer key heads",
            why="two turns' rounding of float32 angles, against short plain calls of the same code",
        ),
        within_rounding(
            name="beside right values",
            quantity="worst error of a gradient against the transposed rotation, "
            "of a second one through the same graph, "
            "or change under torch.autocast beyond the rounding of bfloat16 vectors",
            why="two turns' rounding; shown beside and decides nothing, since values are right",
            decisive=False,
        ),
    ),
)


@every_file()
def test_memory(file, conformance, judge):
    judge_all(judge, conformance.of("R03", file))


@pytest.mark.parametrize("name", ["dynamic", "longrope"])
def test_types_that_depend_on_the_length(name, conformance, judge):
    driven = {key: found for key, found in conformance.everything().items() if "not driven" not in found}
    judge_all(judge, [shared_update(name, driven)])


@pytest.mark.parametrize("name", PLANTED)
def test_control_planted_memories(name, judge, store):
    """A module that remembers something, and one that does not."""
    outcome = planted_outcomes.outcome(planted_outcomes.remembering(name), store)
    role = POSITIVE_CONTROL if name == "nothing" else NEGATIVE_CONTROL
    judge_all(judge, [dataclasses.replace(outcome, model=f"planted/remembers-{name}")], role=role)


@pytest.mark.parametrize("name", PLANTED_CALLING)
def test_control_planted_faults_in_the_calling(name, judge, store):
    """An implementation that one way of calling shows to be wrong, and one that none does."""
    outcome = planted_outcomes.outcome(planted_outcomes.called(name), store)
    role = POSITIVE_CONTROL if name == "nothing" else NEGATIVE_CONTROL
    judge_all(judge, [dataclasses.replace(outcome, model=f"planted/{name.replace(' ', '-')}")], role=role)
