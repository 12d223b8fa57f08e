"""A report on language models: many models, a thousand heads each, texts that models wrote. Small, whole and in order."""

from __future__ import annotations

import copy
import itertools
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from reports import check, plots
from reports.plots import FEW_PLOTS
from reports.render import render
from reports.selftests.documents import ON_SPEED, sealed
from reports.selftests.page import Page, loads
from reports.selftests.sample_models import language_models

SMALL = {f"embedded/{name}-s0": (3, 4, 64) for name in ("llama", "qwen2", "olmo2")}
PUBLISHED = {"llama-3.1-8b": (32, 32, 128), "olmo-2-7b": (32, 32, 128), "qwen2.5-7b": (28, 28, 128)}
SAMPLE = language_models(SMALL)
TINY = language_models({"embedded/llama-s0": (2, 3, 8)})


def _with_files(*files: tuple[str, str]) -> dict:
    """A report of no figure and these data files."""
    results = copy.deepcopy(TINY)
    results["evidence"][0]["series"] = {}
    results["run"]["files"] = [{"name": name, "about": about} for name, about in files]
    return sealed(results)


@pytest.fixture(scope="module")
def page_text() -> str:
    return render(SAMPLE)


@pytest.fixture(scope="module")
def page(page_text) -> Page:
    return Page(page_text)


def _series(results: dict, name: str) -> dict:
    return results["evidence"][0]["series"][name]


def test_the_sample_passes_the_check():
    check.verify(copy.deepcopy(SAMPLE))


def test_everything_is_drawn_and_nothing_loaded(page, page_text):
    wanted = [spec for row in SAMPLE["evidence"] for spec in row["series"].values()]
    assert len(page.all("figure")) - ON_SPEED == len(wanted) == 18
    assert page_text.count('class="figure"') - ON_SPEED == sum(spec["kind"] != "table" for spec in wanted)
    assert len(page.all("image")) == 3
    assert "could not be drawn" not in page_text
    assert not loads(page)
    (policy,) = [meta["content"] for meta in page.all("meta") if "http-equiv" in meta]
    assert "img-src data:;" in policy


def test_figures_stand_by_model_under_a_heading_and_the_first_are_open(page):
    groups = [attributes for attributes in page.all("details") if attributes.get("class") == "by-model-plots"]
    assert ["open" in attributes for attributes in groups] == [True, False, False]
    headings = [data for inside, data in page.texts if inside == "bdi"]
    assert set(SMALL) <= set(headings)
    levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch(r"h[1-6]", tag)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_single_figures_of_many_models_are_open_while_they_are_few():
    results = copy.deepcopy(SAMPLE)
    for row in results["evidence"]:
        row["series"] = {name: row["series"][name] for name in ("accuracy", "answers")}
    groups = [a for a in Page(render(results)).all("details") if a.get("class") == "by-model-plots"]
    assert ["open" in attributes for attributes in groups] == [True, True, False]
    for row in results["evidence"]:
        row["series"].popitem()
    assert len(results["evidence"]) == FEW_PLOTS
    assert "by-model-plots" not in [a.get("class") for a in Page(render(results)).all("details")]


def test_a_figure_of_several_models_stands_once_under_all_their_names():
    results = copy.deepcopy(SAMPLE)
    shared = results["evidence"][0]["series"]["answers"]
    for k, row in enumerate(results["evidence"]):
        row["series"] = {"shared": shared} | {f"own {j}": shared | {"title": f"own {j} of {k}"} for j in range(3)}
    shown = render(results)
    assert shown.count(f"<figcaption><strong>{shared['title']}</strong>") == 1
    summary = next(part for part in re.findall(r"<summary><h4>(.*?)</h4>", shown) if "embedded/llama-s0" in part)
    assert all(model in summary for model in SMALL)


def test_ids_are_unique_and_every_reference_finds_its_own(page):
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    references = [re.findall(r"url\(#([^)]+)\)", " ".join(v or "" for v in a.values())) for _, a in page.elements]
    wanted = {name for names in references for name in names}
    wanted |= {a["href"][1:] for _, a in page.elements if a.get("href", "").startswith("#")}
    hatchings = {attributes["id"] for tag, attributes in page.elements if tag == "pattern"}
    assert hatchings & wanted  # of a head without values
    assert wanted <= set(ids)


def test_a_small_heat_map_tells_its_numbers_and_a_large_one_says_where_they_are():
    small = language_models({"m": (1, 2, 64)})
    page_text = render(small)
    assert page_text.count("The numbers</summary>") == 1
    cells = _series(small, "utility")["values"]
    table = page_text[page_text.index('<table class="cells">') :]
    third = table[: table.index("</table>")].split("<tr>")[4]
    shown = re.findall(r"<td>(.*?)</td>", third)
    assert shown == ["–" if row[2] is None else f"{row[2]:.4g}" for row in cells]
    large = render(language_models({"m": (8, 8, 64)}))
    assert "The numbers</summary>" not in large
    assert "the number of every cell stands in results.json" in large


def test_published_models_with_a_thousand_heads_fit_into_three_megabytes():
    results = language_models(PUBLISHED)
    check.verify(results)
    shown = render(results)
    assert len(shown.encode()) < 1_500_000
    assert "could not be drawn" not in shown


