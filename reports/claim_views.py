"""A claim as the page shows it: its verdicts by model and why they are so, its rules with their rows, and its controls."""

from __future__ import annotations

import dataclasses
import itertools
import json
from collections.abc import Iterable

from fixtures.plain import text
from fixtures.verdict.claim import (
    CLAIM_ROLE,
    CONTRADICTED,
    HOLDS,
    NEGATIVE_CONTROL,
    NOT_RUN,
    SUPPORTED,
    VERDICTS,
    Rule,
    expected,
)
from fixtures.verdict.evidence import Row, measured_in_words, too_weak
from fixtures.verdict.statistics import decide

from . import findings, strips
from .plots import by_model, draw_all, plots_of

WORDS = {verdict: verdict.replace("-", " ") for verdict in VERDICTS}
WORST_FIRST = ("contradicted", "inconclusive", "not-run", "supported")
GROUPS = {
    "controlled": "Controlled experiment",
    "embedded": "Embedded checkpoints",
    "paper": "The paper's own tables",
    "published": "Published measurements",
    "rope": "RoPE implementations",
    "small": "Small transformers",
    "torch": "Attention in PyTorch",
    "transformers": "RoPE in transformers",
}
OTHERS = "Language models"
"""The group of models whose key begins with none of those words: language models, such as those named to --model."""
FEW_MODELS = 6
"""A claim about at most so many models has them one by one on the board."""
MANY_ROWS, SHOWN_ROWS = 40, 24
"""A table of more than MANY_ROWS shows SHOWN_ROWS of them, worst verdict first, and names the rest."""
TOLD_ORIGINS = 1
"""How many different origins of a rule's rows are told; all of them stand in results.json."""


def claim_views(results: dict, grounds: strips.Grounds) -> list[dict]:
    """Every claim of a run with all that its part of the page shows; `grounds` collects what its strips share."""
    rows_of: dict[str, list[dict]] = {}
    for row in results["evidence"]:
        rows_of.setdefault(row["claim"], []).append(row)
    drawn = 0
    views = []
    for claim in results["claims"]:
        rows = rows_of.get(claim["id"], [])
        # a planted fault is often off by a factor of 10^10: controls have a scale of their own
        scales = {
            (rule["name"], own): strips.Scale.of(
                row for row in rows if row["rule"] == rule["name"] and (row["role"] == CLAIM_ROLE) == own
            )
            for rule in claim["rules"]
            for own in (True, False)
        }
        rows = [_shown(row, scales[row["rule"], row["role"] == CLAIM_ROLE], grounds) for row in rows]
        controls = [row for row in rows if row["role"] != CLAIM_ROLE]
        plots = plots_of(rows, drawn)
        drawn += len(plots)
        about = {model: verdict for model, verdict in claim["verdicts"].items() if claim["in_scope"][model]}
        views.append(
            claim
            | {
                "anchor": claim["id"].lower(),
                "about": about,
                "about_words": ", ".join(_PLURALS[tier] for tier in claim["scope"]),
                "tally": tally(about.values()),
                "groups": _groups(claim, rows),
                "illustrations": _illustrations(claim, rows),
                "many": len(about) > FEW_MODELS,
                "rule_views": [_rule(rule, rows, scales[rule["name"], True]) for rule in claim["rules"]],
                "controls": [_control(row) for row in controls],
                "controls_wrong": sum(row["control_ok"] is False for row in controls),
                "controls_not_run": sum(row["control_ok"] is None for row in controls),
                "some_guard": any(row["guards"] is not None for row in controls),
                "plots": plots,
                "plot_groups": by_model(plots, claim["in_scope"]),
                "seconds": sum(row["duration_s"] for row in rows),
                "rows": rows,
                "measured": len(rows) - len(controls),
                "level": f"{1 - 2 * claim['alpha']:.0%}",
            }
        )
    draw_all([plot for view in views for plot in view["plots"]])
    return views


_PLURALS = {
    "printed": "the paper's printed tables and configurations",
    "pretrained": "pretrained language models",
    "trained-here": "models trained here",
    "published": "published measurements",
    "implementation": "RoPE code",
}


def _shown(row: dict, scale: strips.Scale, grounds: strips.Grounds) -> dict:
    """A row with its strip, its reason and its command apart, and what decided it if its interval alone did not."""
    neutral = row if row["in_scope"] or row["role"] != CLAIM_ROLE else row | {"verdict": NOT_RUN}
    why, command = findings.reason(row)
    if findings.is_held_back(row):
        alone = findings.by_interval(row, decide)
        words = WORDS[alone] if row["in_scope"] or row["role"] != CLAIM_ROLE else HOLDS[alone]
        why = f"{why} (this decides; the interval alone would say: {words})"
    return row | {"strip": strips.strip(neutral, scale, grounds), "why": why, "to_run": command}


