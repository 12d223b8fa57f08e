"""A page taken apart, as strictly as a browser is lenient, and what about it would reach for the network."""

from __future__ import annotations

import html.parser
import re

INLINE_PICTURE = re.compile(r"data:image/png;base64,[A-Za-z0-9+/]+=*")
VOID = {"meta", "input", "br", "hr", "img", "link"}


class Page(html.parser.HTMLParser):
    """The elements of a page with their attributes; fails on a tag that is not closed or closed out of turn."""

    def __init__(self, text: str):
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert not self._open, f"never closed: {self._open}"

    def handle_starttag(self, tag, attrs):
        assert len(dict(attrs)) == len(attrs), f"<{tag}> has an attribute twice: {attrs}"
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self._open, f"</{tag}> closes nothing"
        assert self._open[-1] == tag, f"</{tag}> closes <{self._open[-1]}>"
        self._open.pop()

    def handle_data(self, data):
        self.texts.append((self._open[-1] if self._open else "", data))

    def all(self, tag: str) -> list[dict]:
        return [attributes for name, attributes in self.elements if name == tag]

    def text(self) -> str:
        return " ".join("".join(data for inside, data in self.texts if inside not in ("style", "script")).split())


def loads(page: Page) -> list:
    """Whatever would make a browser fetch something; links that a reader may click are not of that kind."""
    found = [tag for tag, _ in page.elements if tag in ("link", "iframe", "object", "embed", "base")]
    for tag, attributes in page.elements:
        for name, value in attributes.items():
            if name in ("src", "srcset", "data", "poster", "background", "action", "formaction", "ping"):
                found.append((tag, name, value))
            own = value and (value.startswith("#") or (tag == "image" and INLINE_PICTURE.fullmatch(value)))
            if name.endswith("href") and not (tag == "a" or own):
                found.append((tag, name, value))
            if value and re.search(r"url\((?!#)", value):
                found.append((tag, name, value))
    return found
