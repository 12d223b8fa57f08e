"""Draws what a row's `series` asks for, and each row's effect against its margin. Computes no statistic.

A series is a named spec, shown once a claim however many rows carry it. Its fields (results.schema.json has the rest):

    {"kind": "lines", "title", "alt", "x": {"label", "values", "log"}, "y": {"label", "log", "zero"}, "caption", "paper",
     "lines": [{"label", "values": [...]} or {"label", "seeds": [[...], ...]}, optionally "dashed": true],
     "marks": [{"x", "label"}], "levels": [{"y", "label"}]}
    {"kind": "table", "title", "columns": [...], "rows": [[...], ...], "caption", "paper"}

`seeds` holds one list a seed and is drawn as mean and range; `paper` says what the paper's own figure shows and is
printed beside the drawing. The strip of a row is plain SVG, a few hundred bytes, because a claim may have hundreds.
"""

from __future__ import annotations

import dataclasses
import io
import math
import re
import warnings
from collections.abc import Iterable
from xml.etree import ElementTree

from markupsafe import Markup, escape

from .text import label, number, superscript, visible

# Colours that stand for a CSS variable until the drawing is done: they then follow the reader's colour scheme
_TEXT, _GRID, _MUTED = "#010101", "#020202", "#030303"
_VARIABLES = {_TEXT: "currentColor", _GRID: "var(--line)", _MUTED: "var(--muted)"}
SERIES_COLOURS = 6
_VARIABLES |= {f"#1000{index:02x}": f"var(--s{index})" for index in range(SERIES_COLOURS)}
MARKERS = ("", "o", "s", "^", "D", "v", "P", "X")
DASHES = (0, (4, 2))


class DrawingError(ValueError):
    """A series that cannot be drawn; the report says so in its place and goes on."""


# Figures


def draw(spec: dict, prefix: str) -> Markup:
    """Inline SVG of a `lines` spec; `prefix` keeps its ids apart from those of the page's other figures."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    x = [_number(value) for value in spec["x"]["values"]]
    y_log = bool(spec.get("y", {}).get("log")) and any(v is not None and v > 0 for v in _all_values(spec))
    x_log = bool(spec["x"].get("log")) and any(value > 0 for value in x)
    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label in a script that the bundled font lacks is no reason to fail
        matplotlib.rcdefaults()  # somebody's matplotlibrc must not change the bytes
        matplotlib.rcParams.update(
            {"svg.fonttype": "none", "svg.hashsalt": prefix, "text.parse_math": False, "font.family": "DejaVu Sans"}
        )
        matplotlib.rcParams.update({"font.size": 11, "path.simplify_threshold": 0.2})
        figure = Figure(figsize=(7, 3.7), dpi=72)
        figure.patch.set_visible(False)
        axes = figure.add_axes((0.105, 0.145, 0.88, 0.775))
        _style(axes)
        for index, line in enumerate(spec["lines"]):
            _line(axes, index, line, x, x_log, y_log)
        if x_log:
            axes.set_xscale("log")
        if y_log:
            axes.set_yscale("log")
        elif spec.get("y", {}).get("zero"):
            axes.set_ylim(bottom=0)
        for axis, log in ((axes.xaxis, x_log), (axes.yaxis, y_log)):
            _ticks(axis, log)
        axes.margins(x=0.015)
        _marks(axes, spec.get("marks") or [], spec.get("levels") or [])
        axes.set_xlabel(label(spec["x"].get("label", ""), 90), color=_TEXT, labelpad=3)
        axes.text(0, 1.025, label(spec.get("y", {}).get("label", ""), 90), transform=axes.transAxes, color=_TEXT)
        canvas, buffer = FigureCanvasSVG(figure), io.StringIO()
        canvas.print_svg(buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return _inline(buffer.getvalue(), prefix, spec)


def alt(spec: dict) -> str:
    """The spec's own description, or one made of its labels."""
    if spec.get("alt"):
        return visible(spec["alt"], 1000)
    drawn = "; ".join(label(line["label"]) for line in spec["lines"][:12])
    x, y = spec["x"].get("label") or "x", spec.get("y", {}).get("label") or "values"
    return f"Line chart of {label(y)} against {label(x)}: {drawn}"


