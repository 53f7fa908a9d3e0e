"""Generator → ratio → draw → fill → a map as the mask → download, in a real browser."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine.results import load_result
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

MASK, ANSWER, FILLS, CURVE = "mask", "answer", "fills", "curve"
GIVEN = ".st-key-card-m-masked [data-testid='stImage'] img"
FOLLOWED = ".st-key-m-salient-picture [data-testid='stImage'] img"
SCENE = "?model=scenes-resnet&sample=scenes/circle-04"


def chart(name: str) -> str:
    return f".st-key-chart-{name} .js-plotly-plot"


def opened(watched: Watched, query: str = SCENE, **more: Any) -> Page:
    page = watched.open(f"/masks{query}", **more)
    expect(page.locator(chart(MASK))).to_be_visible()
    reading.idle(page)
    return page


def drawn(page: Page, name: str) -> str:
    """All that a chart holds, in short."""
    expect(page.locator(chart(name)).first).to_be_visible()
    reading.idle(page)
    return str(
        page.evaluate(
            """selector => {
                const d = document.querySelector(selector), l = d.layout;
                const list = given => Array.from(given || [], part =>
                    typeof part === 'object' && part !== null ? Array.from(part) : part);
                return JSON.stringify([
                    d._fullData.map(t => [t.name, list(t.x), list(t.y), list(t.text)]),
                    (l.shapes || []).map(s => [s.x0, s.x1]),
                    (l.images || []).map(i => i.source),
                ]);
            }""",
            chart(name),
        )
    )


def point(page: Page, x: float, y: float) -> tuple[float, float]:
    """Where a place of the mask, in cells, lies on the screen."""
    found = page.evaluate(
        """([selector, x, y]) => {
            const d = document.querySelector(selector);
            d.scrollIntoView({block: 'center'});
            const box = d.querySelector('.nsewdrag').getBoundingClientRect();
            return [box.x + d._fullLayout.xaxis.d2p(x), box.y + d._fullLayout.yaxis.d2p(y)];
        }""",
        [chart(MASK), x, y],
    )
    return found[0], found[1]


def drag(page: Page, *places: tuple[float, float]) -> None:
    """Drag over the mask from place to place, in cells."""
    points = [point(page, *place) for place in places]
    page.mouse.move(*points[0])
    page.mouse.down()
    for place in points[1:]:
        page.mouse.move(*place, steps=6)
    page.mouse.up()


def hidden(page: Page, share: str) -> None:
    """Wait until so much is hidden."""
    expect(page.locator(".st-key-card-m-mask")).to_contain_text(f"{share} % hidden")
    reading.idle(page)


class Changes:
    """What charts and pictures held before; each must hold something else after."""

    def __init__(self, page: Page, charts: tuple[str, ...], pictures: tuple[str, ...] = ()) -> None:
        self.page = page
        self.charts = {name: drawn(page, name) for name in charts}
        self.pictures = {name: reading.source(page, name) for name in pictures}

    def seen(self) -> None:
        for name, old in self.charts.items():
            assert drawn(self.page, name) != old, name
        for name, source in self.pictures.items():
            assert reading.source(self.page, name) != source, name


def slide(page: Page, label: str, steps: int) -> None:
    slider = page.get_by_role("slider", name=label)
    slider.focus()
    for _ in range(abs(steps)):
        page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
    reading.idle(page)


def measured(page: Page, name: str, found: str) -> None:
    """Press the button if the work waits for it, and wait for its chart."""
    button = page.locator(f".st-key-run-{name} button")
    expect(button.or_(page.locator(chart(found))).first).to_be_visible()
    if button.count():
        button.click()
    expect(page.locator(chart(found))).to_be_visible()
    reading.idle(page)


def test_the_story(watched: Watched, tmp_path: Path) -> None:
    page = opened(watched)
    measured(page, "fills", FILLS)

    before = Changes(page, (MASK, ANSWER, FILLS), (GIVEN,))
    reading.choose(page, "What hides", "Square blocks")
    measured(page, "fills", FILLS)
    before.seen()

    before = Changes(page, (MASK, ANSWER), (GIVEN,))
    slide(page, "Hidden", 25)
    hidden(page, "75.0")
    before.seen()

    _draw(page)
    _another_fill(page)
    _a_map_as_the_mask(page)
    _download(page, tmp_path)


def _draw(page: Page) -> None:
    """Box, lasso, cell and superpixel draw; each changes mask and answer, and can be undone."""
    page.get_by_role("button", name="Draw on it").click()
    expect(page.get_by_role("button", name="Undo")).to_be_visible()
    page.get_by_role("button", name="Clear").click()
    hidden(page, "0.0")
    before = Changes(page, (MASK, ANSWER), (GIVEN,))
    started = time.perf_counter()
    drag(page, (1.6, 2.6), (6.4, 6.4))
    hidden(page, "31.2")
    print(f"from box to answer: {time.perf_counter() - started:.2f} s")
    before.seen()
    page.get_by_role("radio", name="Show").or_(
        page.get_by_role("button", name="Show")
    ).first.click()
    reading.idle(page)
    drag(page, (1.6, 2.6), (2.4, 6.4))
    hidden(page, "25.0")
    page.get_by_role("button", name="Undo").click()
    hidden(page, "31.2")

    _tool(page, "Lasso")
    drag(page, (1.6, 2.6), (3.4, 2.6), (3.4, 4.4), (1.6, 4.4), (1.6, 2.6))
    hidden(page, "25.0")
    _tool(page, "Cell")
    page.mouse.click(*point(page, 0, 0))
    hidden(page, "26.6")
    before = Changes(page, (MASK,), (GIVEN,))
    _tool(page, "Superpixel")
    page.mouse.click(*point(page, 7, 0))
    reading.idle(page)
    before.seen()
    page.get_by_role("button", name="Undo").click()
    hidden(page, "26.6")
    assert "drawn=64x64." in page.url and "generator=drawn" in page.url


def _tool(page: Page, name: str) -> None:
    tools = page.locator(".st-key-m-tools")
    tools.get_by_text(name, exact=True).click()
    reading.idle(page)


def _another_fill(page: Page) -> None:
    before = Changes(page, (ANSWER,), (GIVEN,))
    reading.choose(page, "What stands there", "Black")
    before.seen()


def _a_map_as_the_mask(page: Page) -> None:
    """The slider moves marker and picture; nothing is computed anew."""
    page.get_by_text("A map as the mask").click()
    reading.idle(page)
    measured(page, "sweep", CURVE)
    before = Changes(page, (CURVE,), (FOLLOWED,))
    slide(page, "Top of the map", 15)
    expect(page.get_by_text("With the top 35 % removed")).to_be_visible()
    before.seen()
    before = Changes(page, (CURVE,), (FOLLOWED,))
    page.get_by_text("Keep only the top").click()
    expect(page.get_by_text("With the top 35 % kept alone")).to_be_visible()
    before.seen()
    before = Changes(page, (MASK, ANSWER), (GIVEN,))
    page.get_by_role("button", name="Take it as the drawn mask").click()
    hidden(page, "65.0")
    before.seen()


def _download(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Result (safetensors)").click()
    file = folder / "mask.safetensors"
    waiting.value.save_as(file)
    found = load_result(file)
    assert found.keep.shape == (1, 64, 64)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Mask (PNG)").click()
    mask = np.asarray(Image.open(waiting.value.path()))
    np.testing.assert_array_equal(mask == 255, found.keep[0])
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Masked picture (PNG)").click()
    masked = np.asarray(Image.open(waiting.value.path()))
    assert (masked[~found.keep[0]] == 0).all(), "black is what was chosen to stand there"


def test_a_link_brings_a_drawing_to_another_tab(watched: Watched) -> None:
    page = opened(watched, f"{SCENE}&generator=drawn")
    drag(page, (-0.4, -0.4), (3.4, 7.4))
    hidden(page, "50.0")
    page.wait_for_url("**drawn=64x64**")
    other = opened(watched, page.url.partition("/masks")[2])
    hidden(other, "50.0")
    assert drawn(other, ANSWER) == drawn(page, ANSWER)


def test_narrow_and_dark(watched: Watched) -> None:
    page = opened(watched, f"{SCENE}&generator=fmix", width=400, height=900, scheme="dark")
    measured(page, "fills", FILLS)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_fill_that_does_not_suit_offers_others(watched: Watched) -> None:
    page = watched.open("/masks?model=scenes-vit&fill=layer-masking")
    expect(page.get_by_text("Layer masking is for convolutional networks")).to_be_visible()
    page.get_by_role("button", name="Token drop").click()
    expect(page.locator(chart(ANSWER))).to_be_visible()
