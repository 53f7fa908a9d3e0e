from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.attribution.background import MAX_ROWS, load_background
from engine.attribution.explain import explain, plan
from engine.errors import Cancelled, InputError, MethodError
from engine.inputs.images import ImageInput
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

METHOD = "gradient-shap"


def picture(seed: int) -> ImageInput:
    pixels = np.random.default_rng(seed).integers(0, 256, (16, 20, 3), dtype=np.uint8)
    return ImageInput(pixels, f"{seed}.png")


class Set:
    """What an image set is to the engine; notes which pictures are opened."""

    def __init__(self, size: int, digest: str | None = None) -> None:
        self.size, self.opened = size, []
        if digest is not None:
            self.digest = digest

    def __len__(self) -> int:
        return self.size

    def __iter__(self) -> Any:
        return (self[index] for index in range(self.size))

    def __getitem__(self, index: int) -> ImageInput:
        self.opened.append(index)
        return picture(index)


def values(background: Any, seed: int = 0) -> bytes:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = explain(model, x, METHOD, 0, background=background, samples=9, seed=seed)
    return found.values.tobytes()


def test_whatever_it_comes_as() -> None:
    model = zoo.load("tiny-cnn")
    pictures = [picture(seed) for seed in range(5)]
    prepared = torch.cat([model.prepare(one) for one in pictures])
    arrays = [one.pixels for one in pictures]
    ways = [prepared, prepared.numpy(), pictures, tuple(pictures), iter(pictures), Set(5), arrays]
    ways += [[one.picture for one in pictures], np.stack(arrays)]
    assert len({values(way) for way in ways}) == 1
    assert values(pictures[0]) == values([pictures[0]])


def test_a_set_that_knows_its_digest_is_not_opened_to_plan() -> None:
    model = zoo.load("tiny-cnn")
    many = Set(1000, "0123abcd")
    planned = plan(model, zoo.noise(model), METHOD, 0, background=many, samples=4)
    assert many.opened == []
    assert planned.request["background"] == "0123abcd"
    planned.run()
    assert len(many.opened) == len(set(many.opened)) == MAX_ROWS


def test_of_many_some_are_drawn_by_the_seed() -> None:
    model = zoo.load("tiny-cnn")
    chosen = [load_background(model, Set(1000), seed).chosen for seed in (0, 0, 1)]
    assert chosen[0] == chosen[1] != chosen[2]
    assert len(set(chosen[0])) == MAX_ROWS
    assert chosen[0] == tuple(sorted(chosen[0]))
    assert max(chosen[0]) > 500
    assert load_background(model, Set(64), 5).chosen == tuple(range(64))


def test_of_what_never_ends_only_the_first_are_looked_at() -> None:
    model = zoo.load("tiny-cnn")

    def endless() -> Any:
        seed = 0
        while True:
            yield picture(seed)
            seed += 1

    assert load_background(model, endless(), 0).size == MAX_ROWS


def test_what_changes_the_key() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    pictures = [picture(seed) for seed in range(3)]

    def key(background: Any) -> str:
        return plan(model, x, METHOD, 0, background=background).key

    others = [
        None,
        pictures,
        pictures[:2],
        pictures[::-1],
        [*pictures[:2], picture(3)],
        [*pictures[:2], pictures[2].with_fit("letterbox")],
        Set(3, "one"),
        Set(3, "other"),
        zoo.noise(model, 3),
        zoo.noise(model, 3, seed=1),
    ]
    assert len({key(other) for other in others}) == len(others)
    assert key(pictures) == key(tuple(picture(seed) for seed in range(3)))


def test_it_can_be_cancelled_between_pictures() -> None:
    model = zoo.load("tiny-cnn")
    many = Set(1000, "0123abcd")

    class AfterThree:
        def is_set(self) -> bool:
            return len(many.opened) >= 3

    with pytest.raises(Cancelled):
        plan(model, zoo.noise(model), METHOD, 0, background=many).run(cancel=AfterThree())
    assert len(many.opened) == 3


@pytest.mark.parametrize(
    ("background", "told"),
    [
        ("folder", "not str"),
        (5, "not int"),
        ({}, "not dict"),
        ([], "holds no pictures"),
        (torch.zeros(0, 3, 16, 16), "expected a background of shape (n, 3, 16, 16)"),
        (torch.zeros(3, 16, 16), "got (3, 16, 16)"),
        (torch.zeros(2, 3, 16, 17), "got (2, 3, 16, 17)"),
        ([picture(0), "no-such.png"], "no-such.png"),
    ],
)
def test_what_is_no_background(background: Any, told: str) -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(InputError, told):
        explain(model, zoo.noise(model), METHOD, 0, background=background)


def test_other_methods_take_none() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "SmoothGrad takes no background"):
        explain(model, zoo.noise(model), "smoothgrad", 0, background=[picture(0)])


def test_values_that_are_not_finite() -> None:
    model = zoo.load("mlp")
    with expect_refusal(InputError, "not finite"):
        explain(model, zoo.noise(model), METHOD, 0, background=torch.full((2, 5), torch.nan))
