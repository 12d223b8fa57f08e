"""C12 · against §4, fig. 1a and §5.2, fig. 2 · In real models, by others' measurements, fast pairs matter least.

MHA2MLA ranked the rotary pairs of every head of seven real models by |q||k|, the product of the mean 2-norms of the
pair's query and key over text, to choose which pairs may keep their rotation. Nobody made these ranks to test the paper,
which is their worth; and they are not its utility score (eq. 4), which is their limit: norms know nothing of angles, of
the softmax or of what the head passes on, and a rank hides by how much a pair is ahead.

Two sentences of the paper are taken over to them. "Lower in the first dimensions" (fig. 1a) becomes: the fastest quarter
lies markedly under the mean, and is the least important quarter of the four. "Rises from the first to the last" (fig. 2)
becomes: each quarter is more important than the next faster one. The second decides too: a sentence that says "rises"
describes the middle as well as the ends, and a model that is right at the ends alone has a row of its own to say so.

Beside it stand, deciding nothing: how closely each model's mean profile follows the Dirichlet kernel for its base and
trained context (C02), whether the kernel says more than a straight line over the pairs, and what DuoAttention's gates
call a retrieval head, where the paper, and the copy score it cites, find few.
"""

import contextlib

import numpy as np
import pytest

from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PUBLISHED, Claim, Rule
from fixtures.data.published import BY_QUERY_HEAD, GATE_FILES, RANK_FILES, HeadGates, PublishedError, Unavailable
from fixtures.instruments import pair_importance as pairs
from fixtures.rope.dirichlet import is_fast, modulus

SHARE = "of the pairs"
SIGN = "'{}' says an order, and an order has a sign and no size; how large the gap is, 'fastest quarter is lower' says"

LOWER = Rule(
    "fastest quarter is lower", "how far the mean importance of the fastest quarter of pairs lies under that of all pairs",
    "above", 0.2, "of the mean",
    "the margin of C03, which asks the same of learned weights; ranks in a random order give 0, a perfect order 0.77",
)  # fmt: skip
LEAST = Rule(
    "fastest quarter is the least", "mean importance of the next least important quarter minus that of the fastest",
    "above", 0.0, SHARE, SIGN.format("least important"), shift=0.05,
)  # fmt: skip
RISES = Rule(
    "importance rises", "smallest rise of mean importance from one quarter of pairs to the next slower one",
    "above", 0.0, SHARE, SIGN.format("rises"), shift=0.05,
)  # fmt: skip
BY_HEAD = Rule(
    "fastest quarter is lower, by query head", "how far the mean importance of the fastest quarter of pairs lies under "
    "that of all pairs, ranked for each query head by itself", "above", 0.2, "of the mean",
    "that of 'fastest quarter is lower'; summing over the query heads of a group must not have made the effect",
    decisive=False,
)  # fmt: skip
HALF = "a correlation of 0.5 leaves three quarters of the variance over pairs to something else: below, it is no description"
KERNEL = Rule(
    "follows the kernel", "Pearson correlation of the mean importance profile with the Dirichlet kernel for the model's "
    "base and trained context", "above", 0.5, "", HALF, decisive=False,
)  # fmt: skip
KERNEL_ORDER = Rule(
    "follows the kernel's order", "Spearman correlation of the mean importance profile with the Dirichlet kernel for the "
    "model's base and trained context", "above", 0.5, "", HALF, decisive=False,
)  # fmt: skip
LINE = Rule(
    "kernel beats a line", "Pearson correlation of the mean importance profile with the kernel minus that with the index "
    "of the pair", "above", 0.0, "",
    "the kernel knows base and context, the index nothing: a predictor earns its keep by any gain over it", decisive=False,
    shift=0.05,
)  # fmt: skip
FEW = Rule(
    "retrieval heads are few by gate", "share of key-value heads with a gate above 0.5", "below", 0.05, "of the heads",
    "'less than 5% of the attention heads are retrieval' by copy score (Wu et al. 2024, arXiv 2404.15574, abstract)",
    decisive=False,
)  # fmt: skip

