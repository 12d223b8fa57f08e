"""The page: self-contained, whole without scripts, the same bytes for the same results, safe with any text."""

from __future__ import annotations

import base64
import copy
import hashlib
import itertools
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fixtures.plain.text import is_figures
from fixtures.verdict.evidence import Row, describe
from reports.claim_views import MANY_ROWS
from reports.render import render
from reports.selftests.documents import ON_SPEED, add_verdict
from reports.selftests.hostile import hostile_document
from reports.selftests.page import Page, loads
from reports.selftests.sample import document

SAMPLE = document()


@pytest.fixture(scope="module")
def page_text() -> str:
    return render(SAMPLE)


@pytest.fixture(scope="module")
def page(page_text) -> Page:
    return Page(page_text)


# Self-contained


def test_the_page_loads_nothing(page, page_text):
    assert not loads(page)
    style = "".join(data for inside, data in page.texts if inside == "style")
    assert "@import" not in style
    assert "url(" not in style
    outside = [a["href"] for a in page.all("a") if not a["href"].startswith("#")]
    assert sorted(outside) == ["https://arxiv.org/abs/2502.11276", "https://doi.org/10.18653/v1/2025.findings-acl.697"]


def test_the_only_script_is_ours_and_the_page_is_whole_without_it(page, page_text):
    scripts = [data for inside, data in page.texts if inside == "script"]
    assert len(page.all("script")) == len(scripts) == 1
    hashed = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert f"script-src 'sha256-{hashed}'" in policy
    assert "default-src 'none'" in policy
    assert [tag for tag, attributes in page.elements if "hidden" in attributes] == ["form"]
    assert not [name for _, attributes in page.elements for name in attributes if name.startswith("on")]


def test_the_page_is_small(page_text):
    assert len(page_text.encode()) < 3_000_000 / 4  # a full run has up to four times the rows and figures


# Structure and access


