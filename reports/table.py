"""Tables that README and the guide to the claims show, written from the recorded baseline: `python -m reports table --write`.

answer: the question that the paper's title asks, a row for each place where it is asked (README.md). verdicts: every claim's
recorded verdicts with the number that decided (claims/README.md). Each stands between two markers of its name.
"""

from __future__ import annotations

import functools
import importlib.util
from collections.abc import Iterable
from pathlib import Path

from fixtures.plain.files import write_in_one_step
from fixtures.verdict.claim import (
    CLAIM_ROLE,
    CONTRADICTED,
    HOLDS_IN,
    IMPLEMENTATION,
    INCONCLUSIVE,
    PRETRAINED,
    PRINTED,
    PUBLISHED,
    SUPPORTED,
    TRAINED_HERE,
    Claim,
)
from fixtures.verdict.evidence import key_of
from fixtures.verdict.gate import Baseline
from fixtures.verdict.tiers import tier_of

from . import answer
from .findings import NOT_MEASURED, TIER_WORDS, decided_by, id_ranges, status_of

ROOT = Path(__file__).resolve().parents[1]
ANSWER, VERDICTS = "answer", "verdicts"
FILES = {ANSWER: ROOT / "README.md", VERDICTS: ROOT / "claims/README.md"}
"""Table -> the file that shows it."""
ORDER = (SUPPORTED, CONTRADICTED, INCONCLUSIVE)
FEW = 6
"""Up to so many models are named; more are counted by the first word of their names."""


MODELS_NAMED = 3
"""Up to so many pretrained models are named in the table of the answer; more, and everything else, are counted."""
COUNTED = {
    PRINTED: ("printed table", "printed tables"),
    PRETRAINED: ("pretrained model", "pretrained models"),
    TRAINED_HERE: ("model trained here", "models trained here"),
    PUBLISHED: ("published measurement", "published measurements"),
    IMPLEMENTATION: ("implementation", "implementations"),
}
"""Tier -> one, and several, of its models."""


class TableError(ValueError):
    """The table cannot be made or has no place in the file; one line."""


@functools.cache
def stated(folder: Path = ROOT / "claims") -> dict[str, Claim]:
    """Id -> CLAIM of every claim module of a folder. Raises TableError for a module that cannot be read."""
    found = {}
    for path in sorted(folder.glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"claims.{path.stem}", path)
        module = importlib.util.module_from_spec(spec)
        try:
            spec.loader.exec_module(module)
        except Exception as error:  # whatever a module that is being written may raise
            raise TableError(f"{path}: cannot be imported ({type(error).__name__}: {error})") from None
        if isinstance(getattr(module, "CLAIM", None), Claim):
            found[module.CLAIM.id] = module.CLAIM
    return found


def answer_lines(recorded: dict, claims: dict[str, Claim]) -> list[str]:
    """The table of the answer, a line each; illustrations count for nothing. Arguments as for `lines`."""
    rows = ["| where the question is asked | answer | claims | decided on |", "|---|---|---|---|"]
    for where, ids in answer.AREAS:
        held = {claim: _held_in_scope(claims[claim], recorded.get(claim)) for claim in ids if claim in claims}
        statuses = {claim: status_of({verdict: [] for verdict in own.values()}) for claim, own in held.items()}
        missing = [claim for claim, status in statuses.items() if status == NOT_MEASURED]
        said = [answer.by_status(statuses), f"{id_ranges(missing)} not measured" if missing else ""]
        models = dict.fromkeys(model for own in held.values() for model in own)
        rows.append(
            _cells(where, answer.answer_of(list(statuses.values())), "; ".join(filter(None, said)), _rests_on(models))
        )
    return rows


def _held_in_scope(claim: Claim, entry: dict | None) -> dict[str, str]:
    """Model that the claim is about -> its recorded verdict."""
    models = entry["models"] if entry else {}
    return {model: held["verdict"] for model, held in models.items() if _in_scope(claim, model, held)}


def _rests_on(models: Iterable[str]) -> str:
    """'`smollm2-135m`' or '10 implementations, 2 printed tables'."""
    models, parts = list(models), []
    for tier in dict.fromkeys(map(tier_of, models)):
        own = [model for model in models if tier_of(model) == tier]
        if tier == PRETRAINED and len(own) <= MODELS_NAMED:
            parts += [f"`{model}`" for model in own]
        else:
            parts.append(f"{len(own)} {COUNTED[tier][len(own) > 1]}")
    return ", ".join(parts) or "–"


