"""What holds for every generator, with every choice of its parameters."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.bibliography import paper
from engine.errors import MethodError, ParameterError
from engine.masking.generators.generator import Wanted
from engine.masking.generators.registry import find_generator, generators, make_masks
from tests.engine.masking.generators.asking import CASES, IDS, Grid, guide_for, make
from tests.engine.refusals import expect_refusal, is_one_line

SEEDS = st.integers(-(2**70), 2**70)
GRIDS = st.tuples(st.integers(1, 17), st.integers(1, 17))
LONG: list[Grid] = [(1, 1), (1, 200), (200, 1), (2, 3), (14, 14), (15, 8)]
Variant = dict[str, Any]
every_case = pytest.mark.parametrize(("name", "variant"), CASES, ids=IDS)


def test_all_of_the_specification_are_there() -> None:
    assert set(generators()) == {
        "uniform", "simmim", "grid", "block", "colour-noise", "fmix", "attention-sampled",
        "attention-ranked", "hard-patches", "region-complete", "saliency", "drawn", "beta-noise",
        "noise-and-mask",
    }  # fmt: skip


@pytest.mark.parametrize("name", list(generators()))
def test_it_says_what_it_is(name: str) -> None:
    found = find_generator(name)
    assert found.name == name
    assert found.title
    assert is_one_line(found.summary)
    assert found.summary.endswith(".")
    assert found.caveat or name == "uniform"
    assert bool(found.paper) == (name not in ("drawn", "beta-noise"))
    if found.paper:
        assert paper(found.paper).year > 2005
    assert bool(found.usual_guide) == (found.guide in ("scores", "regions"))


@every_case
@settings(max_examples=15)
@given(grid=GRIDS, hidden=st.floats(0, 1), seed=SEEDS, count=st.integers(1, 4))
def test_masks_are_boolean_exact_and_indexed(
    name: str, variant: Variant, grid: Grid, hidden: float, seed: int, count: int
) -> None:
    found = find_generator(name)
    guide = guide_for(found, grid)
    before = None if guide is None else guide.copy()
    keep = make_masks(name, grid, hidden, count=count, seed=seed, guide=guide, **variant)
    assert keep.shape == (count, *grid)
    assert keep.dtype == np.bool_
    if found.exact:
        wanted = round(hidden * grid[0] * grid[1])
        assert (~keep).sum(axis=(1, 2)).tolist() == [wanted] * count
    assert guide is None or np.array_equal(guide, before)
    first = make_masks(name, grid, hidden, count=1, seed=seed, guide=guide, **variant)
    assert np.array_equal(keep[:1], first)


@every_case
@pytest.mark.parametrize("grid", LONG)
def test_nothing_and_everything_hidden(name: str, variant: Variant, grid: Grid) -> None:
    if name == "drawn":
        return
    assert make(name, grid, 0, count=2, **variant).all()
    assert not make(name, grid, 1, count=2, **variant).any()


@every_case
def test_a_seed_makes_the_same_masks_and_nothing_else_is_drawn_from(
    name: str, variant: Variant
) -> None:
    state = np.random.get_state()[1].copy()  # type: ignore[union-attr]
    found = find_generator(name)
    keep = make(name, (14, 14), 0.5, count=6, seed=3, **variant)
    assert np.array_equal(keep, make(name, (14, 14), 0.5, count=6, seed=3, **variant))
    assert np.array_equal(state, np.random.get_state()[1])
    same = np.array_equal(keep, make(name, (14, 14), 0.5, count=6, seed=4, **variant))
    assert same != found.drawn
    assert (keep == keep[0]).all() != found.drawn


@every_case
def test_noise_is_none_or_a_share(name: str, variant: Variant) -> None:
    found = find_generator(name)
    wanted = Wanted((3, 4), 0.5, 5, 1, guide_for(found, (3, 4)))
    noise = found.noise(wanted, variant)
    assert (noise is not None) == (name in ("beta-noise", "noise-and-mask"))
    if noise is not None:
        assert noise.shape == (5, 3, 4)
        assert 0 <= noise.min() <= noise.max() <= 1


@pytest.mark.parametrize("name", [name for name, found in generators().items() if found.guide])
def test_a_guide_that_is_missing_or_wrong_is_told(name: str) -> None:
    found = find_generator(name)
    good = guide_for(found, (4, 5))
    assert good is not None
    with expect_refusal(ParameterError, f"{name} needs a", "to be guided by"):
        make_masks(name, (4, 5), 0.5)
    with expect_refusal(
        ParameterError, f"the guide of {name} has shape (4, 5); the grid has (5, 4)"
    ):
        make_masks(name, (5, 4), 0.5, guide=good)
    for wrong in (good.astype(str), good.astype(complex)):
        with expect_refusal(ParameterError, f"{name} needs a", str(wrong.dtype)):
            make_masks(name, (4, 5), 0.5, guide=wrong)


def test_guides_of_other_kinds_are_told() -> None:
    for value in (np.nan, np.inf):
        with expect_refusal(ParameterError, "all of them finite"):
            make_masks("saliency", (1, 2), 0.5, guide=np.array([[0, value]]))
    with expect_refusal(ParameterError, "whole numbers from 0", "int64"):
        make_masks("region-complete", (1, 2), 0.5, guide=np.array([[0, -1]]))
    with expect_refusal(ParameterError, "true or false", "int64"):
        make_masks("drawn", (1, 2), 0.5, guide=np.array([[0, 1]]))
    with expect_refusal(ParameterError, "uniform is guided by nothing but chance"):
        make_masks("uniform", (1, 2), 0.5, guide=np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"hidden": 1.01}, "hidden=1.01 is out of range: a share from 0 to 1"),
        ({"hidden": -0.1}, "hidden=-0.1 is out of range"),
        ({"hidden": float("nan")}, "hidden=nan is out of range"),
        ({"hidden": "half"}, "hidden='half': expected a share"),
        ({"hidden": True}, "hidden=True: expected a share"),
        ({"count": 0}, "count=0: expected a number of masks, 1 to 10000"),
        ({"count": 2.0}, "count=2.0: expected a number of masks"),
        ({"count": 10**6}, "count=1000000: expected a number of masks"),
        ({"seed": "x"}, "seed='x': expected a whole number"),
        ({"seed": True}, "seed=True: expected a whole number"),
        ({"grid": (0, 4)}, "grid=(0, 4): expected rows and columns"),
        ({"grid": 4}, "grid=4: expected rows and columns"),
        ({"grid": (2, 2, 2)}, "grid=(2, 2, 2): expected rows and columns"),
        ({"block": 3}, "uniform has no parameter 'block'; it takes none"),
    ],
)
def test_bad_wishes_are_told(more: dict[str, Any], words: str) -> None:
    asked = {"grid": (4, 4), "hidden": 0.5, **more}
    with expect_refusal(ParameterError, words):
        make_masks("uniform", asked.pop("grid"), asked.pop("hidden"), **asked)


def test_unknown_names_are_told() -> None:
    with expect_refusal(MethodError, "no generator 'unifrom'", "did you mean uniform"):
        make_masks("unifrom", (4, 4), 0.5)
    with expect_refusal(ParameterError, "colour='pink' is no choice"):
        make_masks("colour-noise", (4, 4), 0.5, colour="pink")
