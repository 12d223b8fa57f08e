"""How values read in the report: numbers, times, and text that somebody else wrote."""

from __future__ import annotations

import math
import re
from datetime import datetime, timedelta

LONGEST = 2000
"""Characters of one text that the report shows; the rest stays in results.json."""

# controls (but tab and newline), C1, bidi controls and isolates, zero-width space, byte-order mark, surrogates,
# line separators and non-characters: all of them invisible, some able to reorder what a reader sees
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ufffe\uffff\ud800-\udfff]"
)
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def visible(text: str, limit: int | None = LONGEST) -> str:
    """`text` with control characters shown as such and cut to `limit` characters; markup is not its business."""
    cut = ""
    if limit is not None and len(text) > limit:
        cut = f" … [{len(text) - limit} more characters in results.json]"
        text = text[:limit]
    return _HIDDEN.sub(_picture, text.replace("\r\n", "\n")) + cut


def one_line(text: str, limit: int | None = LONGEST) -> str:
    """`text` for a terminal, a log or a table: as `visible`, and line breaks and tabs shown as such, too."""
    return re.sub(r"[\n\t]", _picture, visible(text, limit))


def _picture(match: re.Match) -> str:
    return f"⟨U+{ord(match.group()):04X}⟩"


def label(text: object, limit: int = 60) -> str:
    """One short line for a figure, where nothing wraps."""
    line = " ".join(visible(str(text), None if limit is None else 4 * limit).split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def number(value: object, digits: int = 4) -> str:
    """A number as print sets it: 4 significant digits, a true minus sign, powers of ten where they are shorter."""
    if value is None:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, (int, float)):
        return str(value)
    if isinstance(value, int) and abs(value) < 10**15:
        # a thin no-break space from five digits on, as in 10 000
        return f"{value:,}".replace(",", "\u202f" if abs(value) >= 10_000 else "").replace("-", "−")
    if value and not 0.001 <= abs(value) < 10**5:
        mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
        if "." in mantissa:
            mantissa = mantissa.rstrip("0").rstrip(".")
        power = f"10{superscript(int(exponent))}"
        return {"1": power, "-1": f"−{power}"}.get(mantissa, f"{mantissa}×{power}").replace("-", "−")
    if abs(value) >= 10 ** (digits - 1):
        return number(round(value))
    return f"{value + 0.0:.{digits}g}".replace("-", "−")  # + 0.0: there is no minus zero in print


def superscript(power: int) -> str:
    return str(power).translate(_SUPERSCRIPT)


def tick(value: float, log: bool = False, digits: int = 4) -> str:
    """A value on an axis, without the rounding noise of the axis: 0.30000000000000004 is 0.3, 64.0 is 64.

    On a logarithmic axis a decade reads as it does best: 0.01 to 1000 in full, powers of ten beyond.
    """
    if log and value > 0 and not 0.009 < value < 1001 and math.isclose(math.log10(value) % 1, 0, abs_tol=1e-9):
        return "10" + superscript(round(math.log10(value)))
    value = float(f"{value:.10g}")
    return number(int(value) if value.is_integer() and abs(value) < 1e5 else value, digits)


def p_value(p: float | None) -> str:
    if p is None:
        return "–"
    return "< 0.0001" if p < 0.0001 else f"{p:.2g}" if p < 0.1 else f"{p:.2f}"


def moment(iso: str) -> str:
    """2026-03-02T09:14:05+00:00 as '2 March 2026, 09:14 UTC'; anything else as it stands."""
    try:
        at = datetime.fromisoformat(iso)
    except ValueError:
        return iso
    zone = "UTC" if at.utcoffset() == timedelta(0) else at.strftime("%z")
    return f"{at.day} {_MONTHS[at.month - 1]} {at.year}, {at:%H:%M} {zone}".rstrip()


def duration(seconds: float) -> str:
    if seconds < 60:
        return f"{seconds:.1f} s" if 0.05 <= seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s"
    return f"{minutes // 60} h {minutes % 60} min"


_HASH = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")


def flat(value: object) -> str:
    """Anything JSON in one readable line: nested fields as 'name value', lists with commas, SHA-256 by its beginning."""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {flat(item)}" if item != "" else str(key) for key, item in value.items()) or "–"
    if isinstance(value, list):
        return ", ".join(flat(item) for item in value) or "–"
    return number(value) if not isinstance(value, str) else _HASH.sub(r"\1…", value)


def ranges(values: list[int]) -> str:
    """Whole numbers, runs joined: 0–4, 7."""
    parts: list[list[int]] = []
    for value in sorted(set(values)):
        if parts and value == parts[-1][1] + 1:
            parts[-1][1] = value
        else:
            parts.append([value, value])
    return ", ".join(str(a) if a == b else f"{a}–{b}" if b > a + 1 else f"{a}, {b}" for a, b in parts) or "–"


def is_figures(cell) -> bool:
    """Whether a cell holds numbers, signs, "to" and "of" alone: they have no direction of their own to be kept apart."""
    return isinstance(cell, str) and re.fullmatch(r"(?:[-+0-9.,%() ]|to|of)*", cell) is not None
