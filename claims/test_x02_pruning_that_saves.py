"""X02 · beyond the paper · Under-used pairs can be pruned from the K cache: little is lost, and the memory is really gone.

The paper masks dimensions and concludes that inference could be cheaper (§6); a mask saves nothing. Here pairs of
dimensions leave the cache. Several query heads share a key, so a pair goes only if all of them can spare it. Two choices are
judged: pairs whose utility is below 0.5 in every head of the group, and the paper's fixed rule (§5.4), the fastest quarter
where all heads of the group are retrieval heads. Little is C07's 2.2 points; the bytes are exact or wrong.

Beside them: how much can go at all, lowest utility first, chosen on some questions and judged on others; as many random
pairs; and needles in haystacks of chosen lengths. Latency is measured in `fixtures/benchmarks`, and promised nowhere.
"""

import numpy as np
import pytest

from fixtures import prune_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.instruments import prune_conditions as conditions
from fixtures.pruned_models import ability_aside

SMALL = conditions.SMALL
PAPERS_OWN = "2.2 points is the one loss that the paper puts a figure to and calls small (§5.4), as in C07"
LOW = Rule("pruning u < 0.5 costs little", "loss of mean accuracy without the pairs whose utility is below 0.5 in every head "
           "of their group", "below", SMALL, "points", PAPERS_OWN)  # fmt: skip
FIXED = Rule("pruning the fastest quarter costs little", "loss of mean accuracy without the fastest quarter of the pairs "
             "where all heads of the group are retrieval heads", "below", SMALL, "points", PAPERS_OWN)  # fmt: skip
BYTES = Rule("the cache shrinks by the bytes predicted", "bytes by which the memory of a pruned K and V cache differs from "
             "the arithmetic, at worst", "below", 0.5, "bytes", "arithmetic: a byte is a mistake", per="cache")  # fmt: skip
SAME = Rule(
    "pruned says what masked says", "largest difference of a logit between the pruned and the masked model", "below", 1e-4,
    "of the largest logit", "float32 sums in another order differ by some 1e-5; other dimensions or another scale by "
    "more than 1e-2 (self-tests)", decisive=False, per="prompt and pruning",
)  # fmt: skip
WEIGHTS = Rule("the weights shrink by the bytes predicted", "bytes by which the memory of the parameters with the rows of "
               "pruned pairs cut differs from the arithmetic, at worst", "below", 0.5, "bytes",
               "arithmetic: a byte is a mistake", decisive=False, per="pruning")  # fmt: skip
CUT = Rule("cut weights say what masked says", "largest difference of a logit between cut weights and the masked model",
           "below", 1e-4, "of the largest logit", "as for the pruned cache", decisive=False,
           per="prompt and pruning")  # fmt: skip
CHOSEN = Rule("what some questions allow costs little on others", "loss of mean accuracy at the largest dose, lowest utility "
              "first, that costs at most 1.1 points on a third of the questions, on the others", "below", SMALL, "points",
              PAPERS_OWN, decisive=False)  # fmt: skip
SHARE = Rule("a share worth pruning", "share of the K cache that goes at that dose", "above", 0.05, "of the K cache",
             "C07's share worth masking: under a twentieth there is no inefficiency to speak of", decisive=False,
             per="key head and pair")  # fmt: skip
RANDOM = {
    conditions.LOW: Rule(
        "as many random pairs cost more than u < 0.5", "how much more pruning as many random pairs of each key head costs",
        "above", SMALL, "points", "more than a small loss, or the choice buys nothing", decisive=False,
    ),
    conditions.FASTEST: Rule(
        "as many random pairs cost more than the fastest", "how much more a random quarter of the same key heads costs",
        "above", SMALL, "points", "more than a small loss, or the choice buys nothing", decisive=False,
    ),
}  # fmt: skip
TASKS = ("single", "multi-key", "multi-value", "multi-query")
NEEDLES = {
    (task, name): Rule(
        f"needles, {task}, {name}", f"share of the needles lost in the task {task} without the {name}", "below", SMALL,
        "points", PAPERS_OWN, decisive=False, per="context",
    )
    for task in TASKS
    for name in (conditions.LOW, conditions.FASTEST)
}  # fmt: skip

CLAIM = Claim(
    id="X02",
    title="Pruning under-used pairs really saves K cache",
    source="beyond the paper; §5.4, §6",
    statement="Pairs of utility below 0.5 in every head that shares the key, and the fastest quarter of the pairs where all "
              "of them are retrieval heads, can leave the K cache: less than 2.2 points are lost, and the memory shrinks "
              "by exactly the bytes predicted.",
    contradicted_if="either choice costs more than 2.2 points, or the cache holds another number of bytes than predicted",
    unit_of_analysis="question",
    rules=(LOW, FIXED, BYTES, SAME, WEIGHTS, CUT, CHOSEN, SHARE, *RANDOM.values(), *NEEDLES.values()),
    notes="Keys are cut after RoPE and queries alike, at the model's own softmax scale: what is left is what masking the "
          "same dimensions of the queries leaves. V is unchanged, so the whole cache shrinks by half of the K share. Power: "
          "one changed answer among 48 questions at 3 positions still leaves the upper bound of the cost at 1.9 points, two "
          "do not. A model with no pair below 0.5, or no key head of retrieval heads alone, has nothing to prune by that "
          "rule and is inconclusive. Controls: pruning every pair must cost more than 2.2 points by every rule on a cost, an "
          "unpruned cache must fail the bytes, an unpruned model the logits. Weights are cut where that is exact: a norm on "
          "q and k takes its RMS over rows that would be gone, and such a model is inconclusive.",
)  # fmt: skip

