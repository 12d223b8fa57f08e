"""Drawings: strips put every value where it belongs, figures cope with whatever the contract leaves open."""

from __future__ import annotations

import base64
import io
import math
import random
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fixtures.plain import text
from reports import canvas, figures, heat_maps, line_charts, strips
from reports.canvas import element

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-12)


def _row(estimate, ci=None, side="below", margin=1.0, **changes) -> dict:
    return {
        "estimate": estimate,
        "ci": ci,
        "side": side,
        "margin": margin,
        "unit": "nats",
        "verdict": "supported",
    } | changes


ROWS = st.builds(
    lambda values, side, margin: _row(
        values[1], [values[0], values[2]], side, abs(margin) + 1e-9 if side == "within" else margin
    ),
    st.tuples(NUMBERS, NUMBERS, NUMBERS).map(sorted),
    st.sampled_from(["below", "above", "within"]),
    NUMBERS,
)


@given(st.lists(ROWS, min_size=1, max_size=5))
def test_a_scale_keeps_order_and_has_room_for_all(rows):
    scale = strips.Scale.of(rows)
    values = sorted(value for row in rows for value in [*row["ci"], row["estimate"], row["margin"]])
    places = [scale.x(value) for value in values]
    assert places == sorted(places)
    assert all(strips.PAD <= place <= strips.WIDTH - strips.PAD for place in places)
    assert len(scale.ticks) <= 5
    for row in rows:
        drawing = ElementTree.fromstring(strips.strip(row, scale))
        assert float(drawing.find("rect").get("width")) >= 0


def test_a_strip_shades_the_claimed_side_and_draws_the_interval():
    below = _row(0.5, [0.25, 0.75])
    scale = strips.Scale.of([below, _row(2.0)])
    drawing = ElementTree.fromstring(strips.strip(below, scale))
    shade, margin = drawing.find("rect"), scale.x(1.0)
    assert (float(shade.get("x")), float(shade.get("width"))) == (0, margin)
    assert float(drawing.find("circle").get("cx")) == scale.x(0.5) < margin
    above = ElementTree.fromstring(strips.strip(_row(2.0, side="above"), scale)).find("rect")
    assert (float(above.get("x")), float(above.get("width"))) == (margin, strips.WIDTH - margin)


def test_a_zero_on_a_logarithmic_strip_points_off_its_left_end():
    rows = [_row(0.0), _row(1e-8), _row(1e4)]
    scale = strips.Scale.of(rows)
    assert scale.log
    assert scale.beyond(0.0)
    assert "l7 -4.5v9z" in strips.strip(rows[0], scale)


def test_a_row_without_an_estimate_has_no_strip():
    assert strips.strip(_row(None), strips.Scale.of([_row(None)])) == ""


SPEC = {
    "kind": "lines",
    "title": "t",
    "x": {"values": [1, 2, 3]},
    "y": {},
    "lines": [{"label": "a", "values": [1, 2, 3]}],
}


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"lines": [{"label": "gap", "values": [1, None, 3]}]},
        {"lines": [{"label": "all gaps", "values": [None, None, None]}]},
        {"lines": [{"label": "flat", "values": [2, 2, 2]}]},
        {"lines": [{"label": "one seed", "seeds": [[1, 2, 3]]}]},
        {"lines": [{"label": str(index), "values": [index, 1, 2]} for index in range(20)]},
        {"x": {"values": [0, 10, 100], "log": True}},
        {"x": {"values": [-1, -2, -3], "log": True}},
        {"x": {"values": [5], "log": False}, "lines": [{"label": "a point", "values": [1]}]},
        {"y": {"log": True}, "lines": [{"label": "not positive", "values": [0, -1, -2]}]},
        {"y": {"log": True}, "lines": [{"label": "some positive", "seeds": [[0, 1, 2], [1, 2, 3]]}]},
        {"marks": [{"x": 2}], "levels": [{"y": 2}]},
        {"marks": [{"x": value, "label": "m"} for value in (1, 1, 2, 3, 3, 3)]},
        {"lines": [{"label": "huge", "values": [1e300, -1e300, 0]}]},
        {"lines": [{"label": "tiny", "values": [1e-300, 2e-300, 0]}]},
    ],
)
def test_whatever_the_contract_leaves_open_can_be_drawn(changes):
    spec = SPEC | changes
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    assert drawing.get("role") == "img"
    assert drawing.find("desc").text
    assert len(figures.legend(spec)) == len(spec["lines"])
    assert "nan" not in figures.draw(spec, "f1").lower()


