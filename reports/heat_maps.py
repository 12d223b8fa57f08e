"""Heat maps: a picture of one pixel a cell, its colour scale, and the same numbers as a table where they are few."""

from __future__ import annotations

import itertools
import math

from markupsafe import Markup, escape

from fixtures.plain.text import counted, label, number, tick

from . import canvas
from .canvas import MUTED, TEXT, WIDTH, DrawingError, element
from .palette import colours, png, ramp
from .swatches import framed

SHADES, COMPACT_SHADES, COMPACT_ROWS = 64, 24, 256
NAMED_ROWS = 16
CELLS_TOLD = 128
"""A heat map of at most so many cells has its numbers in a table below it, too."""


def draw(spec: dict, compact: bool):
    import numpy as np

    rows, columns, cells = len(spec["y"]["values"]), len(spec["x"]["values"]), spec["values"]
    if not rows or not columns:
        raise DrawingError("the heat map has no cells")
    if len(cells) != rows or any(len(row) != columns for row in cells):
        raise DrawingError(f"the heat map's values are not {rows} rows of {columns}")
    low, high = float(spec["low"]), float(spec["high"])
    if not 0 < high - low < math.inf:
        raise DrawingError(f"colours cannot run from {number(low)} to {number(high)}")
    values = np.array(cells, dtype=float)  # null is NaN
    if compact:
        values = _merged(values)
    shades = COMPACT_SHADES if compact else SHADES
    with np.errstate(invalid="ignore", over="ignore"):
        index = np.rint(np.clip((values - low) / (high - low), 0, 1) * (shades - 1))
    gaps = np.isnan(values)
    index = np.where(gaps, shades, index).astype(np.uint8)

    names = [label(name, 18) for name in spec["y"]["values"]]
    named = _named_rows(names)
    left = max(30.0, 14 + 6.2 * max(len(names[row]) for row in named))
    marks, lines = _placed(spec, columns, left)
    axes = canvas.axes_of(
        min(16 * rows, 300 + rows // 3, 560) if rows > 2 else 24 * rows, left=left, top=21 + 13 * lines
    )
    for spine in axes.spines.values():
        spine.set(visible=True, color=MUTED, linewidth=0.8)
    axes.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    axes.scales["y"] = canvas.Scale(at=named, labels=[names[row] for row in named], grid=False)
    at, labels = _column_ticks(spec["x"]["values"])
    axes.scales["x"] = canvas.Scale(at=at, labels=labels, grid=False)
    axes.plot([], [], gid="cells")
    for mark in marks:
        axes.axvline(mark["x"], color="#ffffff", linewidth=2.2, zorder=2.5)
        axes.axvline(mark["x"], color="#000000", linewidth=1.2, linestyle=(0, (3, 2)), zorder=2.6)
        axes.annotate(
            mark["label"],
            (mark["x"], 1),
            xycoords=axes.get_xaxis_transform(),
            ha=mark["align"],
            color=TEXT,
            fontsize=10,
            xytext=(3 if mark["align"] == "right" else -3, 4 + 13 * mark["line"]),
            textcoords="offset points",
        )
    canvas.name_axes(axes, spec["x"].get("label", ""), spec["y"].get("label", ""), above=7 + 13 * lines)
    box = axes.bbox
    place = {"x": box.x0, "y": axes.figure.bbox.height - box.y1, "width": box.width, "height": box.height}
    picture = element("image", **place, preserveAspectRatio="none", href=png(index, colours(shades)))
    # where a cell is many pixels its edges must stay sharp; where a pixel is many cells they must blend
    picture.set("style", f"image-rendering:{'pixelated' if len(index) <= 600 else 'auto'}")
    behind = []
    if gaps.any():
        strokes = element("path", d="M0 6L6 0", style=f"stroke:{MUTED};stroke-width:1")
        behind = [
            element("pattern", strokes, id="gaps", width="6", height="6", patternUnits="userSpaceOnUse"),
            element("rect", **place, style="fill:url(#gaps)"),
        ]
    return axes, {"cells": [*behind, picture]}


def _named_rows(names: list[str]) -> list[int]:
    """Rows whose names have room beside the drawing. Of many rows, the first of each group is named, such as a layer's first
    head."""
    rows = list(range(len(names)))
    begin = [row for row in rows if row == 0 or names[row].split()[:-1] != names[row - 1].split()[:-1]]
    if len(rows) > NAMED_ROWS and len(begin) >= NAMED_ROWS // 4:
        rows = begin
    step = next(2**k for k in range(32) if len(rows) <= NAMED_ROWS * 2**k)
    return rows[::step]


def _merged(values):
    """Neighbouring rows merged into their mean, so that at most COMPACT_ROWS are left; gaps do not count in a mean."""
    import numpy as np

    size = math.ceil(len(values) / COMPACT_ROWS)
    starts = np.arange(0, len(values), size)
    known = np.add.reduceat(~np.isnan(values), starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.add.reduceat(np.nan_to_num(values), starts) / known


def _placed(spec: dict, columns: int, left: float) -> tuple[list[dict], int]:
    """Marks with the line above the picture on which their label overlaps no other, and how many lines that takes."""
    placed, ends = [], []
    for mark in sorted(spec.get("marks") or [], key=lambda mark: mark["x"]):
        x, said = _column(mark["x"], spec["x"]["values"]), label(mark.get("label", ""), 48)
        if x is None:
            continue
        at, wide = (x + 0.5) / columns * (WIDTH - left), 6.0 * len(said) + 6
        align = "right" if x > 0.6 * columns else "left"
        start = at - wide if align == "right" else at
        line = next(
            (k for k, taken in enumerate(ends) if all(start > b or start + wide < a for a, b in taken)), len(ends)
        )
        ends += [[]] if line == len(ends) else []
        ends[line].append((start, start + wide))
        placed.append({"x": x, "label": said, "align": align, "line": line})
    return placed, len(ends)


def _column(x: float, values: list[float]) -> float | None:
    """The place of a mark among the columns, whose values must run one way; None outside them."""
    import numpy as np

    places = list(range(len(values)))
    if values[0] > values[-1]:
        values, places = values[::-1], places[::-1]
    if any(before >= after for before, after in itertools.pairwise(values)):
        raise DrawingError("a mark has no place among columns whose values do not run one way")
    first, last = (values[1] - values[0], values[-1] - values[-2]) if len(values) > 1 else (1, 1)
    edges = [values[0] - first / 2, *values, values[-1] + last / 2]
    outward = -0.5 if places[0] <= places[-1] else 0.5
    place = np.interp(x, edges, [places[0] + outward, *places, places[-1] - outward], math.nan, math.nan)
    return float(place) if math.isfinite(place) else None


def _column_ticks(values: list[float]) -> tuple[list[int], list[str]]:
    """About ten columns at equal steps. If the values are consecutive whole numbers, those with round values are taken."""
    count = len(values)
    step = next(s * 10**k for k in range(32) for s in (1, 2, 4, 8) if count <= 10 * s * 10**k)
    whole = all(float(value).is_integer() for value in values)
    first = 0
    if whole and all(b - a == 1 for a, b in itertools.pairwise(values)):
        first = int(-values[0] % step)
    places = list(range(first, count, step))
    if first >= max(2, step // 2):
        places.insert(0, 0)
    return places, [tick(values[place]) for place in places]


def alt(spec: dict, x: str) -> str:
    """In words. x: the label of its columns."""
    rows, columns = spec["y"]["values"], spec["x"]["values"]
    return (
        f"Heat map of {label(spec.get('unit') or 'values')}: {len(rows)} rows, {label(rows[0])} to {label(rows[-1])}, "
        f"and {len(columns)} columns, {x} {number(columns[0])} to {number(columns[-1])}; "
        f"colours from {number(spec['low'])} to {number(spec['high'])}"
    )


def legend(spec: dict) -> list[tuple[Markup, str]]:
    """The colour scale with its ends and its middle, and what a cell without a value looks like."""
    low, high = float(spec["low"]), float(spec["high"])
    middle = low / 2 + high / 2
    ends = "".join(
        f'<path d="M{x} 9v3" stroke="currentColor"/>'
        f'<text x="{x}" y="22" text-anchor="{anchor}">{escape(tick(at, digits=3))}</text>'
        for x, at, anchor in ((0.5, low, "start"), (105, middle, "middle"), (209.5, high, "end"))
    )
    drawn = f'<svg class="ramp" viewBox="0 0 210 25" aria-hidden="true">{ramp(210, 9)}{ends}</svg>'
    said = f"{spec.get('unit') or 'value'}: dark is {number(low)}, bright is {number(high)}"
    entries = [(Markup(drawn), said)]
    if any(value is None for row in spec["values"] for value in row):
        strokes = '<path d="M1 9l8-8M9 9l8-8M17 9l8-8" stroke="currentColor"/>'
        entries.append((framed(strokes), "no value"))
    return entries


def notes(spec: dict, compact: bool) -> list[str]:
    beyond = sum(
        value is not None and not spec["low"] <= value <= spec["high"] for row in spec["values"] for value in row
    )
    said = [f"{counted(beyond, 'cell')} beyond the colour scale, in the colour of its end"] if beyond else []
    outside = [mark for mark in spec.get("marks") or [] if _column(mark["x"], spec["x"]["values"]) is None]
    said += [
        f"outside the columns: {label(mark.get('label') or 'mark', 48)}, at {number(mark['x'])}" for mark in outside
    ]
    size = math.ceil(len(spec["values"]) / COMPACT_ROWS) if compact else 1
    if size > 1:
        said.append(f"each row of the drawing is the mean of {size} neighbouring rows")
    if compact or not told(spec):
        said.append("the number of every cell stands in results.json")
    return said


def told(spec: dict) -> dict | None:
    """A small heat map as a table, None for a larger one. The longer side runs downwards, where a page has more room."""
    if spec["kind"] != "heatmap" or len(spec["values"]) * len(spec["x"]["values"]) > CELLS_TOLD:
        return None
    axes = [(spec["y"].get("label", ""), spec["y"]["values"]), (spec["x"].get("label", ""), spec["x"]["values"])]
    cells = spec["values"]
    if len(axes[0][1]) < len(axes[1][1]):
        axes, cells = axes[::-1], [list(column) for column in zip(*cells, strict=True)]
    (down, rows), (across, columns) = axes
    corner = ", ".join(f"{label(name)} {arrow}" for name, arrow in ((down, "↓"), (across, "→")) if name)
    names = [[number(name) for name in side] for side in (rows, columns)]
    return {"corner": corner, "columns": names[1], "rows": list(zip(names[0], cells, strict=True))}
