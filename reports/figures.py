"""Draws what a row's `series` asks for. Computes no statistic.

A series is a named spec, shown once a claim however many rows carry it. Its fields (results.schema.json has the rest;
what is marked ? may be left out, and so may every `title`, `alt`, `caption` and `paper`):

    {"kind": "lines", "title", "alt", "x": {"label"?, "values": [...], "log"?, "labels"?: [a text for each value]},
     "y": {"label"?, "log"?, "zero"?}, "lines": [{"label", "values": [...] or "seeds": [[...], ...], "dashed"?,
     "low"?: [...], "high"?: [...]}], "marks"?: [{"x", "label"?}], "levels"?: [{"y", "label"?}], "caption", "paper"}
    {"kind": "scatter", "title", "alt", "x": {"label"?, "log"?}, "y": {"label"?, "log"?}, "groups": [{"label", "x": [...],
     "y": [...], "names"?: [...], "fit"?: {"slope", "intercept"}}], "marks"?, "levels"?, "caption", "paper"}
    {"kind": "heatmap", "title", "alt", "x": {"label"?, "values": [a number for each column]}, "y": {"label"?, "values":
     [a name for each row]}, "values": [a row of numbers for each name], "low", "high", "unit"?, "marks"?, "caption", "paper"}
    {"kind": "table", "title", "columns": [...], "rows": [[...], ...], "caption", "paper"}

`seeds` holds one list a seed and is drawn as mean and range. `low` and `high` are an interval at each point and come
together; with `seeds` they stand in place of the range. `names` are shown when a point is pointed at. `fit` is
y = intercept + slope * x in the units of the axes, drawn over the group's own range of x; on a logarithmic axis it is a
curve. `low` and `high` of a heat map are the ends of its colour scale: what lies beyond has the colour of the end, and a
line under the drawing counts it. In lines and heat maps null leaves a gap. A mark of a heat map stands at a value of
x.values or between two. `paper` says what the paper's own figure shows and is printed beside the drawing. Cells of a
table may be long texts: they wrap.

A thousand heads in a heat map or a scatter are some 100 kB; `compact` drawings of them are for reports that would
otherwise be too large.
"""

from __future__ import annotations

import base64
import itertools
import math
import struct
import textwrap
import zlib
from collections.abc import Iterable
from xml.etree import ElementTree

from markupsafe import Markup, escape

from fixtures.plain.text import in_print, label, number, tick, visible

from . import canvas
from .canvas import DASHES, MUTED, PAGE, SERIES_COLOURS, TEXT, WIDTH, DrawingError, element


def draw(spec: dict, prefix: str, compact: bool = False) -> Markup:
    """Inline SVG of a spec; `prefix` keeps its ids apart from those of the page's other figures. Raises DrawingError."""
    drawer = {"lines": _lines, "scatter": _scatter, "heatmap": _heatmap}[spec["kind"]]
    with canvas.page_style(prefix):
        axes, filled = drawer(spec, compact)
        return canvas.inline(axes, prefix, spec.get("title", "Figure"), alt(spec), filled)


def alt(spec: dict) -> str:
    """The spec's own description, or one made of its labels."""
    if spec.get("alt"):
        return in_print(visible(spec["alt"], 1000))
    x, y = label(spec["x"].get("label") or "x"), label(spec.get("y", {}).get("label") or "values")
    if spec["kind"] == "heatmap":
        rows, columns = spec["y"]["values"], spec["x"]["values"]
        return (
            f"Heat map of {label(spec.get('unit') or 'values')}: {len(rows)} rows, {label(rows[0])} to {label(rows[-1])}, "
            f"and {len(columns)} columns, {x} {number(columns[0])} to {number(columns[-1])}; "
            f"colours from {number(spec['low'])} to {number(spec['high'])}"
        )
    if spec["kind"] == "scatter":
        drawn = "; ".join(f"{label(group['label'])}, {len(group['x'])} points" for group in spec["groups"][:12])
        return f"Scatter plot of {y} against {x}: {drawn}"
    return f"Line chart of {y} against {x}: " + "; ".join(label(line["label"]) for line in spec["lines"][:12])


