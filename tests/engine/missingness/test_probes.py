"""Shape leak and linearity: closed forms, and derived again from masked outputs."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import engine
from engine.errors import Cancelled, InputError, ParameterError, ReplayError
from engine.inputs.image_sets import ImageSet, load_images
from engine.mask_results import Linearity, ShapeLeak
from engine.missingness.lime_by_fill import lime_by_fill
from engine.missingness.linearity import added_up, linearity, patches_kept, plan_linearity
from engine.missingness.shape_leak import moved, plan_shape_leak, shape_leak
from engine.models.loaded import LoadedModel
from engine.models.seen_masks import seen_mask
from engine.models.specs import ImageSpec
from engine.replay import replay
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

SPEC = ImageSpec(16, 16, mean=(0.5,) * 3, std=(0.25,) * 3)


class Summed(nn.Module):
    """Says "left" if the left half is brighter than the right, from sums alone."""

    def __init__(self, power: int = 1) -> None:
        super().__init__()
        self.power = power
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        sums = torch.stack([x[..., :8].sum((1, 2, 3)), x[..., 8:].sum((1, 2, 3))], dim=1)
        return self.weight * sums**self.power + torch.tensor([3.0, -1.0])


@pytest.fixture(scope="module")
def scenes() -> ImageSet:
    return engine.load_sample_set("scenes")


@pytest.fixture(scope="module")
def resnet() -> LoadedModel:
    return engine.load_model("scenes-resnet", device="cpu")


def summed(power: int = 1) -> LoadedModel:
    return engine.load_model(
        Summed(power), input_spec=SPEC, classes=["left", "right"], device="cpu"
    )


def test_a_linear_network_adds_up_where_nothing_means_zero(scenes: ImageSet) -> None:
    found = linearity(summed(), scenes, fills=["mean"], count=5)
    assert found.cosine[0] == pytest.approx(np.ones(5), abs=1e-5)
    assert found.distance[0] == pytest.approx(np.zeros(5), abs=1e-5)


def test_a_square_does_not_add_up() -> None:
    # f of four equal parts a: the parts sum to 4 a², all together give (4 a)² = 16 a².
    part, nothing = np.array([2.0, 0.0]), np.zeros(2)
    logits = np.stack([nothing, *[part**2] * 4, (4 * part) ** 2])
    assert added_up(logits) == pytest.approx((1, 12 / 16))
    assert np.isnan(added_up(np.zeros((6, 3)))).all()


def test_linearity_derived_again(scenes: ImageSet, resnet: LoadedModel) -> None:
    found = linearity(resnet, scenes, fills=["grey", "blur"], count=10, seed=5)
    for place in range(10):
        chosen = np.random.default_rng([5, place]).permutation(64)[:4]
        cells = np.zeros((6, 64), dtype=bool)
        for row, cell in enumerate(chosen):
            cells[row + 1, cell] = cells[5, cell] = True
        keep = cells.reshape(6, 8, 8).repeat(8, 1).repeat(8, 2)
        for row, fill in enumerate(("grey", "blur")):
            said = engine.predict_masked(resnet, scenes[place], keep, fill).astype(np.float64)
            parts, whole = (said[1:5] - said[0]).sum(0), said[5] - said[0]
            cosine = parts @ whole / np.linalg.norm(parts) / np.linalg.norm(whole)
            assert found.cosine[row, place] == pytest.approx(cosine, abs=1e-4)
            distance = np.linalg.norm(parts - whole) / np.linalg.norm(whole)
            assert found.distance[row, place] == pytest.approx(distance, rel=1e-3)


def test_shape_leak_derived_again(scenes: ImageSet, resnet: LoadedModel) -> None:
    planned = plan_shape_leak(resnet, scenes, fills=["grey", "black"], count=20)
    with counted(resnet.module) as seen:
        found = planned.run()
    assert seen.forward == found.manifest["outcome"]["passes"]["forward"]
    assert seen.forward <= planned.cost.forward == 20 * (1 + 2 * 2)
    assert found.key == planned.key
    index = 0
    for place in range(20):
        picture = scenes[place]
        label = resnet.classes.index(str(scenes.labels[place]))
        if engine.predict(resnet, picture).best != label:
            continue
        mask = seen_mask(resnet, picture)
        assert mask is not None
        both = ~np.stack([mask, np.roll(np.roll(mask, 32, 0), 32, 1)])
        for row, fill in enumerate(("grey", "black")):
            said = engine.predict_masked(resnet, picture, both, fill).argmax(axis=1)
            assert found.predicted[row, :, index].tolist() == said.tolist()
        assert found.labels[index] == label
        assert found.area[index] == pytest.approx(mask.mean())
        index += 1
    assert len(found.labels) == index
    assert found.right.shape == (2, 2, index)
    assert len(found.manifest["outcome"]["skipped"]) == 20 - index


def test_a_network_that_sees_only_the_object(tmp_path: Path) -> None:
    """White on the left of black: with the white gone the answer changes, else it stays."""
    (tmp_path / "masks").mkdir()
    white = np.zeros((16, 16), dtype=np.uint8)
    white[4:8, 2:6] = 255
    Image.fromarray(white).save(tmp_path / "a.png")
    Image.fromarray(white).save(tmp_path / "masks" / "a.png")
    Image.fromarray(255 - white).save(tmp_path / "b.png")  # said wrong at first
    Image.fromarray(white).save(tmp_path / "c.png")  # without a mask
    (tmp_path / "set.csv").write_text(
        "path,label,mask\na.png,left,masks/a.png\nb.png,left,masks/a.png\nc.png,left,\n"
    )
    module = Summed()
    module.forward = (
        lambda x: torch.stack(  # type: ignore[method-assign]
            [x[..., :8].amax((1, 2, 3)), x[..., 8:].amax((1, 2, 3)) + 1], dim=1
        )
    )
    model = engine.load_model(module, input_spec=SPEC, classes=["left", "right"], device="cpu")
    found = shape_leak(model, load_images(tmp_path / "set.csv"), fills=["black", "white"])
    assert found.right[0].tolist() == [[False], [True]]
    assert found.right[1].tolist() == [[True], [False]]  # white elsewhere speaks for "right"
    assert found.area.tolist() == [16 / 256]
    reasons = [why for _, why in found.manifest["outcome"]["skipped"]]
    assert "not named right" in reasons[0]
    assert "no true mask" in reasons[1]
    again = engine.load_result(found.save(tmp_path / "s.safetensors"))
    assert isinstance(again, ShapeLeak)
    assert again.fills == ("black", "white")


def test_patches_are_drawn_without_doubles_and_moved_shapes_keep_their_size() -> None:
    for place in range(20):
        keep = patches_kept((3, 3), 1, place)
        assert keep.sum(axis=(1, 2)).tolist() == [0, 1, 1, 1, 1, 4]
        assert np.array_equal(keep[1:5].any(axis=0), keep[5])
    mask = np.random.default_rng(0).random((5, 8)) > 0.5
    assert moved(mask).sum() == mask.sum()
    assert np.array_equal(moved(moved(np.tile(mask, (2, 1)))), np.tile(mask, (2, 1)))


def test_refused_cancelled_saved(tmp_path: Path, scenes: ImageSet, resnet: LoadedModel) -> None:
    stop = threading.Event()
    stop.set()
    for probe in (shape_leak, linearity):
        with pytest.raises(Cancelled):
            probe(resnet, scenes, fills=["grey"], cancel=stop)  # type: ignore[operator]
        with expect_refusal(ParameterError, "no fill 'gray'"):
            probe(resnet, scenes, fills=["gray"])  # type: ignore[operator]
    with expect_refusal(ParameterError, "there must be 4 patches or more"):
        plan_linearity(resnet, scenes, grid=(1, 3))
    with expect_refusal(InputError, "no true mask tells where its object is"):
        shape_leak("digits-cnn", engine.load_sample_set("digits"), fills=["grey"], count=2)
    found = linearity(resnet, scenes, fills=["grey"], count=2)
    again = engine.load_result(found.save(tmp_path / "s.safetensors"))
    assert isinstance(again, Linearity)
    assert np.array_equal(again.cosine, found.cosine)


def test_probes_are_computed_again(tmp_path: Path, scenes: ImageSet, resnet: LoadedModel) -> None:
    for found in (
        shape_leak(resnet, scenes, fills=["noise"], count=3, seed=2),
        linearity(resnet, scenes, fills=["grey"], grid=4, count=2),
        lime_by_fill(resnet, scenes, fills=["grey"], samples=20, segments=80, count=1),
    ):
        again = engine.load_result(found.save(tmp_path / "s.safetensors"))
        assert replay(again).verdict == "equal to the bit"
        with expect_refusal(ReplayError, "the image set is not the one of the result"):
            replay(again, given=engine.load_sample_set("scenes-tagged"))
