"""`python -m reports diff A B`: what differs between two runs, as text and as a page, and nothing where nothing does."""

from __future__ import annotations

import copy
import json

import pytest

from reports import diff
from reports.__main__ import main
from reports.selftests.sample import document


@pytest.fixture
def runs() -> tuple[dict, dict]:
    first = document()
    return first, copy.deepcopy(first)


def selected(results: dict) -> list[dict]:
    return [claim for claim in results["claims"] if claim["selected"]]


def with_numbers(results: dict) -> list[dict]:
    """Rows that have an interval, of claims that were selected."""
    claims = {claim["id"] for claim in selected(results)}
    return [row for row in results["evidence"] if row["ci"] and row["claim"] in claims]


def test_a_run_does_not_differ_from_itself(runs):
    found = diff.compared(*runs)
    assert not (found.reworded or found.verdicts or found.estimates or any(found.only)) and found.compared
    assert found.lines == [
        "VERDICTS: 0 differ",
        f"ESTIMATES: 0 of {found.compared} differ",
    ]


def test_verdicts_that_changed_came_or_went_are_told_those_in_scope_first(runs):
    first, second = runs
    claim = next(
        c for c in selected(second) if sum(c["in_scope"].values()) > 1 and "supported" in c["verdicts"].values()
    )
    about = [model for model, inside in claim["in_scope"].items() if inside]
    changed, gone = [model for model in about if claim["verdicts"][model] != "not-run"][:2]
    before = dict(claim["verdicts"])
    claim["verdicts"][changed] = "contradicted" if before[changed] == "supported" else "supported"
    del claim["verdicts"][gone], claim["in_scope"][gone]
    claim["verdicts"]["toy"], claim["in_scope"]["toy"] = "supported", False
    found = diff.compared(first, second)
    told = {one.model: one.line for one in found.verdicts}
    assert told == {
        changed: f"{claim['id']} {changed}: {before[changed]} -> {claim['verdicts'][changed]}",
        gone: f"{claim['id']} {gone}: {before[gone]} -> none",
        "toy": f"{claim['id']} (illustration) toy: none -> holds",
    }
    assert not found.verdicts[-1].in_scope


def test_estimates_that_moved_are_told_those_beyond_both_intervals_first(runs):
    first, second = runs
    little, far, unseen = with_numbers(second)[:3]
    low, high = little["ci"]
    little["estimate"] += (high - low) / 4 or 0.01 * abs(little["estimate"]) or 0.01
    width = far["ci"][1] - far["ci"][0] + 1
    far["estimate"], far["ci"] = far["estimate"] + 2 * width, [end + 2 * width for end in far["ci"]]
    unseen["estimate"] *= 1 + 1e-9  # the same in print
    found = diff.compared(first, second)
    assert [(one.rule, one.model, one.apart) for one in found.estimates] == [
        (far["rule"], far["model"], True),
        (little["rule"], little["model"], False),
    ]
    assert found.estimates[0].line.endswith("intervals apart")
    assert not found.estimates[1].line.endswith("apart")


def test_claims_of_one_run_alone_and_other_wordings_are_told(runs):
    first, second = runs
    gone, reworded = selected(second)[:2]
    gone["selected"] = False
    reworded["digest"] = "0" * 64
    found = diff.compared(first, second)
    assert (found.only, found.reworded) == (([gone["id"]], []), [reworded["id"]])
    assert diff.compared(second, first).only == ([], [gone["id"]])


def test_the_command_prints_the_lines_and_writes_a_page_that_escapes_what_others_wrote(tmp_path, capsys, runs):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(runs[0]), encoding="utf-8")
    page = tmp_path / "diff.html"
    assert main(["diff", str(path), str(path), "-o", str(page)]) == 0
    assert capsys.readouterr().out.splitlines() == [*diff.compared(*runs).lines, str(page)]
    same = page.read_text(encoding="utf-8")
    assert same.startswith("<!DOCTYPE html>") and "Every verdict that both runs have is the same." in same
    assert "<table" not in same  # no head of a table without rows
    hostile = diff.Verdict("C01", "<script>alert(1)</script>", "supported", "contradicted", True)
    text = diff.page(diff.Difference([], ([], []), [hostile], [], 0), *(run for run in runs))
    assert "<script" not in text and "&lt;script&gt;" in text and text.count("<table") == 1


def test_the_page_shows_what_is_typed_as_it_is_typed_and_hidden_characters_as_such(runs):
    runs[0]["run"] |= {"commit": "633046012345", "started": "at\u202e noon"}
    text = diff.page(diff.compared(*runs), runs[0], runs[1])
    assert "commit 633046012345," in text
    assert "\u202e" not in text and "at⟨U+202E⟩ noon" in text


def test_a_bad_file_is_one_line_and_exit_code_1(tmp_path, capsys, runs):
    good, bad = tmp_path / "a.json", tmp_path / "b.json"
    good.write_text(json.dumps(runs[0]), encoding="utf-8")
    bad.write_text("{}", encoding="utf-8")
    assert main(["diff", str(good), str(bad)]) == 1
    out, err = capsys.readouterr()
    assert not out and err.count("\n") == 1 and str(bad) in err


def test_row_by_row_a_run_is_itself(runs, tmp_path, capsys):
    assert diff.rows_apart(*runs) == []
    for name, results in zip("ab", runs, strict=True):
        (tmp_path / name).write_text(json.dumps(results), encoding="utf-8")
    assert main(["diff", str(tmp_path / "a"), str(tmp_path / "b"), "--rows"]) == 0
    count = len(runs[0]["evidence"])
    assert capsys.readouterr().out == f"ROWS: 0 differences between {count} and {count} rows\n"


@pytest.mark.parametrize("field", diff.SAME)
def test_row_by_row_the_last_digit_counts(runs, field):
    first, second = runs
    row = with_numbers(second)[0]
    before = row[field]
    row[field] = {
        "verdict": "inconclusive" if before != "inconclusive" else "supported",
        "estimate": row["estimate"] * (1 + 1e-15) + 1e-300,
        "ci": [row["ci"][0], row["ci"][1] + 1.0],
        "sentence": f"{row['sentence']}.",
    }[field]
    assert diff.rows_apart(first, second) == [
        f"{row['claim']}, {diff.key_of(row)}: {field} {before!r} -> {row[field]!r}"
    ]


def test_row_by_row_a_row_that_came_or_went_is_told(runs):
    first, second = runs
    gone = second["evidence"].pop(0)
    key = f"{gone['claim']}, {diff.key_of(gone)}"
    assert diff.rows_apart(first, second) == [f"{key}: in the first run alone"]
    assert diff.rows_apart(second, first) == [f"{key}: in the second run alone"]
