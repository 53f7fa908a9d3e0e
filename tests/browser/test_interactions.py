"""From a pair to a smaller set, a dot and its model's card, in a real browser."""

from __future__ import annotations

import csv
import re
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Download, Page, expect

from components.swarm_places import DOT
from engine.inputs.sample_tables import load_sample_table
from engine.interaction_results import Interactions
from engine.results import load_result
from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]

HALOS, HALO, SWARM, STRENGTHS = "i-halos", "i-halo", "i-swarm", "i-strengths"
PREDICTIONS, PLACE, BALL, LINKS = "i-predictions", "i-place", "i-ball", "i-links"


def chart(name: str) -> str:
    return f".st-key-chart-{name} .js-plotly-plot"


def opened(watched: Watched, query: str = "", first: str = HALOS, **more: Any) -> Page:
    page = watched.open(f"/interactions{query}", **more)
    start = page.get_by_role("button", name="Measure", exact=True)
    expect(page.locator(chart(first)).or_(start).first).to_be_visible()
    if start.is_visible():  # on a slow machine the page says its cost and waits
        start.click()
    expect(page.locator(chart(first))).to_be_visible()
    reading.idle(page)
    return page


def drawn(page: Page, name: str) -> str:
    """All that a chart holds, in short: traces, shapes and what stands on the axes."""
    expect(page.locator(chart(name)).first).to_be_visible()
    reading.idle(page)
    return str(
        page.evaluate(
            """selector => {
                const d = document.querySelector(selector);
                const list = given => Array.from(given || [], part =>
                    typeof part === 'object' && part !== null ? Array.from(part) : part);
                return JSON.stringify([
                    d._fullData.map(t => [t.type, t.name, list(t.x), list(t.y), list(t.z)]),
                    (d.layout.shapes || []).map(s => [s.x0, s.x1, s.y0, s.y1]),
                    (d.layout.annotations || []).map(a => a.text),
                ]);
            }""",
            chart(name),
        )
    )


def click(page: Page, name: str, key: list[int]) -> None:
    """Click the mark that stands for a key."""
    place = page.evaluate(
        """([selector, key]) => {
            const d = document.querySelector(selector);
            for (const t of d._fullData) {
                const at = Array.from(t.customdata || []).findIndex(found =>
                    JSON.stringify(ArrayBuffer.isView(found) ? Array.from(found)
                        : [found].flat().map(Number)) === JSON.stringify(key));
                if (at < 0) continue;
                return [d._fullLayout.xaxis.d2p(t.x[at]), d._fullLayout.yaxis.d2p(t.y[at])];
            }
        }""",
        [chart(name), key],
    )
    assert place is not None, f"{name} has no mark {key}"
    page.evaluate(
        """([selector, y]) => {
            const d = document.querySelector(selector);
            const box = d.querySelector('.nsewdrag').getBoundingClientRect();
            const main = document.querySelector('[data-testid=stMain]');
            main.scrollBy(0, box.y + y - window.innerHeight / 2);
        }""",
        [chart(name), place[1]],
    )
    page.wait_for_timeout(200)
    corner = page.evaluate(
        "s => { const b = document.querySelector(s).querySelector('.nsewdrag')"
        ".getBoundingClientRect(); return [b.x, b.y]; }",
        chart(name),
    )
    x, y = corner[0] + place[0], corner[1] + place[1]
    page.mouse.move(x - 3, y)
    page.mouse.move(x, y)
    page.wait_for_timeout(150)  # Plotly looks no more often than every 50 ms what is hovered
    page.mouse.click(x, y)


def keys(page: Page, name: str) -> list[list[int]]:
    """What the marks of a chart stand for."""
    found: list[list[int]] = page.evaluate(
        "s => document.querySelector(s)._fullData.flatMap(t => Array.from(t.customdata || []))"
        ".map(k => ArrayBuffer.isView(k) ? Array.from(k) : [k].flat().map(Number))",
        chart(name),
    )
    return found


def view(page: Page, name: str) -> None:
    page.get_by_role("radio", name=name, exact=True).or_(
        page.get_by_role("button", name=name, exact=True)
    ).first.click()
    reading.idle(page)


def slide(page: Page, keys: int, key: str = "ArrowLeft") -> None:
    slider = page.locator(".st-key-i-bar").get_by_role("slider")
    slider.focus()
    for _ in range(keys):
        page.keyboard.press(key)
        page.wait_for_timeout(250)
    reading.idle(page)


def card(page: Page) -> Any:
    return page.locator(".st-key-card-model")


def test_the_story(watched: Watched, tmp_path: Path) -> None:
    page = opened(watched)
    _pairs(page)
    _smaller_sets(page)
    _a_dot_of_the_halo(page)
    _a_dot_of_the_swarm(page)
    _strengths(page)
    _ball(page)
    found = _download(page, tmp_path)
    _card_says_what_the_file_says(page, found)
    _link(watched, page)


