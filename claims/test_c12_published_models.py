"""C12 · against §4, fig. 1a and §5.2, fig. 2 · In real models, by others' measurements, fast pairs matter least.

MHA2MLA ranked the rotary pairs of every head of seven real models, to choose which pairs may keep their rotation. It
ranked them by |q||k|, the product of the mean 2-norms of the pair's query and key over text. Nobody made these ranks to
test the paper, which is their strength. Their weakness is that they are not the paper's utility score (eq. 4): norms
know nothing of angles, of the softmax or of what the head passes on, and a rank hides by how much a pair is ahead.

Two sentences of the paper are asked of these ranks. "Lower in the first dimensions" (fig. 1a) becomes: the fastest
quarter lies markedly under the mean, and is the least important quarter of the four. "Rises from the first to the last"
(fig. 2) becomes: each quarter is more important than the next faster one. The second decides, too. A sentence that says
"rises" describes the middle as well as the ends, and a model in which it is true of the ends alone has a row of its own
to say so.

Three things stand beside and decide nothing: how closely each model's mean profile follows the Dirichlet kernel for its
base and trained context (C02); whether the kernel says more than a straight line over the pairs; and how many retrieval
heads DuoAttention's gates find, where the paper, and the copy score it cites, find few.
"""

import contextlib

import numpy as np
import pytest

from fixtures.data.published import BY_QUERY_HEAD, GATE_FILES, RANK_FILES, HeadGates, PublishedError, Unavailable
from fixtures.instruments import pair_importance as pairs
from fixtures.plain.text import number
from fixtures.rope.dirichlet import is_fast, modulus
from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, PUBLISHED, Claim, Rule
from fixtures.verdict.subject import Subject

SHARE = "of the pairs"
SIGN = "'{}' says an order, and an order has a sign and no size; how large the gap is, 'fastest quarter is lower' says"

LOWER = Rule(
    name="fastest quarter is lower",
    quantity="how far the mean importance of the fastest quarter of pairs lies under that of all pairs",
    side="above",
    margin=0.2,
    unit="of the mean",
    why="a fifth of the mean, as C03 asks of learned weights; ranks in a random order give 0, a perfect order 0.77",
)
LEAST = Rule(
    name="fastest quarter is the least",
    quantity="mean importance of the next least important quarter minus that of the fastest",
    side="above",
    margin=0.0,
    unit=SHARE,
    why=SIGN.format("least important"),
    shift=0.05,
)
RISES = Rule(
    name="importance rises",
    quantity="smallest rise of mean importance from one quarter of pairs to the next slower one",
    side="above",
    margin=0.0,
    unit=SHARE,
    why=SIGN.format("rises"),
    shift=0.05,
)
BY_HEAD = Rule(
    name="fastest quarter is lower, by query head",
    quantity="how far the mean importance of the fastest quarter of pairs lies under that of all pairs, "
    "ranked for each query head by itself",
    side="above",
    margin=0.2,
    unit="of the mean",
    why="a fifth of the mean, as for key heads; summing over the query heads of a group must not have made the effect",
    decisive=False,
)
HALF = "a correlation of 0.5 leaves three quarters of the variance over pairs to something else: below, it is no description"
KERNEL = Rule(
    name="follows the kernel",
    quantity="Pearson correlation of the mean importance profile with the Dirichlet kernel for the model's base and "
    "trained context",
    side="above",
    margin=0.5,
    unit="",
    why=HALF,
    decisive=False,
)
KERNEL_ORDER = Rule(
    name="follows the kernel's order",
    quantity="Spearman correlation of the mean importance profile with the Dirichlet kernel for the model's base and "
    "trained context",
    side="above",
    margin=0.5,
    unit="",
    why=HALF,
    decisive=False,
)
LINE = Rule(
    name="kernel beats a line",
    quantity="Pearson correlation of the mean importance profile with the kernel minus that with the index of the pair",
    side="above",
    margin=0.0,
    unit="",
    why="the kernel knows base and context, the index nothing: a predictor earns its keep by any gain over it",
    decisive=False,
    shift=0.05,
)
FEW = Rule(
    name="retrieval heads are few by gate",
    quantity="share of key-value heads with a gate above 0.5",
    side="below",
    margin=0.05,
    unit="of the heads",
    why="'less than 5% of the attention heads are retrieval' by copy score (Wu et al. 2024, arXiv 2404.15574, abstract)",
    decisive=False,
)