def legend(spec: dict) -> list[tuple[Markup, str]]:
    """(swatch, label) of each line: HTML, so that long names wrap instead of covering the drawing."""
    entries = []
    for index, line in enumerate(spec["lines"]):
        shape = _SWATCH_MARKERS[_marker(index)]
        dash = ' stroke-dasharray="5 3"' if line.get("dashed") else ""
        swatch = Markup(
            f'<svg class="swatch" viewBox="0 0 26 10" aria-hidden="true" style="color:var(--s{index % SERIES_COLOURS})">'
            f'<path d="M0 5H26" stroke="currentColor" stroke-width="2" fill="none"{dash}/>{shape}</svg>'
        )
        entries.append((swatch, str(line["label"])))
    return entries


def bands(spec: dict) -> str:
    """What the bands are, where there are any."""
    counts = {len(line["seeds"]) for line in spec["lines"] if len(line.get("seeds") or []) > 1}
    if not counts:
        return ""
    return f"mean and range over {' or '.join(map(str, sorted(counts)))} seeds"


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


def _marker(index: int) -> str:
    return MARKERS[index % len(MARKERS)]


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise DrawingError(f"{label(value)!r} on the x axis is no number")
    return float(value)


def _all_values(spec: dict) -> Iterable[float | None]:
    for line in spec["lines"]:
        for values in line.get("seeds") or [line.get("values") or []]:
            yield from values


def _drawable(value: float | None, log: bool) -> float:
    """Gaps, and what a logarithm cannot show, become gaps in the line."""
    return math.nan if value is None or (log and value <= 0) else float(value)


def _line(axes, index: int, line: dict, x: list[float], x_log: bool, y_log: bool) -> None:
    seeds = line.get("seeds") or [line.get("values") or []]
    points = min([len(x), *(len(values) for values in seeds)])
    shown = [i for i in range(points) if not (x_log and x[i] <= 0)]
    if not shown:
        raise DrawingError(f"the line {label(line['label'])!r} has no points")
    at = [x[i] for i in shown]
    columns = [[_drawable(values[i], y_log) for values in seeds] for i in shown]
    means = [math.fsum(column) / len(column) for column in columns]
    colour = f"#1000{index % SERIES_COLOURS:02x}"
    if len(seeds) > 1:
        axes.fill_between(
            at, [min(c) for c in columns], [max(c) for c in columns], color=colour, alpha=0.18, linewidth=0, gid="band"
        )
    step = max(1, len(at) // 8)
    axes.plot(
        at, means, color=colour, linewidth=1.7, linestyle=DASHES if line.get("dashed") else "-", gid="line",
        marker=_marker(index) or ("o" if len(at) == 1 else None), markersize=5, markevery=(index % step, step),
    )  # fmt: skip


def _style(axes) -> None:
    axes.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=_MUTED, linewidth=0.8)
    axes.tick_params(which="both", color=_MUTED, labelcolor=_TEXT, labelsize=10.5, length=3.5)
    axes.tick_params(which="minor", length=2)
    axes.grid(color=_GRID, linewidth=0.7)
    axes.set_axisbelow(True)


def _ticks(axis, log: bool) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    if log:
        axis.set_major_locator(LogLocator(numticks=7))
        axis.set_minor_formatter(NullFormatter())
    else:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_major_formatter(FuncFormatter(lambda value, _: _power(value) if log else number(_clean(value))))


def _power(value: float) -> str:
    """A decade as it reads best: 0.01 to 1000 in full, powers of ten beyond."""
    if value <= 0 or 0.009 < value < 1001:
        return number(_clean(value))
    return "10" + superscript(round(math.log10(value)))


def _clean(value: float) -> float | int:
    """A tick without the rounding noise of the axis: 0.30000000000000004 is 0.3, 64.0 is 64."""
    value = float(f"{value:.10g}")
    return int(value) if value.is_integer() and abs(value) < 1e5 else value


