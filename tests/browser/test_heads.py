"""From a model to a head, a patch and heads switched off, in a real browser."""

from __future__ import annotations

import csv
import time
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.results import load_result
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

HEATMAP, LOOK, MOSAIC = "heatmap-one", "look-one", "mosaic-one"
PREDICTION, OFF = "prediction-one", "mosaic-off-one"


def chart(name: str) -> str:
    return f".st-key-chart-{name} .js-plotly-plot"


def opened(watched: Watched, query: str = "", **more: Any) -> Page:
    page = watched.open(f"/heads{query}", **more)
    expect(page.locator(chart(HEATMAP))).to_be_visible()
    reading.idle(page)
    return page


def drawn(page: Page, name: str) -> str:
    """All that a chart holds, in short: traces, what is ringed, pictures."""
    expect(page.locator(chart(name)).first).to_be_visible()
    reading.idle(page)
    return str(
        page.evaluate(
            """selector => {
                const d = document.querySelector(selector), l = d.layout;
                const list = given => Array.from(given || [], part =>
                    typeof part === 'object' && part !== null ? Array.from(part) : part);
                return JSON.stringify([
                    d._fullData.map(t => [t.name, list(t.x), list(t.y), list(t.z)]),
                    (l.shapes || []).map(s => [s.x0, s.x1, s.y0, s.y1]),
                    (l.images || []).map(i => i.source),
                ]);
            }""",
            chart(name),
        )
    )


def click(page: Page, name: str, first: int, second: int) -> None:
    """Click the mark of a layer and head, or of a row and column, from 0."""
    place = page.evaluate(
        """([selector, key]) => {
            const d = document.querySelector(selector);
            d.scrollIntoView({block: 'center'});
            for (const t of d._fullData) {
                const at = Array.from(t.customdata || []).findIndex(
                    found => found && found[0] === key[0] && found[1] === key[1]);
                if (at < 0) continue;
                const box = d.querySelector('.nsewdrag').getBoundingClientRect();
                return [
                    box.x + d._fullLayout.xaxis.d2p(t.x[at]),
                    box.y + d._fullLayout.yaxis.d2p(t.y[at]),
                ];
            }
        }""",
        [chart(name), [first, second]],
    )
    page.mouse.move(place[0] - 3, place[1])
    page.mouse.move(*place)
    page.mouse.click(*place)


def selected(page: Page, text: str) -> None:
    expect(page.locator(".st-key-heads-bar")).to_contain_text(text)
    reading.idle(page)


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()
    reading.idle(page)


def test_the_story(watched: Watched, tmp_path: Path) -> None:
    page = opened(watched)
    first = drawn(page, HEATMAP)
    reading.choose(page, "Metric", "Size of the output")
    expect(page.get_by_text("after the output projection")).to_be_visible()
    assert drawn(page, HEATMAP) != first

    _one_head_drives_everything(page)
    _one_patch_drives_what_is_seen(page)
    _heads_off(page)
    _download(page, tmp_path)
    _settings_and_how_many_can_go(page)
    assert "off=2.1" in page.url and "head=5.2" in page.url
    _link(watched, page)


def _one_head_drives_everything(page: Page) -> None:
    """A click on the heatmap changes each chart of each view; so does one on the mosaic."""
    places = {
        "All heads": [MOSAIC],
        "Importance": ["scatter", "partial"],
        "Near and far": ["strength", "trend"],
        "Patterns": ["patterns"],
    }
    for number, (name, charts) in enumerate(places.items()):
        view(page, name)
        before = {chart: drawn(page, chart) for chart in (HEATMAP, LOOK, *charts)}
        click(page, HEATMAP, 3, number)
        selected(page, f"Layer 4, head {number + 1}")
        for chart, old in before.items():
            assert drawn(page, chart) != old, chart
    view(page, "All heads")
    click(page, MOSAIC, 4, 1)
    selected(page, "Layer 5, head 2")


def _one_patch_drives_what_is_seen(page: Page) -> None:
    before = {name: drawn(page, name) for name in (LOOK, MOSAIC)}
    click(page, LOOK, 2, 5)
    selected(page, "the patch in row 3, column 6")
    for name, old in before.items():
        assert drawn(page, name) != old, name
    assert "patch=3.6" in page.url


