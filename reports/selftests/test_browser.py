"""The page in a real browser, on a telephone's screen and on a desk's: nothing sticks out, the answer is on the first one."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from reports.render import render
from reports.selftests.sample import document

BROWSER = next(
    (found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None
)
pytestmark = pytest.mark.skipif(BROWSER is None, reason="needs Chromium: apt-get install chromium")
WIDTHS = (390, 1280)

# the page stands in frames of these widths, and a script outside it (its own policy allows none) measures them
MEASURE = """<!DOCTYPE html><body>{frames}<pre id="out"></pre><script>
onload = () => {{
  const said = [];
  for (const frame of document.querySelectorAll("iframe")) {{
    const page = frame.contentDocument, room = page.documentElement.clientWidth;
    const out = [...page.body.querySelectorAll("*")].filter((part) => part.getBoundingClientRect().right > room + 1
      && !part.closest(".scroll, .skip, .visually-hidden, pre, .facts dd, details:not([open]) > :not(summary)"));
    const answer = page.querySelector(".answer").getBoundingClientRect();
    said.push([frame.id, page.documentElement.scrollWidth - room, out.length, Math.round(answer.top)].join(" "));
  }}
  document.getElementById("out").textContent = said.join(";");
}};
</script></body>
"""


def measured(tmp_path, page: str) -> dict[int, tuple[int, int, int]]:
    """Width of the frame -> (pixels that the page is too wide, parts that stick out, top of the answer)."""
    (tmp_path / "page.html").write_text(page, encoding="utf-8")
    frames = "".join(f'<iframe id="{width}" src="page.html" width="{width}" height="900"></iframe>' for width in WIDTHS)
    (tmp_path / "measure.html").write_text(MEASURE.format(frames=frames), encoding="utf-8")
    flags = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-web-security",
        "--allow-file-access-from-files",
    ]
    command = [BROWSER, *flags, f"--user-data-dir={tmp_path}/profile", "--virtual-time-budget=20000", "--dump-dom"]
    done = subprocess.run([*command, (tmp_path / "measure.html").as_uri()], capture_output=True, text=True, timeout=240)
    said = re.search(r'<pre id="out">([^<]+)</pre>', done.stdout)
    assert said, f"the browser measured nothing: {done.stderr[-500:]}"
    return {int(width): tuple(map(int, rest)) for width, *rest in (part.split() for part in said[1].split(";"))}


def test_nothing_sticks_out_and_the_answer_is_on_the_first_screen(tmp_path):
    found = measured(tmp_path, render(document()))
    for width in WIDTHS:
        too_wide, sticking_out, top = found[width]
        assert (too_wide, sticking_out) == (0, 0), (width, found[width])
        assert top < 600, (width, top)


def test_the_measure_sees_a_page_that_is_too_wide(tmp_path):
    """The control: one line that cannot break."""
    wide = (
        '<p class="answer" style="white-space: nowrap; max-width: none; width: max-content">'
        + "one line " * 200
        + "</p>"
    )
    found = measured(tmp_path, re.sub(r'<p class="answer">.*?</p>', wide, render(document()), flags=re.DOTALL))
    for width in WIDTHS:
        too_wide, sticking_out, _ = found[width]
        assert too_wide > 0 and sticking_out > 0