def test_ids_are_unique_and_every_reference_finds_its_own(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    wanted = []
    for _, attributes in page.elements:
        wanted += [value[1:] for name, value in attributes.items() if name.endswith("href") and value.startswith("#")]
        wanted += attributes.get("aria-labelledby", "").split()
        wanted += re.findall(r"url\(#([^)]+)\)", " ".join(value or "" for value in attributes.values()))
    assert wanted
    assert set(wanted) <= set(ids)


def test_every_drawing_says_what_it_shows(page, page_text):
    drawings = re.findall(r"<svg[^>]*>.*?</svg>", page_text, flags=re.DOTALL)
    assert len(drawings) > 150
    for drawing in drawings:
        head = drawing[: drawing.index(">")]
        assert 'aria-hidden="true"' in head or (
            'role="img"' in head and re.search(r"<title[^>]*>[^<]+</title>", drawing)
        )
    assert all(attributes.get("alt") for attributes in page.all("img"))


def test_headings_do_not_skip_a_level_and_the_language_is_said(page):
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
    assert page.all("html") == [{"lang": "en"}]
    assert [a["href"] for a in page.all("a") if a.get("class") == "skip"] == ["#answer", "#board"]


def test_a_verdict_is_always_a_word_and_never_a_colour_alone(page_text):
    shown = re.findall(r'<span class="verdict ([a-z-]+)"><i [^>]*>(.)</i>([^<]*)</span>', page_text)
    assert shown
    assert len(shown) == page_text.count('<span class="verdict ')
    assert {which for which, _, _ in shown} == {"supported", "contradicted", "inconclusive", "not-run"}
    assert all(which.replace("-", " ") in words for which, _, words in shown)


# Content


OTHERWISE_WRITTEN = r"(?<![\w./:=-])\d{5,}(?![\w/])|\d[eE][-+]\d|(?<![\w\[)/:=-])-\d|\d\.0+%|\d,\d{3}\b"
"""A large number, a power of ten, a negative number and a percentage as programs write them, not as `number` does."""
PAGES = "pages 13552–13562"
"""Of the paper, in its citation."""


def test_numbers_are_written_in_one_way_everywhere_a_reader_meets_them(page):
    prose = [said for inside, said in page.texts if inside not in ("code", "pre", "style", "script")]
    assert re.search("\u202f000", " ".join(prose))
    assert not [said for said in prose if re.search(OTHERWISE_WRITTEN, said.replace(PAGES, ""))]


def test_what_is_typed_stays_as_it_is_typed():
    results = document()
    row = next(row for row in results["evidence"] if row["verdict"] == "not-run")
    row["reason"] = "base 500000 is too much"
    row["to_run"] = "pytest claims/ --ruler 131072 --context 500000"
    text = Page(render(results)).text()
    assert "pytest claims/ --ruler 131072 --context 500000" in text
    assert "base 500 000 is too much" in text  # `text` has every space alike


def test_times_that_add_up_to_more_than_a_float_holds_stop_nothing():
    results = document()
    for row in results["evidence"]:
        row["duration_s"] = 1.7e308
    assert "its tests took –" in Page(render(results)).text()


def test_a_hash_of_digits_alone_is_no_number():
    results = document()
    results["run"]["commit"] = "633046012345" + "0" * 28
    text = Page(render(results)).text()
    assert "633046012345" in text


def test_pages_of_the_paper_are_no_counts():
    assert PAGES in Page(render(document())).text()


def test_a_text_of_ten_thousand_times_the_same_word_takes_no_time():
    """A pattern that looked from each of them to the end took minutes over 200 kB."""
    results = document()
    for row in results["evidence"]:
        if row["claim"] == "R01" and row["verdict"] == "contradicted":
            row["sentence"] += " measured: " * 10_000
    began = time.process_time()
    render(results)
    assert time.process_time() - began < 15


def test_a_reason_that_many_implementations_share_is_told_once():
    """243 rows once said that model.to(bfloat16) casts the buffers, in two tables each."""
    results = document()
    claim = next(claim for claim in results["claims"] if claim["id"].startswith("R"))
    row = next(row for row in results["evidence"] if row["claim"] == claim["id"] and row["role"] == "claim")
    reason = "cast; defect: a buffer is cast"
    rows = []
    for number in range(6):
        made = row | {"model": f"transformers/made-{number}", "verdict": "contradicted", "reason": reason}
        made |= {"estimate": number + 20.0, "ci": None, "n": 1, "unit": "tolerances"}
        add_verdict(claim, made["model"], "contradicted")
        rows.append(made | {"sentence": describe(Row.from_json(made))})
    rows[-1]["sentence"] = "words of another measured: 99 nats: contradicted"  # what it says is not what it is known by
    results["evidence"] += rows
    text = Page(render(results)).text()
    assert f"these 6: {reason}" in text
    assert "as above, measured: 24x the rounding tolerance" in text
    assert "as above, measured: 25x the rounding tolerance" in text
    details = text[text.index("Verdict for each model") :]
    assert details.count(reason) == 2  # beneath the measurements and beside the verdicts


def test_what_the_paper_says_of_several_models_stands_beneath_the_first_of_them_once():
    results = document()
    row = next(row for row in results["evidence"] if row["role"] == "claim" and row["reason"] == "" and row["in_scope"])
    row["paper"] = "table 9: 12.3 points"
    results["evidence"] += [row | {"model": f"{row['model']}-{letter}"} for letter in "bc"]
    text = Page(render(results)).text()
    assert text.count("table 9: 12.3 points") == 1
    assert text.index("table 9: 12.3 points") < text.index(f"{row['model']}-b (")


def test_a_column_for_another_margin_stands_only_where_a_verdict_hangs_on_it():
    results = document()
    page = Page(render(results))
    names = {name for row in results["evidence"] for name in row["sensitivity"]}
    assert "half the margin" in names
    for row in results["evidence"]:
        row["sensitivity"] = dict.fromkeys(row["sensitivity"], row["verdict"])
    same = Page(render(results)).text()
    assert "With half the margin or twice the margin every verdict is the same." in same
    assert "margin × ½" in page.text()
    assert "margin × ½" not in same


def test_every_verdict_is_the_same_means_those_that_a_long_table_leaves_out_too():
    results = document()
    claim = next(claim for claim in results["claims"] if claim["id"] == "R01")
    row = next(row for row in results["evidence"] if row["claim"] == "R01" and row["verdict"] == "supported")
    row |= {"sensitivity": dict.fromkeys(row["sensitivity"], "supported")}
    for number in range(MANY_ROWS):
        model = f"transformers/made-{number:02}"
        add_verdict(claim, model, "supported")
        results["evidence"].append(row | {"model": model})
    last = results["evidence"][-1]  # not shown: the tables are in the order of names
    last["sensitivity"] = last["sensitivity"] | {"half the margin": "inconclusive"}
    own = re.search(r'<article class="claim" id="r01".*?</article>', render(results), re.DOTALL)[0]
    assert "With twice the margin every verdict is the same." in own
    assert "half the margin" not in own


def test_the_report_tells_what_ran_and_at_its_end_what_did_not(page):
    text = page.text()
    what, what_not, end = (text.index(said) for said in ("What was run", "What was not run", "Made from results.json"))
    assert text.index("How to read a verdict") < what < what_not
    for said in (
        "C02 A fast pair guarantees nothing at a distance: none of its tests was selected",
        "pytest claims/ -k c02",
        "base 500 000 is measured at paper scale only: C03 controlled/rope-500000.",
        "pytest claims/ -k c03 --scale paper",
    ):
        assert what_not < text.index(said, what_not) < end
    for said in (
        "Exit 1.",
        "RuntimeError: the store is full",
        "scale: default",
        "6 min 53 s",
        "2 March 2026, 09:14 UTC",
        "12 deselected",
    ):
        assert said in text


def test_every_claim_tells_its_rules_its_evidence_and_how_to_rerun_it(page):
    text = page.text()
    for claim in SAMPLE["claims"]:
        for said in (claim["title"], claim["statement"], claim["source"], claim["contradicted_if"], claim["command"]):
            assert said in text
        for rule in claim["rules"]:
            assert rule["quantity"] in text
            assert rule["why"] in text
        if claim["prior"]:
            assert claim["prior"]["about"] in text
    for row in SAMPLE["evidence"]:
        assert row["model"] in text
    assert (
        "drop at the 20th document less the drop at the 10th, [-16:] masked; claimed: at most 0 points; "
        "measured: 2.56 points: contradicted" in text
    )
    assert "as recorded" in text
    assert "Fig. 1a, left: both curves start low" in text
    assert "wrong, it must be supported" in text


def test_both_mistakes_of_the_summary_are_corrected(page):
    text = page.text()
    assert "It says that angles grow with the dimension index. They fall" in text
    assert (
        "It says that the controlled task is masked language modelling. It is retrieval by a single attention head"
        in text
    )


def test_a_series_is_drawn_once_and_none_is_left_out(page, page_text):
    wanted = {json.dumps(spec, sort_keys=True) for row in SAMPLE["evidence"] for spec in row["series"].values()}
    assert len(page.all("figure")) - ON_SPEED == len(wanted) == 9
    assert page_text.count('class="figure"') - ON_SPEED == sum('"lines"' in spec for spec in wanted) == 6
    assert "could not be drawn" not in page_text


def test_an_unfinished_claim_says_so():
    results = copy.deepcopy(SAMPLE)
    entry = results["claims"][2]
    entry["complete"] = False
    entry["verdicts"] = dict.fromkeys(entry["verdicts"], "not-run")
    text = Page(render(results)).text()
    assert "some of its tests were not run, so its supported is withheld" in text
    assert "Not all tests of this claim were selected, so it is not decided." in text


@pytest.mark.parametrize(
    ("run", "says"),
    [
        (
            {"exit": 0, "problems": []},
            "6 verdicts differ from the recorded ones, which does not fail the run (see the list of changes). "
            "Every other verdict is supported",
        ),
        (
            {"exit": 0, "problems": [], "options": {"baseline": "off"}},
            "Every verdict of this run is supported; none was held against a recorded one.",
        ),
        ({"exit": 0, "problems": [], "options": {"scale": "smoke"}}, "plumbing works, nothing decided"),
        ({"exit": 0, "problems": [], "options": {"record_baseline": True}}, "recorded its verdicts as the baseline"),
        ({"exit": 1, "problems": []}, "the tests that failed say why"),
    ],
)
def test_the_exit_code_is_explained_and_never_oversold(run, says):
    results = copy.deepcopy(SAMPLE)
    results["run"] |= run
    assert says in Page(render(results)).text()


def test_a_run_that_says_what_was_recorded_says_so():
    results = copy.deepcopy(SAMPLE)
    results["run"] |= {"exit": 0, "problems": []}
    for claim in results["claims"]:
        claim["baseline"], claim["baseline_digest"] = dict(claim["verdicts"]), claim["digest"]
    text = Page(render(results)).text()
    assert "Every verdict of this run is supported, or is the one that the recorded baseline holds." in text
    assert "Nothing: every verdict of this run is as recorded." in text


def test_a_run_of_nothing_is_still_a_page():
    results = copy.deepcopy(SAMPLE)
    results["claims"], results["evidence"] = [], []
    assert "no verdict" in Page(render(results)).text()


# The same results, the same bytes


def test_another_process_with_other_settings_makes_the_same_bytes(tmp_path, page_text):
    (tmp_path / "results.json").write_text(json.dumps(SAMPLE, indent=2), encoding="utf-8")
    (tmp_path / "matplotlibrc").write_text("font.size: 30\naxes.grid: True\nsvg.fonttype: path\n", encoding="utf-8")
    settings = {"PYTHONHASHSEED": "7", "MATPLOTLIBRC": str(tmp_path / "matplotlibrc"), "TZ": "Asia/Tokyo"}
    subprocess.run(
        [sys.executable, "-m", "reports", "render", str(tmp_path / "results.json")],
        env=os.environ | settings,
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "report.html").read_bytes() == page_text.encode()
    assert render(SAMPLE) == page_text


# Text that somebody else wrote

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=http://x.example/ onerror=alert(1)>",
    "closing": "</pre></td></table></svg></title></style><b onclick='x'>\"&amp;&lt;",
    "attribute": "\" autofocus onfocus=alert(1) x='",
    "template": "{{ 7 * 7 }}{% raw %}{# #}",
    "mathtext": r"$\frac{1}{$x_1^2$} \alpha $",
    "control": "a\x00b\x07c\x1b[31md\x7fe\x85f\rg",
    "bidi": "user\u202e\u2066 txt.exe\u2069\u200b\ufeff",
    "surrogate": "half \ud800 a pair, \uffff no character",
    "scripts": "نموذج דגם 模型 🙂 ｍｏｄｅｌ",
    "newlines": "one\n\ttwo\r\nthree\u2028four",
    "empty": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_text_stays_text(text):
    shown = render(hostile_document(text))
    page = Page(shown)  # still well-formed
    known = {tag for tag, _ in Page(render(hostile_document("plain"))).elements}
    assert {tag for tag, _ in page.elements} <= known
    assert not [
        name for _, attributes in page.elements for name in attributes if name.startswith("on") or name == "autofocus"
    ]
    assert not loads(page)
    assert len(page.all("script")) == 1
    assert not re.search(
        r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028-\u202e\u2066-\u2069\ufeff\uffff\ud800-\udfff]", shown
    )
    assert "could not be drawn" not in shown
    shown.encode()


