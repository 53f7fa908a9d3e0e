"""A smaller network that is made and judged at once, against the calls that do each alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

from engine.errors import Cancelled, InputError, MethodError, ParameterError
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.pruning.cut_study import NETWORKS, plan_cut
from engine.pruning.cutting.making import pruned_of
from engine.pruning.repairing.tuning import Recipe
from engine.pruning.saving import save_pruned
from engine.pruning.smaller import prune
from engine.pruning.sweeping.judged import parts_of
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("digits-cnn", device="cpu")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    return load_sample_set("digits").part(range(60))


def said(network: LoadedModel, images: ImageSet, places: np.ndarray) -> np.ndarray:
    x = [network.prepare(images[place]) for place in places.tolist()]
    with torch.no_grad(), network.ready() as module:
        return torch.cat([module(one).argmax(dim=1) for one in x]).numpy()


@pytest.mark.parametrize("repair", ["none", "both"])
@pytest.mark.parametrize("criterion", ["group-l2", "wifv"])
def test_it_is_the_network_of_prune(
    model: LoadedModel, images: ImageSet, repair: Any, criterion: str, tmp_path: Path
) -> None:
    asked = {"criterion": criterion, "ratio": 0.3, "repair": repair, "round_to": 8}
    plan = plan_cut(model, images, **asked)
    told: list[tuple[int, int]] = []
    found = plan.run(lambda *now: told.append(now))
    parts = parts_of(images, 0)
    alone = prune(model, images.part(parts.calibration.tolist()), **asked)
    assert found.small.digest == alone.digest
    assert pruned_of(found.small).made["criterion"] == criterion  # type: ignore[union-attr]
    assert np.array_equal(found.predicted, said(alone, images, parts.judged))
    assert np.array_equal(found.dense_predicted, said(model, images, parts.judged))
    labels = [model.classes.index(str(images.labels[place])) for place in parts.judged]
    assert found.accuracy().value == pytest.approx((found.predicted == labels).mean())
    change = found.accuracy().value - found.dense_accuracy().value
    assert found.change().value == pytest.approx(change)
    whole, small = (sum(p.numel() for p in one.module.parameters()) for one in (model, alone))
    assert (found.dense_costs.parameters, found.costs.parameters) == (whole, small)
    assert small < whole
    assert all(stays.sum() % 8 == 0 for stays in found.kept.values())
    assert found.latency.names == NETWORKS
    assert (found.latency.median > 0).all()
    assert found.used.within(plan.cost)
    assert told[-1] == (found.used.total, plan.cost.total)
    again = load_model(f"file:{save_pruned(found.small, tmp_path / 'small')}", device="cpu")
    assert np.array_equal(said(again, images, parts.judged), found.predicted)


def test_training_after_the_cut(model: LoadedModel, images: ImageSet) -> None:
    recipe = Recipe(epochs=4, learning_rate=3e-3)
    plan = plan_cut(model, images, ratio=0.6, round_to=1, recipe=recipe)
    found = plan.run()
    assert found.tuned is not None
    assert found.tuned.taught_by == "labels"
    assert len(found.tuned.losses) == 4
    assert found.tuned.losses[-1] < found.tuned.losses[0]
    assert found.used.within(plan.cost)
    assert pruned_of(found.small).made["tuned"]["epochs"] == 4  # type: ignore[union-attr]
    plain = plan_cut(model, images, ratio=0.6, round_to=1).run()
    assert plain.tuned is None
    assert plain.costs.parameters == found.costs.parameters
    assert plain.small.digest != found.small.digest


def test_without_labels_the_whole_network_teaches_and_judges(
    model: LoadedModel, images: ImageSet
) -> None:
    bare = replace(images, entries=tuple(replace(one, label=None) for one in images.entries))
    plan = plan_cut(model, bare, ratio=0.4, recipe=Recipe(epochs=1))
    found = plan.run()
    assert found.tuned is not None
    assert found.tuned.taught_by == model.card.title
    assert not found.labelled
    assert found.accuracy() == found.agreement()
    assert found.dense_accuracy().value == 1
    assert found.used.within(plan.cost)


def test_criteria_of_heads_leave_other_layers_whole() -> None:
    vit, images = load_model("digits-vit", device="cpu"), load_sample_set("digits").part(range(24))
    found = plan_cut(vit, images, criterion="uniqueness", ratio=0.5).run()
    gone = {name for name, stays in found.kept.items() if not stays.all()}
    heads = {one.name for one in plan_cut(vit, images).groups.groups if one.kind == "heads"}
    assert gone == heads
    assert prune(vit, images, criterion="uniqueness", ratio=0.5).digest


def test_cancelling_leaves_the_model(model: LoadedModel, images: ImageSet) -> None:
    before = [one.clone() for one in model.module.state_dict().values()]
    plan = plan_cut(model, images, recipe=Recipe(epochs=2))
    for share in (0.1, 0.5, 0.9):
        event = Event()

        def progress(done: int, total: int, event: Event = event, share: float = share) -> None:
            if done >= share * total:
                event.set()

        with pytest.raises(Cancelled):
            plan.run(progress, event)
    after = model.module.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("asked", "kind", "told"),
    [
        ({"ratio": 1.0}, ParameterError, "a layer without units would be empty"),
        ({"round_to": 0}, ParameterError, "round_to=0"),
        ({"repair": "nothing"}, ParameterError, "no repair"),
        ({"criterion": "nothing"}, MethodError, "no criterion"),
        ({"overrides": {"conv9": 0.1}}, ParameterError, "no layer 'conv9'"),
        ({"seed": 0.5}, ParameterError, "seed"),
    ],
)
def test_a_mistake_is_told_in_one_line(
    model: LoadedModel, images: ImageSet, asked: dict[str, Any], kind: Any, told: str
) -> None:
    with expect_refusal(kind, told):
        plan_cut(model, images, **asked)


def test_no_pictures_to_calibrate_on(model: LoadedModel, images: ImageSet) -> None:
    with expect_refusal(InputError, "no pictures to calibrate on"):
        plan_cut(model, images, calibration=images.part([]))
