"""C07 · §5.2, tables 1 and 3 · Query dimensions of low utility can be masked in all heads and little is lost.

The paper masks every query dimension whose utility is below 0.5 and asks its questions again. Which dimensions have a
utility below 0.5 depends on how eq. 4 weighs error against penalty, and the paper does not say how. So the masks of a
whole path of weights are tested. Is there a weight that masks a twentieth of all dimensions or more, at which little is
lost? For the answer, a loss is little if it is below a tenth of what blinding all heads costs in the same context, and
below log 2 (the odds of the right word halved). For plain text it is little below a tenth of a nat a token. Besides,
masking as many random dimensions of each head must cost more, or the choice by utility buys nothing. A weight at which
all three hold is called admissible, and claims on utility (C06, C08, C10) are decided there.

Weights, heads and utilities come from contexts on which nothing is decided. A figure shows what is masked against what
is lost. Where whole questions are asked (--qa nq20, the paper's presets), table 1 is made in points as well.
"""

import numpy as np
import pytest

from fixtures.figures import beside_the_paper
from fixtures.figures import head_figures as figures
from fixtures.instruments import mask_conditions as masks
from fixtures.instruments.paired import HALVED
from fixtures.measurements import language
from fixtures.measurements.answers import ASKED_PLAINLY
from fixtures.paper.tables import LOW_UTILITY, NONE
from fixtures.plain.text import number
from fixtures.run.census import measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Prior, Rule
from fixtures.verdict.usual_rules import lead_lost

LITTLE = (
    "little is the smaller of a tenth of what blinding costs and log 2, context by context, "
    "and a tenth of a nat a token of plain text, about what halving the model would cost"
)
COST = Rule(
    name="masking u < 0.5 costs little",
    quantity="loss with every dimension of utility below 0.5 masked, minus a small loss, "
    "at the best weight of eq. 4, the worst over needles, plain text and random dimensions",
    side="below",
    margin=0.0,
    unit="nats",
    shift=0.35,
    why=LITTLE,
    per="context",
)
SMALL = lead_lost(
    name="a mask costs little",
    quantity="under a mask, minus a small loss",
    shift=0.35,
    why=LITTLE,
    decisive=False,
    per="context",
)
SHARE = Rule(
    name="a share worth masking",
    quantity="share of all query dimensions masked at the admissible weight that masks most",
    side="above",
    margin=0.05,
    unit="of the dimensions",
    why="under a twentieth there is no inefficiency to speak of; the paper does not print its share",
    decisive=False,
    per="head",
)
POINTS = Rule(
    name="masking u < 0.5 costs little, in points",
    quantity="loss of mean accuracy with every dimension of utility below 0.5 masked",
    side="below",
    margin=2.2,
    unit="points",
    why="2.2 points is the one loss that the paper puts a figure to and calls small (§5.4)",
    per="question",
)
RANDOM = Rule(
    name="as many random dimensions cost more, in points",
    quantity="how much more masking as many random dimensions of each head costs",
    side="above",
    margin=2.2,
    unit="points",
    why="more than a small loss, or the choice by utility buys nothing",
    decisive=False,
    per="question",
)
OPPOSITE = Rule(
    name="as many of the highest utility cost more, in points",
    quantity="how much more masking as many dimensions of the highest utility costs",
    side="above",
    margin=2.2,
    unit="points",
    why="more than a small loss, or utility does not tell dimensions apart",
    decisive=False,
    per="question",
)

CLAIM = Claim(
    id="C07",
    title="Dimensions of low utility can be masked",
    source="§5.2, tables 1 and 3",
    scope=(PRETRAINED,),
    statement="Masking every query dimension with utility below 0.5, in all heads, "
    "loses little accuracy in all three models.",
    contradicted_if="at every weight of eq. 4 that masks a twentieth of the dimensions or more, "
    "more than a small loss is lost",
    unit_of_analysis="context",
    rules=(COST, SMALL, SHARE, POINTS, RANDOM, OPPOSITE),
    prior=Prior("low", "pruning pays across tasks"),
    notes="The paper's own changes are +0.06 (Llama), +0.89 (OLMo) and -1.36 points (Qwen). "
    "SmolLM2-135M had been looked at before, on other contexts: 8% of the dimensions could go at one weight, "
    "41% at the next one seen lost everything. Power: twelve contexts, in which a cost moves by about half a nat, "
    "decide a loss of nothing against a small one of log 2 in 94% of runs at each of eight weights, "
    "each decided at an eighth of 5%. Controls: nothing masked must cost little, all heads blind must not.",
)

needs = measures(language.sizes, language.contexts, language.answers)
in_points = pytest.mark.in_points
TABLE_1 = beside_the_paper.printed("table 1", LOW_UTILITY, lost=True)


def weight_shown(lm):
    """The admissible weight that masks most; where none is, the one that masks least."""
    sanity = lm.judged.sanity
    return sanity.chosen or min(sanity.tested, key=lambda one: one.share, default=None)


def mask_shown(lm) -> str:
    return masks.low(lm.judged.sanity.tested.index(weight_shown(lm)))


def beside_table_1(lm) -> str:
    weight = weight_shown(lm)
    if weight is None:
        return f"{TABLE_1}; here nothing could be masked"
    lost = -beside_the_paper.gained(lm.judged.rows, mask_shown(lm))
    return beside_the_paper.with_ours(
        TABLE_1, lost, "lost", f"at the weight {number(float(weight.weight), 3)}, which masks {weight.share:.1%}"
    )


