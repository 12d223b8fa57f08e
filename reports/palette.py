"""Numbers as pixels: the colours of a scale, its legend, and a PNG with a palette of its own."""

from __future__ import annotations

import base64
import itertools
import struct
import zlib


def colours(shades: int) -> list[tuple[int, int, int]]:
    """viridis: its steps look equal, and it runs from dark to bright, so that its order survives in grey and to colour-blind
    readers."""
    import matplotlib

    made = matplotlib.colormaps["viridis"].resampled(shades)(range(shades), bytes=True)
    return [(int(red), int(green), int(blue)) for red, green, blue, _ in made]


LEGEND_SHADES = 24


def hexadecimal(colour: tuple[int, int, int]) -> str:
    """As CSS writes it: '#440154'."""
    return f"#{bytes(colour).hex()}"


def ramp(width: float, height: float) -> str:
    """The colour scale of a legend in SVG, dark on the left. Each shade laps over the next, so that no gap shows."""
    step = width / LEGEND_SHADES
    return "".join(
        f'<path d="M{step * k:g} 0h{step + 0.1:g}v{height:g}h-{step + 0.1:g}z" fill="{hexadecimal(colour)}"/>'
        for k, colour in enumerate(colours(LEGEND_SHADES))
    )


def chunk(kind: bytes, body: bytes) -> bytes:
    """A part of a PNG: its length, its kind, what it holds and a checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(index, colours: list[tuple[int, int, int]]) -> str:
    """Data URI of a PNG with a palette; the index after the last colour is transparent. index: (rows, columns) uint8."""
    rows, columns = index.shape
    raw = b"".join(b"\0" + row.tobytes() for row in index)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0))
    png += chunk(b"PLTE", bytes(itertools.chain.from_iterable([*colours, (0, 0, 0)])))
    png += chunk(b"tRNS", b"\xff" * len(colours) + b"\0") + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()