CLAIM = Claim(
    id="C12",
    title="Published ranks of real models agree",
    source="MHA2MLA and DuoAttention against §4, fig. 1a and §5.2, fig. 2",
    scope=(PUBLISHED,),
    statement="Where others ranked the rotary pairs of real models by |q||k|, "
    "the fastest quarter of pairs lies markedly under the mean and is the least important of the four quarters, "
    "and importance rises from quarter to quarter.",
    contradicted_if="the fastest quarter lies less than a fifth under the mean, or another quarter is less important, "
    "or importance falls from one quarter to the next slower one",
    unit_of_analysis="four-layer block",
    rules=(LOWER, LEAST, RISES, BY_HEAD, KERNEL, KERNEL_ORDER, LINE, FEW),
    external="published measurements: from the network, or a folder given by --published",
    notes="Evidence on ranks of |q||k|, not on the utility of eq. 4. Importance of a pair: "
    "the share of the other pairs of its head that it outranks, 1/2 on average. Unit: "
    "means over heads and four (or five) consecutive layers, "
    "because heads of a layer are alike and so are neighbouring layers (correlation of successive layers up to 0.9): "
    "an interval tells how far the finding changes through the depth of this one model. What was known before: "
    "the files are public, "
    "and their quarter means and the correlations with the kernel had been looked at when the rules were written; "
    "the margins come from C03, from the sign that a sentence states, and from others' abstracts, "
    "none from these numbers. Power: with the six blocks of 24 layers, "
    "a mean that lies 1.5 standard deviations between blocks inside its margin is decided nine times in ten. "
    "'Kernel': |mean of exp(i d theta)| over d below the trained context; "
    "a head that ordered its pairs exactly by it would correlate 0.8 to 0.9 with it, "
    "since ranks are spread evenly and the kernel is flat at both ends. Gates are counted, not sampled: "
    "all key-value heads of a model, so no interval.",
)

MODELS, GATED = list(RANK_FILES), list(GATE_FILES)
QUERY_HEADS = BY_QUERY_HEAD.model.key
PLAIN = RANK_FILES["published/llama-2-7b"]  # whose shape and spectrum the planted heads have

models = pytest.mark.parametrize("key", MODELS, ids=lambda key: key.rpartition("/")[2])


def kernel_of(model) -> np.ndarray:
    """(pairs,) the Dirichlet kernel over the distances the model was trained on."""
    return modulus(model.theta, model.context)


def subject_of(key: str, read) -> Subject:
    """read: gives the published file; not-run where it cannot be had."""
    return Subject(key, provenance=lambda: read().provenance, options="--published DIR")


def lower(importance: np.ndarray) -> np.ndarray:
    """(blocks,) how far the fastest quarter lies under the mean."""
    return pairs.departure(importance)


def least(importance: np.ndarray):
    return pairs.weakest(pairs.over_the_fastest(importance), LEAST.side, LEAST.margin, CLAIM.alpha)


def rise(importance: np.ndarray):
    return pairs.weakest(pairs.steps(importance), RISES.side, RISES.margin, CLAIM.alpha)


def follows(rule: Rule, importance: np.ndarray, head):
    """What one of the three rows about the kernel of a head decides on."""
    kernel = kernel_of(head)
    statistic = {
        KERNEL: lambda profile: pairs.pearson(profile, kernel),
        KERNEL_ORDER: lambda profile: pairs.spearman(profile, kernel),
        LINE: lambda profile: pairs.pearson(profile, kernel) - pairs.pearson(profile, np.arange(len(profile))),
    }[rule]
    largest = 2.0 if rule is LINE else 1.0  # of a difference of two correlations, of one
    return pairs.jackknife(importance, statistic, largest, rule.side, rule.margin, CLAIM.alpha)


