"""Controls that were away are told to the browser when they come back, and only then."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest


def script() -> None:
    import streamlit as st

    from dashboard.state import restore, returning

    asked = st.session_state.get("asked", "")
    returning.begin()
    if asked == "again":
        st.session_state["asked"] = ""
        st.rerun()
    if asked != "away":
        restore.aloud("count", 3)
        st.number_input("Count", 0, 9, key="count", persist_state="session")
    if asked != "cut short":
        returning.end()


@pytest.fixture
def page() -> AppTest:
    return AppTest.from_function(script).run()


def ran(page: AppTest, asked: str = "") -> AppTest:
    page.session_state["asked"] = asked
    page.run()
    assert not page.exception
    return page


def is_told(page: AppTest) -> bool:
    return bool(page.number_input[0].proto.set_value)


def test_begins_with_the_usual_value(page: AppTest) -> None:
    assert page.number_input[0].value == 3
    assert is_told(page)


def test_a_control_that_stays_is_left_alone(page: AppTest) -> None:
    assert not is_told(ran(page))
    page.number_input[0].set_value(7)
    assert not is_told(ran(page))
    assert page.number_input[0].value == 7


def test_a_control_that_was_away_is_told_once(page: AppTest) -> None:
    page.number_input[0].set_value(7)
    ran(page)
    ran(page, "away")
    assert is_told(ran(page))
    assert page.number_input[0].value == 7
    assert not is_told(ran(page))
    assert page.number_input[0].value == 7


def test_a_run_that_did_not_end_puts_nothing_away(page: AppTest) -> None:
    assert not is_told(ran(page, "again"))


def test_told_again_while_no_run_ends_unless_it_was_changed(page: AppTest) -> None:
    ran(page, "away")
    assert is_told(ran(page, "cut short"))
    assert is_told(ran(page, "cut short"))
    page.number_input[0].set_value(7)
    assert not is_told(ran(page))
    assert page.number_input[0].value == 7
