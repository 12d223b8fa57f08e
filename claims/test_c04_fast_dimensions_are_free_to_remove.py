"""C04 · §4, fig. 1b, eq. 3 · With RoPE the fastest dimensions can be removed for free; the slowest cannot.

The paper plots the loss against the number of query-key dimensions removed from either end. "Hardly changes" claims no
effect, so it is decided by non-inferiority over training seeds: the loss that removing the fastest quarter costs, as a
share of the loss that removing the slowest quarter costs, must lie below a tenth. Without RoPE the two ends must not
differ, which is equivalence; its margin is a tenth of the loss of a guess.
"""

import numpy as np
import pytest

from fixtures.claim import TRAINED_HERE, Claim, Rule

ROTATED, UNROTATED = r"controlled/rope-.*", r"controlled/none"
"""Models for which the rules are declared."""

CLAIM = Claim(
    id="C04",
    title="Fast dimensions are free to remove",
    source="§4, eq. 3, fig. 1b",
    scope=(TRAINED_HERE,),
    statement="With RoPE, removing the first dimensions hardly changes the loss while removing the last ones raises it "
    "steeply; without RoPE the two directions do not differ.",
    contradicted_if="with RoPE the fastest quarter costs more than a tenth of what the slowest costs, or the slowest "
    "costs less than a tenth of a guess's loss, or without RoPE the ends differ by more than that",
    unit_of_analysis="training seed",
    rules=(
        Rule("fast end is free", "loss rise without the fastest quarter, as a share of that without the slowest",
             "below", 0.1, "of the rise", "a tenth of the effect that would matter: what the other end costs",
             applies=ROTATED),
        Rule("slow end is needed", "loss rise without the slowest quarter, as a share of a guess's loss",
             "above", 0.1, "of log n", "a tenth of log 1000 = 6.9 nats: the whole way from solved to guessing is 1",
             applies=ROTATED),
        Rule("ends do not differ, a quarter", "loss rise without the first quarter minus that without the last, as a "
             "share of a guess's loss", "within", 0.1, "of log n", "the rise that counts as steep with RoPE",
             applies=UNROTATED),
        Rule("ends do not differ, half", "loss rise without the first half minus that without the last, as a share of "
             "a guess's loss", "within", 0.1, "of log n", "as for the quarter; at half, both ends cost a third of log n",
             applies=UNROTATED),
        Rule("fast half is free", "loss rise without the fastest half, as a share of that without the slowest half",
             "below", 0.1, "of the rise", "as for the quarter", decisive=False),
        Rule("random dimensions are free", "loss rise without a random quarter, as a share of that without the slowest",
             "below", 0.1, "of the rise", "as for the fastest quarter; random pairs include slow ones", decisive=False),
    ),
    notes="Removing a dimension from the query, from the key or from both is the same: its product leaves the score. "
    "Pairs are removed whole. Every query is evaluated once, on pairs and positions training never saw. Power: in trials "
    "the ends differed without RoPE by 0.05 nats (a quarter) and 0.20 (half) standard deviation between seeds, against a "
    "margin of 0.69; 5 seeds decide that with a power above 99%.",
)  # fmt: skip

ROPE, NONE = ["rope-10000", "rope-500000"], "none"


def share(arm, end: str, removed: int) -> list[float]:
    """Loss rise without `removed` dimensions of one end over that without the last ones; one number a seed."""
    return (arm.rise(end, removed) / arm.rise("last", removed)).tolist()


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


def context(arm) -> dict:
    """What every row says of where it comes from."""
    return {"model": arm.model, "unable": arm.unable, "seeds": arm.seeds, "provenance": arm.provenance}


def only_at_paper_scale(judge, arm: str, rule: str) -> None:
    if arm == "rope-500000" and judge.settings.scale != "paper":
        judge.not_run(rule, model=f"controlled/{arm}", reason="base 500000 belongs to --scale paper",
                      command="pytest claims/ --claim C04 --scale paper")  # fmt: skip


rope_arms = pytest.mark.parametrize("arm", [pytest.param(name, marks=pytest.mark.measures(name)) for name in ROPE])


@rope_arms
def test_removing_the_fastest_quarter_is_free(controlled, judge, arm):
    only_at_paper_scale(judge, arm, "fast end is free")
    trained = controlled(arm)
    judge.units("fast end is free", share(trained, "first", trained.quarter), **context(trained),
                paper="fig. 1b: hardly changes",
                series={"fig. 1b": ablation_figure(trained), "training": training_figure(trained)})  # fmt: skip


@rope_arms
def test_removing_the_slowest_quarter_costs_dearly(controlled, judge, arm):
    only_at_paper_scale(judge, arm, "slow end is needed")
    trained = controlled(arm)
    judge.units("slow end is needed", (trained.rise("last", trained.quarter) / trained.guess).tolist(),
                **context(trained), paper="fig. 1b: raises it steeply")  # fmt: skip


@rope_arms
@pytest.mark.parametrize(
    ("rule", "end", "quarters"), [("fast half is free", "first", 2), ("random dimensions are free", "random", 1)]
)
def test_beside_it_half_of_the_dimensions_and_random_ones(controlled, judge, arm, rule, end, quarters):
    only_at_paper_scale(judge, arm, rule)
    trained = controlled(arm)
    judge.units(rule, share(trained, end, quarters * trained.quarter), **context(trained))


@pytest.mark.measures("none")
@pytest.mark.parametrize("part", ["a quarter", "half"])
def test_without_rope_the_ends_do_not_differ(controlled, judge, part):
    trained = controlled(NONE)
    figures = {"fig. 1b": ablation_figure(trained), "training": training_figure(trained)}
    judge.units(f"ends do not differ, {part}", difference(trained, part), **context(trained),
                paper="fig. 1b: the curves coincide", series=figures if part == "half" else {})  # fmt: skip


def difference(arm, part: str) -> list[float]:
    """Loss rise without the first part minus that without the last, as a share of a guess's loss; one a seed."""
    removed = arm.quarter if part == "a quarter" else 2 * arm.quarter
    return ((arm.rise("first", removed) - arm.rise("last", removed)) / arm.guess).tolist()


@pytest.mark.measures("none")
def test_control_without_rope_the_first_quarter_is_not_free(controlled, judge):
    trained = controlled(NONE)
    judge.units("fast end is free", share(trained, "first", trained.quarter), **context(trained),
                role="negative-control", guards=[f"controlled/{name}" for name in ROPE])  # fmt: skip


@pytest.mark.measures("rope-10000")
@pytest.mark.parametrize("part", ["a quarter", "half"])
def test_control_with_rope_the_ends_differ(controlled, judge, part):
    trained = controlled("rope-10000")
    judge.units(f"ends do not differ, {part}", difference(trained, part), **context(trained),
                role="negative-control", guards=["controlled/none"])  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "role"),
    [
        ("planted-first-unused", "positive-control"),
        ("planted-uniform", "negative-control"),
        ("planted-last-half", "negative-control"),
    ],
)
def test_control_planted_use_of_the_first_quarter(controlled, judge, plant, role):
    arm = controlled(plant)
    judge.units("fast end is free", share(arm, "first", arm.quarter), **context(arm), role=role)


@pytest.mark.parametrize(
    ("plant", "role"), [("planted-uniform", "positive-control"), ("planted-first-unused", "negative-control")]
)
def test_control_planted_difference_of_the_ends(controlled, judge, plant, role):
    arm = controlled(plant)
    judge.units("ends do not differ, a quarter", difference(arm, "a quarter"), **context(arm), role=role)
