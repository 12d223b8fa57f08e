"""C02 · §3 · Over a range of distances a fast pair takes every sign, so that it cannot help at a distance.

The paper argues this in words. Made exact: the mean of exp(i d theta) over the distances d = 0..N-1 has the modulus
|sin(N theta / 2) / (N sin(theta / 2))| (the Dirichlet kernel), which is the largest mean contribution that any phase of
query and key gives. It is 1 for pairs with N theta << 1 and about 0 for N theta >> 2 pi. A pair is called FAST when it
turns by more than half a circle over the range, N theta > pi: then no phase keeps its contribution's sign.
This predicts, from a model's configuration alone, which share of its head dimensions is wasted.
"""

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import strategies as st

from fixtures.conformance import sampled_distances
from fixtures.rope import dirichlet
from fixtures.rope.heads import HEADS, LLAMA, OLMO, TABLE
from fixtures.rope.properties import examples_at, worst_over
from fixtures.verdict.claim import (
    CLAIM_ROLE,
    IMPLEMENTATION,
    NEGATIVE_CONTROL,
    POSITIVE_CONTROL,
    PRINTED,
    Claim,
    Prior,
    Rule,
)
from fixtures.verdict.statistics import Measured
from fixtures.verdict.subject import Subject
from fixtures.verdict.usual_rules import within_rounding

KERNEL = "rope/fixtures.rope.dirichlet:modulus"
FEWEST_WASTED, KEPT_AT_SLOW_END, SLOW_END = 0.25, 0.9, 32
BESIDE = 1e-9
"""How far beside half a circle a pair's name is asked, relative: far above the rounding of its angles, 2^14 times 2^-53."""
DRAWS = {"smoke": 1000, "default": 100_000, "paper": 400_000}

OF_KERNEL, HEAD = r"rope/fixtures\.rope\.dirichlet:.*", r"(?!rope/fixtures\.rope\.dirichlet:).*"
"""Models for which the rules are declared: our kernel, and heads whose distances are sampled."""

CLOSED_FORM = within_rounding(
    name="closed form",
    quantity="largest difference of the kernel from the mean of exp(i d theta), by brute force",
    why="one tolerance is what float64 can be off by, derived in fixtures/rope/dirichlet.py",
    applies=OF_KERNEL,
)

NO_PHASE_BETTER = within_rounding(
    name="no phase does better",
    quantity="largest excess of a mean contribution, at any phase, over the kernel",
    why="one tolerance is what float64 can be off by, derived in fixtures/rope/dirichlet.py",
    applies=OF_KERNEL,
)

BEST_ATTAINS = within_rounding(
    name="the best phase attains it",
    quantity="largest shortfall of the best phase's mean contribution",
    why="one tolerance is what float64 can be off by, derived in fixtures/rope/dirichlet.py",
    applies=OF_KERNEL,
)

SLOW_KEEP = Rule(
    name="slow pairs keep it",
    quantity="least best mean contribution of pairs with N theta up to 0.5",
    side="above",
    margin=0.989,
    unit="of |q||k|",
    why="the kernel is at least 1 - (N theta)^2 / 24, which is 0.9896 at 0.5",
    applies=OF_KERNEL,
)

FAST_LOSE = Rule(
    name="fast pairs lose it",
    quantity="largest best mean contribution of pairs with N theta from 20 pi",
    side="below",
    margin=0.05,
    unit="of |q||k|",
    why="the kernel is at most pi / (N theta), because sin x >= 2 x / pi up to a quarter circle",
    applies=OF_KERNEL,
)

NO_SIGN_KEPT = Rule(
    name="fast means that no sign is kept",
    quantity="cases found where N theta > pi and some phase keeps its sign, or neither",
    side="below",
    margin=0,
    unit="cases",
    why="an equivalence has no exceptions; where N theta is above and (N - 1) "
    "theta below half a circle both names fit, since N distances span N - 1 steps. Asked at both ends of that step, "
    "too, of every range that is drawn, so that a threshold too low or, by more than the step, "
    "too high misnames a pair",
    shift=1,
    applies=OF_KERNEL,
)

