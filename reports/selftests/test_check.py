"""results.json: what a run writes passes, and whatever was changed, lost or badly written afterwards does not."""

from __future__ import annotations

import copy
import dataclasses
import json
import random

import jsonschema
import pytest

from fixtures.verdict.claim import Claim, Prior, Rule
from fixtures.verdict.evidence import Row, final_verdicts, make_row
from fixtures.verdict.statistics import Measured
from reports import check
from reports.__main__ import main
from reports.selftests.documents import sealed
from reports.selftests.hostile import hostile_document
from reports.selftests.sample import document
from reports.selftests.sample_models import language_models

SAMPLE = document()


def _row(results: dict, **wanted) -> dict:
    """The first evidence row with these fields."""
    return next(row for row in results["evidence"] if all(row[name] == value for name, value in wanted.items()))


def _claim(results: dict, claim: str) -> dict:
    return next(entry for entry in results["claims"] if entry["id"] == claim)


def test_a_run_s_document_passes_and_comes_back_as_it_was(tmp_path):
    path = tmp_path / "results.json"
    path.write_text(json.dumps(SAMPLE), encoding="utf-8")
    assert check.load(path) == SAMPLE


def test_text_of_any_kind_passes(tmp_path):
    results = hostile_document("<b>$x_1^2$\x00\x1b[31m\u202e\ud800 מודל")
    path = tmp_path / "results.json"
    path.write_text(json.dumps(results), encoding="utf-8")
    assert check.load(path) == json.loads(json.dumps(results))


def test_a_run_without_claims_passes():
    results = copy.deepcopy(SAMPLE)
    results["claims"], results["evidence"] = [], []
    check.verify(sealed(results))


def test_a_note_beside_an_undecided_interval_is_no_reason_to_hold_a_verdict_back():
    """The interval holds the margin and lies inside its double: the note changes neither."""
    results = copy.deepcopy(SAMPLE)
    row = _row(results, role="claim", verdict="supported", side="below")
    claim = next(c for c in SAMPLE["claims"] if c["id"] == row["claim"])
    stated = Claim.from_json(claim)
    rule = stated.rule(row["rule"])
    m = rule.margin
    measured = Measured(m, (m - 0.5 * abs(m), m + 0.5 * abs(m)), 120, "one-sided t, 90% interval", 0.5)
    made = make_row(stated, rule, measured, model=row["model"], note="10 of 12 heads are retrieval heads")
    assert (made.verdict, made.sensitivity["twice the margin"]) == ("inconclusive", "supported")
    check._verify_row(made, stated, "here")
    with pytest.raises(check.ResultsError, match="sensitivity"):
        check._verify_row(
            dataclasses.replace(made, reason="", sensitivity=made.sensitivity | {"twice the margin": "inconclusive"}),
            stated,
            "here",
        )


# What is in the file is not JSON as a run writes it


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "not JSON"),
        (b'{"schema_version": 1', "not JSON"),
        (b'{"schema_version": NaN}', "it holds NaN"),
        (b'{"schema_version": -Infinity}', "it holds -Infinity"),
        (b'{"schema_version": 1e999}', "too large"),
        (b'{"schema_version": 1' + b"0" * 400 + b"}", "too large"),
        (b'{"run": 1, "run": 2}', "'run' stands twice"),
        (b"[" * 100_000, "not JSON"),
        (b"\xff\xfe", "cannot be read (not UTF-8 text)"),
        (b"[]", "the document: is []; allowed: object"),
        (b"{}", "the document: lacks the field 'schema_version'"),
    ],
    ids=["empty", "cut off", "nan", "infinity", "overflow", "huge integer", "twice", "deep", "binary", "list", "bare"],
)
def test_a_file_that_is_no_results_is_refused_in_one_line(tmp_path, content, says):
    path = tmp_path / "results.json"
    path.write_bytes(content)
    with pytest.raises(check.ResultsError) as refused:
        check.load(path)
    assert says in str(refused.value)
    assert str(path) in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 500


def test_a_file_that_is_not_there_is_refused(tmp_path):
    for path in (tmp_path / "none.json", tmp_path):
        with pytest.raises(check.ResultsError, match="cannot be read"):
            check.load(path)


# The schema: each of these breaks it in one place


