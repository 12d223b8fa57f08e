"""Heat maps give every cell its colour, and cope with whatever the contract leaves open."""

from __future__ import annotations

import base64
import io
import re
import xml.etree.ElementTree as ElementTree

import pytest

from reports import canvas, figures, heat_maps
from reports.selftests.small_figures import HEATMAP


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
