"""C08 · §5.3, fig. 3 · Retrieval heads make more use of the last (slowest) dimensions, and less of the first.

The paper correlates, over the heads of a model, how much attention flows from question and output to the context with
the mean utility of the head's last 16 and first 16 dimensions. Positive for the last in all three models; negative for
the first in Llama and OLMo, and Qwen is named as an exception.

Heads of one layer are not independent, and neither are layers next to each other. In a checkpoint with sixteen layers
or more the interval comes from leaving out blocks of four layers. With fewer layers a difference between heads cannot be
told from one between layers, and what is decided is the correlation within layers, over heads. Models that differ in
their seed alone are judged over seeds too, as a family. What a retrieval head is depends on the definition: the copy
score of Wu et al. (2024) stands beside the paper's indicator.
"""

import numpy as np
import pytest

from fixtures import head_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.instruments import head_profiles as profiles
from fixtures.instruments.head_agreement import agreement
from fixtures.statistics import StatisticsError

SIGN = "'correlates positively' and 'negatively' say a sign and no size"
IS = (
    "Pearson correlation over heads of the retrieval indicator with the mean utility of the {} eighth of the dimensions"
)
LAST = Rule("last dimensions", IS.format("last"), "above", 0.0, "", SIGN)
FIRST = Rule("first dimensions", IS.format("first"), "below", 0.0, "", SIGN)
LAST_BY_SEED = Rule("last dimensions, over seeds", IS.format("last"), "above", 0.0, "", SIGN, per="training seed")
FIRST_BY_SEED = Rule("first dimensions, over seeds", IS.format("first"), "below", 0.0, "", SIGN, per="training seed")
FIRST_OF_QWEN = Rule(
    "first dimensions, Qwen", IS.format("first"), "below", 0.0, "", f"{SIGN}; the paper names Qwen as the exception here",
    decisive=False,
)  # fmt: skip
WITHIN = Rule(
    "last dimensions, within layers, over seeds", "Pearson correlation over heads, each layer's mean taken out, of "
                "the retrieval "
    "indicator with the mean utility of the last eighth of the dimensions", "above", 0.0, "",
    f"{SIGN}; within a layer nothing but the head differs", decisive=False, per="training seed",
)  # fmt: skip
AGREE = Rule(
    "definitions agree", "rank correlation over heads of the paper's indicator with the copy score of Wu et al.", "above",
    0.5,
    "", "a rank correlation of 0.5 leaves three quarters of the variance of the ranks to something else", decisive=False,
    per="checkpoint",
)  # fmt: skip
BY_END = {"last": LAST, "first": FIRST}
BY_SEED = {"last": LAST_BY_SEED, "first": FIRST_BY_SEED}

CLAIM = Claim(
    id="C08",
    title="Retrieval heads use the last dimensions",
    source="§5.3, fig. 3",
    statement="Across heads the retrieval indicator correlates positively with the utility of the last 16 dimensions "
              "in all three models, and negatively with that of the first 16 in Llama and OLMo.",
    contradicted_if="the correlation has the other sign",
    unit_of_analysis="head",
    rules=(LAST, FIRST, LAST_BY_SEED, FIRST_BY_SEED, FIRST_OF_QWEN, WITHIN, AGREE),
    notes="16 of 128 dimensions is an eighth of a head. Retrieval indicator: attention weight from question and "
    "output to instruction and documents, the first token excluded where it is begin-of-sequence. Controls: heads "
    "drawn with a planted correlation of either sign, 32 layers of 8. In the embedded models no head copies by the "
    "definition of Wu et al.: a local head carries each value to the place of its key, where retrieval heads look.",
)  # fmt: skip

needs = pytest.mark.measures("heads")


def ends(model, end: str) -> tuple[np.ndarray, np.ndarray]:
    """(L, H) indicator, (L, H) mean utility of that eighth."""
    return model.heads.indicator, profiles.of_end(model.heads.utility(), end)


