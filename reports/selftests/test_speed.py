"""The page on speed: recorded ratios as they are, growth as one drawing, what did not run named as such."""

import copy

import pytest

from reports import render, speed

MACHINE = {"cpu": "a <processor>", "cores": 2}
STEP = {
    "name": "s",
    "what": "a <step>",
    "ratio": 0.7,
    "ratio_lowest": 0.6,
    "ratio_highest": 0.8,
    "at_least": 0.6,
    "machine": 0,
}
CURVE = {
    "name": "g",
    "what": "steps: lowest",
    "ratio": 0.5,
    "at_least": 0.4,
    "machine": 0,
    "growth": {"axis": "tokens", "at": [512, 1024], "ratio": [0.5, 0.7]},
}
SEEDS = copy.deepcopy(CURVE) | {"growth": {"axis": "seeds", "at": [1, 2, 5], "ratio": [9.0, 12.0, 20.0]}}
GPU = {"name": "u", "what": "on a GPU", "not_run": "no GPU at hand", "to_run": "pytest it"}
RECORDED = {"machines": [MACHINE], "benchmarks": [STEP, CURVE, SEEDS, GPU]}


@pytest.fixture
def page(monkeypatch):
    """page(recorded) -> the section as HTML."""

    def shown(recorded: dict) -> str:
        monkeypatch.setattr(speed, "load", lambda: speed.view(recorded))
        template = render.environment().get_template("speed.html.j2")
        return template.render(speed=render._speed())

    return shown


def test_everything_recorded_is_told(page):
    html = page(RECORDED)
    for word in (
        "a &lt;step&gt;",
        "0.7",
        "0.6",
        "0.8",
        "a &lt;processor&gt;",
        "tokens 512, 1024",
        "no GPU at hand",
        "pytest it",
    ):
        assert word in html
    assert "<svg" in html and "could not be drawn" not in html
    assert "on a GPU" not in html.partition("Not run")[0]  # never among what was measured
    assert page(RECORDED) == html


def test_without_curves(page):
    assert "<svg" not in page({"machines": [MACHINE], "benchmarks": [STEP]})


def test_the_recorded_page_is_small(page):
    recorded = speed.json.loads(speed.RECORDED.read_text(encoding="utf-8"))
    assert len(page(recorded).encode()) < 40_000
