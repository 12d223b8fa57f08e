"""One page-wide picture for each model under test: heads by layer against pairs, use and utility, what can go hatched.

Drawn from `run.pictures` of results.json. Labels are HTML, so that they keep their size on a telephone.
"""

from __future__ import annotations

import itertools
import math

from markupsafe import Markup, escape

from fixtures.plain import text

from . import palette
from .swatches import framed

ROW_HEIGHT, LEAST, MOST = 2.4, 150, 640
"""CSS pixels a head, and of a whole picture at least and at most."""
SHADES = 64
PANELS = (
    ("use", "Use: mean norm of a pair of query and key, percent of the head's largest"),
    ("utility", "Utility of eq. 4: 0 can be masked, 100 is needed"),
)


def view(picture: dict, title: str, tier: str) -> dict:
    """What the template shows of one model."""
    panels = [_panel(picture, picture[name], words) for name, words in PANELS if picture[name] is not None]
    heads, pairs = len(_rows_of_layers(picture)) * picture["heads"], len(picture["period"])
    about = [f"{picture['layers']} layers of {picture['heads']} heads, {pairs} pairs in each, fastest on the left"]
    about += _about_layers(picture)
    if picture["weight"] is not None:
        about.append(f"utility at the weight {text.number(picture['weight'])} of eq. 4's error")
    pruning = picture["pruning"]
    if pruning and pruning["share"]:
        about.append(
            f"hatched: pairs that can leave the K cache ({pruning['name']}, chosen on {_contexts(pruning['chosen_on'])}, "
            f"its cost measured on {pruning['contexts']} others)"
        )
    return {
        "model": picture["model"],
        "title": title,
        "tier": tier,
        "sentence": sentence(picture),
        "panels": panels,
        "height": round(min(max(ROW_HEIGHT * heads, LEAST), MOST)),
        "periods": _periods(picture["period"]),
        "layers": _layers(len(_rows_of_layers(picture))),
        "about": "; ".join(about),
        "predicted": _predicted(picture),
        "scale": scale(picture),
    }


ALIKE = {"kind": "measured", "window": 0, "turning": None, "usual": True}
"""A layer of a picture that does not tell its layers apart."""


def _rows_of_layers(picture: dict) -> list[dict]:
    """Every layer of the model, top to bottom, as `use_pictures` says it."""
    return picture.get("all_layers") or [ALIKE] * picture["layers"]


def _bands(picture: dict) -> dict[str, list[int]]:
    """What is said of some layers -> these layers, in the words of the legend."""
    pairs, found = len(picture["period"]), {}
    for layer, one in enumerate(_rows_of_layers(picture)):
        if one["kind"] != "measured":
            found.setdefault(one["kind"], []).append(layer)
            continue
        if one["window"]:
            found.setdefault("window", []).append(layer)
        if one["turning"] == 0:
            found.setdefault("no positions", []).append(layer)
        elif one["turning"] is not None and one["turning"] < pairs:
            found.setdefault("turn in part", []).append(layer)
        if not one["usual"]:
            found.setdefault("other periods", []).append(layer)
    return found


def _about_layers(picture: dict) -> list[str]:
    """Which layers are not like the others, and in what; one clause each."""
    rows, bands, told = _rows_of_layers(picture), _bands(picture), []
    if "no attention" in bands:
        told.append(f"{text.layers_in_words(bands['no attention'])} no attention and nothing drawn")
    if "another size" in bands:
        sizes = sorted({tuple(rows[layer]["shape"]) for layer in bands["another size"]})
        words = ", ".join(f"{heads} heads of {dimensions} dimensions" for heads, dimensions in sizes)
        told.append(
            f"{text.layers_in_words(bands['another size'])} heads of another size ({words}), which are not drawn here"
        )
    if "window" in bands:
        told.append(text.windows_in_words(bands["window"], (rows[layer]["window"] for layer in bands["window"])))
    if "no positions" in bands:
        told.append(f"{text.layers_in_words(bands['no positions'])} no positions: no pair turns")
    if "turn in part" in bands:
        counts = sorted({rows[layer]["turning"] for layer in bands["turn in part"]})
        told.append(f"{text.layers_in_words(bands['turn in part'])} {' or '.join(map(str, counts))} pairs that turn")
    if "other periods" in bands:
        told.append(f"{text.layers_in_words(bands['other periods'])} other periods than those beneath the picture")
    if picture.get("map"):
        told.append(picture["map"])
    return told


