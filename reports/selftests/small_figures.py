"""A small figure of each kind, and where a path of a drawing goes."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

LINES = {
    "kind": "lines",
    "title": "t",
    "x": {"values": [1, 2, 3]},
    "y": {},
    "lines": [{"label": "a", "values": [1, 2, 3]}],
}


def places_of(path: ElementTree.Element) -> list[tuple[float, float]]:
    """Where a path goes, read back by matplotlib's own rules of M, l, c, q and z: ends and control points."""
    here = start = (0.0, 0.0)
    found = []
    for letter, rest in re.findall(r"([A-Za-z])([^A-Za-z]*)", path.get("d", "")):
        numbers = [float(number) for number in re.findall(r"-?(?:\d+\.?\d*|\.\d+)", rest)]
        pairs = list(zip(numbers[::2], numbers[1::2], strict=True))
        size = {"c": 3, "q": 2}.get(letter, 1)
        for at in range(0, len(pairs), size):
            begin = (0.0, 0.0) if letter == "M" else here
            found += [(begin[0] + x, begin[1] + y) for x, y in pairs[at : at + size]]
            here = found[-1]
        if letter == "M":
            start = here
        elif letter == "z":
            here = start
    return found


SCATTER = {
    "kind": "scatter",
    "title": "t",
    "x": {},
    "y": {},
    "groups": [
        {
            "label": "a",
            "x": [0, 1, 4],
            "y": [1, 3, 9],
            "names": ["L0 H0", "L0 <b>", ""],
            "fit": {"slope": 2, "intercept": 1},
        },
        {"label": "b", "x": [2], "y": [0]},
    ],
}
HEATMAP = {
    "kind": "heatmap",
    "title": "t",
    "x": {"label": "pair", "values": [1, 2, 3, 4]},
    "y": {"values": ["L0 H0", "L0 H1"]},
    "values": [[0, 0.5, 1, None], [2, -1, 0.25, 0.75]],
    "low": 0,
    "high": 1,
    "unit": "share",
}
