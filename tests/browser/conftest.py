"""A server of our own and a real browser; nothing may leave the machine, nothing may go wrong."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from dashboard.server import free_port
from tests.browser import chrome

ROOT = Path(__file__).parents[2]
# Milliseconds; long, for crowded cores. Shorter is handy while writing a test.
PATIENCE = int(os.environ.get("HALOSCOPE_TEST_PATIENCE", "240000"))

_PAGES = "tables|own_model|heads|masks|interactions|prune"
PROBE = re.compile(rf"/({_PAGES})/_stcore/(health|host-config)$")

expect.set_options(timeout=PATIENCE)


@pytest.fixture(scope="session")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    port = free_port(8650)
    log = (tmp_path_factory.mktemp("server") / "log.txt").open("w")
    command = [sys.executable, "-m", "dashboard.command.main", "--no-browser", "--port", str(port)]
    server = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env={**os.environ})
    try:
        _wait_for(f"http://127.0.0.1:{port}/_stcore/health", server)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)
        log.close()
    told = Path(log.name).read_text()
    assert "Traceback" not in told, told


def _wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert server.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("the server did not answer")


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    found = chrome.find()
    assert found is not None, chrome.HOW
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=found, args=list(chrome.ARGUMENTS), timeout=PATIENCE
        )
        yield started
        started.close()


class Watched:
    """Opens pages and notes whatever should not happen on them."""

    def __init__(self, browser: Browser, address: str) -> None:
        self.address = address
        self.faults: list[str] = []
        self._browser = browser

    def open(
        self, query: str = "", *, width: int = 1400, height: int = 950, scheme: str = "light"
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,  # type: ignore[arg-type]
            reduced_motion="reduce",
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.faults.append(f"error on the page: {error}"))
        page.on("request", lambda request: self._request(request.url))
        page.goto(self.address + query)
        return page

    def _console(self, message: ConsoleMessage) -> None:
        # Opened at a page of its own, Streamlit's browser code looks for its server below that
        # page's address first, and finds it above: two lines about files that are not there.
        search = "404" in message.text and PROBE.search(message.location.get("url", ""))
        if message.type == "error" and not search:
            self.faults.append(f"console: {message.text}")

    def _request(self, url: str) -> None:
        inside = (self.address, self.address.replace("http", "ws"), "data:", "blob:")
        if not url.startswith(inside):
            self.faults.append(f"request to {url}")


@pytest.fixture
def watched(browser: Browser, address: str) -> Iterator[Watched]:
    watcher = Watched(browser, address)
    yield watcher
    for context in browser.contexts:
        context.close()
    assert not watcher.faults, "\n".join(watcher.faults)
