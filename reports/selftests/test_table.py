"""The tables of answer and verdicts are the recorded baseline's, in-scope verdicts first, and a stale one is noticed."""

from __future__ import annotations

import dataclasses
import json

import pytest

from fixtures.verdict.claim import PRETRAINED, TRAINED_HERE, Claim, Rule
from fixtures.verdict.evidence import final_verdicts, in_scope, make_row
from fixtures.verdict.gate import Baseline, ClaimResult, record
from fixtures.verdict.statistics import Measured
from reports import answer, table
from reports.__main__ import main

BEGIN, END = table.markers(table.VERDICTS)

CLAIM = Claim(
    id="C05",
    title="Rows | rise",
    source="nowhere",
    statement="rows rise",
    contradicted_if="they fall",
    unit_of_analysis="head",
    rules=(
        Rule("ends", "mean |q| of the last quarter over the first", "above", 0.1, "of the mean", "planted"),
        Rule("order", "rank correlation", "above", 0.3, "", "planted"),
    ),
    scope=(PRETRAINED,),
)


def row(model, rule="ends", low=0.5, high=0.7):
    measured = Measured((low + high) / 2, (low, high), 9, "planted", 0.01)
    return make_row(CLAIM, CLAIM.rule(rule), measured, model=model)


def recorded(tmp_path, *rows) -> dict:
    """`claims` of a baseline that a run with these rows records."""
    path = tmp_path / "baseline.json"
    said = final_verdicts(rows, complete=True, errors=False)
    result = ClaimResult(CLAIM.id, CLAIM.digest, said, list(rows), True, in_scope=in_scope(rows))
    record([result], path, "default")
    return Baseline.read(path).claims


def body(claims: dict, claim: Claim = CLAIM) -> list[str]:
    return table.lines(claims, {claim.id: claim})[2:]


def test_a_verdict_is_told_by_the_number_that_decided_with_its_interval(tmp_path):
    claims = recorded(tmp_path, row("a/model"), row("a/model", "order", 0.4, 0.6))
    assert body(claims) == [
        "| C05 | `a/model` (pretrained) | supported | mean \\|q\\| of the last quarter over the first: 0.6 of the mean "
        "(90% CI 0.5 to 0.7; claimed: at least 0.1); 1 more rule holds |"
    ]


def test_the_rule_that_fails_is_the_one_that_is_told(tmp_path):
    claims = recorded(tmp_path, row("a/model"), row("a/model", "order", -0.6, -0.4))
    assert body(claims) == [
        "| C05 | `a/model` (pretrained) | **contradicted** | rank correlation: −0.5 (90% CI −0.6 to "
        "−0.4; claimed: at least 0.3); 1 of its 2 rules holds |"
    ]


def test_several_models_of_one_verdict_are_told_by_their_range(tmp_path):
    claims = recorded(tmp_path, *(row(f"m{n}", low=0.2 + 0.1 * n, high=0.4 + 0.1 * n) for n in range(3)))
    (line,) = body(claims)
    assert "`m0`, `m1`, `m2` (pretrained) | supported" in line
    assert "0.3 to 0.5 of the mean (90% CIs from 0.2 to 0.6; claimed: at least 0.1)" in line


def test_a_model_without_a_number_is_told_apart_from_those_that_have_one(tmp_path):
    """It shared the number of the others, as if it were its own."""
    open_ = {"low": 0.0, "high": 0.4}
    claims = recorded(tmp_path, *(row(name, **open_) for name in ("m0", "m1", "m2")))
    (held,) = claims["C05"]["models"]["m1"]["rows"].values()
    held |= {"estimate": None, "ci": None, "reason": "no weight is admissible"}
    (line,) = body(claims)
    assert (
        "0.2 of the mean (90% CIs from 0 to 0.4; claimed: at least 0.1), in m0, m2; no weight is admissible, in m1"
        in line
    )


def test_many_models_are_counted(tmp_path):
    claims = recorded(tmp_path, *(row(f"hub/m{n}") for n in range(table.FEW + 1)))
    assert body(claims)[0].startswith(f"| C05 | {table.FEW + 1} of `hub/*` (pretrained) | supported |")


def test_illustrations_share_one_line_after_the_verdicts(tmp_path):
    toys = [row("embedded/a"), row("embedded/b", low=-0.5, high=-0.3)]
    lines = body(recorded(tmp_path, *toys, row("a/model", low=-0.5, high=-0.3)))
    assert [line.split(" | ")[2] for line in lines] == ["**contradicted**", "–"]
    assert lines[1] == (
        "| C05 | illustrations | – | holds in `embedded/a` (trained here); does not hold in `embedded/b` (trained here) |"
    )
    (first, _) = body(recorded(tmp_path / "again", *toys))
    assert first == "| C05 | – | not measured | no model that the claim is about is recorded |"


def test_a_baseline_from_before_scopes_is_read_by_tier(tmp_path):
    claims = recorded(tmp_path, row("embedded/a"), row("a/model"))
    for held in claims["C05"]["models"].values():
        del held["in_scope"]
        for kept in held["rows"].values():
            kept.pop("ci", None)
    lines = body(claims)
    assert "0.6 of the mean (claimed: at least 0.1)" in lines[0]
    assert "illustrations" in lines[1]
    wider = dataclasses.replace(CLAIM, scope=(PRETRAINED, TRAINED_HERE))
    assert "`a/model` (pretrained), `embedded/a` (trained here)" in body(claims, wider)[0]


