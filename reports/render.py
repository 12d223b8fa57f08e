"""results.json as one HTML page: no network, no scripts needed, the same results give the same bytes.

Arranges and formats what a run recorded; the template says how it looks. Nothing here computes a statistic: what is
counted are verdicts and rows.
"""

from __future__ import annotations

import base64
import functools
import gc
import hashlib
import itertools
import json
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from fixtures.plain import text
from fixtures.verdict.claim import (
    CLAIM_ROLE,
    CONTRADICTED,
    HOLDS_IN,
    NEGATIVE_CONTROL,
    NOT_RUN,
    SUPPORTED,
    VERDICTS,
    Rule,
    expected,
)
from fixtures.verdict.evidence import too_weak
from fixtures.verdict.statistics import decide
from fixtures.verdict.tiers import PLANTED, tier_of

from . import answer, differences, figures, findings, heat_maps, pictures, speed, strips, trust
from .check import is_relative
from .findings import TIER_WORDS

HERE = Path(__file__).parent

PAPER = {
    "title": "The Rotary Position Embedding May Cause Dimension Inefficiency in Attention Heads for Long-Distance Retrieval",
    "authors": "Ting-Rui Chiang and Dani Yogatama",
    "venue": "Findings of the Association for Computational Linguistics: ACL 2025, pages 13552–13562",
    "arxiv": "2502.11276",
    "doi": "10.18653/v1/2025.findings-acl.697",
}

GLYPHS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?", "not-run": "–"}
WORDS = {verdict: verdict.replace("-", " ") for verdict in VERDICTS}
ILLUSTRATED = {verdict: words.removesuffix(" in") for verdict, words in HOLDS_IN.items()}
"""The words for models that a claim is not about."""
STATUS_GLYPHS = dict(zip(findings.STATUSES, "✓◐✗?–", strict=True))
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
"""Whatever begins with none of those words was named to --model."""
FEW_MODELS, FEW_ROWS, FEW_PLOTS, FEW_FILES = 6, 8, 3, 6
"""Up to so many models stand one by one on the board; up to so many rows, figures and files are open from the start."""

MANY_ROWS, SHOWN_ROWS = 40, 24
"""A table longer than the first shows the second, worst verdict first, and names the rest."""

TOLD_ORIGINS, TOLD_PROVENANCE = 1, 120
"""Rows of a rule whose origin is told, and characters of a provenance; all of it stands in results.json."""

DRAWN = 2_000_000
"""Characters of all drawings together, which leaves the page under 3 MB; beyond it they are drawn more compactly."""

WIDE_TABLE = 6
"""Columns from which on a table takes the whole width of the page."""

LONG_CELL = 60
"""A text in a table that is longer than this is prose: its column gets room and wraps."""


def render(results: dict) -> str:
    """The report of one run as a self-contained HTML page; `results` is a results.json that `check.load` accepts."""
    grounds = strips.Grounds()
    claims = _claims(results, grounds)
    run, not_run = results["run"], _not_run(claims, results)
    found = findings.findings(results)
    script = (HERE / "filter.js").read_text(encoding="utf-8")
    page = _environment().get_template("template.html.j2")
    return page.render(
        paper=PAPER,
        run=run,
        run_facts=_run_facts(run),
        outcome=differences.outcome(results),
        question=answer.QUESTION,
        answered=answer.sentences(results),
        found={part: _found(found, run["manifest"], part) for part, _ in findings.PARTS},
        language_models=answer.language_models(results),
        own_ropes=answer.own_ropes(results),
        changes=differences.changes(results),
        reworded=differences.reworded(results),
        reworded_means=differences.REWORDED,
        claims=claims,
        grounds=grounds.defs(),
        parts=_parts(claims),
        pictures=_pictures(results),
        not_run=not_run,
        any_not_run=any(not_run.values()),
        broken=[(claim, error) for claim in claims for error in claim["errors"]],
        failed_controls=[(claim, row) for claim in claims for row in claim["controls"] if row["control_ok"] is False],
        style=Markup((HERE / "style.css").read_text(encoding="utf-8")),
        script=Markup(script),
        # only this very script may run: not even a mistake in escaping could start another
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        legend_rows=_legend_rows(),
        trust=trust.page(claims, run["manifest"], trust.recorded()),
        speed=None if differences.rope_alone(run) else _speed(),
        files=_files(run.get("files", [])),
    )


