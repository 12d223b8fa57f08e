"""README's picture: the first screen of a real run's report, photographed, with what it shows written into the file.

`python -m reports picture RESULTS` makes it; the verdicts stand in the PNG as text, so that a self-test can hold them
against the baseline without looking at pixels.
"""

from __future__ import annotations

import json
import tempfile
import zlib
from pathlib import Path

from . import browser
from .palette import chunk
from .render import render

FILE = Path(__file__).parent / "measured/report.png"
WIDTH, HEIGHT = 1280, 1000
KEYWORD = "verdicts"


def take(results: dict) -> bytes:
    """PNG of the top of the page, in light colours. Raises BrowserError where there is no Chromium."""
    with tempfile.TemporaryDirectory() as folder:
        page = Path(folder) / "report.html"
        page.write_text(render(results), encoding="utf-8")
        with browser.opened(page) as tab:
            tab.size(WIDTH, HEIGHT)
            tab.scheme("light")
            png = tab.screenshot()
    return with_verdicts(png, shown(results))


def shown(results: dict) -> dict[str, dict[str, str]]:
    """Claim -> model -> verdict, of the models that each claim is about."""
    return {
        claim["id"]: {model: verdict for model, verdict in claim["verdicts"].items() if claim["in_scope"][model]}
        for claim in results["claims"]
    }


def with_verdicts(png: bytes, verdicts: dict) -> bytes:
    """The same picture with the verdicts in a compressed text chunk behind its header."""
    body = zlib.compress(json.dumps(verdicts, sort_keys=True).encode(), 9)
    head = 8 + 8 + 13 + 4  # the signature; length and kind, IHDR, checksum
    return png[:head] + chunk(b"zTXt", KEYWORD.encode() + b"\0\0" + body) + png[head:]
