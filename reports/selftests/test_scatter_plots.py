"""Scatter plots put points where they belong, and cope with whatever the contract leaves open."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from reports import canvas, figures
from reports.selftests.small_figures import SCATTER, places_of


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
    assert [part for point in places_of(fit) for part in point] == pytest.approx([x0, y0, x4, y9], abs=0.1)
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