def _marks(axes, marks: list[dict], levels: list[dict]) -> None:
    low, high = axes.get_xlim()
    for index, mark in enumerate(sorted(marks, key=lambda mark: mark["x"])):
        axes.axvline(mark["x"], color=_MUTED, linewidth=1, linestyle=(0, (2, 2)))
        right = axes.transData.transform((mark["x"], 1))[0] > 0.6 * axes.bbox.width + axes.bbox.x0
        axes.annotate(
            label(mark.get("label", ""), 48), (mark["x"], 0.985 - 0.075 * (index % 4)), xycoords=axes.get_xaxis_transform(),
            xytext=(-4 if right else 4, 0), textcoords="offset points", ha="right" if right else "left", va="top",
            color=_TEXT, fontsize=10,
        )  # fmt: skip
    for level in levels:
        axes.axhline(level["y"], color=_MUTED, linewidth=1, linestyle=(0, (6, 2, 1.5, 2)))
        axes.annotate(
            label(level.get("label", ""), 48), (0.995, level["y"]), xycoords=axes.get_yaxis_transform(), xytext=(0, 3),
            textcoords="offset points", ha="right", va="bottom", color=_TEXT, fontsize=10,
        )  # fmt: skip
    if low == high:
        axes.set_xlim(low - 1, high + 1)


# From matplotlib's SVG to a part of the page