@functools.cache
def _environment():
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # every value that reaches the page passes here: hidden characters become visible before escaping, and numbers
        # inside sentences are set like all others; `verbatim` is for what is typed
        finalize=lambda value: text.in_print(text.visible(value)) if type(value) is str else value,
    )
    environment.tests["figures"] = text.is_figures
    environment.filters |= {
        "number": text.number,
        "p_value": text.p_value,
        "duration": text.duration,
        "flat": text.flat,
        "in_paper": text.in_paper,
        "verbatim": lambda typed: escape(text.visible(str(typed))),
        "told": lambda told: told if len(told) <= TOLD_PROVENANCE else f"{told[:TOLD_PROVENANCE]}…",
        "ranges": text.ranges,
        "rate": trust.rate,
        "short": text.label,
        "unstopped": lambda sentence: sentence.rstrip(" ."),
    }
    environment.globals |= {"glyphs": GLYPHS, "words": WORDS, "verdict_order": WORST_FIRST, "few_rows": FEW_ROWS}
    environment.globals |= {"few_files": FEW_FILES, "long_cell": LONG_CELL}
    environment.globals |= {"illustrated": ILLUSTRATED, "holds_in": HOLDS_IN, "status_glyphs": STATUS_GLYPHS}
    environment.globals |= {"tier_words": {tier: words for tier, words in TIER_WORDS.items() if tier != PLANTED}}
    environment.globals |= {"tier_of": tier_of, "id_ranges": findings.id_ranges}
    return environment


def _run_facts(run: dict) -> list[tuple[str, str]]:
    options = {name: value for name, value in run["options"].items() if value not in (None, [], "", False)}
    counts = run["counts"]
    return [
        ("Started", text.moment(run["started"])),
        ("Took", text.duration(run["duration_s"])),
        ("Commit", _commit(run["commit"])),
        ("Options", text.flat(options)),
        ("Machine", text.flat({name: value for name, value in run["hardware"].items() if value is not None})),
        ("Tests", ", ".join(f"{counts[name]} {name}" for name in _COUNTS if counts[name] or name in _ALWAYS_TOLD)),
    ]


def _commit(commit: str | None) -> str:
    """The first twelve digits of a hash name it; the whole of it stands in results.json."""
    if commit is None:
        return "not from a git checkout"
    found = re.fullmatch(r"([0-9a-f]{12})[0-9a-f]{28}(-dirty)?", commit)
    return f"{found[1]}{', with uncommitted changes' if found[2] else ''}" if found else commit


_COUNTS = ("selected", "passed", "failed", "skipped", "deselected", "lost")
_ALWAYS_TOLD = ("selected", "passed", "lost")


# What holds


def _found(found: list[findings.Finding], manifest: list[str], part: str) -> list[dict]:
    """A line for each claim of a part of the board, those of the manifest that the run did not state among them."""
    stated = {one.claim["id"]: one for one in found}
    lines = []
    for claim in dict.fromkeys([*manifest, *stated]):
        if not claim.startswith(part):
            continue
        one = stated.get(claim)
        lines.append(
            {
                "id": claim,
                "anchor": claim.lower() if one else "",
                "title": one.claim["title"] if one else "",
                "status": one.status if one else findings.NOT_MEASURED,
                "said": one.said if one else "not asked for on the command line",
            }
        )
    return lines


def _parts(claims: list[dict]) -> list[dict]:
    """The board in three: the paper, RoPE implementations, and what goes beyond the paper."""
    parts = []
    for first, title in findings.PARTS:
        own = [claim for claim in claims if claim["id"].startswith(first)]
        if own:
            verdicts = [verdict for claim in own for verdict in claim["about"].values()]
            parts.append({"title": title, "anchor": f"board-{first.lower()}", "claims": own, "tally": _tally(verdicts)})
    return parts


def _pictures(results: dict) -> list[dict]:
    """One for each model under test, pretrained ones first."""
    known, kept = findings.titles(results["evidence"]), findings.kept(results["evidence"])
    return [
        pictures.view(one, known.get(one["model"], one["model"]), TIER_WORDS[tier_of(one["model"])])
        | {"kept": kept.get(one["model"], "")}
        for one in results["run"].get("pictures", ())
    ]


# Claims


