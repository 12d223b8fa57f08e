"""What every drawing of the report shares: axes in the page's style, and matplotlib's SVG made a part of the page."""

from __future__ import annotations

import contextlib
import dataclasses
import io
import math
import re
import warnings
from collections.abc import Iterator
from xml.etree import ElementTree

from markupsafe import Markup

from fixtures.plain.text import label, tick

# Colours that stand for a CSS variable until the drawing is done: they then follow the reader's colour scheme
TEXT, GRID, MUTED, PAGE = "#010101", "#020202", "#030303", "#040404"
SERIES_COLOURS = 6
_VARIABLES = {TEXT: "currentColor", GRID: "var(--line)", MUTED: "var(--muted)", PAGE: "var(--page)"}
_VARIABLES |= {f"#1000{index:02x}": f"var(--s{index})" for index in range(SERIES_COLOURS)}
DASHES = (0, (4, 2))
WIDTH = 504
"""Of every figure, in units of its viewBox (CSS pixels at the size of print)."""
_RIGHT = 14


class DrawingError(ValueError):
    """A series that cannot be drawn; the report says so in its place and goes on."""


def drawable(value: float | None, log: bool) -> float:
    """A value as it is drawn: NaN, a gap in the line, where there is none or where a logarithmic axis cannot show it."""
    return math.nan if value is None or (log and value <= 0) else float(value)


def colour(index: int) -> str:
    return f"#1000{index % SERIES_COLOURS:02x}"


@contextlib.contextmanager
def page_style(prefix: str) -> Iterator[None]:
    """matplotlib as the report wants it, whatever somebody's matplotlibrc says; `prefix` makes its ids repeatable."""
    import matplotlib

    with matplotlib.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a label in a script that the bundled font lacks is no reason to fail
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {"svg.fonttype": "none", "svg.hashsalt": prefix, "text.parse_math": False, "font.family": "DejaVu Sans"}
        )
        matplotlib.rcParams.update({"font.size": 11, "path.simplify_threshold": 0.2})
        yield


@dataclasses.dataclass
class Scale:
    """How one axis is marked: at round numbers, or `at` with `labels`, turned where they have no room side by side.

    matplotlib makes five objects of every tick, which was two thirds of the time of a drawing; ticks, their labels and
    the grid are therefore written straight into the page.
    """

    log: bool = False
    at: list[float] | None = None
    labels: list[str] | None = None
    turned: bool = False
    name: str = ""
    grid: bool = True


def axes_of(height: float, left: float = 53, bottom: float = 39, top: float = 21):
    """Styled axes of `height` units with room for their labels; the figure is WIDTH wide. `scales` of it: x's and y's."""
    from matplotlib.figure import Figure

    whole = height + bottom + top
    figure = Figure(figsize=(WIDTH / 72, whole / 72), dpi=72)
    figure.patch.set_visible(False)
    axes = figure.add_axes((left / WIDTH, bottom / whole, (WIDTH - left - _RIGHT) / WIDTH, height / whole))
    axes.patch.set_visible(False)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)
    for side in ("left", "bottom"):
        axes.spines[side].set(color=MUTED, linewidth=0.8)
    axes.xaxis.set_visible(False)
    axes.yaxis.set_visible(False)
    axes.scales = {"x": Scale(), "y": Scale()}
    return axes


def name_axes(axes, x: object, y: object, above: float = 7) -> None:
    """x below; y `above` the axis by so many units, where it reads without turning the head."""
    axes.scales["x"].name = label(x, 90)
    axes.text(0, 1, label(y, 90), transform=shifted(axes.transAxes, 0, above), color=TEXT)


def shifted(transform, x: float, y: float):
    """`transform` and then so many units to the right and up."""
    from matplotlib.transforms import Affine2D

    return transform + Affine2D().translate(x, y)


