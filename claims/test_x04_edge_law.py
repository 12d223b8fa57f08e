"""X04 · beyond §3 and §4 · The edge law: the band of little-used pairs ends where a pair turns by half a circle.

Section 3 argues that fast pairs cannot help over a long range. C02 makes that exact; here it becomes a number that can
be wrong. Over N distances a pair can add at most the modulus of exp(i m theta)'s mean, times |q||k|. The law says that
the used band begins at the frequency where that modulus falls to 2/pi. For distances spread evenly that is N theta =
pi, half a circle. For any other distribution it is where the modulus of the distances' characteristic function falls to
the same level.

Why there? Adam divides the gradient by its size, so that a weight grows with the MEAN of its pull. Over random
distances that mean is the kernel, so the first phase of training draws |q| and |k| towards the kernel itself (half
height at N theta = 3.79). Once the task is nearly solved, the loss, and with it the pull, sits at the two ends of the
range. Slow pairs centred on the middle of the range serve these ends worst. Over the ends alone the modulus is lower,
and the profile steepens towards the kernel's square (half height at 2.78). Pi lies between the two, and so do the
measured edges. What a pair contributes to the score is |q||k| times the kernel again, which comes out near the cube.

Removing every pair above the edge must then be free. So is removing many pairs below it, since slow pairs stand in for
each other: the loss shows the end of the band from one side only. Eq. 4's utility is another thing. It is a threshold
on what a dimension is worth, and it moves with its penalty; with a low penalty it keeps pairs of the kernel's side
lobes that the weights show to be small. It stands beside and decides nothing.

Ranks that others published for real models are compared with the law as well. Their distances are not known, so the
trained context is taken for the range. Where they contradict the law, the pairs are used over another range, and the
table says which.
"""

import math

import numpy as np
import pytest

from fixtures.data.published import RANK_FILES
from fixtures.figures import edge_figures as figures
from fixtures.instruments import band
from fixtures.instruments import pair_importance as pairs
from fixtures.measurements import edges
from fixtures.measurements.arms import (
    GRID,
    SPREAD_CELLS,
    STANDARD,
    TOO_FEW_SLOW,
    UNIFORM_CELLS,
    VARIANTS,
    cell,
    spread_of,
    theta_of,
)
from fixtures.models.small_cells import BASELINE, CONTEXT_CELLS
from fixtures.rope import dirichlet, distances
from fixtures.run.census import measures, measures_small
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PUBLISHED, TRAINED_HERE, Claim, Rule
from fixtures.verdict.subject import Subject

CELL, LAW = r"controlled/n\d.*", r"(controlled|small)/edge-(law|grid)"
"""Models for which rules are declared: a cell of the controlled experiment, and the law over cells."""

