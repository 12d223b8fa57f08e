"""X02 · beyond the paper · Under-used pairs can be pruned from the K cache: little is lost, and the memory is really
gone.

The paper masks dimensions and concludes that inference could be cheaper (§6); a mask saves nothing. Here pairs of
dimensions leave the cache. Several query heads share a key, so a pair goes only if all of them can spare it. Two
choices are judged: pairs whose utility is below 0.5 in every head of the group, and the paper's fixed rule (§5.4),
the fastest quarter where all heads of the group are retrieval heads. Little is C07's small loss; the bytes are exact
or wrong.

Beside them: how much can go at all, lowest utility first, chosen on some questions and judged on others; as many
random pairs; needles in haystacks of chosen lengths, and with `--ruler TOKENS` all of RULER's tasks in words; scores
of lm-evaluation-harness from `--harness FILE`. Latency is measured in `fixtures/benchmarks`, and promised nowhere.
"""

import contextlib

import numpy as np
import pytest

from fixtures import harness_files, ruler_models
from fixtures import prune_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.data import ruler
from fixtures.instruments import prune_conditions as conditions
from fixtures.measurements.piece import NotHere
from fixtures.statistics import fewest_without_a_loss

SMALL = 2.2
PAPERS_OWN = "2.2 points is the one loss that the paper puts a figure to and calls small (§5.4), as in C07"
A_SMALL_LOSS = "the smaller of a tenth of what pruning every pair costs in that context and log 2 (odds halved)"
SHIFT = 0.35


def _costs(name: str, quantity: str, side: str = "below", decisive: bool = True) -> Rule:
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


LOW = _costs(
    "pruning u < 0.5 costs little",
    "beyond a small loss without the pairs whose utility is below 0.5 in every head of their group",
)
FIXED = _costs(
    "pruning the fastest quarter costs little",
    "beyond a small loss without the fastest quarter of the pairs where all heads of the group are retrieval heads",
)
BYTES = Rule(
    "the cache shrinks by the bytes predicted",
    "bytes by which the memory of a pruned K and V cache differs from the arithmetic, at worst",
    "below",
    0.5,
    "bytes",
    "arithmetic: a byte is a mistake",
    per="cache",
)
SAME = Rule(
    "pruned says what masked says",
    "largest difference of a logit between the pruned and the masked model",
    "below",
    1e-4,
    "of the largest logit",
    "float32 sums in another order differ by some 1e-5; other dimensions or another scale by "
    "more than 1e-2 (self-tests)",
    decisive=False,
    per="prompt and pruning",
)
WEIGHTS = Rule(
    "the weights shrink by the bytes predicted",
    "bytes by which the memory of the parameters with the rows of "
    "pruned pairs cut differs from the arithmetic, at worst",
    "below",
    0.5,
    "bytes",
    "arithmetic: a byte is a mistake",
    decisive=False,
    per="pruning",
)
CUT = Rule(
    "cut weights say what masked says",
    "largest difference of a logit between cut weights and the masked model",
    "below",
    1e-4,
    "of the largest logit",
    "as for the pruned cache",
    decisive=False,
    per="prompt and pruning",
)
CHOSEN = _costs(
    "what some contexts allow costs little on others",
    "beyond a small loss at the largest dose, lowest utility "
    "first, that costs at most half of one on a quarter of the contexts, on the others",
    decisive=False,
)
SHARE = Rule(
    "a share worth pruning",
    "share of the K cache that goes at that dose",
    "above",
    0.05,
    "of the K cache",
    "C07's share worth masking: under a twentieth there is no inefficiency to speak of",
    decisive=False,
    per="key head and pair",
)
RANDOM = {
    conditions.LOW: _costs(
        "as many random pairs cost more than u < 0.5",
        "without as many random pairs of each key head, beyond what u < 0.5 and a small loss cost",
        "above",
        False,
    ),
    conditions.FASTEST: _costs(
        "as many random pairs cost more than the fastest",
        "without a random quarter of the same key heads, beyond what the fastest quarter and a small loss cost",
        "above",
        False,
    ),
}
NEEDLES = {
    (task, name): Rule(
        f"needles, {task}, {name}",
        f"share of the needles lost in the task {task} without the {name}",
        "below",
        SMALL,
        "points",
        PAPERS_OWN,
        decisive=False,
        per="context",
    )
    for task in ruler.NEEDLES
    for name in ruler_models.BESIDE
}
COUNTING = {
    (task, name): Rule(
        f"RULER, {task}, {name}",
        f"share of the answers lost in RULER's {task} without the {name}",
        "below",
        SMALL,
        "points",
        PAPERS_OWN,
        decisive=False,
        per="context",
    )
    for task in ruler.COUNTING
    for name in ruler_models.BESIDE
}
OTHERS = {
    (name, other): Rule(
        f"RULER, {other} cost more",
        f"how much more pruning the {other} costs than the {name}, over RULER's tasks that it can do",
        "above",
        SMALL,
        "points",
        "more than a small loss, or the choice buys nothing",
        decisive=False,
        per="context",
    )
    for name, beside in ruler_models.BESIDE.items()
    for other in beside
}

