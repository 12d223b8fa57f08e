"""X08 · beyond the paper · Heads whose dimensions are of little use can be taken out whole; retrieval heads cannot.

The paper sorts heads by how much attention flows to the context (§5.3) and dimensions by their utility (§5.2). If both
mean something for inference, the quarter of all heads with the least utility can go, and the quarter with the highest
retrieval indicator cannot. A head that is taken out gives zero; where all heads of a group go, their keys and values leave
the cache as well, and attention is not computed. Setting q to zero is another thing: such a head still averages its
prefix. How far the two differ is shown beside the verdict, and so is what as many random heads of the same layers cost,
and the quarter of most utility. That one is no control: a ranking that means nothing would fail it, which is what the
claim asks. Without any head no token sees another, and every model must lose.
"""

import pytest

from fixtures import prune_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.instruments import prune_conditions as conditions
from fixtures.language_models import ASKED_PLAINLY, FEWEST_HEADS
from fixtures.pruned_models import ability_aside

SMALL = 2.2
PAPERS_OWN = "2.2 points is the one loss that the paper puts a figure to and calls small (§5.4), as in C07"
LEAST = Rule("heads of least utility can go", "loss of mean accuracy without the quarter of all heads with the least mean "
             "utility", "below", SMALL, "points", PAPERS_OWN)  # fmt: skip
RETRIEVAL = Rule("retrieval heads cannot go", "loss of mean accuracy without the quarter of all heads with the highest "
                 "retrieval indicator", "above", SMALL, "points", "more than the loss the paper calls small")  # fmt: skip
BYTES = Rule("the cache shrinks by the bytes predicted", "bytes by which the memory of a K and V cache without some heads "
             "differs from the arithmetic, at worst", "below", 0.5, "bytes", "arithmetic: a byte is a mistake",
             per="cache")  # fmt: skip
SAME = Rule("removed says what zeroed says", "largest difference of a logit from the model with zeros at the input of its "
            "output projections", "below", 1e-4, "of the largest logit", "float32 sums in another order differ by some "
            "1e-5, a head by more than 1e-2 (X02)", decisive=False, per="prompt and set of heads")  # fmt: skip
MOST = Rule("heads of most utility cannot go", "loss of mean accuracy without the quarter of all heads with the most mean "
            "utility", "above", SMALL, "points", "more than the loss the paper calls small, or utility does not tell heads "
            "apart", decisive=False)  # fmt: skip
RANDOM = Rule("random heads cost more", "how much more as many random other heads of the same layers cost than those of "
              "least utility", "above", SMALL, "points", "more than a small loss, or utility does not tell heads apart",
              decisive=False)  # fmt: skip
OTHERS = Rule("other heads cost less", "how much less as many random other heads of the same layers cost than those of "
              "highest indicator", "above", SMALL, "points", "more than a small loss, or the indicator does not tell heads "
              "apart", decisive=False)  # fmt: skip
BLIND = Rule("blind is not removed", "how much more it costs to leave the heads of least utility the average of their "
             "prefix than to set their output to zero", "within", SMALL, "points", "if they differ by more than a small "
             "loss, results on blind heads say nothing of removed ones", decisive=False)  # fmt: skip

CLAIM = Claim(
    id="X08",
    title="Heads of little utility can be removed, retrieval heads cannot",
    source="beyond the paper; §5.2, §5.3",
    scope=(PRETRAINED,),
    statement="Without the quarter of all heads whose dimensions have the least utility a model loses less than 2.2 "
              "points; without the quarter of highest retrieval indicator it loses more; and the cache shrinks by exactly "
              "what the groups that went entirely took.",
    contradicted_if="the heads of least utility cost more than 2.2 points, those of highest indicator cost less, or the "
                    "cache holds another number of bytes than predicted",
    unit_of_analysis="question",
    rules=(LEAST, RETRIEVAL, BYTES, SAME, MOST, RANDOM, OTHERS, BLIND),
    notes=f"Models of fewer than {FEWEST_HEADS} heads are not-run: a quarter of two heads is no choice. Power: bounds are "
          "exact for right and wrong; 160 questions decide a loss of 0 where no more than one changes at one position. Heads "
          "that share keys free no memory until the whole group is gone. Controls, whatever the ranking: removing every "
          "head of every layer must cost much, removing nothing must cost nothing.",
)  # fmt: skip

needs = pytest.mark.measures("heads", "removed")


def needs_heads(lm, judge, rule: Rule, **context) -> None:
    """Not-run where a quarter of the heads is no choice."""
    heads = lm.heads.indicator.size
    if heads < FEWEST_HEADS:
        judge.not_run(rule.name, **({"model": lm.key} | context), reason=f"it has {heads} heads: a quarter is no choice",
                      command="pytest claims/ --claim X08 --model embedded/llama-12-heads-s0")  # fmt: skip


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
        judge.units(rule.name, pruned.without_heads.cost(name).tolist(), series=series,
                    note=f"{gone} of {pruned.removals.mass.size} heads removed; accuracy by position "
                    f"{pruned.without_heads.accuracy(name).round(1).tolist()}%", **lm.context())  # fmt: skip


@needs
def test_the_cache_really_shrinks(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES):
        needs_heads(lm, judge, BYTES)
        caches = pruned.kept_without_heads.of_name
        judge.exact(BYTES.name, pruned.kept_without_heads.off, n=len(caches),
                    test="bytes of every tensor's memory against the arithmetic",
                    note="; ".join(f"{name}: {kept.plain} to {kept.stored}" for name, kept in caches.items()),
                    **ability_aside(lm.context()))  # fmt: skip


@needs
def test_beside_it_removed_is_zeroed(lm, pruned, judge):
    with lm.or_not_run(judge, SAME):
        needs_heads(lm, judge, SAME)
        caches = pruned.kept_without_heads
        judge.exact(SAME.name, caches.difference, n=len(caches.of_name), test="worst of every set of heads and prompt",
                    **ability_aside(lm.context(), unable=caches.too_coarse))  # fmt: skip


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
        more = pruned.without_heads.cost(costly, against=cheap)
        unable = too_few(pruned, costly) or too_few(pruned, cheap)
        judge.units(rule.name, more.tolist(), **lm.context(unable=unable))


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
    """Nothing removed is compared with the plain model's own answers; without any head the task must be lost."""
    what = name.replace(" ", "-") + "-removed"
    with lm.or_not_run(judge, rule, what, role):
        needs_heads(lm, judge, rule, model=f"{lm.key}:{what}", role=role, guards=[lm.key])
        if name == conditions.NONE:
            cost = lm.cost_against_plain(pruned.without_heads.of(name))
            judge.exact(rule.name, float(cost.mean()), n=len(cost), test=ASKED_PLAINLY, role=role, **lm.control(what))
        else:
            judge.units(rule.name, pruned.without_heads.cost(name).tolist(), role=role, **lm.control(what))


@needs
def test_control_a_whole_cache_fails_the_bytes(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES, "plain-cache", NEGATIVE_CONTROL):
        needs_heads(lm, judge, BYTES, model=f"{lm.key}:plain-cache", role=NEGATIVE_CONTROL, guards=[lm.key])
        kept = pruned.kept_without_heads[conditions.LAYER]
        judge.exact(BYTES.name, kept.plain - kept.predicted, n=1, test="a whole cache against the arithmetic of one "
                    "without a layer's heads", role=NEGATIVE_CONTROL, **ability_aside(lm.control("plain-cache")))  # fmt: skip
