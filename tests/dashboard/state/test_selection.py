from __future__ import annotations

from dataclasses import fields
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.state.selection import Selection

PLAIN = [field.name for field in fields(Selection) if field.name != "parameters"]
words = st.text(min_size=1, max_size=12)


@given(
    plain=st.dictionaries(st.sampled_from(PLAIN), words),
    parameters=st.dictionaries(words, st.text(max_size=12), max_size=3),
)
def test_a_link_restores_every_choice(plain: dict[str, str], parameters: dict[str, str]) -> None:
    selection = Selection(**plain, parameters=tuple(parameters.items()))
    link = urlencode(selection.query())
    assert Selection.from_query(dict(parse_qsl(link, keep_blank_values=True))) == selection


def test_defaults_are_left_out() -> None:
    assert Selection().query() == {}
    assert Selection(model="imagenet-cnn", fit="crop").query() == {"model": "imagenet-cnn"}


@pytest.mark.parametrize("query", [{"unknown": "1"}, {"": "x"}, {"parameters": "x"}])
def test_what_a_link_does_not_know_is_left_out(query: dict[str, str]) -> None:
    assert Selection.from_query(query) == Selection()
