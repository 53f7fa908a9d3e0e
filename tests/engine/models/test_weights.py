from __future__ import annotations

import os
import pickle
import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file
from torch import nn

from engine.errors import WeightsError
from engine.models.weights import put_weights, read_weights
from tests.engine import zoo
from tests.engine.refusals import expect_refusal, is_one_line


def state() -> dict[str, torch.Tensor]:
    return zoo.build("mlp").state_dict()


def same(found: dict[str, torch.Tensor], expected: dict[str, torch.Tensor]) -> bool:
    return found.keys() == expected.keys() and all(
        torch.equal(found[k], expected[k]) for k in found
    )


def test_safetensors(tmp_path: Path) -> None:
    save_file(state(), tmp_path / "w.safetensors")
    assert same(read_weights(tmp_path / "w.safetensors"), state())


@pytest.mark.parametrize("ending", ["pth", "pt", "bin"])
@pytest.mark.parametrize("old_format", [False, True])
def test_pickled(tmp_path: Path, ending: str, old_format: bool) -> None:
    path = tmp_path / f"w.{ending}"
    torch.save(state(), path, _use_new_zipfile_serialization=not old_format)
    assert same(read_weights(path), state())


@pytest.mark.parametrize(
    "home", ["state_dict", "model_state_dict", "model", "module", "net", "ema"]
)
def test_one_level_down(tmp_path: Path, home: str) -> None:
    torch.save({"epoch": 3, home: state(), "best": 0.7}, tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth"), state())


def test_module_in_front_is_taken_off(tmp_path: Path) -> None:
    torch.save({f"module.{k}": v for k, v in state().items()}, tmp_path / "w.pth")
    assert same(read_weights(tmp_path / "w.pth"), state())
    mixed = {"module.a": torch.zeros(1), "b": torch.zeros(1)}
    torch.save({"state_dict": mixed}, tmp_path / "mixed.pth")
    assert same(read_weights(tmp_path / "mixed.pth"), mixed)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_missing(tmp_path: Path, ending: str) -> None:
    with expect_refusal(WeightsError, f"gone.{ending}: no such file"):
        read_weights(tmp_path / f"gone.{ending}")
    with expect_refusal(WeightsError, "is a folder; name the weights file in it"):
        read_weights(tmp_path)


def test_torchscript_is_named_and_no_warning_is_shown(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(nn.Linear(2, 2)), tmp_path / "s.pth")
    with expect_refusal(WeightsError, "s.pth is a TorchScript archive; save the network's"):
        read_weights(tmp_path / "s.pth")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize("share", [0, 0.1, 0.5, 0.99])
def test_cut_short(tmp_path: Path, ending: str, share: float) -> None:
    path = tmp_path / f"w.{ending}"
    if ending == "pth":
        torch.save(state(), path)
    else:
        save_file(state(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with expect_refusal(WeightsError, path.name, "damaged"):
        read_weights(path)


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
@pytest.mark.parametrize(
    "content", [b"hello, this is text\n", b"<html></html>", b"\x89PNG\r\n\x1a\n"]
)
def test_not_weights_at_all(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"w.{ending}"
    path.write_bytes(content)
    with expect_refusal(WeightsError, path.name, "damaged"):
        read_weights(path)


@pytest.mark.parametrize("held", [{}, {"epoch": 3}, [1, 2], 7, {"state_dict": {}}])
def test_no_tensors(tmp_path: Path, held: Any) -> None:
    torch.save(held, tmp_path / "w.pth")
    with expect_refusal(WeightsError, "w.pth holds no tensors"):
        read_weights(tmp_path / "w.pth")


def test_a_pickled_network_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Linear(2, 2), tmp_path / "whole.pth")
    with expect_refusal(WeightsError, "whole.pth needs code to load", "state_dict()"):
        read_weights(tmp_path / "whole.pth")


class Trap:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return os.mkdir, (str(self.path),)


def test_code_in_a_file_does_not_run(tmp_path: Path) -> None:
    mark = tmp_path / "it ran"
    torch.save({"weight": torch.zeros(2), "trap": Trap(mark)}, tmp_path / "new.pth")
    (tmp_path / "plain.pth").write_bytes(pickle.dumps(Trap(mark), protocol=2))
    for name in ("new.pth", "plain.pth"):
        with expect_refusal(WeightsError, name):
            read_weights(tmp_path / name)
    assert not mark.exists()


def _files() -> list[tuple[str, bytes]]:
    import io

    from safetensors.torch import save

    small = {"a": torch.arange(3.0), "b": torch.zeros(2, 2)}
    new, old = io.BytesIO(), io.BytesIO()
    torch.save(small, new)
    torch.save(small, old, _use_new_zipfile_serialization=False)
    return [("pth", new.getvalue()), ("pth", old.getvalue()), ("safetensors", save(small))]


FILES = _files()


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_files_with_bytes_changed_or_cut(tmp_path: Path, data: st.DataObject) -> None:
    ending, good = data.draw(st.sampled_from(FILES))
    content = bytearray(good)
    places = st.integers(0, len(content) - 1)
    for place in data.draw(st.lists(places | st.integers(0, 80), max_size=4)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path / f"w.{ending}"
    path.write_bytes(content[: data.draw(st.just(len(content)) | places)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch warns of what it reads as an old file
        try:
            found = read_weights(path)
        except WeightsError as error:
            assert is_one_line(str(error))
        else:
            assert all(isinstance(tensor, torch.Tensor) for tensor in found.values())


def test_weights_are_put_in() -> None:
    module = zoo.seeded(zoo.Mlp, seed=5)
    put_weights(module, state(), "w.pth")
    assert same(module.state_dict(), state())


def test_counters_of_batch_norm_may_be_missing() -> None:
    module = zoo.build("tiny-cnn")
    tensors = {k: v + 1 for k, v in module.state_dict().items() if "num_batches" not in k}
    put_weights(module, tensors, "w.pth")
    assert torch.equal(module.bn1.running_mean, tensors["bn1.running_mean"])


def lacking(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["first.bias"]


def lacking_two(tensors: dict[str, torch.Tensor]) -> None:
    del tensors["first.bias"], tensors["second.bias"]


def unknown(tensors: dict[str, torch.Tensor]) -> None:
    tensors["third.weight"] = torch.zeros(2)


def misshapen(tensors: dict[str, torch.Tensor]) -> None:
    tensors["second.weight"] = torch.zeros(4, 7)


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lacking, "it lacks 'first.bias'"),
        (lacking_two, "it lacks 'first.bias' and 1 more"),
        (unknown, "it has an unknown tensor 'third.weight'"),
        (misshapen, "'second.weight' has shape (4, 7), expected (3, 7)"),
    ],
)
def test_all_or_none(spoil: Any, told: str) -> None:
    module = zoo.seeded(zoo.Mlp, seed=5)
    before = {k: v.clone() for k, v in module.state_dict().items()}
    tensors = state()
    spoil(tensors)
    with expect_refusal(WeightsError, "w.pth does not fit Mlp", told):
        put_weights(module, tensors, "w.pth")
    assert same(module.state_dict(), before)


@pytest.mark.parametrize("front", ["model.", "_orig_mod.", "net.backbone."])
def test_what_a_trainer_puts_in_front_and_beside(tmp_path: Path, front: str) -> None:
    own = zoo.build("tiny-cnn").state_dict()
    told = {f"{front}{name}": tensor for name, tensor in own.items()}
    path = tmp_path / "last.ckpt"
    torch.save({"epoch": 3, "state_dict": {**told, "loss.weight": torch.ones(3)}}, path)
    module = zoo.TinyCnn()
    put_weights(module, read_weights(path), path.name)
    assert all(torch.equal(tensor, own[name]) for name, tensor in module.state_dict().items())


def test_names_that_lack_one_are_not_renamed() -> None:
    own = zoo.build("tiny-cnn").state_dict()
    told = {f"model.{name}": tensor for name, tensor in own.items() if name != "linear.bias"}
    with expect_refusal(WeightsError, "lacks 'conv1.weight'"):
        put_weights(zoo.TinyCnn(), told, "w.pth")
