"""results.json as one HTML page: no network, no scripts needed, the same results give the same bytes.

The page is put together here from the views of its parts (`claim_views`, `plots`, `pictures`, `answer`, `trust`, `speed`);
the template says how it looks. Nothing here computes a statistic: only verdicts and rows are counted.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup, escape

from fixtures.plain import text
from fixtures.verdict.claim import HOLDS, HOLDS_IN
from fixtures.verdict.tiers import PLANTED, tier_of

from . import answer, differences, findings, pictures, speed, strips, trust
from .check import is_relative
from .claim_views import WORDS, WORST_FIRST, claim_views, tally
from .findings import TIER_WORDS
from .plots import LONG_CELL, drawing

HERE = Path(__file__).parent
PAPER = {
    "title": "The Rotary Position Embedding May Cause Dimension Inefficiency in Attention Heads for Long-Distance Retrieval",
    "authors": "Ting-Rui Chiang and Dani Yogatama",
    "venue": "Findings of the Association for Computational Linguistics: ACL 2025, pages 13552–13562",
    "arxiv": "2502.11276",
    "doi": "10.18653/v1/2025.findings-acl.697",
}
GLYPHS = {"supported": "✓", "contradicted": "✗", "inconclusive": "?", "not-run": "–"}
STATUS_GLYPHS = dict(zip(findings.STATUSES, "✓◐✗?–", strict=True))
FEW_ROWS, FEW_FILES = 8, 6
"""Tables of at most so many rows, and lists of at most so many files, are open from the start."""
TOLD_PROVENANCE = 120
"""Characters of a provenance that are shown; all of it stands in results.json."""


def render(results: dict) -> str:
    """The report of one run as a self-contained HTML page; `results` is a results.json that `check.load` accepts."""
    grounds = strips.Grounds()
    claims = claim_views(results, grounds)
    run, not_run = results["run"], _not_run(claims, results)
    found = findings.findings(results)
    script = (HERE / "filter.js").read_text(encoding="utf-8")
    page = environment().get_template("template.html.j2")
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
        style=style(),
        script=Markup(script),
        # only this very script may run: not even a mistake in escaping could start another
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
        legend_rows=_legend_rows(),
        trust=trust.page(claims, run["manifest"], trust.recorded()),
        speed=None if differences.rope_alone(run) else _speed(),
        files=_files(run.get("files", [])),
    )


def style() -> Markup:
    """The style sheet of every page."""
    return Markup((HERE / "style.css").read_text(encoding="utf-8"))


@functools.cache
def environment():
    """Templates with the filters and names that they share: those of the report, and of the page that compares two runs."""
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
        "moment": text.moment,
        "unstopped": lambda sentence: sentence.rstrip(" ."),
    }
    environment.globals |= {"glyphs": GLYPHS, "words": WORDS, "verdict_order": WORST_FIRST, "few_rows": FEW_ROWS}
    environment.globals |= {"few_files": FEW_FILES, "long_cell": LONG_CELL}
    environment.globals |= {"illustrated": HOLDS, "holds_in": HOLDS_IN, "status_glyphs": STATUS_GLYPHS}
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
        (
            "Tests",
            ", ".join(
                f"{text.number(counts[name])} {name}" for name in _COUNTS if counts[name] or name in _ALWAYS_TOLD
            ),
        ),
    ]


def _commit(commit: str | None) -> str:
    """A commit by the first twelve digits of its hash; all of them stand in results.json."""
    if commit is None:
        return "not from a git checkout"
    found = re.fullmatch(r"([0-9a-f]{12})[0-9a-f]{28}(-dirty)?", commit)
    return f"{found[1]}{', with uncommitted changes' if found[2] else ''}" if found else commit


_COUNTS = ("selected", "passed", "failed", "skipped", "deselected", "lost")
_ALWAYS_TOLD = ("selected", "passed", "lost")


# What holds


def _found(found: list[findings.Finding], manifest: list[str], part: str) -> list[dict]:
    """A line for each claim of a part of the board, also for claims of the suite that the run did not collect."""
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
            parts.append({"title": title, "anchor": f"board-{first.lower()}", "claims": own, "tally": tally(verdicts)})
    return parts


def _pictures(results: dict) -> list[dict]:
    """One for each model under test, pretrained ones first."""
    known, kept = findings.titles(results["evidence"]), findings.kept(results["evidence"])
    return [
        pictures.view(one, known.get(one["model"], one["model"]), TIER_WORDS[tier_of(one["model"])])
        | {"kept": kept.get(one["model"], "")}
        for one in results["run"].get("pictures", ())
    ]


def _files(files: list[dict]) -> list[dict]:
    """Data files with their links: relative and percent-escaped; a name that leaves the folder gets none."""
    return [file | {"href": quote(file["name"]) if is_relative(file["name"]) else ""} for file in files]


# What did not run


def _not_run(claims: list[dict], results: dict) -> dict:
    """What did not run, by the way in which it did not: not collected, not selected, selected in part, a row not measured."""
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
        "plot": plot | {"caption": "", "paper": [], "wordy": False, "wide": False} | drawing(plot, compact=False)
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
