"""The page "How far can you trust these verdicts?": recorded runs on planted worlds beside this run's own controls."""

from __future__ import annotations

import functools
import json
from pathlib import Path

from fixtures.claim import NEGATIVE_CONTROL, POSITIVE_CONTROL, SUPPORTED

MEASURED = Path(__file__).parent / "measured" / "validity.json"
UNREACHED = {
    "C01": "implementations are fixed in code; each planted mutant is a control of the run",
    "C02": "arithmetic; wrong kernels are controls of the run",
    "X01": "no planted world is built for it; planted profiles are controls of the run",
    "X04": "no planted world is built for it; planted profiles and ranks are controls of the run",
    "X05": "its contexts are made for the embedded models, which planted checkpoints are not",
    "X06": "no planted world is built for it; planted profiles are controls of the run",
}
RIVAL = "what it takes is fixed in code; planted rotations are controls of the run"
REACHED = ("C03", "C04", "C05", "C06", "C07", "C08", "C09", "C10", "C11", "C12", "X02", "X08")
"""Claims for which `fixtures.validity.worlds` plants something."""
WAITING = "planted worlds for it exist and were not run yet"
NOT_BUILT = "no planted world is built for it"


@functools.cache
def recorded(path: Path = MEASURED) -> dict | None:
    """What `python -m fixtures.validity` recorded, None where nothing is."""
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else None


def page(claims: list[dict], manifest: list[str], found: dict | None) -> dict:
    """claims: views of the run. found: `recorded()`. Rows for every claim of the manifest, measured or not."""
    known, shown = (found or {}).get("claims", {}), {claim["id"]: claim for claim in claims}
    rows = []
    for claim_id in manifest:
        measured, stated = known.get(claim_id), shown.get(claim_id)
        row = {
            "id": claim_id,
            "stated": stated is not None,
            "measured": measured,
            "stale": bool(measured and stated and measured["digest"] != stated["digest"]),
            "why_not": UNREACHED.get(
                claim_id, RIVAL if claim_id.startswith("R") else WAITING if claim_id in REACHED else NOT_BUILT
            ),
        }
        for name, role in (("negative", NEGATIVE_CONTROL), ("positive", POSITIVE_CONTROL)):
            own = [control for control in (stated or {"controls": []})["controls"] if control["role"] == role]
            judged = [control for control in own if control["control_ok"] is not None]
            row[name] = {"n": len(judged), "supported": sum(control["verdict"] == SUPPORTED for control in judged)}
        rows.append(row)
    return {"rows": rows, "machine": (found or {}).get("machine"), "versions": (found or {}).get("versions", {})}


def rate(part: dict) -> str:
    """'0 of 12 (0% to 26%)'."""
    if not part["n"]:
        return "–"
    low, high = part["interval"]
    return f"{part[SUPPORTED]} of {part['n']} ({low:.0%} to {high:.0%})"