def scale(picture: dict) -> Markup:
    """The colours with their ends, and what hatching and lines across the picture mean."""
    drawn = f'<svg class="ramp" viewBox="0 0 120 10" aria-hidden="true">{palette.ramp(120, 10)}</svg>'
    parts = [f"<span>0 {drawn} 100</span>"]
    dark = palette.colours(palette.LEGEND_SHADES)[4]
    ground = f'<path d="M0 0h26v10h-26z" fill="{palette.hexadecimal(dark)}"/>'

    def swatch(strokes: str, kind: str, words: str) -> str:
        drawn = f'{ground}<path class="halo" d="{strokes}"/><path class="{kind}" d="{strokes}"/>'
        return f"<span>{framed(drawn)} {words}</span>"

    def bare(words: str) -> str:
        return f"<span>{framed('', 'swatch bare')} {words}</span>"

    if picture["pruned"] and any(picture["pruned"]):
        parts.append(swatch("M1 10l6-10M8 10l6-10M15 10l6-10", "hatch", "can leave the K cache"))
    bands = _bands(picture)
    if "no attention" in bands:
        parts.append(bare("no attention in this layer"))
    if "another size" in bands:
        parts.append(bare("heads of another size"))
    if "no positions" in bands or "turn in part" in bands:
        parts.append(swatch("M0 5h26", "still", "pairs that do not turn: no positions"))
    if "window" in bands:
        parts.append(swatch("M24 0v10", "window", "a layer with a window"))
    for (tokens, _), kind in zip(_edges(picture), EDGES, strict=False):
        parts.append(swatch("M0 5h26", kind, f"left of it: predicted idle over {text.number(tokens)} tokens"))
    return Markup(" ".join(parts))


EDGES = ("edge", "edge far")
"""Classes of the lines that end what is predicted idle over the shortest and over the longest length."""


def _edges(picture: dict) -> list[tuple[int, int]]:
    """(tokens, pairs idle over them) of the shortest and the longest length that were predicted, if they differ and the
    idle pairs are the first ones, as they are drawn."""
    rows = picture.get("predicted") or []
    found = []
    for row in rows[:: max(1, len(rows) - 1)]:
        idle = _idle(picture, row["tokens"])
        if row["pairs"] == sum(idle) and all(idle[: sum(idle)]) and 0 < sum(idle) < len(idle):
            found.append((row["tokens"], sum(idle)))
    return found if len({pairs for _, pairs in found}) == len(found) else found[:1]


def _idle(picture: dict, tokens: int) -> list[bool]:
    """Whether each pair turns more than half a circle over so many tokens."""
    return [period is not None and period < 2 * tokens for period in picture["period"]]


def _contexts(count: int) -> str:
    return f"{count} context{'' if count == 1 else 's'}"


def sentence(picture: dict) -> str:
    """How much K cache can go, and what that costs at most."""
    pruning = picture["pruning"]
    if pruning is None:
        return "K cache that can go: not measured in this run (claim X02 measures it)."
    if not pruning["share"]:
        return (
            "K cache that can go: 0%; the eighth of the pairs of lowest utility already costs more than a small loss."
        )
    lost = f"at most {text.number(round(pruning['bound'], 2))} nats lost ({pruning['level']:.0%} bound)"
    return f"K cache that can go: {text.number(round(100 * pruning['share'], 1))}%, {lost}."


MEASURED = ("mean use", "a head's most used pair", "utility under 0.5", "can leave the K cache")


def _predicted(picture: dict) -> dict | None:
    """What the configuration alone says at each length, beside what was measured of the pairs that it calls idle and of
    the others; None where there is no prediction. Percent, of heads and pairs alike."""
    rows = picture.get("predicted")
    if not rows:
        return None
    count = len(picture["period"])
    shown = []
    for row in rows:
        idle = None if row["pairs"] is None else _idle(picture, row["tokens"])
        shown.append(
            {
                "tokens": row["tokens"],
                "pairs": "" if row["pairs"] is None else f"{row['pairs']} of {count}",
                "share": f"{row['share']:.0%}",
                "bytes": row["bytes"],
                "measured": [_apart(values, idle, total=k == 1) for k, values in enumerate(_of_pairs(picture))],
            }
        )
    return {"columns": MEASURED, "rows": shown}


def _of_pairs(picture: dict) -> list[list[float] | None]:
    """Percent for each pair, over all heads: its mean use, how often none is used more, how often its utility is under
    0.5, how often it can go."""
    count = len(picture["period"])
    use, utility, pruned = picture["use"], picture["utility"], picture["pruned"]
    return [
        [sum(row[pair] for row in use) / len(use) for pair in range(count)],
        [100 * sum(row.index(max(row)) == pair for row in use) / len(use) for pair in range(count)],
        utility and [100 * sum(row[pair] < 50 for row in utility) / len(utility) for pair in range(count)],
        pruned and [100 * sum(pair in row for row in pruned) / len(pruned) for pair in range(count)],
    ]


def _apart(values: list[float] | None, idle: list[bool] | None, total: bool) -> tuple[str, str]:
    """Mean, or total, of the idle pairs and of the others."""
    if values is None or idle is None:
        return "–", "–"
    sides = [[value for value, one in zip(values, idle, strict=True) if one is side] for side in (True, False)]
    return tuple(f"{sum(side) / (1 if total else len(side)):.0f}%" if side else "none" for side in sides)


