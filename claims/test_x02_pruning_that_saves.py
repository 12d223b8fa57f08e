"""X02 · beyond the paper · Under-used pairs can be pruned from the K cache: little is lost, and the memory is really gone.

The paper masks dimensions and concludes that inference could be cheaper (§6); a mask saves nothing. Here pairs of
dimensions leave the cache. Several query heads share a key, so a pair goes only if all of them can spare it. Two choices are
judged: pairs whose utility is below 0.5 in every head of the group, and the paper's fixed rule (§5.4), the fastest quarter
where all heads of the group are retrieval heads. Little is C07's 2.2 points; the bytes are exact or wrong.

Beside them: how much can go at all, lowest utility first, chosen on some questions and judged on others; as many random
pairs; needles in haystacks of chosen lengths, and with `--ruler TOKENS` all of RULER's tasks in words; scores of
lm-evaluation-harness from `--harness FILE`. Latency is measured in `fixtures/benchmarks`, and promised nowhere.
"""

import contextlib

import numpy as np
import pytest

from fixtures import harness_files, ruler_models
from fixtures import prune_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.data import ruler
from fixtures.instruments import prune_conditions as conditions
from fixtures.language_models import ASKED_PLAINLY, NotHere
from fixtures.pruned_models import ability_aside
from fixtures.statistics import fewest_without_a_loss

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
              "first, that costs at most 1.1 points on an eighth of the questions, on the others", "below", SMALL, "points",
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
NEEDLES = {
    (task, name): Rule(
        f"needles, {task}, {name}", f"share of the needles lost in the task {task} without the {name}", "below", SMALL,
        "points", PAPERS_OWN, decisive=False, per="context",
    )
    for task in ruler.NEEDLES
    for name in ruler_models.BESIDE
}  # fmt: skip
COUNTING = {
    (task, name): Rule(
        f"RULER, {task}, {name}", f"share of the answers lost in RULER's {task} without the {name}", "below", SMALL,
        "points", PAPERS_OWN, decisive=False, per="context",
    )
    for task in ruler.COUNTING
    for name in ruler_models.BESIDE
}  # fmt: skip
OTHERS = {
    (name, other): Rule(
        f"RULER, {other} cost more", f"how much more pruning the {other} costs than the {name}, over RULER's tasks that it "
        "can do", "above", SMALL, "points", "more than a small loss, or the choice buys nothing", decisive=False,
        per="context",
    )
    for name, beside in ruler_models.BESIDE.items()
    for other in beside
}  # fmt: skip

HARNESS = {
    group: Rule(
        f"lm-evaluation-harness, {group}", f"loss of score on its {group} without the pairs of the mask file", "below",
        SMALL, "points", PAPERS_OWN, decisive=False, per="sample",
    )
    for group in harness_files.GROUPS
}  # fmt: skip
HARNESS_OTHERS = {
    (group, other): Rule(
        f"lm-evaluation-harness, {group}, {other}", f"how much more pruning as many {other} costs on its {group}", "above",
        SMALL, "points", "more than a small loss, or the choice buys nothing", decisive=False, per="sample",
    )
    for group in harness_files.GROUPS
    for other in (harness_files.RANDOM, harness_files.OTHERS)
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
    rules=(LOW, FIXED, BYTES, SAME, WEIGHTS, CUT, CHOSEN, SHARE, *RANDOM.values(), *NEEDLES.values(),
           *COUNTING.values(), *OTHERS.values(), *HARNESS.values(), *HARNESS_OTHERS.values()),
    notes="Keys are cut after RoPE and queries alike, at the model's own softmax scale: what is left is what masking the "
          "same dimensions of the queries leaves. V is unchanged, so the whole cache shrinks by half of the K share. Power: "
          "bounds are exact for right and wrong; one changed answer among 160 questions at 3 positions leaves the upper "
          "bound of the cost at 2.1 points, two at 2.35. A model with no pair below 0.5, or no key head of retrieval "
          "heads alone, has nothing to prune by that rule and is inconclusive. Controls: pruning every pair must cost more "
          "than 2.2 points by every rule on a cost, an unpruned cache must fail the bytes, an unpruned model the logits. "
          "Weights are cut where that is exact: a norm on q and k takes its RMS over rows that would be gone, and such a "
          "model is inconclusive.",
)  # fmt: skip