def _pairs(page: Page) -> None:
    """A click on a small halo enlarges it; so does the widget."""
    before = {name: drawn(page, name) for name in (HALOS, HALO)}
    click(page, HALOS, [3])
    expect(page.locator(".st-key-card-halo")).to_contain_text("Younger than 21 × Any juvenile")
    reading.idle(page)
    for name, old in before.items():
        assert drawn(page, name) != old, name
    assert "pair=0%3A4" in page.url
    before = {name: drawn(page, name) for name in (HALOS, HALO)}
    reading.choose(page, "Pair", "African-American × Any juvenile")
    expect(page.locator(".st-key-card-halo")).to_contain_text("African-American × Any juvenile")
    for name, old in before.items():
        assert drawn(page, name) != old, name


def _smaller_sets(page: Page) -> None:
    """The slider answers in every view, and nothing is computed."""
    before = {name: drawn(page, name) for name in (HALOS, HALO)}
    slide(page, 2)
    for name, old in before.items():
        assert drawn(page, name) != old, name
    expect(page.get_by_role("button", name="Cancel")).to_have_count(0)
    assert "ring=3" in page.url


def _a_dot_of_the_halo(page: Page) -> None:
    before = drawn(page, HALO)
    click(page, HALO, [5])
    expect(card(page)).to_contain_text("A point of a smaller halo")
    reading.idle(page)
    assert drawn(page, HALO) != before, "the point is ringed"
    slide(page, 2, "ArrowRight")
    whole = drawn(page, HALO)
    click(page, HALO, [5])
    expect(card(page)).to_contain_text("Interaction score")
    assert drawn(page, HALO) != whole


def _a_dot_of_the_swarm(page: Page) -> None:
    view(page, "Swarm")
    first = {name: drawn(page, name) for name in (SWARM, PREDICTIONS, PLACE)}
    slide(page, 3)
    assert drawn(page, SWARM) != first[SWARM], "models out of bound are grey"
    slide(page, 3, "ArrowRight")
    model = max(key[1] for key in keys(page, SWARM) if key[0] == 0)
    click(page, SWARM, [0, model])
    expect(card(page)).to_contain_text(f"Model {model} · Younger than 21 × African-American")
    for name, old in first.items():
        assert drawn(page, name) != old, name
    for label in ("Boxes", "Sizes only"):
        before = drawn(page, SWARM)
        page.get_by_text(label, exact=True).click()
        reading.idle(page)
        assert drawn(page, SWARM) != before, label
    before = drawn(page, SWARM)
    view(page, "Columns")
    view(page, "Reliance")
    assert drawn(page, SWARM) != before
    row = drawn(page, PREDICTIONS)
    number = page.get_by_role("spinbutton", name="Row", exact=True)
    number.fill("3")
    number.press("Enter")
    expect(card(page)).to_contain_text("row 3 of COMPAS")
    assert drawn(page, PREDICTIONS) != row


def _strengths(page: Page) -> None:
    view(page, "Strengths")
    before = drawn(page, STRENGTHS)
    click(page, STRENGTHS, [6])
    reading.idle(page)
    assert drawn(page, STRENGTHS) != before, "the pair is ringed"
    for name in ("Median", "One sign"):
        before = drawn(page, STRENGTHS)
        view(page, name)
        assert drawn(page, STRENGTHS) != before, name
    before = drawn(page, STRENGTHS)
    slide(page, 3)
    assert drawn(page, STRENGTHS) != before
    slide(page, 3, "ArrowRight")
    page.get_by_text("H² and SHAP beside it").click()
    expect(page.get_by_text("where they disagree, that is why")).to_be_visible()


def _ball(page: Page) -> None:
    view(page, "Three features")
    before = drawn(page, BALL)
    box = page.get_by_role("combobox", name="Features")
    box.click()
    page.get_by_role("option", name="Male").click()
    page.keyboard.press("Escape")
    expect(page.locator(".st-key-card-ball")).to_contain_text("and male")
    assert drawn(page, BALL) != before


def _download(page: Page, folder: Path) -> Interactions:
    view(page, "Halos")
    click(page, HALOS, [0])
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Models (CSV)").click()
    rows = list(csv.DictReader(Path(waiting.value.path()).read_text().splitlines()))
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Data (safetensors)").click()
    file = folder / "pairs.safetensors"
    waiting.value.save_as(file)
    found = load_result(file)
    assert isinstance(found, Interactions)
    assert len(rows) == found.loss.size
    scores = [float(row["score"]) for row in rows]
    assert np.allclose(scores, found.scores.ravel(), rtol=1e-6, atol=1e-9)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="Figure (HTML)").click()
    _saves_a_picture(page, waiting.value, folder)
    page.keyboard.press("Escape")
    return found


