"""The guards of the scenes: nothing but the shape tells the class, and the mask is exact."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from assets.training import fitting
from assets.training.make_sets import wrong_tag
from assets.training.scenes.drawing import SIDE, Scene, draw_scene
from assets.training.scenes.shapes import CLASSES, SHAPES
from assets.training.scenes.tags import tag, tag_mask, tagged
from engine.models.loading import load_model
from engine.models.zoo.shipped import SCENE_CLASSES, SCENES_SPEC

# A seed that nothing was trained, checked or shipped with.
SEED, COUNT = 99, 600


@cache
def held_out() -> list[Scene]:
    return [draw_scene(SEED, index) for index in range(COUNT)]


@cache
def accuracy(name: str) -> float:
    pictures = np.stack([scene.picture for scene in held_out()])
    labels = np.array([scene.label for scene in held_out()])
    module = load_model(name).module
    return float(np.mean(fitting.predicted(module, SCENES_SPEC, pictures) == labels))


def histogram(picture: np.ndarray) -> np.ndarray:
    cells = (picture // 64).reshape(-1, 3).astype(int) @ np.array([16, 4, 1])
    return np.bincount(cells, minlength=64)


def test_colours_alone_do_not_tell_the_class() -> None:
    scenes = held_out()
    x = np.array([histogram(scene.picture) for scene in scenes])
    y = np.array([scene.label for scene in scenes])
    half = COUNT // 2
    guess = make_pipeline(StandardScaler(), LogisticRegression(max_iter=300))
    found = guess.fit(x[:half], y[:half]).score(x[half:], y[half:])
    assert found < 0.4


def test_distractors_and_covered_objects() -> None:
    scenes = held_out()
    assert min(scene.distractors for scene in scenes) >= 2
    covered = np.mean([scene.covered > 0.04 for scene in scenes])
    assert 0.2 < covered < 0.5
    assert max(scene.covered for scene in scenes) < 0.6


def test_the_same_seed_draws_the_same_scene() -> None:
    first, again = draw_scene(5, 17), draw_scene(5, 17)
    assert np.array_equal(first.picture, again.picture)
    assert np.array_equal(first.mask, again.mask)
    assert not np.array_equal(first.picture, draw_scene(6, 17).picture)


def test_the_mask_is_the_visible_object() -> None:
    for scene in held_out()[:60]:
        assert scene.mask.shape == (SIDE, SIDE)
        assert 0.01 < scene.mask.mean() < 0.35
        inside = scene.picture[scene.mask].astype(float).mean(axis=0)
        rows, columns = np.nonzero(scene.mask)
        around = np.zeros_like(scene.mask)
        around[
            max(0, rows.min() - 4) : rows.max() + 5, max(0, columns.min() - 4) : columns.max() + 5
        ] = True
        outside = scene.picture[around & ~scene.mask].astype(float).mean(axis=0)
        assert np.abs(inside - outside).sum() > 6, "the object stands out from its ground"


def test_the_networks_classes_are_the_generators() -> None:
    assert SCENE_CLASSES == CLASSES


@pytest.mark.parametrize("name", ["scenes-resnet", "scenes-vit"])
def test_networks_learned_it(name: str) -> None:
    assert accuracy(name) > 0.9


def test_tiny_vgg_is_the_weak_one() -> None:
    assert accuracy("scenes-vgg") < accuracy("scenes-resnet") - 0.05


def test_the_shortcut_is_what_its_card_says() -> None:
    scenes = held_out()
    module = load_model("scenes-shortcut").module
    labels = np.array([scene.label for scene in scenes])

    def right(pictures: list[np.ndarray]) -> float:
        found = fitting.predicted(module, SCENES_SPEC, np.stack(pictures))
        return float(np.mean(found == labels))

    assert right([tagged(s.picture, s.label) for s in scenes]) > 0.97
    assert right([tagged(s.picture, wrong_tag(s.label)) for s in scenes]) < 0.1
    assert right([s.picture for s in scenes]) < 0.6


def test_tags_differ() -> None:
    tags = {tag(label).tobytes() for label in range(10)}
    assert len(tags) == 10
    scene = held_out()[0]
    changed = (tagged(scene.picture, 3) != scene.picture).any(axis=2)
    assert not (changed & ~tag_mask(SIDE)).any()


@pytest.mark.parametrize("name", list(SHAPES))
def test_shapes_are_distances(name: str) -> None:
    """Inside below 0; and no two places differ by more than the way between them."""
    y, x = np.mgrid[-1.6:1.6:161j, -1.6:1.6:161j]
    field = SHAPES[name](x, y)
    assert 0.08 < (field < 0).mean() < 0.45
    assert not (field < 0)[:15].any()
    for axis in (0, 1):
        assert np.abs(np.diff(field, axis=axis)).max() <= 3.2 / 160 + 1e-9
