"""C10 · §5.2, fig. 4 · Larger query rows go with higher utility.

The paper draws, for the first and for the last dimensions, a head's row norms against its utility scores, with a regression
line, and decides nothing. Here the sign is decided: over heads for each end, and over the dimensions within a head. As in
C08, heads of few layers decide nothing by themselves; families of models are judged over training seeds. Later work finds
that the sign differs between families (arXiv 2606.21249: Qwen d = -0.49, OLMo d = +0.50).
"""

import numpy as np
import pytest

from fixtures import head_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, Claim, Rule
from fixtures.instruments import head_profiles as profiles

SIGN = "'go together' says a sign and no size"
IS = "Pearson correlation over heads of the mean row norm with the mean utility of the {} eighth of the dimensions"
WITHIN_IS = "mean over heads of the rank correlation, over the pairs of a head, of row norm with utility"
TENTH = (
    "below 0.1 a rank correlation explains a hundredth of the variance of the ranks: nothing that a person would see"
)
LAST = Rule("last dimensions", IS.format("last"), "above", 0.0, "", SIGN, shift=0.1)
FIRST = Rule("first dimensions", IS.format("first"), "above", 0.0, "", SIGN, shift=0.1)
WITHIN = Rule("within heads", WITHIN_IS, "above", 0.1, "", TENTH, per="group of prompts")
LAST_BY_SEED = Rule(
    "last dimensions, over seeds", IS.format("last"), "above", 0.0, "", SIGN, per="training seed", shift=0.1
)
FIRST_BY_SEED = Rule(
    "first dimensions, over seeds", IS.format("first"), "above", 0.0, "", SIGN, per="training seed", shift=0.1
)
WITHIN_BY_SEED = Rule("within heads, over seeds", WITHIN_IS, "above", 0.1, "", TENTH, per="training seed")
OVER_HEADS = {"last": LAST, "first": FIRST}
OVER_SEEDS = {"last": LAST_BY_SEED, "first": FIRST_BY_SEED}

CLAIM = Claim(
    id="C10",
    title="Larger query rows go with higher utility",
    source="§5.2, fig. 4",
    statement="A head's query row norms and its utility scores go together: over heads, for the first and for the "
    "last dimensions, and over the dimensions within a head.",
    contradicted_if="a correlation has the other sign, or within heads is below 0.1",
    unit_of_analysis="head",
    rules=(LAST, FIRST, WITHIN, LAST_BY_SEED, FIRST_BY_SEED, WITHIN_BY_SEED),
    notes="The paper shows fig. 4 and states no sign; the sentence decided is ours. Norms are made comparable over "
          "heads as in C05. Controls: heads drawn with a planted relation of either sign.",
)  # fmt: skip

needs = pytest.mark.measures("norms", "heads")


def norms_of(model) -> np.ndarray:
    return profiles.comparable(model.norms.norm, model.norms.within)


def ends(model, end: str) -> tuple[np.ndarray, np.ndarray]:
    """(L, H) mean row norm, (L, H) mean utility of that eighth."""
    return profiles.of_end(norms_of(model), end), profiles.of_end(model.heads.utility(), end)


def within(model) -> list[float]:
    """One number a group of prompts: the mean over heads of the rank correlation over pairs."""
    groups = model.heads.by_reading["sum"]
    return [float(profiles.order_within_heads(model.norms.norm, utility).mean()) for utility in groups]


def judge_over_heads(judge, rule: Rule, x: np.ndarray, y: np.ndarray, **context):
    judge.interval(
        rule.name, lambda: profiles.correlation_of_checkpoint(x, y, rule.side, rule.margin, CLAIM.alpha), **context
    )


@needs
@pytest.mark.parametrize("end", OVER_HEADS)
def test_norm_and_utility_over_heads(lm, judge, end):
    with lm.or_not_run(judge, OVER_HEADS[end]):
        series = (
            {f"fig. 4, {lm.key}": figures.norm_scatter(lm.key, norms_of(lm), lm.heads.utility())}
            if end == "last"
            else {}
        )
        judge_over_heads(judge, OVER_HEADS[end], *ends(lm, end), series=series, paper="fig. 4: a scatter, no number",
                         **lm.context())  # fmt: skip


@needs
def test_norm_and_utility_within_heads(lm, judge):
    with lm.or_not_run(judge, WITHIN):
        judge.units(WITHIN.name, within(lm), **lm.context())


@needs
@pytest.mark.parametrize("end", OVER_SEEDS)
def test_models_trained_alike(lm_family, judge, end):
    lm_family.needs_heads(judge, OVER_SEEDS[end])
    judge.units(OVER_SEEDS[end].name, lambda: [profiles.correlation(*ends(one, end)) for one in lm_family.members],
                **lm_family.context())  # fmt: skip


@needs
def test_models_trained_alike_within_heads(lm_family, judge):
    judge.units(WITHIN_BY_SEED.name, [float(np.mean(within(one))) for one in lm_family.members], **lm_family.context())


@pytest.mark.parametrize(("sign", "role"), [(1, POSITIVE_CONTROL), (-1, NEGATIVE_CONTROL)], ids=["together", "against"])
@pytest.mark.parametrize("rule", [LAST, FIRST], ids=["last", "first"])
def test_control_planted_heads(judge, rule, sign, role):
    judge_over_heads(judge, rule, *profiles.planted_heads(sign * 0.6, seed=10),
                     model=f"planted/{'together' if sign > 0 else 'against'}", role=role,
                     provenance={"data": "planted by construction"})  # fmt: skip


@pytest.mark.parametrize(
    ("plant", "role"), [("rising", POSITIVE_CONTROL), ("falling-against", NEGATIVE_CONTROL)], ids=["rising", "against"]
)
def test_control_planted_profiles(judge, plant, role):
    """Eight heads whose rows grow with the dimension, and whose utility does the same or the opposite, with noise."""
    draw = np.random.default_rng(11)
    rising = np.repeat(np.linspace(0.2, 1, 32), 2)
    norm = rising + 0.1 * draw.normal(size=(2, 4, 64))
    utility = (rising if plant == "rising" else rising[::-1]) + 0.1 * draw.normal(size=(3, 2, 4, 64))
    samples = [float(profiles.order_within_heads(norm, one).mean()) for one in utility]
    judge.units(
        WITHIN.name, samples, model=f"planted/{plant}", role=role, provenance={"data": "planted by construction"}
    )