SAMPLED_AGREE = Rule(
    name="sampled distances agree",
    quantity="largest difference, over a head's pairs, "
    "of the sampled mean contribution from the kernel at the best phase, and from 0 a quarter circle beside it",
    side="below",
    margin=0.03,
    unit="of |q||k|",
    why="3% of what a pair can give; 100 000 draws give all 64 pairs at both phases at once an interval of +-0.013, "
    "so that this can be decided. At the best phase alone a pair of half the frequency cannot be told",
    applies=HEAD,
)

WASTED = Rule(
    name="a share is wasted",
    quantity="predicted share of a head's dimensions that are fast at the model's context",
    side="above",
    margin=FEWEST_WASTED,
    unit="of the dimensions",
    why="the paper masks the first 32 of 128 at little cost (table 2): at least those must be called wasted",
    decisive=False,
)

SLOW_END_KEPT = Rule(
    name="the slow end is kept",
    quantity=f"least best mean contribution in the last {SLOW_END} dimensions at the model's context",
    side="above",
    margin=KEPT_AT_SLOW_END,
    unit="of |q||k|",
    why="masking the last 32 of 128 is what hurts (table 2): "
    "the prediction must leave them nine tenths of their strength",
    decisive=False,
)

CLAIM = Claim(
    id="C02",
    title="Fast pairs cannot help at a distance",
    source="§3; the kernel is ours",
    scope=(IMPLEMENTATION, PRINTED),
    statement=(
        "The mean contribution of a pair over distances 0..N-1 is bounded by the Dirichlet kernel, "
        "near 1 for slow pairs and near 0 for fast ones, "
        "so that from a model's configuration follows which dimensions are wasted."
    ),
    contradicted_if=(
        "a phase does better than the kernel, or distances drawn at random through a model's own frequencies differ from it"
    ),
    unit_of_analysis="case",
    rules=(
        CLOSED_FORM,
        NO_PHASE_BETTER,
        BEST_ATTAINS,
        SLOW_KEEP,
        FAST_LOSE,
        NO_SIGN_KEPT,
        SAMPLED_AGREE,
        WASTED,
        SLOW_END_KEPT,
    ),
    prior=Prior("high", "long distances mean large angles"),
    notes="The two predictions follow from configurations by arithmetic that was done before their margins were "
    "fixed: they are shown and decide nothing. What they are worth is measured on trained models. "
    "Contexts are the models' longest.",
)


# The kernel, for a head's frequencies (theta up to 1 radian a token) and ranges up to 2^14 tokens.


@dataclasses.dataclass(frozen=True)
class Range:
    """A pair's frequency, radians per token, a number of distances, and how far, in radians, from the best phase."""

    theta: float
    distances: int
    offset: float


def ranges(least_turn: float = 1e-3, most_turn: float = 1e4):
    """Ranges over which the pair turns by least..most radians in all."""

    def make(log_turn, log_distances, offset):
        turn = math.exp(log_turn)
        distances = max(2, math.ceil(turn), round(2**log_distances))
        return Range(turn / distances, distances, offset)

    turns = st.floats(math.log(least_turn), math.log(most_turn))
    # close to the best phase nothing but rounding stands between a contribution and the bound
    offsets = st.one_of(st.floats(-math.pi, math.pi), st.floats(-1e-9, 1e-9))
    return st.builds(make, turns, st.floats(1, 14), offsets)


def _closed_form(kernel):
    def error(case):
        mean = dirichlet.mean_modulus(case.theta, case.distances)
        return abs(float(kernel(case.theta, case.distances)) - mean) / _tolerance(case)

    return error


def _excess(kernel):
    def error(case):
        phase = dirichlet.best_phase(case.theta, case.distances) + case.offset
        mean = dirichlet.mean_contribution(case.theta, case.distances, phase)
        return (mean - float(kernel(case.theta, case.distances))) / _tolerance(case)

    return error


def _shortfall(phase):
    def error(case):
        mean = dirichlet.mean_contribution(case.theta, case.distances, phase(case.theta, case.distances))
        return (float(dirichlet.modulus(case.theta, case.distances)) - mean) / _tolerance(case)

    return error