CLAIM = Claim(
    id="C12",
    title="Published ranks of real models agree",
    source="MHA2MLA and DuoAttention against §4, fig. 1a and §5.2, fig. 2",
    scope=(PUBLISHED,),
    statement="Where others ranked the rotary pairs of real models by |q||k|, the fastest quarter of pairs lies markedly "
    "under the mean and is the least important of the four quarters, and importance rises from quarter to quarter.",
    contradicted_if="the fastest quarter lies less than a fifth under the mean, or another quarter is less important, or "
    "importance falls from one quarter to the next slower one",
    unit_of_analysis="four-layer block",
    rules=(LOWER, LEAST, RISES, BY_HEAD, KERNEL, KERNEL_ORDER, LINE, FEW),
    external="published measurements: from the network, or a folder given by --published",
    notes="Evidence on ranks of |q||k|, not on the utility of eq. 4. Importance of a pair: the share of the other pairs of "
    "its head that it outranks, 1/2 on average. Unit: means over heads and four (or five) consecutive layers, because heads "
    "of a layer are alike and so are neighbouring layers (correlation of successive layers up to 0.9): an interval tells "
    "how far the finding changes through the depth of this one model. "
    "What was known before: the files are public, and their quarter means and the correlations with the kernel had been "
    "looked at when the rules were written; the margins come from C03, from the sign that a sentence states, and from "
    "others' abstracts, none from these numbers. Power: with the six blocks of 24 layers, a mean that lies 1.5 standard "
    "deviations between blocks inside its margin is decided nine times in ten. "
    "'Kernel': |mean of exp(i d theta)| over d below the trained context; a head that ordered its pairs exactly by it would "
    "correlate 0.8 to 0.9 with it, since ranks are spread evenly and the kernel is flat at both ends. "
    "Gates are counted, not sampled: all key-value heads of a model, so no interval.",
)  # fmt: skip

COMMAND = "pytest claims/ --claim C12 --published DIR"
MODELS, GATED = list(RANK_FILES), list(GATE_FILES)
QUERY_HEADS = BY_QUERY_HEAD.model.key
PLAIN = RANK_FILES["published/llama-2-7b"]  # whose shape and spectrum the planted heads have

models = pytest.mark.parametrize("key", MODELS, ids=lambda key: key.rpartition("/")[2])


def found(judge, rule: Rule, key: str, read, **context):
    """What `read` gives; where the file cannot be had, the row says not-run and the test ends."""
    try:
        return read()
    except Unavailable as why:
        judge.not_run(rule.name, model=key, reason=str(why), command=COMMAND, **context)


def kernel_of(model) -> np.ndarray:
    """(pairs,) the Dirichlet kernel over the distances the model was trained on."""
    return modulus(model.theta, model.context)


def judge_lower(judge, importance, rule=LOWER, **context):
    return judge.units(rule.name, pairs.departure(importance).tolist(), **context)


def judge_least(judge, importance, **context):
    differences = pairs.over_the_fastest(importance)
    return judge.interval(LEAST.name, pairs.weakest(differences, LEAST.side, LEAST.margin, CLAIM.alpha), **context)


def judge_rise(judge, importance, **context):
    rises = pairs.steps(importance)
    return judge.interval(RISES.name, pairs.weakest(rises, RISES.side, RISES.margin, CLAIM.alpha), **context)


def judge_kernel(judge, rule, importance, head, **context):
    """Judge one of the three rows about the kernel of a head."""
    kernel = kernel_of(head)
    statistic = {
        KERNEL: lambda profile: pairs.pearson(profile, kernel),
        KERNEL_ORDER: lambda profile: pairs.spearman(profile, kernel),
        LINE: lambda profile: pairs.pearson(profile, kernel) - pairs.pearson(profile, np.arange(len(profile))),
    }[rule]
    largest = 2.0 if rule is LINE else 1.0  # of a difference of two correlations, of one
    measured = pairs.jackknife(importance, statistic, largest, rule.side, rule.margin, CLAIM.alpha)
    return judge.interval(rule.name, measured, **context)


def judge_few(judge, gates: HeadGates, **context):
    share, heads = float((gates.gates > 0.5).mean()), gates.gates.size
    return judge.exact(
        FEW.name, share, n=heads, test=f"count of all {heads} key-value heads, exact",
        model=gates.key, provenance=gates.provenance, **context,
    )  # fmt: skip


# what the report shows


