"""All results about heads can be computed again from their files alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard.command.main import main
from engine.errors import ReplayError
from engine.heads.ablation import all_heads
from engine.heads.curve import plan_curve
from engine.heads.measuring_strength import head_strength
from engine.heads.partial import prune_blocks
from engine.heads.patterns import head_patterns
from engine.inputs.image_sets import ImageSet, load_images
from engine.inputs.samples import load_sample
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.replay import replay
from engine.results import Result, load_result
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

Make = Callable[[LoadedModel, ImageSet], Result]


def picture() -> Any:
    return load_sample("digits/3-04")


MAKES: dict[str, Make] = {
    "strength of a set": lambda vit, own: head_strength(vit, own, off=[(1, 2)]),
    "strength of a picture": lambda vit, _: head_strength(vit, [picture()]),
    "strength of two": lambda vit, _: head_strength(vit, [picture(), load_sample("digits/7-02")]),
    "patterns": lambda vit, own: head_patterns(vit, own, seed=5),
    "auto-encoder": lambda vit, own: head_patterns(vit, own.part([0]), code="autoencoder", seed=5),
    "blocks": lambda vit, _: prune_blocks(vit, picture(), 2, 1, off=[(0, 0)]),
    "blocks, letterbox": lambda vit, _: prune_blocks(
        vit, picture().with_fit("letterbox"), 2, 1, "7"
    ),
    "blocks of a set": lambda vit, own: prune_blocks(vit, own, 1, 3),
    "curve of a set": lambda vit, own: plan_curve(
        vit, own, all_heads_of(vit)[::-1], steps=[0, 3, 16], drawn=2, seed=8
    ).run(),
    "curve of a picture": lambda vit, _: plan_curve(
        vit, picture(), all_heads_of(vit), steps=[5]
    ).run(),
}


def all_heads_of(vit: LoadedModel) -> list[tuple[int, int]]:
    from engine.attention.sites import attention_sites

    return all_heads(attention_sites(vit).sites)


@pytest.fixture(scope="module")
def vit() -> LoadedModel:
    return load_model("digits-vit", device="cpu")


@pytest.fixture
def own(tmp_path: Path) -> ImageSet:
    for name in ("0-00", "0-01", "3-04", "7-02"):
        folder = tmp_path / "own" / name[0]
        folder.mkdir(parents=True, exist_ok=True)
        load_sample(f"digits/{name}").picture.save(folder / f"{name}.png")
    return load_images(tmp_path / "own")


@pytest.mark.parametrize("name", MAKES)
def test_from_its_file_alone(name: str, vit: LoadedModel, own: ImageSet, tmp_path: Path) -> None:
    whole = "auto-encoder" not in name
    made = MAKES[name](vit, own)
    saved = load_result(made.save(tmp_path / "saved.safetensors"))
    assert saved.key == made.key
    again = replay(saved, given=None if whole else own.part([0]))
    assert again.verdict == "equal to the bit"
    assert (again.difference, again.largest) == (0, 0)
    assert again.result.key == saved.key
    assert not again.environment
    first = saved.arrays[0]
    other = np.array(getattr(saved, first))
    other = other + np.ones_like(other)
    changed = replay(replace(saved, **{first: other}), given=None if whole else own.part([0]))
    assert changed.verdict == "different"


def test_by_the_command(
    own: ImageSet, vit: LoadedModel, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = str(head_strength(vit, own).save(tmp_path / "strength.safetensors"))
    assert main(["replay", out]) == 0
    assert capsys.readouterr().out.startswith("Equal to the bit: ")
    (tmp_path / "own" / "3" / "3-04.png").unlink()
    assert main(["replay", out]) == 1
    assert "the picture or image set is not the one of the result" in capsys.readouterr().err


def test_what_cannot_be_found(vit: LoadedModel, own: ImageSet) -> None:
    x = zoo.noise(vit)
    tensor = prune_blocks(vit, x, 0, 0)
    with expect_refusal(ReplayError, "pass them in Python: given=…"):
        replay(tensor)
    assert replay(tensor, given=x).verdict == "equal to the bit"
    with expect_refusal(ReplayError, "the picture or image set is not the one of the result"):
        replay(tensor, given=zoo.noise(vit, 2)[1:])
    several = head_strength(vit, [picture(), picture()])
    with expect_refusal(ReplayError, "made from 2 pictures, not from one file"):
        replay(several, given="three.png")
    part = head_strength(vit, own.part([0, 1]))
    with expect_refusal(ReplayError, "does not say where its input 'own' lies"):
        replay(part)
    forged = replace(part, manifest={**part.manifest, "key": "0" * 64})
    with expect_refusal(ReplayError, "changed by hand"):
        replay(forged, given=own.part([0, 1]))
    curve = plan_curve(vit, own, all_heads_of(vit), steps=[1]).run()
    with expect_refusal(ReplayError, "the picture or image set is not the one of the result"):
        replay(curve, given=own.part([0, 1]))


def test_other_kinds_are_refused() -> None:
    class Other(Result):
        kind = "other"
        arrays = ()

    with expect_refusal(ReplayError, "a result of kind other cannot be replayed"):
        replay(Other({}))