def test_what_was_hidden_is_shown():
    text = Page(render(hostile_document("a\x07b\u202ec\ud800d"))).text()
    assert "a⟨U+0007⟩b⟨U+202E⟩c⟨U+D800⟩d" in text


def test_a_dollar_sign_is_no_formula_and_a_bracket_no_markup_in_a_figure():
    page = Page(render(hostile_document("<i>$x_1^2$ & y")))
    inside = [data for tag, data in page.texts if tag == "text"]
    # axes, mark and level of three charts, two doses; axes, mark and row of a heat map
    assert inside.count("<i>$x_1^2$ & y") == 3 * 4 + 2 + 4


def test_a_line_without_end_is_cut_and_says_so():
    shown = render(hostile_document("A" * 100_000))
    assert len(shown) < 1_000_000
    assert "98000 more characters in results.json" in shown


def test_hundreds_of_rows_stay_small():
    results = copy.deepcopy(SAMPLE)
    rows = [row for row in results["evidence"] if row["claim"] == "C01"]
    for copies in range(5):
        for row in rows:
            model = f"{row['model']}-{copies}"
            results["evidence"].append(row | {"model": model})
            add_verdict(results["claims"][0], model, "supported")
    assert len(results["evidence"]) > 800
    assert len(render(results)) < 3_000_000