def profile_figure(published, key: str) -> dict:
    """Mean importance over the pairs of one model, the least and the most of its blocks, and the kernel."""
    ranks = published.ranks(key)
    model, profile = ranks.model, pairs.blocks(ranks.importance)  # (blocks, pairs)
    count = len(model.theta)
    fast = int(is_fast(model.theta, model.context).sum())
    return {
        "kind": "lines",
        "title": f"Importance of rotary pairs, {model.name}",
        "alt": f"Mean importance against the pair's index for {model.name}, with the Dirichlet kernel for base "
        f"{model.base:g} and {model.context} tokens; low for fast pairs and high for slow ones if the claim holds.",
        "x": {"label": "rotary pair, fastest first", "values": list(range(count)), "log": False},
        "y": {"label": "share of the head's other pairs outranked; kernel", "log": False, "zero": True},
        "lines": [
            {"label": "mean importance", "values": profile.mean(axis=0).round(4).tolist()},
            {"label": "Dirichlet kernel", "values": kernel_of(model).round(4).tolist(), "dashed": True},
            {"label": "four-layer block, lowest", "values": profile.min(axis=0).round(4).tolist(), "dashed": True},
            {"label": "four-layer block, highest", "values": profile.max(axis=0).round(4).tolist(), "dashed": True},
        ],
        "marks": [{"x": fast, "label": "half a circle over the trained context"}],
        "levels": [{"y": 0.5, "label": "a random order"}],
        "caption": f"{ranks.importance.shape[0]} layers of {ranks.importance.shape[1]} key-value heads, in "
        f"{len(profile)} blocks.",
        "paper": "fig. 1a and 2 (of weights and of utility): lower in the first dimensions, rising to the last",
    }


def all_available(read, keys: list[str]) -> dict:
    """Key -> measurement, of those that can be had; what is wrong with the others, their own tests say."""
    had = {}
    for key in keys:
        with contextlib.suppress(Unavailable, PublishedError):
            had[key] = read(key)
    return had


def interval_in_words(measured) -> str:
    return f"{measured.estimate:.2f} ({measured.ci[0]:.2f}..{measured.ci[1]:.2f})"


def quarters_figure(published) -> dict:
    """Mean importance of the four quarters, a line a model."""
    had = all_available(published.ranks, MODELS)
    return {
        "kind": "lines",
        "title": "Importance of each quarter of the rotary pairs, seven models",
        "alt": "Mean importance of the fastest, second, third and slowest quarter of pairs, one line a model.",
        "x": {"label": "quarter of the pairs (1 = fastest)", "values": [1, 2, 3, 4], "log": False},
        "y": {"label": "share of the head's other pairs outranked", "log": False},
        "lines": [
            {"label": ranks.model.name, "values": pairs.quarters(ranks.importance.mean(axis=(0, 1))).round(4).tolist(),
             "dashed": "Qwen" in ranks.model.name}
            for ranks in had.values()
        ],
        "levels": [{"y": 0.5, "label": "a random order"}],
        "caption": "Means over all heads. Dashed: the two Qwen models.",
        "paper": "fig. 2 (of utility): rises from the first to the last dimension",
    }  # fmt: skip


def quarters_table(published) -> dict:
    """Every model in one line: the quarters and the steps between them."""
    rows = []
    for ranks in all_available(published.ranks, MODELS).values():
        steps = [
            pairs.mean_of_units(step.tolist(), RISES.side, RISES.margin, CLAIM.alpha)
            for step in pairs.steps(ranks.importance).values()
        ]
        quarters = pairs.quarters(ranks.importance.mean(axis=(0, 1)))
        rows.append([
            ranks.model.name, *(f"{value:.3f}" for value in quarters), *(interval_in_words(step) for step in steps)
        ])  # fmt: skip
    return {
        "kind": "table",
        "title": "Mean importance by quarter of the pairs, and the steps between quarters",
        "columns": ["model", *pairs.QUARTERS, "second - fastest", "third - second", "slowest - third"],
        "rows": rows,
        "caption": f"0.5 in a random order. Steps with {1 - 2 * CLAIM.alpha:.0%} intervals over four-layer blocks.",
    }