def _heads_off(page: Page) -> None:
    """A click switches a head off: the prediction changes, and where later heads look."""
    before, looked = drawn(page, PREDICTION), drawn(page, LOOK)
    page.get_by_text("A click switches off").click()
    reading.idle(page)
    started = time.perf_counter()
    click(page, HEATMAP, 1, 0)
    page.locator(".st-key-card-prediction-one").get_by_text("With 1 head off the answer").wait_for()
    seconds = time.perf_counter() - started
    print(f"from click to prediction: {seconds:.2f} s")
    selected(page, "1 head off")
    assert drawn(page, PREDICTION) != before
    assert drawn(page, LOOK) != looked
    assert drawn(page, OFF) != drawn(page, MOSAIC)
    click(page, HEATMAP, 1, 0)
    expect(page.get_by_text("With 1 head off")).to_have_count(0)
    reading.idle(page)
    assert drawn(page, PREDICTION) == before

    slider = page.locator(".st-key-card-switch").get_by_role("slider")
    slider.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
        page.wait_for_timeout(250)  # so that each is told while the one before is being drawn
    selected(page, "9 heads off")
    assert slider.input_value() == "25"
    assert drawn(page, PREDICTION) != before
    page.get_by_role("button", name="All on").click()
    expect(page.locator(".st-key-heads-bar")).not_to_contain_text("heads off")
    reading.idle(page)
    click(page, HEATMAP, 1, 0)
    selected(page, "1 head off")


def _download(page: Page, folder: Path) -> None:
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Scores (CSV)").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert len(rows) == 36
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Scores (safetensors)").click()
    file = folder / "heads.safetensors"
    waiting.value.save_as(file)
    values = load_result(file).values
    assert [float(row["score"]) for row in rows] == pytest.approx(values.ravel().tolist())
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Mosaic (PNG)").click()
    assert Path(waiting.value.path()).read_bytes().startswith(b"\x89PNG")


def _settings_and_how_many_can_go(page: Page) -> None:
    """Heads are left out, the first by gradient alone; then ever more of them go off."""
    view(page, "Importance")
    reading.choose(page, "Metric", "Rise of the loss")
    before = drawn(page, HEATMAP)
    page.get_by_role("button", name="Settings").click()
    number = page.get_by_role("spinbutton", name="Only the first by gradient")
    number.fill("6")
    number.press("Enter")
    expect(page.get_by_text("the other 30 heads were not judged")).to_be_visible()
    assert drawn(page, HEATMAP) != before
    page.keyboard.press("Escape")
    curve = page.locator(".st-key-card-curve")
    expect(curve.get_by_text("forward passes")).to_be_visible()
    curve.get_by_role("button", name="Measure").click()
    expect(curve.get_by_text("of 36 heads can go")).to_be_visible()
    accuracy = drawn(page, "curve")
    curve.get_by_text("Loss", exact=True).click()
    expect(curve.get_by_text("heads off the loss goes from")).to_be_visible()
    assert drawn(page, "curve") != accuracy


def _link(watched: Watched, page: Page) -> None:
    """The address opens the same charts in another tab."""
    names = (HEATMAP, LOOK, PREDICTION, "scatter", "partial", "curve")
    here = {name: drawn(page, name) for name in names}
    address = page.url.removeprefix(watched.address)
    other = watched.open(address)
    for name in names:
        assert drawn(other, name) == here[name], name
    other.close()


def test_narrow_dark_and_beside_each_other(watched: Watched) -> None:
    page = opened(watched, "?beside=picture&off=1.5", width=400, height=900, scheme="dark")
    expect(page.locator(chart("look-two"))).to_be_visible()
    reading.idle(page)
    assert drawn(page, "look-two") != drawn(page, LOOK)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_model_without_attention_offers_those_with(watched: Watched) -> None:
    page = watched.open("/heads?model=imagenet-cnn")
    expect(page.get_by_text("it has no attention heads")).to_be_visible()
    page.get_by_role("button", name="Digits ViT").click()
    expect(page.locator(chart(HEATMAP))).to_be_visible()
    expect(page.get_by_text("Digits ViT ·").first).to_be_visible()
