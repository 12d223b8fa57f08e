"""Line charts: lines with gaps, intervals as bars or bands, the range over seeds, and values of x with names."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable

from markupsafe import Markup

from fixtures.plain.text import label

from . import canvas
from .canvas import DASHES, DrawingError
from .swatches import MARKERS, swatch


def _marker(index: int, spec: dict) -> str:
    """The marker of a line. The first line has none, unless bars need one to show where their point is."""
    first = any("low" in line for line in spec["lines"]) and _bars(spec)
    return MARKERS[(index + first) % len(MARKERS)]


BARS = 30
"""Up to so many points, intervals are drawn as bars; with more points as a band."""


def draw(spec: dict, compact: bool):
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
    columns = [[canvas.drawable(values[i], y_log) for values in seeds] for i in shown]
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
        ends.append([canvas.drawable(values[i], log) for i in shown])
    return ends[0], ends[1]


def _x_labels(spec: dict, x: list[float], log: bool) -> dict:
    """Where the texts of x.labels stand, whether they are turned, and how much room they need; empty if there are none."""
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


def alt(spec: dict, x: str, y: str) -> str:
    """In words. x, y: the labels of its axes."""
    return f"Line chart of {y} against {x}: " + "; ".join(label(line["label"]) for line in spec["lines"][:12])


def legend(spec: dict) -> list[tuple[Markup, str]]:
    return [
        (swatch(index, _marker(index, spec), True, bool(line.get("dashed"))), str(line["label"]))
        for index, line in enumerate(spec["lines"])
    ]


def notes(spec: dict, compact: bool) -> list[str]:
    counts = {len(line["seeds"]) for line in spec["lines"] if len(line.get("seeds") or []) > 1 and "low" not in line}
    said = [f"bands: mean and range over {' or '.join(map(str, sorted(counts)))} seeds"] if counts else []
    if any("low" in line for line in spec["lines"]):
        said.append(f"{'bars' if _bars(spec) else 'bands'}: an interval at each point, not a range over seeds")
    return said