@pytest.mark.parametrize(
    "changes", [{"x": {"values": ["one", "two", "three"]}}, {"x": {"values": []}}, {"x": {"values": [1, 2, 3, 4]}}]
)
def test_what_cannot_be_drawn_says_why(changes):
    with pytest.raises(canvas.DrawingError):
        figures.draw(SPEC | changes, "f1")


def _places(path: ElementTree.Element) -> list[tuple[float, float]]:
    """Where a path goes, read back by matplotlib's own rules of M, l, c, q and z: ends and control points."""
    here = start = (0.0, 0.0)
    found = []
    for letter, rest in re.findall(r"([A-Za-z])([^A-Za-z]*)", path.get("d", "")):
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        size = {"c": 3, "q": 2}.get(letter, 1)
        for at in range(0, len(pairs), size):
            begin = (0.0, 0.0) if letter == "M" else here
            found += [(begin[0] + x, begin[1] + y) for x, y in pairs[at : at + size]]
            here = found[-1]
        if letter == "M":
            start = here
        elif letter == "z":
            here = start
    return found


@pytest.mark.parametrize(
    ("path", "shorter"),
    [
        ("M 59.4 62.6 L 66.1 64.2 \nL 72.8 41.8 z ", "M59.4 62.6l6.7 1.6 6.7-22.4z"),
        ("M 0 2.5 C 0.7 2.5 1.3 2.2 1.8 1.8 C 2 1 1 2 0 0 z", "M0 2.5c.7 0 1.3-.3 1.8-.7 .2-.8-.8 .2-1.8-1.8z"),
        ("M 1 1 Q 2 2 3 1 z L 5 5 M 0.04 -0.04 L -10 0.5", "M1 1q1 1 2 0zl4 4M0 0l-10 .5"),
        ("M1 2h3v4", "M1 2h3v4"),
    ],
)
def test_a_path_in_steps_is_the_same_path(path, shorter):
    assert canvas.relative(path) == shorter


def test_steps_of_a_path_do_not_drift():
    """Ten thousand points whose tenths round every way: each is within half a tenth of where it was."""
    rng = np.random.default_rng(0)
    points = rng.uniform(-500, 500, (10_000, 2)).cumsum(axis=0)
    path = "M " + " L ".join(f"{x!r} {y!r}" for x, y in points.tolist())
    read = _places(element("path", d=canvas.relative(path)))
    assert np.abs(np.array(read) - points).max() < 0.0501