_LONG_FLOAT = re.compile(r"-?\d+\.\d{3,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_STYLE_COLOUR = re.compile("|".join(_VARIABLES))


def _inline(svg: str, prefix: str, spec: dict) -> Markup:
    """matplotlib's SVG as inline HTML: no prolog, no global style, unique ids, colours of the page, two decimals."""
    root = ElementTree.fromstring(svg[svg.index("<svg") :])
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for name in [name for name in element.attrib if name.startswith("{")]:
            element.set(name.rpartition("}")[2], element.attrib.pop(name))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style") or (child.tag == "defs" and all(c.tag == "style" for c in child)):
                parent.remove(child)
    used = set()
    for element in root.iter():
        used |= {element.get("href", "")[1:], *_REFERENCE.findall(" ".join(element.attrib.values()))}
    for element in root.iter():
        _rewrite(element, prefix, used)
        # indentation is half of a small drawing, but text keeps its own spaces
        element.tail = None
        if element.tag != "text":
            element.text = None
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    title, description = ElementTree.Element("title"), ElementTree.Element("desc")
    title.set("id", f"{prefix}-title")
    description.set("id", f"{prefix}-desc")
    title.text, description.text = label(spec.get("title", "Figure"), 200), alt(spec)
    root[:0] = [title, description]
    root.attrib |= {"class": "figure", "role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


def _rewrite(element: ElementTree.Element, prefix: str, used: set[str]) -> None:
    attributes = element.attrib
    if "id" in attributes:
        if attributes["id"] in used:
            attributes["id"] = f"{prefix}-{attributes['id']}"
        else:
            del attributes["id"]
    if attributes.get("href", "").startswith("#"):
        attributes["href"] = f"#{prefix}-{attributes['href'][1:]}"
    attributes.pop("space", None)
    for name, value in attributes.items():
        if name in ("d", "x", "y", "width", "height", "transform", "points"):
            value = _LONG_FLOAT.sub(lambda m: f"{float(m.group()):.2f}".rstrip("0").rstrip("."), value)
            if name == "d":
                value = " ".join(value.split())
        elif name == "style":
            value = _STYLE_COLOUR.sub(lambda m: _VARIABLES[m.group()], value).replace("'DejaVu Sans'", "var(--sans)")
        if name != "href":
            value = _REFERENCE.sub(rf"url(#{prefix}-\1)", value)
        attributes[name] = value


# Strips: one effect, its interval, its margin


WIDTH, HEIGHT, PAD = 170, 22, 7
_FAR = 300
"""How many times the margin a positive quantity may span before its strip turns logarithmic."""


@dataclasses.dataclass(frozen=True)
class Scale:
    """Horizontal scale shared by the rows of one rule, so that their strips can be compared by eye."""

    low: float
    high: float
    log: bool
    ticks: tuple[float, ...]

    @classmethod
    def of(cls, rows: Iterable[dict]) -> Scale:
        """Room for every interval, estimate and margin of `rows` (evidence rows of one rule)."""
        values: list[float] = []
        for row in rows:
            values += [row["margin"], -row["margin"]] if row["side"] == "within" else [row["margin"]]
            values += row["ci"] or []
            values += [] if row["estimate"] is None else [row["estimate"]]
        # the difference of the largest floats is no float any more
        values = [min(max(value, -1e300), 1e300) for value in values]
        positive = [value for value in values if value > 0]
        if len(positive) > 1 and min(values) >= 0 and max(positive) / min(positive) > _FAR:
            # tiny values say "far below", no more: six decades below the largest are enough
            top = math.ceil(math.log10(max(positive)) + 0.05)
            bottom = max(math.floor(math.log10(min(positive)) - 0.05), top - 9)
            step = max(1, math.ceil((top - bottom) / 3))
            return cls(bottom, top, True, tuple(10.0**power for power in range(bottom, top + 1, step)))
        low, high = min(values, default=0.0), max(values, default=1.0)
        room = 0.08 * (high - low) or 0.1 * abs(high) or 1.0
        low, high = low - room, high + room
        return cls(low, high, False, _nice(low, high))

    def x(self, value: float) -> float:
        """Place of `value`, kept inside the strip."""
        if self.log:
            value = math.log10(value) if value > 0 else -math.inf
        share = min(1.0, max(0.0, (value - self.low) / (self.high - self.low)))
        return round(PAD + share * (WIDTH - 2 * PAD), 1)

    def beyond(self, value: float) -> bool:
        return self.log and (value <= 0 or math.log10(value) < self.low)


def _nice(low: float, high: float) -> tuple[float, ...]:
    """Two to four round numbers between low and high."""
    for power in range(math.ceil(math.log10(high - low)), -400, -1):
        for factor in (5.0, 2.0, 1.0):
            step = factor * 10.0**power
            first, last = math.ceil(low / step), math.floor(high / step)
            if last - first >= 1:
                while last - first > 3:
                    step *= 2
                    first, last = math.ceil(low / step), math.floor(high / step)
                return tuple(float(f"{k * step:.10g}") for k in range(first, last + 1))
    return ()


def axis(scale: Scale) -> Markup:
    """The scale's ticks, for the head of a column of strips."""
    marks = ""
    for tick in scale.ticks:
        x, shown = scale.x(tick), _power(tick) if scale.log else number(_clean(tick), 3)
        marks += f'<text x="{x:g}" y="11" text-anchor="{_anchor(x)}">{escape(shown)}</text><path d="M{x:g} 14v4"/>'
    kind = "logarithmic" if scale.log else "linear"
    return Markup(
        f'<svg class="strip axis" viewBox="0 0 {WIDTH} 18" role="img"><title>{kind} scale</title>{marks}</svg>'
    )


def _anchor(x: float) -> str:
    return "start" if x < 24 else "end" if x > WIDTH - 24 else "middle"


def strip(row: dict, scale: Scale) -> Markup:
    """One evidence row: estimate, interval, margin as a dashed line, the claimed side shaded."""
    if row["estimate"] is None:
        return Markup("")
    margin, estimate, ci = row["margin"], row["estimate"], row["ci"]
    edges = {
        "below": (0.0, scale.x(margin)),
        "above": (scale.x(margin), float(WIDTH)),
        "within": (scale.x(-margin), scale.x(margin)),
    }[row["side"]]
    margins = edges if row["side"] == "within" else (scale.x(margin),)
    middle = HEIGHT / 2
    parts = [f'<rect class="claimed" x="{edges[0]:g}" y="0" width="{edges[1] - edges[0]:g}" height="{HEIGHT}"/>']
    parts += [f'<path class="margin" d="M{x:g} 0V{HEIGHT}"/>' for x in margins]
    at = scale.x(estimate)
    if ci and ci[0] != ci[1]:
        low, high = scale.x(ci[0]), scale.x(ci[1])
        parts.append(
            f'<path class="interval" d="M{low:g} {middle:g}H{high:g}M{low:g} {middle - 4:g}v8M{high:g} {middle - 4:g}v8"/>'
        )
        parts.append(f'<circle cx="{at:g}" cy="{middle:g}" r="3.2"/>')
    elif scale.beyond(estimate):
        parts.append(f'<path class="point" d="M{at - 5:g} {middle:g}l7 -4.5v9z"/>')
    else:
        parts.append(f'<path class="point" d="M{at:g} {middle - 5:g}l4.6 5-4.6 5-4.6-5z"/>')
    interval = f", interval {number(ci[0])} to {number(ci[1])}" if ci and ci[0] != ci[1] else ""
    where = "within ±" if row["side"] == "within" else f"{row['side']} "
    title = f"{number(estimate)} {row['unit']}{interval}; claimed {where}{number(margin)}"
    verdict = row["verdict"]
    return Markup(
        f'<svg class="strip {escape(verdict)}" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">'
        f"<title>{escape(visible(title, 300))}</title>{''.join(parts)}</svg>"
    )
