"""Numbers as pixels: the colours of a scale, and a PNG with a palette of its own."""

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


def png(index, colours: list[tuple[int, int, int]]) -> str:
    """Data URI of a PNG with a palette; the index after the last colour is transparent. index: (rows, columns) uint8."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows, columns = index.shape
    raw = b"".join(b"\0" + row.tobytes() for row in index)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, 8, 3, 0, 0, 0))
    png += chunk(b"PLTE", bytes(itertools.chain.from_iterable([*colours, (0, 0, 0)])))
    png += chunk(b"tRNS", b"\xff" * len(colours) + b"\0") + chunk(b"IDAT", zlib.compress(raw, 9)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()
