"""From a table to a row, its reasons, and the columns that matter, in a real browser."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from engine.inputs.sample_tables import load_sample_table
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

WATERFALL = ".st-key-contributions .js-plotly-plot"
SWARM = ".st-key-swarm .js-plotly-plot"
MEASURE = ".st-key-card-measure .js-plotly-plot"


def opened(watched: Watched, query: str = "") -> Page:
    page = watched.open(f"/tables{query}")
    settled(page)
    return page


def settled(page: Page) -> None:
    expect(page.get_by_text("Up to date")).to_be_visible()
    reading.idle(page)
    expect(page.locator(WATERFALL)).to_be_visible()


def drawn(page: Page, selector: str) -> Any:
    """The numbers of a chart's first trace, in short: enough to see that they changed."""
    return page.evaluate(
        "s => { const d = document.querySelector(s)._fullData;"
        "return JSON.stringify(d.map(t => [Array.from(t.x || []).slice(0, 40), t.name])); }",
        selector,
    )


def heading(page: Page) -> str:
    return page.get_by_role("heading", level=1).text_content() or ""


def test_the_story(watched: Watched, tmp_path: Path) -> None:
    page = opened(watched)
    assert heading(page).startswith("Why ")
    first = drawn(page, WATERFALL)

    page.get_by_role("spinbutton", name="Row").fill("3")
    page.get_by_role("spinbutton", name="Row").press("Enter")
    expect(page.get_by_text("row 3 of Breast cancer").first).to_be_visible()
    settled(page)
    third = drawn(page, WATERFALL)
    assert third != first

    said = heading(page)
    page.locator(".st-key-card-what-if").get_by_role("slider").first.focus()
    for _ in range(12):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_text("row 3 of Breast cancer, changed").first).to_be_visible()
    settled(page)
    assert drawn(page, WATERFALL) != third
    assert "set." in page.url
    page.get_by_role("button", name="Reset").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(said)
    settled(page)
    assert drawn(page, WATERFALL) == third

    _swarm(page)
    _dependence(page)
    _bad_file(page, tmp_path)
    _download(page, tmp_path)
    again = watched.open(page.url.removeprefix(watched.address))
    expect(again.get_by_text("This link was made with")).to_be_visible()


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name).or_(page.get_by_role("button", name=name)).first.click()
    reading.idle(page)


def measured(page: Page, chart: str) -> None:
    """Wait for a finding; on a slow machine the page says its cost and waits for a click."""
    waits = page.get_by_text("Press the button at the left to begin")
    expect(page.locator(chart).first.or_(waits).first).to_be_visible()
    if waits.is_visible():
        page.get_by_role("button", name="Measure", exact=True).click()
    expect(page.locator(chart)).to_be_visible()
    reading.idle(page)


def _swarm(page: Page) -> None:
    """A dot picks its row."""
    view(page, "Which columns matter")
    measured(page, SWARM)
    page.locator(f"{SWARM} .points path").nth(40).click(force=True)
    expect(page.get_by_text("The rings mark row")).not_to_contain_text("row 3.")
    page.get_by_role("button", name="Why row").click()
    settled(page)
    assert "row=3&" not in f"{page.url}&"


def _dependence(page: Page) -> None:
    view(page, "Which columns matter")
    reading.choose(page, "Measure", "Partial")
    measured(page, MEASURE)
    before = drawn(page, MEASURE)
    reading.choose(page, "Column", "Worst area")
    measured(page, MEASURE)
    assert drawn(page, MEASURE) != before
    view(page, "Why this row")
    settled(page)


def _bad_file(page: Page, folder: Path) -> None:
    """A column that is no number is named; the mended file is explained."""
    frame = load_sample_table("cancer").frame.head(40).copy()
    good, bad = folder / "mine.csv", folder / "bad.csv"
    frame.to_csv(good, index=False)
    frame.loc[6, "worst area"] = "large"
    frame.to_csv(bad, index=False)
    reading.choose(page, "Table", "Your own file")
    page.locator("input[type=file]").set_input_files(bad)
    told = page.get_by_text("row 7, column 'worst area': 'large' is no number")
    expect(told.first).to_be_visible()
    page.locator("input[type=file]").set_input_files(good)
    expect(page.get_by_text("row 1 of mine.csv").first).to_be_visible()
    settled(page)


def _download(page: Page, folder: Path) -> None:
    import csv

    from engine.results import load_result

    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Contributions (CSV)").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    assert len(rows) == 30
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Data (safetensors)").click()
    file = folder / "row.safetensors"
    waiting.value.save_as(file)
    values = load_result(file).values
    assert [float(row["contribution"]) for row in rows] == pytest.approx(values.tolist(), rel=1e-6)


def test_a_link_restores_row_and_change(watched: Watched) -> None:
    page = opened(watched, "?model=adult-mlp&row=5&set.age=60&method=kernel-shap")
    expect(page.get_by_text("row 5 of Adult income, changed").first).to_be_visible()
    assert "KernelSHAP" in (page.text_content("[data-testid=stMain]") or "")


def test_narrow_and_dark(watched: Watched) -> None:
    page = watched.open("/tables?model=compas-logistic", width=400, height=900, scheme="dark")
    settled(page)
    expect(page.get_by_text("Never to be used for decisions about people").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