def test_a_long_table_shows_the_worst_and_names_the_rest():
    """Seventy models of one rule: two dozen with their numbers, the contradicted one among them, the rest by name."""
    results = copy.deepcopy(SAMPLE)
    row = next(
        row for row in results["evidence"] if row["claim"] == "C01" and row["role"] == "claim" and row["decisive"]
    )
    results["evidence"] = [one for one in results["evidence"] if one["claim"] != "C01"]
    for number in range(70):
        model, verdict = f"rope/many-{number:02}", "contradicted" if number == 66 else "supported"
        origin = {"provenance": {"weights": "0123456789abcdef" * 4, "number": number}}
        results["evidence"].append(row | {"model": model, "verdict": verdict} | origin)
        add_verdict(results["claims"][0], model, verdict)
    page = render(results)
    part = page[page.index('id="c01"') : page.index('id="c02"')]
    tables = "".join(re.findall(r"<table.*?</table>", part, re.DOTALL))
    assert tables.count(">rope/many-66<") == 2 and tables.count(">rope/many-00<") == 2
    measured = part[part.index("Expected and measured") :]
    rows = "".join(re.findall(r"<table.*?</table>", measured, re.DOTALL))
    assert ">rope/many-69<" not in rows and ">rope/many-69<" in measured
    assert "0123456789ab…" in measured and "0123456789abcdef" * 4 not in page
    assert "stand in <code>evidence.csv</code>" in measured


@pytest.mark.parametrize(
    ("cell", "figures"),
    [
        ("98.8", True),
        ("0.00 (-1.85 to 1.85)", True),
        ("12.5%", True),
        ("", True),
        ("1 of 2", True),
        ("u < 0.5", False),
        ("\u05d0 12", False),
        ("12\u202e", False),
        ("<b>", False),
        (3.5, False),
        (None, False),
    ],
)
def test_figures_alone_need_no_isolation_of_their_direction(cell, figures):
    assert is_figures(cell) == figures