HARNESS = {
    group: Rule(
        f"lm-evaluation-harness, {group}",
        f"loss of score on its {group} without the pairs of the mask file",
        "below",
        SMALL,
        "points",
        PAPERS_OWN,
        decisive=False,
        per="sample",
    )
    for group in harness_files.GROUPS
}
HARNESS_OTHERS = {
    (group, other): Rule(
        f"lm-evaluation-harness, {group}, {other}",
        f"how much more pruning as many {other} costs on its {group}",
        "above",
        SMALL,
        "points",
        "more than a small loss, or the choice buys nothing",
        decisive=False,
        per="sample",
    )
    for group in harness_files.GROUPS
    for other in (harness_files.RANDOM, harness_files.OTHERS)
}

CLAIM = Claim(
    id="X02",
    title="Pruning under-used pairs really saves K cache",
    source="beyond the paper; §5.4, §6",
    scope=(PRETRAINED,),
    statement="Pairs of utility below 0.5 in every head that shares the key, and the fastest quarter of the pairs "
    "where all of them are retrieval heads, can leave the K cache: little is lost, and the memory shrinks by "
    "exactly the bytes predicted.",
    contradicted_if="either choice costs more than a small loss, or the cache holds another number of bytes than "
    "predicted",
    unit_of_analysis="context",
    rules=(
        LOW,
        FIXED,
        BYTES,
        SAME,
        WEIGHTS,
        CUT,
        CHOSEN,
        SHARE,
        *RANDOM.values(),
        *NEEDLES.values(),
        *COUNTING.values(),
        *OTHERS.values(),
        *HARNESS.values(),
        *HARNESS_OTHERS.values(),
    ),
    notes="Keys are cut after RoPE and queries alike, at the model's own softmax scale: what is left is what "
    "masking the same dimensions of the queries leaves. V is unchanged, so the whole cache shrinks by half of the K "
    "share. A context is read with the whole cache; then the cache is pruned, and the questions meet what is left. "
    "Utility is that at the admissible weight of eq. 4 that masks most (C07). Power: twelve contexts decide a loss "
    "of nothing against one of log 2 in over 99% of runs where a cost moves by half a nat. A model with no pair "
    "below 0.5, or no key head of retrieval heads alone, has nothing to prune by that rule and is inconclusive. "
    "Controls: pruning every pair must cost more than a small loss by every rule on a cost, an unpruned cache must "
    "fail the bytes, an unpruned model the logits. Weights are cut where that is exact: a norm on q and k takes its "
    "RMS over rows that would be gone, and such a model is inconclusive.",
)

measures = pytest.mark.measures("contexts", "pruned", "kept", "cut", "ruler")


def needs(test):
    """Of a default run real models alone."""
    return pytest.mark.beyond(measures(test))


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
    return conditions.chosen(pruned.loss)


def beyond(pruned, cost: np.ndarray) -> np.ndarray:
    """(n,) nats beyond a small loss."""
    return cost - pruned.loss.small(conditions.EVERY_PAIR)


def judged(pruned, name: str) -> np.ndarray:
    """(n,) the same on the contexts that chose nothing."""
    return beyond(pruned, pruned.loss.cost(name))[conditions.choosing(pruned.loss.contexts) :]


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
        judge.units(
            rule.name,
            beyond(pruned, cost).tolist(),
            note=f"{share:.1%} of the K cache pruned; {cost.mean():.2f} nats lost",
            series=shown(lm, pruned, cut_model) if rule is LOW else {},
            **lm.answering(unable=nothing_goes(pruned, name)),
        )


