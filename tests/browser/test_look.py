"""The page at every width, in light and dark, for eyes, keyboard and screen readers."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


def boxes(page: Page) -> list[dict[str, float]]:
    found = []
    for selector in (reading.INPUT, reading.MAP, reading.OVERLAY):
        box = page.locator(selector).first.bounding_box()
        assert box
        found.append(box)
    return found


@pytest.mark.parametrize(
    ("width", "scheme", "ground"),
    [
        (400, "light", "rgb(255, 255, 255)"),
        (1024, "dark", "rgb(16, 18, 24)"),
        (1600, "light", "rgb(255, 255, 255)"),
    ],
)
def test_three_equal_squares_and_nothing_cut_off(
    watched: Watched, width: int, scheme: str, ground: str
) -> None:
    page = watched.open(width=width, height=1000, scheme=scheme)
    reading.settled(page, "Why “tiger cat”?")
    squares = boxes(page)
    for box in squares:
        assert box["width"] == pytest.approx(box["height"], abs=2)
        assert box["width"] == pytest.approx(squares[0]["width"], abs=2)
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    drawn = page.evaluate(
        "getComputedStyle(document.querySelector('[data-testid=stApp]')).backgroundColor"
    )
    assert drawn == ground
    font = page.evaluate("document.fonts.check('16px Inter')")
    assert font, "the page's own font is loaded"


def test_pictures_have_words_and_hovering_tells_the_value(watched: Watched) -> None:
    page = watched.open()
    reading.settled(page, "Why “tiger cat”?")
    for picture in page.locator("[data-testid='stImage'] img").all():
        assert picture.get_attribute("alt")
    expect(page.get_by_role("figure", name="Grad-CAM map for tiger cat")).to_be_visible()
    expect(page.get_by_role("figure", name="Predictions: tiger cat")).to_be_visible()

    box = boxes(page)[1]
    step = box["width"] / 7
    page.mouse.move(box["x"] + 1.5 * step, box["y"] + 3.5 * step, steps=3)
    told = page.locator(f"{reading.MAP} .hoverlayer .hovertext")
    expect(told).to_contain_text("row 3, column 1")
    value = page.evaluate("s => document.querySelector(s)._fullData[0].z[3][1]", reading.MAP)
    assert float((told.text_content() or "").split()[0].replace("−", "-")) == pytest.approx(
        value, rel=1e-3
    )


def test_by_keyboard_alone(watched: Watched) -> None:
    page = watched.open()
    reading.settled(page, "Why “tiger cat”?")
    box = page.get_by_role("combobox", name="Why this class")
    box.focus()
    page.keyboard.type("Egyptian")
    page.get_by_role("option", name="Egyptian cat").first.wait_for()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Out of date")).to_be_visible()
    page.get_by_role("button", name="Explain").focus()
    page.keyboard.press("Enter")
    reading.settled(page, "Why “Egyptian cat”?")
