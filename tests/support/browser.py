"""A real Chromium, driven by its DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from typing import TYPE_CHECKING, Any, Self

import pytest

if TYPE_CHECKING:
    from pathlib import Path

_OPTIONS = [
    *("--headless", "--no-sandbox", "--no-first-run", "--remote-debugging-pipe"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-gpu", "--disable-dev-shm-usage"),
]
_KEYS = {"Enter": (13, "\r"), " ": (32, " "), "Tab": (9, ""), "Escape": (27, "")}
_KEYS |= {f"Arrow{way}": (37 + n, "") for n, way in enumerate(("Left", "Up", "Right", "Down"))}


def chromium(without: str = "the page is not tried in a browser") -> str:
    """Return the command; skip where there is none, and say what that means."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip(f"Chromium is not installed: {without}")
    return found


class Browser:
    """One page; ``requests`` are the addresses that it asked for, ``complaints`` what it logged."""

    def __init__(self, folder: Path) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._folder, self._number, self._session = folder, 0, ""

    def __enter__(self) -> Self:
        command = [chromium(), *_OPTIONS, f"--user-data-dir={self._folder}"]
        theirs_in, self._out = os.pipe()
        into, theirs_out = os.pipe()

        def hand_over() -> None:  # it reads its orders from 3 and answers to 4
            high = os.dup(theirs_out)
            os.dup2(theirs_in, 3)
            os.dup2(high, 4)

        self._process = subprocess.Popen(
            command,
            preexec_fn=hand_over,
            pass_fds=(3, 4),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        self._answers = os.fdopen(into, "rb")
        self._read = b""
        target = self.order("Target.createTarget", url="about:blank")["targetId"]
        attached = self.order("Target.attachToTarget", targetId=target, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.order(f"{domain}.enable")
        return self

    def __exit__(self, *_: object) -> None:
        self._answers.close()
        os.close(self._out)  # it ends, and its children with it, when nobody can give it orders
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def order(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send an order and return its result."""
        self._number += 1
        order = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            order["sessionId"] = self._session
        os.write(self._out, json.dumps(order).encode() + b"\0")
        while (answer := self._next()).get("id") != self._number:
            self._note(answer)
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._read:
            more = self._answers.read1(65536)
            assert more, "Chromium has ended"
            self._read += more
        text, _, self._read = self._read.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        return message

    def _note(self, message: dict[str, Any]) -> None:
        told = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(told["exceptionDetails"]))

    def open(self, file: Path, part: str = "") -> None:
        """Open a file, and wait until all of its pictures are drawn."""
        self.order("Page.navigate", url="about:blank")
        self.requests.clear()
        self.complaints.clear()
        self.order("Page.navigate", url=f"{file.as_uri()}#{part}")
        self.drawn()

    def drawn(self) -> None:
        """Wait until all pictures are drawn."""
        self.run(
            "new Promise((done) => { const look = () => document.getElementById('pictures')"
            "?.dataset.drawn ? done() : setTimeout(look, 20); look(); })"
        )

    def run(self, script: str) -> Any:
        """Return what an expression gives."""
        wanted = {"expression": script, "awaitPromise": True, "returnByValue": True}
        result = self.order("Runtime.evaluate", **wanted)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys, one after the other."""
        for key in keys:
            code, text = _KEYS[key]
            given = {"key": key, "code": "Space" if key == " " else key, "text": text}
            given["windowsVirtualKeyCode"] = code  # type: ignore[assignment]
            for type_ in ("keyDown", "keyUp"):
                self.order("Input.dispatchKeyEvent", type=type_, **given)

    def show(self, width: int, height: int, *, dark: bool = False) -> None:
        """Give the page a size and a scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.order("Emulation.setDeviceMetricsOverride", **size)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.order("Emulation.setEmulatedMedia", features=[scheme])

    def photograph(self, file: Path) -> None:
        """Keep a screenshot."""
        file.write_bytes(base64.b64decode(self.order("Page.captureScreenshot")["data"]))