def test_a_claim_that_is_not_recorded_and_a_rule_that_is_gone_break_nothing(tmp_path):
    assert body({}) == ["| C05 | – | not recorded | Rows \\| rise |"]
    claims = recorded(tmp_path, row("a/model"))
    renamed = dataclasses.replace(CLAIM, rules=(dataclasses.replace(CLAIM.rules[0], name="other"),))
    assert body(claims, renamed) == ["| C05 | `a/model` (pretrained) | supported |  |"]


def test_every_claim_of_the_suite_has_its_place(pytestconfig):
    text = table.blocks()[table.VERDICTS]
    for claim in pytestconfig.getini("claim_ids"):
        assert f"\n| {claim} |" in text


def page(tmp_path, text: str):
    path = tmp_path / "page.md"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_command_rewrites_what_stands_between_the_markers_and_nothing_else(tmp_path, capsys):
    (begin, end), new = table.markers(table.VERDICTS), table.blocks()
    path = page(tmp_path, f"before\n{begin}\nold\n{end}\nafter\n")
    assert table.replaced(path.read_text(encoding="utf-8"), new) != path.read_text(encoding="utf-8")  # stale
    assert main(["table", "--write", "--file", str(path)]) == 0
    written = path.read_text(encoding="utf-8")
    assert written == f"before\n{new[table.VERDICTS]}\nafter\n"
    assert table.replaced(written, new) == written  # and no longer
    assert main(["table", "--write", "--file", str(path)]) == 0
    assert capsys.readouterr().out.splitlines() == [f"{path}: written", f"{path}: as it was"]
    assert main(["table"]) == 0
    assert capsys.readouterr().out == f"{new[table.ANSWER]}\n\n{new[table.VERDICTS]}\n"


def test_a_page_with_both_tables_gets_both_and_without_a_file_each_page_gets_its_own(tmp_path, capsys, monkeypatch):
    new = table.blocks()
    both = page(tmp_path, "\n\n".join("\n".join(table.markers(name)) for name in new))
    assert table.write(both, new) and both.read_text(encoding="utf-8") == "\n\n".join(new.values())
    pages = {name: tmp_path / f"{name}.md" for name in new}
    for name, path in pages.items():
        path.write_text("\n".join(table.markers(name)), encoding="utf-8")
    monkeypatch.setattr(table, "FILES", pages)
    assert main(["table", "--write"]) == 0
    assert {name: path.read_text(encoding="utf-8") for name, path in pages.items()} == new
    assert capsys.readouterr().out.splitlines() == [f"{path}: written" for path in pages.values()]


def answers(claims: dict, stated: dict[str, Claim]) -> dict[str, list[str]]:
    """Place where the question is asked -> answer, claims, what it was decided on."""
    cells = [line.strip("| ").split(" | ") for line in table.answer_lines(claims, stated)[2:]]
    return {where: rest for where, *rest in cells}


def test_the_answer_counts_the_models_that_a_claim_is_about_and_names_the_real_ones(tmp_path):
    low = {"low": -0.5, "high": -0.3}
    stated = {claim: dataclasses.replace(CLAIM, id=claim) for claim in ("C05", "C06", "C07")}
    held = recorded(tmp_path / "0", row("m0"), row("embedded/a", **low))["C05"]
    failed = recorded(tmp_path / "1", row("m0", **low), row("embedded/a"))["C05"]
    told = answers({"C05": held, "C06": failed}, stated)["in pretrained language models"]
    assert told == ["in part", "C05 holds; C06 fails; C07 not measured", "`m0`"]
    only = {"C06": stated["C06"]}
    assert answers({"C06": failed}, only)["in pretrained language models"] == ["no", "C06 fails", "`m0`"]
    many = recorded(tmp_path / "2", *(row(f"m{n}") for n in range(table.MODELS_NAMED + 1)))["C05"]
    assert answers({"C06": many}, only)["in pretrained language models"] == ["yes", "C06 holds", "4 pretrained models"]
    toys = recorded(tmp_path / "3", row("embedded/a"))["C05"]
    assert answers({"C06": toys}, only)["in pretrained language models"] == ["not measured", "C06 not measured", "–"]
    assert list(answers({}, stated)) == [where for where, _ in answer.AREAS]


@pytest.mark.parametrize("text", ["no markers", f"{END}\n{BEGIN}", f"{BEGIN}", f"{BEGIN}{END}" * 2])
def test_a_file_without_a_place_for_the_table_is_refused_in_one_line(tmp_path, capsys, text):
    path = page(tmp_path, text)
    assert main(["table", "--write", "--file", str(path)]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and str(path) in err and "does not hold the lines" in err
    assert path.read_text(encoding="utf-8") == text


def test_a_file_or_baseline_that_cannot_be_read_is_one_line(tmp_path, capsys):
    (tmp_path / "torn.json").write_text(json.dumps({"schema_version": 1}))
    for arguments in (
        ["--write", "--file", str(tmp_path / "none.md")],
        ["--baseline", str(tmp_path / "none.json")],
        ["--baseline", str(tmp_path / "torn.json")],
    ):
        assert main(["table", *arguments]) == 1
        err = capsys.readouterr().err
        assert err.count("\n") == 1 and str(tmp_path) in err