EDGE = Rule(
    name="edge",
    quantity="logarithm of the frequency at half height of the mean |q|, |k| over that where the modulus is 2/pi",
    side="within",
    margin=0.2,
    unit="",
    why="the kernel's half height lies at +0.19 and its square's at -0.12: a law between the two, no wider",
    applies=r"(controlled|small)/(?!edge-law).*",
)
POWER = Rule(
    name="between the kernel and its square",
    quantity="power of the modulus that fits the profile best, minus 1.5",
    side="within",
    margin=0.5,
    unit="",
    why="1 is what the mean pull alone would give, 2 what it gives when it scales itself once more",
    applies=CELL,
)
PROFILE = Rule(
    name="follows the kernel",
    quantity="Pearson correlation over pairs of mean |q|, |k| with the modulus to the power 1.5",
    side="above",
    margin=0.95,
    unit="",
    why="nine tenths of the variance over pairs; a straight line over the index reaches 0.86",
    applies=CELL,
)
CUBE = Rule(
    name="contributes as the cube",
    quantity="Pearson correlation over pairs of the mean contribution to the right score with the modulus cubed",
    side="above",
    margin=0.95,
    unit="",
    why="nine tenths of the variance over pairs",
    applies=CELL,
)
FREE = Rule(
    name="pairs above the edge are free",
    quantity="loss rise without every pair above the predicted edge, as a share of a guess's loss",
    side="below",
    margin=0.1,
    unit="of log n",
    why="a tenth of the way from solved to guessing, as in C04",
    applies=r"(controlled/n\d|small/(?!edge-law)).*",
)
SLOPE = Rule(
    name="slope",
    quantity="slope of the logarithm of the measured edge on that of the predicted, minus 1",
    side="within",
    margin=0.05,
    unit="",
    why="over the factor of 256 between the shortest and the longest range "
    "it moves the edge by less than the margin of the edge",
    applies=LAW,
)
CENTRE = Rule(
    name="intercept",
    quantity="measured minus predicted logarithm of the edge, at the mean of the predicted",
    side="within",
    margin=0.2,
    unit="",
    why="the kernel's half height lies at +0.19 and its square's at -0.12: a law between the two, no wider",
    applies=LAW,
)
SHARE_TOLD = Rule(
    name="variance told",
    quantity="R^2 of the measured on the predicted logarithm of the edge, over cells",
    side="above",
    margin=0.99,
    unit="",
    why="cells lie up to a factor of 256 apart: a hundredth of their variance is an error of 0.2, the margin of the edge",
    applies=LAW,
)
CONTEXT = Rule(
    name="range is the context",
    quantity="logarithm of the range whose kernel fits the published ranks best over the trained context",
    side="within",
    margin=0.7,
    unit="",
    why="a factor of two: real distances are not spread evenly",
    applies="published/.*",
)
SOME_RANGE = Rule(
    name="some kernel fits",
    quantity="Pearson correlation of the published importance with the best-fitting kernel",
    side="above",
    margin=0.7,
    unit="",
    why="half of the variance over pairs",
    decisive=False,
)
UTILITY_EDGE = Rule(
    name="edge of eq. 4",
    quantity="logarithm of the frequency at half height of eq. 4's u over that where the modulus is 2/pi",
    side="within",
    margin=0.2,
    unit="",
    why="the kernel's half height lies at +0.19 and its square's at -0.12: a law between the two, no wider",
    decisive=False,
)
STEEPENS = Rule(
    name="edge moves down",
    quantity="logarithm of the edge after 250 steps over that after all",
    side="above",
    margin=0.0,
    unit="",
    why="the reason given for a power above 1 says which way, not how far",
    decisive=False,
    shift=0.1,
)
ENDS = Rule(
    name="the ends pull",
    quantity="share of the loss's pull from the first and the last eighth of the range, trained",
    side="above",
    margin=0.375,
    unit="of the pull",
    why="half as much again as the quarter of the distances that lies there",
    decisive=False,
)
RIVALS = Rule(
    name="no rival fits better",
    quantity="Pearson correlation of the profile with the modulus to the power 1.5 minus that with the best of a line "
    "over the index, a step at the edge and the least over the range",
    side="above",
    margin=0.0,
    unit="",
    why="a law earns its keep by any gain over what is simpler",
    decisive=False,
    shift=0.05,
)
FEW = Rule(
    name="edge, too few slow pairs",
    quantity="as 'edge', where only five pairs turn by less than half a circle",
    side="within",
    margin=0.2,
    unit="",
    why="the margin for eligible cells; this one is not eligible and shows why the law asks for slow pairs",
    decisive=False,
)