def test_the_band_of_seeds_spans_their_range_and_the_line_is_their_mean():
    """Against coordinates read back from the drawing: pixels are linear in the data."""
    seeds = [[0.0, 1.0, 4.0], [2.0, 3.0, 8.0], [1.0, 5.0, 0.0]]
    spec = SPEC | {"lines": [{"label": "s", "seeds": seeds}, {"label": "ruler", "values": [0.0, 4.0, 8.0]}]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    shifts = {use.get("href"): float(use.get("y", 0)) for use in drawing.iter("use")}
    points = []
    for path in (one for one in drawing.iter("path") if one.get("class") not in ("grid", "tick")):
        shift = shifts.get(f"#{path.get('id')}", 0.0)  # a band is defined once and put in its place by <use>
        points.append([(x, y + shift) for x, y in _places(path)])
    lines = [line for line in points if len(line) == 3]
    ruler = next(line for line in lines if math.isclose(line[0][1] + line[2][1], 2 * line[1][1], abs_tol=0.02))
    zero, unit = ruler[0][1], (ruler[0][1] - ruler[2][1]) / 8
    mean = next(line for line in lines if line is not ruler)
    assert [(zero - y) / unit for _, y in mean] == pytest.approx([1.0, 3.0, 4.0], abs=0.01)
    band = next(line for line in points if len(line) > 3)
    for x, low, high in zip([x for x, _ in ruler], (0, 1, 0), (2, 5, 8), strict=True):
        at = [(zero - y) / unit for place, y in band if math.isclose(place, x, abs_tol=0.02)]
        assert (min(at), max(at)) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize("log", [False, True])
def test_ticks_their_labels_and_the_grid_stand_at_their_values(log):
    """Along x and y, against the line that is drawn beside them by matplotlib."""
    values = [1.0, 10.0, 100.0, 1000.0] if log else [0.0, 4.0, 8.0, 12.0]
    spec = SPEC | {"x": {"values": values, "log": log}, "y": {"log": log}, "lines": [{"label": "s", "values": values}]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    paths = {path.get("class") or "line": _places(path) for path in drawing.iter("path") if path.get("d")}
    (line,) = [_places(path) for path in drawing.iter("path") if "var(--s0)" in path.get("style", "")]
    scale = (lambda value: math.log10(value)) if log else float
    start, end = scale(values[0]), scale(values[-1])
    shown = [
        (text.text, text.get("style"), float(text.get("x")), float(text.get("y")))
        for text in drawing.iter("text")
        if re.fullmatch(r"10[⁰-⁹]+|\d+(\.\d+)?", text.text or "")
    ]
    raised = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹", "0123456789")
    for said, style, x, y in shown:
        value = 10.0 ** int(said[2:].translate(raised)) if said[-1] in "⁰¹²³⁴⁵⁶⁷⁸⁹" else float(said)
        share = (scale(value) - start) / (end - start)
        if "middle" in style:
            assert x == pytest.approx(line[0][0] + share * (line[-1][0] - line[0][0]), abs=0.2)
            assert any(abs(x - place[0]) < 0.1 for place in paths["grid"])
        else:
            assert y - 4 == pytest.approx(line[0][1] + share * (line[-1][1] - line[0][1]), abs=0.2)
            assert any(abs(y - 4 - place[1]) < 0.1 for place in paths["tick"])
    assert sum("middle" in style for _, style, *_ in shown) >= 3 <= sum("end" in style for _, style, *_ in shown)


# Intervals and doses


@pytest.mark.parametrize("count", [3, line_charts.BARS + 1])
def test_an_interval_is_drawn_where_it_lies_and_called_an_interval(count):
    values = [4.0] * count
    line = {"label": "a", "values": values, "low": [2.0] * count, "high": [7.0] * (count - 1) + [None]}
    rulers = [{"label": str(at), "values": [at] * count} for at in (0.0, 10.0)]
    spec = SPEC | {"x": {"values": list(range(count))}, "lines": [line, *rulers]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    heights = {}
    for path in drawing.iter("path"):
        style, places = path.get("style", ""), {round(y, 1) for _, y in _places(path)}
        if "stroke: var(--s" in style and len(places) == 1:
            heights[re.search(r"var\(--s(\d)", style)[1]] = places.pop()
    zero, unit = heights["1"], (heights["1"] - heights["2"]) / 10
    shifts = {use.get("href"): float(use.get("y", 0)) for use in drawing.iter("use")}
    ends = set()
    for path in drawing.iter("path"):
        shift = shifts.get(f"#{path.get('id')}", 0.0)
        ends |= {round((zero - y - shift) / unit, 1) for _, y in _places(path)}
    assert {2.0, 4.0, 7.0} <= ends
    assert figures.notes(spec) == [
        f"{'bars' if count == 3 else 'bands'}: an interval at each point, not a range over seeds"
    ]


def test_seeds_and_intervals_are_told_apart():
    seeds = {"label": "s", "seeds": [[1, 2, 3], [2, 3, 4]]}
    interval = {"label": "i", "values": [1, 2, 3], "low": [0, 1, 2], "high": [2, 3, 4]}
    assert figures.notes(SPEC | {"lines": [seeds]}) == ["bands: mean and range over 2 seeds"]
    assert len(figures.notes(SPEC | {"lines": [seeds, interval]})) == 2
    # an interval takes the place of the range
    assert figures.notes(SPEC | {"lines": [seeds | {"low": [0, 1, 2], "high": [2, 3, 4]}]}) == [
        "bars: an interval at each point, not a range over seeds"
    ]


@pytest.mark.parametrize("count", [1, 2, 8, 60])
@pytest.mark.parametrize("text", ["x", "a dose with a long name", "unbroken" * 8, ""])
def test_doses_stand_below_the_axis(count, text):
    x = {"values": list(range(count)), "labels": [f"{text}{k}" for k in range(count)]}
    drawing = ElementTree.fromstring(
        figures.draw(SPEC | {"x": x, "lines": [{"label": "a", "values": x["values"]}]}, "f1")
    )
    shown = " ".join(part.text for part in drawing.iter("text"))
    assert f"{text}0"[:6] in shown
    assert sum(bool(re.fullmatch(r"[^\d]*\d+", part.text)) for part in drawing.iter("text")) <= 24 * 3 + 12


@pytest.mark.parametrize(
    "changes",
    [
        {"lines": [{"label": "a", "values": [1, 2, 3], "low": [0, 1], "high": [2, 3, 4]}]},
        {"lines": [{"label": "a", "values": [1, 2, 3], "low": [0, 1, 2]}]},
        {"x": {"values": [1, 2, 3], "labels": ["one"]}},
    ],
)
def test_half_an_interval_or_too_few_labels_are_no_figure(changes):
    with pytest.raises(canvas.DrawingError):
        figures.draw(SPEC | changes, "f1")


# Scatter plots

SCATTER = {
    "kind": "scatter",
    "title": "t",
    "x": {},
    "y": {},
    "groups": [
        {
            "label": "a",
            "x": [0, 1, 4],
            "y": [1, 3, 9],
            "names": ["L0 H0", "L0 <b>", ""],
            "fit": {"slope": 2, "intercept": 1},
        },
        {"label": "b", "x": [2], "y": [0]},
    ],
}


def _points(drawing) -> dict[str, list[tuple[float, float]]]:
    """Colour -> places of its points, in pixels."""
    found = {}
    for group in drawing.iter("g"):
        colour = re.match(r"fill:var\(--(s\d)\)", group.get("style", ""))
        if colour:
            moves = [re.match(r"M(-?[\d.]+) (-?[\d.]+)", path.get("d")) for path in group.findall("path")]
            found.setdefault(colour[1], []).extend((float(move[1]), float(move[2])) for move in moves)
    return found


def test_points_stand_where_they_belong_with_their_names_and_the_fit_runs_through_them():
    drawing = ElementTree.fromstring(figures.draw(SCATTER, "f1"))
    places = _points(drawing)
    (x0, y0), (x1, y1), (x4, y9) = places["s0"]
    assert (x4 - x0) == pytest.approx(4 * (x1 - x0), abs=0.3)
    assert (y0 - y9) == pytest.approx(4 * (y0 - y1), abs=0.3)
    ((x2, low),) = places["s1"]
    assert (x2 - x0, low - y0) == pytest.approx((2 * (x1 - x0), (y0 - y1) / 2), abs=0.3)
    # the points of group a lie on 1 + 2 x: so do the ends of its line
    (fit,) = [path for path in drawing.iter("path") if "stroke: var(--s0)" in path.get("style", "")]
    assert [part for point in _places(fit) for part in point] == pytest.approx([x0, y0, x4, y9], abs=0.1)
    assert [title.text for title in drawing.iter("title")] == ["t", "L0 H0", "L0 <b>"]
    assert [title.text for title in ElementTree.fromstring(figures.draw(SCATTER, "f1", True)).iter("title")] == ["t"]
    assert [name for _, name in figures.legend(SCATTER)] == ["a (3 points), line: 1 + 2 · x", "b (1 point)"]
    assert "a, 3 points; b, 1 points" in figures.alt(SCATTER)


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": [{"label": "one point", "x": [3], "y": [0.5], "fit": {"slope": 1, "intercept": 1}}]},
        {"groups": [{"label": "empty", "x": [], "y": [], "fit": {"slope": 1, "intercept": 1}}, SCATTER["groups"][0]]},
        {"groups": [{"label": "one place", "x": [2, 2], "y": [1, 1], "fit": {"slope": 1, "intercept": 1}}]},
        {"groups": [{"label": str(k), "x": [k], "y": [1]} for k in range(20)]},
        {"x": {"log": True}, "y": {"log": True}},
        {
            "x": {"log": True},
            "groups": [{"label": "one", "x": [3, 0], "y": [1, 1], "fit": {"slope": 1, "intercept": -9}}],
        },
        {
            "y": {"log": True},
            "groups": [{"label": "low", "x": [1, 2], "y": [1, 2], "fit": {"slope": -1, "intercept": 0}}],
        },
        {"groups": [{"label": "huge", "x": [1e300, -1e300], "y": [1e300, -1e300]}]},
        {"groups": [{"label": "tiny", "x": [1e-300, 2e-300], "y": [0, 1e-300]}]},
        {"marks": [{"x": 2}], "levels": [{"y": 2}]},
    ],
)
def test_whatever_a_scatter_may_hold_can_be_drawn(changes):
    spec = SCATTER | changes
    drawn = figures.draw(spec, "f1")
    drawing = ElementTree.fromstring(drawn)
    every = [point for group in spec["groups"] for point in zip(group["x"], group["y"], strict=True)]
    logs = [bool(spec[axis].get("log")) for axis in "xy"]
    shown = [point for point in every if all(value > 0 or not log for value, log in zip(point, logs, strict=True))]
    assert sum(map(len, _points(drawing).values())) == len(shown)
    assert ("not shown: a logarithmic axis" in " ".join(figures.notes(spec))) == (len(shown) < len(every))
    assert len(figures.legend(spec)) == len(spec["groups"])
    assert "nan" not in drawn.lower()
    assert "inf" not in drawn.lower()


@pytest.mark.parametrize(
    "changes",
    [
        {"groups": [{"label": "empty", "x": [], "y": []}]},
        {"groups": [{"label": "a", "x": [1, 2], "y": [1]}]},
        {"groups": [{"label": "a", "x": [1], "y": [1], "names": ["a", "b"]}]},
        {"x": {"log": True}, "groups": [{"label": "a", "x": [0, -1], "y": [1, 1]}]},
        {"groups": [{"label": "a", "x": [1, 2], "y": [1, 2], "fit": {"slope": 1.7e308, "intercept": 1.7e308}}]},
    ],
)
def test_a_scatter_that_cannot_be_drawn_says_why(changes):
    with pytest.raises(canvas.DrawingError):
        figures.draw(SCATTER | changes, "f1")


# Heat maps

HEATMAP = {
    "kind": "heatmap",
    "title": "t",
    "x": {"label": "pair", "values": [1, 2, 3, 4]},
    "y": {"values": ["L0 H0", "L0 H1"]},
    "values": [[0, 0.5, 1, None], [2, -1, 0.25, 0.75]],
    "low": 0,
    "high": 1,
    "unit": "share",
}


def _picture(drawing):
    """The inlined PNG, opened by a library of its own: (rows, columns, RGBA) and its place."""
    import numpy as np
    from PIL import Image

    (image,) = drawing.iter("image")
    body = base64.b64decode(image.get("href").removeprefix("data:image/png;base64,"))
    place = {name: float(image.get(name)) for name in ("x", "y", "width", "height")}
    with Image.open(io.BytesIO(body)) as picture:
        return np.asarray(picture.convert("RGBA")).astype(int), place


def test_a_heat_map_has_the_colour_of_every_cell_dark_below_bright_and_gaps_clear():
    import matplotlib

    cells, _ = _picture(ElementTree.fromstring(figures.draw(HEATMAP, "f1")))
    assert cells.shape == (2, 4, 4)
    for row, values in enumerate(HEATMAP["values"]):
        for column, value in enumerate(values):
            if value is None:
                assert cells[row, column, 3] == 0
            else:
                expected = [255 * part for part in matplotlib.colormaps["viridis"](min(max(float(value), 0.0), 1.0))]
                assert cells[row, column] == pytest.approx(expected, abs=7)  # 64 shades of 256
    light = cells[..., :3] @ (0.2126, 0.7152, 0.0722)
    assert light[0, 0] < light[1, 2] < light[0, 1] < light[1, 3] < light[0, 2]
    assert [name for _, name in figures.legend(HEATMAP)] == ["share: dark is 0, bright is 1", "no value"]
    assert figures.notes(HEATMAP) == ["2 cells beyond the colour scale, in the colour of its end"]
    assert "2 rows, L0 H0 to L0 H1, and 4 columns, pair 1 to 4; colours from 0 to 1" in figures.alt(HEATMAP)


def test_a_mark_stands_at_its_value_among_the_columns():
    for columns, mark, share in (
        ([1, 2, 3, 4], 2.5, 0.5),
        ([40, 30, 20, 10], 30, 0.375),
        ([1, 10, 100, 1000], 55, 0.5),
    ):
        spec = HEATMAP | {"x": {"values": columns}, "marks": [{"x": mark, "label": "m"}, {"x": 9999, "label": "far"}]}
        drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
        _, place = _picture(drawing)
        dashes = next(path for path in drawing.iter("path") if "stroke: #000000" in path.get("style", ""))
        x = float(re.match(r"M(-?[\d.]+)", dashes.get("d"))[1])
        assert (x - place["x"]) / place["width"] == pytest.approx(share, abs=0.002)
        assert "outside the columns: far, at 9999" in figures.notes(spec)


def test_compact_rows_are_means_of_neighbours_and_a_gap_stands_back():
    rows = 2 * heat_maps.COMPACT_ROWS
    values = [[0.0, None if row % 2 else 1.0, None] if row % 4 < 2 else [1.0, 0.0, None] for row in range(rows)]
    spec = HEATMAP | {"x": {"values": [1, 2, 3]}, "y": {"values": [str(k) for k in range(rows)]}, "values": values}
    full, _ = _picture(ElementTree.fromstring(figures.draw(spec, "f1")))
    compact, _ = _picture(ElementTree.fromstring(figures.draw(spec, "f1", True)))
    assert (len(full), len(compact)) == (rows, heat_maps.COMPACT_ROWS)
    assert compact[0].tolist() == full[0].tolist()
    assert compact[1, :2].tolist() == full[2, :2].tolist()
    assert not compact[:, 2, 3].any()
    assert "each row of the drawing is the mean of 2 neighbouring rows" in figures.notes(spec, True)


def test_rows_of_many_heads_are_named_by_the_first_head_of_a_layer():
    names = [f"L{layer} H{head}" for layer in range(28) for head in range(28)]
    spec = HEATMAP | {"y": {"values": names}, "values": [[0.5] * 4] * len(names)}
    shown = [part.text for part in ElementTree.fromstring(figures.draw(spec, "f1")).iter("text")]
    named = [text for text in shown if text.startswith("L")]
    assert 6 <= len(named) <= heat_maps.NAMED_ROWS
    assert all(name.endswith(" H0") for name in named)


@pytest.mark.parametrize(
    "changes",
    [
        {"values": [[0.0] * 4] * 2, "low": -1e-300, "high": 1e-300},
        {"values": [[None] * 4] * 2},
        {"values": [[1e308, -1e308, 0, 1]] * 2},
        {"x": {"values": [5]}, "y": {"values": ["only"]}, "values": [[0.5]], "marks": [{"x": 5}]},
        {"x": {"values": [3, 1, 2, 2]}},
        {"x": {"values": [0.1, 0.2, 1e-9, 1e9]}},
        {"y": {"values": ["", ""]}},
        {"marks": [{"x": 1 + k / 10, "label": "mark"} for k in range(12)]},
    ],
)
def test_whatever_a_heat_map_may_hold_can_be_drawn(changes):
    spec = HEATMAP | changes
    for compact in (False, True):
        drawn = figures.draw(spec, "f1", compact)
        assert ElementTree.fromstring(drawn).find("desc").text
        assert "nan" not in re.sub(r'href="data:[^"]*"', "", drawn).lower()
    assert figures.legend(spec)
    assert heat_maps.told(spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"low": 1, "high": 1},
        {"low": 2},
        {"low": -1.7e308, "high": 1.7e308},
        {"values": [[0, 1, 2]] * 2},
        {"values": [[0, 1, 2, 3]]},
        {"x": {"values": []}, "values": [[], []]},
        {"y": {"values": []}, "values": []},
        {"x": {"values": [3, 1, 2, 2]}, "marks": [{"x": 2}]},
    ],
)
def test_a_heat_map_that_cannot_be_drawn_says_why(changes):
    with pytest.raises(canvas.DrawingError):
        figures.draw(HEATMAP | changes, "f1")


