from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from torch import nn

from engine.attribution.explain import explain
from engine.errors import InputError, ReplayError
from engine.inputs.arrays import load_array
from engine.models.loading import load_model
from engine.replay import replay
from tests.engine import zoo
from tests.engine.refusals import expect_refusal


class FiveChannels(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(5, 4, 3)
        self.head = nn.Linear(4, 3)

    def forward(self, x):  # type: ignore[no-untyped-def]
        return self.head(self.conv(x).relu().mean(dim=(2, 3)))


@pytest.fixture
def scan(tmp_path: Path) -> Path:
    path = tmp_path / "scan.npy"
    np.save(path, np.random.default_rng(0).normal(size=(5, 12, 12)))
    return path


@pytest.mark.parametrize("batched", [False, True])
def test_what_a_network_of_five_channels_sees(scan: Path, batched: bool) -> None:
    model = load_model(zoo.seeded(FiveChannels), input_spec=(5, 12, 12), device="cpu")
    numbers = np.load(scan)
    if batched:
        np.save(scan, numbers[None])
    assert np.array_equal(model.prepare(scan)[0].numpy(), numbers.astype(np.float32))


def test_explained_and_replayed_from_its_file(scan: Path, tmp_path: Path) -> None:
    model = load_model(zoo.seeded(FiveChannels), input_spec=(5, 12, 12), device="cpu")
    found = explain(model, str(scan), "gradient", 1)
    assert found.manifest["source"]["input"] == "scan.npy"
    assert np.array_equal(found.values, explain(model, model.prepare(scan), "gradient", 1).values)
    assert replay(found, model).verdict == "equal to the bit"
    np.save(scan, np.load(scan) + 1)
    with expect_refusal(ReplayError, "input is not the one of the result"):
        replay(found, model)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is no NumPy array of numbers"),
        (b"\x93NUMPY but not really", "is no NumPy array of numbers"),
    ],
)
def test_files_that_hold_none(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "x.npy").write_bytes(content)
    with expect_refusal(InputError, "x.npy", told):
        load_array(tmp_path / "x.npy")


@pytest.mark.parametrize("shape", ["(1000000000000,)", f"({10**18}, {10**18})", "(7,)"])
def test_a_header_that_tells_more_than_the_file_has(tmp_path: Path, shape: str) -> None:
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header
    (tmp_path / "x.npy").write_bytes(start + bytes(48))
    with expect_refusal(InputError, "x.npy is damaged: its header tells", "it has 48"):
        load_array(tmp_path / "x.npy")


def test_a_header_that_is_nested_too_deep(tmp_path: Path) -> None:
    header = b"-" * 9000 + b"1\n"
    start = b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little")
    (tmp_path / "x.npy").write_bytes(start + header)
    with expect_refusal(InputError, "x.npy is no NumPy array of numbers"):
        load_array(tmp_path / "x.npy")


@pytest.mark.parametrize(
    ("values", "told"),
    [
        (np.array([None, {}]), "is no NumPy array of numbers"),
        (np.array(["a"]), "holds no numbers"),
        (np.array([1.0, np.nan]), "not finite"),
    ],
)
def test_arrays_of_other_things(tmp_path: Path, values: np.ndarray, told: str) -> None:
    np.save(tmp_path / "x.npy", values, allow_pickle=True)
    with expect_refusal(InputError, "x.npy", told):
        load_array(tmp_path / "x.npy")


def test_a_wrong_shape_tells_both(scan: Path) -> None:
    model = load_model(zoo.seeded(FiveChannels), input_spec=(5, 8, 8), device="cpu")
    with expect_refusal(InputError, "(1, 5, 8, 8)", "(5, 12, 12)"):
        model.prepare(scan)


def test_no_such_file() -> None:
    with expect_refusal(InputError, "gone.npy: no such file"):
        load_array("gone.npy")
