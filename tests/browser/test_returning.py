"""Controls that are away for a moment come back as they were, over a slow line too."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

from tests.browser import reading
from tests.browser.conftest import Watched

pytestmark = [pytest.mark.browser, pytest.mark.timeout(1500)]


class Line:
    """What the server sends waits while the line is held; what the browser sends does not."""

    def __init__(self, page: Page) -> None:
        self._page = page
        self._held: list[Callable[[], None]] | None = None
        self._ended = 0
        page.route_web_socket("**/*", self._join)
        page.reload()

    def _join(self, browser: WebSocketRoute) -> None:
        browser.connect_to_server().on_message(lambda said: self._pass(browser, said))

    def _pass(self, browser: WebSocketRoute, said: Any) -> None:
        told = ForwardMsg.FromString(said)
        if told.WhichOneof("type") == "script_finished":
            self._ended += told.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
        if self._held is None:
            browser.send(said)
        else:
            self._held.append(lambda: browser.send(said))

    @contextmanager
    def held(self) -> Iterator[None]:
        self._held = []
        yield
        self.let_through()
        self._held = None
        self._page.wait_for_timeout(500)
        reading.idle(self._page)

    def let_through(self) -> None:
        """Send what has waited so far."""
        held, self._held = self._held or [], []
        for send in held:
            send()

    def answered(self, act: Callable[[], None]) -> None:
        """Do something, and wait until the server's answer to it has come to its end."""
        before = self._ended
        act()
        while self._ended == before:
            self._page.wait_for_timeout(50)

    def press(self, name: str) -> None:
        """Click, and wait for the answer."""
        self.answered(self._page.get_by_role("radio", name=name, exact=True).click)


def chosen(page: Page, key: str) -> list[str]:
    boxes = page.locator(f".st-key-{key} [data-testid=stSelectbox]")
    return [box.locator("input").input_value() for box in boxes.all()]


def test_what_if_comes_back(watched: Watched) -> None:
    page = watched.open("/tables?model=adult-mlp&row=5")
    line = Line(page)
    expect(page.get_by_text("Up to date")).to_be_visible()
    reading.choose(page, "Education", "Masters")
    expect(page.get_by_text("row 5 of Adult income, changed").first).to_be_visible()
    reading.idle(page)
    before = chosen(page, "card-what-if")
    assert "Masters" in before

    with line.held():
        line.press("Which columns matter")
        line.press("Why this row")
    expect(page.get_by_text("Up to date")).to_be_visible()
    assert chosen(page, "card-what-if") == before
    reading.choose(page, "Education", "Bachelors")  # with it the browser sends all it has
    page.wait_for_url("**set.education=Bachelors**")
    asked = parse_qs(urlsplit(page.url).query)
    assert [name for name in asked if name.startswith("set.")] == ["set.education"]


def test_a_late_answer_puts_nothing_back(watched: Watched) -> None:
    """A control that was there all along is not told what it had when the server was asked."""
    page = watched.open("/tables?model=adult-mlp&row=5")
    line = Line(page)
    expect(page.get_by_text("Up to date")).to_be_visible()
    reading.idle(page)
    row = page.get_by_role("spinbutton", name="Row")
    with line.held():
        line.answered(lambda: row.press("ArrowUp"))
        row.press("ArrowUp")
        line.let_through()
        page.wait_for_timeout(300)
        row.press("ArrowUp")
    page.wait_for_url("**row=8**")
    assert row.input_value() == "8"
