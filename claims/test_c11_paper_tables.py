"""C11 · §5.2 and §5.4, tables 1-3 · The paper's sentences follow from its own printed numbers.

Nothing is measured here: the tables are read, and each sentence about them is worked out. Two kinds of row stand side
by side. ARITHMETIC asks whether the sentence follows from the numbers in print; it is exact and it decides. INFERENCE
asks whether 2655 questions are enough to tell the difference from luck; it is shown beside and decides nothing, because
the sentence was about the table.

How the inference works: every cell answers the same questions, so the right test pairs the answers. The tables print
how many answers were right, not which, so the pairing is lost. The rows take the cells as independent binomial samples.
That makes them too wide when answers to one question agree between cells, as one expects of one model with and without
a mask. The table of sentences also gives the largest error that any pairing allows. "In all three models" is a
conjunction and is not corrected; the inference rows are many chances at once, so Holm's correction runs over all 21.

What "slightly", "hurts" and "detrimental" mean the paper does not say. The margins below are its own numbers: 2.2
points is the loss it reports as small, and 11.9 points is what moving the answer does to an unmasked model. Three more
rows ask what nobody claimed but a reader may want to know; they decide nothing either.
"""

import dataclasses
import re

import pytest

from fixtures.paper import audit, planted, power, shown
from fixtures.paper.tables import (
    FIRST_16,
    FIRST_32,
    LAST_16,
    LAST_32,
    LLAMA,
    LOW_UTILITY,
    MODELS,
    POSITIONS,
    PRINTED,
    QWEN,
    as_printed,
)
from fixtures.verdict.claim import CLAIM_ROLE, NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.verdict.claim import PRINTED as PRINTED_TABLES
from fixtures.verdict.statistics import normal_interval
from fixtures.verdict.subject import Subject

SMALL = 2.2
ROUNDING = "two printed numbers are each within 0.005 of what was measured: a smaller difference could be rounding"
FOUR_ROUNDINGS = ROUNDING.replace("two", "four")
PAPERS_OWN = "the paper's own figure, reported as a small loss (§5.4)"

MEANS = Rule(
    name="means",
    quantity="largest distance of a printed mean from the mean of its columns",
    side="below",
    margin=0.01,
    unit="points",
    why="the mean is rounded by up to 0.005 points and so is each of its columns",
)

NEARER = {
    position: Rule(
        name=f"d, nearer than the {position}",
        quantity=f"how much less masking [-16:] costs with the answer in the 20th document than in the {position}",
        side="above",
        margin=0.02,
        unit="points",
        why=FOUR_ROUNDINGS,
        shift=SMALL / 2,
    )
    for position in ("1st", "10th")
}
SENTENCES_OF_TABLE_2 = {
    Rule(
        name="a, [:16] raises",
        quantity="rise of the mean accuracy with [:16] masked",
        side="above",
        margin=0.01,
        unit="points",
        why=ROUNDING,
        shift=SMALL / 2,
    ): audit.rise(FIRST_16),
    Rule(
        name="b, [:32] costs little",
        quantity="loss of mean accuracy with [:32] masked",
        side="below",
        margin=SMALL,
        unit="points",
        why=PAPERS_OWN,
    ): audit.cost(FIRST_32),
    Rule(
        name="c, [-16:] hurts",
        quantity="loss of mean accuracy with [-16:] masked",
        side="above",
        margin=SMALL,
        unit="points",
        why="what hurts must cost more than the 2.2 points that the paper reports as a small loss",
    ): audit.cost(LAST_16),
    Rule(
        name="c, [-32:] is detrimental",
        quantity="loss of mean accuracy with [-32:] masked",
        side="above",
        margin=11.9,
        unit="points",
        why="more than the largest swing that moving the answer causes in an unmasked model (Llama, 60.49 to 48.59), "
        "the effect that the benchmark was made to show",
    ): audit.cost(LAST_32),
    **{rule: audit.relief(LAST_16, position) for position, rule in NEARER.items()},
}
"""The sentences that C09 asks of a model."""
SENTENCES = {
    **SENTENCES_OF_TABLE_2,
    Rule(
        name="masking u < 0.5 costs little",
        quantity="loss of mean accuracy with every dimension of utility below 0.5 masked",
        side="below",
        margin=SMALL,
        unit="points",
        why="'little is lost' has no number in the text; "
        "2.2 points is the only loss that the paper puts a figure to and calls small",
    ): audit.cost(LOW_UTILITY),
}

SAMPLING = {
    dataclasses.replace(rule, name=f"{rule.name}, beyond sampling", decisive=False, family="beyond sampling"): rule
    for rule in SENTENCES
}
"""Rule on the error of drawing the questions -> the rule on the same sentence by arithmetic."""

