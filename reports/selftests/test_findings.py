"""What the first screen and the terminal say follows from the rows, counts no illustration, and hides no difference."""

from __future__ import annotations

import copy
import functools
import itertools
import re
import shlex

import pytest

from fixtures.verdict.claim import CONTRADICTED, INCONCLUSIVE, NOT_RUN, SUPPORTED
from reports import answer, differences, findings, terminal
from reports.render import render
from reports.selftests.documents import add_verdict
from reports.selftests.page import Page
from reports.selftests.sample import SMOLLM, document

SAMPLE = document()


@functools.cache
def sample_page() -> str:
    return render(SAMPLE)


def found(results: dict, claim: str) -> findings.Finding:
    return next(one for one in findings.findings(results) if one.claim["id"] == claim)


def claim_of(results: dict, claim: str) -> dict:
    return next(one for one in results["claims"] if one["id"] == claim)


# One claim


@pytest.mark.parametrize(
    ("verdicts", "status"),
    [
        ([SUPPORTED], findings.HOLDS),
        ([SUPPORTED, NOT_RUN], findings.HOLDS),
        ([SUPPORTED, CONTRADICTED], findings.IN_PART),
        ([SUPPORTED, INCONCLUSIVE], findings.IN_PART),
        ([CONTRADICTED, INCONCLUSIVE], findings.FAILS),
        ([CONTRADICTED], findings.FAILS),
        ([INCONCLUSIVE, NOT_RUN], findings.UNKNOWN),
        ([NOT_RUN], findings.NOT_MEASURED),
        ([], findings.NOT_MEASURED),
    ],
)
def test_a_status_says_what_the_verdicts_come_to(verdicts, status):
    assert findings.status_of({verdict: ["m"] for verdict in verdicts}) == status


def test_a_finding_names_its_number_its_models_and_their_tier():
    line = found(SAMPLE, "C11").line
    assert "holds in part: fails in paper/qwen2.5-7b (printed table): drop at the 20th document" in line
    assert "2.56 points (claimed: at most 0); 3 of its 4 rules hold" in line
    assert line.endswith("; holds in paper/llama-3.1-8b, paper/olmo-2-7b (printed table)")
    line = found(SAMPLE, "C03").line
    assert "mean |weight| of the fastest 32 dimensions over the slowest 32: 0.4445 (90% CI 0.4394 to 0.4496" in line
    assert line.endswith("; decided on controlled/rope-10000 (trained here)")


def test_a_model_goes_by_the_name_that_says_its_quantisation():
    assert "; decided on SmolLM2-135M-Instruct, 4-bit (pretrained)" in found(SAMPLE, "C06").line


def test_a_failed_control_is_what_decided():
    assert "its control planted/slow-only went wrong" in found(SAMPLE, "C04").line


def test_illustrations_neither_help_nor_hurt():
    """The model that the claim is about decides alone: what toys and weak models say changes nothing."""
    one = found(SAMPLE, "C06")
    assert one.status == findings.HOLDS
    assert one.by_verdict == {SUPPORTED: [SMOLLM], NOT_RUN: ["llama-3.1-8b"]}
    assert one.illustrations == {CONTRADICTED: ["embedded/llama-s0"], SUPPORTED: ["my/model"]}
    without = copy.deepcopy(SAMPLE)
    claim = claim_of(without, "C06")
    for model in (SMOLLM, "llama-3.1-8b"):
        for name in ("verdicts", "tiers", "in_scope"):
            del claim[name][model]
    one = found(without, "C06")
    assert (one.status, one.said) == (findings.NOT_MEASURED, "no model that it is about was run, illustrations only")


def test_many_implementations_are_counted_and_a_repeated_reason_stands_once():
    said = found(SAMPLE, "R01").said
    assert said == "7 implementations: 5 hold, 2 fail; defect: two halves of a pair follow different axes (2)"


@pytest.mark.parametrize("is_old", [False, True], ids=["as data", "as files of before had it"])
def test_what_is_recorded_of_an_implementation_is_told_whatever_else_its_reason_says(is_old):
    results = copy.deepcopy(SAMPLE)
    for row in results["evidence"]:
        if row["claim"] == "R01" and row["verdict"] == CONTRADICTED:
            row["reason"] = row["reason"] if is_old else f"defect: a reason; {row['model']}"
        if is_old:
            del row["deviations"]
    assert found(results, "R01").said.endswith("2 fail; defect: two halves of a pair follow different axes (2)")


