"""What the README tells about own models is run as it stands there."""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import timm
import torch
from safetensors.torch import save_file

import engine
from dashboard.command.main import main
from tests.engine.own_models.from_hub import VIT, save, save_processor
from tests.engine.own_models.pictures import picture

README = Path(__file__).parents[1] / "README.md"
SECTION = README.read_text("utf-8").split("## Your own model")[1].split("\n### ")[0]
SHELL = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
PYTHON = re.findall(r"```python\n(.*?)```", SECTION, re.DOTALL)
COMMANDS = [
    line for block in SHELL for line in block.replace("\\\n", " ").splitlines() if line.strip()
]

MYNET = """
from torch import nn

def build():
    features = nn.Sequential(nn.Conv2d(3, 4, 3, stride=4), nn.ReLU(), nn.Conv2d(4, 6, 3), nn.ReLU())
    net = nn.Sequential()
    net.features = features
    net.rest = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(6, 2))
    return net
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with what the user has: a picture, a saved network, weights, a module."""
    save(tmp_path / "my-vit", "ViT", **VIT)
    save_processor(tmp_path / "my-vit", "ViT", size={"height": 32, "width": 32})
    picture(120, 90).save(tmp_path / "cat.jpg")
    (tmp_path / "pets.txt").write_text("cat\ndog\nbird\n")
    save_file(
        timm.create_model("resnet18", num_classes=3).state_dict(), tmp_path / "pets.safetensors"
    )
    (tmp_path / "mynet.py").write_text(MYNET)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    import mynet  # type: ignore[import-not-found]

    torch.save(mynet.build().state_dict(), tmp_path / "pets.pth")
    yield tmp_path
    sys.modules.pop("mynet", None)


def test_there_are_examples_of_all_three_kinds() -> None:
    assert len(PYTHON) == 2
    assert [shlex.split(line)[0] for line in COMMANDS] == ["haloscope"] * len(COMMANDS)
    told = " ".join(COMMANDS)
    assert all(words in told for words in ("--inspect", "hf:", "arch=timm:", "arch=mynet:"))


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_readme(line: str, here: Path) -> None:
    before = set(here.iterdir())
    _, *arguments = shlex.split(line)
    assert main([*arguments]) == 0
    written = [argument for argument in arguments if argument in ("--out", "--png")]
    assert len(set(here.iterdir()) - before) >= len(written)
    for option in written:
        assert (here / arguments[arguments.index(option) + 1]).stat().st_size > 0


@pytest.mark.parametrize("block", PYTHON)
def test_a_piece_of_python_of_the_readme(block: str, here: Path) -> None:
    names: dict[str, object] = {}
    exec(block, names)  # what the README says, and nothing else
    result = names["result"]
    assert isinstance(result, engine.Attribution)
    if "result.save" in block:
        loaded = engine.load_result("cat.safetensors")
        assert loaded.values.tobytes() == result.values.tobytes()


def test_every_option_of_the_table_is_one() -> None:
    from engine.models.corrections import OPTIONS

    rows = [row for row in SECTION.splitlines() if row.startswith("| `")]
    told = {name for row in rows for name in re.findall(r"`(\w+)=", row.split("|")[1])}
    assert told == {*OPTIONS, "weights"}


MASKS = README.read_text("utf-8").split("\n## Masks")[1].split("\n## ")[0]


def test_the_python_about_masks() -> None:
    (block,) = re.findall(r"```python\n(.*?)```", MASKS, re.DOTALL)
    names: dict[str, Any] = {}
    exec(block, names)
    assert names["keep"].shape == (4, 14, 14)
    assert names["preview"].probabilities.shape[0] == 5
    assert len(names["sweep"].share) == 21


def test_the_command_about_masks(here: Path) -> None:
    (block,) = re.findall(r"```sh\n(.*?)```", MASKS, re.DOTALL)
    _, *arguments = shlex.split(block.replace("\\\n", " "))
    assert main(arguments) == 0
    assert (here / "hidden.png").stat().st_size > 0
    assert isinstance(engine.load_result("hidden.safetensors"), engine.MaskPreview)


def test_the_generators_named_about_masks_are_there() -> None:
    named = set(re.findall(r'"([a-z-]+)", (?:\(|hidden)', MASKS))
    assert named
    assert named <= set(engine.generators())