def _illustrations(claim: dict, rows: list[dict]) -> list[dict]:
    """Models that the claim is not about, by verdict, with the reason why it is not about them if that is not their tier."""
    whys = {row["model"]: row["illustration"] for row in rows if row["illustration"]}
    found: dict[tuple[str, str], list[str]] = {}
    for verdict, models in findings.by_verdict(claim, False).items():
        for model in models:
            found.setdefault((verdict, whys.get(model, "")), []).append(model)
    return [
        {"verdict": verdict, "why": why, "models": models, "count": len(models)}
        for (verdict, why), models in found.items()
    ]


def tally(verdicts: Iterable[str]) -> list[tuple[str, int]]:
    said = list(verdicts)
    return [(verdict, said.count(verdict)) for verdict in WORST_FIRST if verdict in said]


def _groups(claim: dict, rows: list[dict]) -> list[dict]:
    """The claim's models by where they come from, worst verdict first within each."""
    held = claim["baseline"] or {}
    groups: dict[str, list[dict]] = {}
    for model, verdict in claim["verdicts"].items():
        if not claim["in_scope"][model]:
            continue
        prefix, slash, rest = model.partition("/")
        known = bool(slash) and prefix in GROUPS
        own = [r for r in rows if r["model"] == model and r["role"] == CLAIM_ROLE and r["decisive"]]
        guards = [r for r in rows if r["role"] != CLAIM_ROLE and (r["guards"] is None or model in r["guards"])]
        groups.setdefault(GROUPS[prefix] if known else OTHERS, []).append(
            {
                "name": model,
                "short": rest if known else model,
                "verdict": verdict,
                "recorded": _recorded(held.get(model), verdict),
                # the board marks what is not supported, and what is not as it was
                "marked": verdict != SUPPORTED or held.get(model, verdict) != verdict,
                "because": _because(verdict, own, guards, claim, model),
                "guarded": bool(guards) and all(r["control_ok"] for r in guards),
            }
        )
    for models in groups.values():
        models.sort(key=lambda model: (WORST_FIRST.index(model["verdict"]), model["name"]))
        _because_once(models)
    return [
        {
            "title": title,
            "models": models,
            "tally": tally(model["verdict"] for model in models),
            "rows": models if len(models) <= MANY_ROWS else models[:SHOWN_ROWS],
            "unshown": _unshown(models[SHOWN_ROWS:] if len(models) > MANY_ROWS else [], "name"),
        }
        for title, models in sorted(groups.items(), key=lambda item: (item[0] != OTHERS, item[0]))
    ]


@dataclasses.dataclass(frozen=True)
class _Reason:
    """Why a model has its verdict. alike: what two models have in common that have the same reason, whatever was measured.
    measured: its numbers, '' where there are none."""

    sentence: str
    alike: tuple[str, ...]
    measured: str = ""


def _because_once(models: list[dict]) -> None:
    """Where models one under the other have the same reasons, only the first of them keeps the sentences."""
    before: list[tuple[str, ...]] = []
    for model in models:
        reasons: list[_Reason] = model["because"]
        alike = [reason.alike for reason in reasons]
        model["because"] = (
            [
                ", ".join(
                    ["as above", *filter(None, ["; ".join(reason.measured for reason in reasons if reason.measured)])]
                )
            ]
            if alike and alike == before
            else [reason.sentence for reason in reasons]
        )
        before = alike


def _because(verdict: str, own: list[dict], guards: list[dict], claim: dict, model: str) -> list[_Reason]:
    """What made the verdict; nothing for supported, which rests on all of the evidence."""
    if verdict == SUPPORTED:
        return []
    head = f"{claim['id']}, {model}: "
    said = [_reason(row, row["sentence"], row["model"]) for row in guards if row["control_ok"] is False]
    said += [
        _reason(row, "; ".join(filter(None, (row["sentence"].removeprefix(head), _too_weak(row)))))
        for row in own
        if row["verdict"] not in (SUPPORTED, NOT_RUN) or verdict == row["verdict"]
    ]
    if not claim["complete"] and verdict == NOT_RUN:
        said.append(_of_all("Not all tests of this claim were selected, so it is not decided."))
    if claim["errors"]:
        said.append(_of_all(f"{len(claim['errors'])} of its tests broke, so it cannot be called supported."))
    return said