CLAIM = Claim(
    id="X04",
    title="The edge law: half a circle over the range",
    source="beyond §3 and §4; the law is ours",
    scope=(TRAINED_HERE, PUBLISHED),
    statement="The band of little-used pairs ends where the modulus of the distances' characteristic function falls "
    "to 2/pi: at N theta = pi for distances spread evenly over N tokens. "
    "Mean |q| and |k| follow the modulus to a power between 1 and 2, "
    "what a pair contributes to the score follows its cube, and removing all pairs above the edge is free. "
    "In small transformers trained over several ranges it ends there as well, "
    "and in others' ranks of real models the range is the trained context.",
    contradicted_if="in an eligible cell the edge lies further than a factor of 1.22 from the predicted frequency, "
    "or the power outside 1 to 2, or removing the pairs above it costs a tenth of a guess's loss, "
    "or over all cells the slope differs from 1 by more than 0.05, "
    "or published ranks fit another range than the trained context by more than a factor of two",
    unit_of_analysis="training seeds, or blocks of four layers",
    rules=(
        EDGE,
        POWER,
        PROFILE,
        CUBE,
        FREE,
        SLOPE,
        CENTRE,
        SHARE_TOLD,
        CONTEXT,
        SOME_RANGE,
        UTILITY_EDGE,
        STEEPENS,
        ENDS,
        RIVALS,
        FEW,
    ),
    external="published measurements: from the network, or a folder given by --published",
    notes="A cell is eligible if the modulus is at least 0.98 in the slowest eighth of its pairs and at most 0.1 in "
    "the fastest, and neighbours lie no more than a factor of 1.8 apart; frequencies and distances alone decide it. "
    "Half height: between the means of the fastest and the slowest eighth of pairs, interpolated in log theta. "
    "Margins and cells were chosen on seeds 0-9, verdicts are given on others. Power: "
    "on those ten seeds the edge lay at -0.01 to +0.07 with a standard deviation of 0.01 to 0.03 between seeds, "
    "the power at 1.28 to 1.51 with 0.02 to 0.12, the slope at 0.997 with 0.003: "
    "5 seeds decide each with a power above 99%. Cells are 15 times smaller than the paper's experiment; "
    "their edges agree with those at full size within 0.05 (reports/measured/edge_sizes.json). "
    "Published ranks were known when the rule on them was written. "
    "Small transformers are those of X03, over ranges of 256, 2048 and 16384 tokens; "
    "their size is the root of |q||k| in retrieval heads. Their first seeds, 0 and 1, "
    "gave edges of -0.06 to -0.18. Three seeds leave a loss rise near 0.1 undecided: --seeds N takes more. "
    "A user's measured utilities: N = pi / band.half_height(theta, utility) "
    "is the range over which a model uses its pairs, to be held against the table of predictions.",
)

CELLS = [cell(*key) for key in (*UNIFORM_CELLS, *SPREAD_CELLS)]
UNIFORM = [cell(*key) for key in UNIFORM_CELLS]
EARLY, NONE = f"{STANDARD}-early", "no-position"
ALL = [f"controlled/{name}" for name in CELLS]

LEFT_OUT = {cell(*key): reason for key in GRID if (reason := edges.ineligible(*key))}
GRID_CELLS = [cell(*key) for key in GRID if cell(*key) not in LEFT_OUT]

cells = pytest.mark.parametrize("name", [pytest.param(name, marks=measures(name)) for name in CELLS])
uniform_cells = pytest.mark.parametrize("name", [pytest.param(name, marks=measures(name)) for name in UNIFORM])


def by_rule(regressions: np.ndarray) -> dict[Rule, np.ndarray]:
    """Rule -> (S,). regressions: (S, 3) of measured on predicted edges."""
    return {SLOPE: regressions[:, 0] - 1, CENTRE: regressions[:, 1], SHARE_TOLD: regressions[:, 2]}


# the cells

the_law = pytest.mark.parametrize("rule", [SLOPE, CENTRE, SHARE_TOLD], ids=["slope", "intercept", "variance-told"])


@cells
def test_the_band_ends_where_the_law_says(controlled, pair_use, judge, name):
    arm = controlled(name)
    judge.units(
        EDGE,
        edges.over_predicted(arm, edges.sizes(arm)),
        of=edges.subject(arm),
        paper="§3: fast pairs do not help",
        series=lambda: {"pairs": figures.profile_figure(arm, pair_use(name))},
    )


@cells
def test_the_profile_lies_between_the_kernel_and_its_square(controlled, judge, name):
    arm = controlled(name)
    judge.units(POWER, edges.powers(edges.sizes(arm), edges.modulus(arm)) - 1.5, of=edges.subject(arm))


@cells
def test_the_whole_profile_follows_the_kernel(controlled, judge, name):
    arm = controlled(name)
    judge.units(PROFILE, edges.correlations(edges.sizes(arm), edges.modulus(arm) ** 1.5), of=edges.subject(arm))


@cells
def test_what_a_pair_contributes_follows_the_cube(controlled, pair_use, judge, name):
    arm, use = controlled(name), pair_use(name)
    judge.units(
        CUBE,
        edges.correlations(use.contribution, edges.modulus(arm) ** 3),
        of=edges.subject(arm).but(provenance=use.provenance),
    )


@cells
def test_every_pair_above_the_edge_is_free(controlled, judge, name):
    arm = controlled(name)
    judge.units(
        FREE,
        edges.rise_above(arm, band.predicted_edge(*arm.spread)),
        of=edges.subject(arm),
        paper="fig. 1b: the first dimensions go at hardly any loss",
    )