def _claims(results: dict, grounds: strips.Grounds) -> list[dict]:
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
        plots = _plots(rows, drawn)
        drawn += len(plots)
        about = {model: verdict for model, verdict in claim["verdicts"].items() if claim["in_scope"][model]}
        views.append(
            claim
            | {
                "anchor": claim["id"].lower(),
                "about": about,
                "about_words": ", ".join(_PLURALS[tier] for tier in claim["scope"]),
                "tally": _tally(about.values()),
                "groups": _groups(claim, rows),
                "illustrations": _illustrations(claim, rows),
                "many": len(about) > FEW_MODELS,
                "rule_views": [_rule(rule, rows, scales[rule["name"], True]) for rule in claim["rules"]],
                "controls": [_control(row) for row in controls],
                "controls_wrong": sum(row["control_ok"] is False for row in controls),
                "controls_not_run": sum(row["control_ok"] is None for row in controls),
                "some_guard": any(row["guards"] is not None for row in controls),
                "plots": plots,
                "plot_groups": _by_model(plots, claim["in_scope"]),
                "seconds": sum(row["duration_s"] for row in rows),
                "rows": rows,
                "measured": len(rows) - len(controls),
                "level": f"{1 - 2 * claim['alpha']:.0%}",
            }
        )
    _draw([plot for view in views for plot in view["plots"]])
    return views


_PLURALS = {
    "printed": "the paper's printed tables and configurations",
    "pretrained": "pretrained language models",
    "trained-here": "models trained here",
    "published": "published measurements",
    "implementation": "RoPE code",
}


def _shown(row: dict, scale: strips.Scale, grounds: strips.Grounds) -> dict:
    """A row with its strip, its reason and command apart, and what decided it where its interval did not."""
    neutral = row if row["in_scope"] or row["role"] != CLAIM_ROLE else row | {"verdict": NOT_RUN}
    why, command = findings.reason(row)
    if findings.is_held_back(row):
        alone = findings.by_interval(row, decide)
        words = WORDS[alone] if row["in_scope"] or row["role"] != CLAIM_ROLE else ILLUSTRATED[alone]
        why = f"{why} (this decides; the interval alone would say: {words})"
    return row | {"strip": strips.strip(neutral, scale, grounds), "why": why, "to_run": command}


def _illustrations(claim: dict, rows: list[dict]) -> list[dict]:
    """Models that the claim is not about, by how it came out in them, and why where their tier does not say it."""
    whys = {row["model"]: row["illustration"] for row in rows if row["illustration"]}
    found: dict[tuple[str, str], list[str]] = {}
    for verdict, models in findings.by_verdict(claim, False).items():
        for model in models:
            found.setdefault((verdict, whys.get(model, "")), []).append(model)
    return [
        {"verdict": verdict, "why": why, "models": models, "count": len(models)}
        for (verdict, why), models in found.items()
    ]


def _tally(verdicts: Iterable[str]) -> list[tuple[str, int]]:
    said = list(verdicts)
    return [(verdict, said.count(verdict)) for verdict in WORST_FIRST if verdict in said]


def _groups(claim: dict, rows: list[dict]) -> list[dict]:
    """The claim's models by where they come from, worst verdict first within each."""
    recorded = _recorded(claim)
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
                "recorded": recorded[model],
                # the board marks what is not supported, and what is not as it was
                "marked": verdict != SUPPORTED or recorded[model].startswith("recorded:"),
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
            "tally": _tally(model["verdict"] for model in models),
            "rows": models if len(models) <= MANY_ROWS else models[:SHOWN_ROWS],
            "unshown": _unshown(models[SHOWN_ROWS:] if len(models) > MANY_ROWS else [], "name"),
        }
        for title, models in sorted(groups.items(), key=lambda item: (item[0] != OTHERS, item[0]))
    ]


_MEASURED = re.compile(r"measured: .*?(?=: (?:contradicted|inconclusive|supported))")


def _because_once(models: list[dict]) -> None:
    """Of models one under the other with the same sentences but for the number, the first has them, the others theirs."""
    before: list[str] = []
    for model in models:
        numbers = [found.group() for sentence in model["because"] if (found := _MEASURED.search(sentence))]
        words = [_MEASURED.sub("", sentence) for sentence in model["because"]]
        if words and words == before:
            model["because"] = ["as above" + (f", {'; '.join(numbers)}" if numbers else "")]
        before = words


def _because(verdict: str, own: list[dict], guards: list[dict], claim: dict, model: str) -> list[str]:
    """Sentences of what made a verdict other than supported; for supported there is only the whole evidence."""
    if verdict == SUPPORTED:
        return []
    failed = [row["sentence"] for row in guards if row["control_ok"] is False]
    head = f"{claim['id']}, {model}: "
    said = failed + [
        "; ".join(
            filter(
                None,
                (row["sentence"].removeprefix(head), too_weak(row["verdict"], row["p_against_adjusted"], row["alpha"])),
            )
        )
        for row in own
        if row["verdict"] not in (SUPPORTED, NOT_RUN) or verdict == row["verdict"]
    ]
    if not claim["complete"] and verdict == NOT_RUN:
        said.append("Not all tests of this claim were selected, so it is not decided.")
    if claim["errors"]:
        said.append(f"{len(claim['errors'])} of its tests broke, so it cannot be called supported.")
    return said


