"""X02 · beyond the paper · Under-used pairs can leave the K cache: little is lost, and the memory is really gone.

The paper masks dimensions and concludes that inference could be cheaper (§6), but a mask saves nothing. Here pairs of
dimensions leave the cache. Several query heads share a key, so a pair goes only if all of them can spare it. Two
choices are judged: the pairs whose utility is below 0.5 in every head of the group, and the paper's fixed rule (§5.4),
the fastest quarter where all heads of the group are retrieval heads. "Little" is the small loss of C07. The bytes are
exact, or the claim is wrong.

Beside them stand: how much can go at all, lowest utility first, chosen on some questions and judged on others; as many
random pairs; needles in haystacks of chosen lengths; with `--ruler TOKENS` all of RULER's tasks in words; and with
`--harness FILE` scores of lm-evaluation-harness. Latency is measured in `fixtures/benchmarks`, and promised nowhere.
"""

import shlex

import numpy as np
import pytest

from fixtures.data import ruler
from fixtures.figures import prune_figures as figures
from fixtures.instruments import prune_conditions as conditions
from fixtures.measurements import language, ruler_models
from fixtures.measurements import prune_costs as costs
from fixtures.pruning import harness_files
from fixtures.run.census import marked, measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.verdict.statistics import fewest_without_a_loss
from fixtures.verdict.subject import RunsElsewhere, Subject, something_to_lose
from fixtures.verdict.usual_rules import bytes_as_predicted, lead_lost

SMALL = 2.2
PAPERS_OWN = "2.2 points is the one loss that the paper puts a figure to and calls small (§5.4), as in C07"
A_SMALL_LOSS = "the smaller of a tenth of what pruning every pair costs in that context and log 2 (odds halved)"
HALF_A_SMALL_LOSS = 0.35


def _costs(name: str, quantity: str, side: str = "below", decisive: bool = True) -> Rule:
    return lead_lost(name, quantity, A_SMALL_LOSS, HALF_A_SMALL_LOSS, side=side, decisive=decisive)


LOW = _costs(
    "pruning u < 0.5 costs little",
    "without the pairs whose utility is below 0.5 in every head of their group, minus a small loss",
)
FIXED = _costs(
    "pruning the fastest quarter costs little",
    "without the fastest quarter of the pairs where all heads of the group are retrieval heads, minus a small loss",
)
BYTES = bytes_as_predicted("the cache shrinks", "a pruned K and V cache", per="cache")
SAME = Rule(
    name="pruned says what masked says",
    quantity="largest difference of a logit between the pruned and the masked model",
    side="below",
    margin=1e-4,
    unit="of the largest logit",
    why="float32 sums in another order differ by some 1e-5; "
    "other dimensions or another scale by more than 1e-2 (self-tests)",
    decisive=False,
    per="prompt and pruning",
)
WEIGHTS = bytes_as_predicted(
    "the weights shrink",
    "the parameters with the rows of pruned pairs cut",
    per="pruning",
    decisive=False,
)
CUT = Rule(
    name="cut weights say what masked says",
    quantity="largest difference of a logit between cut weights and the masked model",
    side="below",
    margin=1e-4,
    unit="of the largest logit",
    why="float32 sums in another order differ by some 1e-5; "
    "other dimensions or another scale by more than 1e-2 (self-tests)",
    decisive=False,
    per="prompt and pruning",
)
CHOSEN = _costs(
    "what some contexts allow costs little on others",
    "at the largest dose, lowest utility first, that costs at most half of a small loss on a quarter of the contexts; "
    "on the other contexts, minus a small loss",
    decisive=False,
)
SHARE = Rule(
    name="a share worth pruning",
    quantity="share of the K cache that goes at that dose",
    side="above",
    margin=0.05,
    unit="of the K cache",
    why="C07's share worth masking: under a twentieth there is no inefficiency to speak of",
    decisive=False,
    per="key head and pair",
)
RANDOM = {
    conditions.LOW: _costs(
        "as many random pairs cost more than u < 0.5",
        "without as many random pairs of each key head, minus a small loss and what u < 0.5 costs",
        "above",
        False,
    ),
    conditions.FASTEST: _costs(
        "as many random pairs cost more than the fastest",
        "without a random quarter of the same key heads, minus a small loss and what the fastest quarter costs",
        "above",
        False,
    ),
}
NEEDLES = {
    (task, name): Rule(
        name=f"needles, {task}, {name}",
        quantity=f"share of the needles lost in the task {task} without the {name}",
        side="below",
        margin=SMALL,
        unit="points",
        why=PAPERS_OWN,
        decisive=False,
        per="context",
    )
    for task in ruler.NEEDLES
    for name in ruler_models.BESIDE
}
COUNTING = {
    (task, name): Rule(
        name=f"RULER, {task}, {name}",
        quantity=f"share of the answers lost in RULER's {task} without the {name}",
        side="below",
        margin=SMALL,
        unit="points",
        why=PAPERS_OWN,
        decisive=False,
        per="context",
    )
    for task in ruler.COUNTING
    for name in ruler_models.BESIDE
}
OTHERS = {
    (name, other): Rule(
        name=f"RULER, {other} cost more",
        quantity=f"how much more pruning the {other} costs than the {name}, over RULER's tasks that it can do",
        side="above",
        margin=SMALL,
        unit="points",
        why="more than a small loss, or the choice buys nothing",
        decisive=False,
        per="context",
    )
    for name, beside in ruler_models.BESIDE.items()
    for other in beside
}