def _of_all(sentence: str) -> _Reason:
    """A reason that is the same for every model."""
    return _Reason(sentence, (sentence,))


def _reason(row: dict, sentence: str, whose: str = "") -> _Reason:
    """The reason that one row gives. whose: of a control, the model that it was made on."""
    alike = (row["rule"], row["role"], row["verdict"], row["why"], row["to_run"], _too_weak(row), whose)
    read = Row(**{field.name: row.get(field.name) for field in dataclasses.fields(Row)})
    return _Reason(sentence, alike, measured_in_words(read))


def _too_weak(row: dict) -> str:
    return too_weak(row["verdict"], row["p_against_adjusted"], row["alpha"])


def _recorded(held: str | None, verdict: str) -> str:
    """What the baseline holds of a verdict, in words. held: the verdict that it holds, None where it holds none."""
    if held is None:
        return "nothing recorded"
    return "as recorded" if held == verdict else f"recorded: {WORDS[held]}"


def _rule(rule: dict, rows: list[dict], scale: strips.Scale) -> dict:
    """A rule beside what was measured for it (controls stand apart)."""
    own = [row for row in rows if row["rule"] == rule["name"] and row["role"] == CLAIM_ROLE]
    own.sort(key=lambda row: (not row["in_scope"], WORST_FIRST.index(row["verdict"]), row["model"]))
    shown = own if len(own) <= MANY_ROWS else own[:SHOWN_ROWS]
    origins = _details(shown)
    margins = list(Rule.from_json(rule).other_margins())
    differ = {name for row in own for name, verdict in row["sensitivity"].items() if verdict != row["verdict"]}
    differ_here = {name for name in differ if any(row["sensitivity"][name] != row["verdict"] for row in shown)}
    measured = any(row["verdict"] != NOT_RUN for row in own)
    return (
        rule
        | {
            "expected": expected(rule["side"], rule["margin"], rule["unit"]),
            # a column only where a verdict that is shown hangs on the margin; one sentence where none at all does
            "other_margins": [name for name in margins if name in differ_here],
            "same_at": [name.replace("margin ", "a margin ") for name in margins if name not in differ and measured],
            "rows": _reasons_once(shown),
            "measured": len(own),
            "unshown": _unshown([row for row in own[len(shown) :] if row["in_scope"]], "model"),
            "unshown_illustrations": [row["model"] for row in own[len(shown) :] if not row["in_scope"]],
            "tally": tally(row["verdict"] for row in own if row["in_scope"]),
            "illustrations": sum(not row["in_scope"] for row in own),
            "axis": strips.axis(scale) if own else "",
            "has": {name: any(row[name] is not None for row in own) for name in ("p", "p_adjusted")}
            # of a row that contradicts alone: elsewhere the column would say 1 again and again
            | {"p_against_adjusted": any(row["verdict"] == CONTRADICTED and row["p"] is not None for row in own)},
            "details": origins[:TOLD_ORIGINS],
            "untold": max(0, len(origins) - TOLD_ORIGINS),
        }
    )


def _reasons_once(rows: list[dict]) -> list[dict]:
    """Rows one under the other that have the same reason tell it once: the paper's number beneath the first of them, why
    beneath the last."""
    told: list[dict] = []
    for _, run in itertools.groupby(rows, key=lambda row: (row["why"], text.flat(row["paper"]))):
        first, *others = run
        why, blank = first["why"], {"why": "", "paper": None}
        own = [first | {"why": ""}, *(row | blank for row in others)]
        own[-1]["why"] = f"these {len(own)}: {why}" if why and len(own) > 1 else why
        told += own
    return told


def _unshown(entries: list[dict], name: str) -> list[tuple[str, list[str]]]:
    """What a long table leaves out: verdict -> names, worst first."""
    return [
        (verdict, names)
        for verdict in WORST_FIRST
        if (names := [entry[name] for entry in entries if entry["verdict"] == verdict])
    ]


def _details(rows: list[dict]) -> list[dict]:
    """Where each row comes from; rows that differ in nothing but the model are told once."""
    merged: dict[str, dict] = {}
    for row in rows:
        told = {name: row[name] for name in ("test", "seeds", "provenance", "nodeid")}
        entry = merged.setdefault(json.dumps(told, sort_keys=True), told | {"models": [], "seconds": 0.0})
        entry["models"].append(row["model"])
        entry["seconds"] += row["duration_s"]
    return list(merged.values())


def _control(row: dict) -> dict:
    return row | {
        "must": "contradicted" if row["role"] == NEGATIVE_CONTROL else "supported",
        "kind": row["role"].removesuffix("-control"),
    }
