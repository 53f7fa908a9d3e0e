"""A model of one's own, from its name to its map, in a real browser."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from safetensors.torch import save_file

from engine.models.sources import find_source
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

FIRST = "Which model would you like to add?"


def opened(watched: Watched, *, width: int = 1400, scheme: str = "light") -> Page:
    page = watched.open("/own_model", width=width, scheme=scheme)
    expect(page.get_by_role("heading", level=1)).to_contain_text(FIRST)
    expect(page.get_by_text("What can be brought")).to_be_visible()
    return page


def load(page: Page, ref: str) -> None:
    box = page.get_by_role("textbox", name="Reference")
    box.fill(ref)
    box.press("Enter")
    reading.idle(page)
    page.get_by_role("button", name="Load", exact=True).click()


def found(page: Page) -> None:
    expect(page.get_by_text("2 · What was found")).to_be_visible()
    reading.idle(page)


def row(page: Page, name: str) -> str:
    """A line of the card, by what it is about."""
    return page.locator(".st-key-own-entries tr", has_text=name).first.text_content() or ""


def try_and_add(page: Page) -> None:
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("both together in")).to_be_visible()
    reading.idle(page)
    page.get_by_role("button", name="Add to the list").click()
    expect(page.get_by_text("is in the list.")).to_be_visible()
    reading.idle(page)


def test_from_a_reference_to_its_map(watched: Watched) -> None:
    pytest.importorskip("torchvision")
    page = opened(watched)
    load(page, "torchvision:resnet81?weights=none")
    expect(page.get_by_text("did you mean")).to_be_visible()
    load(page, "torchvision:resnet18?weights=none")
    found(page)
    assert "told by torchvision" in row(page, "Normalisation")
    assert "layer4" in row(page, "Layer for Grad-CAM")
    expect(page.get_by_role("button", name="Add to the list")).to_be_disabled()

    page.get_by_text("Correct it").click()
    apply = page.get_by_role("button", name="Apply")
    apply.scroll_into_view_if_needed()
    reading.idle(page)
    reading.choose(page, "Layer for Grad-CAM", "layer3")
    apply.click()
    expect(page.locator(".st-key-own-entries").get_by_text("corrected")).to_be_visible()
    reading.idle(page)
    assert "layer3 (256 maps of 14 × 14)" in row(page, "Layer for Grad-CAM")

    try_and_add(page)
    pictures = page.locator(".st-key-own-result [data-testid='stImage'] img")
    expect(pictures).to_have_count(2)
    page.get_by_text("From the command line").click()
    command = "haloscope --model 'torchvision:resnet18?weights=none&layer=layer3'"
    expect(page.locator("code", has_text=command)).to_be_visible()
    page.get_by_role("button", name="Open in Explore").click()
    reading.settled(page, "Why “class ")
    assert reading.map_values(page)["rows"] == 14
    _link(watched, page)


def _link(watched: Watched, page: Page) -> None:
    """A link brings a model that is loaded here already; any other it does not load by itself."""
    assert "layer3" in page.url
    link = page.url.removeprefix(watched.address)
    reading.settled(watched.open(link), "Why “class ")
    other = watched.open(link.replace("layer3", "layer2"))
    expect(other.get_by_text("This link asks for the model")).to_be_visible()
    reading.settled(other, "Why “tiger cat”?")
    other.get_by_role("button", name="Load it").click()
    expect(other.get_by_role("heading", level=1)).to_contain_text(FIRST)
    box = other.get_by_role("textbox", name="Reference")
    expect(box).to_have_value("torchvision:resnet18?weights=none&layer=layer2")


def test_uploaded_weights(watched: Watched, tmp_path: Path) -> None:
    weights, broken = tmp_path / "my digits.safetensors", tmp_path / "broken.pth"
    save_file(find_source("digits-cnn", None).module.state_dict(), weights)
    broken.write_bytes(b"no weights")
    page = opened(watched, width=400, scheme="dark")
    page.get_by_role("radio", name="Upload").click()
    reading.idle(page)
    reading.choose(page, "Architecture", "digits-cnn")
    file = page.locator("input[type=file]").first
    for path in (broken, weights):
        file.set_input_files(path)
        reading.idle(page)
        page.get_by_role("button", name="Load", exact=True).click()
        if path is broken:
            expect(page.get_by_text("damaged or not a weights file")).to_be_visible()
    found(page)
    expect(page.get_by_text("damaged or not a weights file")).to_have_count(0)
    try_and_add(page)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.get_by_role("button", name="Open in Explore").click()
    reading.settled(page, "Why “0”?")

    other = watched.open(page.url.removeprefix(watched.address))
    expect(other.get_by_text("made with the weights “my digits.safetensors”")).to_be_visible()
