"""The page in a real browser, on a telephone's screen and on a desk's, in light and dark, by keyboard and printed."""

from __future__ import annotations

import json
import os
import re
import time
from pathlib import Path

import pytest

from reports import browser, check
from reports.render import render
from reports.selftests.sample import document

pytestmark = pytest.mark.skipif(browser.executable() is None, reason=browser.MISSING)
WIDTHS = (390, 1280)
LATEST = Path(__file__).parents[1] / "latest/results.json"
LEAST_CONTRAST, MOST_PAGES, MOST_BYTES, MOST_SECONDS = 4.5, 60, 3 * 2**20, 10

OPEN = "document.querySelectorAll('details').forEach((part) => { part.open = true; })"
STICKS_OUT = """(() => {
  const room = document.documentElement.clientWidth;
  const out = [...document.body.querySelectorAll("*")].filter((part) => part.getBoundingClientRect().right > room + 1
    && !part.closest(".scroll, .skip, .visually-hidden, pre, .facts dd, details:not([open]) > :not(summary)"));
  return [document.documentElement.scrollWidth - room, out.map((part) => part.outerHTML.slice(0, 120)).slice(0, 5)];
})()"""
OUT_OF_SIGHT = """[...document.querySelectorAll(".rows")].filter((table) => {
  const room = table.closest(".scroll");
  return room.scrollWidth > room.clientWidth + 1
    || [...table.querySelectorAll(".decided")].some((part) => part.getBoundingClientRect().right > innerWidth + 1);
}).map((table) => table.closest(".scroll").getAttribute("aria-label")).slice(0, 5)"""
CROPPED = """[...document.querySelectorAll(".scroll")].filter((part) => part.scrollWidth > part.clientWidth + 1
  && !part.querySelector("svg.figure") && part.checkVisibility({contentVisibilityAuto: true}))
  .map((part) => part.getAttribute("aria-label"))"""
ANSWER_TOP = "Math.round(document.querySelector('.answer').getBoundingClientRect().top)"

# WCAG 2.2, 1.4.3: relative luminance of a text's colour against the nearest background that is not see-through
CONTRASTS = """(() => {
  const rgba = (text) => (text.match(/[\\d.]+/g) || [0, 0, 0, 0]).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
    .map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4))
    .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
  const behind = (part) => {
    for (; part; part = part.parentElement) {
      const colour = rgba(getComputedStyle(part).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return rgba(getComputedStyle(document.documentElement).backgroundColor);
  };
  const found = {};
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walk.nextNode(); node; node = walk.nextNode()) {
    const part = node.parentElement;
    if (!node.data.trim() || part.closest("script, style, title, desc, .visually-hidden, .skip")) continue;
    if (!part.getClientRects().length) continue;
    const style = getComputedStyle(part);
    const [a, b] = [light(rgba(part.closest("svg") ? style.fill : style.color)), light(behind(part))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    const key = part.tagName + "." + (part.getAttribute("class") || "");
    if (!(key in found) || ratio < found[key][0]) found[key] = [ratio, node.data.trim().slice(0, 60)];
  }
  return found;
})()"""

PRINTED_WIDTH, PRINTED_HEIGHT = 717, 1045  # CSS pixels of A4 within margins of 0.4 inches
TALLER = f"""[...document.querySelectorAll("figure.use, .findings li, .board > [role=row], ul.plain > li")]
  .map((part) => [part.outerHTML.slice(0, 80), part.getBoundingClientRect().height])
  .filter(([, height]) => height > {PRINTED_HEIGHT})"""
OVERLAP = """[...document.querySelectorAll(".panels")].filter((part) =>
  [...part.querySelectorAll("svg, .periods")].some((inner) => inner.getBoundingClientRect().bottom
    > part.nextElementSibling.getBoundingClientRect().top + 1)).length"""

REACHABLE = """[...document.querySelectorAll("a[href], summary, input, [tabindex='0']")]
  .filter((part) => part.getClientRects().length && part.checkVisibility({contentVisibilityAuto: true})).length"""
FOCUSED = """(() => {
  const part = document.activeElement;
  if (part === document.body) return null;
  window.seen = window.seen || new Set();
  window.seen.add(part);
  return [window.seen.size, getComputedStyle(part).outlineStyle !== "none"];
})()"""


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b(?!s)", pdf))


