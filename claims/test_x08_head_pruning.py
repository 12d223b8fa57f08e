"""X08 · beyond the paper · Heads whose dimensions are of little use can be taken out whole; retrieval heads cannot.

The paper sorts heads by how much attention flows to the context (§5.3) and dimensions by their utility (§5.2). If both
mean something for inference, the quarter of all heads with the least utility can go, and the quarter with the highest
retrieval indicator cannot. A head that is taken out gives zero. Where all heads of a group go, their keys and values
leave the cache as well, and attention is not computed. Setting q to zero is another thing: such a head still averages
its prefix. Beside the verdict stand how far the two differ, what as many random heads of the same layers cost, and what
the quarter of most utility costs. That quarter is no control: a ranking that means nothing would fail it, and whether
the ranking means something is what the claim asks. The control is to take out every head. Then no token sees another,
and every model must lose.
"""

import numpy as np
import pytest

from fixtures.figures import prune_figures as figures
from fixtures.instruments import prune_conditions as conditions
from fixtures.measurements import language
from fixtures.measurements.removed_heads import FEWEST_HEADS
from fixtures.run.census import marked, measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.verdict.subject import RunsElsewhere
from fixtures.verdict.usual_rules import bytes_as_predicted, lead_lost

A_SMALL_LOSS = "the smaller of a tenth of what removing every head costs in that context and log 2 (odds halved)"
HALF_A_SMALL_LOSS = 0.35


def _rule(name: str, quantity: str, side: str, decisive: bool = True) -> Rule:
    return lead_lost(name, quantity, A_SMALL_LOSS, HALF_A_SMALL_LOSS, side=side, decisive=decisive)


LEAST = _rule(
    "heads of least utility can go",
    "without the quarter of all heads with the least mean utility, minus a small loss",
    "below",
)
RETRIEVAL = _rule(
    "retrieval heads cannot go",
    "without the quarter of all heads with the highest retrieval indicator, minus a small loss",
    "above",
)
BYTES = bytes_as_predicted("the cache shrinks", "a K and V cache without some heads", per="cache")
SAME = Rule(
    name="removed says what zeroed says",
    quantity="largest difference of a logit from the model with zeros at the input of its output projections",
    side="below",
    margin=1e-4,
    unit="of the largest logit",
    why="float32 sums in another order differ by some 1e-5, a head by more than 1e-2 (X02)",
    decisive=False,
    per="prompt and set of heads",
)
MOST = _rule(
    "heads of most utility cannot go",
    "without the quarter of all heads with the most mean utility, minus a small loss",
    "above",
    False,
)
RANDOM = _rule(
    "random heads cost more",
    "without as many random other heads of the same layers, minus a small loss and what those of least utility cost",
    "above",
    False,
)
OTHERS = _rule(
    "other heads cost less",
    "without the heads of highest indicator, "
    "minus a small loss and what as many random other heads of the same layers cost",
    "above",
    False,
)
BLIND = Rule(
    name="blind is not removed",
    quantity="how much more lead is lost by leaving the heads of least utility the average of their prefix than by setting "
    "their output to zero",
    side="within",
    margin=HALF_A_SMALL_LOSS,
    unit="nats",
    why="half of log 2: if they differ by more, results on blind heads say nothing of removed ones",
    decisive=False,
)

CLAIM = Claim(
    id="X08",
    title="Heads of little utility can be removed, retrieval heads cannot",
    source="beyond the paper; §5.2, §5.3",
    scope=(PRETRAINED,),
    statement="Without the quarter of all heads whose dimensions have the least utility a model loses little; "
    "without the quarter of highest retrieval indicator it loses more; "
    "and the cache shrinks by exactly what the groups that went entirely took.",
    contradicted_if="the heads of least utility cost more than a small loss, those of highest indicator less, "
    "or the cache holds another number of bytes than predicted",
    unit_of_analysis="context",
    rules=(LEAST, RETRIEVAL, BYTES, SAME, MOST, RANDOM, OTHERS, BLIND),
    notes=f"Models of fewer than {FEWEST_HEADS} heads are not-run: a quarter of two heads is no choice. A context is "
    "read by the whole model, and its questions by what is left. Power: twelve contexts decide a loss of nothing "
    "against one of log 2 in over 99% of runs where a cost moves by half a nat. Heads that share keys free no "
    "memory until the whole group is gone. Controls, whatever the ranking: removing every head of every layer must "
    "cost much, removing nothing must cost nothing.",
)

asks = measures(language.sizes, language.removed)
needs = marked(asks, pytest.mark.beyond)  # of a default run real models alone


def without_heads(lm):
    """The questions without some heads; not-run where a quarter of the heads is no choice."""
    enough_heads(lm)
    return lm.pruned.without_heads


def caches_without_heads(lm):
    enough_heads(lm)
    return lm.pruned.kept_without_heads


