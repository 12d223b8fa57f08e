"""The job summary: changed verdicts first, nothing in it but text, and small enough to be shown."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from fixtures.plain.text import one_line
from reports import answer
from reports.selftests.documents import add_verdict
from reports.selftests.sample import document
from reports.summary import MOST_BYTES, escaped, markdown

OWN_TAGS = {"<code>", "</code>"}
NASTY = [
    "<script>alert(1)</script>",
    "a | b | c",
    "[click](https://example.org) ![x](http://example.org/x.png)",
    "**bold** _it_ `code` ~~gone~~ # heading",
    "- item",
    "1. item",
    "@somebody fixes #12",
    "www.example.org https://example.org me@example.org",
    "line one\nline two\r\n\n# line four",
    "\x1b[31mred\x1b[0m \x07",
    "\u202eright to left\u202c",
    "&lt;b&gt; &#42;",
    "\\*not\\*",
    "$x$ {{ 7 * 7 }} ${{ secrets.TOKEN }}",
    "``` fence",
    "_it_ snake_case _",
]


def rendered(text):
    """(text of every inline token, HTML that it let through), by an independent CommonMark parser with tables."""
    parser = MarkdownIt("commonmark").enable("table")
    texts, html, kinds = [], [], set()
    for block in parser.parse(text):
        kinds.add(block.type)
        if block.type == "html_block":
            html.append(block.content)
        for child in block.children or ():
            kinds.add(child.type)
            if child.type == "html_inline":
                html.append(child.content)
            elif child.content:
                texts.append(child.content)
    return texts, html, kinds


@pytest.fixture
def results():
    return document()


def table(text):
    return [line for line in text.splitlines() if line.startswith("| ")][1:]


def test_the_outcome_comes_first_then_why_then_the_verdicts(results):
    text = markdown(results)
    assert text.startswith("## The claims: this run does not pass (exit 1)\n")
    assert text.index("### Why it does not pass") < text.index("### Verdicts")
    assert "C04, controlled/rope-500000: inconclusive, and the baseline holds no verdict for it" in text
    assert "test_samplings_agree: RuntimeError: the store is full⟨U+000A⟩" in text
    said = sum(len(claim["verdicts"]) for claim in results["claims"])
    assert len(table(text)) == said


def test_it_opens_with_the_answer_and_counts_no_illustration(results):
    text = markdown(results)
    assert escaped(answer.headline(results), 2000) in text
    assert "2 illustrations" in text.split("### ")[0]
    (line,) = [line for line in table(text) if "embedded/llama-s0" in line]
    assert "(trained here) | **illustration: does not hold** | holds |" in line
    assert "supported" not in line and "contradicted" not in line
    inside = sum(sum(claim["in_scope"].values()) for claim in results["claims"])
    assert (
        sum(int(count) for count in re.findall(r"(\d+) (?:supported|contradicted|inconclusive|not-run)", text))
        == inside
    )


def test_changed_verdicts_come_first_and_say_what_was_recorded(results):
    as_it_is = markdown(results).count("**changed**")
    claim = results["claims"][0]
    model = next(name for name, verdict in claim["verdicts"].items() if verdict == "supported")
    claim["baseline"] = dict(claim["verdicts"]) | {model: "contradicted"}
    changed = [line for line in table(markdown(results)) if "**changed**" in line]
    assert len(changed) == as_it_is + 1 and table(markdown(results))[: len(changed)] == changed
    (line,) = [line for line in changed if f"<code>{escaped(model)}</code>" in line]
    assert "**✅ supported** | contradicted |" in line


def test_a_recorded_model_that_is_gone_is_a_change(results):
    claim = results["claims"][0]
    claim["baseline"] = dict(claim["verdicts"]) | {"rope/model-that-left": "supported"}
    (line,) = [line for line in table(markdown(results)) if "rope/model-that-left" in line]
    assert line.startswith("| **changed** |") and "**⏸ not-run** | supported |" in line


def test_a_verdict_names_the_row_it_rests_on(results):
    lines = [line for line in table(markdown(results)) if "contradicted**" in line or "❌" in line]
    sentences = [escaped(row["sentence"]) for row in results["evidence"] if row["verdict"] == "contradicted"]
    assert lines and all(any(sentence in line for sentence in sentences) for line in lines)


@pytest.mark.parametrize("text", NASTY, ids=range(len(NASTY)))  # their own would hold the name of a claim: \x07
def test_text_that_others_wrote_stays_text(results, text):
    before = rendered(markdown(results))
    claim = results["claims"][2]
    verdict = next(iter(claim["verdicts"].values()))
    add_verdict(claim, text, verdict)
    results["run"]["problems"].append(text)
    claim["title"] = text
    texts, html, kinds = rendered(markdown(results))
    assert set(html) <= OWN_TAGS and kinds == before[2], (html, kinds - before[2])
    assert any(one_line(text, 120).strip() in found for found in texts)
    assert len(table(markdown(results))) == len(table(markdown(document()))) + 1


@given(st.text(max_size=60))
def test_any_text_reads_as_itself(text):
    shown = one_line(text).strip()
    texts, html, kinds = rendered(f"- {escaped(text)}\n")
    assert not html and "".join(texts) == shown
    assert kinds <= {
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
        "text_special",
    }


def test_the_oracle_sees_what_is_not_escaped():
    """The control: the same text, written as it is, is markup."""
    seen = [rendered(f"- {text}\n") for text in NASTY]
    plain = {
        "bullet_list_open",
        "bullet_list_close",
        "list_item_open",
        "list_item_close",
        "paragraph_open",
        "paragraph_close",
        "inline",
        "text",
    }
    assert sum(bool(html) or not kinds <= plain for _, html, kinds in seen) >= 6


def test_it_stays_below_what_github_shows(results):
    claim = results["claims"][0]
    for number in range(3000):
        add_verdict(claim, f"model/{number}-" + "<" * 500, "contradicted")
    text = markdown(results)
    assert len(text.encode()) <= MOST_BYTES
    assert "more verdicts stand in report.html." in text


def test_a_run_of_nothing_has_a_summary(results):
    results["claims"], results["evidence"] = [], []
    assert "0 claims" in markdown(results)
    json.dumps(markdown(results))
