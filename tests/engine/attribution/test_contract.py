"""What every method keeps to, on every kind of model that it suits."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import Plan, explain, plan
from engine.attribution.registry import methods, methods_for
from engine.errors import Cancelled, MethodError, OutOfMemory
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec
from engine.results import Attribution, load_result
from tests.engine import zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.refusals import expect_refusal

# So that a run takes few passes; for those methods that have such a parameter.
CHEAP = {
    "steps": 9,
    "window": 4,
    "stride": 3,
    "samples": 20,
    "masks": 40,
    "segments": 12,
    "permutations": 20,
    "coalitions": 20,
}
SMALL_GRID = {"regions": "grid", "cells": 2}
CHEAP_AT_224 = {"steps": 2, "window": 224, "stride": 224, "samples": 10, "masks": 3} | SMALL_GRID

TINY = [(name, method.name) for name in zoo.ZOO for method in methods_for(zoo.load(name))]
TABLES = [(name, method) for name, method in TINY if name in ("mlp", "table", "forest")]
LARGE = [("imagenet-cnn", method.name) for method in methods_for(zoo.load("tiny-cnn"))]

Explained = Callable[[str], LoadedModel]


@pytest.fixture
def load(request: pytest.FixtureRequest) -> Explained:
    def one(name: str) -> LoadedModel:
        if name == "imagenet-cnn":
            return request.getfixturevalue("imagenet_cnn")
        return zoo.load(name)

    return one


def planned(model: LoadedModel, method: str, **more: Any) -> Plan:
    known = {parameter.name for parameter in methods()[method].parameters_for(model)}
    cheap = CHEAP_AT_224 if model.spec.shape[-1] == 224 else CHEAP
    parameters = {name: value for name, value in cheap.items() if name in known}
    return plan(model, zoo.noise(model), method, 0, **{**parameters, **more})


def shape_of(model: LoadedModel) -> tuple[int, ...]:
    """Of the values of input methods: one for each column of a table."""
    spec = model.spec
    return (len(spec.columns),) if isinstance(spec, TableSpec) else spec.shape


def state_of(model: LoadedModel) -> list[Any]:
    """All that a run must leave as it was."""
    parts = list(model.module.modules())
    named = [*model.module.named_parameters(), *model.module.named_buffers()]
    tensors = [tensor for _, tensor in named]
    return [
        [sorted(vars(part)) for part in parts],
        hooks_on(model.module),
        [part.training for part in parts],
        [(tensor.requires_grad, tensor.grad is None) for tensor in tensors],
        [tensor.tolist() if name == "content" else tensor._version for name, tensor in named],
        model.digest,
    ]


def random_state() -> list[Any]:
    return [torch.get_rng_state().tolist(), repr(np.random.get_state()), random.getstate()]


@pytest.mark.parametrize(("name", "method"), TINY + LARGE)
def test_shape_type_repeatable_and_nothing_left_behind(
    name: str, method: str, load: Explained
) -> None:
    model = load(name)
    before, randomness = state_of(model), random_state()
    first, second = planned(model, method).run(), planned(model, method).run()
    assert first.values.dtype == np.float32
    assert np.isfinite(first.values).all()
    assert np.abs(first.values).max() > 0
    assert first.values.tobytes() == second.values.tobytes()
    assert first.key == second.key
    if first.values.ndim == 2:
        assert first.values.shape in {layer.shape[1:] for layer in model.layers}
    else:
        assert first.values.shape == shape_of(model)
    assert first.error is None or first.error.shape == first.values.shape
    assert state_of(model) == before
    assert random_state() == randomness


@pytest.mark.parametrize(("name", "method"), TINY)
def test_gradients_that_the_user_holds_stay(name: str, method: str) -> None:
    model = zoo.load(name)
    for index, parameter in enumerate(model.module.parameters()):
        parameter.grad = torch.full_like(parameter, index)
        parameter.requires_grad_(index % 2 == 0)
    planned(model, method).run()
    for index, parameter in enumerate(model.module.parameters()):
        assert torch.equal(parameter.grad, torch.full_like(parameter, index))
        assert parameter.requires_grad == (index % 2 == 0)


@pytest.mark.parametrize(("name", "method"), TINY + LARGE)
def test_passes_are_those_promised_or_fewer(name: str, method: str, load: Explained) -> None:
    model = load(name)
    work = planned(model, method)
    reports: list[tuple[int, int]] = []
    with counted(model.module) as count:
        found = work.run(progress=lambda done, total: reports.append((done, total)))
    used = found.manifest["outcome"]["passes"]
    assert used == {"forward": count.forward, "backward": count.backward}
    assert count.forward <= work.cost.forward
    assert count.backward <= work.cost.backward
    done = [one for one, _ in reports]
    assert done == sorted(done)
    assert done[-1] == count.forward + count.backward
    assert {total for _, total in reports} == {work.cost.total}


@pytest.mark.parametrize(("name", "method"), TINY + LARGE)
def test_manifest_is_complete_and_survives_a_file(
    name: str, method: str, load: Explained, tmp_path: Path
) -> None:
    model = load(name)
    work = planned(model, method, seed=3)
    found = work.run()
    manifest = found.manifest
    request, outcome = manifest["request"], manifest["outcome"]
    assert request["model"]["digest"] == model.digest
    kinds = {ImageSpec: "image", TableSpec: "table"}
    assert request["preprocessing"]["kind"] == kinds.get(type(model.spec), "tensor")
    assert request["classes"] == model.classes_digest
    assert len(request["input"]) == 64
    assert request["background"] is request["data"] is request["versus"] is None
    assert request["method"] == {"name": method, "parameters": work.parameters}
    assert set(work.parameters) == {p.name for p in methods()[method].parameters_for(model)}
    assert request["target"] == {"index": 0, "name": model.classes[0]}
    assert (request["output"], request["seed"]) == ("logit", 3)
    assert (request["device"], request["dtype"]) == ("cpu", model.dtype)
    assert request["chunk"] == outcome["chunk"] > 0
    assert {"engine", "torch", "captum"} <= set(request["versions"])
    assert set(outcome["passes"]) == {"forward", "backward"}
    assert outcome["seconds"] > 0
    assert manifest["key"] == work.key == found.key
    assert {"fold", "view"} <= set(manifest["display"])
    assert manifest["source"]["model"] == model.ref
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest

    loaded = load_result(found.save(tmp_path / "found.safetensors"))
    assert isinstance(loaded, Attribution)
    assert loaded.manifest == manifest
    assert loaded.values.tobytes() == found.values.tobytes()
    assert (loaded.error is None) == (found.error is None)


class WatchedLock:
    """A lock that notes what the network is like each time others may have it."""

    def __init__(self, module: nn.Module) -> None:
        self.module, self.lock, self.depth = module, threading.RLock(), 0
        self.found: list[tuple[int, list[bool]]] = []

    def __enter__(self) -> None:
        self.lock.acquire()
        self.depth += 1

    def __exit__(self, *_: object) -> None:
        self.depth -= 1
        if self.depth == 0:
            modes = [part.training for part in self.module.modules()]
            self.found.append((hooks_on(self.module), modes))
        self.lock.release()


@pytest.mark.parametrize(("name", "method"), TINY)
def test_others_never_meet_the_network_in_the_middle_of_something(name: str, method: str) -> None:
    model = zoo.load(name)
    work = planned(model, method)
    modes = [part.training for part in model.module.modules()]
    depths: list[int] = []
    lock = WatchedLock(model.module)
    model.lock = lock  # type: ignore[assignment]
    handle = model.module.register_forward_pre_hook(lambda *_: depths.append(lock.depth))
    work.run()
    handle.remove()
    assert min(depths) > 0
    assert lock.found
    assert all(left == (1, modes) for left in lock.found)  # the one hook is that of this test


class Looks:
    """A wish to stop that is heard at a certain look."""

    def __init__(self, after: float) -> None:
        self.after, self.looks, self.fired = after, 0, False

    def is_set(self) -> bool:
        self.looks += 1
        self.fired = self.fired or self.looks > self.after
        return self.fired


@pytest.mark.parametrize(("name", "method"), TINY)
def test_cancelled_at_any_moment(name: str, method: str) -> None:
    model = zoo.load(name)
    calm = Looks(float("inf"))
    expected = planned(model, method).run(cancel=calm)
    assert calm.looks >= 2
    before = state_of(model)
    for after in sorted({0, 1, calm.looks // 2, calm.looks - 1}):
        cancel = Looks(after)
        late: list[int] = []

        def entering(
            _module: nn.Module, args: Any, cancel: Looks = cancel, late: list[int] = late
        ) -> None:
            if cancel.fired:
                late.append(len(args[0]))

        handle = model.module.register_forward_pre_hook(entering)
        with pytest.raises(Cancelled):
            planned(model, method).run(cancel=cancel)
        handle.remove()
        assert late == []
        assert state_of(model) == before
    assert planned(model, method).run().values.tobytes() == expected.values.tobytes()


@pytest.mark.parametrize(("name", "method"), TINY)
def test_stopped_by_the_progress_callback(name: str, method: str) -> None:
    model = zoo.load(name)
    before = state_of(model)
    reports: list[int] = []
    expected = planned(model, method).run(progress=lambda *_: reports.append(1))
    for stop in sorted({1, len(reports) // 2, len(reports)} - {0}):
        left = [stop]

        def count_down(_done: int, _total: int, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Cancelled("cancelled")

        with pytest.raises(Cancelled):
            planned(model, method).run(progress=count_down)
        assert state_of(model) == before
    assert planned(model, method).run().values.tobytes() == expected.values.tobytes()


def exhaust(model: LoadedModel, limit: int) -> None:
    """From now on, batches larger than a limit run out of memory."""
    forward = model.module.forward

    def limited(batch: torch.Tensor) -> torch.Tensor:
        if len(batch) > limit:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return forward(batch)

    model.module.forward = limited


@pytest.mark.parametrize("limit", [1, 3])
@pytest.mark.parametrize(("name", "method"), TINY)
def test_memory_that_runs_out(name: str, method: str, limit: int) -> None:
    model = zoo.load(name)
    if method == "deep-lift" and limit == 1:  # an input and its baseline go through together
        exhaust(model, limit)
        with expect_refusal(OutOfMemory, "memory ran out"):
            planned(model, method).run()
        return
    with counted(model.module) as count:
        expected = planned(model, method).run()
    work = planned(model, method)
    exhaust(model, limit)
    found = work.run()
    assert np.allclose(found.values, expected.values, rtol=0, atol=1e-6)
    chunk = work.request["chunk"]
    if max(count.batches) > limit:
        while chunk > limit:
            chunk //= 2
    assert found.manifest["outcome"]["chunk"] == chunk
    used, passes = found.manifest["outcome"]["passes"], expected.manifest["outcome"]["passes"]
    assert used == passes


@pytest.mark.parametrize(("name", "method"), TINY)
def test_not_even_one_sample_fits(name: str, method: str) -> None:
    model = zoo.load(name)
    work = planned(model, method)
    before = state_of(model)
    exhaust(model, 0)
    with expect_refusal(OutOfMemory, "memory ran out even with one sample at a time"):
        work.run()
    del model.module.forward
    assert state_of(model) == before


def with_background(name: str, rows: int, method: str) -> dict[str, Any]:
    model = zoo.load(name)
    takes = methods()[method].accepts_background(model)
    return {"background": zoo.noise(model, rows, seed=1)} if takes else {}


@pytest.mark.parametrize("rows", [1, 7])
@pytest.mark.parametrize(("name", "method"), TABLES)
def test_with_a_background(name: str, method: str, rows: int) -> None:
    model = zoo.load(name)
    more = with_background(name, rows, method)
    if not more:
        with expect_refusal(MethodError, "takes no background"):
            planned(model, method, background=zoo.noise(model, rows))
        return
    before, randomness = state_of(model), random_state()
    work = planned(model, method, **more)
    with counted(model.module) as count:
        first = work.run()
    second = planned(model, method, **more).run()
    assert first.values.tobytes() == second.values.tobytes()
    assert first.values.shape == shape_of(model)
    assert np.isfinite(first.values).all()
    assert np.abs(first.values).max() > 0
    assert first.error is None or first.error.shape == first.values.shape
    assert first.error is None or np.isfinite(first.error).all()
    outcome = first.manifest["outcome"]
    assert outcome["passes"] == {"forward": count.forward, "backward": count.backward}
    assert count.forward <= work.cost.forward
    assert count.backward <= work.cost.backward
    assert outcome["background"] == {"rows": rows, "of": rows, "fills": []}
    assert json.loads(json.dumps(first.manifest, allow_nan=False)) == first.manifest
    assert (state_of(model), random_state()) == (before, randomness)


@pytest.mark.parametrize("limit", [2, 5])
@pytest.mark.parametrize(("name", "method"), TABLES)
def test_memory_that_runs_out_with_a_background(name: str, method: str, limit: int) -> None:
    model = zoo.load(name)
    more = with_background(name, 7, method)
    expected = planned(model, method, **more).run()
    work = planned(model, method, **more)
    exhaust(model, limit)
    found = work.run()
    assert np.allclose(found.values, expected.values, rtol=0, atol=1e-6)
    outcomes = [one.manifest["outcome"] for one in (found, expected)]
    assert outcomes[0]["passes"] == outcomes[1]["passes"]


@pytest.mark.parametrize(("name", "method"), TABLES)
def test_cancelled_at_any_moment_with_a_background(name: str, method: str) -> None:
    model = zoo.load(name)
    more = with_background(name, 7, method)
    calm = Looks(float("inf"))
    planned(model, method, **more).run(cancel=calm)
    before = state_of(model)
    for after in range(calm.looks):
        with pytest.raises(Cancelled):
            planned(model, method, **more).run(cancel=Looks(after))
        assert state_of(model) == before


WRONG = [
    (name, method)
    for name in zoo.ZOO
    for method in methods()
    if zoo.ZOO[name][2] not in methods()[method].families
]


@pytest.mark.parametrize(("name", "method"), WRONG)
def test_models_of_the_wrong_family_are_refused(name: str, method: str) -> None:
    model = zoo.load(name)
    title = methods()[method].title
    with expect_refusal(MethodError, f"{title} needs", model.card.title):
        explain(model, zoo.noise(model), method, 0)


@pytest.mark.parametrize("method", [m for m in methods() if methods()[m].needs_gradients])
def test_black_boxes_have_no_gradients(method: str) -> None:
    model = zoo.load("forest")
    if model.family in methods()[method].families:
        with expect_refusal(MethodError, "needs gradients", "kernel-shap"):
            explain(model, zoo.noise(model), method, 0)
