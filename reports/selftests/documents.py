"""A results document from claims and rows, as a run's own writer makes it, and rows decided as a run decides them."""

from __future__ import annotations

from fixtures.verdict.claim import Claim
from fixtures.verdict.evidence import Row, final_verdicts, in_scope, make_row
from fixtures.verdict.statistics import exact, mean_of_units
from fixtures.verdict.tiers import tier_of
from reports import speed
from reports.check import digest


def results(
    claims: list[Claim],
    rows: list[Row],
    baselines: dict[str, dict[str, str] | None] | None = None,
    errors: dict[str, list[dict]] | None = None,
    unselected: tuple[str, ...] = (),
) -> dict:
    """A document of these claims and rows, as the run's own writer makes it."""
    stated = []
    for claim in claims:
        entry = claim.to_json() | {
            "digest": claim.digest,
            "complete": claim.id not in unselected,
            "selected": claim.id not in unselected,
            "errors": (errors or {}).get(claim.id, []),
            "baseline": (baselines or {}).get(claim.id),
            "baseline_digest": claim.digest if (baselines or {}).get(claim.id) else None,
            "command": f"pytest claims/ -k {claim.id.lower()}",
        }
        own = [row for row in rows if row.claim == claim.id]
        said = final_verdicts(own, complete=entry["complete"], errors=bool(entry["errors"]))
        tiers = {model: tier_of(model) for model in said}
        stated.append(entry | {"verdicts": said, "tiers": tiers, "in_scope": in_scope(own)})
    return sealed(
        {
            "schema_version": 1,
            "run": {
                "started": "2026-03-02T09:14:05+00:00",
                "duration_s": 412.7,
                "manifest": [claim.id for claim in claims],
                "commit": "6330460c9f0e",
                "versions": {
                    "python": "3.11.9",
                    "torch": "2.13.0",
                    "transformers": "5.23.0",
                    "scipy": "1.17.1",
                    "numpy": "2.4.6",
                },
                "hardware": {
                    "machine": "x86_64",
                    "processor": "a laptop's",
                    "cores": 2,
                    "memory_gib": 15.6,
                    "gpu": None,
                },
                "options": {
                    "scale": "default",
                    "sampling": "shared",
                    "seeds": 5,
                    "claim": [],
                    "baseline": "reports/baseline.json",
                },
                "exit": 1,
                "digest": "",
                "problems": ["C04, controlled/rope-500000: inconclusive, and the baseline holds no verdict for it"],
                "counts": {"selected": 161, "passed": 156, "failed": 3, "skipped": 2, "deselected": 12, "lost": 0},
            },
            "claims": stated,
            "evidence": [row.to_json() for row in sorted(rows, key=lambda row: (row.claim, row.key))],
        }
    )


def add_verdict(claim: dict, model: str, verdict: str) -> None:
    """One more model of a claim, with all that a claim says of its models."""
    claim["verdicts"][model], claim["tiers"][model] = verdict, tier_of(model)
    claim["in_scope"][model] = tier_of(model) in claim["scope"]


def sealed(results: dict) -> dict:
    """The document with the digest of what it holds: what a careful forger would do as well."""
    results["run"]["digest"] = digest(results["claims"], results["evidence"])
    return results


def module_of(claim: str) -> str:
    return f"claims/test_{claim.lower()}_sample.py"


def decided_row(claim: Claim, rule: str, measured, **context) -> Row:
    return make_row(
        claim, claim.rule(rule), measured, **({"nodeid": f"{module_of(claim.id)}::test_{rule.split()[0]}"} | context)
    )


def exact_row(claim: Claim, rule: str, value: float, n: int, test: str, worst: bool = False, **context) -> Row:
    decided = claim.rule(rule)
    return decided_row(claim, rule, exact(value, n, decided.side, decided.margin, test, worst), **context)


def units_row(claim: Claim, rule: str, samples: list[float], **context) -> Row:
    decided = claim.rule(rule)
    measured = mean_of_units(samples, decided.side, decided.margin, claim.alpha)
    return decided_row(claim, rule, measured, seeds=list(range(len(samples))), **context)


ON_SPEED = int(bool((speed.load() or {}).get("growth")))
"""Figures that every report holds besides those of its evidence: the page on speed draws its growth curves."""