def kernel_table(published) -> dict:
    """Every model in one line: how the kernel fits, beside a line, and which kernel would fit best."""
    rows = []
    for ranks in all_available(published.ranks, MODELS).values():
        model, profile, kernel = ranks.model, ranks.importance.mean(axis=(0, 1)), kernel_of(ranks.model)
        index = np.arange(len(profile))
        distances, fit = pairs.best_range(profile, model.theta, model.context)
        rows.append([
            model.name, f"{model.base:,.0f}", f"{model.context:,}", f"{pairs.pearson(profile, kernel):.2f}",
            f"{pairs.spearman(profile, kernel):.2f}", f"{pairs.pearson(kernel.argsort().argsort(), kernel):.2f}",
            f"{pairs.pearson(profile, index):.2f}", f"{distances:,} ({fit:.2f})",
        ])  # fmt: skip
    return {
        "kind": "table",
        "title": "The mean profile against the Dirichlet kernel",
        "columns": ["model", "base", "context", "r, kernel", "rank r, kernel", "r of a head in the kernel's order",
                    "r, pair index", "best range, tokens (r)"],
        "rows": rows,
        "caption": "Correlations over pairs, without correction for bias. Best range: the number of distances, up to the "
        "trained context, whose kernel correlates best with the profile: where it lies far below the context, pairs that "
        "turn many times over the context count all the same.",
    }  # fmt: skip


def gates_table(published) -> dict:
    """What share of the heads is a retrieval head, by the threshold on the gate."""
    thresholds = (0.1, 0.25, 0.5, 0.75, 0.9)
    had = all_available(published.gates, GATED)
    return {
        "kind": "table",
        "title": "How many heads are retrieval heads: it depends on who defines them",
        "columns": ["model", "key-value heads", *(f"gate > {threshold}" for threshold in thresholds)],
        "rows": [
            [key.rpartition("/")[2], str(found.gates.size),
             *(f"{(found.gates > threshold).mean():.0%}" for threshold in thresholds)]
            for key, found in had.items()
        ],
        "caption": "Share of key-value heads whose DuoAttention gate, trained on passkey retrieval with a penalty on open "
        "gates, exceeds a threshold. By copy score less than 5% of the query heads of such models are retrieval heads (Wu "
        "et al. 2024). A key-value head serves up to four query heads, and its gate opens for any of them: that explains a "
        "factor of four at most, and none for Llama-2-7B.",
    }  # fmt: skip


# the claim


@models
def test_the_fastest_quarter_lies_under_the_mean(published, judge, key):
    ranks = found(judge, LOWER, key, lambda: published.ranks(key))
    judge_lower(judge, ranks.importance, model=key, provenance=ranks.provenance,
                paper="fig. 1a: lower",
                series={f"importance, {ranks.model.name}": profile_figure(published, key)})  # fmt: skip


@models
def test_the_fastest_quarter_is_the_least_important(published, judge, key):
    ranks = found(judge, LEAST, key, lambda: published.ranks(key))
    shown = {"quarters": quarters_figure, "steps": quarters_table, "kernels": kernel_table} if key == MODELS[0] else {}
    judge_least(judge, ranks.importance, model=key, provenance=ranks.provenance,
                series={name: draw(published) for name, draw in shown.items()},
                paper="fig. 2: lowest")  # fmt: skip


@models
def test_importance_rises_from_quarter_to_quarter(published, judge, key):
    ranks = found(judge, RISES, key, lambda: published.ranks(key))
    judge_rise(judge, ranks.importance, model=key, provenance=ranks.provenance,
               paper="fig. 2: rises")  # fmt: skip


@models
@pytest.mark.parametrize("rule", [KERNEL, KERNEL_ORDER, LINE], ids=["pearson", "spearman", "against-a-line"])
def test_beside_it_how_closely_the_profile_follows_the_kernel(published, judge, key, rule):
    ranks = found(judge, rule, key, lambda: published.ranks(key))
    judge_kernel(judge, rule, ranks.importance, ranks.model, model=key, provenance=ranks.provenance)


def test_beside_it_ranked_for_each_query_head(published, judge):
    ranks = found(judge, BY_HEAD, QUERY_HEADS, published.ranks_by_query_head)
    judge_lower(judge, ranks.importance, BY_HEAD, model=QUERY_HEADS, provenance=ranks.provenance)


