"""Networks that compute in odd ways: told, and still explained; or refused in one line."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from engine.attribution.explain import explain, plan
from engine.attribution.method import Method
from engine.attribution.registry import methods, methods_for
from engine.errors import Cancelled, HaloscopeError, ModelError, OutOfMemory, TargetError
from engine.execution.predict import predict
from engine.masking import predict_masked
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.own_models import nets
from tests.engine.own_models.cells import settings_of
from tests.engine.own_models.in_hand import lively
from tests.engine.refusals import expect_refusal


class Noisy(nets.Cnn):
    """Its dropout stays on in eval mode."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(F.dropout(self.trunk(x).flatten(1), 0.5))


class OneAtATime(nets.Cnn):
    """Forgets the axis of samples."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.trunk(x).reshape(1, -1))


class Mixing(nets.Cnn):
    """Holds each sample against the mean of all."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x - x.mean(dim=0, keepdim=True) + x[:1])


def like_cnn(builder: type[nets.Cnn]) -> nets.Cnn:
    """An odd network with the weights of an ordinary one."""
    odd = builder().eval()
    odd.load_state_dict(lively(nets.Cnn).state_dict())
    return odd


def test_dropout_that_stays_on_is_told() -> None:
    notes = load_model(lively(Noisy)).card.notes
    assert any("gives other values each time it is asked the same" in note for note in notes)


def test_an_ordinary_network_is_told_nothing_of_the_kind() -> None:
    model = load_model(lively(nets.Cnn))
    assert model.seen.batches
    assert not any(note.startswith("it ") for note in model.card.notes)


@pytest.mark.parametrize(
    ("builder", "told"),
    [(OneAtATime, "takes one sample at a time only"), (Mixing, "it is asked one at a time")],
)
def test_a_network_for_one_sample_at_a_time_is_told(builder: type[nets.Cnn], told: str) -> None:
    model = load_model(like_cnn(builder))
    assert not model.seen.batches
    assert any(told in note for note in model.card.notes)


REFUSED = {OneAtATime: "DeepLift fails on OneAtATime", Mixing: "DeepLift does not suit Mixing"}


@pytest.mark.parametrize("builder", REFUSED)
def test_only_deep_lift_cannot_do_with_one_sample_at_a_time(builder: type[nets.Cnn]) -> None:
    """An input goes through together with its baseline there."""
    model = load_model(like_cnn(builder))
    (refused,) = [method for method in SUITED if method.refusal(model) is not None]
    assert refused.name == "deep-lift"
    assert REFUSED[builder] in str(refused.refusal(model))


SUITED = [method for method in methods().values() if "cnn" in method.families]


@pytest.mark.parametrize(
    "method",
    [method for method in SUITED if method.name != "deep-lift"],
    ids=lambda method: method.name,
)
@pytest.mark.parametrize("builder", [OneAtATime, Mixing])
def test_every_method_asks_it_for_one_sample_at_a_time(
    builder: type[nets.Cnn], method: Method
) -> None:
    model, usual = load_model(like_cnn(builder)), load_model(lively(nets.Cnn))
    told = settings_of(method, model)
    work = plan(model, zoo.noise(model), method.name, 1, **told)
    assert work.request["chunk"] == 1
    found = work.run()
    assert found.manifest["outcome"]["chunk"] == 1
    wanted = explain(usual, zoo.noise(model), method.name, 1, **told)
    assert np.allclose(found.values, wanted.values, rtol=1e-3, atol=1e-4 * np.ptp(wanted.values))


def test_masks_go_through_one_at_a_time_too() -> None:
    model = load_model(like_cnn(OneAtATime))
    keep = np.ones((5, 32, 32), dtype=bool)
    keep[1:, :8] = False
    assert predict_masked(model, zoo.noise(model), keep).shape == (5, 4)


class Trap(nets.Cnn):
    """Does as it is told once it is loaded."""

    error: BaseException | None = None

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.error is not None:
            raise self.error
        return super().forward(x)


@pytest.mark.parametrize("method", [method.name for method in SUITED])
def test_a_network_that_fails_in_a_run_is_told_in_one_line(method: str) -> None:
    module = lively(Trap)
    model = load_model(module)
    assert methods()[method].refusal(model) is None
    work = plan(model, zoo.noise(model), method, 1, **settings_of(methods()[method], model))
    module.error = IndexError("list index out of range\nat line 3")
    with expect_refusal(
        ModelError, "Trap failed in a pass of shape", "IndexError: list index out of range"
    ):
        work.run()
    module.error = None
    assert np.isfinite(work.run().values).all()


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (Cancelled("cancelled"), Cancelled),
        (TargetError("one of ours"), TargetError),
        (RuntimeError("CUDA out of memory"), OutOfMemory),
        (MemoryError(), OutOfMemory),
        (KeyboardInterrupt(), KeyboardInterrupt),
    ],
)
def test_what_is_no_failure_of_the_network_passes_through(
    error: BaseException, kind: type[BaseException]
) -> None:
    module = lively(Trap)
    model = load_model(module)
    work = plan(model, zoo.noise(model), "occlusion", 1)
    module.error = error
    with pytest.raises(kind) as caught:
        work.run()
    assert caught.type is kind


def test_a_prediction_that_fails_is_told_too() -> None:
    module = lively(Trap)
    model = load_model(module)
    module.error = ValueError("no")
    with expect_refusal(ModelError, "Trap failed", "ValueError: no"):
        predict(model, zoo.noise(model))


class CutOff(nets.Cnn):
    @torch.no_grad()
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(x)


def test_a_network_without_gradients_says_so_and_can_still_be_asked() -> None:
    model = load_model(lively(CutOff))
    x = zoo.noise(model)
    for method in ("gradient", "integrated-gradients", "smoothgrad"):
        with expect_refusal(ModelError, "CutOff has no gradient", "use occlusion"):
            explain(model, x, method, 1)
    assert np.ptp(explain(model, x, "occlusion", 1).values) > 0


class Wandering(nets.Cnn):
    """Returns other numbers of classes for other inputs."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        found = super().forward(x)
        return found if float(x.abs().sum()) > 0 else found[:, :2]


def test_an_output_that_changes_its_shape_is_told() -> None:
    model = load_model(lively(Wandering))
    with expect_refusal(ModelError, "returned shape (1, 2) for 1 samples and 4 classes"):
        predict(model, torch.zeros(1, 3, 32, 32))


def test_two_threads_with_one_network_get_the_same_numbers() -> None:
    model = load_model(lively(nets.MultiLabel))
    x = zoo.noise(model)
    wanted = {m.name: _values(model, m, x) for m in methods_for(model)}
    found: list[tuple[str, bytes]] = []

    def work(order: int) -> None:
        for method in methods_for(model)[::order]:
            found.append((method.name, _values(model, method, x)))

    threads = [threading.Thread(target=work, args=(order,)) for order in (1, -1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 * len(wanted)
    assert all(values == wanted[name] for name, values in found)


def _values(model: Any, method: Method, x: torch.Tensor) -> bytes:
    try:
        return explain(model, x, method.name, 1, **settings_of(method, model)).values.tobytes()
    except HaloscopeError as error:
        return str(error).encode()
