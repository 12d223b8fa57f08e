"""The figures of a claim: each series once, drawn within the room that a page has for figures."""

from __future__ import annotations

import gc
import json

from . import figures, heat_maps

FEW_PLOTS = 3
"""Up to so many figures of a claim are open from the start."""
DRAWN = 2_000_000
"""Characters of all drawings together, so that the page stays under 3 MB; if they take more, they are drawn compactly."""
WIDE_TABLE = 6
"""A table of so many columns or more takes the whole width of the page."""
LONG_CELL = 60
"""A text in a table that is longer than this is prose: its column gets room and wraps."""


def plots_of(rows: list[dict], before: int) -> list[dict]:
    """The series of a claim's rows, each once; `before` figures stand on the page already."""
    plots: dict[str, dict] = {}
    for row in rows:
        for name, spec in row["series"].items():
            plot = plots.setdefault(
                json.dumps(spec, sort_keys=True), {"name": name, "spec": spec, "models": [], "paper": []}
            )
            if row["model"] not in plot["models"]:
                plot["models"].append(row["model"])
            said = spec["paper"] if "paper" in spec else row["paper"]  # null: the paper has no such figure
            if isinstance(said, str) and said not in plot["paper"]:
                plot["paper"].append(said)
    for index, plot in enumerate(plots.values(), start=before):
        spec = plot["spec"]
        plot |= {"id": f"figure-{index + 1}", "kind": spec.get("kind"), "title": spec.get("title") or plot["name"]}
        plot |= {"caption": spec.get("caption") or "", "prefix": f"f{index + 1}", "told": None}
        plot["wide"] = plot["kind"] == "table" and len(spec["columns"]) >= WIDE_TABLE
        plot["wordy"] = plot["kind"] == "table" and any(
            isinstance(cell, str) and len(cell) > LONG_CELL for cells in spec["rows"] for cell in cells
        )
    return list(plots.values())


def draw_all(plots: list[dict]) -> None:
    """Draws all figures of the page; one that cannot be drawn, or for which no room is left, says why in its place."""
    drawn = [plot for plot in plots if plot["kind"] != "table"]
    collects = gc.isenabled()
    gc.disable()  # a run's results are a million objects, and looking through them again and again took a tenth of the time
    try:
        for plot in drawn:
            plot |= drawing(plot, compact=False)
    finally:
        if collects:
            gc.enable()
    if sum(map(_size, drawn)) > DRAWN:
        for plot in drawn:
            if plot["kind"] != "lines":
                plot |= drawing(plot, compact=True)
    taken = 0
    for plot in drawn:
        taken += _size(plot)
        if taken > DRAWN:
            plot |= _not_drawn("the figures before it fill the page; its numbers stand in results.json")


def drawing(plot: dict, compact: bool) -> dict:
    spec = plot["spec"]
    try:
        return {
            "svg": figures.draw(spec | {"title": plot["title"]}, plot["prefix"], compact),
            "legend": figures.legend(spec),
            "notes": figures.notes(spec, compact),
            "failed": "",
            "told": None if compact else heat_maps.told(spec),
        }
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError) as error:
        return _not_drawn(error)


def _not_drawn(why: object) -> dict:
    return {"svg": "", "legend": [], "notes": [], "told": None, "failed": f"This figure could not be drawn: {why}"}


def _size(plot: dict) -> int:
    """Characters a drawing takes on the page, the table of its numbers included."""
    cells = sum(map(len, plot["spec"]["values"])) if plot["told"] else 0
    return len(plot["svg"]) + 30 * cells


def by_model(plots: list[dict], in_scope: dict[str, bool]) -> list[dict]:
    """A claim's figures in groups by the models they show, illustrations last; a few figures are one group without a title.

    The first groups are open. in_scope: model -> whether the claim is about it.
    """
    groups: dict[tuple[str, ...], list[dict]] = {}
    for plot in plots:
        groups.setdefault(tuple(plot["models"]), []).append(plot)
    if len(plots) <= FEW_PLOTS or len(groups) == 1:
        return [{"models": [], "plots": plots, "open": True}] if plots else []
    found, shown = [], 0
    for models, own in sorted(groups.items(), key=lambda group: not any(in_scope.get(one, True) for one in group[0])):
        found.append({"models": models, "plots": own, "open": shown < FEW_PLOTS})
        shown += len(own)
    return found