def _set(value, *path):
    def change(results):
        part = results
        for step in path[:-1]:
            part = part[step]
        part[path[-1]] = value

    return change


def _drop(*path):
    def change(results):
        part = results
        for step in path[:-1]:
            part = part[step]
        del part[path[-1]]

    return change


def _change_series(**changes):
    def change(results):
        row = next(row for row in results["evidence"] if "weights per pair" in row["series"])
        row["series"]["weights per pair"].update(changes)

    return change


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_set(2, "schema_version"), "schema_version: is 2; allowed: 1"),
        (_set(1, "extra"), "has an unknown field 'extra'; allowed: schema_version, run, claims, evidence"),
        (_drop("run", "digest"), "run: lacks the field 'digest'"),
        (_set("1", "run", "exit"), 'run.exit: is "1"; allowed: integer'),
        (_set(-1, "run", "counts", "lost"), "run.counts.lost: is -1; allowed: minimum 0"),
        (_set("abc", "run", "digest"), "run.digest"),
        (_drop("claims", 0, "rules"), "claims[0]: lacks the field 'rules'"),
        (_set("C1", "claims", 0, "id"), "claims[0].id"),
        (_set("sure", "claims", 2, "prior", "confidence"), '"sure"; allowed: "high", "medium", "low"'),
        (_set("beneath", "claims", 0, "rules", 0, "side"), '"beneath"; allowed: "below", "above", "within"'),
        (_set({"m": "proved"}, "claims", 0, "verdicts"), "claims[0].verdicts.m"),
        (_drop("claims", 0, "scope"), "claims[0]: lacks the field 'scope'"),
        (_set([], "claims", 0, "scope"), "claims[0].scope"),
        (_set(["toy"], "claims", 0, "scope"), '"toy"; allowed: "printed", "pretrained"'),
        (_set("toy", "evidence", 0, "tier"), '"toy"; allowed: "printed", "pretrained"'),
        (_drop("evidence", 0, "sentence"), "evidence[0]: lacks the field 'sentence'"),
        (_set(1, "evidence", 0, "confidence"), "evidence[0]: has an unknown field 'confidence'"),
        (_set([1.0], "evidence", 0, "ci"), "evidence[0].ci"),
        (_set(1.5, "evidence", 0, "p"), "evidence[0].p"),
        (_set("0.4", "evidence", 0, "estimate"), 'evidence[0].estimate: is "0.4"; allowed: number or null'),
        (_change_series(kind="pie"), '"pie"; allowed: "lines", "scatter", "heatmap", "table"'),
        (_change_series(colour="red"), "unknown field 'colour'"),
        (_change_series(lines=[{"label": "both", "values": [], "seeds": [[]]}]), "exactly one of: values, seeds"),
        (_change_series(lines=[{"label": "neither"}]), "exactly one of: values, seeds"),
    ],
)
def test_a_document_of_another_shape_is_refused_with_place_and_remedy(change, says):
    results = copy.deepcopy(SAMPLE)
    change(results)
    with pytest.raises(check.ResultsError) as refused:
        check.verify(results)
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


LATER = {"summary", "to_run", "deviations"}
"""Fields of a row that files of earlier versions lack."""


def test_the_schema_is_one_and_holds_every_field_of_the_apparatus():
    import jsonschema

    schema = json.loads(check.SCHEMA.read_text(encoding="utf-8"))
    jsonschema.Draft202012Validator.check_schema(schema)
    for name, cls in (("row", Row), ("rule", Rule)):
        fields = {field.name for field in dataclasses.fields(cls)}
        required = set(schema["$defs"][name]["required"]) | (LATER if name == "row" else set())
        assert required == set(schema["$defs"][name]["properties"]) == fields
    claim = schema["$defs"]["claim"]
    assert set(claim["required"]) == set(claim["properties"]) > {field.name for field in dataclasses.fields(Claim)}
    assert set(claim["properties"]["prior"]["properties"]) == {field.name for field in dataclasses.fields(Prior)}


# Edits by hand. `sealed` gives the document a digest that fits, so that the digest alone is not what finds them


def _inner(value, path=()):
    """Every place within a document."""
    yield path
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, held in entries:
        yield from _inner(held, (*path, name))


ODD = [
    None,
    True,
    -1,
    0,
    7,
    101,
    0.5,
    -0.5,
    1e9,
    "",
    "supported",
    "kept",
    [],
    [1],
    [None, "x"],
    [-1, 200],
    {},
    {"kind": "lines"},
]