HARNESS = {
    group: Rule(
        name=f"lm-evaluation-harness, {group}",
        quantity=f"loss of score on its {group} without the pairs of the mask file",
        side="below",
        margin=SMALL,
        unit="points",
        why=PAPERS_OWN,
        decisive=False,
        per="sample",
    )
    for group in harness_files.GROUPS
}
HARNESS_OTHERS = {
    (group, other): Rule(
        name=f"lm-evaluation-harness, {group}, {other}",
        quantity=f"how much more pruning as many {other} costs on its {group}",
        side="above",
        margin=SMALL,
        unit="points",
        why="more than a small loss, or the choice buys nothing",
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
    statement="Pairs of utility below 0.5 in every head that shares the key, "
    "and the fastest quarter of the pairs where all of them are retrieval heads, can leave the K cache: "
    "little is lost, and the memory shrinks by exactly the bytes predicted.",
    contradicted_if="either choice costs more than a small loss, "
    "or the cache holds another number of bytes than predicted",
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
    notes="Keys are cut after RoPE and queries alike, at the model's own softmax scale: "
    "what is left is what masking the same dimensions of the queries leaves. V is unchanged, "
    "so the whole cache shrinks by half of the K share. A context is read with the whole cache; "
    "then the cache is pruned, and the questions meet what is left. "
    "Utility is that at the admissible weight of eq. 4 that masks most (C07). Power: "
    "twelve contexts decide a loss of nothing against one of log 2 in over 99% of runs where a cost moves by half a "
    "nat. A model with no pair below 0.5, or no key head of retrieval heads alone, "
    "has nothing to prune by that rule and is inconclusive. Controls: "
    "pruning every pair must cost more than a small loss by every rule on a cost, "
    "an unpruned cache must fail the bytes, an unpruned model the logits. Weights are cut where that is exact: "
    "a norm on q and k takes its RMS over rows that would be gone, and such a model is inconclusive.",
)

asks = measures(language.contexts, language.pruned, language.kept, language.cut, language.ruler)
needs = marked(asks, pytest.mark.beyond)  # of a default run real models alone

COSTS = {LOW: conditions.LOW, FIXED: conditions.FASTEST}


@needs
@pytest.mark.parametrize("rule", COSTS, ids=["u-below-half", "fastest-quarter"])
def test_pruning_what_is_under_used_costs_little(lm, judge, rule):
    name = COSTS[rule]
    judge.units(
        rule,
        lambda: costs.beyond_small(lm.pruned, name),
        of=lm.answering,
        unable=lambda: costs.nothing_goes(lm.pruned, name),
        note=lambda: costs.in_words(lm.pruned, name),
        series=lambda: figures.curve_and_table(lm) if rule is LOW else {},
    )


@needs
def test_the_cache_really_shrinks(lm, judge):
    judge.exact(
        BYTES,
        lambda: lm.pruned.kept.off,
        of=lm,
        n=lambda: len(lm.pruned.kept.of_name),
        test="bytes of every tensor's memory against the arithmetic",
        note=lambda: lm.pruned.kept.sizes,
    )


@needs
def test_beside_it_the_pruned_model_says_what_the_masked_one_says(lm, judge):
    judge.exact(
        SAME,
        lambda: lm.pruned.kept.difference,
        of=lm,
        n=lambda: len(lm.pruned.kept.of_name),
        test="worst of every pruning and prompt",
        worst=True,
        unable=lambda: lm.pruned.kept.too_coarse,
    )


@needs
def test_beside_it_the_weights_really_shrink(lm, judge):
    judge.exact(
        WEIGHTS,
        lambda: lm.cut.saved.off,
        of=lm,
        n=lambda: max(1, len(lm.cut.saved.of_name)),
        test="bytes of every parameter's memory against the arithmetic",
        unable=lambda: lm.cut.refused,
        note=lambda: lm.cut.saved.sizes,
    )


@needs
def test_beside_it_cut_weights_say_what_the_masked_model_says(lm, judge):
    judge.exact(
        CUT,
        lambda: lm.cut.saved.difference,
        of=lm,
        n=lambda: max(1, len(lm.cut.saved.of_name)),
        test="worst of every pruning and prompt",
        worst=True,
        unable=lambda: lm.cut.refused or lm.pruned.kept.too_coarse,
    )


@needs
@pytest.mark.parametrize("rule", [WEIGHTS, CUT], ids=["bytes", "logits"])
def test_control_weights_that_were_not_cut_fail(lm, judge, rule):
    def unpruned() -> float:
        if lm.cut.refused:
            raise RunsElsewhere(lm.cut.refused, command="pytest claims/ --claim X02 --model embedded/llama-s0")
        kept = lm.cut.saved.of_name.get(conditions.HIGHEST)
        return 0.0 if kept is None else kept.plain - kept.predicted if rule is WEIGHTS else kept.changed

    judge.exact(
        rule,
        unpruned,
        of=lm.control(NEGATIVE_CONTROL, "whole-weights"),
        n=1,
        test="the unpruned model",
    )


@needs
def test_beside_it_how_much_can_go(lm, judge):
    judge.units(
        CHOSEN,
        lambda: costs.judged(lm.pruned, costs.chosen(lm.pruned)),
        of=lm.answering,
        unable=lambda: costs.no_dose(lm.pruned),
        note=lambda: (
            f"{costs.chosen(lm.pruned)}: {lm.pruned.prunings.share(costs.chosen(lm.pruned)):.1%} of the K cache"
        ),
    )


@needs
def test_beside_it_what_share_that_is(lm, judge):
    judge.exact(
        SHARE,
        lambda: lm.pruned.prunings.share(costs.chosen(lm.pruned)),
        of=lm,
        n=lambda: lm.pruned.prunings.of(conditions.NONE).size // 2,
        test="count over every key head and pair",
    )


@needs
@pytest.mark.parametrize(
    ("name", "other"),
    [(conditions.LOW, conditions.LOW_RANDOM), (conditions.FASTEST, conditions.FASTEST_RANDOM)],
    ids=["u-below-half", "fastest-quarter"],
)
def test_beside_it_random_pairs_cost_more(lm, judge, name, other):
    judge.units(
        RANDOM[name],
        lambda: costs.beyond_small(lm.pruned, other, against=name),
        of=lm.answering,
        unable=lambda: costs.nothing_goes(lm.pruned, name),
    )


# RULER's tasks


def found_in(lm, task: str):
    """Share of a task's answers that are found; lengths are strata of one sample of contexts."""
    if not (lm.name.embedded or lm.settings.ruler):
        raise RunsElsewhere(
            "RULER's tasks are asked in words with --ruler TOKENS",
            command=f"{lm.subject.command(CLAIM.id)} --ruler 4096",
        )
    return lm.ruled.loss(task)


def found_by_length(loss, name: str) -> str:
    contexts, fewest = loss.cost_at_each(name).size, fewest_without_a_loss(SMALL, 100, CLAIM.alpha)
    few = f"{contexts} contexts can contradict, not support: that takes {fewest} (--qa-limit); " * (contexts < fewest)
    return (
        f"{few}found {loss.accuracy().round(1).tolist()}% unpruned, "
        f"{loss.accuracy(name).round(1).tolist()}% pruned, at {list(loss.places)} tokens"
    )


def tasks_shown(lm, task: str, name: str) -> dict:
    first = (task, name) == (ruler.TRACKING, conditions.LOW)
    return figures.tasks_tables(lm.key, lm.ruled) if first else {}


def judge_task(lm, judge, rule: Rule, task: str, name: str) -> None:
    judge.units(
        rule,
        lambda: found_in(lm, task).cost_at_each(name),
        of=lm,
        unable=lambda: lm.ruled.unable(found_in(lm, task)) or costs.nothing_goes(lm.pruned, name),
        note=lambda: found_by_length(found_in(lm, task), name),
        series=lambda: tasks_shown(lm, task, name),
    )


def ids(tasks) -> list[str]:
    return ["-".join(key).replace(" ", "-") for key in tasks]


@needs
@pytest.mark.parametrize(("task", "name"), NEEDLES, ids=ids(NEEDLES))
def test_beside_it_needles_are_found(lm, judge, task, name):
    judge_task(lm, judge, NEEDLES[task, name], task, name)


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize(("task", "name"), COUNTING, ids=ids(COUNTING))
def test_beside_it_variables_and_words_are_tracked(lm, judge, task, name):
    judge_task(lm, judge, COUNTING[task, name], task, name)


def no_task(lm, name: str) -> str:
    return costs.nothing_goes(lm.pruned, name) or ("" if lm.ruled.able else "it can do none of RULER's tasks unpruned")


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize(("name", "other"), OTHERS, ids=ids(OTHERS))
def test_beside_it_other_pairs_cost_more_on_rulers_tasks(lm, judge, name, other):
    judge.units(
        OTHERS[name, other],
        lambda: lm.ruled.lost(other, against=name),
        of=lm,
        unable=lambda: no_task(lm, name),
        note=lambda: f"tasks: {', '.join(lm.ruled.able)}",
    )


@needs
@pytest.mark.in_words("ruler")
@pytest.mark.parametrize("task", ruler.TASKS, ids=[task.replace(" ", "-") for task in ruler.TASKS])
def test_control_without_any_pair_rulers_tasks_are_lost(lm, judge, task):
    """Whatever the ranking: attention that averages its prefix finds and counts nothing."""

    def lost() -> np.ndarray:
        loss = lm.ruled.loss(task)
        something_to_lose(lm.ruled.unable(loss))
        return loss.cost_at_each(conditions.EVERY_PAIR)

    judge.units(
        (NEEDLES | COUNTING)[task, conditions.LOW],
        lost,
        of=lm.control(NEGATIVE_CONTROL, f"every-pair-pruned-{task.replace(' ', '-')}"),
    )


# lm-evaluation-harness


def scores_of(lm, group: str) -> harness_files.Scores:
    """Of a model on tasks of a group; not-run where no file holds any."""
    # the model is loaded for its weights' hash only where there is a file to hold against it
    found = next((one for one in lm.settings.harness if one.weights == lm.under_test.provenance["weights"]), None)
    if found is None or group not in map(harness_files.group_of, found.tasks):
        tasks = "NAMES" if group == harness_files.REST else group
        raise RunsElsewhere(
            f"no file of --harness holds scores of this model on {group}",
            command=f"python -m fixtures.pruning.harness {shlex.quote(lm.key)} MASK_FILE --tasks {tasks} --out FILE, then "
            f"{lm.subject.command(CLAIM.id)} --harness FILE",
        )
    return found


def judge_scores(lm, judge, rule: Rule, group: str, lost, subject: Subject, **beside) -> None:
    """lost: what is decided, of the scores."""
    judge.units(
        rule,
        lambda: lost(scores_of(lm, group)),
        of=subject.but(provenance=lambda: {"model": lm.under_test.provenance, "scores": scores_of(lm, group).key}),
        unable=lambda: scores_of(lm, group).unable(group),
        note=lambda: scores_of(lm, group).in_words(group),
        **beside,
    )


@needs
@pytest.mark.in_words
@pytest.mark.parametrize("group", HARNESS, ids=[group.replace(" ", "-") for group in HARNESS])
def test_beside_it_the_harness_loses_little(lm, judge, group):
    def table() -> dict:
        title = f"lm-evaluation-harness, {group}, {lm.key}"
        return {title: figures.harness_table(lm.key, scores_of(lm, group), group)}

    def lost(found: harness_files.Scores) -> np.ndarray:
        return found.lost(group, harness_files.PRUNED)

    judge_scores(lm, judge, HARNESS[group], group, lost, lm.subject, series=table)


@needs
@pytest.mark.in_words("harness")
@pytest.mark.parametrize(("group", "other"), HARNESS_OTHERS, ids=ids(HARNESS_OTHERS))
def test_beside_it_other_pairs_cost_the_harness_more(lm, judge, group, other):
    def more_lost(found: harness_files.Scores) -> np.ndarray:
        return found.lost(group, other, against=harness_files.PRUNED)

    judge_scores(lm, judge, HARNESS_OTHERS[group, other], group, more_lost, lm.subject)


@needs
@pytest.mark.in_words("harness")
@pytest.mark.parametrize("group", HARNESS, ids=[group.replace(" ", "-") for group in HARNESS])
def test_control_without_any_pair_the_harness_loses_much(lm, judge, group):
    def lost(found: harness_files.Scores) -> np.ndarray:
        something_to_lose(found.unable(group))
        return found.lost(group, harness_files.EVERY)

    control = lm.control(NEGATIVE_CONTROL, f"every-pair-pruned-{group.replace(' ', '-')}")
    judge_scores(lm, judge, HARNESS[group], group, lost, control)


# controls


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED, CHOSEN], ids=["u-below-half", "fastest-quarter", "chosen"])
def test_control_a_model_without_any_pair_loses_much(lm, judge, rule):
    """Whatever the ranking: the quarter of the highest utility would presuppose that utility tells pairs apart."""

    def lost() -> np.ndarray:
        something_to_lose(lm.judged.unable)
        if rule is CHOSEN:
            return costs.judged(lm.pruned, conditions.EVERY_PAIR)
        return costs.beyond_small(lm.pruned, conditions.EVERY_PAIR)

    judge.units(rule, lost, of=lm.control(NEGATIVE_CONTROL, "every-pair-pruned"))