needs = pytest.mark.measures("heads", "pruned", "kept", "cut", "ruler")
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


def shown(lm, pruned, cut) -> dict:
    found = {f"pruning curve, {lm.key}": figures.curve(lm.key, pruned)}
    with contextlib.suppress(NotHere):  # its columns of bytes: no cache is cut of a model over several processes
        found[f"pruning table, {lm.key}"] = figures.table(lm.key, pruned, cut, list(pruned.prunings.names))
    return found


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED], ids=["u-below-half", "fastest-quarter"])
def test_pruning_what_is_under_used_costs_little(lm, pruned, cut_model, judge, rule):
    with lm.or_not_run(judge, rule):
        name = COSTS[rule.name]
        cost, share = pruned.loss.cost(name), pruned.prunings.share(name)
        judge.units(rule.name, cost.tolist(), note=f"{share:.1%} of the K cache pruned",
                    series=shown(lm, pruned, cut_model) if rule is LOW else {},
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


def judge_task(lm, pruned, ruled, judge, rule: Rule, task: str, name: str) -> None:
    loss = ruled.loss(task)
    lost = 100 * (loss.of(conditions.NONE) - loss.of(name)).ravel()  # lengths are strata of one sample of contexts
    series = figures.tasks_tables(lm.key, ruled) if (task, name) == (ruler.TRACKING, conditions.LOW) else {}
    fewest = fewest_without_a_loss(SMALL, 100, CLAIM.alpha)
    few = f"{len(lost)} contexts can contradict, not support: that takes {fewest} (--qa-limit); " * (len(lost) < fewest)
    judge.units(rule.name, lost.tolist(), series=series, note=f"{few}found {loss.accuracy().round(1).tolist()}% unpruned, "
                f"{loss.accuracy(name).round(1).tolist()}% pruned, at {list(loss.positions)} tokens",
                **lm.context(unable=ruled.unable(loss) or nothing_goes(pruned, name)))  # fmt: skip


def nothing_to_lose(judge, rule: Rule, why: str, control: dict) -> None:
    """A control by which something must be lost is not-run where the unpruned model has nothing."""
    context = {name: value for name, value in control.items() if name != "unable"}
    judge.not_run(rule.name, reason=why, command="name with --model one that can do the task", **context)


def ids(tasks) -> list[str]:
    return ["-".join(key).replace(" ", "-") for key in tasks]


@needs
@pytest.mark.parametrize(("task", "name"), NEEDLES, ids=ids(NEEDLES))
def test_beside_it_needles_are_found(lm, pruned, ruled, judge, task, name):
    rule = NEEDLES[task, name]
    if not (lm.name.embedded or lm.settings.ruler):
        judge.not_run(rule.name, model=lm.key, reason="RULER's tasks are asked in words with --ruler TOKENS",
                      command=f"{lm.command('X02')} --ruler 4096")  # fmt: skip
    with lm.or_not_run(judge, rule):
        judge_task(lm, pruned, ruled, judge, rule, task, name)


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize(("task", "name"), COUNTING, ids=ids(COUNTING))
def test_beside_it_variables_and_words_are_tracked(lm, pruned, ruled, judge, task, name):
    with lm.or_not_run(judge, COUNTING[task, name]):
        judge_task(lm, pruned, ruled, judge, COUNTING[task, name], task, name)


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize(("name", "other"), OTHERS, ids=ids(OTHERS))
def test_beside_it_other_pairs_cost_more_on_rulers_tasks(lm, pruned, ruled, judge, name, other):
    rule = OTHERS[name, other]
    with lm.or_not_run(judge, rule):
        unable = nothing_goes(pruned, name) or ("" if ruled.able else "it can do none of RULER's tasks unpruned")
        judge.units(rule.name, lambda: ruled.lost(other, against=name).tolist(), note=f"tasks: {', '.join(ruled.able)}",
                    **lm.context(unable=unable))  # fmt: skip


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize("task", ruler.TASKS, ids=[task.replace(" ", "-") for task in ruler.TASKS])
def test_control_without_any_pair_rulers_tasks_are_lost(lm, ruled, judge, task):
    """Whatever the ranking: attention that averages its prefix finds and counts nothing."""
    rule, what = (NEEDLES | COUNTING)[task, conditions.LOW], f"every-pair-pruned-{task.replace(' ', '-')}"
    with lm.or_not_run(judge, rule, what, NEGATIVE_CONTROL):
        loss = ruled.loss(task)
        control = lm.control(what) | {"role": NEGATIVE_CONTROL}
        if ruled.unable(loss):
            nothing_to_lose(judge, rule, ruled.unable(loss), control)
        lost = 100 * (loss.of(conditions.NONE) - loss.of(conditions.EVERY_PAIR)).ravel()
        judge.units(rule.name, lost.tolist(), **control)


def harness_of(lm, judge, rule: Rule, group: str, what: str = "", **role) -> tuple[harness_files.Scores, dict]:
    """The scores of a model on tasks of a group, and what every row of them says; not-run where no file holds any."""
    who = {"model": f"{lm.key}:{what}", "guards": [lm.key]} if what else {"model": lm.key}
    model = lm.under_test.provenance
    found = next((one for one in lm.settings.harness if one.weights == model["weights"]), None)
    if found is None or group not in map(harness_files.group_of, found.tasks):
        tasks = "NAMES" if group == harness_files.REST else group
        judge.not_run(rule.name, **who, **role, reason=f"no file of --harness holds scores of this model on {group}",
                      command=f"python -m fixtures.harness {lm.key} MASK_FILE --tasks {tasks} --out FILE, then "
                      f"{lm.command('X02')} --harness FILE")  # fmt: skip
    able = found.able(group)
    unable = "" if able else f"the unpruned model scores under {100 * harness_files.ABLE:.0f}% on every task of {group}"
    of = f"tasks: {', '.join(able)}; {found.share:.1%} of the K cache; lm_eval {found.versions.get('lm_eval')}"
    provenance = {"model": model, "scores": found.key}
    return found, who | role | {"unable": unable, "note": f"{of}; {found.short}" if found.short else of,
                                "provenance": provenance}  # fmt: skip


@needs
@pytest.mark.in_words
@pytest.mark.parametrize("group", HARNESS, ids=[group.replace(" ", "-") for group in HARNESS])
def test_beside_it_the_harness_loses_little(lm, judge, group):
    rule = HARNESS[group]
    with lm.or_not_run(judge, rule):
        found, context = harness_of(lm, judge, rule, group)
        series = {f"lm-evaluation-harness, {group}, {lm.key}": figures.harness_table(lm.key, found, group)}
        judge.units(rule.name, found.lost(group, harness_files.PRUNED).tolist(), series=series, **context)


@needs
@pytest.mark.in_words("harness")
@pytest.mark.parametrize(("group", "other"), HARNESS_OTHERS, ids=ids(HARNESS_OTHERS))
def test_beside_it_other_pairs_cost_the_harness_more(lm, judge, group, other):
    rule = HARNESS_OTHERS[group, other]
    with lm.or_not_run(judge, rule):
        found, context = harness_of(lm, judge, rule, group)
        judge.units(rule.name, found.lost(group, other, against=harness_files.PRUNED).tolist(), **context)


@needs
@pytest.mark.in_words("harness")
@pytest.mark.parametrize("group", HARNESS, ids=[group.replace(" ", "-") for group in HARNESS])
def test_control_without_any_pair_the_harness_loses_much(lm, judge, group):
    rule, what = HARNESS[group], f"every-pair-pruned-{group.replace(' ', '-')}"
    with lm.or_not_run(judge, rule, what, NEGATIVE_CONTROL):
        found, context = harness_of(lm, judge, rule, group, what, role=NEGATIVE_CONTROL)
        if context["unable"]:
            nothing_to_lose(judge, rule, context["unable"], context)
        judge.units(rule.name, found.lost(group, harness_files.EVERY).tolist(), **context)


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
        judge.exact(rule.name, float(lost.mean()), n=len(lost), test=ASKED_PLAINLY, role=POSITIVE_CONTROL,
                    **lm.control("nothing-pruned"))  # fmt: skip


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