def test_a_thousand_heads_are_small_in_every_kind_and_the_same_bytes_each_time():
    chance = random.Random(5)
    names = [f"L{k // 32} H{k % 32}" for k in range(1024)]
    noise = HEATMAP | {
        "x": {"values": list(range(128))},
        "y": {"values": names},
        "values": [[chance.random() for _ in range(128)] for _ in names],
    }
    group = {"label": "g", "x": [chance.random() for _ in names], "y": [chance.random() for _ in names], "names": names}
    cloud = SCATTER | {"groups": [group, group | {"label": "h"}]}
    assert len(figures.draw(noise, "f1")) < 150_000  # noise is the worst case: real heads compress
    assert len(figures.draw(noise, "f1", True)) < 35_000
    assert len(figures.draw(cloud, "f1")) < 140_000
    for spec in (noise, cloud):
        assert figures.draw(spec, "f1") == figures.draw(spec, "f1")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"),
        (True, "yes"),
        (0, "0"),
        (-0.0, "0"),
        (5, "5"),
        (2655, "2655"),
        (10_000, "10\u202f000"),
        (-25, "−25"),
        (0.30000000000000004, "0.3"),
        (58.72345, "58.72"),
        (12345.6, "12\u202f346"),
        (99999.6, "100\u202f000"),
        (0.001, "0.001"),
        (0.00052, "5.2×10⁻⁴"),
        (1e-9, "10⁻⁹"),
        (-1e-9, "−10⁻⁹"),
        (123456.7, "1.235×10⁵"),
        ("text", "text"),
    ],
)
def test_numbers_are_set_as_print_sets_them(value, shown):
    assert text.number(value) == shown