def test_what_would_be_too_large_is_drawn_compactly_then_left_out_and_says_so(monkeypatch):
    """The room is that of the figures; what else the page holds, such as recorded benchmarks, counts for nothing."""
    results, sizes, size = language_models({"m0": (16, 32, 64), "m1": (16, 32, 64)}), [], plots._size
    with monkeypatch.context() as watched:
        watched.setattr(plots, "_size", lambda plot: sizes.append(size(plot)) or sizes[-1])
        in_full = len(render(results))
    figures = sum(sizes) // 2  # looked at twice: whether they fit, and how far
    monkeypatch.setattr(plots, "DRAWN", int(0.75 * figures))
    compact = render(results)
    assert len(compact) < in_full - 0.25 * figures
    assert "each row of the drawing is the mean of 2 neighbouring rows" in compact
    assert "names of the points: in results.json" in compact
    assert "could not be drawn" not in compact
    monkeypatch.setattr(plots, "DRAWN", figures // 4)
    crowded = render(results)
    assert "the figures before it fill the page; its numbers stand in results.json" in crowded
    assert 0 < crowded.count('class="figure"') < compact.count('class="figure"')


def test_another_process_makes_the_same_bytes(tmp_path, page_text):
    (tmp_path / "results.json").write_text(json.dumps(SAMPLE), encoding="utf-8")
    subprocess.run(
        [sys.executable, "-m", "reports", "render", str(tmp_path / "results.json")],
        env=os.environ | {"PYTHONHASHSEED": "7"},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
    )
    assert (tmp_path / "report.html").read_bytes() == page_text.encode()


# Texts of models


def test_long_cells_may_wrap_and_keep_the_name_of_their_column(page):
    cells = [a for a in page.all("td") if a.get("class") == "text"]
    assert cells
    assert all(a["dir"] == "auto" and a["data-column"].startswith("answer") for a in cells)
    assert "wordy" in {name for a in page.all("figure") for name in a["class"].split()}
    assert "https://example.org/" + "a" * 300 in page.text()


def test_what_a_model_wrote_stays_text_however_long():
    results = copy.deepcopy(TINY)
    answer = "<script>alert(1)</script>\u202e" + "w" * 5000 + "</td></table>"
    _series(results, "answers")["rows"][0][2] = answer
    shown = render(results)
    page = Page(shown)
    assert len(page.all("script")) == 1
    assert "<script>alert(1)</script>⟨U+202E⟩www" in page.text()
    assert "more characters in results.json" in shown


# Data files


def test_data_files_are_linked_relative_and_escaped(page):
    hrefs = [a["href"] for a in page.all("a")]
    assert "heads/embedded-llama-s0.npz" in hrefs
    assert "utility, norms and copy scores of each head of embedded/qwen2-s0" in page.text()
    results = _with_files(('heads/a "b"?#&<é>%.npz', "<b>odd</b>"))
    check.verify(results)
    page = Page(render(results))
    (href,) = [a["href"] for a in page.all("a") if a["href"].startswith("heads/")]
    assert href == "heads/a%20%22b%22%3F%23%26%3C%C3%A9%3E%25.npz"
    assert "<b>odd</b>" in page.text()


BAD_NAMES = (
    "",
    "/etc/passwd",
    "../up.npz",
    "heads/../../up.npz",
    "./x",
    "heads//x",
    "heads/",
    "https://x.example/a",
    "//x.example/a",
    "javascript:alert(1)",
    "C:\\x",
    "heads\\x",
    "a\nb",
    "a\x00b",
    "user\u202etxt",
    "half \ud800",
    ".",
    "..",
)


@pytest.mark.parametrize("name", BAD_NAMES, ids=[str(k) for k in range(len(BAD_NAMES))])
def test_a_link_that_leaves_the_folder_is_refused_and_never_made(name):
    results = _with_files((name, "x"))
    with pytest.raises(check.ResultsError) as refused:
        check.verify(results)
    assert "run.files[0].name" in str(refused.value)
    assert "allowed: a path inside the report's folder" in str(refused.value)
    assert "\n" not in str(refused.value)
    links = [a["href"] for a in Page(render(results)).all("a")]
    assert all(link.startswith(("#", "https://arxiv.org/", "https://doi.org/")) for link in links)


def test_many_files_fold_away_and_none_needs_no_heading():
    assert "30 files" in Page(render(_with_files(*[(f"heads/{k}.npz", "heads") for k in range(30)]))).text()
    assert "Data files" not in Page(render(_with_files())).text()


# A figure that cannot be drawn


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("utility", {"low": 1, "high": 1}, "colours cannot run from 1 to 1"),
        ("utility", {"low": -1.7e308, "high": 1.7e308}, "colours cannot run"),
        ("utility", {"values": [[1.0]]}, "are not 6 rows of 8"),
        ("score against utility", {"groups": [{"label": "g", "x": [1], "y": []}]}, "has 1 x, 0 y and 1 names"),
        ("score against utility", {"groups": [{"label": "g", "x": [], "y": []}]}, "no group has a point"),
        ("norm against utility", {"groups": [{"label": "g", "x": [0], "y": [1]}]}, "no group has a point"),
        ("accuracy", {"x": {"values": [1, 2], "labels": ["one"]}}, "x has 1 labels for 2 values"),
    ],
)
def test_a_figure_that_cannot_be_drawn_says_so_in_its_place_and_the_report_goes_on(name, change, says):
    results = copy.deepcopy(TINY)
    _series(results, name).update(change)
    page = Page(render(results))
    assert re.search(f"This figure could not be drawn: [^.]*{re.escape(says)}", page.text())
    assert len(page.all("figure")) - ON_SPEED == 6