def _tolerance(case):
    return dirichlet.rounding(case.theta, case.distances)


def _misnamed(is_fast):
    """Cases that are misnamed among the one drawn and those at either end of the step in which both names fit."""

    def error(case):
        distances = case.distances
        lowest, highest = dirichlet.half_circle(distances)
        lowest, highest = lowest * (1 - BESIDE), highest * (1 + BESIDE)
        asked = [lowest] + [highest] * (distances > 2) + [case.theta] * (not lowest < case.theta < highest)
        return float(sum(bool(is_fast(t, distances)) == dirichlet.keeps_a_sign(t, distances) for t in asked))

    return error


@pytest.fixture
def examine(judge):
    """Look for the worst range of distances and decide the rule by it."""

    def examine(rule, check, cases, model, role=CLAIM_ROLE):
        worst = worst_over(check, cases, rule.margin, examples_at(judge.settings.scale), above=rule.side == "above")
        judge.exact(
            rule,
            worst.value,
            of=Subject(model, provenance=worst.provenance, role=role),
            n=worst.n,
            test=f"worst of {worst.n} hypothesis examples",
            worst=True,
        )

    return examine


def test_the_kernel_is_the_mean_over_distances(examine):
    examine(CLOSED_FORM, _closed_form(dirichlet.modulus), ranges(), KERNEL)


def test_no_phase_does_better_than_the_kernel(examine):
    examine(NO_PHASE_BETTER, _excess(dirichlet.modulus), ranges(), KERNEL)


def test_the_best_phase_attains_the_kernel(examine):
    examine(BEST_ATTAINS, _shortfall(dirichlet.best_phase), ranges(), KERNEL)


def _best_contribution(case):
    return dirichlet.mean_contribution(case.theta, case.distances, dirichlet.best_phase(case.theta, case.distances))


def test_slow_pairs_keep_their_contribution(examine):
    examine(SLOW_KEEP, _best_contribution, ranges(most_turn=0.5), KERNEL)


def test_fast_pairs_lose_it(examine):
    examine(FAST_LOSE, _best_contribution, ranges(least_turn=20 * math.pi), KERNEL)


def test_fast_is_where_no_phase_keeps_its_sign(examine):
    examine(NO_SIGN_KEPT, _misnamed(dirichlet.is_fast), ranges(most_turn=100), KERNEL)


# The kernel against distances drawn at random, through RoPE itself, for the heads of real models.


@pytest.fixture
def sampled(judge, store):
    """(2, pairs) mean contribution of each pair over random distances 0..N-1: at its best phase, and a quarter beside it."""

    def sampled(theta, distances, stretch=1.0):
        turning = stretch * np.array(theta)
        recipe = sampled_distances.recipe(theta, distances, DRAWS[judge.settings.scale], turning=turning)
        return store.measured(recipe).tensors["mean"]

    return sampled


def _agreement(judge, sampled, predicted) -> Measured:
    """Largest difference of sampled, (2, pairs), from predicted, (pairs,), and 0, with an interval that holds for all."""
    draws, pairs = DRAWS[judge.settings.scale], len(predicted)
    radius = dirichlet.simultaneous_radius(sampled.size, draws, CLAIM.alpha)
    worst = float(np.max(np.abs(sampled - [predicted, np.zeros(pairs)])))
    test = f"Hoeffding, {1 - 2 * CLAIM.alpha:.0%} for all {pairs} pairs at both phases at once"
    return Measured(worst, (max(0.0, worst - radius), worst + radius), draws, test, None)


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.key)
def test_sampled_distances_give_the_kernel(head, judge, sampled):
    predicted = dirichlet.modulus(head.theta, head.context)
    mean = sampled(head.theta, head.context)
    judge.interval(
        SAMPLED_AGREE,
        _agreement(judge, mean, predicted),
        of=Subject(head.key, seeds=[0]),
        series=lambda: {"contribution bound": _bound_figure(mean[0])} if head is LLAMA else {},
    )


