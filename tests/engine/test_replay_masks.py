"""Previews of masks and sweeps, computed again from their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from engine.attribution.explain import explain
from engine.errors import ReplayError
from engine.inputs.images import load_image
from engine.manifest import key_of
from engine.masking.generators.registry import generators
from engine.missingness.preview import preview_mask
from engine.missingness.sweep import mask_sweep
from engine.replay import replay
from engine.results import Result, load_result
from tests.engine import zoo
from tests.engine.masking.generators.asking import guide_for
from tests.engine.refusals import expect_refusal

REF = "file:net.safetensors?arch=tests.engine.zoo:TinyCnn"


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with weights and a picture, in which the test runs."""
    save_file(zoo.build("tiny-cnn").state_dict(), tmp_path / "net.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (300, 260, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def picture() -> Any:
    return load_image("noise.png", fit="letterbox")


def saved(result: Result) -> Result:
    return load_result(result.save("saved.safetensors"))


@pytest.mark.parametrize("name", list(generators()))
def test_previews_of_every_generator(name: str) -> None:
    guide = guide_for(generators()[name], (14, 14))
    found = preview_mask(REF, picture(), name, 0.3, "blur", seed=9, count=3, guide=guide)
    replayed = replay(saved(found))
    assert replayed.verdict == "equal to the bit"
    assert replayed.result.key == found.key


@pytest.mark.parametrize(
    ("name", "guide"),
    [
        ("saliency", "gradient"),
        ("saliency", None),
        ("hard-patches", None),
        ("region-complete", None),
    ],
)
def test_named_guides_are_found_anew(name: str, guide: Any) -> None:
    found = preview_mask(REF, picture(), name, guide=guide, grid=(7, 5))
    assert replay(saved(found)).verdict == "equal to the bit"


def test_a_map_in_hand_is_in_the_result() -> None:
    made = explain(REF, picture(), "occlusion")
    found = preview_mask(REF, picture(), "saliency", guide=made, hide="bottom")
    assert replay(saved(found)).verdict == "equal to the bit"


def test_a_drawing_is_in_the_result() -> None:
    drawing = np.random.default_rng(1).random((16, 16)) < 0.5  # TinyCnn as a file sees 224
    found = preview_mask(REF, picture(), "drawn", guide=drawing)
    assert replay(saved(found)).verdict == "equal to the bit"


@pytest.mark.parametrize("direction", ["both", "remove", "keep"])
def test_sweeps(direction: Any) -> None:
    made = explain(REF, picture(), "grad-cam")
    found = mask_sweep(REF, picture(), made, "grey", levels=6, direction=direction)
    replayed = replay(saved(found))
    assert replayed.verdict == "equal to the bit"
    assert replayed.result.key == found.key


def test_what_is_not_the_same_is_told() -> None:
    found = preview_mask(REF, picture(), "uniform")
    Image.fromarray(np.zeros((300, 260, 3), dtype=np.uint8)).save("noise.png")
    with expect_refusal(ReplayError, "the input is not the one of the result"):
        replay(saved(found))
    changed = {**found.manifest, "request": {**found.manifest["request"], "seed": 1}}
    object.__setattr__(found, "manifest", changed)
    with expect_refusal(ReplayError, "changed by hand"):
        replay(saved(found))


def test_other_values_come_out_different() -> None:
    found = preview_mask(REF, picture(), "uniform")
    logits = found.logits.copy()
    logits[1] += 1
    object.__setattr__(found, "logits", logits)
    assert replay(saved(found)).verdict == "different"


def test_versions_in_a_guides_key_do_not_matter() -> None:
    found = preview_mask(REF, picture(), "saliency", guide="gradient")
    request = found.manifest["request"]
    request["guide"]["key"] = "0" * 64  # as other versions of torch would make it
    found.manifest["key"] = key_of(request)
    assert replay(saved(found)).verdict == "equal to the bit"
