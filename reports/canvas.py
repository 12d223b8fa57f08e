"""What every drawing of the report shares: axes in the page's style, and matplotlib's SVG made a part of the page."""

from __future__ import annotations

import contextlib
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


def axes_of(height: float, left: float = 53, bottom: float = 39, top: float = 21):
    """Styled axes of `height` units with room for their labels; the figure is WIDTH wide."""
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
    axes.tick_params(which="both", color=MUTED, labelcolor=TEXT, labelsize=10.5, length=3.5)
    axes.tick_params(which="minor", length=2)
    axes.grid(color=GRID, linewidth=0.7)
    axes.set_axisbelow(True)
    return axes


def name_axes(axes, x: object, y: object, above: float = 7) -> None:
    """x below; y `above` the axis by so many units, where it reads without turning the head."""
    axes.set_xlabel(label(x, 90), color=TEXT, labelpad=3)
    axes.text(0, 1, label(y, 90), transform=shifted(axes.transAxes, 0, above), color=TEXT)


def shifted(transform, x: float, y: float):
    """`transform` and then so many units to the right and up."""
    from matplotlib.transforms import Affine2D

    return transform + Affine2D().translate(x, y)


def ticks(axis, log: bool) -> None:
    """Few round numbers, set as print sets them; the axis must have its limits."""
    from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

    low, high = axis.get_view_interval()
    decades = math.log10(high / low) if log and 0 < low < high else math.inf
    if log and decades > 0.8:
        # within two decades the powers of ten alone would be one tick or none
        axis.set_major_locator(LogLocator(numticks=7, subs=(1.0, 2.0, 5.0) if decades < 2 else (1.0,)))
    else:
        axis.set_major_locator(MaxNLocator(6, steps=[1, 2, 2.5, 5, 10]))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: tick(value, log)))


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


CLASSES = {
    "fill: none; stroke: var(--line); stroke-width: 0.7; stroke-linecap: square": "grid",
    "fill: var(--muted); stroke: var(--muted); stroke-width: 0.8": "tick",
    "stroke: var(--muted); stroke-width: 0.8": "tick",
}
"""Styles that a drawing repeats tens of times -> their class in the page's style sheet."""


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
    elif style in CLASSES:
        del attributes["style"]
        attributes["class"] = CLASSES[style]
        attributes.pop("clip-path", None)  # grid lines and ticks end at the axes by themselves