def judge_few(judge, read, subject: Subject, **beside):
    """read: gives the gates of a model."""
    judge.exact(
        FEW,
        lambda: (read().gates > 0.5).mean(),
        of=subject,
        n=lambda: read().gates.size,
        test=lambda: f"count of all {read().gates.size} key-value heads, exact",
        **beside,
    )


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
    return f"{measured.estimate:.2f} ({measured.ci[0]:.2f} to {measured.ci[1]:.2f})"


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
            {
                "label": ranks.model.name,
                "values": pairs.quarters(ranks.importance.mean(axis=(0, 1))).round(4).tolist(),
                "dashed": "Qwen" in ranks.model.name,
            }
            for ranks in had.values()
        ],
        "levels": [{"y": 0.5, "label": "a random order"}],
        "caption": "Means over all heads. Dashed: the two Qwen models.",
        "paper": "fig. 2 (of utility): rises from the first to the last dimension",
    }


def quarters_table(published) -> dict:
    """Every model in one line: the quarters and the steps between them."""
    rows = []
    for ranks in all_available(published.ranks, MODELS).values():
        steps = [
            pairs.mean_of_units(step.tolist(), RISES.side, RISES.margin, CLAIM.alpha)
            for step in pairs.steps(ranks.importance).values()
        ]
        quarters = pairs.quarters(ranks.importance.mean(axis=(0, 1)))
        rows.append(
            [ranks.model.name, *(f"{value:.3f}" for value in quarters), *(interval_in_words(step) for step in steps)]
        )
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
        rows.append(
            [
                model.name,
                number(round(model.base)),
                number(int(model.context)),
                f"{pairs.pearson(profile, kernel):.2f}",
                f"{pairs.spearman(profile, kernel):.2f}",
                f"{pairs.pearson(kernel.argsort().argsort(), kernel):.2f}",
                f"{pairs.pearson(profile, index):.2f}",
                f"{number(int(distances))} ({fit:.2f})",
            ]
        )
    return {
        "kind": "table",
        "title": "The mean profile against the Dirichlet kernel",
        "columns": [
            "model",
            "base",
            "context",
            "r, kernel",
            "rank r, kernel",
            "r of a head in the kernel's order",
            "r, pair index",
            "best range, tokens (r)",
        ],
        "rows": rows,
        "caption": "Correlations over pairs, without correction for bias. Best range: the number of distances, "
        "up to the trained context, whose kernel correlates best with the profile: "
        "where it lies far below the context, pairs that turn many times over the context count all the same.",
    }


def gates_table(published) -> dict:
    """What share of the heads is a retrieval head, by the threshold on the gate."""
    thresholds = (0.1, 0.25, 0.5, 0.75, 0.9)
    had = all_available(published.gates, GATED)
    return {
        "kind": "table",
        "title": "How many heads are retrieval heads: it depends on who defines them",
        "columns": ["model", "key-value heads", *(f"gate > {threshold}" for threshold in thresholds)],
        "rows": [
            [
                key.rpartition("/")[2],
                str(found.gates.size),
                *(f"{(found.gates > threshold).mean():.0%}" for threshold in thresholds),
            ]
            for key, found in had.items()
        ],
        "caption": "Share of key-value heads whose DuoAttention gate, "
        "trained on passkey retrieval with a penalty on open gates, exceeds a threshold. "
        "By copy score less than 5% of the query heads of such models are retrieval heads (Wu et al. 2024). "
        "A key-value head serves up to four query heads, and its gate opens for any of them: "
        "that explains a factor of four at most, and none for Llama-2-7B.",
    }


# the claim


@models
def test_the_fastest_quarter_lies_under_the_mean(published, judge, key):
    judge.units(
        LOWER,
        lambda: lower(published.ranks(key).importance),
        of=subject_of(key, lambda: published.ranks(key)),
        paper="fig. 1a: lower",
        series=lambda: {f"importance, {published.ranks(key).model.name}": profile_figure(published, key)},
    )