def _panel(picture: dict, rows: list[list[int]], words: str) -> dict:
    import numpy as np

    heads, layers = picture["heads"], _rows_of_layers(picture)
    measured = [layer for layer, one in enumerate(layers) if one["kind"] == "measured"]
    cells = np.zeros((len(layers), heads, len(picture["period"])), np.uint8)
    drawn = np.rint(np.array(rows, dtype=float) / 100 * (SHADES - 1)).astype(np.uint8)
    cells[measured] = drawn.reshape(len(measured), heads, -1)
    cells = cells.reshape(len(layers) * heads, -1)
    image = palette.png(cells, palette.colours(SHADES))
    over = _marked_layers(picture) + (_hatch(picture) if picture["pruned"] else "")
    for (_, pairs), kind in zip(_edges(picture), EDGES, strict=False):
        line = f"M{pairs} 0v{cells.shape[0]}"
        over += f'<path class="halo" d="{line}"/><path class="{kind}" d="{line}"/>'
    svg = (
        f'<svg class="heads" role="img" viewBox="0 0 {cells.shape[1]} {cells.shape[0]}" preserveAspectRatio="none">'
        f"<title>{escape(words)}, {escape(text.label(picture['model']))}</title>"
        f'<image width="{cells.shape[1]}" height="{cells.shape[0]}" preserveAspectRatio="none" '
        f'style="image-rendering:pixelated" href="{image}"/>{over}</svg>'
    )
    return {"svg": Markup(svg), "words": words}


def _marked_layers(picture: dict) -> str:
    """Blank where nothing is measured, a line through what does not turn, a bar at the right of a layer with a window."""
    heads, pairs, bands = picture["heads"], len(picture["period"]), _bands(picture)
    rows = _rows_of_layers(picture)
    blank = [*bands.get("no attention", ()), *bands.get("another size", ())]
    still = [*bands.get("no positions", ()), *bands.get("turn in part", ())]
    strokes = {
        "bare": "".join(f"M0 {layer * heads}h{pairs}v{heads}h-{pairs}z" for layer in blank),
        "still": "".join(f"M{rows[layer]['turning']} {(layer + 0.5) * heads:g}H{pairs}" for layer in still),
        "window": "".join(f"M{pairs - 0.1:g} {layer * heads}v{heads}" for layer in bands.get("window", ())),
    }
    return "".join(
        ("" if kind == "bare" else f'<path class="halo" d="{stroke}"/>') + f'<path class="{kind}" d="{stroke}"/>'
        for kind, stroke in strokes.items()
        if stroke
    )


def _hatch(picture: dict) -> str:
    """A stroke across every pair of a key head that can go, over the rows of all query heads that share it."""
    group = picture["layers"] * picture["heads"] // len(picture["pruned"])
    places = [layer for layer, one in enumerate(_rows_of_layers(picture)) if one["kind"] == "measured"]
    each = picture["heads"] // group  # key heads of a layer
    strokes = "".join(
        f"M{pair} {places[row // each] * picture['heads'] + (row % each + 1) * group}l1-{group}"
        for row, pairs in enumerate(picture["pruned"])
        for pair in pairs
    )
    if not strokes:
        return ""
    return f'<path class="halo" d="{strokes}"/><path class="hatch" d="{strokes}"/>'


def _periods(all_periods: list[float | None]) -> list[tuple[float, str]]:
    """(percent from the left, words) at powers of ten of the period, where they lie between two pairs that turn."""
    found = []
    count = len(all_periods)
    periods = [one for one in all_periods if one is not None]  # those that do not turn stand last
    if not periods:
        return []
    rising = periods if periods[0] <= periods[-1] else periods[::-1]
    for power in range(-1, 12):
        at = 10.0**power
        if not rising[0] <= at <= rising[-1] or len(periods) < 2:
            continue
        after = next(index for index, period in enumerate(rising) if period >= at)
        place = float(after)
        if after and rising[after] > rising[after - 1] > 0:
            place = after - 1 + math.log(at / rising[after - 1]) / math.log(rising[after] / rising[after - 1])
        if rising is not periods:
            place = len(periods) - 1 - place
        found.append((round(100 * (place + 0.5) / count, 1), text.tick(at, log=True)))
    return found or [(50.0, text.number(periods[0]))]


def _layers(count: int) -> list[tuple[float, str]]:
    """(percent from the top of the middle of a layer, its number), at most eight of them."""
    step = next(
        size for power in itertools.count() for size in (10**power, 2 * 10**power, 5 * 10**power) if count <= 8 * size
    )
    return [(round(100 * (layer + 0.5) / count, 1), str(layer)) for layer in range(0, count, step)]
