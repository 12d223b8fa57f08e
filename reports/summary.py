"""The run as a GitHub job summary: Markdown, changed verdicts first, under the megabyte that GitHub shows.

Everything that a model, a data set or a path wrote is text and stays text: what Markdown or HTML would read as markup
is written as character references, which make no structure (CommonMark 0.31, section 2.5).
"""

from __future__ import annotations

import re

from fixtures.plain.text import duration, in_print, one_line
from fixtures.verdict.claim import CONTRADICTED, HOLDS, INCONCLUSIVE, NOT_RUN, SUPPORTED, worded
from fixtures.verdict.evidence import too_weak
from fixtures.verdict.tiers import tier_of

from . import answer
from .findings import TIER_WORDS

MOST_BYTES = 1_000_000
"""GitHub drops a summary above 1 MiB."""
MOST_ROWS = 400
MARKS = {SUPPORTED: "✅", CONTRADICTED: "❌", INCONCLUSIVE: "❔", NOT_RUN: "⏸"}
EXITS = {
    0: "passes",
    1: "does not pass",
    2: "was interrupted",
    3: "ended in an internal error",
    4: "was refused",
    5: "selected nothing",
    6: "had more warnings than it may",
}
_MARKUP = re.compile(r"[\\`*\[\]<>#|~&@$]|(?<!\w)_|_(?!\w)|:(?=//)|(?<=[wW]{3})\.|^[-+=]|^\d{1,9}[.)]")
"""Characters that can begin markup, a mention, a reference or a link, or a list at the beginning of a text."""


def escaped(value: object, limit: int = 400) -> str:
    """`value` as one line of Markdown that reads as `value` and does nothing else."""
    text = in_print(one_line(str(value), limit).strip())
    return _MARKUP.sub(lambda match: "".join(f"&#{ord(char)};" for char in match.group()), text)


def markdown(results: dict) -> str:
    """The summary of a results document, with a line feed at its end; at most MOST_BYTES as UTF-8."""
    rows = sorted(_rows(results), key=lambda row: row.rank)
    shown = min(len(rows), MOST_ROWS)
    while True:
        text = _page(results, rows, shown)
        if len(text.encode()) <= MOST_BYTES or not shown:
            return text
        shown //= 2


class _Row:
    """One verdict: of a claim, for a model, beside the recorded one."""

    def __init__(self, claim: dict, model: str, verdict: str, evidence: list[dict]):
        held = claim["baseline"]
        self.claim, self.model, self.verdict = claim, model, verdict
        self.recorded = None if held is None else held.get(model)
        self.changed = self.recorded is not None and self.recorded != verdict
        self.new = self.recorded is None and held is not None and verdict != NOT_RUN
        self.because = _because(model, verdict, evidence)
        self.in_scope = claim["in_scope"].get(model, tier_of(model) in claim["scope"])

    @property
    def rank(self) -> tuple:
        order = (CONTRADICTED, INCONCLUSIVE, SUPPORTED, NOT_RUN)
        return (
            not self.changed,
            not self.new,
            not self.in_scope,
            order.index(self.verdict),
            self.claim["id"],
            self.model,
        )

    def cells(self) -> list[str]:
        news = "**changed**" if self.changed else "new" if self.new else ""
        verdict = self._said(self.verdict)
        return [
            news,
            f"{self.claim['id']} {escaped(self.claim['title'])}",
            f"<code>{escaped(self.model, 120)}</code> ({TIER_WORDS[tier_of(self.model)]})",
            f"**{verdict}**" if self.changed else verdict,
            worded(self.in_scope)[self.recorded] if self.recorded else "–",
            escaped(self.because),
        ]

    def _said(self, verdict: str) -> str:
        """Illustrations read otherwise and have no mark: they are neither for the claim nor against it."""
        if self.in_scope:
            return f"{MARKS[verdict]} {verdict}"
        return f"illustration: {HOLDS[verdict]}"


def _rows(results: dict) -> list[_Row]:
    own: dict[str, list[dict]] = {}
    for row in results["evidence"]:
        own.setdefault(row["claim"], []).append(row)
    rows = []
    for claim in results["claims"]:
        said = dict(claim["verdicts"])
        if claim["selected"]:  # what was recorded and is not there any more is a change, too
            said |= {model: NOT_RUN for model in claim["baseline"] or {} if model not in said and claim["complete"]}
        rows += [_Row(claim, model, verdict, own.get(claim["id"], [])) for model, verdict in said.items()]
    return rows


def _because(model: str, verdict: str, evidence: list[dict]) -> str:
    """The sentence that a verdict rests on: a failed control's, or that of the first decisive row which says the same."""
    decisive = [row for row in evidence if row["decisive"]]
    if verdict != SUPPORTED:
        for row in decisive:
            if row["control_ok"] is False and (row["guards"] is None or model in row["guards"]):
                return row["sentence"]
    for row in decisive:
        if row["role"] == "claim" and row["model"] == model:
            weak = too_weak(row["verdict"], row["p_against_adjusted"], row["alpha"])
            if (INCONCLUSIVE if weak else row["verdict"]) == verdict:
                return f"{row['sentence']}; {weak}" if weak else row["sentence"]
    return ""


def _page(results: dict, rows: list[_Row], shown: int) -> str:
    run = results["run"]
    counts = [f"{sum(row.in_scope and row.verdict == verdict for row in rows)} {verdict}" for verdict in MARKS]
    illustrations = sum(not row.in_scope for row in rows)
    counts += [f"{illustrations} illustration{'s' if illustrations != 1 else ''}"] if illustrations else []
    changed = sum(row.changed for row in rows)
    facts = [
        f"{len(results['claims'])} claims",
        ", ".join(counts),
        f"{changed} changed from the baseline {escaped(run['options']['baseline'])}",
        f"{run['options']['scale']} scale",
        duration(run["duration_s"]),
    ]
    if run["commit"]:
        facts.append(f"commit <code>{escaped(run['commit'], 60)}</code>")
    lines = [f"## The claims: this run {EXITS.get(run['exit'], 'did not end as it should')} (exit {run['exit']})", ""]
    lines += [" · ".join(facts), "", escaped(answer.headline(results), 2000), ""]
    broken = [error for claim in results["claims"] for error in claim["errors"]]
    reasons = [*run["problems"], *(f"{error['nodeid']}: {error['message']}" for error in broken)]
    if reasons:
        lines += ["### Why it does not pass", ""]
        lines += [f"- {escaped(reason, 600)}" for reason in reasons[:MOST_ROWS]]
        lines += [f"- and {len(reasons) - MOST_ROWS} more"] if len(reasons) > MOST_ROWS else []
        lines += [""]
    if rows:
        lines += ["### Verdicts", "", "| | claim | model | verdict | recorded | because |", "|---|---|---|---|---|---|"]
        lines += [f"| {' | '.join(row.cells())} |" for row in rows[:shown]]
        lines += ["", f"{len(rows) - shown} more verdicts stand in report.html."] if len(rows) > shown else []
        lines += [""]
    return "\n".join(lines)