needs = pytest.mark.measures("heads", "pruned", "kept")
COSTS = {LOW.name: conditions.LOW, FIXED.name: conditions.FASTEST}


def nothing_goes(pruned, name: str) -> str:
    """Why there is nothing to prune by that rule, '' if there is."""
    if pruned.prunings.share(name):
        return ""
    return {
        conditions.LOW: "no pair has a utility below 0.5 in every head of its group: there is nothing to prune",
        conditions.FASTEST: "no key head has retrieval heads alone: there is nothing to prune",
    }[name]


def chosen(pruned) -> str:
    return conditions.chosen(pruned.loss.names, pruned.loss.scores)


def judged(pruned, name: str) -> np.ndarray:
    """(n,) cost on the questions that chose nothing."""
    return pruned.loss.cost(name)[conditions.choosing(pruned.loss.scores.shape[2]) :]


def shown(lm, pruned) -> dict:
    names = list(pruned.prunings.names)
    return {
        f"pruning curve, {lm.key}": figures.curve(lm.key, pruned),
        f"pruning table, {lm.key}": figures.table(lm.key, pruned, names),
    }


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED], ids=["u-below-half", "fastest-quarter"])
def test_pruning_what_is_under_used_costs_little(lm, pruned, judge, rule):
    with lm.or_not_run(judge, rule):
        name = COSTS[rule.name]
        cost, share = pruned.loss.cost(name), pruned.prunings.share(name)
        judge.units(rule.name, cost.tolist(), note=f"{share:.1%} of the K cache pruned",
                    series=shown(lm, pruned) if rule is LOW else {},
                    **lm.context(unable=nothing_goes(pruned, name)))  # fmt: skip


@needs
def test_the_cache_really_shrinks(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES):
        caches = pruned.kept.of_name
        judge.exact(BYTES.name, pruned.kept.off, n=len(caches), test="bytes of every tensor's memory against the arithmetic",
                    note="; ".join(f"{name}: {kept.plain} to {kept.stored}" for name, kept in caches.items()),
                    **ability_aside(lm.context()))  # fmt: skip


@needs
def test_beside_it_the_pruned_model_says_what_the_masked_one_says(lm, pruned, judge):
    with lm.or_not_run(judge, SAME):
        judge.exact(SAME.name, pruned.kept.difference, n=len(pruned.kept.of_name), test="worst of every pruning and prompt",
                    **ability_aside(lm.context(), unable=pruned.kept.too_coarse))  # fmt: skip


@needs
def test_beside_it_the_weights_really_shrink(lm, cut_model, judge):
    with lm.or_not_run(judge, WEIGHTS):
        found = cut_model.of_name
        off = max((abs(one.stored - one.predicted) for one in found.values()), default=0)
        judge.exact(WEIGHTS.name, off, n=max(1, len(found)), test="bytes of every parameter's memory against the arithmetic",
                    note="; ".join(f"{name}: {one.plain} to {one.stored}" for name, one in found.items()),
                    **ability_aside(lm.context(), unable=cut_model.refused))  # fmt: skip


@needs
def test_beside_it_cut_weights_say_what_the_masked_model_says(lm, cut_model, pruned, judge):
    with lm.or_not_run(judge, CUT):
        found = cut_model.of_name
        worst = max((one.difference for one in found.values()), default=0.0)
        judge.exact(CUT.name, worst, n=max(1, len(found)), test="worst of every pruning and prompt",
                    **ability_aside(lm.context(), unable=cut_model.refused or pruned.kept.too_coarse))  # fmt: skip


@needs
@pytest.mark.parametrize("rule", [WEIGHTS, CUT], ids=["bytes", "logits"])
def test_control_weights_that_were_not_cut_fail(lm, cut_model, judge, rule):
    with lm.or_not_run(judge, rule, "whole-weights", NEGATIVE_CONTROL):
        if cut_model.refused:
            context = {name: value for name, value in lm.control("whole-weights").items() if name != "unable"}
            judge.not_run(rule.name, reason=cut_model.refused, command="pytest claims/ --claim X02 --model embedded/llama-s0",
                          role=NEGATIVE_CONTROL, **context)  # fmt: skip
        kept = cut_model.of_name.get(conditions.HIGHEST)
        found = 0.0 if kept is None else kept.plain - kept.predicted if rule is WEIGHTS else kept.changed
        judge.exact(rule.name, found, n=1, test="the unpruned model", role=NEGATIVE_CONTROL,
                    **ability_aside(lm.control("whole-weights"), unable=cut_model.refused))  # fmt: skip


