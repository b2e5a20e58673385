"""Headless Chromium without a network, driven through the pipes of its DevTools protocol."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-extensions", "--disable-background-networking"),
    # No name has an address, and a proxy that does not exist refuses the rest.
    *("--host-resolver-rules=MAP * ~NOTFOUND", "--proxy-server=127.0.0.1:9"),
    *("--remote-debugging-pipe", "--window-size=1280,900", "--hide-scrollbars"),
)


def find_browser() -> str | None:
    """Return the path of an installed Chromium, None if there is none."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """One page of Chromium.

    Attributes
    ----------
    problems : list of str
        Errors and warnings of the console, exceptions, and dialogs.
    requests : list of str
        Addresses that were requested, but for files and data of the page itself.
    """

    def __init__(self, program: str) -> None:
        self._folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        to_read, self._to = os.pipe()
        self._from, to_write = os.pipe()

        def as_3_and_4() -> None:
            low, high = os.dup(to_read), os.dup(to_write)
            for given, number in ((low, 3), (high, 4)):
                os.dup2(given, number)
                # A copy that already has the number is still closed by exec.
                os.set_inheritable(number, True)

        self._process = subprocess.Popen(
            [program, *FLAGS, f"--user-data-dir={self._folder.name}", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=as_3_and_4,
            close_fds=False,
        )
        os.close(to_read)
        os.close(to_write)
        self._buffer, self._n_sent, self._session = b"", 0, ""
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._attach()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(Exception):
            self.send("Browser.close", in_page=False)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._to)
        os.close(self._from)
        self._folder.cleanup()

    def _attach(self) -> None:
        found = self.send("Target.getTargets", in_page=False)["targetInfos"]
        target = next(each["targetId"] for each in found if each["type"] == "page")
        given = self.send("Target.attachToTarget", in_page=False, targetId=target, flatten=True)
        self._session = given["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def send(self, method: str, in_page: bool = True, **parameters: Any) -> dict[str, Any]:
        """Send a command, and return its result."""
        self._n_sent += 1
        message = {"id": self._n_sent, "method": method, "params": parameters}
        if in_page:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        while True:
            received = self._receive()
            if received.get("id") == self._n_sent:
                assert "error" not in received, received["error"]
                return received["result"]
            self._note(received)

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            part = os.read(self._from, 1 << 20)
            assert part, "the browser has ended"
            self._buffer += part
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def _note(self, event: dict[str, Any]) -> None:
        name, found = event.get("method"), event.get("params", {})
        if name == "Runtime.exceptionThrown":
            self.problems.append(json.dumps(found["exceptionDetails"])[:1000])
        elif name == "Runtime.consoleAPICalled" and found["type"] in ("error", "warning", "assert"):
            self.problems.append(json.dumps(found["args"])[:1000])
        elif name == "Log.entryAdded" and found["entry"]["level"] in ("error", "warning"):
            self.problems.append(found["entry"]["text"])
        elif name == "Page.javascriptDialogOpening":
            self.problems.append(f"dialog: {found['message']}")
            self.send("Page.handleJavaScriptDialog", accept=True)
        elif name == "Network.requestWillBeSent":
            address = found["request"]["url"]
            if not address.startswith(("file:", "data:", "blob:", "about:")):
                self.requests.append(address)

    def open(self, path: Path) -> float:
        """Open a report; return the seconds until its tables and its network are there."""
        self.problems.clear()
        self.requests.clear()
        start = time.perf_counter()
        self.send("Page.navigate", url=path.as_uri())
        self.wait("typeof report !== 'undefined' && report.is_ready")
        return time.perf_counter() - start

    def run(self, expression: str) -> Any:
        """Return the value of an expression of JavaScript; promises are awaited."""
        found = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def wait(self, condition: str, seconds: float = 30) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + seconds
        while not self.run(f"Boolean({condition})"):
            assert time.monotonic() < end, f"never true: {condition}; {self.problems}"
            time.sleep(0.02)

    def press(self, key: str, **parameters: Any) -> None:
        """Press a key, such as "Tab" or "a"."""
        codes = {"Tab": 9, "Enter": 13, "ArrowDown": 40, "ArrowUp": 38, "ArrowRight": 39}
        text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
        shared = {"key": key, "windowsVirtualKeyCode": codes.get(key, 0), **parameters}
        self.send("Input.dispatchKeyEvent", type="keyDown", **shared, **text)
        self.send("Input.dispatchKeyEvent", type="keyUp", **shared)

    def write(self, text: str) -> None:
        """Write text where the focus is."""
        self.send("Input.insertText", text=text)

    def click(self, x: float, y: float) -> None:
        """Click a place of the window."""
        self.drag((x, y), (x, y))

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        """Press the mouse at one place, and release it at another."""
        self._mouse("mouseMoved", start)
        self._mouse("mousePressed", start)
        for share in (0.25, 0.5, 0.75, 1.0) if start != end else ():
            place = tuple(a + share * (b - a) for a, b in zip(start, end, strict=True))
            self._mouse("mouseMoved", place)
        self._mouse("mouseReleased", end)

    def _mouse(self, kind: str, place: tuple[float, ...]) -> None:
        held: dict[str, Any] = {"button": "left", "clickCount": 1, "buttons": 1}
        x, y = place
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **held)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        """Write a picture of the window, or of the whole page."""
        found = self.send("Page.captureScreenshot", captureBeyondViewport=whole)
        path.write_bytes(base64.b64decode(found["data"]))
