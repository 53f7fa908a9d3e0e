from __future__ import annotations

import pytest
import torch

from engine.errors import DeviceError
from engine.models import devices
from engine.models.devices import device_title, resolve_device
from tests.engine.refusals import expect_refusal


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(devices, "_mps", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "kind"),
    [(False, False, "cpu"), (False, True, "mps"), (True, False, "cuda"), (True, True, "cuda")],
)
def test_auto_takes_the_fastest(
    cuda: bool, mps: bool, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert resolve_device("auto").type == kind


@pytest.mark.parametrize("name", ["cuda", "cuda:0", "mps"])
def test_device_that_is_not_there(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=False, mps=False)
    with expect_refusal(DeviceError, f"has no {name.partition(':')[0]}", "cpu"):
        resolve_device(name)


def test_unknown_device_tells_the_nearest() -> None:
    with expect_refusal(DeviceError, "no device 'cdua'", "did you mean cuda"):
        resolve_device("cdua")


def test_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cpu:x", "cuda:x", "cuda:"])
def test_device_numbers_that_are_none(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    with expect_refusal(DeviceError, name):
        resolve_device(name)


def test_tf32_is_switched_off_on_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, cuda=True, mps=False)
    homes = (torch.backends.cuda.matmul, torch.backends.cudnn)
    before = [home.allow_tf32 for home in homes]
    try:
        for home in homes:
            home.allow_tf32 = True
        assert resolve_device("cuda:1") == torch.device("cuda:1")
        assert [home.allow_tf32 for home in homes] == [False, False]
    finally:
        for home, allowed in zip(homes, before, strict=True):
            home.allow_tf32 = allowed


def test_title(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert device_title(torch.device("cpu")) == "CPU, 1 thread"
    monkeypatch.setattr(torch, "get_num_threads", lambda: 4)
    assert device_title(torch.device("cpu")) == "CPU, 4 threads"
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device: "NVIDIA H200")
    assert device_title(torch.device("cuda")) == "NVIDIA H200"
    assert device_title(torch.device("mps")).startswith("Apple GPU")