@needs
def test_the_cache_really_shrinks(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES):
        caches = pruned.kept.of_name
        judge.exact(
            BYTES.name,
            pruned.kept.off,
            n=len(caches),
            test="bytes of every tensor's memory against the arithmetic",
            note="; ".join(f"{name}: {kept.plain} to {kept.stored}" for name, kept in caches.items()),
            **lm.context(),
        )


@needs
def test_beside_it_the_pruned_model_says_what_the_masked_one_says(lm, pruned, judge):
    with lm.or_not_run(judge, SAME):
        judge.exact(
            SAME.name,
            pruned.kept.difference,
            n=len(pruned.kept.of_name),
            test="worst of every pruning and prompt",
            **lm.context(unable=pruned.kept.too_coarse),
        )


@needs
def test_beside_it_the_weights_really_shrink(lm, cut_model, judge):
    with lm.or_not_run(judge, WEIGHTS):
        found = cut_model.of_name
        off = max((abs(one.stored - one.predicted) for one in found.values()), default=0)
        judge.exact(
            WEIGHTS.name,
            off,
            n=max(1, len(found)),
            test="bytes of every parameter's memory against the arithmetic",
            note="; ".join(f"{name}: {one.plain} to {one.stored}" for name, one in found.items()),
            **lm.context(unable=cut_model.refused),
        )


@needs
def test_beside_it_cut_weights_say_what_the_masked_model_says(lm, cut_model, pruned, judge):
    with lm.or_not_run(judge, CUT):
        found = cut_model.of_name
        worst = max((one.difference for one in found.values()), default=0.0)
        judge.exact(
            CUT.name,
            worst,
            n=max(1, len(found)),
            test="worst of every pruning and prompt",
            **lm.context(unable=cut_model.refused or pruned.kept.too_coarse),
        )


@needs
@pytest.mark.parametrize("rule", [WEIGHTS, CUT], ids=["bytes", "logits"])
def test_control_weights_that_were_not_cut_fail(lm, cut_model, judge, rule):
    with lm.or_not_run(judge, rule, "whole-weights", NEGATIVE_CONTROL):
        if cut_model.refused:
            context = {name: value for name, value in lm.control("whole-weights").items() if name != "unable"}
            judge.not_run(
                rule.name,
                reason=cut_model.refused,
                command="pytest claims/ --claim X02 --model embedded/llama-s0",
                role=NEGATIVE_CONTROL,
                **context,
            )
        kept = cut_model.of_name.get(conditions.HIGHEST)
        found = 0.0 if kept is None else kept.plain - kept.predicted if rule is WEIGHTS else kept.changed
        judge.exact(
            rule.name,
            found,
            n=1,
            test="the unpruned model",
            role=NEGATIVE_CONTROL,
            **lm.control("whole-weights") | {"unable": cut_model.refused},
        )


@needs
def test_beside_it_how_much_can_go(lm, pruned, judge):
    with lm.or_not_run(judge, CHOSEN):
        name = chosen(pruned)
        none = (
            "" if name != conditions.NONE else "no dose costs at most half of a small loss on the contexts that choose"
        )
        judge.units(
            CHOSEN.name,
            judged(pruned, name).tolist(),
            note=f"{name}: {pruned.prunings.share(name):.1%} of the K cache",
            **lm.answering(unable=none),
        )


@needs
def test_beside_it_what_share_that_is(lm, pruned, judge):
    with lm.or_not_run(judge, SHARE):
        judge.exact(
            SHARE.name,
            pruned.prunings.share(chosen(pruned)),
            n=pruned.prunings.utility.size,
            test="count over every key head and pair",
            **lm.context(),
        )


@needs
@pytest.mark.parametrize(
    ("name", "other"),
    [(conditions.LOW, conditions.LOW_RANDOM), (conditions.FASTEST, conditions.FASTEST_RANDOM)],
    ids=["u-below-half", "fastest-quarter"],
)
def test_beside_it_random_pairs_cost_more(lm, pruned, judge, name, other):
    with lm.or_not_run(judge, RANDOM[name]):
        more = pruned.loss.cost(other, against=name)
        judge.units(RANDOM[name].name, beyond(pruned, more).tolist(), **lm.answering(unable=nothing_goes(pruned, name)))


