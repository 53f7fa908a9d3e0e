"""How long a person waits: from opening the page to its title and its heatmap.

Prints medians over a few starts of a cold server; the browser is started beforehand.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from dashboard.server import free_port  # noqa: E402
from tests.browser import chrome  # noqa: E402

STARTS = 3
MAP = ".st-key-map .js-plotly-plot .heatmaplayer image"
OVERLAY = ".st-key-card-overlay [data-testid='stImage'] img"


def one_start(browser: Browser) -> dict[str, float]:
    """Return seconds of one cold start, by what was waited for."""
    port = free_port(8700)
    command = [sys.executable, "-m", "dashboard.command.main", "--no-browser", "--port", str(port)]
    began = time.perf_counter()
    server = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "HALOSCOPE_CACHE_MB": "0"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        address = f"http://127.0.0.1:{port}"
        _until_it_answers(f"{address}/_stcore/health")
        told = {"server answers, after the command": time.perf_counter() - began}
        page = browser.new_page()
        opened = time.perf_counter()
        page.goto(address, wait_until="commit")
        for name, selector in (("title", "h1"), ("overlay", OVERLAY), ("heatmap", MAP)):
            page.wait_for_selector(selector, state="attached", timeout=300_000)
            told[f"{name}, after opening"] = time.perf_counter() - opened
        page.close()
        return told
    finally:
        server.terminate()
        server.wait(30)


def importing(name: str) -> float:
    """Return how long this machine needs to import a package, at best of three."""
    spent = []
    for _ in range(3):
        began = time.perf_counter()
        subprocess.run([sys.executable, "-c", f"import {name}"], check=True)
        spent.append(time.perf_counter() - began)
    return min(spent)


def _until_it_answers(url: str) -> None:
    while True:
        try:
            with urllib.request.urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.05)


def main() -> None:
    """Print the figures."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chrome.find(), args=list(chrome.ARGUMENTS)
        )
        print(f"to compare machines: import torch alone takes {importing('torch'):.1f} s")
        starts = [one_start(browser) for _ in range(STARTS)]
        browser.close()
    print(f"start (median of {STARTS}, seconds)")
    for name in starts[0]:
        values = [start[name] for start in starts]
        print(f"  {name}: {statistics.median(values):.2f} ({min(values):.2f} – {max(values):.2f})")


if __name__ == "__main__":
    main()