def test_a_reason_without_a_record_is_told_whole():
    """It may be of several parts, and the first of them may be the one that says why."""
    results, reason = copy.deepcopy(SAMPLE), "made for yarn, which could not be built here; rests on default"
    claim = claim_of(results, "R01")
    for row in results["evidence"]:
        if row["claim"] == "R01" and row["verdict"] == CONTRADICTED:
            row |= {"verdict": INCONCLUSIVE, "reason": reason, "deviations": []}
            claim["verdicts"][row["model"]] = INCONCLUSIVE
    assert found(results, "R01").said == f"7 implementations: 5 hold, 2 undecided; {reason} (2)"


def test_a_row_that_its_interval_did_not_decide_says_what_did():
    results = copy.deepcopy(SAMPLE)
    row = next(row for row in results["evidence"] if row["model"] == SMOLLM)
    row |= {"verdict": INCONCLUSIVE, "reason": "baseline accuracy is 100%, so there is no room to improve"}
    claim_of(results, "C06")["verdicts"][SMOLLM] = INCONCLUSIVE
    assert "there is no room to improve" in found(results, "C06").line
    text = Page(render(results)).text()
    assert "no room to improve (this decides; the interval alone would say: supported)" in text
    assert "this decides; the interval alone" not in Page(sample_page()).text()
    assert "follows from the confidence interval alone" not in text


# The title's question


def test_the_headline_answers_in_words_and_counts_the_paper_s_claims_alone():
    line = answer.headline(SAMPLE)
    assert line.startswith(
        f"{answer.QUESTION} In part, as far as it was measured. Of the paper's 6 claims, 3 hold, "
        "1 holds in part, 1 is unknown and 1 was not measured."
    )
    assert "In pretrained language models: yes (C06 holds)." in line
    assert "R01" not in line


def test_few_claims_of_the_paper_are_no_answer():
    """One claim that holds says nothing of the eleven others; the control is the whole sample."""
    results = copy.deepcopy(SAMPLE)
    results["run"]["manifest"] = [f"C{number:02d}" for number in range(1, 13)]
    results["claims"] = [claim for claim in results["claims"] if claim["id"] == "C06"]
    lead, area = answer.sentences(results)
    assert lead == ("This run alone gives no answer. It measured one of the paper's 12 claims, and that one holds.")
    assert area == "In pretrained language models: yes, as far as it was measured (C06 holds)."
    assert answer.sentences(SAMPLE)[0].startswith("In part")


def test_what_an_illustration_says_is_no_part_of_the_headline():
    results = copy.deepcopy(SAMPLE)
    claim_of(results, "C06")["verdicts"] |= {"embedded/llama-s0": SUPPORTED, "my/model": CONTRADICTED}
    assert answer.headline(results) == answer.headline(SAMPLE)
    claim_of(results, "C06")["verdicts"][SMOLLM] = CONTRADICTED
    assert "In pretrained language models: no (C06 fails)." in answer.headline(results)


def test_a_claim_that_the_run_did_not_state_was_not_measured():
    results = copy.deepcopy(SAMPLE)
    results["run"]["manifest"].append("C12")
    assert "Of the paper's 7 claims" in answer.headline(results)
    assert "2 were not measured" in answer.headline(results)


def test_a_run_without_the_paper_or_at_smoke_scale_decides_nothing_of_it():
    results = copy.deepcopy(SAMPLE)
    results["claims"] = [claim for claim in results["claims"] if claim["id"] == "R01"]
    assert answer.answered(results) == "Not measured in this run: no claim of the paper got a verdict."
    results["run"]["options"]["scale"] = "smoke"
    assert answer.answered(results) == "Nothing decided, and this run does not pass."
    results["run"]["exit"] = 0
    assert answer.answered(results) == "Plumbing works, nothing decided."


def test_every_area_of_the_question_names_claims_of_the_paper_each_once(pytestconfig):
    asked = list(itertools.chain.from_iterable(claims for _, claims in answer.AREAS))
    assert asked == [claim for claim in pytestconfig.getini("claim_ids") if claim.startswith("C")]