def _places(scale: Scale, low: float, high: float) -> tuple[list[float], list[str], list[float]]:
    """Where the ticks of an axis from low to high stand, what they say, and where small ones stand between them."""
    from matplotlib.ticker import LogLocator, MaxNLocator

    if scale.at is not None:
        at, labels, small = scale.at, scale.labels, []
    else:
        small = []
        decades = math.log10(high / low) if scale.log and 0 < low < high else math.inf
        if scale.log and decades > 0.8:
            # within two decades the powers of ten alone would be one tick or none
            at = LogLocator(numticks=7, subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0,)).tick_values(low, high)
            powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high))) if decades < 10 else ()
            small = [part * 10.0**power for power in powers for part in range(2, 10)]
        else:
            at = MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        labels = [tick(float(value), scale.log) for value in at]
    slack = 1e-9 * (high - low)
    seen = [(value, said) for value, said in zip(at, labels, strict=True) if low - slack <= value <= high + slack]
    return [value for value, _ in seen], [said for _, said in seen], [value for value in small if low <= value <= high]


LINE, UNDER, ABOVE_EDGE = 12.5, 15.0, 10.1
"""Units from one line of a label to the next, from the axis to the first, and from the axis' name to the figure's edge."""


def _scales(axes) -> tuple[list[ElementTree.Element], list[ElementTree.Element]]:
    """The grid, which lies behind everything, and the ticks with their labels."""
    box, height = axes.bbox, axes.figure.bbox.height
    left, right, bottom, top = box.x0, box.x1, height - box.y0, height - box.y1
    grid, strokes, texts = "", "", []
    for name, scale in axes.scales.items():
        limits = sorted(axes.get_xlim() if name == "x" else axes.get_ylim())
        at, labels, small = _places(scale, *limits)
        for value, said in zip(at, labels, strict=True):
            x, y = _pixel(axes, name, value)
            if name == "x":
                grid += f"M{x:.1f} {bottom:.1f}l0 {top - bottom:.1f}"
                strokes += f"M{x:.1f} {bottom:.1f}l0 3.5"
                texts += _under(x, bottom, said, scale.turned)
            else:
                grid += f"M{left:.1f} {height - y:.1f}l{right - left:.1f} 0"
                strokes += f"M{left:.1f} {height - y:.1f}l-3.5 0"
                texts.append(_text(said, 10.5, "end", x=left - 7, y=height - y + 4))
        for value in small:
            x, y = _pixel(axes, name, value)
            strokes += f"M{x:.1f} {bottom:.1f}l0 2" if name == "x" else f"M{left:.1f} {height - y:.1f}l-2 0"
    shown = any(scale.grid for scale in axes.scales.values())
    named = axes.scales["x"].name
    texts += [_text(named, 11, "middle", x=(left + right) / 2, y=height - ABOVE_EDGE)] if named else []
    marks = [element("path", d=strokes, **{"class": "tick"})] if strokes else []
    return [element("path", d=grid, **{"class": "grid"})] if grid and shown else [], marks + texts


def _pixel(axes, name: str, value: float) -> tuple[float, float]:
    """Of a value on that axis; the other coordinate is any that the axes can show."""
    other = axes.get_ylim()[0] if name == "x" else axes.get_xlim()[0]
    return tuple(axes.transData.transform((value, other) if name == "x" else (other, value)))


def _under(x: float, bottom: float, said: str, turned: bool) -> list[ElementTree.Element]:
    """A label under its tick, a line a text."""
    if turned:
        place = f"rotate(-35 {x:.1f} {bottom + 7:.1f})"
        return [_text(said, 10.5, "end", x=x, y=bottom + UNDER, transform=place)]
    lines = enumerate(said.split("\n"))
    return [_text(line, 10.5, "middle", x=x, y=bottom + UNDER + LINE * k) for k, line in lines]


def _text(said: str, size: float, anchor: str, **place: object) -> ElementTree.Element:
    made = element("text", style=f"font-size: {size:g}px; text-anchor: {anchor}", **place)
    made.text = said
    return made


