"""Each row's effect against its margin, as a strip of plain SVG: a few hundred bytes, because a claim may have hundreds."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable

from markupsafe import Markup, escape

from fixtures.plain.text import tick

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
    for at in scale.ticks:
        x, shown = scale.x(at), tick(at, True) if scale.log else tick(at, digits=3)
        marks += f'<text x="{x:g}" y="11" text-anchor="{_anchor(x)}">{escape(shown)}</text><path d="M{x:g} 14v4"/>'
    kind = "logarithmic" if scale.log else "linear"
    return Markup(
        f'<svg class="strip axis" viewBox="0 0 {WIDTH} 18" role="img"><title>{kind} scale</title>{marks}</svg>'
    )


def _anchor(x: float) -> str:
    return "start" if x < 24 else "end" if x > WIDTH - 24 else "middle"


class Grounds:
    """What stands behind the rows of a rule, the claimed side and its margins: drawn once for the whole page."""

    def __init__(self):
        self._ids: dict[str, str] = {}

    def used(self, drawn: str) -> str:
        """Shows what `defs` holds."""
        return f'<use href="#{self._ids.setdefault(drawn, f"g{len(self._ids)}")}"/>'

    def defs(self) -> Markup:
        """Every ground used so far; it takes no room on the page."""
        held = "".join(f'<g id="{name}">{drawn}</g>' for drawn, name in self._ids.items())
        return Markup(f'<svg class="grounds" width="0" height="0" aria-hidden="true"><defs>{held}</defs></svg>')


def strip(row: dict, scale: Scale, grounds: Grounds | None = None) -> Markup:
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
    if grounds is not None:
        parts = [grounds.used("".join(parts))]
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
    verdict = escape(row["verdict"])
    # the numbers stand in the cells beside it: a reader who does not see the drawing is told them once
    return Markup(
        f'<svg class="strip {verdict}" viewBox="0 0 {WIDTH} {HEIGHT}" aria-hidden="true">{"".join(parts)}</svg>'
    )