@pytest.mark.parametrize(
    ("claims", "says"),
    [
        (["C01", "C02", "C03", "C05"], "C01-C03, C05"),
        (["C01", "C02"], "C01, C02"),
        (["C12", "X01"], "C12, X01"),
        ([], ""),
    ],
    ids=["a run and one", "two", "of two groups", "none"],
)
def test_runs_of_claim_ids_are_joined(claims, says):
    assert findings.id_ranges(claims) == says


def test_models_that_were_run_and_not_run_are_named():
    told = answer.language_models(SAMPLE)
    assert told["run"] == [
        "SmolLM2-135M-Instruct, 4-bit (pretrained): C06",
        "for illustration only: embedded/llama-s0 (trained here), my/model (pretrained)",
    ]
    assert told["not_run"] == [
        "llama-3.1-8b (pretrained): its weights are not here",
        "qwen2.5-7b, olmo-2-7b (the paper's own): not asked for; pytest claims/ --model paper",
    ]


def test_a_rope_of_the_user_s_is_told_apart_from_the_suite_s_own():
    results = copy.deepcopy(SAMPLE)
    assert answer.own_ropes(results) == [
        "None was given. To put yours under the same identities: pytest claims/ --rope MODULE:NAME"
    ]
    results["run"]["options"]["rope"] = ["mine:rope", "fixtures.rope.styles.functions:backwards"]
    claim = claim_of(results, "R01")
    claim["id"] = "R05"
    for row in results["evidence"]:
        if row["claim"] == "R01":
            row["claim"] = "R05"
            row["model"] = row["model"].replace("transformers/b", "rope/mine:rope")
    add_verdict(claim, "rope/mine:rope", CONTRADICTED)
    (line,) = answer.own_ropes(results)
    assert line.startswith("mine:rope: it is not the rotation it should be: worst of all identities: 3.5 tolerances")


@pytest.mark.parametrize(
    ("answers", "says"),
    [
        (["yes", "yes"], "Yes"),
        (["yes", "not measured"], "Yes, as far as it was measured"),
        (["yes", "unknown"], "In part"),
        (["in part"], "In part"),
        (["yes", "no", "not measured"], "In part, as far as it was measured"),
        (["no", "unknown"], "No"),
        (["unknown", "not measured"], "Unknown, as far as it was measured"),
    ],
)
def test_the_whole_answer_is_no_better_than_its_parts(answers, says):
    assert answer._overall(answers) == says


# Against the baseline


def test_a_claim_that_was_reworded_is_told_although_its_verdicts_are_the_same():
    results = copy.deepcopy(SAMPLE)
    for claim in results["claims"]:
        claim["baseline"], claim["baseline_digest"] = dict(claim["verdicts"]), claim["digest"]
    assert differences.reworded(results) == []
    assert "BASELINE: every verdict is as recorded" in terminal.lines(results)
    claim_of(results, "C11")["baseline_digest"] = "0" * 64
    assert differences.reworded(results) == ["C11"]
    assert f"BASELINE: C11: {differences.REWORDED}" in terminal.lines(results)
    assert f"C11: {differences.REWORDED}." in Page(render(results)).text()


def test_every_difference_is_told_whatever_excuses_it():
    results = copy.deepcopy(SAMPLE)
    claim = claim_of(results, "C11")
    claim["baseline"] = {
        "paper/llama-3.1-8b": "contradicted",
        "paper/olmo-2-7b": "supported",
        "paper/gone": "supported",
    }
    claim["baseline_digest"] = claim["digest"]
    results["run"]["drawn_anew"] = ["paper/llama-3.1-8b"]
    lines = [change.line for change in differences.changes(results) if change.claim == "C11"]
    assert lines == [
        f"C11: contradicted -> supported: paper/llama-3.1-8b ({differences.ANEW})",
        f"C11: supported -> not run: paper/gone ({differences.NOT_MEASURED_NOW})",
        "C11: nothing recorded -> contradicted: paper/qwen2.5-7b",
    ]
    claim["baseline_digest"] = "0" * 64
    (first, *_) = [change for change in differences.changes(results) if change.claim == "C11"]
    assert first.excuse == f"{differences.REWORDED}; {differences.ANEW}"
    claim_of(results, "C11")["external"] = "published measurements"
    claim["verdicts"]["paper/olmo-2-7b"] = NOT_RUN
    (gone,) = [change for change in differences.changes(results) if "paper/olmo-2-7b" in change.models]
    assert gone.excuse == f"{differences.REWORDED}; {differences.EXTERNAL}"
    shown = "\n".join(terminal.lines(results))
    text = Page(render(results)).text()
    for change in differences.changes(results):
        assert change.line in shown
        assert all(model in text for model in change.models)