@measures(*CELLS, cell(*TOO_FEW_SLOW))
@the_law
def test_one_law_holds_over_all_cells(controlled, judge, rule):
    arms = [controlled(name) for name in CELLS]

    def shown() -> dict:
        return {
            "edges": figures.edges_figure(arms),
            "cells": figures.cells_table([*arms, controlled(cell(*TOO_FEW_SLOW))]),
            "candidates": figures.candidates_table([controlled(name) for name in UNIFORM]),
            "predictions": figures.predictions_table(EDGE.margin),
        }

    judge.units(
        rule,
        by_rule(edges.law_over(arms))[rule],
        of=edges.all_of("controlled/edge-law", arms),
        series=lambda: shown() if rule is SLOPE else {},
    )


@measures(*GRID_CELLS)
@pytest.mark.parametrize("rule", [SLOPE, CENTRE, SHARE_TOLD, EDGE], ids=["slope", "intercept", "variance-told", "edge"])
def test_it_holds_over_the_whole_grid(controlled, judge, rule):
    """Ranges 256 to 65536, bases 1e3 to 1e6, 32 to 256 dimensions, at the paper's size. 'edge': the worst cell."""
    why = f"the grid, of which {len(GRID_CELLS)} of {len(GRID)} cells are eligible, belongs to --scale paper"
    judge.only_at_paper_scale(rule, "controlled/edge-grid", why=why)
    arms = [controlled(name) for name in GRID_CELLS]

    def worst_edge() -> np.ndarray:
        off = np.array([edges.over_predicted(arm, edges.sizes(arm)) for arm in arms])  # (cells, S)
        return off[np.abs(off.mean(axis=1)).argmax()]

    def shown() -> dict:
        return {"cells": figures.cells_table(arms), "left out": figures.left_out_table(LEFT_OUT)}

    judge.units(
        rule,
        worst_edge() if rule is EDGE else by_rule(edges.law_over(arms))[rule],
        of=edges.all_of("controlled/edge-grid", arms),
        series=lambda: shown() if rule is SLOPE else {},
    )


# beside it


@uniform_cells
def test_beside_it_simpler_profiles_fit_worse(controlled, judge, name):
    arm = controlled(name)
    others = band.rivals(arm.theta, *arm.spread)
    fitted = edges.correlations(edges.sizes(arm), others["its power 1.5"])
    simpler = [edges.correlations(edges.sizes(arm), others[other]) for other in band.SIMPLER]
    judge.units(RIVALS, fitted - np.max(simpler, axis=0), of=edges.subject(arm))


@cells
def test_beside_it_the_edge_of_eq_4(controlled, pair_use, judge, name):
    arm, use = controlled(name), pair_use(name)
    judge.units(
        UTILITY_EDGE,
        edges.over_predicted(arm, use.utility[:, 0]),
        of=edges.subject(arm).but(provenance=use.provenance),
        series=lambda: {"penalties": figures.penalties_table(arm, use)} if name == STANDARD else {},
    )


@measures(STANDARD, EARLY)
def test_beside_it_the_edge_moves_down_as_training_goes_on(controlled, judge):
    late, early = controlled(STANDARD), controlled(EARLY)
    judge.units(
        STEEPENS,
        edges.log_edges(early.theta, edges.sizes(early)) - edges.log_edges(late.theta, edges.sizes(late)),
        of=edges.subject(late).but(provenance={"late": late.provenance, "early": early.provenance}),
    )


@uniform_cells
def test_beside_it_the_ends_of_the_range_pull_most(controlled, pair_use, judge, name):
    arm, use = controlled(name), pair_use(name)
    judge.units(ENDS, use.pull[:, [0, -1]].sum(axis=1), of=edges.subject(arm).but(provenance=use.provenance))


@measures(cell(*TOO_FEW_SLOW))
def test_beside_it_a_cell_with_too_few_slow_pairs(controlled, judge):
    arm = controlled(cell(*TOO_FEW_SLOW))
    judge.units(FEW, edges.over_predicted(arm, edges.sizes(arm)), of=edges.subject(arm))


# small transformers trained over several ranges

SMALL = [BASELINE, *CONTEXT_CELLS]
LAW_OF_SMALL = "small/edge-law"


each_small = pytest.mark.parametrize("name", [pytest.param(name, marks=measures_small(name)) for name in SMALL])