def agreed(heads, threshold: float):
    """How far the paper's indicator and the copy score agree. StatisticsError where one says nothing."""
    if heads.copy is None:
        raise StatisticsError("no answer holds a token of its gold document: nothing is copied")
    return agreement(heads.indicator, heads.copy, (threshold, threshold))


def definitions_table(model) -> dict:
    """How many heads each definition calls retrieval heads, and how far the two agree."""
    heads, rows = model.heads, []
    for threshold in (0.1, 0.3, 0.5, 0.7):
        try:
            found = agreed(heads, threshold)
            cells = [
                str(found.second),
                "-" if found.jaccard is None else f"{found.jaccard:.2f}",
                f"{found.spearman:.2f}",
            ]
        except StatisticsError as why:
            cells = [str(why), "-", "-"]
        rows.append([f"{threshold}", str(int((heads.indicator > threshold).sum())), *cells])
    return {
        "kind": "table",
        "title": f"What is a retrieval head? {model.key}",
        "columns": ["over", "heads by indicator", "heads by copy score", "Jaccard of the sets", "Spearman of the scores"],
        "rows": rows,
        "caption": f"{heads.indicator.size} heads, {heads.passages} prompts with the model's own answers. Copy score "
                   f"(Wu et al. 2024): how often the head looks most at the very token that is being written.",
        "paper": "§5.4: heads with indicator > 0.5",
    }  # fmt: skip


def shown(model) -> dict:
    heads = model.heads
    return {
        f"fig. 3, {model.key}": figures.indicator_scatter(model.key, heads.utility(), heads.indicator),
        f"definitions, {model.key}": definitions_table(model),
    }


def judge_checkpoint(judge, rule: Rule, x: np.ndarray, y: np.ndarray, **context):
    """Decide a correlation over the heads of one checkpoint."""
    judge.interval(
        rule.name, lambda: profiles.correlation_of_checkpoint(x, y, rule.side, rule.margin, CLAIM.alpha), **context
    )


@needs
@pytest.mark.parametrize("end", BY_END)
def test_retrieval_heads_and_the_dimensions_they_use(lm, judge, end):
    rule = FIRST_OF_QWEN if end == "first" and lm.is_qwen else BY_END[end]
    with lm.or_not_run(judge, rule):
        judge_checkpoint(judge, rule, *ends(lm, end), series=shown(lm) if end == "last" else {},
                         paper=f"fig. 3: {'positive' if end == 'last' else 'negative, but for Qwen'}",
                         **lm.context())  # fmt: skip


@needs
@pytest.mark.parametrize("end", BY_SEED)
def test_models_trained_alike(lm_family, judge, end):
    lm_family.needs_heads(judge, BY_SEED[end])
    judge.units(BY_SEED[end].name, lambda: [profiles.correlation(*ends(one, end)) for one in lm_family.members],
                **lm_family.context())  # fmt: skip


@needs
def test_beside_it_within_layers(lm_family, judge):
    lm_family.needs_heads(judge, WITHIN)
    judge.units(WITHIN.name, lambda: [profiles.within_layers(*ends(one, "last")) for one in lm_family.members],
                **lm_family.context())  # fmt: skip


@needs
def test_beside_it_the_two_definitions_agree(lm, judge):
    with lm.or_not_run(judge, AGREE):
        judge.exact(AGREE.name, lambda: agreed(lm.heads, 0.5).spearman, n=lm.heads.indicator.size, test="over every head",
                    **lm.context())  # fmt: skip


@pytest.mark.parametrize("rule", [LAST, FIRST], ids=["last", "first"])
@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "negative"])
def test_control_planted_heads(judge, rule, sign):
    right = (rule is LAST) == (sign > 0)
    judge_checkpoint(judge, rule, *profiles.planted_heads(sign * 0.6, seed=8),
                     model=f"planted/{'positive' if sign > 0 else 'negative'}",
                     role=POSITIVE_CONTROL if right else NEGATIVE_CONTROL,
                     provenance={"data": "planted by construction"})  # fmt: skip
