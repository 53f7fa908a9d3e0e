from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ParameterError
from engine.pruning.scoring.scopes import SCOPES, choose, rounded, standardised
from engine.pruning.units import Group, Groups

Draw = dict[str, np.ndarray]


def groups_of(sizes: list[int], multiples: list[int] | None = None) -> Groups:
    lots = multiples or [1] * len(sizes)
    return Groups(
        tuple(
            Group(f"g{place}", f"G{place}", "channels", size, (), (), multiple=lot)
            for place, (size, lot) in enumerate(zip(sizes, lots, strict=True))
        ),
        {"out": "it is the output"},
    )


@st.composite
def drawn(draw: st.DrawFn) -> tuple[Groups, Draw]:
    sizes = draw(st.lists(st.integers(2, 12), min_size=1, max_size=4))
    lots = [draw(st.sampled_from([1, 1, 2])) for _ in sizes]
    number = st.sampled_from([0.0, 0.25, 1.0, 3.0]) | st.floats(-5, 5)  # ties among them
    scores = {
        f"g{place}": np.array(draw(st.lists(number, min_size=size, max_size=size)))
        for place, size in enumerate(sizes)
    }
    return groups_of(sizes, lots), scores


ratios = st.floats(0, 1)
scopes = st.sampled_from(SCOPES)


@given(drawn(), ratios, ratios, scopes)
def test_what_stays_at_a_larger_ratio_stays_at_a_smaller_one(
    subject: tuple[Groups, Draw], a: float, b: float, scope: str
) -> None:
    groups, scores = subject
    few, many = (choose(scores, groups, ratio, scope) for ratio in sorted((a, b)))
    for name in few:
        assert (few[name] | ~many[name]).all()


@given(drawn(), ratios, scopes)
def test_no_layer_is_emptied_and_lots_stay_whole(
    subject: tuple[Groups, Draw], ratio: float, scope: str
) -> None:
    groups, scores = subject
    kept = choose(scores, groups, ratio, scope)
    for group in groups.groups:
        stays = kept[group.name]
        assert stays.any() and (~stays).sum() % group.multiple == 0
        # what stays is never worse than what went, and of equal scores the first went
        values = scores[group.name]
        assert not stays.all() or ratio < 1 or group.size <= group.multiple
        if (~stays).any():
            assert values[stays].min() >= values[~stays].max()
            tied = np.flatnonzero(values == values[stays].min())
            assert (np.diff(stays[tied].astype(int)) >= 0).all()


@given(drawn(), ratios, ratios, scopes)
def test_overrides_are_respected(
    subject: tuple[Groups, Draw], ratio: float, own: float, scope: str
) -> None:
    groups, scores = subject
    first = groups.groups[0]
    kept = choose(scores, groups, ratio, scope, {first.name: own})
    lots = min(rounded(own, first.size) // first.multiple, (first.size - 1) // first.multiple)
    assert (~kept[first.name]).sum() == lots * first.multiple
    rest = Groups(groups.groups[1:])
    without = choose({n: v for n, v in scores.items() if n != first.name}, rest, ratio, scope)
    for name, stays in without.items():
        assert (kept[name] == stays).all()


@given(drawn(), ratios)
def test_global_removes_its_share_unless_layers_would_be_empty(
    subject: tuple[Groups, Draw], ratio: float
) -> None:
    groups, scores = subject
    kept = choose(scores, groups, ratio, "global")
    gone = sum(int((~stays).sum()) for stays in kept.values())
    wanted = rounded(ratio, groups.units)
    most = sum((g.size - 1) // g.multiple * g.multiple for g in groups.groups)
    assert gone <= wanted
    if all(group.multiple == 1 for group in groups.groups):
        assert gone == min(wanted, most)


def test_the_lowest_of_all_go_first_and_scaling_changes_that() -> None:
    groups = groups_of([3, 3])
    scores = {"g0": np.array([1.0, 2, 3]), "g1": np.array([10.0, 30, 20])}
    kept = choose(scores, groups, 1 / 3, "global")
    assert [list(one) for one in kept.values()] == [[False, False, True], [True, True, True]]
    kept = choose(scores, groups, 1 / 3, "standardised")
    assert [list(one) for one in kept.values()] == [[False, True, True], [False, True, True]]
    kept = choose(scores, groups, 1 / 3, "uniform", {"g1": 2 / 3})
    assert [list(one) for one in kept.values()] == [[False, True, True], [False, True, False]]


def test_a_half_is_rounded_down_as_the_ratio_is_written() -> None:
    assert [rounded(0.5, size) for size in (1, 2, 3, 5, 7)] == [0, 1, 1, 2, 3]
    assert rounded(0.35, 10) == 3 and rounded(0.07, 50) == 3 and rounded(0.3, 10) == 3
    assert rounded(0.51, 3) == 2 and rounded(1, 4) == 4
    assert (standardised(np.full(3, 0.1)) == 0).all()
    assert standardised(np.array([1.0, 3])).tolist() == [-1, 1]


def test_scores_that_one_scale_makes_equal_go_in_their_own_order() -> None:
    scores = {"g0": np.array([1.0, 2e-200, 1e-200])}
    kept = choose(scores, groups_of([3]), 1 / 3, "standardised")
    assert kept["g0"].tolist() == [True, True, False]


def test_groups_without_scores_stay_whole() -> None:
    kept = choose({"g1": np.arange(4.0)}, groups_of([4, 4]), 0.5)
    assert kept["g0"].all() and kept["g1"].tolist() == [False, False, True, True]


def test_what_cannot_be_chosen_is_told() -> None:
    groups, scores = groups_of([2]), {"g0": np.arange(2.0)}
    with pytest.raises(ParameterError, match=r"ratio=1\.5: a share of units lies between 0 and 1"):
        choose(scores, groups, 1.5)
    with pytest.raises(ParameterError, match="did you mean global"):
        choose(scores, groups, 0.5, "globl")  # type: ignore[arg-type]
    with pytest.raises(ParameterError, match="'out'; it is the output"):
        choose(scores, groups, 0.5, overrides={"out": 0.5})
    with pytest.raises(ParameterError, match="2 units, but 3 scores"):
        choose({"g0": np.arange(3.0)}, groups, 0.5)
    with pytest.raises(ParameterError, match="not finite"):
        choose({"g0": np.array([1, np.nan])}, groups, 0.5)
    with pytest.raises(ParameterError, match="no scores: it stays whole"):
        choose({}, groups, 0.5, overrides={"g0": 0.5})
