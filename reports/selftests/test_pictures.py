"""The picture of what a model uses and can spare: what is drawn is what was measured, and a wrong one is refused."""

from __future__ import annotations

import re
from types import SimpleNamespace

import numpy as np
import pytest

from fixtures.figures import use_pictures
from fixtures.instruments import prune_conditions as conditions
from reports import check, findings, pictures
from reports.render import render
from reports.selftests.page import Page, loads
from reports.selftests.sample import SMOLLM, document

L, H, KEY_HEADS, D = 2, 4, 2, 8


def planted(costs=(0.1, 0.2, 0.3, 0.2, 0.1, 0.3, 0.2, 0.2)) -> dict:
    """Pair 3 is used most, utility is lowest in the first pair; the first eighth costs these nats, all pairs ten.

    The first quarter of the contexts chooses.
    """
    product = np.ones((L, H, D))
    product[..., 3] = 16.0  # its root is four times the others'
    u = np.ones((2, L, H, D))
    u[1, ..., 0] = 0.0  # at the second weight alone
    chose = np.repeat(u[1], 2, axis=-1)
    prunings = conditions.of(chose, np.zeros((L, H)), KEY_HEADS, seed=0)
    layout = SimpleNamespace(tensors={"utility": conditions.by_group(chose, KEY_HEADS)})
    zero, all_of_it = np.zeros(len(costs)), np.full(len(costs), 10.0)

    def cost(name: str) -> np.ndarray:
        return {conditions.NONE: zero, conditions.lowest(1): np.array(costs)}.get(name, all_of_it)

    loss = SimpleNamespace(n=len(costs), cost=cost, small=lambda name: np.full(len(costs), 0.69))
    frequencies = np.tile(10.0 ** -np.arange(D), (L, 1))
    norms = {"product": product, "frequencies": frequencies}
    utility = {"u": u, "weights": np.array([64.0, 8.0])}
    return use_pictures.picture("planted/model", norms, utility, (prunings, layout, loss))


def test_what_was_planted_is_what_is_told():
    made = planted()
    assert made["use"] == [[25, 25, 25, 100, 25, 25, 25, 25]] * (L * H)
    assert made["weight"] == 8.0 and made["utility"] == [[0, *[100] * 7]] * (L * H)  # the weight that chose the pairs
    assert made["period"][:2] == [6.283, 62.83]
    assert made["pruned"] == [[0]] * (L * KEY_HEADS)
    pruning = made["pruning"]
    assert pruning["share"] == 0.125 and (pruning["chosen_on"], pruning["contexts"]) == (2, 6)
    assert pruning["nats"] == pytest.approx(1.3 / 6, abs=1e-4)
    # Student's t, one-sided 90%, five degrees of freedom: 1.476
    spread = np.std([0.3, 0.2, 0.1, 0.3, 0.2, 0.2], ddof=1) / 6**0.5
    assert pruning["bound"] == pytest.approx(1.3 / 6 + 1.476 * spread, abs=1e-3)


def test_how_the_weights_are_kept_stands_beside_the_name():
    results = document()
    results["run"]["pictures"] = [planted() | {"model": SMOLLM}]
    page = render(results)
    assert "SmolLM2-135M-Instruct, 4-bit" in page
    assert "Kept as Q4_1, measured in float32, SHA-256 of the weights b179c9523d0e." in page
    model = next(row for row in results["evidence"] if row["model"] == SMOLLM)["provenance"]["model"]
    model["weights"] = "123456789012" + "0" * 52  # digits alone, as one in 280 begins, are no number
    assert "SHA-256 of the weights 123456789012." in render(results)
    of_others = findings.kept([{"model": "a", "role": "claim", "provenance": {"model": {"weights": 3, "dtype": None}}}])
    assert of_others == {}


def test_a_model_of_any_depth_is_drawn():
    deep = planted() | {"layers": 9000, "heads": 1, "period": [6.283], "use": [[100]] * 9000, "utility": None}
    deep |= {"all_layers": None}
    assert len(pictures.view(deep | {"pruned": None, "pruning": None}, "deep", "pretrained")["layers"]) <= 8


def test_the_sentence_says_how_much_can_go_and_at_what_cost():
    made = planted()
    assert pictures.sentence(made) == "K cache that can go: 12.5%, at most 0.26 nats lost (90% bound)."
    dear = planted(costs=(5.0,) * 8)
    assert pictures.sentence(dear).startswith("K cache that can go: 0%;") and dear["pruned"] == [[]] * 4
    assert "not measured" in pictures.sentence(made | {"pruned": None, "pruning": None})