def test_passing_over_what_plainly_fits_finds_the_same_fault():
    """Against jsonschema step by step: one place of a document after another holds something odd, or a field too many."""
    usual = jsonschema.Draft202012Validator(json.loads(check.SCHEMA.read_text(encoding="utf-8")))
    original = SAMPLE
    places = [place for place in _inner(original) if place]
    draw, told = random.Random(0), []
    for place in draw.sample(places, 150):
        changed = copy.deepcopy(original)
        holder = changed
        for name in place[:-1]:
            holder = holder[name]
        if isinstance(holder, dict) and draw.random() < 0.2:
            holder["one more"] = 1
        else:
            holder[place[-1]] = draw.choice(ODD)
        slow = next(usual.iter_errors(changed), None)
        quick = next(check.validator().iter_errors(changed), None)
        assert (slow is None) == (quick is None), place
        if slow is not None:
            told.append(check.told(slow))
            assert check.told(quick) == told[-1]
    assert 30 < len(told) < 150


def _flip_row(results):
    _row(results, claim="C11", verdict="contradicted", role="claim", decisive=True)["verdict"] = "supported"


def _flip_claim(results):
    _claim(results, "C11")["verdicts"]["paper/qwen2.5-7b"] = "supported"


def _forget_contradiction(results):
    """Row and claim agree with each other, not with the interval."""
    _flip_row(results)
    _flip_claim(results)


def _widen_margin(results):
    """The row is decided by a margin that the claim never stated."""
    row = _row(results, rule="sentence d", model="paper/qwen2.5-7b")
    row["margin"], row["verdict"] = 5.0, "supported"


def _widen_margin_everywhere(results):
    _claim(results, "C11")["rules"][3]["margin"] = 5.0
    for row in results["evidence"]:
        if row["rule"] == "sentence d":
            row["margin"] = 5.0


def _make_row_minor(results):
    _row(results, rule="sentence d", model="paper/qwen2.5-7b")["decisive"] = False
    _flip_claim(results)


def _invent_model(results):
    _claim(results, "C03")["verdicts"]["meta-llama/Llama"] = "supported"


def _lose_model(results):
    del _claim(results, "C11")["verdicts"]["paper/qwen2.5-7b"]


def _lose_error(results):
    _claim(results, "C04")["errors"] = []