@each_small
def test_in_a_small_transformer_the_band_ends_where_the_law_says(small, judge, name):
    model = small(name)
    judge.units(EDGE, model.log_edge, of=model)


@each_small
def test_in_a_small_transformer_every_pair_above_the_edge_is_free(small, judge, name):
    model = small(name)
    judge.units(FREE, edges.rise_of_small(model), of=model)


@each_small
def test_beside_it_the_edge_of_eq_4_in_a_small_transformer(small, judge, name):
    model = small(name)
    flat = [reason for profile in model.profile(model.utility) if (reason := band.no_band(model.theta, profile))]
    judge.units(UTILITY_EDGE, model.log_edge_of(model.utility), of=model, unable="".join(flat[:1]))


@measures_small(*SMALL)
@the_law
def test_one_law_holds_over_the_ranges_of_small_transformers(small, judge, rule):
    models = [small(name) for name in SMALL]
    judge.units(
        rule,
        by_rule(edges.law_over_small(models))[rule],
        of=edges.all_of(LAW_OF_SMALL, models),
        series=lambda: {"small": figures.small_table(models)} if rule is SLOPE else {},
    )


# others' ranks of real models

models = pytest.mark.parametrize("key", list(RANK_FILES), ids=lambda key: key.rpartition("/")[2])


@models
@pytest.mark.parametrize("rule", [CONTEXT, SOME_RANGE], ids=["range", "fit"])
def test_published_ranks_against_the_trained_context(published, judge, key, rule):
    def fitted() -> list[float]:
        ranks = published.ranks(key)
        logs, fits = edges.ranges_of(ranks.importance, ranks.model)
        return logs if rule is CONTEXT else fits

    first = key == next(iter(RANK_FILES)) and rule is CONTEXT
    judge.units(
        rule,
        fitted,
        of=Subject(key, provenance=lambda: published.ranks(key).provenance, options="--published DIR"),
        series=lambda: {"ranges": figures.published_table(published)} if first else {},
    )


# controls


@measures(STANDARD)
def test_control_a_range_mistaken_by_two_moves_the_edge(controlled, judge):
    arm = controlled(STANDARD)
    judge.units(
        EDGE,
        edges.log_edges(arm.theta, edges.sizes(arm)) - math.log(math.pi / (2 * arm.positions)),
        of=edges.subject(arm).control(NEGATIVE_CONTROL, "twice the range", guards=ALL),
    )


@measures(cell(*SPREAD_CELLS[0]))
def test_control_the_spread_of_the_distances_counts_and_not_their_length(controlled, judge):
    """Distances from N/2 to N are as long as can be and spread over N/2: pi over the longest is the wrong edge."""
    arm = controlled(cell(*SPREAD_CELLS[0]))
    judge.units(
        EDGE,
        edges.log_edges(arm.theta, edges.sizes(arm)) - math.log(math.pi / arm.positions),
        of=edges.subject(arm).control(NEGATIVE_CONTROL, "by the longest distance", guards=ALL),
    )


not_told = pytest.mark.parametrize("rule", [SLOPE, SHARE_TOLD], ids=["slope", "variance-told"])


@measures(*CELLS)
@not_told
def test_control_edges_of_other_cells_are_not_predicted(controlled, judge, rule):
    """Each cell's prediction is held against the next cell's measurement."""
    arms = [controlled(name) for name in CELLS]
    guarded = ["controlled/edge-law", "controlled/edge-grid"]
    judge.units(
        rule,
        by_rule(edges.law_over(arms, shift=1))[rule],
        of=edges.all_of("controlled/edge-law", arms).control(NEGATIVE_CONTROL, "shifted", guards=guarded),
    )


@measures(NONE, STANDARD)
def test_control_as_many_pairs_without_rotation_are_not_free(controlled, judge):
    arm, usual = controlled(NONE), controlled(STANDARD)
    removed = usual.removed[usual.removed >= 2 * (usual.theta > band.predicted_edge(*usual.spread)).sum()][0]
    judge.units(
        FREE,
        arm.rise("first", int(removed)) / arm.guess,
        of=arm.control(NEGATIVE_CONTROL, guards=ALL),
    )


@measures(STANDARD)
def test_control_an_edge_far_below_the_law_is_not_free(controlled, judge):
    """Everything faster than a twentieth of the predicted edge."""
    arm = controlled(STANDARD)
    judge.units(
        FREE,
        edges.rise_above(arm, band.predicted_edge(*arm.spread) / 20),
        of=edges.subject(arm).control(NEGATIVE_CONTROL, "edge at a twentieth", guards=ALL),
    )


