from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch import nn

from engine.attribution.explain import explain
from engine.errors import InputError, ModelError
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


def modes(model: LoadedModel) -> list[bool]:
    return [part.training for part in model.module.modules()]


def test_ready_puts_all_in_eval_mode_and_back() -> None:
    model = zoo.load("tiny-cnn")
    before = modes(model)
    assert set(before) == {True, False}
    with model.ready() as module:
        assert module is model.module
        assert not any(modes(model))
    assert modes(model) == before


def test_ready_puts_modes_back_after_an_exception() -> None:
    model = zoo.load("tiny-cnn")
    before = modes(model)
    with pytest.raises(KeyError), model.ready():
        raise KeyError
    assert modes(model) == before


def test_ready_inside_ready() -> None:
    model = zoo.load("tiny-cnn")
    before = modes(model)
    with model.ready(), model.ready():
        pass
    assert modes(model) == before


def taken_elsewhere(lock: threading.RLock) -> bool:
    """Whether another thread finds the lock taken."""
    found: list[bool] = []

    def attempt() -> None:
        free = lock.acquire(blocking=False)
        found.append(not free)
        if free:
            lock.release()

    thread = threading.Thread(target=attempt)
    thread.start()
    thread.join()
    return found[0]


def test_ready_holds_the_lock() -> None:
    model = zoo.load("tiny-cnn")
    assert not taken_elsewhere(model.lock)
    with model.ready():
        assert taken_elsewhere(model.lock)
    with pytest.raises(KeyError), model.ready():
        raise KeyError
    assert not taken_elsewhere(model.lock)


def test_the_digest_when_eight_ask_at_once() -> None:
    expected = zoo.load("tiny-cnn").digest
    for _ in range(5):
        model = zoo.load("tiny-cnn")
        start = threading.Barrier(8, timeout=60)

        def ask(_index: int, model: LoadedModel = model, start: threading.Barrier = start) -> str:
            start.wait()
            return model.digest

        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(ask, range(8))) == {expected}


def test_forward_holds_the_lock() -> None:
    model = zoo.load("tiny-cnn")
    seen: list[bool] = []
    handle = model.module.register_forward_hook(lambda *_: seen.append(taken_elsewhere(model.lock)))
    model.forward(zoo.noise(model))
    handle.remove()
    assert seen == [True]


def test_forward_is_in_eval_mode() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model, 3)
    running = model.module.bn1.running_mean.clone()
    assert torch.equal(model.forward(x), zoo.build("tiny-cnn")(x))
    assert torch.equal(model.module.bn1.running_mean, running)


class Changing(nn.Module):
    """Returns fewer columns, or fewer rows, than it did when it was loaded."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(5, 4)
        self.rows, self.columns = 100, 4

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.layer(x)[: self.rows, : self.columns]


@pytest.mark.parametrize(("rows", "columns", "told"), [(100, 3, "(2, 3)"), (1, 4, "(1, 4)")])
def test_output_of_another_shape(rows: int, columns: int, told: str) -> None:
    module = Changing()
    model = load_model(module)
    module.rows, module.columns = rows, columns
    with expect_refusal(ModelError, f"returned shape {told} for 2 samples and 4 classes"):
        model.forward(torch.zeros(2, 5))


def picture() -> ImageInput:
    pixels = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    return ImageInput(pixels, "noise")


def test_prepare_is_what_the_spec_says() -> None:
    model = zoo.load("tiny-cnn")
    x = model.prepare(picture())
    assert torch.equal(x, zoo.PICTURE.prepare(picture()))
    assert torch.equal(model.prepare(picture().pixels), x)
    assert torch.equal(model.prepare(x), x)
    assert torch.equal(model.prepare(x[0]), x)


def test_prepare_takes_numbers_of_other_types() -> None:
    model = zoo.load("mlp")
    found = model.prepare(torch.arange(5))
    assert found.dtype == torch.float32
    assert found.tolist() == [[0, 1, 2, 3, 4]]
    assert model.prepare(torch.zeros(1, 5, dtype=torch.float64)).dtype == torch.float32


def test_prepare_leaves_the_callers_tensor_alone() -> None:
    model = zoo.load("mlp")
    mine = torch.ones(1, 5, requires_grad=True)
    found = model.prepare(mine)
    assert not found.requires_grad
    assert mine.requires_grad
    assert mine.grad is None


@pytest.mark.parametrize("shape", [(4,), (2, 5), (1, 1, 5), (1, 6), ()])
def test_tensors_of_the_wrong_shape(shape: tuple[int, ...]) -> None:
    with expect_refusal(InputError, "expected a tensor of shape (1, 5)", f"got {shape}"):
        zoo.load("mlp").prepare(torch.zeros(shape))


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_tensors_that_are_not_finite(value: float) -> None:
    with expect_refusal(InputError, "not finite"):
        zoo.load("mlp").prepare(torch.full((5,), value))


def test_pictures_for_a_network_for_tables() -> None:
    with expect_refusal(InputError, "Mlp takes tensors of shape (5,), not pictures"):
        zoo.load("mlp").prepare(picture())


def test_counts_and_digests() -> None:
    model = zoo.load("mlp")
    assert model.parameter_count == 5 * 7 + 7 + 7 * 3 + 3
    other = load_model(model.module, classes=["a", "b", "c"])
    assert other.digest == model.digest
    assert other.classes_digest != model.classes_digest
    assert load_model(model.module, classes=["ab", "", "c"]).classes_digest != other.classes_digest


@pytest.mark.parametrize("method", ["gradient", "grad-cam", "occlusion"])
def test_networks_in_double_precision_are_asked_in_theirs(method: str) -> None:
    model = load_model(zoo.build("tiny-cnn").double(), input_spec=zoo.PICTURE, device="cpu")
    x = zoo.noise(model)
    assert model.forward(x).dtype == model.prepare(x).dtype == torch.float64
    found = explain(model, x, method, 1)
    usual = explain(zoo.load("tiny-cnn"), x, method, 1).values
    assert found.manifest["request"]["dtype"] == "float64"
    assert np.allclose(found.values, usual, rtol=0, atol=1e-4 * np.abs(usual).max())
    assert not np.array_equal(found.values, usual)


def test_half_precision_is_told() -> None:
    model = load_model(zoo.build("tiny-cnn").bfloat16(), input_spec=zoo.PICTURE, device="cpu")
    assert model.dtype == "bfloat16"
    assert "computes in bfloat16: small differences drown in rounding" in model.card.notes[-1]
    assert np.isfinite(explain(model, zoo.noise(model), "gradient", 1).values).all()