def _deselect(results):
    _claim(results, "C03")["complete"] = False


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (_flip_row, "verdict is 'supported', the interval [2.56, 2.56], below 0, gives 'contradicted'"),
        (_flip_claim, "verdict for paper/qwen2.5-7b is 'supported', its evidence gives 'contradicted'"),
        (_forget_contradiction, "verdict is 'supported'"),
        (_widen_margin, "margin is 5.0"),
        (_widen_margin_everywhere, "claims (C11): digest is"),
        (_make_row_minor, "decisive is False"),
        (_invent_model, "verdict for meta-llama/Llama is 'supported', its evidence gives 'nothing'"),
        (_lose_model, "verdict for paper/qwen2.5-7b is 'nothing'"),
        (
            _lose_error,
            "claims (C04): verdict for controlled/rope-10000 is 'inconclusive', its evidence gives 'supported'",
        ),
        (_deselect, "claims (C03): verdict for controlled/rope-10000 is 'supported', its evidence gives 'not-run'"),
        (lambda r: _row(r, role="negative-control").update(control_ok=False), "control_ok is False"),
        (lambda r: _row(r, role="claim", control_ok=None).update(control_ok=True), "control_ok is True"),
        (
            lambda r: _row(r, verdict="supported")["sensitivity"].update({"half the margin": "not-run"}),
            "sensitivity is",
        ),
        (lambda r: _row(r, verdict="supported").update(sentence="It is proved."), "sentence is 'It is proved.'"),
        (lambda r: _row(r, verdict="supported").update(ci=[3.0, 1.0]), "is not ordered"),
        (lambda r: _row(r, verdict="supported").update(rule="another"), "has no rule 'another'"),
        (lambda r: _row(r, verdict="supported").update(claim="X09"), "claims has no X09"),
        (lambda r: _row(r, verdict="supported").update(alpha=0.4), "alpha is 0.4"),
        (lambda r: _row(r, verdict="supported").update(estimate=None), "no estimate"),
        (
            lambda r: _row(r, family="trend", model="controlled/rope-10000").update(p_adjusted=0.5),
            "Holm over its family",
        ),
        (lambda r: _row(r, family="trend").update(p_adjusted=None), "Holm over its family"),
        (lambda r: _claim(r, "C03").update(statement="RoPE is free."), "claims (C03): digest is"),
        (lambda r: r["claims"].append(r["claims"][0]), "stands twice"),
        (lambda r: _row(r, tier="printed").update(tier="pretrained"), "tier is 'pretrained'"),
        (lambda r: _row(r, in_scope=True).update(in_scope=False), "in_scope is False"),
        (lambda r: _row(r, in_scope=True).update(illustration="too weak"), "in_scope is True"),
        (
            lambda r: _claim(r, "C11")["tiers"].update({"paper/qwen2.5-7b": "pretrained"}),
            "tiers for paper/qwen2.5-7b is",
        ),
        (lambda r: _claim(r, "C11")["tiers"].pop("paper/qwen2.5-7b"), "tiers for paper/qwen2.5-7b is 'nothing'"),
        (lambda r: _claim(r, "C11")["in_scope"].update({"paper/qwen2.5-7b": False}), "in_scope for paper/qwen2.5-7b"),
        (
            lambda r: _claim(r, "C11")["in_scope"].update({"m": True}),
            "in_scope for m is True, its evidence gives 'nothing'",
        ),
        (lambda r: _claim(r, "C11").update(scope=["pretrained"]), "claims (C11): digest is"),
        (lambda r: r["run"].update(exit=0), "exit is 0 although problems are listed"),
        (_change_series(lines=[{"label": "short", "values": [1.0]}]), "line 'short' has 1 values for 64 on the x axis"),
    ],
    ids=lambda value: "edit" if isinstance(value, str) else None,  # claim ids in a test's id would be found by -k
)
def test_an_edit_by_hand_is_refused_even_with_a_digest_that_fits(change, says):
    results = copy.deepcopy(SAMPLE)
    change(results)
    with pytest.raises(check.ResultsError) as refused:
        check.verify(sealed(results))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)


def _as_before(results: dict) -> dict:
    """As it was written before rows had a summary, a command of their own and deviations."""
    old = copy.deepcopy(results)
    for row in old["evidence"]:
        del row["summary"], row["deviations"]
        command = row.pop("to_run")
        row["reason"] += f"; to run it: {command}" if command else ""
    return sealed(old)


def test_a_file_of_an_earlier_version_is_read_compared_and_drawn(tmp_path, capsys):
    assert {row["summary"] for row in SAMPLE["evidence"]} >= {"mean", "worst", "statistic"}
    assert any(row["to_run"] for row in SAMPLE["evidence"])
    old, new = tmp_path / "old.json", tmp_path / "new.json"
    old.write_text(json.dumps(_as_before(SAMPLE)))
    new.write_text(json.dumps(SAMPLE))
    assert main(["diff", str(old), str(new), "--rows"]) == 0, capsys.readouterr()
    assert main(["render", str(old), "-o", str(tmp_path / "old.html")]) == 0


def test_words_that_begin_with_worst_say_nothing_where_the_row_says_mean():
    results = copy.deepcopy(SAMPLE)
    row = next(row for row in results["evidence"] if row["summary"] == "worst" and "(worst of " in row["sentence"])
    row["summary"] = "mean"
    assert row["test"].startswith("worst")
    with pytest.raises(check.ResultsError, match="sentence is"):
        check.verify(sealed(results))
    row["sentence"] = row["sentence"].replace("(worst of ", "(n = ")
    check.verify(sealed(results))


def test_an_edit_that_nothing_else_would_show_is_found_by_the_digest():
    results = copy.deepcopy(SAMPLE)
    results["evidence"][0]["estimate"] += 1e-9
    with pytest.raises(check.ResultsError, match="changed after the run"):
        check.verify(results)


def test_a_ragged_table_is_refused():
    results = copy.deepcopy(SAMPLE)
    row = next(row for row in results["evidence"] if row["rule"] == "means")
    next(iter(row["series"].values()))["rows"][0].append(1)
    with pytest.raises(check.ResultsError, match="has 5 cells for 4 columns"):
        check.verify(sealed(results))


