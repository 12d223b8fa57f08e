"""X08 · beyond the paper · Heads whose dimensions are of little use can be taken out whole; retrieval heads cannot.

The paper sorts heads by how much attention flows to the context (§5.3) and dimensions by their utility (§5.2). If
both mean something for inference, the quarter of all heads with the least utility can go, and the quarter with the
highest retrieval indicator cannot. A head that is taken out gives zero; where all heads of a group go, their keys and
values leave the cache as well, and attention is not computed. Setting q to zero is another thing: such a head still
averages its prefix. How far the two differ is shown beside the verdict, and so is what as many random heads of the
same layers cost, and the quarter of most utility. That one is no control: a ranking that means nothing would fail it,
which is what the claim asks. Without any head no token sees another, and every model must lose.
"""

import numpy as np
import pytest

from fixtures import prune_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.instruments import prune_conditions as conditions
from fixtures.language_models import FEWEST_HEADS

A_SMALL_LOSS = "the smaller of a tenth of what removing every head costs in that context and log 2 (odds halved)"
SHIFT = 0.35


def _rule(name: str, quantity: str, side: str, decisive: bool = True) -> Rule:
    return Rule(
        name=name,
        quantity=f"nats of the right word's lead lost {quantity}",
        side=side,
        margin=0.0,
        unit="nats",
        shift=SHIFT,
        why=A_SMALL_LOSS,
        decisive=decisive,
    )


LEAST = _rule(
    "heads of least utility can go",
    "beyond a small loss without the quarter of all heads with the least mean utility",
    "below",
)
RETRIEVAL = _rule(
    "retrieval heads cannot go",
    "beyond a small loss without the quarter of all heads with the highest retrieval indicator",
    "above",
)
BYTES = Rule(
    "the cache shrinks by the bytes predicted",
    "bytes by which the memory of a K and V cache without some heads differs from the arithmetic, at worst",
    "below",
    0.5,
    "bytes",
    "arithmetic: a byte is a mistake",
    per="cache",
)
SAME = Rule(
    "removed says what zeroed says",
    "largest difference of a logit from the model with zeros at the input of its output projections",
    "below",
    1e-4,
    "of the largest logit",
    "float32 sums in another order differ by some 1e-5, a head by more than 1e-2 (X02)",
    decisive=False,
    per="prompt and set of heads",
)
MOST = _rule(
    "heads of most utility cannot go",
    "beyond a small loss without the quarter of all heads with the most mean utility",
    "above",
    False,
)
RANDOM = _rule(
    "random heads cost more",
    "without as many random other heads of the same layers, beyond what those of least utility and a small loss cost",
    "above",
    False,
)
OTHERS = _rule(
    "other heads cost less",
    "without the heads of highest indicator, beyond what as many random other heads of the "
    "same layers and a small loss cost",
    "above",
    False,
)
BLIND = Rule(
    name="blind is not removed",
    quantity="nats of lead by which leaving the heads of least utility the average of their prefix costs more than "
    "setting their output to zero",
    side="within",
    margin=SHIFT,
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
    "without the quarter of highest retrieval indicator it loses more; and the cache shrinks by exactly what the "
    "groups that went entirely took.",
    contradicted_if="the heads of least utility cost more than a small loss, those of highest indicator less, or the "
    "cache holds another number of bytes than predicted",
    unit_of_analysis="context",
    rules=(LEAST, RETRIEVAL, BYTES, SAME, MOST, RANDOM, OTHERS, BLIND),
    notes=f"Models of fewer than {FEWEST_HEADS} heads are not-run: a quarter of two heads is no choice. A context is "
    "read by the whole model, and its questions by what is left. Power: twelve contexts decide a loss of nothing "
    "against one of log 2 in over 99% of runs where a cost moves by half a nat. Heads that share keys free no "
    "memory until the whole group is gone. Controls, whatever the ranking: removing every head of every layer must "
    "cost much, removing nothing must cost nothing.",
)

measures = pytest.mark.measures("sizes", "removed")


def needs(test):
    """Of a default run real models alone."""
    return pytest.mark.beyond(measures(test))


def needs_heads(lm, judge, rule: Rule, **context) -> None:
    """Not-run where a quarter of the heads is no choice."""
    heads = lm.heads_in_all
    if heads < FEWEST_HEADS:
        judge.not_run(
            rule.name,
            **({"model": lm.key} | context),
            reason=f"it has {heads} heads: a quarter is no choice",
            command="pytest claims/ --claim X08 --model embedded/llama-12-heads-s0",
        )


