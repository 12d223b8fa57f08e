"""What all figures share: paths in steps, ticks and the grid, and the size of drawings of a thousand heads."""

from __future__ import annotations

import math
import random
import re
import xml.etree.ElementTree as ElementTree

import numpy as np
import pytest

from reports import canvas, figures
from reports.canvas import element
from reports.selftests.small_figures import HEATMAP, LINES, SCATTER, places_of


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
    read = places_of(element("path", d=canvas.relative(path)))
    assert np.abs(np.array(read) - points).max() < 0.0501


@pytest.mark.parametrize("log", [False, True])
def test_ticks_their_labels_and_the_grid_stand_at_their_values(log):
    """Along x and y, against the line that is drawn beside them by matplotlib."""
    values = [1.0, 10.0, 100.0, 1000.0] if log else [0.0, 4.0, 8.0, 12.0]
    spec = LINES | {"x": {"values": values, "log": log}, "y": {"log": log}, "lines": [{"label": "s", "values": values}]}
    drawing = ElementTree.fromstring(figures.draw(spec, "f1"))
    paths = {path.get("class") or "line": places_of(path) for path in drawing.iter("path") if path.get("d")}
    (line,) = [places_of(path) for path in drawing.iter("path") if "var(--s0)" in path.get("style", "")]
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