SLIGHT = Rule(
    name="a, the rise is slight",
    quantity="rise of the mean accuracy with [:16] masked",
    side="below",
    margin=SMALL,
    unit="points",
    why="a rise is slight where a loss of the same size would be called small",
    decisive=False,
)
WORST_POSITION = Rule(
    name="b, at the worst position",
    quantity="loss of accuracy with [:32] masked, at the position of the answer that loses most",
    side="below",
    margin=SMALL,
    unit="points",
    why="the sentence speaks of the mean; a mean can hide a position at which much is lost",
    decisive=False,
)
COUNTS = Rule(
    name="whole counts",
    quantity="largest distance of a printed accuracy from a whole number of right answers out of 2655",
    side="below",
    margin=0.005,
    unit="points",
    why="rounding to two decimals moves a number by up to 0.005 points",
    decisive=False,
)

CLAIM = Claim(
    id="C11",
    title="The paper's sentences follow from its own tables",
    source="§5.2 and §5.4, tables 1-3",
    scope=(PRINTED_TABLES,),
    statement="Every printed mean is the mean of its columns. "
    "Masking the first 16 dimensions of the retrieval heads raises the mean and the first 32 cost less than 2.2 "
    "points; masking the last 16 hurts and the last 32 is detrimental; "
    "the last 16 hurt less when the answer is in the 20th, nearest, document; "
    "masking dimensions of low utility loses little.",
    contradicted_if="a mean is not that of its columns, "
    "or a sentence is false of a model's printed numbers by more than rounding",
    unit_of_analysis="question",
    rules=(MEANS, *SENTENCES, SLIGHT, WORST_POSITION, COUNTS, *SAMPLING),
    families={"beyond sampling": len(SAMPLING) * len(MODELS)},
    notes="The nearest-document sentence is tested against the 1st and against the 10th document apart, "
    "since 'less' does not say than which. Rows named 'beyond sampling' take 2655 questions as a sample; "
    "arithmetic rows have no sampling error. '[:16]' is the 8 fastest pairs. "
    "The row 'whole counts' finds accuracies that are one hundredth of a point from any whole number of right answers "
    "out of 2655: far too little to touch a sentence.",
)

SHOWN = {
    (MEANS, LLAMA): lambda: {
        "every printed row": shown.every_row(list(PRINTED.values())),
        "mean accuracy by dose": shown.dose(list(PRINTED.values())),
    },
    (NEARER["10th"], QWEN): lambda: {
        "sentences by model": shown.sentences(list(PRINTED.values()), SENTENCES, CLAIM.alpha),
        "cost by position": shown.cost_by_position(list(PRINTED.values())),
        "power": power.power_table(list(PRINTED.values()), SENTENCES_OF_TABLE_2, CLAIM.alpha),
    },
}
"""(rule, model) -> the tables and figures that stand with that row."""

models = pytest.mark.parametrize("model", MODELS)


def by_name(rules):
    """Parametrise over rules, with ids free of the brackets in '[:16]'."""
    return pytest.mark.parametrize("rule", list(rules), ids=lambda rule: re.sub(r"[^\w.]+", "-", rule.name))


def series_of(rule: Rule, table):
    return SHOWN.get((rule, table.key), dict)


def audit_means(judge, table, role=CLAIM_ROLE):
    """Judge the worst deviation of a printed mean from that of its columns."""
    judge.exact(
        MEANS,
        float(max(audit.mean_deviation(row) for row in table.rows)),
        of=Subject(table.key, role=role),
        n=len(table.rows),
        test="worst of the printed rows, exact",
        worst=True,
        series=series_of(MEANS, table),
    )


def audit_sentence(judge, rule, table, role=CLAIM_ROLE):
    """Judge one sentence by arithmetic on the printed numbers."""
    contrast = SENTENCES[rule]
    judge.exact(
        rule,
        float(audit.printed(table, contrast)),
        of=Subject(table.key, role=role),
        n=1,
        test="arithmetic on printed numbers, exact",
        note=audit.working(table, contrast),
        paper=audit.numbers_used(table, contrast),
        series=series_of(rule, table),
    )


def audit_sampling(judge, rule, table, role=CLAIM_ROLE):
    """Judge the same contrast with the error of drawing the questions."""
    contrast = SENTENCES[SAMPLING[rule]]
    drawn = audit.sampling(table, contrast)
    measured = normal_interval(
        drawn.estimate,
        drawn.se,
        rule.side,
        rule.margin,
        CLAIM.alpha,
        drawn.n,
        f"z interval, cells as independent binomial samples (standard error {drawn.se:.2f}; at most "
        f"{drawn.se_bound:.2f} whatever the pairing)",
    )
    judge.interval(
        rule,
        measured,
        of=Subject(table.key, role=role),
        paper=audit.numbers_used(table, contrast),
    )