def test_it_is_drawn_page_wide_from_results_alone_hatched_where_pairs_can_go():
    results = document()
    results["run"]["pictures"] = [planted()]
    check.verify(results)
    text = render(results)
    page = Page(text)
    assert not loads(page)
    drawn = [attributes for attributes in page.all("svg") if attributes.get("class") == "heads"]
    assert len(drawn) == 2 and {one["viewbox"] for one in drawn} == {"0 0 8 8"}
    strokes = re.findall(r'<path class="hatch" d="(M0 2l1-2M0 4l1-2M0 6l1-2M0 8l1-2)"/>', text)
    assert len(strokes) == 2
    assert "K cache that can go: 12.5%, at most 0.26 nats lost (90% bound)." in page.text()
    assert "period of the pair, tokens" in page.text()
    assert page.text().index("Verdicts") < page.text().index("K cache that can go") < page.text().index("How to read")


def test_periods_stand_where_they_lie_between_two_pairs():
    found = {name: at for at, name in pictures._periods([1.0, 100.0, 10_000.0])}
    assert found["10"] == pytest.approx(100 * (0.5 + 0.5) / 3, abs=0.1) and found["1000"] == pytest.approx(
        66.7, abs=0.1
    )
    assert {name: at for at, name in pictures._periods([10_000.0, 100.0, 1.0])}["10"] == pytest.approx(66.7, abs=0.1)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"use": [[1] * D]}, "run.pictures[0].use: is not 8 rows"),
        ({"utility": [[1] * (D - 1)] * (L * H)}, "run.pictures[0].utility: is not 8 rows"),
        ({"pruned": None}, "pruned and pruning come together"),
        ({"pruned": [[0]] * 3}, "3 key heads do not divide 8 heads"),
        ({"pruned": [[D]] * 4}, "names a pair beyond the 8"),
        ({"pruned": [[0, 1]] * 4}, "share: is 0.125, the pruned pairs are 0.25"),
    ],
)
def test_a_picture_that_does_not_fit_itself_is_refused(change, said):
    results = document()
    results["run"]["pictures"] = [planted() | change]
    with pytest.raises(check.ResultsError, match=re.escape(said)):
        check.verify(results)


PREDICTED = [
    {"tokens": 64, "pairs": 2, "share": 0.25, "bytes": 64},
    {"tokens": 4096, "pairs": 4, "share": 0.5, "bytes": 128},
]
"""Periods are 2 pi times powers of ten: below 128 tokens two pairs, below 8192 four."""


def test_what_the_configuration_predicts_stands_beside_what_was_measured():
    """Pair 3 of 8 is used most, pair 0 has no utility and can go."""
    shown = pictures.view(planted() | {"predicted": PREDICTED}, "a model", "planted")["predicted"]
    near, far = shown["rows"]
    assert (near["pairs"], near["share"], far["pairs"], far["share"]) == ("2 of 8", "25%", "4 of 8", "50%")
    # mean use 25 and (5 * 25 + 100) / 6; the most used pair is idle over 4096 tokens alone
    assert near["measured"] == [("25%", "38%"), ("0%", "100%"), ("50%", "0%"), ("50%", "0%")]
    assert far["measured"] == [("44%", "25%"), ("100%", "0%"), ("25%", "0%"), ("25%", "0%")]


def test_lines_end_what_is_predicted_idle_over_the_shortest_and_the_longest_length():
    results = document()
    results["run"]["pictures"] = [planted() | {"predicted": PREDICTED}]
    check.verify(results)
    text = render(results)
    assert text.count('<path class="edge" d="M2 0v8"/>') == text.count('<path class="edge far" d="M4 0v8"/>') == 2
    words = " ".join(Page(text).text().split())
    assert "predicted idle over 64 tokens" in words and "predicted idle over 4096 tokens" in words


@pytest.mark.parametrize(
    "predicted",
    [None, [], [{"tokens": 64, "pairs": None, "share": 0.25, "bytes": 64}]],
    ids=["none", "empty", "layers"],
)
def test_without_one_edge_for_all_layers_no_line_is_drawn(predicted):
    made = planted() | {"predicted": predicted}
    view = pictures.view(made, "a model", "planted")
    assert all("edge" not in panel["svg"] for panel in view["panels"]) and "predicted idle" not in view["scale"]
    assert (view["predicted"] is None) == (not predicted)


