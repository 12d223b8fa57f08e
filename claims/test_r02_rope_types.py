"""R02 · Every rope type of every implementation follows its published formula.

The types linear, dynamic (NTK), yarn, longrope, llama3 and proportional are compared with their formulas in float64,
for every implementation of transformers that takes them. The base is nobody's default, so that a silent 10000 shows.
The functions behind them are compared as well, over configurations that hypothesis draws and shrinks.
"""

import functools

import pytest

from fixtures.conformance import searches
from fixtures.conformance.configurations import (
    PLANTED,
    PLANTED_RIGHT,
    ROPE_TYPES,
    configurations,
    planted_error,
)
from fixtures.conformance.outcomes import SHARED
from fixtures.rope.properties import examples_at, worst_over
from fixtures.run.conformance import every_file, judge_all
from fixtures.verdict.claim import IMPLEMENTATION, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import within_rounding

TYPES = within_rounding(
    name="rope types",
    quantity="worst relative error of a frequency or the scale over the rope types",
    why="one tolerance is float32's rounding of the formula (fixtures/rope/angles.py) "
    "plus 40 roundings for reading a frequency off one step",
)

GENERATED = within_rounding(
    name="generated configurations",
    quantity="worst relative error of a frequency or the scale over generated configurations",
    why="one tolerance is float32's rounding of the formula (fixtures/rope/angles.py); nothing is read off a rotation",
)

CLAIM = Claim(
    id="R02",
    title="Rope types follow their formulas",
    source="arXiv 2104.09864, 2306.15595, 2309.00071, 2402.13753, and the authors' code for llama3",
    scope=(IMPLEMENTATION,),
    statement="Frequencies and scale of every supported rope type are those of its published formula, for the base, "
    "head size, factors, lengths and rotated share that the configuration states.",
    contradicted_if="one frequency or the scale is off by more than rounding can explain, "
    "or a type that the shared code offers does not run for want of a head size",
    unit_of_analysis="rope type",
    rules=(
        TYPES,
        GENERATED,
    ),
    notes="Frequencies are read off R(p) at one step along each axis; "
    "dynamic and longrope with a call of the original length and with one three times as long. "
    "Keys that a class's own validation asks for are supplied, "
    "and parameters of published checkpoints are tried where they are not the class's default "
    "(fixtures/conformance/published_parameters.json). The note of a verdict names the types it rests on. "
    "A type that a class cannot run is listed as not measured; "
    "a class that is made for a type which could not be built, or of whose scaled types none could be, "
    "is inconclusive.",
)


@every_file()
def test_formulas(file, conformance, judge):
    judge_all(judge, conformance.of("R02", file))


@pytest.mark.parametrize("name", ROPE_TYPES)
def test_the_shared_functions_over_generated_configurations(name, judge, store):
    """What `ROPE_INIT_FUNCTIONS` computes, for head sizes, bases, factors, lengths and shares that hypothesis draws."""
    worst = searches.worst(searches.formula(name, GENERATED.margin, examples_at(judge.settings.scale)), store)
    judge.exact(
        GENERATED,
        worst.value,
        of=Subject(f"{SHARED}:{name}", provenance=worst.provenance),
        n=worst.n,
        test=f"worst of {worst.n} hypothesis examples",
        worst=True,
    )


@pytest.mark.parametrize(
    ("name", "role"),
    [(name, POSITIVE_CONTROL if name in PLANTED_RIGHT else NEGATIVE_CONTROL) for name in PLANTED],
)
def test_control_planted_formulas(name, role, judge):
    rope_type, _ = PLANTED[name]
    planted, count = functools.partial(planted_error, name), examples_at(judge.settings.scale)
    worst = worst_over(planted, configurations(rope_type), GENERATED.margin, count)
    judge.exact(
        GENERATED,
        worst.value,
        of=Subject(f"planted/{name}", role=role, provenance=worst.provenance),
        n=worst.n,
        test=f"worst of {worst.n} hypothesis examples",
        worst=True,
    )