@models
def test_the_fastest_quarter_is_the_least_important(published, judge, key):
    shown = {"quarters": quarters_figure, "steps": quarters_table, "kernels": kernel_table} if key == MODELS[0] else {}
    judge.interval(
        LEAST,
        lambda: least(published.ranks(key).importance),
        of=subject_of(key, lambda: published.ranks(key)),
        paper="fig. 2: lowest",
        series=lambda: {name: draw(published) for name, draw in shown.items()},
    )


@models
def test_importance_rises_from_quarter_to_quarter(published, judge, key):
    judge.interval(
        RISES,
        lambda: rise(published.ranks(key).importance),
        of=subject_of(key, lambda: published.ranks(key)),
        paper="fig. 2: rises",
    )


@models
@pytest.mark.parametrize("rule", [KERNEL, KERNEL_ORDER, LINE], ids=["pearson", "spearman", "against-a-line"])
def test_beside_it_how_closely_the_profile_follows_the_kernel(published, judge, key, rule):
    judge.interval(
        rule,
        lambda: follows(rule, published.ranks(key).importance, published.ranks(key).model),
        of=subject_of(key, lambda: published.ranks(key)),
    )


def test_beside_it_ranked_for_each_query_head(published, judge):
    judge.units(
        BY_HEAD,
        lambda: lower(published.ranks_by_query_head().importance),
        of=subject_of(QUERY_HEADS, published.ranks_by_query_head),
    )


@pytest.mark.parametrize("key", GATED, ids=lambda key: key.rpartition("/")[2])
def test_beside_it_what_the_gates_call_a_retrieval_head(published, judge, key):
    def gates() -> HeadGates:
        return published.gates(key)

    judge_few(
        judge,
        gates,
        subject_of(key, gates),
        paper="§5.4: some heads",
        series=lambda: {"retrieval heads": gates_table(published)} if key == GATED[0] else {},
    )


# controls: each model's own ranks with their order undone, and heads planted in the shape of Llama-2-7B


@models
def test_control_the_order_of_pairs_is_what_is_found(published, judge, key):
    """Not reversed: of a model whose importance falls that is one whose importance rises."""
    shuffled = subject_of(key, lambda: published.ranks(key)).but(key=f"{key}:shuffled")
    judge.units(
        LOWER,
        lambda: lower(pairs.shuffled(published.ranks(key).importance, seed=12)),
        of=shuffled.control(NEGATIVE_CONTROL, guards=[key]),
    )


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


@pytest.mark.parametrize(
    ("what", "role"),
    [("rising", POSITIVE_CONTROL), ("shuffled", NEGATIVE_CONTROL), ("falling", NEGATIVE_CONTROL)],
)
def test_control_planted_departures(judge, what, role):
    judge.units(LOWER, lower(plant(what)), of=Subject.planted(what, role))


@pytest.mark.parametrize(
    ("rule", "decide", "what", "role"),
    [
        (LEAST, least, "rising", POSITIVE_CONTROL),
        (LEAST, least, "dip", POSITIVE_CONTROL),
        (LEAST, least, "late", NEGATIVE_CONTROL),
        (LEAST, least, "falling", NEGATIVE_CONTROL),
        (RISES, rise, "rising", POSITIVE_CONTROL),
        (RISES, rise, "dip", NEGATIVE_CONTROL),
        (RISES, rise, "falling", NEGATIVE_CONTROL),
    ],
    ids=lambda value: getattr(value, "__name__", None) or getattr(value, "name", value).replace(" ", "-"),
)
def test_control_planted_orders(judge, rule, decide, what, role):
    judge.interval(rule, decide(plant(what)), of=Subject.planted(what, role))


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
    judge.interval(rule, follows(rule, plant(what), PLAIN.model), of=Subject.planted(what, role))


@pytest.mark.parametrize(
    ("opened", "role"), [(1, POSITIVE_CONTROL), (128, NEGATIVE_CONTROL)], ids=["one-head", "half-of-the-heads"]
)
def test_control_planted_gates(judge, opened, role):
    gates = np.zeros((32, 8))
    gates.flat[:opened] = 1
    control = Subject.planted(f"gates-{opened}-of-256", role)
    judge_few(judge, lambda: HeadGates(control.key, gates, control.provenance), control)
