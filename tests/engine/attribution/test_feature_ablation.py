from __future__ import annotations

import numpy as np
import pytest
import torch
from captum.attr import FeatureAblation

from engine.attribution.explain import explain, plan
from engine.errors import MethodError, ParameterError
from engine.execution.cost import Cost
from engine.inputs.images import ImageInput
from engine.masking.regions import grid, superpixels
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from tests.engine import reference, zoo
from tests.engine.masking.painting import PAINTED
from tests.engine.refusals import expect_refusal

METHOD = "feature-ablation"
WAYS = [
    {"regions": "grid", "cells": 4},
    {"regions": "grid", "cells": 5},
    {"regions": "grid", "cells": 8},
    {"regions": "superpixels", "segments": 10},
    {"regions": "superpixels", "segments": 40},
]


def labels(model: LoadedModel, x: torch.Tensor, way: dict[str, object]) -> torch.Tensor:
    if way["regions"] == "grid":
        return grid(16, 16, int(str(way["cells"])))
    return superpixels(model, x, int(str(way["segments"])))


@pytest.mark.parametrize("fill", PAINTED)
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["tiny-cnn", "tiny-vit"])
def test_agrees_with_captum(name: str, way: dict[str, object], fill: str) -> None:
    model = zoo.load(name)
    x = zoo.noise(model)
    theirs = FeatureAblation(zoo.build(name)).attribute(
        x,
        baselines=PAINTED[fill].values(model, x).expand_as(x),
        target=0,
        feature_mask=labels(model, x, way)[None, None],
    )
    found = explain(model, x, METHOD, 0, fill=fill, **way)
    assert np.allclose(found.values, theirs[0].detach().numpy(), rtol=0, atol=1e-5)


def test_each_feature_of_a_table_by_hand() -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    array = x[0].double().numpy()
    whole = reference.mlp_logits(model.module, array)[1]
    expected = []
    for feature in range(5):
        changed = array.copy()
        changed[feature] = 0
        expected.append(whole - reference.mlp_logits(model.module, changed)[1])
    planned = plan(model, x, METHOD, 1)
    assert planned.parameters == {"fill": "mean"}
    assert planned.cost == Cost(5 + 2)
    assert np.allclose(planned.run().values, expected, rtol=0, atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
def test_cost_is_a_pass_for_each_region_and_two_more(way: dict[str, object]) -> None:
    model = zoo.load("tiny-cnn")
    planned = plan(model, zoo.noise(model), METHOD, 0, **way)
    most = way["segments"] if "segments" in way else int(str(way["cells"])) ** 2
    assert planned.cost == Cost(most + 2)
    outcome = planned.run().manifest["outcome"]
    assert outcome["passes"]["forward"] == outcome["regions"] + 2
    if way["regions"] == "grid":
        assert outcome["regions"] == most


def test_cells_of_a_grid() -> None:
    found = grid(7, 10, 3).numpy()
    assert np.array_equal(np.unique(found), np.arange(9))
    for cell in range(9):
        rows, columns = np.nonzero(found == cell)
        assert len(rows) == (np.ptp(rows) + 1) * (np.ptp(columns) + 1)
        assert 2 <= np.ptp(rows) + 1 <= 3
        assert 3 <= np.ptp(columns) + 1 <= 4


@pytest.mark.parametrize("segments", [10, 60, 200])
def test_superpixels_are_as_many_as_asked_for_or_fewer(
    segments: int, imagenet_cnn: LoadedModel, chelsea: ImageInput
) -> None:
    x = imagenet_cnn.prepare(chelsea)
    found = superpixels(imagenet_cnn, x, segments).numpy()
    count = found.max() + 1
    assert np.array_equal(np.unique(found), np.arange(count))
    assert segments / 2 <= count <= segments
    assert np.array_equal(found, superpixels(imagenet_cnn, x, segments).numpy())


def test_superpixels_follow_edges() -> None:
    model = zoo.load("tiny-cnn")
    unit = torch.zeros(3, 16, 16)
    unit[0, :, :5] = 1
    unit[2, :, 5:] = 1
    found = superpixels(model, zoo.PICTURE.normalise(unit)[None], 8).numpy()
    assert not set(np.unique(found[:, :5])) & set(np.unique(found[:, 5:]))


def test_pictures_that_come_as_plain_tensors() -> None:
    for channels in (1, 3, 5):
        module = torch.nn.Sequential(
            torch.nn.Conv2d(channels, 4, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
        )
        model = load_model(module, input_spec=TensorSpec((channels, 12, 14)))
        stripes = torch.arange(14.0).div(5).floor().expand(1, channels, 12, 14)
        found = explain(model, stripes, METHOD, 0, segments=10)
        assert found.values.shape == (channels, 12, 14)
        assert 2 <= found.manifest["outcome"]["regions"] <= 10


def test_more_cells_than_pixels_are_refused() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, "cells=17 is out of range: from 2 to 16"):
        explain(model, zoo.noise(model), METHOD, 0, regions="grid", cells=17)


@pytest.mark.parametrize("count", [1, 2, 9])
def test_each_column_of_a_table_behind_every_row(count: int) -> None:
    model = zoo.load("table")
    x, rows = zoo.noise(model), zoo.noise(model, count, seed=1)
    array, others = x[0].double().numpy(), rows.double().numpy()
    whole = reference.table_logits(model.module, array)[1]
    falls = np.zeros((3, count))
    for column in range(3):
        changed = np.where(zoo.TABLE.column_of == column, others, array)
        falls[column] = whole - reference.table_logits(model.module, changed)[:, 1]
    planned = plan(model, x, METHOD, 1, background=rows)
    assert planned.cost == Cost(3 * count + 2)
    found = planned.run()
    assert np.allclose(found.values, falls.mean(axis=1), rtol=0, atol=1e-6)
    if count == 1:
        assert found.error is None
    else:
        error = falls.std(axis=1, ddof=1) / np.sqrt(count)
        assert np.allclose(found.error, error, rtol=0, atol=1e-6)
    outcome = found.manifest["outcome"]
    assert outcome["regions"] == 3
    assert "base" not in outcome
    assert "completeness" not in outcome


def test_a_column_of_several_features_agrees_with_captum() -> None:
    model = zoo.load("table")
    x, row = zoo.noise(model), zoo.noise(model, seed=4)
    assert not torch.equal(x[:, 1:4], row[:, 1:4])
    theirs = FeatureAblation(zoo.build("table")).attribute(
        x, row, target=0, feature_mask=torch.tensor([[0, 1, 1, 1, 2]])
    )
    found = explain(model, x, METHOD, 0, background=row)
    assert np.allclose(found.values, theirs[0, [0, 1, 4]].detach().numpy(), rtol=0, atol=1e-5)


def test_the_error_is_that_of_other_rows() -> None:
    model = zoo.load("mlp")
    x = zoo.noise(model)
    runs = [
        explain(model, x, METHOD, 0, background=zoo.noise(model, 25, seed=seed))
        for seed in range(1, 31)
    ]
    spread = np.std([run.values for run in runs], axis=0, ddof=1)
    told = np.mean([run.error for run in runs], axis=0)
    assert (told < 2 * spread).all()
    assert (told > spread / 2).all()


def test_pictures_take_no_background() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "Feature Ablation takes no background"):
        explain(model, zoo.noise(model), METHOD, 0, background=zoo.noise(model, 3))
