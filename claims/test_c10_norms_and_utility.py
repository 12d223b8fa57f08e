"""C10 · §5.2, fig. 4 · Larger query rows go with higher utility.

The paper draws, for the first and for the last dimensions, a head's row norms against its utility scores, with a
regression line, and decides nothing. Here the sign is decided, at each admissible weight of eq. 4 (C07): over heads
for each end, and over the pairs within a head. As in C08, heads of few layers decide nothing by themselves. Later
work finds that the sign differs between families (arXiv 2606.21249: Qwen d = -0.49, OLMo d = +0.50).
"""

import numpy as np
import pytest

from fixtures.figures import head_figures as figures
from fixtures.instruments import head_profiles as profiles
from fixtures.measurements import language
from fixtures.measurements.admissible import counted, on_every
from fixtures.run.census import measures
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Rule
from fixtures.verdict.statistics import mean_of_units
from fixtures.verdict.subject import Subject

IS = "Pearson correlation over heads of the mean row norm with the mean utility of the {} eighth of the dimensions"
SIGN = "'go together' says a sign; below 0.1 a correlation explains a hundredth of the variance, which nobody would see"
OVER_HEADS = {
    end: Rule(name=f"{end} dimensions", quantity=IS.format(end), side="above", margin=0.1, unit="", why=SIGN)
    for end in ("last", "first")
}
WITHIN = Rule(
    name="within heads",
    quantity="mean over heads of the rank correlation, over the pairs of a head, of row norm with utility",
    side="above",
    margin=0.1,
    unit="",
    why="below 0.1 a rank correlation explains a hundredth of the variance of the ranks: "
    "nothing that a person would see",
    per="context",
)

CLAIM = Claim(
    id="C10",
    scope=(PRETRAINED,),
    title="Larger query rows go with higher utility",
    source="§5.2, fig. 4",
    statement="A head's query row norms and its utility scores go together: over heads, "
    "for the first and for the last dimensions, and over the dimensions within a head.",
    contradicted_if="at every weight of eq. 4 that may be admissible a correlation is below 0.1",
    unit_of_analysis="head",
    rules=(*OVER_HEADS.values(), WITHIN),
    notes="The paper shows fig. 4 and states no sign; the sentence decided is ours. "
    "Norms are the rows as the paper takes them (C05), "
    "divided by the mean of their head or layer where a q_norm divides by that. Controls: "
    "heads drawn with a planted relation of either sign.",
)

needs = measures(language.norms, language.utility, language.contexts)


def norms_of(lm) -> np.ndarray:
    """(L, H, d)"""
    return profiles.comparable(lm.norms.rows, lm.norms.within)


def over_heads(lm, end: str):
    rule, sizes, mean = OVER_HEADS[end], profiles.of_end(norms_of(lm), end), lm.eq4.judging.mean
    used = [profiles.of_end_in_pairs(mean[one.index], end) for one in counted(lm.judged.sanity)]
    return on_every([correlated(sizes, one, rule) for one in used], rule.side)


def correlated(sizes: np.ndarray, used: np.ndarray, rule: Rule):
    return profiles.correlation_of_checkpoint(sizes, used, rule.side, rule.margin, CLAIM.alpha)


def order(rows: np.ndarray, u: np.ndarray) -> float:
    """Mean over heads of the rank correlation over pairs. rows: (L, H, d); u: (L, H, D)."""
    return float(profiles.order_within_heads(profiles.by_pair(rows), u).mean())


def within(lm):
    """One number a context, at each weight that counts."""
    at = [[order(lm.norms.rows, u) for u in lm.eq4.judging.u[:, one.index]] for one in counted(lm.judged.sanity)]
    return on_every([mean_of_units(units, WITHIN.side, WITHIN.margin, CLAIM.alpha) for units in at], WITHIN.side)


def shown(lm) -> dict:
    chosen = lm.judged.sanity.chosen
    if chosen is None:
        return {}
    u = lm.eq4.judging.mean[chosen.index]
    return {f"fig. 4, {lm.key}": figures.norm_scatter(lm.key, profiles.by_pair(norms_of(lm)), u)}


@needs
@pytest.mark.parametrize("end", OVER_HEADS)
def test_norm_and_utility_over_heads(lm, judge, end):
    judge.interval(
        OVER_HEADS[end],
        lambda: over_heads(lm, end),
        of=lm,
        paper="fig. 4: a scatter, no number",
        series=lambda: shown(lm) if end == "last" else {},
    )


@needs
def test_norm_and_utility_within_heads(lm, judge):
    judge.interval(WITHIN, lambda: within(lm), of=lm)


@pytest.mark.parametrize(("sign", "role"), [(1, POSITIVE_CONTROL), (-1, NEGATIVE_CONTROL)], ids=["together", "against"])
@pytest.mark.parametrize("end", OVER_HEADS)
def test_control_planted_heads(judge, end, sign, role):
    sizes, used = profiles.planted_heads(sign * 0.6, seed=10)
    judge.interval(
        OVER_HEADS[end],
        lambda: correlated(sizes, used, OVER_HEADS[end]),
        of=Subject.planted("together" if sign > 0 else "against", role),
    )


@pytest.mark.parametrize(
    ("plant", "role"), [("rising", POSITIVE_CONTROL), ("falling-against", NEGATIVE_CONTROL)], ids=["rising", "against"]
)
def test_control_planted_profiles(judge, plant, role):
    """Eight heads whose rows grow with the dimension, and whose utility does the same or the opposite, with noise."""
    draw = np.random.default_rng(11)
    rising = np.linspace(0.2, 1, 32)
    rows = np.repeat(rising, 2) + 0.1 * draw.normal(size=(2, 4, 64))
    u = (rising if plant == "rising" else rising[::-1]) + 0.1 * draw.normal(size=(3, 2, 4, 32))
    judge.units(WITHIN, [order(rows, one) for one in u], of=Subject.planted(plant, role))