def audit_slight(judge, table, role=CLAIM_ROLE):
    """Judge whether the rise of sentence (a) is as small as it says."""
    contrast = audit.rise(FIRST_16)
    judge.exact(
        SLIGHT,
        float(audit.printed(table, contrast)),
        of=Subject(table.key, role=role),
        n=1,
        test=f"arithmetic: {audit.working(table, contrast)}",
        paper=audit.numbers_used(table, contrast),
    )


def audit_worst_position(judge, table, role=CLAIM_ROLE):
    """Judge sentence (b) where it is weakest."""
    column, loss = audit.worst_cost(table, FIRST_32)
    contrast = audit.cost(FIRST_32, column)
    judge.exact(
        WORST_POSITION,
        float(loss),
        of=Subject(table.key, role=role),
        n=len(POSITIONS),
        test=f"worst of the positions, exact: {column}, {audit.working(table, contrast)}",
        worst=True,
        paper=audit.numbers_used(table, contrast),
    )


def audit_counts(judge, table, role=CLAIM_ROLE):
    """Judge whether the printed accuracies can be those of 2655 questions."""
    cells = [(row.arm, column) for row in table.rows for column in POSITIONS]
    arm, column = max(cells, key=lambda cell: audit.count_distance(table.cell(*cell)))
    value = table.cell(arm, column)
    judge.exact(
        COUNTS,
        float(audit.count_distance(value)),
        of=Subject(table.key, role=role),
        n=len(cells),
        test=f"worst of the printed accuracies, exact: {arm} {column}, nearest {audit.nearest_count(value)} right",
        worst=True,
        paper=f"{arm} {column} {as_printed(value)}",
    )


@models
def test_every_mean_is_the_mean_of_its_columns(judge, model):
    audit_means(judge, PRINTED[model])


@models
@by_name(SENTENCES)
def test_the_sentence_follows_from_the_table(judge, model, rule):
    audit_sentence(judge, rule, PRINTED[model])


@models
@by_name(SAMPLING)
def test_and_is_it_more_than_sampling(judge, model, rule):
    audit_sampling(judge, rule, PRINTED[model])


@models
def test_and_is_the_rise_slight(judge, model):
    audit_slight(judge, PRINTED[model])


@models
def test_and_does_little_hold_at_every_position(judge, model):
    audit_worst_position(judge, PRINTED[model])


@models
def test_and_are_the_accuracies_whole_counts(judge, model):
    audit_counts(judge, PRINTED[model])


# Controls: Llama's numbers with one thing made false must be contradicted; a table where all holds must be supported.

NEAR_SUFFERS = {
    NEARER["1st"]: planted.positions_reversed(PRINTED[LLAMA]),
    NEARER["10th"]: planted.tenth_and_twentieth_exchanged(PRINTED[LLAMA]),
}
ENDS = planted.ends_exchanged(PRINTED[LLAMA])


def false_table(rule):
    """The planted table of which the sentence of `rule` is false."""
    return NEAR_SUFFERS.get(SAMPLING.get(rule, rule), ENDS)


def test_a_wrong_mean_is_caught(judge):
    audit_means(judge, planted.wrong_mean(PRINTED[LLAMA], FIRST_32, off_by=2), role=NEGATIVE_CONTROL)


@by_name(SENTENCES)
def test_a_false_sentence_is_contradicted(judge, rule):
    audit_sentence(judge, rule, false_table(rule), role=NEGATIVE_CONTROL)


@by_name(SAMPLING)
def test_a_false_sentence_is_contradicted_beyond_sampling(judge, rule):
    audit_sampling(judge, rule, false_table(rule), role=NEGATIVE_CONTROL)


def test_a_large_rise_is_not_slight(judge):
    audit_slight(judge, planted.raised(PRINTED[LLAMA], FIRST_16, by=500), role=NEGATIVE_CONTROL)


def test_a_loss_at_one_position_is_caught(judge):
    audit_worst_position(judge, ENDS, role=NEGATIVE_CONTROL)


def test_accuracies_between_counts_are_caught(judge):
    audit_counts(judge, planted.between_counts(PRINTED[LLAMA]), role=NEGATIVE_CONTROL)


def test_right_means_pass(judge):
    audit_means(judge, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)


@by_name(SENTENCES)
def test_a_true_sentence_is_supported(judge, rule):
    audit_sentence(judge, rule, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)


@by_name(SAMPLING)
def test_a_true_sentence_is_supported_beyond_sampling(judge, rule):
    audit_sampling(judge, rule, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)


def test_a_small_rise_is_slight(judge):
    audit_slight(judge, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)


def test_a_small_loss_at_every_position_passes(judge):
    audit_worst_position(judge, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)


def test_accuracies_of_whole_counts_pass(judge):
    audit_counts(judge, planted.ALL_SENTENCES_HOLD, role=POSITIVE_CONTROL)
