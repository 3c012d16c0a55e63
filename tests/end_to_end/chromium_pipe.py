"""A headless browser on a pipe: the few commands of the DevTools protocol that the tests of the reports need."""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "headless_shell")
TIMEOUT_S = 90.0
_OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync", "--disable-component-update"),
    *("--disable-background-networking", "--disable-dev-shm-usage", "--hide-scrollbars", "--remote-debugging-pipe"),
)
# The browser listens on descriptor 3 and answers on 4; nothing may run between fork and exec in a threaded process.
_LAUNCH = (
    "import os, sys; r, w = map(int, sys.argv[1:3]); os.dup2(r, 3); os.dup2(w, 4); os.execv(sys.argv[3], sys.argv[3:])"
)


def find_browser() -> str | None:
    """The first browser on the PATH that speaks the protocol."""
    return next((found for name in NAMES if (found := shutil.which(name))), None)


@dataclass
class Tab:
    """One page of the browser, and what happened on it."""

    browser: Browser
    session: str
    events: list[dict[str, Any]] = field(default_factory=list)

    def do(self, method: str, **parameters: Any) -> dict[str, Any]:
        return self.browser.do(method, self.session, **parameters)

    def open(self, url: str) -> None:
        """Go to an address and wait until everything is loaded."""
        self.events.clear()
        self.do("Page.navigate", url=url)
        self.browser.wait_until(lambda: any(event["method"] == "Page.loadEventFired" for event in self.events))

    def value(self, expression: str) -> Any:
        """What a JavaScript expression, or its promise, comes to."""
        done = self.do("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in done, done["exceptionDetails"]
        return done["result"].get("value")

    def press(self, key: str) -> None:
        code = {"ArrowRight": 39, "ArrowLeft": 37, "Tab": 9, "Enter": 13}[key]
        for kind in ("rawKeyDown", "keyUp"):
            self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=code)

    def picture(self, selector: str) -> bytes:
        """The pixels of an element."""
        box = self.value(
            f"(() => {{ const b = document.querySelector({selector!r}).getBoundingClientRect();"
            " return {x: b.x + scrollX, y: b.y + scrollY, width: b.width, height: b.height, scale: 1}; })()"
        )
        shot = self.do("Page.captureScreenshot", format="png", clip=box, captureBeyondViewport=True)
        return base64.b64decode(shot["data"])

    def resize(self, width: int, height: int = 900, mobile: bool = False) -> None:
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=mobile)

    @property
    def complaints(self) -> list[str]:
        """Errors on the console, exceptions and refused or failed requests."""
        bad = []
        for event in self.events:
            method, told = event["method"], event["params"]
            if method in ("Runtime.exceptionThrown", "Network.loadingFailed"):
                bad.append(json.dumps(told))
            elif method == "Runtime.consoleAPICalled" and told["type"] in ("error", "warning", "assert"):
                bad.append(json.dumps(told["args"]))
            elif method == "Log.entryAdded" and told["entry"]["level"] in ("error", "warning"):
                bad.append(told["entry"]["text"])
        return bad

    @property
    def requested(self) -> list[str]:
        """Addresses that the page asked for."""
        return [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]


class Browser:
    """A headless browser; use it as a context manager."""

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        read, self._write = os.pipe()
        self._read, write = os.pipe()
        command = [sys.executable, "-c", _LAUNCH, str(read), str(write), program, *_OPTIONS]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={self._folder.name}", "about:blank"],
            pass_fds=(read, write), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(read)
        os.close(write)
        self._left, self._last = b"", 0
        self._answers: dict[int, dict[str, Any]] = {}
        self._tabs: dict[str, Tab] = {}

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        os.close(self._write)
        os.close(self._read)
        self._folder.cleanup()

    def tab(self) -> Tab:
        """A new page that reports what happens on it."""
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        tab = Tab(self, self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"])
        self._tabs[tab.session] = tab
        for domain in ("Page", "Runtime", "Log", "Network"):
            tab.do(f"{domain}.enable")
        return tab

    def do(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """Send a command and wait for its result."""
        self._last += 1
        number = self._last
        message = {"id": number, "method": method, "params": parameters} | ({"sessionId": session} if session else {})
        os.write(self._write, json.dumps(message).encode() + b"\0")
        self.wait_until(lambda: number in self._answers)
        answer = self._answers.pop(number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return dict(answer["result"])

    def wait_until(self, condition: Any) -> None:
        """Take in messages until something has come true."""
        end = time.monotonic() + TIMEOUT_S
        while not condition():
            if not select.select([self._read], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError("the browser does not answer")
            part = os.read(self._read, 1 << 20)
            assert part, "the browser has ended"
            *messages, self._left = (self._left + part).split(b"\0")
            for message in map(json.loads, messages):
                if "id" in message:
                    self._answers[message["id"]] = message
                elif message.get("sessionId") in self._tabs:
                    self._tabs[message["sessionId"]].events.append(message)


def address(page: Path) -> str:
    """A file as the browser names it."""
    return page.resolve().as_uri()
