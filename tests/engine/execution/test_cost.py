from __future__ import annotations

import pytest

from engine.execution.cost import Cost


def test_added_up() -> None:
    assert Cost(2, 1) + Cost(3) == Cost(5, 1)
    assert Cost(5, 1).total == 6
    assert Cost() == Cost(0, 0)


@pytest.mark.parametrize(
    ("used", "within"),
    [(Cost(3, 2), True), (Cost(0, 0), True), (Cost(4, 0), False), (Cost(0, 3), False)],
)
def test_within(used: Cost, within: bool) -> None:
    assert used.within(Cost(3, 2)) == within


@pytest.mark.parametrize(
    ("cost", "told"),
    [
        (Cost(1), "1 forward pass"),
        (Cost(2), "2 forward passes"),
        (Cost(0), "0 forward passes"),
        (Cost(1, 1), "1 forward and 1 backward pass"),
        (Cost(52, 50), "52 forward and 50 backward passes"),
        (Cost(2, 1), "2 forward and 1 backward passes"),
    ],
)
def test_in_words(cost: Cost, told: str) -> None:
    assert cost.describe() == told
