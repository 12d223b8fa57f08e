"""Scatter plots: groups of points with names, and the regression line of each group."""

from __future__ import annotations

import math
from xml.etree import ElementTree

from markupsafe import Markup

from fixtures.plain.text import counted, label, number

from . import canvas
from .canvas import PAGE, DrawingError, element
from .swatches import swatch

CROWD = 200
"""With more points than this, they are drawn lighter, so that one sees where many lie on one another."""
_POINTS = (
    # marker in the legend, relative path of one point, how it is painted
    ("o", "h0", "fill:none;stroke-width:5.6;stroke-linecap:round"),
    ("^", "m0-3.6l3.3 6h-6.6z", "stroke:none"),
    ("s", "m-2.4-2.4h4.8v4.8h-4.8z", "stroke:none"),
    ("D", "m0-3.5l3.5 3.5-3.5 3.5-3.5-3.5z", "stroke:none"),
    ("v", "m0 3.6l3.3-6h-6.6z", "stroke:none"),
    ("P", "m-3 0h6m-3-3v6", "fill:none;stroke-width:1.8"),
    ("X", "m-2.2-2.2l4.4 4.4m0-4.4l-4.4 4.4", "fill:none;stroke-width:1.8"),
)


def draw(spec: dict, compact: bool):
    logs = [bool(spec.get(axis, {}).get("log")) for axis in ("x", "y")]
    groups = [_shown(group, logs) for group in spec["groups"]]
    if not any(groups):
        raise DrawingError("no group has a point that its axes can show")
    axes = canvas.axes_of(260)
    for log, scale in zip(logs, (axes.set_xscale, axes.set_yscale), strict=True):
        if log:
            scale("log")
    for index, points in enumerate(groups):
        # this reserves the place and the room on the axes; the points themselves are written as SVG below
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
    """The group's regression line over its own range of x; `halo` sets it off from a crowd of points."""
    if not _has_line(group) or min(x, default=0) == max(x, default=0):
        return
    low, high = min(x), max(x)
    steps = 64 if any(logs) else 1
    at = [low * (high / low) ** (k / steps) if logs[0] else low + (high - low) * (k / steps) for k in range(steps + 1)]
    fitted = [canvas.drawable(group["fit"]["intercept"] + group["fit"]["slope"] * value, logs[1]) for value in at]
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
    said = f"{label(group['label'], 120)} ({counted(count, 'point')})"
    if _has_line(group):
        said += f", line: {number(group['fit']['intercept'])} + {number(group['fit']['slope'])} · x".replace(
            "+ −", "− "
        )
    return said


def alt(spec: dict, x: str, y: str) -> str:
    """In words. x, y: the labels of its axes."""
    drawn = "; ".join(f"{label(group['label'])}, {len(group['x'])} points" for group in spec["groups"][:12])
    return f"Scatter plot of {y} against {x}: {drawn}"


def legend(spec: dict) -> list[tuple[Markup, str]]:
    return [
        (swatch(index, _POINTS[index % len(_POINTS)][0], _has_line(group), dashed=False), _group_label(group))
        for index, group in enumerate(spec["groups"])
    ]


def notes(spec: dict, compact: bool) -> list[str]:
    logs = [bool(spec.get(axis, {}).get("log")) for axis in ("x", "y")]
    left_out = sum(len(group["x"]) - len(_shown(group, logs)) for group in spec["groups"])
    said = (
        [f"{counted(left_out, 'point')} not shown: a logarithmic axis has no place for zero or less"]
        if left_out
        else []
    )
    if any(group.get("names") for group in spec["groups"]):
        said.append("names of the points: in results.json" if compact else "hover over a point to read its name")
    return said