@pytest.mark.parametrize(
    ("value", "log", "shown"),
    [
        (64.0, False, "64"),
        (0.1 + 0.2, False, "0.3"),
        (1e-4, True, "10⁻⁴"),
        (2e-4, True, "2×10⁻⁴"),
        (50.0, True, "50"),
        (1e6, True, "10⁶"),
    ],
)
def test_ticks_read_without_the_noise_of_the_axis(value, log, shown):
    assert text.tick(value, log) == shown


def test_times_and_lists_read_as_words():
    assert [text.duration(s) for s in (0, 0.31, 42, 412.7, 7300)] == ["0 s", "0.3 s", "42 s", "6 min 53 s", "2 h 1 min"]
    assert text.ranges([0, 1, 2, 3, 4, 7, 9, 10]) == "0–4, 7, 9, 10"
    assert text.moment("2026-03-02T09:14:05+09:00") == "2 March 2026, 09:14 +0900"
    assert text.moment("yesterday") == "yesterday"
    assert [text.p_value(p) for p in (None, 1e-9, 0.049, 0.4)] == ["–", "< 0.0001", "0.049", "0.40"]


@pytest.mark.parametrize(
    ("says", "shown"),
    [
        ("fig. 2a: rises", "fig. 2a: rises (drawn there: no number is printed)"),
        ("fig. 1a, 1b; §5", "fig. 1a, 1b; §5"),
        ("fig. 3: r = 0.4", "fig. 3: r = 0.4"),
        ("table 2: 0.86 points gained; here 2.8 points gained", "table 2: 0.86 points gained; here 2.8 points gained"),
        ({"a": 0.5}, "a: 0.5"),
    ],
)
def test_of_a_figure_of_the_paper_it_is_said_that_it_prints_no_number(says, shown):
    assert text.in_paper(says) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [("-0.00", "0.00"), ("−0.00 (-0.00 to 0.00)", "0.00 (0.00 to 0.00)"), ("-0.05", "−0.05"), ("[-16:]", "[-16:]")],
)
def test_no_minus_stands_before_a_zero(said, shown):
    assert text.minus(said) == shown


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("base 500000 and 131072 tokens, 4096 of them", "base 500\u202f000 and 131\u202f072 tokens, 4096 of them"),
        ("base 1e+06; differ by some 1e-5", "base 1\u202f000\u202f000; differ by some 10⁻⁵"),
        ("pair 3 turns by 1.94616e-05 radians", "pair 3 turns by 1.946×10⁻⁵ radians"),
        ("a slope of -1, r = -.5, +-0.013, 2^-8", "a slope of −1, r = −.5, ±0.013, 2^−8"),
        ("27.70 - 54.09 = -26.39", "27.70 − 54.09 = −26.39"),
        ("100.0%, 0.0% and 12.5% of 100.05%", "100%, 0% and 12.5% of 100.05%"),
        ("45752 of 46080", "45\u202f752 of 46\u202f080"),
        ("−50000 tokens", "−50\u202f000 tokens"),
    ],
)
def test_numbers_inside_a_sentence_are_set_like_all_others(said, shown):
    assert text.in_print(said) == shown
    assert text.in_print(shown) == shown


@pytest.mark.parametrize(
    "typed",
    [
        "controlled/rope-500000, n16384-base1000000-d128, /data/20261127/model, path/12345",
        "pytest claims/ --ruler 131072 --context=500000 -k c05",
        "masking [-16:], x[..., :-1], test_x[10000-64], arXiv 2502.11276, localhost:12345, issue #40123",
        "Range(theta=6.5e-05, distances=15360, offset=-2.7)",
        "9e999, 1e-999, 0e5, 99999999999999999999, ٣٣٣٣٣, 12345²",
        "float32, float64, 2026-11-27, ISO-8601, 1.10.20345, 7874e55ecba4 and 64e1115086c7…",
    ],
)
def test_names_paths_options_and_code_keep_their_numbers(typed):
    assert text.in_print(typed) == typed


@given(st.text(st.sampled_from("0123456789.eE+-−%,:=/[( ±٣²x"), max_size=40))
def test_any_text_can_be_set_and_keeps_its_digits(said):
    """9e999 is a number to no float, and stops nothing; only powers of ten lose digits, and zeros behind a percentage."""
    shown = text.in_print(said)
    if "e" not in said and "%" not in said:
        assert [c for c in shown if c.isdigit()] == [c for c in said if c.isdigit()]
