"""Line charts cope with whatever the contract leaves open, and put bands, bars and the names of doses where they belong."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest

from reports import canvas, figures, line_charts
from reports.selftests.small_figures import LINES, places_of


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
    spec = LINES | changes
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
        figures.draw(LINES | changes, "f1")


def test_the_band_of_seeds_spans_their_range_and_the_line_is_their_mean():
    """Against coordinates read back from the drawing: pixels are linear in the data."""
    seeds = [[0.0, 1.0, 4.0], [2.0, 3.0, 8.0], [1.0, 5.0, 0.0]]
    spec = LINES | {"lines": [{"label": "s", "seeds": seeds}, {"label": "ruler", "values": [0.0, 4.0, 8.0]}]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    shifts = {use.get("href"): float(use.get("y", 0)) for use in drawing.iter("use")}
    points = []
    for path in (one for one in drawing.iter("path") if one.get("class") not in ("grid", "tick")):
        shift = shifts.get(f"#{path.get('id')}", 0.0)  # a band is defined once and put in its place by <use>
        points.append([(x, y + shift) for x, y in places_of(path)])
    lines = [line for line in points if len(line) == 3]
    ruler = next(line for line in lines if math.isclose(line[0][1] + line[2][1], 2 * line[1][1], abs_tol=0.02))
    zero, unit = ruler[0][1], (ruler[0][1] - ruler[2][1]) / 8
    mean = next(line for line in lines if line is not ruler)
    assert [(zero - y) / unit for _, y in mean] == pytest.approx([1.0, 3.0, 4.0], abs=0.01)
    band = next(line for line in points if len(line) > 3)
    for x, low, high in zip([x for x, _ in ruler], (0, 1, 0), (2, 5, 8), strict=True):
        at = [(zero - y) / unit for place, y in band if math.isclose(place, x, abs_tol=0.02)]
        assert (min(at), max(at)) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize("count", [3, line_charts.BARS + 1])
def test_an_interval_is_drawn_where_it_lies_and_called_an_interval(count):
    values = [4.0] * count
    line = {"label": "a", "values": values, "low": [2.0] * count, "high": [7.0] * (count - 1) + [None]}
    rulers = [{"label": str(at), "values": [at] * count} for at in (0.0, 10.0)]
    spec = LINES | {"x": {"values": list(range(count))}, "lines": [line, *rulers]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    heights = {}
    for path in drawing.iter("path"):
        style, places = path.get("style", ""), {round(y, 1) for _, y in places_of(path)}
        if "stroke: var(--s" in style and len(places) == 1:
            heights[re.search(r"var\(--s(\d)", style)[1]] = places.pop()
    zero, unit = heights["1"], (heights["1"] - heights["2"]) / 10
    shifts = {use.get("href"): float(use.get("y", 0)) for use in drawing.iter("use")}
    ends = set()
    for path in drawing.iter("path"):
        shift = shifts.get(f"#{path.get('id')}", 0.0)
        ends |= {round((zero - y - shift) / unit, 1) for _, y in places_of(path)}
    assert {2.0, 4.0, 7.0} <= ends
    assert figures.notes(spec) == [
        f"{'bars' if count == 3 else 'bands'}: an interval at each point, not a range over seeds"
    ]


def test_seeds_and_intervals_are_told_apart():
    seeds = {"label": "s", "seeds": [[1, 2, 3], [2, 3, 4]]}
    interval = {"label": "i", "values": [1, 2, 3], "low": [0, 1, 2], "high": [2, 3, 4]}
    assert figures.notes(LINES | {"lines": [seeds]}) == ["bands: mean and range over 2 seeds"]
    assert len(figures.notes(LINES | {"lines": [seeds, interval]})) == 2
    # an interval takes the place of the range
    assert figures.notes(LINES | {"lines": [seeds | {"low": [0, 1, 2], "high": [2, 3, 4]}]}) == [
        "bars: an interval at each point, not a range over seeds"
    ]


@pytest.mark.parametrize("count", [1, 2, 8, 60])
@pytest.mark.parametrize("text", ["x", "a dose with a long name", "unbroken" * 8, ""])
def test_doses_stand_below_the_axis(count, text):
    x = {"values": list(range(count)), "labels": [f"{text}{k}" for k in range(count)]}
    drawing = ElementTree.fromstring(
        figures.draw(LINES | {"x": x, "lines": [{"label": "a", "values": x["values"]}]}, "f1")
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
        figures.draw(LINES | changes, "f1")