def judge_task(lm, pruned, ruled, judge, rule: Rule, task: str, name: str) -> None:
    loss = ruled.loss(task)
    lost = 100 * (loss.of(conditions.NONE) - loss.of(name)).ravel()  # lengths are strata of one sample of contexts
    series = figures.tasks_tables(lm.key, ruled) if (task, name) == (ruler.TRACKING, conditions.LOW) else {}
    fewest = fewest_without_a_loss(SMALL, 100, CLAIM.alpha)
    few = f"{len(lost)} contexts can contradict, not support: that takes {fewest} (--qa-limit); " * (len(lost) < fewest)
    judge.units(
        rule.name,
        lost.tolist(),
        series=series,
        note=f"{few}found {loss.accuracy().round(1).tolist()}% unpruned, "
        f"{loss.accuracy(name).round(1).tolist()}% pruned, at {list(loss.positions)} tokens",
        **lm.context(unable=ruled.unable(loss) or nothing_goes(pruned, name)),
    )


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
        judge.not_run(
            rule.name,
            model=lm.key,
            reason="RULER's tasks are asked in words with --ruler TOKENS",
            command=f"{lm.command('X02')} --ruler 4096",
        )
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
        judge.units(
            rule.name,
            lambda: ruled.lost(other, against=name).tolist(),
            note=f"tasks: {', '.join(ruled.able)}",
            **lm.context(unable=unable),
        )


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
        judge.not_run(
            rule.name,
            **who,
            **role,
            reason=f"no file of --harness holds scores of this model on {group}",
            command=f"python -m fixtures.harness {lm.key} MASK_FILE --tasks {tasks} --out FILE, then "
            f"{lm.command('X02')} --harness FILE",
        )
    able = found.able(group)
    unable = "" if able else f"the unpruned model scores under {100 * harness_files.ABLE:.0f}% on every task of {group}"
    of = f"tasks: {', '.join(able)}; {found.share:.1%} of the K cache; lm_eval {found.versions.get('lm_eval')}"
    provenance = {"model": model, "scores": found.key}
    return found, who | role | {
        "unable": unable,
        "note": f"{of}; {found.short}" if found.short else of,
        "provenance": provenance,
    }


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
        every = conditions.EVERY_PAIR
        lost = judged(pruned, every) if rule is CHOSEN else beyond(pruned, pruned.loss.cost(every))
        judge.units(rule.name, lost.tolist(), role=NEGATIVE_CONTROL, **lm.control("every-pair-pruned"))


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED], ids=["u-below-half", "fastest-quarter"])
def test_control_nothing_pruned_loses_nothing(lm, pruned, judge, rule):
    """The plain model's own lead, nothing registered, question by question."""
    with lm.or_not_run(judge, rule, "nothing-pruned", POSITIVE_CONTROL):
        off = np.abs(lm.judged.rows.off)
        judge.exact(
            rule.name,
            float(off.max()) - SHIFT,
            n=off.size,
            test="against half of log 2",
            role=POSITIVE_CONTROL,
            **lm.control("nothing-pruned"),
        )


@needs
def test_control_a_cache_that_was_not_pruned_fails_the_bytes(lm, pruned, judge):
    with lm.or_not_run(judge, BYTES, "plain-cache", NEGATIVE_CONTROL):
        kept = pruned.kept[conditions.HIGHEST]
        judge.exact(
            BYTES.name,
            kept.plain - kept.predicted,
            n=1,
            test="the unpruned cache against the arithmetic",
            role=NEGATIVE_CONTROL,
            **lm.control("plain-cache"),
        )


@needs
def test_control_a_model_that_was_not_pruned_says_something_else(lm, pruned, judge):
    with lm.or_not_run(judge, SAME, "unpruned-model", NEGATIVE_CONTROL):
        judge.exact(
            SAME.name,
            pruned.kept[conditions.HIGHEST].changed,
            n=1,
            test="largest from the unpruned model",
            role=NEGATIVE_CONTROL,
            **lm.control("unpruned-model"),
        )
