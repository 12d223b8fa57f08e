"""C05 · §5.1, figs. 2a and 5 · The rows of the query projection grow from the first (fastest) to the last dimension.

The paper plots, for three language models, the L1 norm of the query projection's rows by head dimension, averaged over
heads. Nothing is sampled there: the average runs over every head of the checkpoint, so a checkpoint's verdict is exact,
like an arithmetic check. Whether models trained alike do the same is a question of samples, and is decided over training
seeds, for each family of embedded models, as a verdict of its own.

"Rises from the first to the last" is two sentences: the last quarter lies over the first by more than what C03 calls
flat, and the order over all pairs is a rise. What a bias and a q_norm do to a row is accounted for and said.
"""

import numpy as np
import pytest

from fixtures import head_figures as figures
from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PRETRAINED, Claim, Prior, Rule
from fixtures.instruments import head_profiles as profiles

MORE_THAN_FLAT = "a tenth of the mean is what C03 calls flat"
HALF = "a rank correlation of 0.5 leaves three quarters of the variance of the ranks to something else: below, it is no rise"
GAP = Rule(
    "last quarter over first", "mean row norm of the last quarter of pairs minus that of the first, averaged over heads",
    "above", 0.1, "of the mean", MORE_THAN_FLAT, per="checkpoint",
)  # fmt: skip
ORDER = Rule(
    "rises with the dimension", "rank correlation of the head-averaged row norm with the pair's place in the order of "
    "frequencies", "above", 0.5, "", HALF, per="checkpoint",
)  # fmt: skip
GAP_BY_SEED = Rule("last quarter over first, over seeds", GAP.quantity, "above", 0.1, "of the mean", MORE_THAN_FLAT)
ORDER_BY_SEED = Rule("rises with the dimension, over seeds", ORDER.quantity, "above", 0.5, "", HALF)
BY_HEAD = Rule(
    "last quarter over first, head by head", "mean row norm of the last quarter of pairs minus that of the first, as a "
    "share of the head's mean", "above", 0.1, "of the mean", "that of the mean over heads; here each head counts alike",
    decisive=False, per="head",
)  # fmt: skip

CLAIM = Claim(
    id="C05",
    title="Query rows grow from the first to the last dimension",
    source="§5.1, figs. 2a and 5",
    scope=(PRETRAINED,),
    statement="The L1 norm of the query projection's rows, averaged over heads, rises from the first to the last "
    "dimension of a head in all three models.",
    contradicted_if="the last quarter of a model's pairs lies less than a tenth of the mean over the first, or the "
    "order over all pairs is no rise",
    unit_of_analysis="training seed",
    rules=(GAP, ORDER, GAP_BY_SEED, ORDER_BY_SEED, BY_HEAD),
    prior=Prior("high", "first dimensions get lower weights"),
    notes="Dimensions are in frequency order, and a pair's two are averaged. A bias counts as one more column of its "
    "row; a q_norm's gain is multiplied in, and sizes are then compared within the head or the layer that it divides "
    "by. Controls: models of random weights whose rows are planted to rise, to be flat, and to fall.",
)  # fmt: skip


def sizes_of(norms) -> np.ndarray:
    """(L, H, d), made comparable over heads."""
    return profiles.comparable(norms.norm, norms.within)


def profile_of(model) -> np.ndarray:
    """(D,) mean over all heads."""
    return profiles.mean_profile(sizes_of(model.norms))


def shown(model) -> dict:
    norms = model.norms
    return {
        f"fig. 2a, {model.key}": figures.profile(
            model.key, "row L1 norm", sizes_of(norms), norms.frequencies, model.range, "Fig. 2a",
            "fig. 2a: rises from the first to the last dimension in all three models",
        ),
        f"fig. 5, {model.key}": figures.heat(model.key, "row L1 norm", sizes_of(norms), "Fig. 5"),
    }  # fmt: skip


@pytest.mark.measures("norms")
def test_the_last_dimensions_have_larger_rows(lm, judge):
    with lm.or_not_run(judge, GAP):
        value = float(profiles.rise(profile_of(lm)))
        judge.exact(GAP.name, value, n=lm.norms.norm[..., 0].size, test="mean over every head", note=lm.norms.note,
                    paper="fig. 2a: rises", series=shown(lm), **lm.context())  # fmt: skip


@pytest.mark.measures("norms")
def test_rows_grow_with_the_dimension(lm, judge):
    with lm.or_not_run(judge, ORDER):
        judge.exact(ORDER.name, profiles.order(profile_of(lm)), n=lm.norms.norm[..., 0].size, test="mean over every head",
                    paper="fig. 2a: rises", **lm.context())  # fmt: skip


@pytest.mark.measures("norms")
def test_beside_it_head_by_head(lm, judge):
    with lm.or_not_run(judge, BY_HEAD):
        gaps = profiles.rise(profiles.by_pair(lm.norms.norm)).ravel()
        judge.units(BY_HEAD.name, gaps.tolist(), **lm.context())


@pytest.mark.measures("norms")
def test_models_trained_alike_do_alike(lm_family, judge):
    judge.units(
        GAP_BY_SEED.name, [float(profiles.rise(profile_of(one))) for one in lm_family.members], **lm_family.context()
    )


@pytest.mark.measures("norms")
def test_models_trained_alike_order_alike(lm_family, judge):
    judge.units(
        ORDER_BY_SEED.name, [profiles.order(profile_of(one)) for one in lm_family.members], **lm_family.context()
    )


# controls: models of random weights, whole, through loading, frequency map and norms


@pytest.mark.parametrize(
    ("plant", "role"),
    [("rising", POSITIVE_CONTROL), ("uniform", NEGATIVE_CONTROL), ("falling", NEGATIVE_CONTROL)],
)
@pytest.mark.parametrize("rule", [GAP, ORDER], ids=["gap", "order"])
def test_control_planted_rows(planted_model, judge, rule, plant, role):
    norms = planted_model(plant).norms
    profile = profiles.mean_profile(sizes_of(norms))
    value = float(profiles.rise(profile)) if rule is GAP else profiles.order(profile)
    judge.exact(rule.name, value, n=norms.norm[..., 0].size, test="mean over every head", model=f"planted/{plant}", role=role,
                provenance={"weights": "planted by construction"})  # fmt: skip