def test_control_planted_unused_pairs_are_free(controlled, judge):
    arm = controlled("planted-first-unused")
    judge.units(
        FREE,
        arm.rise("first", arm.quarter) / arm.guess,
        of=arm.control(POSITIVE_CONTROL, guards=ALL),
    )


@measures_small(*SMALL)
@not_told
def test_control_edges_of_other_small_transformers_are_not_predicted(small, judge, rule):
    models = [small(name) for name in SMALL]
    judge.units(
        rule,
        by_rule(edges.law_over_small(models, shift=1))[rule],
        of=edges.all_of(LAW_OF_SMALL, models).control(NEGATIVE_CONTROL, "shifted", guards=[LAW_OF_SMALL]),
    )


@measures_small(BASELINE)
@pytest.mark.parametrize("rule", [EDGE, FREE], ids=["twice-the-range", "the-slow-pairs"])
def test_control_a_small_transformer_at_a_wrong_edge(small, judge, rule):
    """Its edge by twice the range; without every pair below the edge instead of above it."""
    model = small(BASELINE)
    found, what = {
        EDGE: (model.log_edge + math.log(2), "twice the range"),
        FREE: (edges.rise_of_small_below(model), "slow pairs"),
    }[rule]
    guarded = [f"small/{name}" for name in SMALL]
    judge.units(rule, found, of=model.control(NEGATIVE_CONTROL, what, guards=guarded))


PLANTED_SEEDS = list(range(5))


@pytest.mark.parametrize(
    ("rule", "plant", "role"),
    [
        (EDGE, {"power": 1.5}, POSITIVE_CONTROL),
        (EDGE, {"power": 1.5, "stretch": 0.5}, NEGATIVE_CONTROL),
        (POWER, {"power": 1.5}, POSITIVE_CONTROL),
        (POWER, {"power": 3.0}, NEGATIVE_CONTROL),
        (POWER, {"power": 0.5}, NEGATIVE_CONTROL),
        (PROFILE, {"power": 1.5}, POSITIVE_CONTROL),
        (PROFILE, {"power": 1.5, "stretch": 0.1}, NEGATIVE_CONTROL),
        (CUBE, {"power": 3.0}, POSITIVE_CONTROL),
        (CUBE, {"power": 0.5}, NEGATIVE_CONTROL),
    ],
    ids=lambda value: (
        ",".join(f"{k}={v:g}" for k, v in value.items()) if isinstance(value, dict) else getattr(value, "name", None)
    ),
)
def test_control_planted_profiles(judge, rule, plant, role):
    parameters = VARIANTS[STANDARD].parameters("default")
    theta, spread = theta_of(parameters), spread_of(parameters)
    profiles, of = band.planted(theta, *spread, seeds=PLANTED_SEEDS, **plant), distances.modulus(theta, *spread)
    found = {
        EDGE: lambda: edges.log_edges(theta, profiles) - math.log(band.predicted_edge(*spread)),
        POWER: lambda: edges.powers(profiles, of) - 1.5,
        PROFILE: lambda: edges.correlations(profiles, of**1.5),
        CUBE: lambda: edges.correlations(profiles, of**3),
    }[rule]()
    name = ", ".join(f"{what} {value:g}" for what, value in plant.items())
    judge.units(rule, found, of=Subject(f"planted/{name}", seeds=PLANTED_SEEDS, role=role, guards=ALL))


@pytest.mark.parametrize(("shorter", "role"), [(1, POSITIVE_CONTROL), (16, NEGATIVE_CONTROL)])
def test_control_planted_ranks_of_a_known_range(judge, shorter, role):
    """Heads that rank their pairs, with noise, by the kernel of the context, or of a sixteenth of it."""
    head = RANK_FILES["published/llama-2-7b"].model
    target = dirichlet.modulus(head.theta, head.context // shorter)
    logs, _ = edges.ranges_of(pairs.planted(target, layers=32, heads=8, seed=4), head)
    planted = Subject(f"planted/range of {head.context // shorter} tokens", seeds=[4])
    judge.units(CONTEXT, logs, of=planted.control(role, guards=list(RANK_FILES)))