def legend(spec: dict) -> list[tuple[Markup, str]]:
    """(swatch, label) of each line, group or colour: HTML, so that long names wrap instead of covering the drawing."""
    if spec["kind"] == "heatmap":
        return _colour_legend(spec)
    if spec["kind"] == "scatter":
        return [
            (_swatch(index, _POINTS[index % len(_POINTS)][0], _has_line(group), dashed=False), _group_label(group))
            for index, group in enumerate(spec["groups"])
        ]
    return [
        (_swatch(index, _marker(index, spec), True, bool(line.get("dashed"))), str(line["label"]))
        for index, line in enumerate(spec["lines"])
    ]


def notes(spec: dict, compact: bool = False) -> list[str]:
    """What must be known to read the drawing: what its bands and bars are, and what it does not show."""
    return {"lines": _line_notes, "scatter": _scatter_notes, "heatmap": _heatmap_notes}[spec["kind"]](spec, compact)


_SWATCH_MARKERS = {
    "": "",
    "o": '<circle cx="13" cy="5" r="3" fill="currentColor"/>',
    "s": '<path d="M10 2h6v6h-6z" fill="currentColor"/>',
    "^": '<path d="M13 1.5l3.5 6.5h-7z" fill="currentColor"/>',
    "D": '<path d="M13 1l4 4-4 4-4-4z" fill="currentColor"/>',
    "v": '<path d="M13 8.5l3.5-6.5h-7z" fill="currentColor"/>',
    "P": '<path d="M13 1v8M9 5h8" stroke="currentColor" stroke-width="2.4"/>',
    "X": '<path d="M10 2l6 6M16 2l-6 6" stroke="currentColor" stroke-width="2.4"/>',
}
_MARKERS = tuple(_SWATCH_MARKERS)


def _marker(index: int, spec: dict) -> str:
    """Of a line; the first has none, unless bars need to show where their point is."""
    first = any("low" in line for line in spec["lines"]) and _bars(spec)
    return _MARKERS[(index + first) % len(_MARKERS)]


def _swatch(index: int, marker: str, line: bool, dashed: bool) -> Markup:
    dash = ' stroke-dasharray="5 3"' if dashed else ""
    stroke = f'<path d="M0 5H26" stroke="currentColor" stroke-width="2" fill="none"{dash}/>' if line else ""
    return Markup(
        f'<svg class="swatch" viewBox="0 0 26 10" aria-hidden="true" style="color:var(--s{index % SERIES_COLOURS})">'
        f"{stroke}{_SWATCH_MARKERS[marker]}</svg>"
    )


def _count(count: int, what: str) -> str:
    return f"{number(count)} {what}{'' if count == 1 else 's'}"


def _drawable(value: float | None, log: bool) -> float:
    """Gaps, and what a logarithm cannot show, become gaps in the line."""
    return math.nan if value is None or (log and value <= 0) else float(value)


# Lines

BARS = 30
"""Up to so many points an interval is drawn as bars, beyond as a band."""


def _lines(spec: dict, compact: bool):
    x = [_on_x(value) for value in spec["x"]["values"]]
    y_log = bool(spec.get("y", {}).get("log")) and any(v is not None and v > 0 for v in _all_values(spec))
    x_log = bool(spec["x"].get("log")) and any(value > 0 for value in x)
    labels = _x_labels(spec, x, x_log)
    axes = canvas.axes_of(206, **labels.pop("room", {}))
    # side by side, or the bars of several lines at one dose would hide one another
    beside = [i for i, line in enumerate(spec["lines"]) if labels and "low" in line]
    for index, line in enumerate(spec["lines"]):
        apart = min(7.0, 36 / max(len(beside), 1), 260 / len(x) / max(len(beside), 1)) if x else 0.0
        shift = apart * (beside.index(index) - (len(beside) - 1) / 2) if index in beside else 0.0
        _line(axes, index, line, x, x_log, y_log, shift, _marker(index, spec), _bars(spec))
    for log, scale in ((x_log, axes.set_xscale), (y_log, axes.set_yscale)):
        if log:
            scale("log")
    if not y_log and spec.get("y", {}).get("zero"):
        axes.set_ylim(bottom=0)
    axes.margins(x=0.07 if labels else 0.015)
    axes.scales["y"].log = y_log
    axes.scales["x"] = canvas.Scale(log=x_log, **labels)
    canvas.marks_and_levels(axes, spec.get("marks") or [], spec.get("levels") or [])
    canvas.name_axes(axes, spec["x"].get("label", ""), spec.get("y", {}).get("label", ""))
    return axes, {}


