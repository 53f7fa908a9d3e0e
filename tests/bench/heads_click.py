"""From a click on a head to the changed prediction, as the browser sees it.

Starts the dashboard and a browser, lets clicks switch heads off, and clicks heads of a heatmap one
after the other: half of the clicks switch one off that was on, the others put it back. The clock
is the browser's own: from the pointer's press to the frame after the sentence below the prediction
has changed, to the frame after the picture of where the head looks has, and to that after the
mosaic of all heads has.

    python tests/bench/heads_click.py [--model REF] [--busy N] [--clicks N] [--address URL]
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from playwright.sync_api import Page, sync_playwright  # noqa: E402

from dashboard.server import free_port  # noqa: E402
from tests.browser import chrome, reading  # noqa: E402

_HEATMAP = ".st-key-chart-heatmap-one .js-plotly-plot"
_SAID = ".st-key-card-prediction-one"
_PLACES = {
    "the prediction": _SAID,
    "where it looks": ".st-key-chart-look-one",
    "all heads, some off": ".st-key-chart-mosaic-off-one",
}
# Notes when a press is seen, and when what stands in a place has been another for a frame.
_CLOCK = """([places]) => {
    window.timed = {};
    const told = () => places.map(place => {
        const card = document.querySelector(place);
        return card ? card.innerText + [...card.querySelectorAll('image')].map(
            image => image.getAttribute('href') || image.getAttribute('xlink:href')).join() : '';
    });
    const look = () => {
        const now = told();
        now.forEach((text, at) => {
            if (window.timed.before && window.timed.before[at] !== text
                && !(at in window.timed.seen)) {
                window.timed.seen[at] = performance.now() - window.timed.began;
            }
        });
        requestAnimationFrame(look);
    };
    document.addEventListener('mousedown', () => {
        window.timed = {began: performance.now(), before: told(), seen: {}};
    }, true);
    look();
}"""


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", default="scenes-vit")
    parser.add_argument("--busy", type=int, default=0, help="so many processes that want a core")
    parser.add_argument("--clicks", type=int, default=16)
    parser.add_argument("--address", help="of a dashboard that runs already")
    asked = parser.parse_args()
    with _served(asked.address, asked.model) as address, sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chrome.find(), args=list(chrome.ARGUMENTS)
        )
        page = browser.new_page(viewport={"width": 1400, "height": 950})
        page.goto(f"{address}/heads?model={asked.model}")
        page.locator(_HEATMAP).wait_for(timeout=120_000)
        reading.idle(page)
        page.get_by_text("A click switches off").click()
        reading.idle(page)
        page.evaluate(_CLOCK, [list(_PLACES.values())])
        for view in ("All heads", "Importance"):
            _view(page, view)
            with _busy(asked.busy):
                found = _clicked(page, asked.clicks)
            print(f"{asked.model}, view “{view}”, {asked.busy} other processes busy")
            for place, times in found.items():
                _tell(place, times)
        browser.close()


def _view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()
    reading.idle(page)


def _clicked(page: Page, clicks: int) -> dict[str, list[float]]:
    """Click heads; return the seconds after which each place had changed, where it did."""
    _click(page, clicks)  # one stays off throughout, so that what is shown with some off is there
    reading.idle(page)
    found: dict[str, list[float]] = {place: [] for place in _PLACES}
    for number in range(clicks):
        _click(page, number // 2)
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and "0" not in page.evaluate("window.timed.seen || {}"):
            page.wait_for_timeout(20)
        reading.idle(page)
        seen = page.evaluate("window.timed.seen")
        for index, place in enumerate(_PLACES):
            if str(index) in seen:
                found[place].append(seen[str(index)] / 1000)
    _click(page, clicks)
    reading.idle(page)
    return found


def _click(page: Page, number: int) -> None:
    """Click a head of the first layers, another for each number."""
    at = page.evaluate(
        """([selector, number]) => {
            const d = document.querySelector(selector);
            d.scrollIntoView({block: 'center'});
            const box = d.querySelector('.nsewdrag').getBoundingClientRect();
            const heads = d._fullLayout.xaxis.range[1] + 0.5;
            return [box.x + d._fullLayout.xaxis.d2p(number % heads),
                    box.y + d._fullLayout.yaxis.d2p(Math.floor(number / heads))];
        }""",
        [_HEATMAP, number],
    )
    page.mouse.move(at[0] - 3, at[1])
    page.mouse.move(*at)
    page.mouse.click(*at)


def _tell(place: str, found: list[float]) -> None:
    if not found:
        print(f"  {place}: not on this view, or the same throughout")
        return
    told = f"median {statistics.median(found):.2f} s, {min(found):.2f} to {max(found):.2f} s"
    print(f"  {place}: {told}, {len(found)} clicks")


@contextlib.contextmanager
def _served(address: str | None, model: str) -> Iterator[str]:
    if address:
        yield address
        return
    port = free_port(8700)
    command = [sys.executable, "-m", "dashboard.command.main", "--no-browser", "--port", str(port)]
    more = [] if ":" not in model else ["--model", model]
    server = subprocess.Popen([*command, *more], cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        for _ in range(300):
            with contextlib.suppress(OSError):
                urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1)
                break
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(20)


@contextlib.contextmanager
def _busy(count: int) -> Iterator[None]:
    """Run processes that want a core, meanwhile."""
    others = [multiprocessing.get_context("fork").Process(target=_turn) for _ in range(count)]
    for other in others:
        other.start()
    try:
        yield
    finally:
        for other in others:
            other.terminate()
            other.join()


def _turn() -> None:
    while True:
        os.getpid()


if __name__ == "__main__":
    main()