def marks_and_levels(axes, marks: list[dict], levels: list[dict]) -> None:
    """Vertical and horizontal lines with their labels."""
    low, high = axes.get_xlim()
    for index, mark in enumerate(sorted(marks, key=lambda mark: mark["x"])):
        axes.axvline(mark["x"], color=MUTED, linewidth=1, linestyle=(0, (2, 2)), zorder=2.5)
        right = axes.transData.transform((mark["x"], 1))[0] > 0.6 * axes.bbox.width + axes.bbox.x0
        axes.annotate(
            label(mark.get("label", ""), 48),
            (mark["x"], 0.985 - 0.075 * (index % 4)),
            xycoords=axes.get_xaxis_transform(),
            xytext=(-4 if right else 4, 0),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top",
            color=TEXT,
            fontsize=10,
        )
    for level in levels:
        axes.axhline(level["y"], color=MUTED, linewidth=1, linestyle=(0, (6, 2, 1.5, 2)), zorder=2.5)
        axes.annotate(
            label(level.get("label", ""), 48),
            (0.995, level["y"]),
            xycoords=axes.get_yaxis_transform(),
            xytext=(0, 3),
            textcoords="offset points",
            ha="right",
            va="bottom",
            color=TEXT,
            fontsize=10,
        )
    if low == high:
        axes.set_xlim(low - 1, high + 1)


def element(tag: str, *children: ElementTree.Element, **attributes: object) -> ElementTree.Element:
    """An SVG element; numbers with one decimal, `_` in a name is `-`."""
    made = ElementTree.Element(
        tag,
        {
            name.replace("_", "-"): f"{value:.1f}".removesuffix(".0") if isinstance(value, float) else str(value)
            for name, value in attributes.items()
        },
    )
    made.extend(children)
    return made


# From matplotlib's SVG to a part of the page


_LONG_FLOAT = re.compile(r"-?\d+\.\d{2,}")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_STYLE_COLOUR = re.compile("|".join(_VARIABLES))


def inline(axes, prefix: str, title: str, alt: str, filled: dict[str, list[ElementTree.Element]]) -> Markup:
    """The figure of `axes` as inline HTML: no prolog, no global style, unique ids, colours of the page, one decimal.

    `filled`: gid of an artist that draws nothing -> what stands in its place, in pixels of the figure, y downwards.
    """
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    buffer = io.StringIO()
    FigureCanvasSVG(axes.figure).print_svg(
        buffer, metadata={"Date": None, "Creator": None, "Format": None, "Type": None}
    )
    svg = buffer.getvalue()
    root = ElementTree.fromstring(svg[svg.index("<svg") :])
    for part in root.iter():
        part.tag = part.tag.rpartition("}")[2]
        for name in [name for name in part.attrib if name.startswith("{")]:
            part.set(name.rpartition("}")[2], part.attrib.pop(name))
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in ("metadata", "style") or (child.tag == "defs" and all(c.tag == "style" for c in child)):
                parent.remove(child)
        if parent.get("id") in filled:
            parent[:] = filled[parent.get("id")]
    names: dict[str, str] = {}
    for part in root.iter():
        if part.tag != "image":
            for used in (part.get("href", "")[1:], *_REFERENCE.findall(" ".join(part.attrib.values()))):
                names.setdefault(used, f"{prefix}-{len(names)}")
    for part in root.iter():
        _rewrite(part, names)
        # indentation is half of a small drawing, but text keeps its own spaces
        part.tail = None
        if part.tag not in ("text", "title"):
            part.text = None
    _flatten(root)
    behind, before = _scales(axes)
    root[:0] = behind
    root.extend(before)
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    heading, description = element("title", id=f"{prefix}-title"), element("desc", id=f"{prefix}-desc")
    heading.text, description.text = label(title, 200), alt
    root[:0] = [heading, description]
    root.attrib |= {"class": "figure", "role": "img", "aria-labelledby": f"{prefix}-title {prefix}-desc"}
    return Markup(ElementTree.tostring(root, encoding="unicode"))