def _bound_figure(sampled):
    bounds = {f"{head.name}, {head.context} tokens": dirichlet.modulus(head.theta, head.context) for head in HEADS}
    return {
        "kind": "lines",
        "title": "The steadiest contribution that each pair can make",
        "alt": "Dirichlet kernel against the pair index for four heads: near 0 for fast pairs, 1 for slow ones",
        "x": {"label": "pair, fastest first", "values": list(range(1, len(sampled) + 1)), "log": False},
        "y": {"label": "largest mean contribution, share of |q||k|", "log": False},
        "lines": [{"label": label, "values": bound.tolist()} for label, bound in bounds.items()]
        + [{"label": f"{LLAMA.name}, sampled", "values": sampled.tolist(), "dashed": True}],
        "marks": [
            {"x": int(dirichlet.is_fast(head.theta, head.context).sum()) + 0.5, "label": f"half a circle, {head.name}"}
            for head in (LLAMA, OLMO)
        ],
        "levels": [],
        "caption": "Pairs left of a mark turn by more than half a circle over the context: no phase keeps their sign.",
        "paper": None,
    }


# What this predicts for the paper's models.


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.key)
def test_a_share_of_every_head_is_wasted(head, judge):
    share = dirichlet.wasted_share(head.theta, head.context, head.head_dim)
    judge.exact(
        WASTED,
        share,
        of=Subject(head.key),
        n=len(head.theta),
        test="count of pairs, from the configuration",
        series=lambda: {"predicted waste": _waste_table()} if head is LLAMA else {},
    )