@pytest.mark.parametrize("key", GATED, ids=lambda key: key.rpartition("/")[2])
def test_beside_it_what_the_gates_call_a_retrieval_head(published, judge, key):
    gates = found(judge, FEW, key, lambda: published.gates(key))
    judge_few(judge, gates, series={"retrieval heads": gates_table(published)} if key == GATED[0] else {},
              paper="§5.4: some heads")  # fmt: skip


# controls: each model's own ranks with their order undone, and heads planted in the shape of Llama-2-7B


@models
def test_control_the_order_of_pairs_is_what_is_found(published, judge, key):
    """Not reversed: of a model whose importance falls that is one whose importance rises."""
    control = {"model": f"{key}:shuffled", "role": NEGATIVE_CONTROL, "guards": [key]}
    try:
        ranks = published.ranks(key)
    except Unavailable as why:
        judge.not_run(LOWER.name, reason=str(why), command=COMMAND, **control)
    judge_lower(judge, pairs.shuffled(ranks.importance, seed=12), provenance=ranks.provenance, **control)


def plant(what: str) -> np.ndarray:
    """(layers, heads, pairs) importance of noisy heads whose order of pairs is known; seed 12 throughout."""
    model = PLAIN.model
    rising = np.linspace(0, 1, len(model.theta))
    fastest, second, third, slowest = np.split(rising, 4)
    kernel = kernel_of(model)
    target = {
        "rising": rising,
        "falling": rising[::-1],
        "dip": np.concatenate([fastest, third, second, slowest]),
        "late": np.concatenate([second, fastest, third, slowest]),
        "kernel": kernel,
        "kernel-reversed": kernel[::-1],
        "shuffled": rising,
    }[what]
    importance = pairs.planted(target, PLAIN.layers, PLAIN.heads, seed=12)
    return pairs.shuffled(importance, seed=13) if what == "shuffled" else importance


PLANTED = [
    (judge_lower, "rising", POSITIVE_CONTROL),
    (judge_lower, "shuffled", NEGATIVE_CONTROL),
    (judge_lower, "falling", NEGATIVE_CONTROL),
    (judge_least, "rising", POSITIVE_CONTROL),
    (judge_least, "dip", POSITIVE_CONTROL),
    (judge_least, "late", NEGATIVE_CONTROL),
    (judge_least, "falling", NEGATIVE_CONTROL),
    (judge_rise, "rising", POSITIVE_CONTROL),
    (judge_rise, "dip", NEGATIVE_CONTROL),
    (judge_rise, "falling", NEGATIVE_CONTROL),
]


@pytest.mark.parametrize(("judged", "what", "role"), PLANTED, ids=lambda x: getattr(x, "__name__", x))
def test_control_planted_orders(judge, judged, what, role):
    judged(judge, plant(what), model=f"planted/{what}", role=role, provenance={"data": "planted by construction"})


@pytest.mark.parametrize(
    ("rule", "what", "role"),
    [
        (KERNEL, "kernel", POSITIVE_CONTROL),
        (KERNEL, "kernel-reversed", NEGATIVE_CONTROL),
        (KERNEL, "shuffled", NEGATIVE_CONTROL),
        (KERNEL_ORDER, "rising", POSITIVE_CONTROL),
        (KERNEL_ORDER, "kernel-reversed", NEGATIVE_CONTROL),
        (LINE, "kernel", POSITIVE_CONTROL),
        (LINE, "rising", NEGATIVE_CONTROL),
    ],
    ids=lambda x: getattr(x, "name", x).replace("'s", "").replace(" ", "-"),
)
def test_control_planted_kernels(judge, rule, what, role):
    judge_kernel(judge, rule, plant(what), PLAIN.model, model=f"planted/{what}", role=role,
                 provenance={"data": "planted by construction"})  # fmt: skip


@pytest.mark.parametrize(
    ("opened", "role"), [(1, POSITIVE_CONTROL), (128, NEGATIVE_CONTROL)], ids=["one-head", "half-of-the-heads"]
)
def test_control_planted_gates(judge, opened, role):
    gates = np.zeros(256)
    gates[:opened] = 1
    planted = HeadGates(f"planted/gates-{opened}-of-256", gates.reshape(32, 8), {"data": "planted by construction"})
    judge_few(judge, planted, role=role)