def enough_heads(lm) -> None:
    if lm.heads_in_all < FEWEST_HEADS:
        raise RunsElsewhere(
            f"it has {lm.heads_in_all} heads: a quarter is no choice",
            command="pytest claims/ --claim X08 --model embedded/llama-12-heads-s0",
        )


def beyond(asked, cost: np.ndarray) -> np.ndarray:
    """(n,) nats beyond a small loss."""
    return cost - asked.small(conditions.EVERY)


def too_few(pruned, name: str) -> str:
    """Why as many other heads could not be drawn."""
    return pruned.removals.notes.get(name, "")


def what_it_costs(lm, name: str) -> str:
    kept, asked = lm.pruned.removals.of(name), lm.pruned.without_heads
    return (
        f"{int((~kept).sum())} of {kept.size} heads removed; {asked.cost(name).mean():.2f} nats lost; right "
        f"by place {asked.accuracy(name).round(0).tolist()}%"
    )


@needs
@pytest.mark.parametrize(
    ("rule", "name"),
    [(LEAST, conditions.LEAST), (RETRIEVAL, conditions.RETRIEVAL), (MOST, conditions.MOST)],
    ids=["least-utility", "retrieval", "most-utility"],
)
def test_taking_out_a_quarter_of_the_heads(lm, judge, rule, name):
    judge.units(
        rule,
        lambda: beyond(without_heads(lm), lm.pruned.without_heads.cost(name)),
        of=lm.answering,
        note=lambda: what_it_costs(lm, name),
        series=lambda: {f"heads taken out, {lm.key}": figures.heads_table(lm.key, lm.pruned)} if rule is LEAST else {},
    )


@needs
def test_the_cache_really_shrinks(lm, judge):
    judge.exact(
        BYTES,
        lambda: caches_without_heads(lm).off,
        of=lm,
        n=lambda: len(caches_without_heads(lm).of_name),
        test="bytes of every tensor's memory against the arithmetic",
        note=lambda: caches_without_heads(lm).sizes,
    )


@needs
def test_beside_it_removed_is_zeroed(lm, judge):
    judge.exact(
        SAME,
        lambda: caches_without_heads(lm).difference,
        of=lm,
        n=lambda: len(caches_without_heads(lm).of_name),
        test="worst of every set of heads and prompt",
        worst=True,
        unable=lambda: caches_without_heads(lm).too_coarse,
    )


@needs
@pytest.mark.parametrize(
    ("rule", "costly", "cheap"),
    [
        (RANDOM, conditions.RANDOM_LEAST, conditions.LEAST),
        (OTHERS, conditions.RETRIEVAL, conditions.RANDOM_RETRIEVAL),
        (BLIND, conditions.BLIND, conditions.LEAST),
    ],
    ids=["random", "others", "blind"],
)
def test_beside_it_other_heads_and_blind_ones(lm, judge, rule, costly, cheap):
    def more_lost() -> np.ndarray:
        asked = without_heads(lm)
        more = asked.cost(costly, against=cheap)
        return more if rule is BLIND else beyond(asked, more)

    judge.units(
        rule,
        more_lost,
        of=lm.answering,
        unable=lambda: too_few(lm.pruned, costly) or too_few(lm.pruned, cheap),
    )


both_ways = pytest.mark.parametrize("rule", [LEAST, RETRIEVAL], ids=["least", "retrieval"])


@needs
@both_ways
def test_control_without_any_head_the_task_is_lost(lm, judge, rule):
    role = NEGATIVE_CONTROL if rule is LEAST else POSITIVE_CONTROL
    judge.units(
        rule,
        lambda: beyond(without_heads(lm), lm.pruned.without_heads.cost(conditions.EVERY)),
        of=lm.control(role, f"{conditions.EVERY.replace(' ', '-')}-removed"),
    )


@needs
@both_ways
def test_control_nothing_removed_costs_nothing(lm, judge, rule):
    """What nothing removed says is the plain model's own lead (C09)."""

    def off() -> np.ndarray:
        enough_heads(lm)
        return np.abs(lm.judged.rows.off)

    role = POSITIVE_CONTROL if rule is LEAST else NEGATIVE_CONTROL
    judge.exact(
        rule,
        lambda: off().max() - HALF_A_SMALL_LOSS,
        of=lm.control(role, f"{conditions.NONE.replace(' ', '-')}-removed"),
        n=lambda: len(off()),
        test="the plain model's own lead, question by question, against half of log 2",
    )


@needs
def test_control_a_whole_cache_fails_the_bytes(lm, judge):
    def off() -> int:
        kept = caches_without_heads(lm)[conditions.LAYER]
        return kept.plain - kept.predicted

    judge.exact(
        BYTES,
        off,
        of=lm.control(NEGATIVE_CONTROL, "plain-cache"),
        n=1,
        test="a whole cache against the arithmetic of one without a layer's heads",
    )
