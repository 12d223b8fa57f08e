"""C04 · §4, fig. 1b, eq. 3 · With RoPE the fastest dimensions can be removed for free; the slowest cannot.

The paper plots the loss against the number of query-key dimensions removed from either end. "Hardly changes" claims no
effect, so it is decided by non-inferiority over training seeds: the loss that removing the fastest quarter costs, as a
share of the loss that removing the slowest quarter costs, must lie below a tenth. Without RoPE the two ends must not
differ, which is equivalence; its margin is a tenth of the loss of a guess.
"""

import numpy as np
import pytest

from fixtures.run.census import measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, TRAINED_HERE, Claim, Rule

ROTATED, UNROTATED = r"controlled/rope-.*", r"controlled/none"
"""Models for which the rules are declared."""

FAST_FREE = Rule(
    name="fast end is free",
    quantity="loss rise without the fastest quarter, as a share of that without the slowest",
    side="below",
    margin=0.1,
    unit="of the rise",
    why="a tenth of the effect that would matter: what the other end costs",
    applies=ROTATED,
)

SLOW_NEEDED = Rule(
    name="slow end is needed",
    quantity="loss rise without the slowest quarter, as a share of a guess's loss",
    side="above",
    margin=0.1,
    unit="of log n",
    why="a tenth of log 1000 = 6.9 nats: the whole way from solved to guessing is 1",
    applies=ROTATED,
)

QUARTERS_ALIKE = Rule(
    name="ends do not differ, a quarter",
    quantity="loss rise without the first quarter minus that without the last, as a share of a guess's loss",
    side="within",
    margin=0.1,
    unit="of log n",
    why="the rise that counts as steep with RoPE",
    applies=UNROTATED,
)

HALVES_ALIKE = Rule(
    name="ends do not differ, half",
    quantity="loss rise without the first half minus that without the last, as a share of a guess's loss",
    side="within",
    margin=0.1,
    unit="of log n",
    why="the rise that counts as steep with RoPE; at half, both ends cost a third of log n",
    applies=UNROTATED,
)

HALF_FREE = Rule(
    name="fast half is free",
    quantity="loss rise without the fastest half, as a share of that without the slowest half",
    side="below",
    margin=0.1,
    unit="of the rise",
    why="a tenth of the effect that would matter: what the other half costs",
    decisive=False,
)

RANDOM_FREE = Rule(
    name="random dimensions are free",
    quantity="loss rise without a random quarter, as a share of that without the slowest",
    side="below",
    margin=0.1,
    unit="of the rise",
    why="a tenth of the effect that would matter: what the slowest quarter costs; random pairs include slow ones",
    decisive=False,
)

CLAIM = Claim(
    id="C04",
    title="Fast dimensions are free to remove",
    source="§4, eq. 3, fig. 1b",
    scope=(TRAINED_HERE,),
    statement="With RoPE, "
    "removing the first dimensions hardly changes the loss while removing the last ones raises it steeply; "
    "without RoPE the two directions do not differ.",
    contradicted_if="with RoPE the fastest quarter costs more than a tenth of what the slowest costs, "
    "or the slowest costs less than a tenth of a guess's loss, or without RoPE the ends differ by more than that",
    unit_of_analysis="training seed",
    rules=(
        FAST_FREE,
        SLOW_NEEDED,
        QUARTERS_ALIKE,
        HALVES_ALIKE,
        HALF_FREE,
        RANDOM_FREE,
    ),
    notes="Removing a dimension from the query, from the key or from both is the same: its product leaves the score. "
    "Pairs are removed whole. Every query is evaluated once, on pairs and positions training never saw. Power: "
    "in trials the ends differed without RoPE by 0.05 nats (a quarter) and 0.20 (half) "
    "standard deviation between seeds, against a margin of 0.69; 5 seeds decide that with a power above 99%.",
)

ENDS_ALIKE = {"a quarter": QUARTERS_ALIKE, "half": HALVES_ALIKE}
ROPE, NONE = ["rope-10000", "rope-500000"], "none"


def share(arm, end: str, removed: int) -> np.ndarray:
    """(S,) loss rise without `removed` dimensions of one end over that without the last ones."""
    return arm.rise(end, removed) / arm.rise("last", removed)


def ablation_figure(arm) -> dict:
    """Fig. 1b regenerated: loss against dimensions removed from either end and at random."""
    return {
        "kind": "lines",
        "title": f"Fig. 1b regenerated, {arm.model}",
        "alt": f"Loss against the number of dimensions removed from the fast end, the slow end and at random, {arm.model}.",
        "x": {"label": "query-key dimensions removed", "values": arm.removed.tolist(), "log": False},
        "y": {"label": "loss, nats", "log": False},
        "lines": [
            {"label": "first (fastest) removed", "seeds": arm.loss_first.round(5).tolist()},
            {"label": "last (slowest) removed", "seeds": arm.loss_last.round(5).tolist(), "dashed": True},
            {"label": "random pairs removed", "seeds": arm.loss_random.round(5).tolist()},
        ],
        "levels": [{"y": round(arm.guess, 4), "label": "a guess among all values"}],
        "caption": f"Band: smallest to largest of {len(arm.seeds)} seeds.",
        "paper": "fig. 1b: with RoPE the first dimensions go at hardly any loss, the last ones raise it steeply; "
        "without RoPE the two curves coincide",
    }


