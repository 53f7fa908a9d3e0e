from __future__ import annotations

import pytest

from engine.execution.cost import Cost
from engine.execution.pace import Pace, seconds_told


def warm() -> Pace:
    """A pace that has seen the first piece of work, which does not count."""
    pace = Pace()
    pace.learn("a", Cost(1), 1000.0)
    return pace


def test_nothing_is_said_before_anything_was_learned() -> None:
    assert Pace().seconds("a", Cost(5)) is None
    pace = warm()
    assert pace.seconds("a", Cost(5)) is None
    pace.learn("a", Cost(10), 1.0)
    assert pace.seconds("a", Cost(5)) == pytest.approx(0.5)
    assert pace.seconds("b", Cost(5)) is None


def test_a_backward_pass_counts_as_two_forward_ones() -> None:
    pace = warm()
    pace.learn("a", Cost(2, 4), 20.0)
    assert pace.seconds("a", Cost(3)) == pytest.approx(6)
    assert pace.seconds("a", Cost(0, 3)) == pytest.approx(12)


def test_later_work_weighs_as_much_as_all_before() -> None:
    pace = warm()
    for seconds in (1.0, 3.0, 4.0):
        pace.learn("a", Cost(1), seconds)
    assert pace.seconds("a", Cost(1)) == pytest.approx(3)


def test_many_passes_have_a_pace_of_their_own() -> None:
    pace = warm()
    pace.learn("a", Cost(1), 0.01)
    assert pace.seconds("a", Cost(1000)) == pytest.approx(10)  # nothing better is known yet
    pace.learn("a", Cost(1000), 1.0)
    assert pace.seconds("a", Cost(2000)) == pytest.approx(2)
    assert pace.seconds("a", Cost(1)) == pytest.approx(0.01)


@pytest.mark.parametrize(("used", "seconds"), [(Cost(), 1.0), (Cost(3), 0.0), (Cost(3), -1.0)])
def test_what_tells_nothing_is_not_learned(used: Cost, seconds: float) -> None:
    pace = warm()
    pace.learn("a", used, seconds)
    assert pace.seconds("a", Cost(1)) is None
    pace.learn("a", Cost(1), 2.0)
    assert pace.seconds("a", Cost(1)) == pytest.approx(2)


@pytest.mark.parametrize(
    ("seconds", "told"),
    [
        (0, "under 1 s"),
        (0.74, "under 1 s"),
        (0.76, "about 1 s"),
        (89, "about 89 s"),
        (90, "about 1.5 min"),
        (3599, "about 60.0 min"),
        (3600, "about 1.0 h"),
    ],
)
def test_seconds_told(seconds: float, told: str) -> None:
    assert seconds_told(seconds) == told