@needs
@pytest.mark.parametrize("rule", [LOW, FIXED], ids=["u-below-half", "fastest-quarter"])
def test_control_nothing_pruned_loses_nothing(lm, judge, rule):
    """The plain model's own lead, nothing registered, question by question."""
    judge.exact(
        rule,
        lambda: np.abs(lm.judged.rows.off).max() - HALF_A_SMALL_LOSS,
        of=lm.control(POSITIVE_CONTROL, "nothing-pruned"),
        n=lambda: lm.judged.rows.off.size,
        test="against half of log 2",
    )


@needs
def test_control_a_cache_that_was_not_pruned_fails_the_bytes(lm, judge):
    def off() -> int:
        kept = lm.pruned.kept[conditions.HIGHEST]
        return kept.plain - kept.predicted

    judge.exact(
        BYTES,
        off,
        of=lm.control(NEGATIVE_CONTROL, "plain-cache"),
        n=1,
        test="the unpruned cache against the arithmetic",
    )


@needs
def test_control_a_model_that_was_not_pruned_says_something_else(lm, judge):
    judge.exact(
        SAME,
        lambda: lm.pruned.kept[conditions.HIGHEST].changed,
        of=lm.control(NEGATIVE_CONTROL, "unpruned-model"),
        n=1,
        test="largest from the unpruned model",
    )