def _saves_a_picture(page: Page, figure: Download, folder: Path) -> None:
    """The figure that was taken away is drawn without a network, and its camera saves a PNG."""
    browser = page.context.browser
    assert browser is not None
    file = folder / figure.suggested_filename
    figure.save_as(file)
    away = browser.new_context(offline=True)
    alone = away.new_page()
    alone.goto(file.as_uri())
    expect(alone.get_by_role("heading", level=1)).to_contain_text("Halo of Younger than 21")
    alone.locator(".js-plotly-plot").hover()
    with alone.expect_download() as waiting:
        alone.locator(".modebar-btn").click()
    with Image.open(waiting.value.path()) as picture:
        assert picture.format == "PNG"
        assert picture.width > 1000
        assert len(picture.convert("RGB").getcolors(2**24) or []) > 50
    away.close()


def _card_says_what_the_file_says(page: Page, found: Interactions) -> None:
    number = page.get_by_role("spinbutton", name="Model", exact=True)
    number.fill("77")
    number.press("Enter")
    expect(card(page)).to_contain_text("Model 77")
    expect(card(page)).to_contain_text(f"{found.loss[0, 77]:.4g}")
    reading.idle(page)


def _link(watched: Watched, page: Page) -> None:
    """The address opens the same charts in another tab."""
    here = {name: drawn(page, name) for name in (HALOS, HALO, PREDICTIONS)}
    other = watched.open(page.url.removeprefix(watched.address))
    for name, old in here.items():
        assert drawn(other, name) == old, name
    other.close()


def test_regions_of_a_picture(watched: Watched) -> None:
    query = "?model=digits-cnn&pairs=0%3A1,0%3A2,1%3A2"
    page = opened(watched, query, LINKS)
    before = {name: drawn(page, name) for name in (LINKS, HALO)}
    click(page, LINKS, keys(page, LINKS)[-1])
    page.wait_for_url("**pair=**")
    for name, old in before.items():
        assert drawn(page, name) != old, name


def test_settings_stay_when_another_table_comes(watched: Watched, tmp_path: Path) -> None:
    """While a table is looked at, the views are away; their controls come back as they were."""
    files = []
    for name in ("male", "charge_felony"):
        frame = load_sample_table("compas").frame.head(200).assign(**{name: 1})
        files.append(tmp_path / f"{name}.csv")
        frame.to_csv(files[-1], index=False)
    page = watched.open("/interactions?model=compas-logistic&table=own")
    for file in (files[0], files[1], files[0], files[1]):
        page.locator("input[type=file]").first.set_input_files(file)
        page.wait_for_url(f"**file={file.name}**")
        for name in ("Swarm", "Halos"):
            view(page, name)
    asked = parse_qs(urlsplit(page.url).query)
    assert not {"rate", "repeats", "ring", "rings"} & set(asked), asked
    assert asked["label"] == ["two_year_recid"]


def test_work_can_be_cancelled_and_goes_on(watched: Watched) -> None:
    page = watched.open("/interactions?model=diabetes-mlp&repeats=400")
    page.get_by_role("button", name="Measure", exact=True).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("it goes on from there")).to_be_visible()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()


def test_old_figures_stay_until_the_next_are_there(watched: Watched) -> None:
    page = opened(watched, "?repeats=400&pair=1%3A4")
    before = {name: drawn(page, name) for name in (HALOS, HALO)}
    reading.choose(page, "Model", "Diabetes network")
    expect(page.get_by_text("Out of date")).to_be_visible()
    expect(page.get_by_text("Changed since: model and table.")).to_be_visible()
    page.get_by_role("button", name=re.compile("^(Measure|Start again)$")).click()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Start again")).to_be_visible()
    expect(page.get_by_text("Out of date")).to_be_visible()
    for name, old in before.items():
        assert drawn(page, name) == old, name


@pytest.mark.parametrize("width", [400, 900])
def test_no_two_dots_of_a_swarm_overlap_where_they_are_drawn(watched: Watched, width: int) -> None:
    page = opened(watched, "?view=swarm", SWARM, width=width)
    boxes = page.evaluate(
        """selector => Array.from(
            document.querySelectorAll(selector + ' .scatterlayer .point'),
            dot => { const b = dot.getBoundingClientRect(); return [b.x, b.y, b.width, b.height]; }
        )""",
        chart(SWARM),
    )
    corner, size = np.array(boxes)[:, :2], np.array(boxes)[:, 2:]
    dots = (corner + size / 2)[(np.abs(size - DOT) < 0.6).all(axis=1)]
    assert len(dots) > 1000
    nearest = min(
        float(np.hypot(*(dots[at + 1 :] - dot).T).min(initial=DOT))
        for at, dot in enumerate(dots[:-1])
    )
    assert nearest > DOT - 0.05, "touching is allowed; the browser rounds"
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


@pytest.mark.parametrize("name", ["halos", "swarm", "strengths"])
def test_narrow_and_dark(watched: Watched, name: str) -> None:
    first = {"halos": HALOS, "swarm": SWARM, "strengths": STRENGTHS}[name]
    query = f"?view={name}&pair=1%3A4&one=20"
    page = opened(watched, query, first, width=400, height=900, scheme="dark")
    expect(page.get_by_text("Never to be used for decisions").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
