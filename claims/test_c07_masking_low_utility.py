"""C07 · §5.2, tables 1 and 3 · Query dimensions of low utility can be masked in all heads and little is lost.

The paper masks every query dimension whose utility is below 0.5 and asks its questions again. "Little" has no number in
the text; 2.2 points is the only loss that the paper puts a figure to and calls small, so it is the margin, as in C11.
The questions are the sample: each is asked with and without the mask, at every position of the answer.

Beside it stand controls that the paper lacks: as many dimensions of each head at random, as many of the highest utility,
and the dimensions that the scale-free reading of eq. 4 calls low.
"""

import pytest

from fixtures import head_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Prior, Rule
from fixtures.instruments import mask_conditions as masks
from fixtures.language_models import ASKED_PLAINLY

SMALL = 2.2
PAPERS_OWN = "2.2 points is the one loss that the paper puts a figure to and calls small (§5.4)"
COST = Rule("masking u < 0.5 costs little", "loss of mean accuracy with every dimension of utility below 0.5 masked", "below",
            SMALL, "points", PAPERS_OWN)  # fmt: skip
RANDOM = Rule(
    "as many random dimensions cost more", "how much more masking as many random dimensions of each head costs", "above",
    SMALL, "points", "more than a small loss, or the choice by utility buys nothing", decisive=False,
)  # fmt: skip
OPPOSITE = Rule(
    "as many of the highest utility cost more", "how much more masking as many dimensions of the highest utility costs",
    "above", SMALL, "points", "more than a small loss, or utility does not tell dimensions apart", decisive=False,
)  # fmt: skip
RELATIVE = Rule(
    "masking u < 0.5 costs little, scale-free", "loss of mean accuracy with every dimension masked whose utility by the "
    "scale-free reading of eq. 4 is below 0.5", "below", SMALL, "points", PAPERS_OWN, decisive=False,
)  # fmt: skip
SHARE = Rule(
    "a share worth masking", "share of all query dimensions with utility below 0.5", "above", 0.05, "of the dimensions",
    "under a twentieth there is no inefficiency to speak of; the paper does not print its share", decisive=False, per="head",
)  # fmt: skip

CLAIM = Claim(
    id="C07",
    title="Dimensions of low utility can be masked",
    source="§5.2, tables 1 and 3",
    scope=(PRETRAINED,),
    statement="Masking every query dimension with utility below 0.5, in all heads, loses little accuracy in all "
              "three models.",
    contradicted_if="the mean accuracy over the three positions falls by more than 2.2 points",
    unit_of_analysis="question",
    rules=(COST, RANDOM, OPPOSITE, RELATIVE, SHARE),
    prior=Prior("low", "pruning pays across tasks"),
    notes="The paper's own changes are +0.06 (Llama), +0.89 (OLMo) and -1.36 points (Qwen). Power: bounds are exact for "
          "right and wrong, so that a loss of 0 is decided where no more than one of 160 questions changes at one position; "
          "135 are the fewest that can. Controls: the same questions to the plain model must lose nothing against the "
          "instrumented one, and all heads blind must lose much.",
)  # fmt: skip

needs = pytest.mark.measures("heads", "answers")
MASKS = (masks.NONE, masks.LOW, masks.LOW_RANDOM, masks.LOW_OPPOSITE, masks.LOW_RELATIVE, masks.ALL_BLIND)


def share(answers, name: str) -> float:
    """Share of all query dimensions that a mask takes."""
    return float((~answers.masks.keep[answers.masks.names.index(name)]).mean())


def nothing_to_mask(answers) -> str:
    return "" if share(answers, masks.LOW) else "no dimension has a utility below 0.5: there is nothing to mask"


def shown(model) -> dict:
    answers = model.answers
    return {
        f"table 1, {model.key}": figures.mask_table(
            model.key, answers, list(MASKS), "Table 1 regenerated",
            "table 1, means: Llama 54.09 to 54.15, OLMo 56.66 to 57.55, Qwen 58.72 to 57.36",
        ),
        f"answers, {model.key}": figures.answers_table(model.key, answers, [masks.NONE, masks.LOW, masks.ALL_BLIND]),
    }  # fmt: skip


@needs
def test_masking_low_utility_loses_little(lm, judge):
    with lm.or_not_run(judge, COST):
        answers = lm.answers
        judge.units(
            COST.name, answers.cost(masks.LOW).tolist(), paper="table 1: -0.06, -0.89 and 1.36 points", series=shown(lm),
            note=f"{share(answers, masks.LOW):.1%} of all query dimensions masked",
            **lm.context(unable=nothing_to_mask(answers)),
        )  # fmt: skip


@needs
@pytest.mark.parametrize(
    ("rule", "other"), [(RANDOM, masks.LOW_RANDOM), (OPPOSITE, masks.LOW_OPPOSITE)], ids=["random", "highest"]
)
def test_beside_it_other_dimensions_cost_more(lm, judge, rule, other):
    with lm.or_not_run(judge, rule):
        answers = lm.answers
        more = answers.cost(other, against=masks.LOW)
        judge.units(rule.name, more.tolist(), **lm.context(unable=nothing_to_mask(answers)))


@needs
def test_beside_it_by_the_scale_free_reading(lm, judge):
    with lm.or_not_run(judge, RELATIVE):
        answers = lm.answers
        judge.units(RELATIVE.name, answers.cost(masks.LOW_RELATIVE).tolist(),
                    note=f"{share(answers, masks.LOW_RELATIVE):.1%} of all query dimensions masked",
                    **lm.context())  # fmt: skip


@needs
def test_beside_it_how_many_there_are(lm, judge):
    with lm.or_not_run(judge, SHARE):
        judge.exact(SHARE.name, share(lm.answers, masks.LOW), n=lm.answers.masks.retrieval.size, test="count over every head",
                    **lm.context())  # fmt: skip


@needs
def test_control_blind_heads_lose_much(lm, judge):
    with lm.or_not_run(judge, COST, "all-heads-blind", NEGATIVE_CONTROL):
        judge.units(
            COST.name, lm.answers.cost(masks.ALL_BLIND).tolist(), role=NEGATIVE_CONTROL, **lm.control("all-heads-blind")
        )


@needs
def test_control_the_instrument_itself_loses_nothing(lm, judge):
    """The same first questions answered by the plain model, by its own `generate`, nothing registered or masked."""
    with lm.or_not_run(judge, COST, "nothing-masked", POSITIVE_CONTROL):
        lost = lm.instrument_cost()
        judge.exact(COST.name, float(lost.mean()), n=len(lost), test=ASKED_PLAINLY, role=POSITIVE_CONTROL,
                    **lm.control("nothing-masked"))  # fmt: skip
