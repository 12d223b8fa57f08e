"""Drawings: strips put every value where it belongs, figures cope with whatever the contract leaves open."""

from __future__ import annotations

import math
import re
import xml.etree.ElementTree as ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports import figures, strips, text

NUMBERS = st.floats(-1e12, 1e12, allow_nan=False).filter(lambda value: value == 0 or abs(value) > 1e-12)


def _row(estimate, ci=None, side="below", margin=1.0, **changes) -> dict:
    return {
        "estimate": estimate, "ci": ci, "side": side, "margin": margin, "unit": "nats", "verdict": "supported",
    } | changes  # fmt: skip


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
        assert drawing.find("title").text
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


@pytest.mark.parametrize("changes", [{"x": {"values": ["one", "two", "three"]}}, {"x": {"values": []}}])
def test_what_cannot_be_drawn_says_why(changes):
    with pytest.raises(figures.DrawingError):
        figures.draw(SPEC | changes, "f1")


def test_the_band_of_seeds_spans_their_range_and_the_line_is_their_mean():
    """Against coordinates read back from the drawing: pixels are linear in the data."""
    seeds = [[0.0, 1.0, 4.0], [2.0, 3.0, 8.0], [1.0, 5.0, 0.0]]
    spec = SPEC | {"lines": [{"label": "s", "seeds": seeds}, {"label": "ruler", "values": [0.0, 4.0, 8.0]}]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    shifts = {use.get("href"): float(use.get("y", 0)) for use in drawing.iter("use")}
    points = []
    for path in drawing.iter("path"):
        shift = shifts.get(f"#{path.get('id')}", 0.0)  # a band is defined once and put in its place by <use>
        pairs = re.findall(r"(-?[\d.]+) (-?[\d.]+)", path.get("d", ""))
        points.append([(float(x), float(y) + shift) for x, y in pairs])
    lines = [line for line in points if len(line) == 3]
    ruler = next(line for line in lines if math.isclose(line[0][1] + line[2][1], 2 * line[1][1], abs_tol=0.02))
    zero, unit = ruler[0][1], (ruler[0][1] - ruler[2][1]) / 8
    mean = next(line for line in lines if line is not ruler)
    assert [(zero - y) / unit for _, y in mean] == pytest.approx([1.0, 3.0, 4.0], abs=0.01)
    band = next(line for line in points if len(line) > 3)
    for x, low, high in zip([x for x, _ in ruler], (0, 1, 0), (2, 5, 8), strict=True):
        at = [(zero - y) / unit for place, y in band if math.isclose(place, x, abs_tol=0.02)]
        assert (min(at), max(at)) == pytest.approx((low, high), abs=0.01)


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"), (True, "yes"), (0, "0"), (-0.0, "0"), (5, "5"), (2655, "2655"), (10_000, "10\u202f000"), (-25, "−25"),
        (0.30000000000000004, "0.3"), (58.72345, "58.72"), (12345.6, "12\u202f346"), (99999.6, "100\u202f000"),
        (0.001, "0.001"), (0.00052, "5.2×10⁻⁴"), (1e-9, "10⁻⁹"), (-1e-9, "−10⁻⁹"), (123456.7, "1.235×10⁵"), ("text", "text"),
    ],
)  # fmt: skip
def test_numbers_are_set_as_print_sets_them(value, shown):
    assert text.number(value) == shown


def test_times_and_lists_read_as_words():
    assert [text.duration(s) for s in (0, 0.31, 42, 412.7, 7300)] == ["0 s", "0.3 s", "42 s", "6 min 53 s", "2 h 1 min"]
    assert text.ranges([0, 1, 2, 3, 4, 7, 9, 10]) == "0–4, 7, 9, 10"
    assert text.moment("2026-03-02T09:14:05+09:00") == "2 March 2026, 09:14 +0900"
    assert text.moment("yesterday") == "yesterday"
    assert [text.p_value(p) for p in (None, 1e-9, 0.049, 0.4)] == ["–", "< 0.0001", "0.049", "0.40"]