def test_with_rope_alone_other_ropes_are_no_difference():
    results = copy.deepcopy(SAMPLE)
    claim = claim_of(results, "C01")
    claim["baseline"] = claim["verdicts"] | {"rope/somebody:else": "supported"}

    def found() -> list[differences.Change]:
        return [change for change in differences.changes(results) if change.claim == "C01"]

    (one,) = found()
    assert "supported -> not run: rope/somebody:else" in one.line
    results["run"]["options"] |= {"rope": ["mine.py:rope"], "claim": ["R05"]}
    assert found() == []
    # one that was asked for and says something else is one all the same
    claim["baseline"] |= dict.fromkeys(claim["verdicts"], "inconclusive")
    assert [change.before for change in found()] == ["inconclusive"]


def test_nothing_is_left_out_of_a_long_list_of_changes():
    results = copy.deepcopy(SAMPLE)
    claim = claim_of(results, "C01")
    claim["baseline"] = dict.fromkeys(claim["verdicts"], CONTRADICTED)
    (line,) = [change.line for change in differences.changes(results) if change.claim == "C01"]
    assert line.startswith("C01: contradicted -> supported: ")
    assert all(model in line for model in claim["verdicts"])


@pytest.mark.parametrize("options", [{"baseline": "off"}, {"scale": "smoke"}])
def test_without_a_baseline_nothing_is_called_changed_or_unchanged(options):
    results = copy.deepcopy(SAMPLE)
    results["run"]["options"] |= options
    assert differences.changes(results) is None
    assert "Nothing was compared" in Page(render(results)).text()
    assert "BASELINE: nothing was compared" in terminal.lines(results)


def test_an_illustration_s_change_is_worded_as_one():
    lines = [change.line for change in differences.changes(SAMPLE) if not change.in_scope]
    assert "C06 (illustration): holds -> does not hold: embedded/llama-s0" in lines
    assert not [line for line in lines if "supported" in line or "contradicted" in line]


# Report and terminal say the same


def test_report_and_terminal_open_with_the_same_sentence():
    page, lines = Page(sample_page()), terminal.lines(SAMPLE)
    assert answer.headline(SAMPLE) in lines
    text = page.text()
    assert answer.headline(SAMPLE) in text
    order = [
        "The paper, claim by claim",
        "Language models Run:",
        "Your RoPE",
        "Beyond the paper",
        "RoPE implementations",
        "The gate",
        "What changed against the baseline",
        "Verdicts Find Show",
        "How to read a verdict",
        "What was run",
        "What was not run",
    ]
    places = []
    for said in order:
        places.append(text.index(said, places[-1] if places else 0))
    for one in findings.findings(SAMPLE):
        assert one.said in text


def test_the_board_stands_in_three_parts_and_counts_no_illustration():
    shown = sample_page()
    page = Page(shown)
    assert [a["id"] for _, a in page.elements if a.get("id", "").startswith("board-") and a["id"] != "board-title"] == [
        "board-c",
        "board-r",
    ]
    board = shown[shown.index('id="board"') : shown.index('id="how-title"')]
    assert "embedded/llama-s0" not in board
    assert "2 illustrations" in board
    inside = sum(
        inside for claim in SAMPLE["claims"] if claim["id"].startswith("C") for inside in claim["in_scope"].values()
    )
    counts = dict.fromkeys((SUPPORTED, CONTRADICTED, INCONCLUSIVE, NOT_RUN), 0)
    for claim in SAMPLE["claims"]:
        if claim["id"].startswith("C"):
            for model, verdict in claim["verdicts"].items():
                counts[verdict] += claim["in_scope"][model]
    assert sum(counts.values()) == inside
    head = Page(board[board.index('<h3 id="board-c">') : board.index("</h3>") + 5]).text()
    for verdict, count in counts.items():
        assert f"{count} {verdict.replace('-', ' ')}" in head


