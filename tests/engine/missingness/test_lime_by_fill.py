"""LIME with each fill: scores by hand, and on a model whose object is all that counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import engine
from engine.errors import InputError, ParameterError
from engine.inputs.image_sets import ImageSet
from engine.mask_results import LimeByFill
from engine.masking.regions import superpixels
from engine.missingness.lime_by_fill import (
    cosine_of,
    first,
    held_truth,
    lime_by_fill,
    overlap_of,
    plan_lime,
    weights_of,
)
from engine.models.loaded import LoadedModel
from engine.models.seen_masks import seen_mask
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def scenes() -> ImageSet:
    return engine.load_sample_set("scenes")


@pytest.fixture(scope="module")
def resnet() -> LoadedModel:
    return engine.load_model("scenes-resnet", device="cpu")


def test_scores_by_hand() -> None:
    segments = np.array([[0, 0, 1], [2, 2, 1]])
    truth = np.array([[True, False, False], [False, True, False]])
    # The mean is 1/3: segment 0 has 1 − 2/3, segment 1 has 0 − 2/3, segment 2 has 1 − 2/3.
    assert held_truth(segments, truth) == pytest.approx([1 / 3, -2 / 3, 1 / 3])
    assert weights_of(segments, np.array([[5, 5, 7], [6, 6, 7]])).tolist() == [5, 7, 6]
    assert first(np.array([1, 3, 3, 2]), 3).tolist() == [1, 2, 3]
    assert overlap_of(np.array([1, 2, 3]), np.array([3, 4, 5])) == pytest.approx(1 / 5)
    assert cosine_of(np.array([1.0, 0]), np.array([1.0, 1])) == pytest.approx(np.sqrt(0.5))
    assert np.isnan(cosine_of(np.zeros(2), np.ones(2)))


def test_derived_again(scenes: ImageSet, resnet: LoadedModel, tmp_path: Path) -> None:
    fills = ("grey", "layer-masking")
    planned = plan_lime(resnet, scenes, fills=fills, samples=60, count=2)
    with counted(resnet.module) as seen:
        found = planned.run()
    assert seen.forward == found.manifest["outcome"]["passes"]["forward"] == planned.cost.forward
    for place in range(2):
        picture = scenes[place]
        best = engine.predict(resnet, picture).best
        assert found.whole[place] == best
        segments = superpixels(resnet, resnet.prepare(picture), 100).numpy()
        truth = seen_mask(resnet, picture)
        assert truth is not None
        held = [float((truth - truth.mean())[segments == s].sum()) for s in np.unique(segments)]
        for row, fill in enumerate(fills):
            lime = engine.explain(
                resnet, resnet.prepare(picture), "lime", best, samples=60, segments=100, fill=fill
            )
            weights = [float(lime.values[0][segments == s].mean()) for s in np.unique(segments)]
            cosine = np.dot(weights, held) / np.linalg.norm(weights) / np.linalg.norm(held)
            assert found.cosine[row, place] == pytest.approx(cosine, abs=1e-4)
            tops = [
                set(np.argsort(-np.array(one), kind="stable")[:20].tolist())
                for one in (weights, held)
            ]
            jaccard = len(tops[0] & tops[1]) / len(tops[0] | tops[1])
            assert found.overlap[row, place] == pytest.approx(jaccard)
            keep = ~np.isin(segments, list(tops[0]))
            said = engine.predict_masked(resnet, picture, keep[None], fill).argmax()
            assert found.predicted[row, place] == said
    again = engine.load_result(found.save(tmp_path / "s.safetensors"))
    assert isinstance(again, LimeByFill)
    assert again.fills == fills


def test_refusals(scenes: ImageSet, resnet: LoadedModel) -> None:
    with expect_refusal(ParameterError, "segments=30"):
        plan_lime(resnet, scenes, segments=30)
    with expect_refusal(ParameterError, "samples"):
        plan_lime(resnet, scenes, samples=1)
    with expect_refusal(InputError, "no true mask tells where its object is"):
        lime_by_fill("digits-cnn", engine.load_sample_set("digits"), fills=["grey"], count=1)