def _bars(spec: dict) -> bool:
    return "labels" in spec["x"] or len(spec["x"]["values"]) <= BARS


def _line(
    axes, index: int, line: dict, x: list[float], x_log: bool, y_log: bool, shift: float, marker: str, bars: bool
) -> None:
    seeds = line.get("seeds") or [line.get("values") or []]
    if any(len(values) != len(x) for values in seeds):
        raise DrawingError(
            f"the line {label(line['label'])!r} has not one value for each of the {len(x)} on the x axis"
        )
    shown = [i for i, value in enumerate(x) if not (x_log and value <= 0)]
    if not shown:
        raise DrawingError(f"the line {label(line['label'])!r} has no points")
    at = [x[i] for i in shown]
    columns = [[_drawable(values[i], y_log) for values in seeds] for i in shown]
    means = [math.fsum(column) / len(column) for column in columns]
    colour, artists = canvas.colour(index), []
    if "low" in line or "high" in line:
        low, high = _interval(line, shown, len(x), y_log)
        if bars:
            stems = [p for place in at for p in (place, place, math.nan)]
            ends = [p for pair in zip(low, high, strict=True) for p in (*pair, math.nan)]
            artists += axes.plot(stems, ends, color=colour, linewidth=1.3, gid="interval")
            artists += axes.plot([*at, *at], [*low, *high], color=colour, linestyle="none", marker="_", markersize=7)
        else:
            axes.fill_between(at, low, high, color=colour, alpha=0.18, linewidth=0, gid="interval")
    elif len(seeds) > 1:
        axes.fill_between(
            at, [min(c) for c in columns], [max(c) for c in columns], color=colour, alpha=0.18, linewidth=0, gid="band"
        )
    step = 1 if bars and "low" in line else max(1, len(at) // 8)
    artists += axes.plot(
        at,
        means,
        color=colour,
        linewidth=1.7,
        linestyle=DASHES if line.get("dashed") else "-",
        gid="line",
        marker=marker or ("o" if len(at) == 1 else None),
        markersize=5,
        markevery=(index % step, step),
    )
    for artist in artists if shift else ():  # only now: the axes must take no notice of it
        artist.set_transform(canvas.shifted(axes.transData, shift, 0))


def _interval(line: dict, shown: list[int], points: int, log: bool) -> tuple[list[float], list[float]]:
    ends = []
    for name in ("low", "high"):
        values = line.get(name) or []
        if len(values) < points:
            raise DrawingError(
                f"the line {label(line['label'])!r} has {len(values)} values in {name!r} for {points} points"
            )
        ends.append([_drawable(values[i], log) for i in shown])
    return ends[0], ends[1]


def _x_labels(spec: dict, x: list[float], log: bool) -> dict:
    """Where the texts of x.labels stand, how they are turned, and what room they need; nothing where there are none."""
    if "labels" not in spec["x"]:
        return {}
    if len(spec["x"]["labels"]) != len(x):
        raise DrawingError(f"x has {len(spec['x']['labels'])} labels for {len(x)} values")
    named = sorted(
        (place, label(text, 40)) for place, text in zip(x, spec["x"]["labels"], strict=True) if place > 0 or not log
    )
    named = named[:: math.ceil(len(named) / 24) or 1]  # more have no room under the axis
    places = [math.log10(place) if log else place for place, _ in named]
    gaps = [after - before for before, after in itertools.pairwise(places)]
    share = min(gaps) / (places[-1] - places[0]) if gaps and places[-1] > places[0] else 1.0
    wide = int(max(share * 380 / 6.3, 1)) - 1  # characters of one label, side by side
    wrapped = [textwrap.wrap(text, max(wide, 6)) or [""] for _, text in named]
    at = [place for place, _ in named]
    if max((len(line) for lines in wrapped for line in lines), default=0) <= wide and max(map(len, wrapped)) <= 3:
        room = {"bottom": 27.0 + 12.5 * max(map(len, wrapped))}
        return {"at": at, "labels": ["\n".join(lines) for lines in wrapped], "room": room}
    texts = [label(text, 22) for _, text in named]
    longest = max(map(len, texts))
    room = {"bottom": 32.0 + 3.6 * longest, "left": max(53.0, 5.2 * len(texts[0]) - 14)}
    return {"at": at, "labels": texts, "turned": True, "room": room}


def _on_x(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DrawingError(f"{label(value)!r} on the x axis is no number")
    return float(value)


def _all_values(spec: dict) -> Iterable[float | None]:
    for line in spec["lines"]:
        for values in line.get("seeds") or [line.get("values") or []]:
            yield from values


def _line_notes(spec: dict, compact: bool) -> list[str]:
    counts = {len(line["seeds"]) for line in spec["lines"] if len(line.get("seeds") or []) > 1 and "low" not in line}
    said = [f"bands: mean and range over {' or '.join(map(str, sorted(counts)))} seeds"] if counts else []
    if any("low" in line for line in spec["lines"]):
        said.append(f"{'bars' if _bars(spec) else 'bands'}: an interval at each point, not a range over seeds")
    return said


# Scatter

CROWD = 200
"""Points beyond which they are drawn lighter, so that it shows where many lie on one another."""
_POINTS = (
    # marker of the legend, relative path of one point, how it is painted
    ("o", "h0", "fill:none;stroke-width:5.6;stroke-linecap:round"),
    ("^", "m0-3.6l3.3 6h-6.6z", "stroke:none"),
    ("s", "m-2.4-2.4h4.8v4.8h-4.8z", "stroke:none"),
    ("D", "m0-3.5l3.5 3.5-3.5 3.5-3.5-3.5z", "stroke:none"),
    ("v", "m0 3.6l3.3-6h-6.6z", "stroke:none"),
    ("P", "m-3 0h6m-3-3v6", "fill:none;stroke-width:1.8"),
    ("X", "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4", "fill:none;stroke-width:1.8"),
)


def _scatter(spec: dict, compact: bool):
    logs = [bool(spec.get(axis, {}).get("log")) for axis in ("x", "y")]
    groups = [_shown(group, logs) for group in spec["groups"]]
    if not any(groups):
        raise DrawingError("no group has a point that its axes can show")
    axes = canvas.axes_of(260)
    for log, scale in zip(logs, (axes.set_xscale, axes.set_yscale), strict=True):
        if log:
            scale("log")
    for index, points in enumerate(groups):
        # takes its place among the artists, and room on the axes; the points themselves are written below
        axes.plot([x for x, *_ in points], [y for _, y, _ in points], linestyle="none", gid=f"points-{index}")
    for index, (group, points) in enumerate(zip(spec["groups"], groups, strict=True)):
        _fit(axes, index, group, [x for x, *_ in points], logs, halo=sum(map(len, groups)) > CROWD)
    axes.margins(0.04)
    axes.autoscale_view()
    axes.scales = {name: canvas.Scale(log=log) for name, log in zip("xy", logs, strict=True)}
    canvas.marks_and_levels(axes, spec.get("marks") or [], spec.get("levels") or [])
    canvas.name_axes(axes, spec["x"].get("label", ""), spec.get("y", {}).get("label", ""))
    opacity = 0.5 if sum(map(len, groups)) > CROWD else 0.8
    return axes, {
        f"points-{index}": [_point_group(axes, index, points, opacity, named=not compact)]
        for index, points in enumerate(groups)
    }


def _shown(group: dict, logs: list[bool]) -> list[tuple[float, float, str]]:
    """(x, y, name) of the points that the axes can show."""
    names = group.get("names") or [""] * len(group["x"])
    if not len(group["x"]) == len(group["y"]) == len(names):
        raise DrawingError(
            f"the group {label(group['label'])!r} has {len(group['x'])} x, {len(group['y'])} y and {len(names)} names"
        )
    return [
        (float(x), float(y), name)
        for x, y, name in zip(group["x"], group["y"], names, strict=True)
        if not (logs[0] and x <= 0) and not (logs[1] and y <= 0)
    ]


def _has_line(group: dict) -> bool:
    """Whether there is a range of x to draw a fit over."""
    return "fit" in group and len(set(group["x"])) > 1


def _fit(axes, index: int, group: dict, x: list[float], logs: list[bool], halo: bool) -> None:
    """The group's regression line over its own range of x, on a halo that parts it from a crowd of points."""
    if not _has_line(group) or min(x, default=0) == max(x, default=0):
        return
    low, high = min(x), max(x)
    steps = 64 if any(logs) else 1
    at = [low * (high / low) ** (k / steps) if logs[0] else low + (high - low) * (k / steps) for k in range(steps + 1)]
    fitted = [_drawable(group["fit"]["intercept"] + group["fit"]["slope"] * value, logs[1]) for value in at]
    if not all(math.isfinite(value) or logs[1] for value in fitted):
        raise DrawingError(f"the fit of the group {label(group['label'])!r} leaves the range of numbers")
    if halo:
        axes.plot(at, fitted, color=PAGE, linewidth=4.5, zorder=3, solid_capstyle="butt")
    axes.plot(at, fitted, color=canvas.colour(index), linewidth=2, zorder=3.1 + index / 100, gid=f"fit-{index}")


def _point_group(axes, index: int, points: list[tuple], opacity: float, named: bool) -> ElementTree.Element:
    _, shape, paint = _POINTS[index % len(_POINTS)]
    colour, height = canvas.colour(index), axes.figure.bbox.height
    group = element("g", style=f"fill:{colour};stroke:{colour};fill-opacity:{opacity};stroke-opacity:{opacity};{paint}")
    places = axes.transData.transform([(x, y) for x, y, _ in points]) if points else []
    for (left, up), (_, _, name) in zip(places, points, strict=True):
        group.append(element("path", d=f"M{left:.1f} {height - up:.1f}{shape}"))
        if named and name:
            title = element("title")
            title.text = label(name, 60)
            group[-1].append(title)
    return group


def _group_label(group: dict) -> str:
    count = len(group["x"])
    said = f"{label(group['label'], 120)} ({_count(count, 'point')})"
    if _has_line(group):
        said += f", line: {number(group['fit']['intercept'])} + {number(group['fit']['slope'])} · x".replace(
            "+ −", "− "
        )
    return said


def _scatter_notes(spec: dict, compact: bool) -> list[str]:
    logs = [bool(spec.get(axis, {}).get("log")) for axis in ("x", "y")]
    left_out = sum(len(group["x"]) - len(_shown(group, logs)) for group in spec["groups"])
    said = (
        [f"{_count(left_out, 'point')} not shown: a logarithmic axis has no place for zero or less"] if left_out else []
    )
    if any(group.get("names") for group in spec["groups"]):
        said.append("names of the points: in results.json" if compact else "hover over a point to read its name")
    return said


# Heat maps

SHADES, COMPACT_SHADES, COMPACT_ROWS = 64, 24, 256
NAMED_ROWS = 16
CELLS_TOLD = 128
"""Up to so many cells, the numbers of a heat map also stand in a table below it."""


def _heatmap(spec: dict, compact: bool):
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
    # one cell is many pixels: its edge must not blur; many cells to a pixel must blend
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
    """Rows whose names have room beside the drawing; of many, those that begin something, such as a layer's first head."""
    rows = list(range(len(names)))
    begin = [row for row in rows if row == 0 or names[row].split()[:-1] != names[row - 1].split()[:-1]]
    if len(rows) > NAMED_ROWS and len(begin) >= NAMED_ROWS // 4:
        rows = begin
    step = next(2**k for k in range(32) if len(rows) <= NAMED_ROWS * 2**k)
    return rows[::step]


def _merged(values):
    """Neighbouring rows as their mean, so that at most COMPACT_ROWS are left; gaps stand back."""
    import numpy as np

    size = math.ceil(len(values) / COMPACT_ROWS)
    starts = np.arange(0, len(values), size)
    known = np.add.reduceat(~np.isnan(values), starts)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        return np.add.reduceat(np.nan_to_num(values), starts) / known


def _placed(spec: dict, columns: int, left: float) -> tuple[list[dict], int]:
    """Marks with the line above the colours where their label is free of the others', and how many lines that takes."""
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
    """About ten columns at equal steps; the ones whose values are round, where the values are whole numbers in a row."""
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


def colours(shades: int) -> list[tuple[int, int, int]]:
    """viridis: even to the eye, and from dark to bright, so that grey print and colour-blind readers keep the order."""
    import matplotlib

    made = matplotlib.colormaps["viridis"].resampled(shades)(range(shades), bytes=True)
    return [(int(red), int(green), int(blue)) for red, green, blue, _ in made]


def png(index, colours: list[tuple[int, int, int]]) -> str:
    """Data URI of a PNG with a palette; the index after the last colour is transparent. index: (rows, columns) uint8."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows, columns = index.shape
    raw = b"".join(b"\0" + row.tobytes() for row in index)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0))
    png += chunk(b"PLTE", bytes(itertools.chain.from_iterable([*colours, (0, 0, 0)])))
    png += chunk(b"tRNS", b"\xff" * len(colours) + b"\0") + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def _colour_legend(spec: dict) -> list[tuple[Markup, str]]:
    low, high = float(spec["low"]), float(spec["high"])
    middle = low / 2 + high / 2
    blocks = "".join(
        f'<path d="M{8.75 * k:g} 0h8.85v9h-8.85z" fill="#{red:02x}{green:02x}{blue:02x}"/>'
        for k, (red, green, blue) in enumerate(colours(24))
    )
    ends = "".join(
        f'<path d="M{x} 9v3" stroke="currentColor"/>'
        f'<text x="{x}" y="22" text-anchor="{anchor}">{escape(tick(at, digits=3))}</text>'
        for x, at, anchor in ((0.5, low, "start"), (105, middle, "middle"), (209.5, high, "end"))
    )
    ramp = f'<svg class="ramp" viewBox="0 0 210 25" aria-hidden="true">{blocks}{ends}</svg>'
    said = f"{spec.get('unit') or 'value'}: dark is {number(low)}, bright is {number(high)}"
    entries = [(Markup(ramp), said)]
    if any(value is None for row in spec["values"] for value in row):
        strokes = '<path d="M1 9l8-8M9 9l8-8M17 9l8-8" stroke="currentColor"/>'
        entries.append(
            (Markup(f'<svg class="swatch" viewBox="0 0 26 10" aria-hidden="true">{strokes}</svg>'), "no value")
        )
    return entries


def _heatmap_notes(spec: dict, compact: bool) -> list[str]:
    beyond = sum(
        value is not None and not spec["low"] <= value <= spec["high"] for row in spec["values"] for value in row
    )
    said = [f"{_count(beyond, 'cell')} beyond the colour scale, in the colour of its end"] if beyond else []
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
    """A small heat map as a table, its longer side downwards: a screen and a page have more room there."""
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