def training_figure(arm) -> dict:
    epochs = arm.training.shape[1]
    return {
        "kind": "lines",
        "title": f"Training loss, {arm.model}",
        "alt": f"Mean training loss by epoch on a logarithmic scale, {arm.model}.",
        "x": {"label": "epoch", "values": list(range(1, epochs + 1)), "log": False},
        "y": {"label": "training loss, nats", "log": True},
        "lines": [{"label": "training loss", "seeds": np.maximum(arm.training, 1e-8).round(9).tolist()}],
        "caption": "Training is never stopped early: the loss still falls twenty-fold in the second half.",
        "paper": None,
    }


def only_at_paper_scale(judge, arm: str, rule: Rule) -> None:
    if arm == "rope-500000":
        judge.only_at_paper_scale(rule, f"controlled/{arm}", why="base 500000 belongs to --scale paper")


rope_arms = pytest.mark.parametrize("arm", [pytest.param(name, marks=measures(name)) for name in ROPE])


@rope_arms
def test_removing_the_fastest_quarter_is_free(controlled, judge, arm):
    only_at_paper_scale(judge, arm, FAST_FREE)
    trained = controlled(arm)
    judge.units(
        FAST_FREE,
        share(trained, "first", trained.quarter),
        of=trained,
        paper="fig. 1b: hardly changes",
        series=lambda: {"fig. 1b": ablation_figure(trained), "training": training_figure(trained)},
    )


@rope_arms
def test_removing_the_slowest_quarter_costs_dearly(controlled, judge, arm):
    only_at_paper_scale(judge, arm, SLOW_NEEDED)
    trained = controlled(arm)
    judge.units(
        SLOW_NEEDED,
        trained.rise("last", trained.quarter) / trained.guess,
        of=trained,
        paper="fig. 1b: raises it steeply",
    )


@rope_arms
@pytest.mark.parametrize(
    ("rule", "end", "quarters"),
    [(HALF_FREE, "first", 2), (RANDOM_FREE, "random", 1)],
    ids=["half", "random"],
)
def test_beside_it_half_of_the_dimensions_and_random_ones(controlled, judge, arm, rule, end, quarters):
    only_at_paper_scale(judge, arm, rule)
    trained = controlled(arm)
    judge.units(rule, share(trained, end, quarters * trained.quarter), of=trained)


@measures("none")
@pytest.mark.parametrize("part", ENDS_ALIKE)
def test_without_rope_the_ends_do_not_differ(controlled, judge, part):
    trained = controlled(NONE)

    def figures() -> dict:
        return {"fig. 1b": ablation_figure(trained), "training": training_figure(trained)}

    judge.units(
        ENDS_ALIKE[part],
        difference(trained, part),
        of=trained,
        paper="fig. 1b: the curves coincide",
        series=lambda: figures() if part == "half" else {},
    )


def difference(arm, part: str) -> np.ndarray:
    """(S,) loss rise without the first part minus that without the last, as a share of a guess's loss."""
    removed = arm.quarter if part == "a quarter" else 2 * arm.quarter
    return (arm.rise("first", removed) - arm.rise("last", removed)) / arm.guess


@measures("none")
def test_control_without_rope_the_first_quarter_is_not_free(controlled, judge):
    trained = controlled(NONE)
    judge.units(
        FAST_FREE,
        share(trained, "first", trained.quarter),
        of=trained.control(NEGATIVE_CONTROL, guards=[f"controlled/{name}" for name in ROPE]),
    )


@measures("rope-10000")
@pytest.mark.parametrize("part", ENDS_ALIKE)
def test_control_with_rope_the_ends_differ(controlled, judge, part):
    trained = controlled("rope-10000")
    judge.units(
        ENDS_ALIKE[part],
        difference(trained, part),
        of=trained.control(NEGATIVE_CONTROL, guards=["controlled/none"]),
    )


@pytest.mark.parametrize(
    ("plant", "role"),
    [
        ("planted-first-unused", POSITIVE_CONTROL),
        ("planted-uniform", NEGATIVE_CONTROL),
        ("planted-last-half", NEGATIVE_CONTROL),
    ],
)
def test_control_planted_use_of_the_first_quarter(controlled, judge, plant, role):
    arm = controlled(plant)
    judge.units(FAST_FREE, share(arm, "first", arm.quarter), of=arm.control(role))


@pytest.mark.parametrize(
    ("plant", "role"), [("planted-uniform", POSITIVE_CONTROL), ("planted-first-unused", NEGATIVE_CONTROL)]
)
def test_control_planted_difference_of_the_ends(controlled, judge, plant, role):
    arm = controlled(plant)
    judge.units(QUARTERS_ALIKE, difference(arm, "a quarter"), of=arm.control(role))
