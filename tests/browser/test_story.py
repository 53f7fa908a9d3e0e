"""The story of the page "Explore", as a person lives it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from engine.results import load_result
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(2400)]


def test_story(watched: Watched, tmp_path: Path) -> None:
    page = watched.open()
    reading.settled(page, "Why “tiger cat”?")
    first_map, first_overlay = reading.map_values(page), reading.source(page, reading.OVERLAY)
    assert first_map["rows"] == 7

    _another_class(page, first_map, first_overlay)
    _another_method(page)
    _upload(page, tmp_path)
    _slow_and_cancelled(page)
    _take_away(page, tmp_path)
    _link(watched, page)


def _another_class(page: Page, first_map: dict[str, float], first_overlay: str) -> None:
    reading.click_bar(page, 1)
    reading.settled(page, "Why “Egyptian cat”?")
    assert reading.map_values(page)["sum"] != first_map["sum"]
    assert reading.source(page, reading.OVERLAY) != first_overlay


def _another_method(page: Page) -> None:
    before = reading.source(page, reading.OVERLAY)
    reading.choose(page, "Method", "Gradient")
    expect(page.get_by_text("Out of date")).to_be_visible()
    assert reading.source(page, reading.OVERLAY) == before
    page.get_by_role("button", name="Explain").click()
    reading.settled(page, "Why “Egyptian cat”?")
    expect(page.get_by_text("Gradient · EfficientNet-Lite0")).to_be_visible()
    shown = reading.map_values(page)
    assert (shown["rows"], shown["columns"]) == (224, 224)
    assert reading.source(page, reading.OVERLAY) != before


def _upload(page: Page, folder: Path) -> None:
    before = reading.source(page, reading.INPUT)
    reading.choose(page, "Why this class", "The predicted class")
    page.get_by_role("radio", name="Upload").click()
    field = page.locator("[data-testid='stFileUploaderDropzoneInput']")
    broken = folder / "broken.png"
    broken.write_bytes(b"this is no picture")
    field.set_input_files(broken)
    expect(page.get_by_text("broken.png is not a picture that can be read")).to_be_visible()
    assert reading.source(page, reading.INPUT) == before

    drawn = folder / "stripes.png"
    stripes = np.zeros((260, 340, 3), dtype=np.uint8)
    stripes[:, ::20] = (250, 180, 20)
    Image.fromarray(stripes).save(drawn)
    field.set_input_files(drawn)
    expect(page.get_by_text("Gradient · EfficientNet-Lite0 · stripes.png")).to_be_visible()
    expect(page.get_by_text("Up to date")).to_be_visible()
    reading.idle(page)
    assert reading.source(page, reading.INPUT) != before


def _slow_and_cancelled(page: Page) -> None:
    shown = reading.source(page, reading.OVERLAY)
    reading.choose(page, "Method", "Occlusion")
    page.get_by_role("button", name="Method settings").click()
    stride = page.get_by_role("spinbutton", name="Stride")
    stride.fill("4")
    stride.press("Enter")
    expect(page.get_by_text("forward passes").first).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_text("2413 forward passes")).to_be_visible()
    page.get_by_role("button", name="Explain").click()
    expect(page.get_by_text("of 2413 passes")).to_be_visible()
    expect(page.get_by_text(" left", exact=False).first).to_be_visible()

    # It survives another page, and what was shown is still there meanwhile.
    reading.go_to(page, "Methods")
    expect(page.get_by_role("heading", name="How are the maps computed?")).to_be_visible()
    reading.go_to(page, "Explore")
    expect(page.get_by_text("of 2413 passes")).to_be_visible()
    assert reading.source(page, reading.OVERLAY) == shown

    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("Cancelled. What you see is the map from before.")).to_be_visible()
    expect(page.get_by_text("Out of date")).to_be_visible()


def _take_away(page: Page, folder: Path) -> None:
    page.get_by_role("radio", name="Sample").click()
    reading.choose(page, "Method", "Grad-CAM")
    page.get_by_role("button", name="Explain").click()
    reading.settled(page, "Why “tiger cat”?")
    shown = reading.map_values(page)
    saved = {}
    for label, ending in (
        ("Picture (PNG)", "png"),
        ("Data (safetensors)", "safetensors"),
        ("Manifest (JSON)", "json"),
    ):
        page.get_by_role("button", name="Export").click()
        with page.expect_download() as download:
            page.get_by_role("button", name=label).click()
        saved[ending] = folder / f"taken.{ending}"
        download.value.save_as(saved[ending])
        page.keyboard.press("Escape")
    picture = Image.open(io.BytesIO(saved["png"].read_bytes()))
    assert picture.width > 1000
    result = load_result(saved["safetensors"])
    assert result.values.shape == (7, 7)
    assert float(result.values.astype(np.float64).sum()) == pytest.approx(shown["sum"], rel=1e-5)
    assert json.loads(saved["json"].read_text()) == result.manifest


def _link(watched: Watched, page: Page) -> None:
    page.get_by_role("radio", name="Signed").click()
    reading.idle(page)
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == page.url
    shown = reading.map_values(page)

    other = watched.open(link.removeprefix(watched.address))
    reading.settled(other, "Why “tiger cat”?")
    assert reading.map_values(other) == shown
    expect(other.get_by_role("radio", name="Signed")).to_be_checked()