def test_a_model_of_the_suite_is_predicted_and_a_stranger_is_not():
    found = use_pictures.predicted("embedded/llama-s0", [512])
    assert [row["tokens"] for row in found] == [512, 4096] and found[0]["pairs"] == 18 and found[0]["share"] == 18 / 32
    assert use_pictures.predicted("nobody/nothing", [512]) is None


ALL_LAYERS = [
    {"kind": "no attention"},
    {"kind": "measured", "window": 16, "turning": D, "usual": False},
    {"kind": "another size", "shape": [4, 32]},
    {"kind": "measured", "window": 0, "turning": 0, "usual": True},
]


def test_layers_are_drawn_as_what_they_are():
    results = document()
    seen = (
        "2 of its 2 layers have dimensions that its weights make 0 in every query and key: 3, of which 2 lie in <the>"
    )
    results["run"]["pictures"] = [planted() | {"all_layers": ALL_LAYERS, "map": seen}]
    check.verify(results)
    text = render(results)
    assert seen in Page(text).text() and "<the>" not in text
    page = Page(text)
    assert "0 0 8 16" in {
        one["viewbox"] for one in page.all("svg") if one.get("class") == "heads"
    }  # four layers of four
    said = page.text()
    assert "layer 0 has no attention and nothing drawn" in said and "no attention in this layer" in said
    assert "layer 2 has heads of another size (4 heads of 32 dimensions), which are not drawn here" in said
    assert "layer 1 has a window of 16 tokens" in said and "a layer with a window" in said
    assert "layer 3 has no positions: no pair turns" in said and "layer 1 has other periods" in said
    assert '<path class="bare" d="M0 0h8v4h-8zM0 8h8v4h-8z"/>' in text
    assert '<path class="still" d="M0 14H8"/>' in text  # through the middle of layer 3
    assert '<path class="window" d="M7.9 4v4"/>' in text
    # of two key heads a layer, in the rows of the layers that have them
    assert text.count('<path class="hatch" d="M0 6l1-2M0 8l1-2M0 14l1-2M0 16l1-2"/>') == 2
    assert pictures._rows_of_layers(planted() | {"all_layers": None}) == [pictures.ALIKE] * L


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"all_layers": ALL_LAYERS[:3]}, "all_layers: not 2 of them are measured"),
        ({"all_layers": [*ALL_LAYERS, {"kind": "no attention", "window": 4}]}, "all_layers[4]"),
        ({"all_layers": [*ALL_LAYERS[:3], ALL_LAYERS[3] | {"turning": D + 1}]}, "all_layers[3]"),
    ],
)
def test_layers_that_do_not_fit_the_picture_are_refused(change, said):
    results = document()
    results["run"]["pictures"] = [planted() | change]
    with pytest.raises(check.ResultsError, match=re.escape(said)):
        check.verify(results)


def test_what_is_measured_of_layers_reaches_the_picture():
    """A hybrid with a window, a layer without positions and one of other heads; pairs that turn in no layer."""
    frequencies = np.array([[1.0, 0.1, 0.0], [0.0, 0.0, 0.0], [0.5, 0.05, 0.0]])
    about = {
        "windows": [0, 0, 16],
        "measured": [1, 3, 4],
        "without": [0],
        "other_size": {"2": [4, 32]},
        "map": "a scale",
    }
    made = use_pictures.picture("m", {"product": np.ones((3, 2, 3)), "frequencies": frequencies}, None, None, about)
    assert made["map"] == "a scale"
    assert made["period"] == [6.283, 62.83, None]  # of the layers that see everything and turn
    assert [one["kind"] for one in made["all_layers"]] == [
        "no attention",
        "measured",
        "another size",
        "measured",
        "measured",
    ]
    measured = [one for one in made["all_layers"] if one["kind"] == "measured"]
    assert [one["turning"] for one in measured] == [2, 0, 2]
    assert [one["usual"] for one in measured] == [True, True, False]
    assert pictures._periods(made["period"])[0][1] == "10"
    results = document()
    results["run"]["pictures"] = [made | {"predicted": [{"tokens": 64, "pairs": 2, "share": 0.25, "bytes": 64}]}]
    check.verify(results)
    assert not loads(Page(render(results)))