# Figures of heads

HEADS = language_models({"m": (2, 3, 8)})


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("accuracy", lambda s: s["x"]["labels"].pop(), ".x: has 5 labels for 6 values"),
        ("accuracy", lambda s: s["x"]["labels"].__setitem__(0, 1), ".x.labels[0]: is 1; allowed: string"),
        (
            "accuracy",
            lambda s: s["lines"][0].pop("high"),
            "line 'gold document first' has low alone; an interval has low",
        ),
        ("accuracy", lambda s: s["lines"][0].pop("low"), "line 'gold document first' has high alone"),
        (
            "accuracy",
            lambda s: s["lines"][0]["low"].pop(),
            "line 'gold document first' has 5 values for 6 on the x axis",
        ),
        ("accuracy", lambda s: s["lines"][0]["low"].__setitem__(0, 99), "the interval 99 to"),
        ("utility", lambda s: s["values"].pop(), ".values: has 5 rows for 6 names"),
        ("utility", lambda s: s["values"][1].pop(), ".values[1]: has 7 cells for 8 columns"),
        ("utility", lambda s: s["values"][1].__setitem__(0, "0.5"), '.values[1][0]: is "0.5"; allowed: number or null'),
        ("utility", lambda s: s.update(high=0), ": low is 0 and high 0; allowed: low below high"),
        ("utility", lambda s: s.pop("low"), "lacks the field 'low'"),
        ("utility", lambda s: s["x"].update(log=True), ".x: has an unknown field 'log'; allowed: label, values"),
        ("utility", lambda s: s["y"].update(values=[]), ".y.values: is []; allowed: minItems 1"),
        ("score against utility", lambda s: s["groups"][0]["y"].pop(), "'fastest quarter' has 6 x and 5 y"),
        ("score against utility", lambda s: s["groups"][0]["names"].pop(), "'fastest quarter' has 6 x and 5 names"),
        ("score against utility", lambda s: s["groups"][0]["x"].__setitem__(0, None), "is null; allowed: number"),
        ("score against utility", lambda s: s["groups"][0]["fit"].pop("slope"), "lacks the field 'slope'"),
        ("score against utility", lambda s: s.update(groups=[]), ".groups: is []; allowed: minItems 1"),
        ("answers", lambda s: s["rows"][0].append("more"), ".rows[0]: has 6 cells for 5 columns"),
    ],
    ids=lambda value: value if isinstance(value, str) and " " not in value else None,
)
def test_a_figure_that_does_not_fit_together_is_refused_in_one_line(name, change, says):
    results = copy.deepcopy(HEADS)
    check.verify(results)
    change(results["evidence"][0]["series"][name])
    with pytest.raises(check.ResultsError) as refused:
        check.verify(sealed(results))
    assert says in str(refused.value)
    assert "series" in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_a_group_may_be_empty_and_an_interval_may_have_gaps():
    results = copy.deepcopy(HEADS)
    series = results["evidence"][0]["series"]
    series["score against utility"]["groups"].append({"label": "none", "x": [], "y": []})
    series["accuracy"]["lines"][0]["low"][2] = None
    check.verify(sealed(results))


def test_the_digest_does_not_depend_on_the_order_of_fields():
    claims, evidence = [{"a": 1, "b": [1.5, None]}], [{"c": "é"}]
    assert check.digest(claims, evidence) == check.digest([{"b": [1.5, None], "a": 1}], evidence)
    assert check.digest(claims, evidence) != check.digest(claims, [{"c": "e"}])


@pytest.mark.parametrize(
    ("complete", "errors", "rope", "qwen"),
    [
        (True, False, "supported", "contradicted"),
        (True, True, "inconclusive", "contradicted"),
        (False, False, "not-run", "contradicted"),
        (False, True, "not-run", "contradicted"),
    ],
)
def test_a_part_of_the_tests_or_a_broken_one_withholds_support_and_never_a_contradiction(complete, errors, rope, qwen):
    rows = [Row.from_json(row) for row in SAMPLE["evidence"] if row["claim"] == "C11"]
    said = final_verdicts(rows, complete=complete, errors=errors)
    assert said == {"paper/llama-3.1-8b": rope, "paper/olmo-2-7b": rope, "paper/qwen2.5-7b": qwen}
