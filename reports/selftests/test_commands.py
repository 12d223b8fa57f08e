"""`python -m reports`: exit codes 0, 1 and 2, and every complaint is one line."""

from __future__ import annotations

import json

import pytest

from reports.__main__ import main
from reports.selftests.sample import document


@pytest.fixture
def results(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document()), encoding="utf-8")
    return path


def test_check_says_what_it_checked(results, capsys):
    assert main(["check", str(results)]) == 0
    out, err = capsys.readouterr()
    assert out.count("\n") == 1
    assert "7 claims" in out
    assert not err


def test_render_writes_beside_the_file_or_where_it_is_told(results, tmp_path, capsys):
    assert main(["render", str(results)]) == 0
    elsewhere = tmp_path / "new" / "page.html"
    assert main(["render", str(results), "-o", str(elsewhere)]) == 0
    assert capsys.readouterr().out.split() == [str(tmp_path / "report.html"), str(elsewhere)]
    assert elsewhere.read_bytes() == (tmp_path / "report.html").read_bytes()
    assert elsewhere.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("command", ["check", "render"])
def test_a_bad_file_is_one_line_and_exit_code_1(command, results, capsys):
    results.write_text(
        results.read_text(encoding="utf-8").replace('"contradicted"', '"supported"', 1), encoding="utf-8"
    )
    assert main([command, str(results)]) == 1
    out, err = capsys.readouterr()
    assert not out
    assert err.count("\n") == 1
    assert str(results) in err
    assert not results.with_name("report.html").exists()


def test_an_output_that_cannot_be_written_is_one_line_and_exit_code_1(results, capsys):
    assert main(["render", str(results), "-o", str(results / "page.html")]) == 1
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "cannot be written" in err


@pytest.mark.parametrize("arguments", [[], ["check"], ["prove", "x"], ["check", "x", "y"], ["render", "--size", "x"]])
def test_wrong_usage_is_one_line_and_exit_code_2(arguments, capsys):
    with pytest.raises(SystemExit) as left:
        main(arguments)
    assert left.value.code == 2
    assert capsys.readouterr().err.count("\n") == 1