def _recorded(claim: dict) -> dict[str, str]:
    """Model -> how its verdict stands to the baseline, in words."""
    if claim["baseline"] is None:
        return dict.fromkeys(claim["verdicts"], "nothing recorded")
    held = claim["baseline"]
    return {
        model: "as recorded"
        if held.get(model) == verdict
        else f"recorded: {WORDS[held[model]]}"
        if model in held
        else "nothing recorded"
        for model, verdict in claim["verdicts"].items()
    }


def _rule(rule: dict, rows: list[dict], scale: strips.Scale) -> dict:
    """A rule beside what was measured for it (controls stand apart)."""
    own = [row for row in rows if row["rule"] == rule["name"] and row["role"] == CLAIM_ROLE]
    own.sort(key=lambda row: (not row["in_scope"], WORST_FIRST.index(row["verdict"]), row["model"]))
    shown = own if len(own) <= MANY_ROWS else own[:SHOWN_ROWS]
    origins = _details(shown)
    margins = list(Rule.from_json(rule).other_margins())
    differ = {name for row in shown for name, verdict in row["sensitivity"].items() if verdict != row["verdict"]}
    measured = any(row["verdict"] != NOT_RUN for row in shown)
    return (
        rule
        | {
            "expected": expected(rule["side"], rule["margin"], rule["unit"]),
            # a column only where a verdict hangs on the margin; else one sentence for all rows
            "other_margins": [name for name in margins if name in differ],
            "same_at": [name.replace("margin ", "a margin ") for name in margins if name not in differ and measured],
            "rows": _reasons_once(shown),
            "measured": len(own),
            "unshown": _unshown([row for row in own[len(shown) :] if row["in_scope"]], "model"),
            "unshown_illustrations": [row["model"] for row in own[len(shown) :] if not row["in_scope"]],
            "tally": _tally(row["verdict"] for row in own if row["in_scope"]),
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
    """Rows one under the other that have the same reason tell it once, beneath the last of them."""
    told: list[dict] = []
    for _, run in itertools.groupby(rows, key=lambda row: (row["why"], text.flat(row["paper"]))):
        *others, last = run
        told += [row | {"why": "", "paper": None} for row in others]
        told.append(last | {"why": f"these {len(others) + 1}: {last['why']}"} if others and last["why"] else last)
    return told


def _unshown(entries: list[dict], name: str) -> list[tuple[str, list[str]]]:
    """What a long table leaves out: verdict -> names, worst first."""
    return [
        (verdict, names)
        for verdict in WORST_FIRST
        if (names := [entry[name] for entry in entries if entry["verdict"] == verdict])
    ]


def _details(rows: list[dict]) -> list[dict]:
    """Where each row comes from; rows that share everything but the model are told once."""
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


def _plots(rows: list[dict], before: int) -> list[dict]:
    """The series of a claim's rows, each once; `before` figures stand on the page already."""
    plots: dict[str, dict] = {}
    for row in rows:
        for name, spec in row["series"].items():
            plot = plots.setdefault(
                json.dumps(spec, sort_keys=True), {"name": name, "spec": spec, "models": [], "paper": []}
            )
            if row["model"] not in plot["models"]:
                plot["models"].append(row["model"])
            said = spec["paper"] if "paper" in spec else row["paper"]  # null: the paper has no such figure
            if isinstance(said, str) and said not in plot["paper"]:
                plot["paper"].append(said)
    for index, plot in enumerate(plots.values(), start=before):
        spec = plot["spec"]
        plot |= {"id": f"figure-{index + 1}", "kind": spec.get("kind"), "title": spec.get("title") or plot["name"]}
        plot |= {"caption": spec.get("caption") or "", "prefix": f"f{index + 1}", "told": None}
        plot["wide"] = plot["kind"] == "table" and len(spec["columns"]) >= WIDE_TABLE
        plot["wordy"] = plot["kind"] == "table" and any(
            isinstance(cell, str) and len(cell) > LONG_CELL for cells in spec["rows"] for cell in cells
        )
    return list(plots.values())


def _draw(plots: list[dict]) -> None:
    """Draws all figures of the page; one that cannot be drawn, or for which no room is left, says why in its place."""
    drawn = [plot for plot in plots if plot["kind"] != "table"]
    collects = gc.isenabled()
    gc.disable()  # a run's results are a million objects, looked through again for every few drawings: a tenth of the time
    try:
        for plot in drawn:
            plot |= _drawing(plot, compact=False)
    finally:
        if collects:
            gc.enable()
    if sum(map(_size, drawn)) > DRAWN:
        for plot in drawn:
            if plot["kind"] != "lines":
                plot |= _drawing(plot, compact=True)
    taken = 0
    for plot in drawn:
        taken += _size(plot)
        if taken > DRAWN:
            plot |= _not_drawn("the figures before it fill the page; its numbers stand in results.json")


def _drawing(plot: dict, compact: bool) -> dict:
    spec = plot["spec"]
    try:
        return {
            "svg": figures.draw(spec | {"title": plot["title"]}, plot["prefix"], compact),
            "legend": figures.legend(spec),
            "notes": figures.notes(spec, compact),
            "failed": "",
            "told": None if compact else heat_maps.told(spec),
        }
    except (KeyError, TypeError, ValueError, IndexError, ArithmeticError) as error:
        return _not_drawn(error)


def _not_drawn(why: object) -> dict:
    return {"svg": "", "legend": [], "notes": [], "told": None, "failed": f"This figure could not be drawn: {why}"}


def _size(plot: dict) -> int:
    """Characters a drawing takes on the page, the table of its numbers included."""
    cells = sum(map(len, plot["spec"]["values"])) if plot["told"] else 0
    return len(plot["svg"]) + 30 * cells


def _by_model(plots: list[dict], in_scope: dict[str, bool]) -> list[dict]:
    """A claim's figures by the models they show, illustrations last, the first of them open; one group without a title if
    they are few. in_scope: model -> whether the claim is about it."""
    groups: dict[tuple[str, ...], list[dict]] = {}
    for plot in plots:
        groups.setdefault(tuple(plot["models"]), []).append(plot)
    if len(plots) <= FEW_PLOTS or len(groups) == 1:
        return [{"models": [], "plots": plots, "open": True}] if plots else []
    found, shown = [], 0
    for models, own in sorted(groups.items(), key=lambda group: not any(in_scope.get(one, True) for one in group[0])):
        found.append({"models": models, "plots": own, "open": shown < FEW_PLOTS})
        shown += len(own)
    return found


def _files(files: list[dict]) -> list[dict]:
    """Data files with their links: relative and percent-escaped; a name that leaves the folder gets none."""
    return [file | {"href": quote(file["name"]) if is_relative(file["name"]) else ""} for file in files]


# What did not run


def _not_run(claims: list[dict], results: dict) -> dict:
    """Ways not to have run: not asked for at all, not selected, selected in part, or a row could not be measured."""
    views = {claim["id"]: claim for claim in claims}
    return {
        "unasked": [claim for claim in results["run"]["manifest"] if claim not in views],
        "claims": [claim for claim in claims if not claim["selected"]],
        "partly": [claim for claim in claims if claim["selected"] and not claim["complete"]],
        "rows": [
            entry | {"what": [(views[claim], models) for claim, models in entry["what"].items()]}
            for entry in differences.not_run(results)
        ],
    }


def _speed() -> dict | None:
    """The recorded benchmarks, their growth curves drawn as one figure; None where nothing is recorded."""
    shown = speed.load()
    if shown is None:
        return None
    if shown["growth"] is None:
        return shown | {"plot": None}
    plot = {
        "spec": shown["growth"],
        "id": "speed-growth",
        "prefix": "sg",
        "title": shown["growth"]["title"],
        "kind": "lines",
    }
    return shown | {
        "plot": plot | {"caption": "", "paper": [], "wordy": False, "wide": False} | _drawing(plot, compact=False)
    }


def _legend_rows() -> list[tuple[Markup, str, str]]:
    """Three invented effects that show how a strip is read."""
    base = {"side": "below", "margin": 1.0, "unit": "", "paper": None}
    examples = [
        ("supported", 0.5, [0.3, 0.7], "the whole interval lies on the claimed (shaded) side of the margin"),
        ("contradicted", 1.5, [1.3, 1.7], "the whole interval lies on the other side"),
        ("inconclusive", 0.9, [0.6, 1.2], "the margin lies inside the interval: the data leave both open"),
    ]
    rows = [base | {"verdict": verdict, "estimate": at, "ci": ci} for verdict, at, ci, _ in examples]
    scale = strips.Scale.of(rows)
    return [(strips.strip(row, scale), row["verdict"], means) for row, (*_, means) in zip(rows, examples, strict=True)]
