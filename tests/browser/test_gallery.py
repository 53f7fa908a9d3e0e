"""From a set of pictures to the reason for one wrong answer, in a real browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


def opened(watched: Watched, scheme: str = "light") -> Page:
    page = watched.open(scheme=scheme)
    reading.settled(page, "Why “tiger cat”?")
    reading.go_to(page, "Gallery")
    expect(page.get_by_role("heading", level=1)).to_contain_text("What does EfficientNet-Lite0 say")
    return page


def test_from_a_wrong_answer_to_its_map(watched: Watched) -> None:
    page = opened(watched)
    reading.choose(page, "Model", "Digits CNN")
    expect(page.get_by_role("heading", level=1)).to_contain_text("How often is Digits CNN right?")
    expect(page.get_by_text("Named right")).to_be_visible()
    thumbnails = page.locator(".st-key-thumbnails img")
    expect(thumbnails).to_have_count(30)
    page.get_by_role("radio", name="Wrong").or_(
        page.get_by_role("button", name="Wrong", exact=True)
    ).first.click()
    reading.idle(page)
    buttons = page.locator(".st-key-thumbnails [data-testid=stButton] button")
    expect(buttons.first).to_contain_text("✗")
    said = (buttons.first.text_content() or "").removeprefix("✗").strip()
    for picture in thumbnails.all():
        assert "not" in (picture.get_attribute("alt") or "")
    expect(page.locator(".js-plotly-plot .heatmaplayer").first).to_be_attached()
    buttons.first.click()
    reading.settled(page, f"Why “{said.partition(',')[0]}”?")


def test_the_shortcut_is_seen(watched: Watched) -> None:
    page = watched.open("/?model=scenes-shortcut&sample=scenes-mistagged/heart-02")
    reading.settled(page, "Why “leaf”?")
    expect(page.get_by_text("peak outside")).to_be_visible()
    values = page.evaluate(
        "s => { const z = document.querySelector(s)._fullData[0].z; let best = [0, 0];"
        "z.forEach((row, r) => row.forEach((v, c) => { if (v > z[best[0]][best[1]]) best = [r, c];"
        "})); return best; }",
        reading.MAP,
    )
    assert values[0] >= 12, "the peak lies at the bottom"
    assert values[1] <= 4, "… and at the left, where the tag is"
    before = reading.source(page, reading.OVERLAY)
    page.get_by_text("True mask", exact=True).click()
    reading.idle(page)
    assert reading.source(page, reading.OVERLAY) != before


def test_narrow_and_dark(watched: Watched) -> None:
    page = opened(watched, scheme="dark")
    page.set_viewport_size({"width": 400, "height": 900})
    expect(page.locator(".st-key-thumbnails img")).to_have_count(6)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