@needs
def test_beside_it_how_much_can_go(lm, pruned, judge):
    with lm.or_not_run(judge, CHOSEN):
        name = chosen(pruned)
        none = "" if name != conditions.NONE else "no dose costs at most 1.1 points on the questions that choose"
        judge.units(CHOSEN.name, judged(pruned, name).tolist(),
                    note=f"{name}: {pruned.prunings.share(name):.1%} of the K cache", **lm.context(unable=none))  # fmt: skip


@needs
def test_beside_it_what_share_that_is(lm, pruned, judge):
    with lm.or_not_run(judge, SHARE):
        judge.exact(SHARE.name, pruned.prunings.share(chosen(pruned)), n=pruned.prunings.utility.size,
                    test="count over every key head and pair", **lm.context())  # fmt: skip


@needs
@pytest.mark.parametrize(
    ("name", "other"),
    [(conditions.LOW, conditions.LOW_RANDOM), (conditions.FASTEST, conditions.FASTEST_RANDOM)],
    ids=["u-below-half", "fastest-quarter"],
)
def test_beside_it_random_pairs_cost_more(lm, pruned, judge, name, other):
    with lm.or_not_run(judge, RANDOM[name]):
        more = pruned.loss.cost(other, against=name)
        judge.units(RANDOM[name].name, more.tolist(), **lm.context(unable=nothing_goes(pruned, name)))


@needs
@pytest.mark.parametrize(("task", "name"), NEEDLES, ids=[f"{task}-{name.replace(' ', '-')}" for task, name in NEEDLES])
def test_beside_it_needles_are_found(lm, pruned, judge, task, name):
    rule = NEEDLES[task, name]
    if not lm.name.embedded:
        judge.not_run(rule.name, model=lm.key, reason="needles are made in the words of the embedded models",
                      command="pytest claims/ --claim X02 --model embedded")  # fmt: skip
    with lm.or_not_run(judge, rule):
        found = pruned.needles[task]
        lost = (
            100 * (found.of(conditions.NONE) - found.of(name)).ravel()
        )  # lengths are strata of one sample of contexts
        able = float(found.accuracy().mean())
        unable = "" if able >= 100 * lm.questions.able_at else f"it finds {able:.0f}% of these needles unpruned"
        judge.units(rule.name, lost.tolist(), note=f"found {found.accuracy().round(1).tolist()}% unpruned, "
                    f"{found.accuracy(name).round(1).tolist()}% pruned, at {list(found.positions)} tokens",
                    **lm.context(unable=unable or nothing_goes(pruned, name)))  # fmt: skip


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED, CHOSEN], ids=["u-below-half", "fastest-quarter", "chosen"])
def test_control_a_model_without_any_pair_loses_much(lm, pruned, judge, rule):
    """Whatever the ranking: the quarter of the highest utility would presuppose that utility tells pairs apart."""
    with lm.or_not_run(judge, rule, "every-pair-pruned", NEGATIVE_CONTROL):
        cost = judged(pruned, conditions.EVERY_PAIR) if rule is CHOSEN else pruned.loss.cost(conditions.EVERY_PAIR)
        judge.units(rule.name, cost.tolist(), role=NEGATIVE_CONTROL, **lm.control("every-pair-pruned"))


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED], ids=["u-below-half", "fastest-quarter"])
def test_control_nothing_pruned_loses_nothing(lm, pruned, judge, rule):
    """Against the plain model's own answers to the first questions, nothing registered."""
    with lm.or_not_run(judge, rule, "nothing-pruned", POSITIVE_CONTROL):
        lost = lm.cost_against_plain(pruned.loss.of(conditions.NONE))
        judge.units(rule.name, lost.tolist(), role=POSITIVE_CONTROL, **lm.control("nothing-pruned"))


@needs
def test_control_a_cache_that_was_not_pruned_fails_the_bytes(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES, "plain-cache", NEGATIVE_CONTROL):
        kept = pruned.kept[conditions.HIGHEST]
        judge.exact(BYTES.name, kept.plain - kept.predicted, n=1, test="the unpruned cache against the arithmetic",
                    role=NEGATIVE_CONTROL, **ability_aside(lm.control("plain-cache")))  # fmt: skip


@needs
def test_control_a_model_that_was_not_pruned_says_something_else(lm, pruned, judge):
    with lm.or_not_run(judge, SAME, "unpruned-model", NEGATIVE_CONTROL):
        judge.exact(SAME.name, pruned.kept[conditions.HIGHEST].changed, n=1, test="largest from the unpruned model",
                    role=NEGATIVE_CONTROL, **ability_aside(lm.control("unpruned-model")))  # fmt: skip
