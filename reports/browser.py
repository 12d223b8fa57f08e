"""A page in Chromium, driven over a pipe by the DevTools protocol: measured, photographed and printed. Nothing is installed.

Used by the self-tests of the page and by `python -m reports picture`.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = "needs Chromium: apt-get install chromium"
_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--remote-debugging-pipe",
)


class BrowserError(RuntimeError):
    """Chromium is missing, ended, or does not do what it is asked; one line."""


def executable() -> str | None:
    """Where Chromium lies, None where there is none."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@contextlib.contextmanager
def opened(page: Path, seconds: float = 240) -> Iterator[Tab]:
    """A tab that shows this file; every answer of the browser is waited for `seconds` at most."""
    program = executable()
    if program is None:
        raise BrowserError(MISSING)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        ours_in, theirs_out = os.pipe()
        theirs_in, ours_out = os.pipe()
        # the browser reads its file descriptor 3 and writes 4: ours must not lie there when they are put there
        given = [fcntl.fcntl(one, fcntl.F_DUPFD_CLOEXEC, 10) for one in (theirs_in, theirs_out)]
        nowhere = [(os.POSIX_SPAWN_OPEN, one, os.devnull, os.O_WRONLY, 0) for one in (1, 2)]
        puts = [(os.POSIX_SPAWN_DUP2, one, place) for place, one in enumerate(given, start=3)]
        command = [program, *_FLAGS, f"--user-data-dir={folder}/profile", "about:blank"]
        process = os.posix_spawn(program, command, os.environ, file_actions=[*nowhere, *puts])
        for one in (theirs_in, theirs_out, *given):
            os.close(one)
        try:
            yield Tab(ours_in, ours_out, page, seconds)
        finally:
            os.close(ours_out)  # it ends when nobody is left to tell it anything
            os.close(ours_in)
            _end(process)


def _end(process: int, seconds: float = 10) -> None:
    until = time.monotonic() + seconds
    while os.waitpid(process, os.WNOHANG)[0] == 0:
        if time.monotonic() > until:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            return
        time.sleep(0.05)


class Tab:
    """One page. Answers come in order; events in between are dropped, but for those that `_wait` waits for."""

    def __init__(self, reads: int, writes: int, page: Path, seconds: float):
        self._reads, self._writes, self._seconds = reads, writes, seconds
        self._buffer, self._number, self._session = b"", 0, None
        os.set_blocking(reads, False)
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")
        self.call("Page.navigate", url=page.resolve().as_uri())
        self._wait(lambda told: told.get("method") == "Page.loadEventFired")

    def call(self, method: str, **parameters) -> dict:
        """What the browser answers to one command of its protocol."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": parameters}
        asked |= {"sessionId": self._session} if self._session else {}
        text = json.dumps(asked).encode() + b"\0"
        while text:
            text = text[os.write(self._writes, text) :]
        told = self._wait(lambda told: told.get("id") == self._number)
        if "error" in told:
            raise BrowserError(f"{method}: {told['error'].get('message', 'refused')}")
        return told["result"]

    def _wait(self, wanted) -> dict:
        until = time.monotonic() + self._seconds
        while True:
            while b"\0" in self._buffer:
                message, _, self._buffer = self._buffer.partition(b"\0")
                told = json.loads(message)
                if wanted(told):
                    return told
            if time.monotonic() > until:
                raise BrowserError(f"Chromium did not answer within {self._seconds:g} s")
            try:
                part = os.read(self._reads, 1 << 20)
            except BlockingIOError:
                time.sleep(0.01)
                continue
            if not part:
                raise BrowserError("Chromium ended before it answered")
            self._buffer += part

    def size(self, width: int, height: int) -> None:
        """The window's inside, in CSS pixels; a telephone is one up to 500 pixels wide."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def scheme(self, name: str) -> None:
        """light or dark, as the reader's system has it."""
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": name}])

    def media(self, name: str) -> None:
        """screen or print."""
        self.call("Emulation.setEmulatedMedia", media=name)

    def run(self, script: str):
        """The value of a JavaScript expression, which must be plain JSON."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in told:
            raise BrowserError(f"script: {told['exceptionDetails'].get('exception', {}).get('description', 'failed')}")
        return told["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """One key down and up, such as Tab, 9."""
        for kind in ("rawKeyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def screenshot(self, height: int | None = None) -> bytes:
        """PNG of the window, or of the page's first `height` pixels."""
        clip = {}
        if height is not None:
            width = self.run("document.documentElement.clientWidth")
            clip = {
                "captureBeyondViewport": True,
                "clip": {"x": 0, "y": 0, "width": width, "height": height, "scale": 1},
            }
        return base64.b64decode(self.call("Page.captureScreenshot", format="png", **clip)["data"])

    def pdf(self) -> bytes:
        """The page as printed on A4."""
        told = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=False)
        return base64.b64decode(told["data"])
