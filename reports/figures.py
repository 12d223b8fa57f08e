"""Draws what a row's `series` asks for: a line chart, a scatter plot or a heat map. Computes no statistic.

A series is a named spec, shown once for each claim even if many rows carry it. Its fields (results.schema.json has the rest;
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

from markupsafe import Markup

from fixtures.plain.text import in_print, label, visible

from . import canvas, heat_maps, line_charts, scatter_plots

KINDS = {"lines": line_charts, "scatter": scatter_plots, "heatmap": heat_maps}


def draw(spec: dict, prefix: str, compact: bool = False) -> Markup:
    """Inline SVG of a spec; `prefix` keeps its ids apart from those of the page's other figures. Raises DrawingError."""
    with canvas.page_style(prefix):
        axes, filled = KINDS[spec["kind"]].draw(spec, compact)
        return canvas.inline(axes, prefix, spec.get("title", "Figure"), alt(spec), filled)


def alt(spec: dict) -> str:
    """The spec's own description, or one made of its labels."""
    if spec.get("alt"):
        return in_print(visible(spec["alt"], 1000))
    x, y = label(spec["x"].get("label") or "x"), label(spec.get("y", {}).get("label") or "values")
    return heat_maps.alt(spec, x) if spec["kind"] == "heatmap" else KINDS[spec["kind"]].alt(spec, x, y)


def legend(spec: dict) -> list[tuple[Markup, str]]:
    """(swatch, label) of each line, group or colour: HTML, so that long names wrap instead of covering the drawing."""
    return KINDS[spec["kind"]].legend(spec)


def notes(spec: dict, compact: bool = False) -> list[str]:
    """What a reader must know of the drawing: what its bands and bars are, and what it does not show."""
    return KINDS[spec["kind"]].notes(spec, compact)
