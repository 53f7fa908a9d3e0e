"""Without a network: one line at once, and what is on the machine is used."""

from __future__ import annotations

import socket
import sys
import threading
import time
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
import torchvision
from huggingface_hub import constants

from engine.errors import ModelError
from engine.models.libraries import hub_models, network
from engine.models.loading import load_model
from tests.engine.refusals import expect_refusal


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """No host can be reached; notes which were asked for. Whoever dials all the same, fails."""
    addresses: list[str] = []

    def unreachable(address: str, **_: Any) -> bool:
        addresses.append(address)
        return False

    def dialling(*_: Any, **__: Any) -> None:
        raise AssertionError("the network was used")

    monkeypatch.setattr(network, "is_reachable", unreachable)
    monkeypatch.setattr("engine.models.libraries.torchvision_models.is_reachable", unreachable)
    monkeypatch.setattr(socket, "create_connection", dialling)
    monkeypatch.setattr(socket, "getaddrinfo", dialling)
    return addresses


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("hf:nobody/such-a-model", "hf:nobody/such-a-model is not on this machine"),
        ("timm:test_vit", "the weights of timm:test_vit are not on this machine"),
        ("torchvision:squeezenet1_1", "the weights of torchvision:squeezenet1_1 are not on this"),
    ],
)
def test_without_a_network_it_is_told_at_once(
    ref: str, told: str, asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    for library in ("transformers", "timm", "torchvision"):  # their imports take long, once
        import_module(library)
    started = time.monotonic()
    with expect_refusal(ModelError, told, "cannot be reached"):
        load_model(ref)
    assert time.monotonic() - started < 5
    assert asked
    assert not constants.HF_HUB_OFFLINE


def test_weights_on_this_machine_need_no_network(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
    torch.manual_seed(5)
    module = torchvision.models.squeezenet1_1()
    file = tmp_path / "hub" / "checkpoints" / weights.url.rpartition("/")[2]
    file.parent.mkdir(parents=True)
    torch.save(module.state_dict(), file)
    model = load_model("torchvision:squeezenet1_1", device="cpu")
    x = torch.randn(1, 3, 224, 224)
    assert torch.equal(model.forward(x), module.eval()(x))
    assert model.classes == tuple(weights.meta["categories"])
    assert "with its weights IMAGENET1K_V1" in model.card.summary
    assert asked == []


def test_weights_on_this_machine_never_run_code(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    weights = torchvision.models.SqueezeNet1_1_Weights.DEFAULT
    file = tmp_path / "hub" / "checkpoints" / weights.url.rpartition("/")[2]
    file.parent.mkdir(parents=True)
    torch.save({"features.0.weight": Sprung(file.parent)}, file)
    with expect_refusal(ModelError, "weights of torchvision:squeezenet1_1 cannot be loaded"):
        load_model("torchvision:squeezenet1_1", device="cpu")
    assert not (file.parent / "sprung").exists()


class Sprung:
    """Leaves a folder behind if it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder / "sprung",)


@pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere a full queue refuses a caller instead of none"
)
def test_a_host_that_never_answers_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    silent = socket.socket()
    silent.bind(("127.0.0.1", 0))
    silent.listen(0)  # its queue is full after one caller, and nobody is let in
    port = silent.getsockname()[1]
    callers = [socket.socket() for _ in range(4)]
    for caller in callers:
        caller.setblocking(False)
        caller.connect_ex(("127.0.0.1", port))
    monkeypatch.setattr(network, "getproxies", dict)
    started = time.monotonic()
    try:
        assert not network.is_reachable(f"http://127.0.0.1:{port}")
    finally:
        for one in (silent, *callers):
            one.close()
    assert time.monotonic() - started < 3.5


def _slow(*_: Any, **__: Any) -> None:
    time.sleep(4)
    raise TimeoutError


def test_a_name_that_is_looked_up_for_ever_costs_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "getproxies", dict)
    monkeypatch.setattr(socket, "create_connection", _slow)
    started = time.monotonic()
    assert not network.is_reachable("https://never.invalid")
    assert time.monotonic() - started < 3.5


def test_an_answer_is_remembered_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []

    def refused(address: Any, timeout: float) -> None:
        dialled.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(network, "getproxies", dict)
    monkeypatch.setattr(socket, "create_connection", refused)
    for _ in range(3):
        assert not network.is_reachable("https://remembered.invalid/some/where")
    assert dialled == [("remembered.invalid", 443)]


def test_the_proxy_is_what_must_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []

    class Socket:
        def close(self) -> None: ...

    def answered(address: Any, timeout: float) -> Socket:
        dialled.append(address)
        return Socket()

    monkeypatch.setattr(network, "getproxies", lambda: {"https": "http://proxy.invalid:3128"})
    monkeypatch.setattr(network, "proxy_bypass", lambda _: False)
    monkeypatch.setattr(socket, "create_connection", answered)
    assert network.is_reachable("https://behind.invalid")
    assert dialled == [("proxy.invalid", 3128)]


def test_the_hubs_client_goes_by_the_proxy_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    dialled: list[Any] = []

    def refused(address: Any, timeout: float) -> None:
        dialled.append(address)
        raise ConnectionRefusedError

    for name in ("http_proxy", "https_proxy", "HTTP_PROXY", "HTTPS_PROXY", "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ALL_PROXY", "socks5h://for-all.invalid")
    monkeypatch.setattr(socket, "create_connection", refused)
    assert not network.is_reachable("https://behind-all.invalid")
    assert not network.is_reachable("https://behind-all.invalid", all_proxy=False)
    assert dialled == [("for-all.invalid", 1080), ("behind-all.invalid", 443)]


@pytest.mark.timeout(60)
def test_a_download_that_hangs_holds_up_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = {"https://here.invalid": True, "https://gone.invalid": False}
    monkeypatch.setattr(network, "is_reachable", answers.__getitem__)
    begun, release, seen = threading.Event(), threading.Event(), []

    def hangs() -> None:
        with network.hub_online_or_not("x"):
            seen.append(constants.is_offline_mode())
            begun.set()
            assert release.wait(30)
            seen.append(constants.is_offline_mode())

    monkeypatch.setenv("HF_ENDPOINT", "https://here.invalid")
    thread = threading.Thread(target=hangs)
    thread.start()
    assert begun.wait(10)
    monkeypatch.setenv("HF_ENDPOINT", "https://gone.invalid")
    with network.hub_online_or_not("x"):
        assert constants.is_offline_mode()
        release.set()
        thread.join(10)
    assert [bool(one) for one in seen] == [False, False], "its download goes on"
    assert not constants.is_offline_mode()


def test_a_load_with_the_hub_works_while_another_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = iter([False, True])
    monkeypatch.setattr(network, "is_reachable", lambda _: next(answers))
    found: list[bool] = []

    def other() -> None:
        with network.hub_online_or_not("x"):
            found.append(bool(constants.is_offline_mode()))

    with network.hub_online_or_not("x"):
        thread = threading.Thread(target=other)
        thread.start()
        thread.join(10)
        assert constants.is_offline_mode()
    assert found == [False]


def test_a_user_who_is_offline_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(network, "is_reachable", lambda _: True)
    with network.hub_online_or_not("x"):
        assert constants.is_offline_mode()
    assert constants.is_offline_mode()


@pytest.mark.timeout(60)
def test_one_slow_host_holds_up_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, release = threading.Event(), threading.Event()

    def connects(host: str, port: int) -> bool:
        if host == "slow.invalid":
            begun.set()
            assert release.wait(30)
        return True

    monkeypatch.setattr(network, "getproxies", dict)
    monkeypatch.setattr(network, "_connects", connects)
    thread = threading.Thread(target=network.is_reachable, args=("https://slow.invalid",))
    thread.start()
    assert begun.wait(10)
    try:
        assert network.is_reachable("https://quick.invalid")
    finally:
        release.set()
        thread.join(10)


def test_two_that_read_at_once_leave_the_terminal_as_it_was() -> None:
    logging = import_module("transformers").utils.logging
    before = logging.get_verbosity(), logging.is_progress_bar_enabled()
    first, second = (hub_models._quiet(import_module("transformers")) for _ in range(2))
    first.__enter__()
    second.__enter__()
    first.__exit__(None, None, None)
    assert not logging.is_progress_bar_enabled(), "the second still reads"
    second.__exit__(None, None, None)
    assert (logging.get_verbosity(), logging.is_progress_bar_enabled()) == before


def test_timm_weights_from_the_cache_of_the_hub(
    asked: list[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    torch.manual_seed(3)
    module = timm.create_model("test_vit").eval()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    _into_hub_cache(tmp_path, module)
    model = load_model("timm:test_vit", device="cpu")
    x = torch.randn(1, 3, 160, 160)
    assert torch.equal(model.forward(x), module(x))
    assert len(model.classes) == 1000
    assert model.classes[0] != "class 0"


def _into_hub_cache(cache: Path, module: torch.nn.Module) -> None:
    """As huggingface_hub lays a downloaded file down."""
    from safetensors.torch import save_file

    repository = module.pretrained_cfg["hf_hub_id"]
    home = cache / f"models--{repository.replace('/', '--')}"
    commit = "0" * 40
    for folder in (home / "refs", home / "snapshots" / commit):
        folder.mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    save_file(module.state_dict(), home / "snapshots" / commit / "model.safetensors")