@pytest.fixture(scope="module", params=["sample", "latest run"])
def page(request, tmp_path_factory):
    """(path of a report, its bytes, seconds of processor that drawing it took)."""
    if request.param == "sample":
        results = document()
    elif LATEST.exists():
        results = check.load(LATEST)
    else:
        pytest.skip("no run has left reports/latest/results.json here: pytest claims/")
    began = time.process_time()
    text = render(results)
    took = time.process_time() - began
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(text, encoding="utf-8")
    return path, len(text.encode()), took


@pytest.fixture(scope="module")
def tab(page):
    with browser.opened(page[0]) as opened:
        yield opened


def test_it_is_small_and_soon_drawn(page):
    _, size, took = page
    assert size < MOST_BYTES, size
    if took >= MOST_SECONDS and os.getloadavg()[0] > (os.cpu_count() or 1):
        pytest.skip(f"{took:.1f} s of processor, on a machine that is busy with other work: says nothing")
    assert took < MOST_SECONDS, took


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out_and_the_answer_is_on_the_first_screen(tab, width):
    tab.size(width, 844)
    assert tab.run(STICKS_OUT) == [0, []]
    assert tab.run(ANSWER_TOP) < 600
    assert tab.run(CROPPED) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(tab, scheme):
    tab.size(1280, 900)
    tab.scheme(scheme)
    found = tab.run(CONTRASTS)
    assert len(found) > 20
    assert not {what: told for what, told in found.items() if told[0] < LEAST_CONTRAST}


def test_the_keyboard_reaches_everything_and_shows_where_it_is(tab):
    tab.size(1280, 900)
    tab.run("window.seen = new Set(); document.activeElement.blur(); window.scrollTo(0, 0)")
    count, reached = tab.run(REACHABLE), 0
    for _ in range(count + 5):
        tab.press("Tab", 9)
        told = tab.run(FOCUSED)
        if told is None:
            break
        reached = told[0]
        assert told[1], tab.run("document.activeElement.outerHTML.slice(0, 200)")
    assert reached >= count, (reached, count)


def test_it_prints_on_few_pages(tab):
    tab.size(1280, 900)
    assert 1 <= pages(tab.pdf()) < MOST_PAGES


def test_nothing_printed_in_one_piece_is_taller_than_a_page(tab):
    """Else the browser cuts it, and what is placed in percent of its height lies over the text below."""
    tab.size(PRINTED_WIDTH, 900)
    tab.media("print")
    try:
        assert tab.run(TALLER) == []
        assert tab.run(OVERLAP) == 0
    finally:
        tab.media("screen")


def test_nothing_sticks_out_with_everything_open(tab):
    tab.run(OPEN)
    for width in WIDTHS:
        tab.size(width, 844)
        assert tab.run(STICKS_OUT) == [0, []], width
    assert tab.run(CROPPED) == []  # on a desk no table is wider than the page


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_every_verdict_of_a_rule_and_a_control_is_in_sight(tab, scheme):
    tab.run(OPEN)
    tab.size(390, 844)
    tab.scheme(scheme)
    assert tab.run("document.querySelectorAll('.rows .decided').length") > 0
    assert tab.run(OUT_OF_SIGHT) == []
    found = tab.run(CONTRASTS)
    assert not {what: told for what, told in found.items() if told[0] < LEAST_CONTRAST}


def test_the_checks_see_what_they_are_for(tmp_path):
    """The controls: a line that cannot break, pale text, a link out of the keyboard's reach, sixty printed pages."""
    spoilt = (
        '<body><p style="white-space: nowrap; max-width: none; width: max-content">' + "one line " * 200 + "</p>"
        '<p id="pale" class="pale" style="color: #999; background: #fff">pale</p>'
        '<a href="#x" style="outline: none">no outline</a>' + '<div style="break-after: page">a page</div>' * 61
    )
    (tmp_path / "page.html").write_text(
        re.sub("<body>", lambda _: spoilt, render(document()), count=1), encoding="utf-8"
    )
    with browser.opened(tmp_path / "page.html") as tab:
        tab.size(1280, 900)
        tab.scheme("light")
        too_wide, out = tab.run(STICKS_OUT)
        assert too_wide > 0 and out
        assert tab.run(CONTRASTS)["P.pale"][0] == pytest.approx(2.85, abs=0.01)
        tab.press("Tab", 9)
        assert json.loads(json.dumps(tab.run(FOCUSED)))[1] is False
        assert pages(tab.pdf()) >= MOST_PAGES
        tab.run("document.querySelector('.findings li').style.paddingTop = '1100px'")
        assert tab.run(TALLER)