@pytest.mark.parametrize("head", HEADS, ids=lambda head: head.key)
def test_the_slow_end_of_every_head_is_kept(head, judge):
    last = dirichlet.modulus(head.theta, head.context)[-SLOW_END // 2 :]
    judge.exact(SLOW_END_KEPT, last.min(), of=Subject(head.key), n=len(last), test="least of the last pairs")


def _waste_table():
    rows = []
    for head, distances in TABLE:
        fast = int(dirichlet.is_fast(head.theta, distances).sum())
        rows.append(
            [
                head.name,
                head.head_dim,
                f"{head.base:.0f}",
                head.scaling_name,
                distances,
                fast,
                f"{dirichlet.wasted_share(head.theta, distances, head.head_dim):.0%}",
                f"{float(dirichlet.modulus(head.theta, distances).mean()):.0%}",
            ]
        )
    return {
        "kind": "table",
        "title": "Predicted share of wasted dimensions",
        "columns": ["head", "dimensions", "base", "scaling", "distances N", "fast pairs", "wasted", "mean kernel"],
        "rows": rows,
        "caption": (
            "Fast: N theta > pi. Twenty documents are about 4096 tokens. Predicted from configurations, not measured."
        ),
    }


# Controls.


def _sampled_control(what: str, role: str) -> Subject:
    return Subject(f"control/{what}", seeds=[0], role=role)


def test_a_kernel_of_the_wrong_angle_is_caught(examine):
    """The whole angle where the half belongs."""
    wrong = _closed_form(lambda theta, n: np.abs(np.sin(n * theta) / (n * np.sin(theta))))
    examine(CLOSED_FORM, wrong, ranges(), "control/whole-angle", role=NEGATIVE_CONTROL)


def test_a_bound_for_another_range_is_caught(examine):
    wrong = _excess(lambda theta, n: dirichlet.modulus(theta, 2 * n))
    examine(NO_PHASE_BETTER, wrong, ranges(), "control/twice-the-range", role=NEGATIVE_CONTROL)


def test_a_phase_that_is_not_the_best_is_caught(examine):
    shortfall = _shortfall(lambda theta, distances: 0.0)
    examine(BEST_ATTAINS, shortfall, ranges(), "control/phase-zero", role=NEGATIVE_CONTROL)


def test_fast_pairs_do_not_pass_for_slow_ones(examine):
    fast = ranges(least_turn=20 * math.pi)
    examine(SLOW_KEEP, _best_contribution, fast, "control/fast-pairs", role=NEGATIVE_CONTROL)


def test_pairs_that_do_not_turn_do_not_pass_for_fast_ones(examine):
    still = ranges(least_turn=20 * math.pi).map(lambda case: dataclasses.replace(case, theta=0.0))
    examine(FAST_LOSE, _best_contribution, still, "control/no-rope", role=NEGATIVE_CONTROL)


def test_a_whole_circle_is_not_where_signs_are_lost(examine):
    whole, cases = _misnamed(lambda theta, distances: distances * theta > 2 * math.pi), ranges(most_turn=100)
    examine(NO_SIGN_KEPT, whole, cases, "control/whole-circle", role=NEGATIVE_CONTROL)


@pytest.mark.parametrize("factor", [0.9, 1.1])
def test_a_threshold_beside_half_a_circle_is_caught(factor, examine):
    """Off by less than the step, theta, no threshold misnames anything: ranges of more than ten distances tell these."""
    near, cases = _misnamed(lambda theta, distances: distances * theta > factor * math.pi), ranges(most_turn=100)
    model = f"control/threshold-{factor:g}"
    examine(NO_SIGN_KEPT, near, cases, model, role=NEGATIVE_CONTROL)


@pytest.mark.parametrize("stretch", [0.5, 1.1])
def test_another_speed_does_not_agree_with_the_kernel(stretch, judge, sampled):
    """Half the speed gives the kernel of the whole one at its best phase, to rounding of the range, and not beside it."""
    predicted = dirichlet.modulus(LLAMA.theta, LLAMA.context)
    measured = _agreement(judge, sampled(LLAMA.theta, LLAMA.context, stretch), predicted)
    judge.interval(SAMPLED_AGREE, measured, of=_sampled_control(f"speed-{stretch:g}", NEGATIVE_CONTROL))


def test_shuffled_frequencies_do_not_agree_with_the_kernel(judge, sampled):
    """The pairs' frequencies in another order than the one predicted for."""
    shuffled = np.random.default_rng(0).permutation(LLAMA.theta)
    predicted = dirichlet.modulus(LLAMA.theta, LLAMA.context)
    measured = _agreement(judge, sampled(shuffled, LLAMA.context), predicted)
    judge.interval(SAMPLED_AGREE, measured, of=_sampled_control("shuffled", NEGATIVE_CONTROL))


def test_vectors_that_are_not_turned_do_not_agree_with_the_kernel(judge, sampled):
    still = sampled(LLAMA.theta, LLAMA.context, stretch=0.0)
    measured = _agreement(judge, still, dirichlet.modulus(LLAMA.theta, LLAMA.context))
    judge.interval(SAMPLED_AGREE, measured, of=_sampled_control("no-rope", NEGATIVE_CONTROL))


def test_planted_frequencies_give_the_kernel_they_must(judge, sampled):
    """Whole turns over the range average to exactly 0, no turn to exactly 1: known without the kernel."""
    distances = 1024
    whole_turns = np.array([64.0, 16.0, 4.0, 1.0, 0.0])
    mean = sampled(2 * math.pi * whole_turns / distances, distances)
    measured = _agreement(judge, mean, (whole_turns == 0).astype(float))
    judge.interval(SAMPLED_AGREE, measured, of=_sampled_control("whole-turns", POSITIVE_CONTROL))


def test_without_rope_nothing_is_wasted(judge):
    still = np.zeros_like(LLAMA.theta)
    share = dirichlet.wasted_share(still, LLAMA.context, LLAMA.head_dim)
    judge.exact(
        WASTED,
        share,
        of=Subject("control/no-rope", role=NEGATIVE_CONTROL),
        n=len(still),
        test="count of pairs, from the configuration",
    )


def test_rising_frequencies_would_waste_the_other_end(judge):
    """Frequencies that grow with the index, as a popular summary has it, would leave the last dimensions nothing."""
    last = dirichlet.modulus(LLAMA.theta[::-1], LLAMA.context)[-SLOW_END // 2 :]
    judge.exact(
        SLOW_END_KEPT,
        last.min(),
        of=Subject("control/rising", role=NEGATIVE_CONTROL),
        n=len(last),
        test="least of the last pairs",
    )