def beyond(asked, cost) -> list[float]:
    """(n,) nats beyond a small loss."""
    return (cost - asked.small(conditions.EVERY)).tolist()


def too_few(pruned, name: str) -> str:
    """Why as many other heads could not be drawn."""
    return pruned.removals.short.get(name, "")


@needs
@pytest.mark.parametrize(
    ("rule", "name"),
    [(LEAST, conditions.LEAST), (RETRIEVAL, conditions.RETRIEVAL), (MOST, conditions.MOST)],
    ids=["least-utility", "retrieval", "most-utility"],
)
def test_taking_out_a_quarter_of_the_heads(lm, pruned, judge, rule, name):
    with lm.or_not_run(judge, rule):
        needs_heads(lm, judge, rule)
        gone = int((~pruned.removals.of(name)).sum())
        series = {f"heads taken out, {lm.key}": figures.heads_table(lm.key, pruned)} if rule is LEAST else {}
        asked = pruned.without_heads
        judge.units(
            rule.name,
            beyond(asked, asked.cost(name)),
            series=series,
            note=f"{gone} of {pruned.removals.mass.size} heads removed; {asked.cost(name).mean():.2f} nats lost; right "
            f"by place {asked.accuracy(name).round(0).tolist()}%",
            **lm.answering(),
        )


@needs
def test_the_cache_really_shrinks(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES):
        needs_heads(lm, judge, BYTES)
        caches = pruned.kept_without_heads.of_name
        judge.exact(
            BYTES.name,
            pruned.kept_without_heads.off,
            n=len(caches),
            test="bytes of every tensor's memory against the arithmetic",
            note="; ".join(f"{name}: {kept.plain} to {kept.stored}" for name, kept in caches.items()),
            **lm.context(),
        )


@needs
def test_beside_it_removed_is_zeroed(lm, pruned, judge):
    with lm.or_not_run(judge, SAME):
        needs_heads(lm, judge, SAME)
        caches = pruned.kept_without_heads
        judge.exact(
            SAME.name,
            caches.difference,
            n=len(caches.of_name),
            test="worst of every set of heads and prompt",
            **lm.context(unable=caches.too_coarse),
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
def test_beside_it_other_heads_and_blind_ones(lm, pruned, judge, rule, costly, cheap):
    with lm.or_not_run(judge, rule):
        needs_heads(lm, judge, rule)
        asked = pruned.without_heads
        more = asked.cost(costly, against=cheap)
        unable = too_few(pruned, costly) or too_few(pruned, cheap)
        judge.units(rule.name, more.tolist() if rule is BLIND else beyond(asked, more), **lm.answering(unable=unable))


@needs
@pytest.mark.parametrize(
    ("rule", "name", "role"),
    [
        (LEAST, conditions.EVERY, NEGATIVE_CONTROL),
        (LEAST, conditions.NONE, POSITIVE_CONTROL),
        (RETRIEVAL, conditions.EVERY, POSITIVE_CONTROL),
        (RETRIEVAL, conditions.NONE, NEGATIVE_CONTROL),
    ],
    ids=["least-every", "least-nothing", "retrieval-every", "retrieval-nothing"],
)
def test_control_every_head_and_none_at_all(lm, pruned, judge, rule, name, role):
    """Without any head the task must be lost; what nothing removed says is the plain model's own (C09), and costs
    nothing."""
    what = name.replace(" ", "-") + "-removed"
    with lm.or_not_run(judge, rule, what, role):
        needs_heads(lm, judge, rule, model=f"{lm.key}:{what}", role=role, guards=[lm.key])
        asked = pruned.without_heads
        if name == conditions.NONE:
            worst = float(np.abs(lm.judged.rows.off).max())
            judge.exact(
                rule.name,
                worst - SHIFT,
                n=len(lm.judged.rows.off),
                test="the plain model's own lead, question by question, against half of log 2",
                role=role,
                **lm.control(what),
            )
        else:
            judge.units(rule.name, beyond(asked, asked.cost(name)), role=role, **lm.control(what))


@needs
def test_control_a_whole_cache_fails_the_bytes(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES, "plain-cache", NEGATIVE_CONTROL):
        needs_heads(lm, judge, BYTES, model=f"{lm.key}:plain-cache", role=NEGATIVE_CONTROL, guards=[lm.key])
        kept = pruned.kept_without_heads[conditions.LAYER]
        judge.exact(
            BYTES.name,
            kept.plain - kept.predicted,
            n=1,
            test="a whole cache against the arithmetic of one without a layer's heads",
            role=NEGATIVE_CONTROL,
            **lm.control("plain-cache"),
        )
