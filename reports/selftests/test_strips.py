"""Strips put every value where it belongs."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree

from hypothesis import given
from hypothesis import strategies as st

from reports import strips

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