_COMMAND = re.compile(r"([A-Za-z])([^A-Za-z]*)")


def relative(path: str) -> str:
    """The same path in steps from point to point, in tenths of a unit: half as long. Rounding does not add up.

    M, L, C, Q and Z alone, as matplotlib writes them; any other path comes back as it is, with single spaces.
    """
    found = _COMMAND.findall(path)
    if any(letter not in "MLCQZz" for letter, _ in found):
        return " ".join(path.split())
    said, last, here, start = [], "", (0, 0), (0, 0)
    for letter, rest in found:
        numbers = [round(10 * float(number)) for number in rest.split()]
        points = list(zip(numbers[::2], numbers[1::2], strict=True))
        if letter in "Zz":
            said.append("z")
            here = start
        elif letter == "M":
            said += ["M", *_tenths(points[0])]
            here = start = points[0]
        size = _POINTS.get(letter, 1)
        for segment in (points[at : at + size] for at in range(0, len(points) if letter in _POINTS else 0, size)):
            said += [] if letter == last else [letter.lower()]
            said += [step for x, y in segment for step in _tenths((x - here[0], y - here[1]))]
            last, here = letter, segment[-1]
        last = letter
    return _TOUCHING.sub("", " ".join(said))


_POINTS = {"L": 1, "Q": 2, "C": 3}
"""Points of a segment; all are relative to where it begins."""
_TOUCHING = re.compile(r"(?<=[A-Za-z]) | (?=[A-Za-z-])")
"""Spaces that part nothing: beside a letter, before a sign."""


def _tenths(point: tuple[int, int]) -> list[str]:
    return [f"{number / 10:.1f}".removesuffix(".0").replace("-0.", "-.").removeprefix("0") or "0" for number in point]


def _flatten(part: ElementTree.Element) -> None:
    """Groups that say nothing give way to what they hold, and say once what all they hold says: half of the tags of a
    small drawing."""
    for child in list(part):
        _flatten(child)
    styles = {child.get("style") for child in part}
    if part.tag == "g" and "style" not in part.attrib and len(part) > 1 and len(styles) == 1 and None not in styles:
        part.set("style", styles.pop())
        for child in part:
            del child.attrib["style"]
    held = [other for child in part for other in (child if child.tag == "g" and not child.attrib else [child])]
    part[:] = held


def _rewrite(part: ElementTree.Element, names: dict[str, str]) -> None:
    """One element as the page wants it; names: id that something refers to -> its name on the page."""
    attributes = part.attrib
    if "id" in attributes:
        if attributes["id"] in names:
            attributes["id"] = names[attributes["id"]]
        else:
            del attributes["id"]
    if attributes.get("href", "").startswith("#"):
        attributes["href"] = f"#{names[attributes['href'][1:]]}"
    attributes.pop("space", None)
    for name, value in attributes.items():
        if name in ("d", "x", "y", "width", "height", "transform", "points"):
            value = _LONG_FLOAT.sub(lambda m: f"{float(m.group()):.1f}".removesuffix(".0"), value)
            if name == "d":
                value = relative(value)
        elif name in ("style", "fill", "stroke"):
            value = _STYLE_COLOUR.sub(lambda m: _VARIABLES[m.group()], value)
        if name != "href":
            value = _REFERENCE.sub(lambda m: f"url(#{names[m[1]]})", value)
        attributes[name] = value
    if attributes.get("transform", "").startswith("rotate(-0 "):
        del attributes["transform"]
    style = attributes.get("style")
    if part.tag == "text" and style:
        # what the style sheet says of every text in a figure
        attributes["style"] = style.replace("font-family: 'DejaVu Sans'; ", "").replace("; fill: currentColor", "")
