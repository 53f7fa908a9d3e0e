"""What drives the page "Heads", and its way into a link and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.heads import marks
from dashboard.heads.marks import Marks

counts = st.integers(0, 200)
pairs = st.tuples(counts, counts)


@given(pairs)
def test_a_pair_comes_back_from_a_link(pair: tuple[int, int]) -> None:
    assert marks.from_text(marks.as_text(pair)) == pair


@given(st.frozensets(pairs, max_size=20))
def test_heads_off_come_back_from_a_link(off: frozenset[tuple[int, int]]) -> None:
    assert marks.off_from_text(marks.off_as_text(off)) == (off, [])


@pytest.mark.parametrize("text", ["", ".", "4", "4.", "0.1", "-1.2", "1.1.1", "²․1", "99999.1"])
def test_what_is_no_pair_is_none(text: str) -> None:
    assert marks.from_text(text) is None


def test_what_is_no_head_is_told() -> None:
    assert marks.off_from_text("1.2,nose,3.4") == (frozenset({(0, 1), (2, 3)}), ["nose"])


def test_marks_are_brought_to_a_model_with_fewer_heads() -> None:
    now = Marks((5, 5), None, frozenset({(0, 3), (5, 5), (2, 1)})).within((4, 4, 2))
    assert now.head == (2, 1)
    assert now.off == {(0, 3), (2, 1)}


def test_switching_twice_is_nothing() -> None:
    once = Marks().toggled((1, 2))
    assert once.off == {(1, 2)}
    assert once.toggled((1, 2)) == Marks()


@given(st.integers(1, 30), st.integers(1, 30), st.data())
def test_the_middle_of_a_patch_lies_in_it(rows: int, columns: int, data: st.DataObject) -> None:
    row, column = data.draw(st.integers(0, rows - 1)), data.draw(st.integers(0, columns - 1))
    down, across = marks.middle(row, column, (rows, columns))
    assert (int(down * rows), int(across * columns)) == (row, column)
