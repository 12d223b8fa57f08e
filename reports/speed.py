"""The report's page on speed, from the recorded benchmarks (`measured/benchmarks.json`). Computes nothing."""

from __future__ import annotations

import json
from pathlib import Path

RECORDED = Path(__file__).parent / "measured/benchmarks.json"


def view(recorded: dict) -> dict:
    """What the template shows: rows measured and not run, machines, ceilings, and the growth curves as one figure."""
    ran = [one for one in recorded["benchmarks"] if "not_run" not in one]
    return {
        "rows": sorted((one for one in ran if "growth" not in one), key=lambda one: one["what"]),
        "not_run": [one for one in recorded["benchmarks"] if "not_run" in one],
        "machines": recorded["machines"],
        "ceilings": next((one["ceilings"] for one in ran if "ceilings" in one), None),
        "growth": _growth([one for one in ran if "growth" in one]),
    }


def _growth(curves: list[dict]) -> dict | None:
    """One drawing of all curves: their sizes differ in kind, so the legend names them and x counts them."""
    if not curves:
        return None
    longest = max(len(one["growth"]["at"]) for one in curves)
    lines = []
    for one in curves:
        growth = one["growth"]
        sizes = ", ".join(f"{size:g}" for size in growth["at"])
        values = growth["ratio"] + [None] * (longest - len(growth["ratio"]))
        lines.append({"label": f"{growth['axis']} {sizes}: {one['what'].partition(':')[0]}", "values": values})
    return {
        "kind": "lines",
        "title": "How the ratios change with size",
        "x": {"label": "size, from the smallest to the largest named", "values": list(range(1, longest + 1))},
        "y": {"label": "ratio", "log": True},
        "lines": lines,
    }


def load(path: Path = RECORDED) -> dict | None:
    """The view of what is recorded, None in a checkout that came without it."""
    return view(json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None
