"""What a browser test reads off the page "Explore", by the names of its parts."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Error, Page, expect

MAP = ".st-key-map .js-plotly-plot"
BARS = ".st-key-bars .js-plotly-plot"
OVERLAY = ".st-key-card-overlay [data-testid='stImage'] img"
INPUT = ".st-key-card-input [data-testid='stImage'] img"


def settled(page: Page, title: str) -> None:
    """Wait until a question and an up-to-date answer are shown."""
    expect(page.get_by_role("heading", level=1)).to_contain_text(title)
    expect(page.get_by_text("Up to date")).to_be_visible()
    idle(page)
    expect(page.locator(MAP)).to_be_visible()


def idle(page: Page) -> None:
    """Wait until the script has run to its end."""
    expect(page.locator("[data-testid='stApp'][data-test-script-state='running']")).to_have_count(0)
    page.wait_for_timeout(300)
    expect(page.locator("[data-testid='stApp'][data-test-script-state='running']")).to_have_count(0)


def map_values(page: Page) -> dict[str, Any]:
    """Return the numbers that the map holds: type, shape, a checksum."""
    return page.evaluate(
        """selector => {
            const chart = document.querySelector(selector);
            const z = chart._fullData[0].z;
            const rows = Array.from(z, row => Array.from(row));
            const flat = rows.flat();
            return {
                kind: chart._fullData[0]._inputArray?.constructor?.name ?? z[0].constructor.name,
                rows: rows.length,
                columns: rows[0].length,
                sum: flat.reduce((a, b) => a + b, 0),
                largest: Math.max(...flat),
                first: flat[0],
            };
        }""",
        MAP,
    )


def source(page: Page, selector: str) -> str:
    """Return the address of a picture, which names its content."""
    address = page.locator(selector).first.get_attribute("src")
    assert address
    return address


def choose(page: Page, label: str, text: str) -> None:
    """Pick an option of a select box by typing.

    A run of the page that ends just then closes the list: it is then opened once more.
    """
    box = page.get_by_role("combobox", name=label)
    option = page.get_by_role("option", name=text).first
    for _ in range(3):
        box.click()
        box.fill(text)
        try:
            option.click(timeout=8000)
            break
        except Error:
            idle(page)
    else:
        option.click()
    idle(page)


def go_to(page: Page, title: str) -> None:
    """Open a page by its link in the bar; links without room there are behind "… more"."""
    expect(page.get_by_role("link", name="Explore").first).to_be_visible()
    link = page.get_by_role("link", name=title).first
    if not link.is_visible():
        page.get_by_role("button", name=" more").click()
        link = page.get_by_role("menuitem", name=title)
    link.click()


def click_bar(page: Page, index: int) -> None:
    """Click the bar of a prediction, 0 being the first."""
    page.locator(f"{BARS} .barlayer .point").nth(index).click(force=True)