def test_no_illustration_is_ever_called_supported_or_contradicted():
    shown = sample_page()
    part = shown[shown.index('<article class="claim" id="c06"') :]
    part = part[: part.index("</article>")]
    text = Page(part + "</article>").text()
    assert "Illustrations (models the claim is not about)" in text
    assert "does not hold in embedded/llama-s0 (trained here)" in text
    assert "holds in my/model (pretrained): its loss is 0.4 nats under a unigram model's" in text
    for row in re.findall(r"<tr>.*?</tr>", part, re.DOTALL):
        if "embedded/llama-s0" in row or "my/model" in row:
            assert 'class="verdict' not in row
    for line in terminal.board(SAMPLE):
        if "embedded/llama-s0" in line:
            assert "supported" not in line and "contradicted" not in line


@pytest.mark.parametrize(
    ("errors", "told"),
    [
        ([], "none of the tests that decide it was selected"),
        ([{"nodeid": "a", "message": "a: no words"}], "1 of its tests broke: no words"),
        ([{"nodeid": n, "message": f"{n}: no words"} for n in "ab"], "2 of its tests broke: no words"),
        ([{"nodeid": n, "message": f"{n}: {n}"} for n in "ab"], "2 of its tests broke, the first of them: a"),
    ],
)
def test_a_claim_without_a_verdict_says_whether_its_tests_broke_and_why(errors, told):
    claim = {"id": "C05", "selected": True, "verdicts": {}, "in_scope": {}, "errors": errors}
    assert terminal.board({"claims": [claim]}) == [f"C05  not-run       {told}"]


def test_every_model_s_tier_stands_beside_it():
    text = Page(sample_page()).text()
    assert "paper/llama-3.1-8b (printed table)" in text
    assert "smollm2-135m (pretrained)" in text
    assert "controlled/rope-10000 (trained here)" in text


def test_what_was_not_run_is_grouped_by_reason():
    entries = differences.not_run(SAMPLE)
    assert [entry["why"] for entry in entries] == [
        "base 500000 is measured at paper scale only",
        "its weights are not here",
    ]
    results = copy.deepcopy(SAMPLE)
    row = next(row for row in results["evidence"] if row["verdict"] == NOT_RUN and row["claim"] == "C06")
    results["evidence"].append(row | {"claim": "C11"})
    (line,) = [line for line in terminal.not_run(results) if "weights" in line]
    assert line == (
        "NOT RUN: its weights are not here: C06, C11 llama-3.1-8b (pretrained); to run it: "
        "pytest claims/ --claim C06 --model llama-3.1-8b"
    )


def not_run_rows(*commands: tuple[str, str, str]) -> dict:
    """The sample with rows that were not run for one reason. commands: (claim, model, to_run)."""
    row = next(row for row in SAMPLE["evidence"] if row["verdict"] == NOT_RUN and row["claim"] == "C06")
    made = [
        row | {"claim": claim, "model": model, "reason": "not here", "to_run": to_run}
        for claim, model, to_run in commands
    ]
    return {**SAMPLE, "evidence": made}


QUOTED = shlex.quote("it's")


def test_one_command_runs_all_that_was_not_run_for_one_reason():
    (entry,) = differences.not_run(
        not_run_rows(
            ("C06", "a", "pytest claims/ --claim C06 --model a --qa nq20"),
            ("C06", "b c", f"pytest claims/ --claim C06 --model {shlex.quote('b c')} --qa nq20"),
            ("C06", "it's", f"pytest claims/ --claim C06 --model {QUOTED} --qa nq20"),
            ("C11", "a", "pytest claims/ --claim C11 --model a --qa nq20"),
        )
    )
    words = ["--claim", "C06", "--claim", "C11", "--model", "a", "--model", "b c", "--model", "it's", "--qa", "nq20"]
    assert shlex.split(entry["to_run"]) == ["pytest", "claims/", *words]
    assert entry["what"] == {"C06": ["a", "b c", "it's"], "C11": ["a"]}


def test_what_takes_another_command_stands_apart():
    found = differences.not_run(
        not_run_rows(
            ("C06", "a", "pytest claims/ --claim C06"),
            ("C08", "a", "pytest claims/ --claim C08 --scale paper"),
            ("C09", "a", ""),
            ("C10", "a", "leave out --scale smoke"),
        )
    )
    assert {entry["to_run"]: list(entry["what"]) for entry in found} == {
        "pytest claims/ --claim C06": ["C06"],
        "pytest claims/ --claim C08 --scale paper": ["C08"],
        "": ["C09"],
        "leave out --scale smoke": ["C10"],
    }