def lines(recorded: dict, claims: dict[str, Claim]) -> list[str]:
    """The table, a line each. recorded: `claims` of a baseline; one that no module states any more is left out.

    Verdicts on models that a claim is about come first, one row for each verdict; all illustrations share one row.
    """
    rows = ["| claim | models | verdict | in one line |", "|---|---|---|---|"]
    for claim_id, claim in sorted(claims.items()):
        entry = recorded.get(claim_id)
        if entry is None:
            rows.append(_cells(claim_id, "–", "not recorded", claim.title))
            continue
        models = entry["models"]
        about = [model for model, held in models.items() if _in_scope(claim, model, held)]
        evidence = [row for model in about for row in _rows(claim, model, models[model])]
        for verdict in ORDER:
            own = [model for model in about if models[model]["verdict"] == verdict]
            if own:
                said = decided_by(claim.to_json() | {"errors": []}, evidence, verdict, own)
                rows.append(_cells(claim_id, _named(own), verdict if verdict == SUPPORTED else f"**{verdict}**", said))
        if not about:
            rows.append(_cells(claim_id, "–", "not measured", "no model that the claim is about is recorded"))
        others = [model for model in models if model not in about]
        if others:
            told = [
                f"{HOLDS_IN[verdict]} {_named(own)}"
                for verdict in ORDER
                if (own := [model for model in others if models[model]["verdict"] == verdict])
            ]
            rows.append(_cells(claim_id, "illustrations", "–", "; ".join(told)))
    return rows


def _in_scope(claim: Claim, model: str, held: dict) -> bool:
    """As recorded; by its tier and its rules' where the baseline is older than that."""
    scopes = [claim.scope, *(claim.scope_of(row["rule"]) for row in _rows(claim, model, held))]
    return held.get("in_scope", all(tier_of(model) in scope for scope in scopes))


def _rows(claim: Claim, model: str, held: dict) -> list[dict]:
    """Decisive rows of a recorded model, as far as they are recorded, in the shape of evidence."""
    rules = {key_of(CLAIM_ROLE, rule.name, model): rule for rule in claim.rules if rule.decisive}
    found = []
    for key, row in held["rows"].items():
        if rule := rules.get(key):
            found.append(
                {
                    "model": model,
                    "role": CLAIM_ROLE,
                    "rule": rule.name,
                    "quantity": rule.quantity,
                    "unit": rule.unit,
                    "side": rule.side,
                    "margin": rule.margin,
                    "alpha": claim.alpha,
                    "decisive": True,
                    "control_ok": None,
                    "guards": None,
                    "verdict": row["verdict"],
                    "estimate": row["estimate"],
                    "ci": row.get("ci"),
                    "reason": row.get("reason", ""),
                }
            )
    return found


def _named(models: Iterable[str]) -> str:
    """Names with their tier; many are counted by their first word, as '250 of `transformers/*` (implementation)'."""
    parts = []
    models = list(models)
    for tier in dict.fromkeys(map(tier_of, models)):
        own = [model for model in models if tier_of(model) == tier]
        if len(own) <= FEW:
            said = ", ".join(f"`{model}`" for model in own)
        else:
            words: dict[str, int] = {}
            for model in own:
                word = f"{model.partition('/')[0]}/*" if "/" in model else "*"
                words[word] = words.get(word, 0) + 1
            said = ", ".join(f"{count} of `{word}`" for word, count in words.items())
        parts.append(f"{said} ({TIER_WORDS[tier]})")
    return ", ".join(parts)


def _cells(*cells: str) -> str:
    return f"| {' | '.join(' '.join(cell.replace('|', chr(92) + '|').split()) for cell in cells)} |"


def markers(name: str) -> tuple[str, str]:
    """The lines between which a table stands."""
    return f"<!-- {name}: written by `python -m reports table --write` -->", f"<!-- end of {name} -->"


def blocks(baseline: Path = ROOT / "reports/baseline.json", folder: Path = ROOT / "claims") -> dict[str, str]:
    """Table -> its text between its markers. Raises TableError and gate.BaselineError."""
    recorded, claims = Baseline.read(baseline).claims, stated(folder)
    tables = {ANSWER: answer_lines(recorded, claims), VERDICTS: lines(recorded, claims)}
    return {name: "\n".join([begin, *tables[name], end]) for name in tables for begin, end in [markers(name)]}


def replaced(text: str, new: dict[str, str]) -> str:
    """`text` with every table that it has a place for written anew, markers included. new: as `blocks` gives it."""
    held = [name for name in new if any(marker in text for marker in markers(name))]
    if not held:
        raise TableError(f"it does not hold the lines of a table, such as {' and '.join(markers(next(iter(new))))}")
    for name in held:
        begin, end = markers(name)
        first, last = text.find(begin), text.find(end)
        if first < 0 or last < first or text.count(begin) != 1 or text.count(end) != 1:
            raise TableError(f"it does not hold the lines {begin} and {end}, once each and in this order")
        text = text[:first] + new[name] + text[last + len(end) :]
    return text


def write(path: Path, new: dict[str, str]) -> bool:
    """Puts into a file the tables that it has a place for; whether it changed."""
    text = path.read_text(encoding="utf-8")
    try:
        written = replaced(text, new)
    except TableError as error:
        raise TableError(f"{path}: {error}") from None
    if written != text:
        write_in_one_step(path, written)
    return written != text
