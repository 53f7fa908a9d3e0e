"""From a ratio to a smaller network in Explore, in a real browser."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.models.loading import load_model
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

CURVE, MAP, CELLS = "i-curve", "i-map", "i-cells"
AFTER = ".st-key-pr-pair [data-testid='stImage'] img >> nth=1"


def chart(name: str) -> str:
    return f".st-key-chart-{name} .js-plotly-plot"


def gone(page: Page, count: int) -> None:
    """Wait until so many units are told to be gone."""
    told = re.compile(rf"Units gone\s*{count}\s*of 96")
    expect(page.locator(".st-key-card-pr-tiles")).to_contain_text(told)


def tile(page: Page, label: str) -> str:
    found = page.locator(".st-key-card-pr-tiles [data-testid='stMetric']").filter(has_text=label)
    return found.locator("[data-testid='stMetricValue']").inner_text()


def settled(page: Page) -> None:
    """Wait until sweep and picture are there."""
    expect(page.locator(chart(CURVE)).first).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    reading.idle(page)
    expect(page.locator(AFTER)).to_be_visible()
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    reading.idle(page)


def drawn(page: Page, name: str) -> str:
    """All that a chart holds, in short."""
    expect(page.locator(chart(name)).first).to_be_visible()
    return str(
        page.evaluate(
            """selector => JSON.stringify(document.querySelector(selector)._fullData.map(
                t => [t.name, Array.from(t.x || []), Array.from(t.y || [])]))""",
            chart(name),
        )
    )


def click(page: Page, name: str, key: list[int]) -> None:
    """Click the mark that stands for some places."""
    at: Any = page.evaluate(
        """([selector, key]) => {
            const d = document.querySelector(selector);
            d.scrollIntoView({block: 'center'});
            for (const t of d._fullData) {
                const at = Array.from(t.customdata || []).findIndex(
                    found => found && key.every((part, i) => found[i] === part));
                if (at < 0) continue;
                const box = d.querySelector('.nsewdrag').getBoundingClientRect();
                const left = t.type === 'bar' ? t.x[at] / 2 : t.x[at];
                return [box.x + d._fullLayout.xaxis.d2p(left),
                        box.y + d._fullLayout.yaxis.d2p(t.y[at])];
            }
        }""",
        [chart(name), key],
    )
    page.mouse.move(at[0] - 3, at[1])
    page.mouse.move(*at)
    page.mouse.click(*at)


def test_the_story(watched: Watched, tmp_path: Path) -> None:
    page = watched.open("/prune?model=digits-cnn&ratio=50")
    settled(page)
    _slider(page)
    _clicks(page)
    _export(page, tmp_path)
    _in_explore(page)


def _slider(page: Page) -> None:
    """The slider changes numbers, map, cells and the picture."""
    figures = {name: drawn(page, name) for name in (CURVE, MAP, CELLS)}
    heat, parameters = reading.source(page, AFTER), tile(page, "Parameters")
    started = time.perf_counter()
    page.get_by_role("slider").first.press("ArrowLeft")
    gone(page, 38)
    print(f"from key to numbers: {time.perf_counter() - started:.2f} s")
    settled(page)
    assert "ratio=40" in page.url
    assert tile(page, "Parameters") != parameters
    for name, before in figures.items():
        assert drawn(page, name) != before, name
    expect(page.get_by_text("After:")).to_be_visible()
    assert reading.source(page, AFTER) != heat


def _clicks(page: Page) -> None:
    """A click on the curve takes the ratio, one on the map the layer."""
    click(page, CURVE, [0, 5])
    gone(page, 48)
    settled(page)
    assert re.search("ratio=50|^((?!ratio=).)*$", page.url)
    before = drawn(page, CELLS)
    click(page, MAP, [0])
    expect(page.locator(".st-key-card-pr-cells")).to_contain_text("8 of 16 stay")
    reading.idle(page)
    assert drawn(page, CELLS) != before


def _export(page: Page, folder: Path) -> None:
    """The file that is downloaded is the small network."""
    page.get_by_role("radio", name="Export").or_(
        page.get_by_role("button", name="Export", exact=True)
    ).last.click()
    reading.idle(page)
    reading.choose(page, "Widths", "Any width")
    expect(page.get_by_text("19.4 k → 5.11 k parameters")).to_be_visible()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="The network (safetensors)").click()
    file = folder / waiting.value.suggested_filename
    waiting.value.save_as(file)
    small = load_model(f"file:{file}")
    widths = (5 * 5 * 1 * 8 + 8, 3 * 3 * 8 * 16 + 16, 3 * 3 * 16 * 24 + 24, 24 * 10 + 10)
    assert sum(one.numel() for one in small.module.parameters()) == sum(widths)
    page.get_by_role("button", name="Measure").click()
    expect(page.locator(chart("i-latency"))).to_be_visible()
    reading.idle(page)


def _in_explore(page: Page) -> None:
    page.get_by_role("button", name="Open it in Explore").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Why")
    expect(page.get_by_text("Up to date")).to_be_visible()
    assert "upload%3Adigits-cnn-50" in page.url or "upload:digits-cnn-50" in page.url


def test_a_narrow_page_scrolls_only_down(watched: Watched) -> None:
    page = watched.open("/prune?model=digits-cnn&ratio=30", width=400, height=900)
    settled(page)
    wide = page.evaluate(
        """() => { const m = document.querySelector('[data-testid="stMain"]');
                   return [m.scrollWidth, m.clientWidth]; }"""
    )
    assert wide[0] <= wide[1]