def shown(lm) -> dict:
    sanity = lm.judged.sanity
    return {
        f"frontier, {lm.key}": figures.frontier(lm.key, lm.judged.rows, sanity),
        f"weights, {lm.key}": figures.weights_table(lm.key, lm.judged.rows, sanity),
    } | table_1(lm)


def table_1(lm) -> dict:
    """The paper's and ours; nothing where there is nothing to mask."""
    weight = weight_shown(lm)
    if weight is None:
        return {}
    arms = {NONE: masks.NONE, LOW_UTILITY: mask_shown(lm)}
    note = (
        f" At the weight {number(float(weight.weight), 3)} of eq. 4, which masks {weight.share:.1%} of the dimensions."
    )
    made = beside_the_paper.table(lm.key, lm.judged.rows, arms, "Tables 1 and 3, the paper's and ours", note)
    return {f"table 1 beside the paper's, {lm.key}": made}


@needs
def test_masking_low_utility_loses_little_at_some_weight(lm, judge):
    judge.interval(
        COST,
        lambda: lm.judged.sanity.measured(),
        of=lm.answering,
        paper=lambda: beside_table_1(lm),
        series=lambda: shown(lm),
    )


def share_masked(lm) -> float:
    chosen = lm.judged.sanity.chosen
    return 0.0 if chosen is None else chosen.share


def at_which_weight(lm) -> str:
    chosen = lm.judged.sanity.chosen
    return "no weight is admissible" if chosen is None else f"at the weight {number(float(chosen.weight), 3)}"


@needs
def test_beside_it_how_many_there_are(lm, judge):
    judge.exact(
        SHARE,
        lambda: share_masked(lm),
        of=lm,
        n=lambda: lm.heads_in_all,
        test="count over every head",
        note=lambda: at_which_weight(lm),
    )


@needs
def test_control_all_heads_blind(lm, judge):
    judge.units(
        SMALL,
        lambda: lm.judged.rows.cost(masks.ALL_BLIND) - lm.judged.rows.small(masks.ALL_BLIND),
        of=lm.control(NEGATIVE_CONTROL, "all-heads-blind"),
    )


@needs
def test_control_no_mask_at_all(lm, judge):
    judge.exact(
        SMALL,
        lambda: np.abs(lm.judged.rows.off).max() - HALVED,
        of=lm.control(POSITIVE_CONTROL, "nothing-masked"),
        n=lambda: lm.judged.rows.off.size,
        test="the plain model's own lead, question by question, against log 2",
    )


# table 1 in points, where whole questions are asked


def nothing_to_mask(answers) -> str:
    return "" if answers.masks.share(masks.LOW) else "no dimension has a utility below 0.5: there is nothing to mask"


def shown_in_points(lm) -> dict:
    answers = lm.answers.under_masks
    table = figures.mask_table(
        lm.key,
        answers,
        [masks.NONE, masks.LOW, masks.LOW_RANDOM, masks.LOW_OPPOSITE, masks.ALL_BLIND],
        "Table 1 regenerated",
        "table 1, means: Llama 54.09 to 54.15, OLMo 56.66 to 57.55, Qwen 58.72 to 57.36",
    )
    few = figures.answers_table(lm.key, answers, [masks.NONE, masks.LOW, masks.ALL_BLIND])
    return {f"table 1, {lm.key}": table, f"answers, {lm.key}": few}


@needs
@in_points
def test_masking_low_utility_loses_few_points(lm, judge):
    judge.units(
        POINTS,
        lambda: lm.answers.under_masks.cost(masks.LOW),
        of=lm.in_points,
        unable=lambda: nothing_to_mask(lm.answers.under_masks),
        note=lambda: f"{lm.answers.under_masks.masks.share(masks.LOW):.1%} of all query dimensions masked",
        paper=TABLE_1,
        series=lambda: shown_in_points(lm),
    )


@needs
@in_points
@pytest.mark.parametrize(
    ("rule", "other"), [(RANDOM, masks.LOW_RANDOM), (OPPOSITE, masks.LOW_OPPOSITE)], ids=["random", "highest"]
)
def test_beside_it_other_dimensions_cost_more_points(lm, judge, rule, other):
    judge.units(
        rule,
        lambda: lm.answers.under_masks.cost(other, against=masks.LOW),
        of=lm.in_points,
        unable=lambda: nothing_to_mask(lm.answers.under_masks),
    )


@needs
@in_points
def test_control_blind_heads_lose_many_points(lm, judge):
    judge.units(
        POINTS,
        lambda: lm.answers.under_masks.cost(masks.ALL_BLIND),
        of=lm.control(NEGATIVE_CONTROL, "all-heads-blind"),
    )


@needs
@in_points
def test_control_the_instrument_itself_loses_no_points(lm, judge):
    """The same first questions answered by the plain model, by its own `generate`, nothing registered or masked."""
    judge.exact(
        POINTS,
        lambda: lm.answers.instrument_cost().mean(),
        of=lm.control(POSITIVE_CONTROL, "nothing-masked"),
        n=lambda: len(lm.answers.instrument_cost()),
        test=ASKED_PLAINLY,
    )
