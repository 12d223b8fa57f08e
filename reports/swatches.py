"""The small drawings of a legend: such as a line, its dashes and its marker, in the colour of the series."""

from __future__ import annotations

from markupsafe import Markup

from .canvas import SERIES_COLOURS

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
MARKERS = tuple(_SWATCH_MARKERS)


def framed(drawing: str, kind: str = "swatch", style: str = "") -> Markup:
    """A small drawing of a legend, 26 by 10. kind: its classes in the style sheet."""
    styled = f' style="{style}"' if style else ""
    return Markup(f'<svg class="{kind}" viewBox="0 0 26 10" aria-hidden="true"{styled}>{drawing}</svg>')


def swatch(index: int, marker: str, line: bool, dashed: bool) -> Markup:
    dash = ' stroke-dasharray="5 3"' if dashed else ""
    stroke = f'<path d="M0 5H26" stroke="currentColor" stroke-width="2" fill="none"{dash}/>' if line else ""
    return framed(f"{stroke}{_SWATCH_MARKERS[marker]}", style=f"color:var(--s{index % SERIES_COLOURS})")
