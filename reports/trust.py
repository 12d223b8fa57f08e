"""The page "How far can you trust these verdicts?": recorded runs on planted worlds beside this run's own controls."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from fixtures.verdict.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, SUPPORTED, deciding
from fixtures.verdict.statistics import clopper_pearson

MEASURED = Path(__file__).parent / "measured" / "validity.json"
REACHED = (
    *(f"C{number:02}" for number in range(1, 13)),
    *(f"R{number:02}" for number in range(1, 7)),
    *(f"X{number:02}" for number in range(1, 12)),
)
"""Claims for which `fixtures.validity.worlds` plants something."""
WAITING = "planted worlds for it exist and were not run yet"
NOT_BUILT = "no planted world is built for it"


@functools.cache
def recorded(path: Path = MEASURED) -> dict | None:
    """What `python -m fixtures.validity` recorded, None where nothing is."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def page(claims: list[dict], manifest: list[str], found: dict | None) -> dict:
    """Rows for every claim of the manifest, measured or not; ids of claims whose cases are all whole runs, and of the others.

    claims: views of the run. found: `recorded()`.
    """
    known, shown = (found or {}).get("claims", {}), {claim["id"]: claim for claim in claims}
    rows = []
    for claim_id in manifest:
        measured, stated = known.get(claim_id), shown.get(claim_id)
        row = {
            "id": claim_id,
            "stated": stated is not None,
            "measured": measured,
            "stale": bool(measured and stated and measured["digest"] != deciding(stated)),
            "why_not": WAITING if claim_id in REACHED else NOT_BUILT,
        }
        for name, role in (("negative", NEGATIVE_CONTROL), ("positive", POSITIVE_CONTROL)):
            own = [control for control in (stated or {"controls": []})["controls"] if control["role"] == role]
            judged = [control for control in own if control["control_ok"] is not None]
            row[name] = {"n": len(judged), "supported": sum(control["verdict"] == SUPPORTED for control in judged)}
        rows.append(row)
    measured = {row["id"]: row["measured"] for row in rows if row["measured"]}
    whole = [claim for claim, row in measured.items() if all(_whole(row[kind]) == row[kind]["n"] for kind in KINDS)]
    return {
        "rows": rows,
        "whole": whole,
        "decided": [claim for claim in measured if claim not in whole],
        "machine": (found or {}).get("machine"),
        "versions": (found or {}).get("versions", {}),
    }


KINDS = ("false", "true", "unable")


def _whole(part: dict) -> int:
    """How many cases were whole runs; rows of before cases were decided within one process do not say, and are."""
    return part.get("whole", part["n"])


HARD = {"near": "near the margin", "noisier": "noisier than planned for"}
"""Planted on purpose where a verdict is hard to get: name of the count, in words."""


def rate(part: dict) -> str:
    """'0 of 92 (0% to 4%); 20 in whole runs; near the margin 0 of 10, elsewhere 0 of 82 (0% to 4%)'."""
    if not part["n"]:
        return "–"
    told = [_of(part[SUPPORTED], part["n"])]
    if _whole(part) < part["n"]:
        told.append(f"{_whole(part)} in whole runs")
    hard = [name for name in HARD if part.get(name)]
    if hard:
        apart = [f"{HARD[name]} {part[f'{name}_supported']} of {part[name]}" for name in hard]
        supported = part[SUPPORTED] - sum(part[f"{name}_supported"] for name in hard)
        apart.append(f"elsewhere {_of(supported, part['n'] - sum(part[name] for name in hard))}")
        told.append(", ".join(apart))
    return "; ".join(told)


def _of(supported: int, n: int) -> str:
    """'0 of 92 (0% to 4%)', with the exact interval of 95%."""
    low, high = clopper_pearson(supported, n)
    return f"{supported} of {n} ({low:.0%} to {high:.0%})"
