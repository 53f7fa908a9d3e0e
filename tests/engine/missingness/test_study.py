"""The study against a model that can be counted by hand, and derived again in float64."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import stats
from torch import nn

import engine
from engine.errors import Cancelled, InputError, MethodError, ParameterError, ReplayError
from engine.execution.passes import Passes
from engine.inputs.image_sets import ImageSet, load_images
from engine.mask_results import MissingnessStudy
from engine.masking.fills.registry import fills_for
from engine.masking.regions import superpixels
from engine.missingness.cells import Cells, salient_rank
from engine.missingness.study_asking import missingness_study, places_of, plan_study
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.replay import replay
from engine.results import Result
from tests.engine.counting import counted
from tests.engine.refusals import expect_refusal

SPEC = ImageSpec(16, 16, mean=(0.5,) * 3, std=(0.25,) * 3)


class OnePixel(nn.Module):
    """Says "bright" if one pixel is bright, and nothing else of the picture matters."""

    def __init__(self, row: int = 5, column: int = 10) -> None:
        super().__init__()
        self.row, self.column = row, column
        self.weight = nn.Parameter(torch.ones(()))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        seen = self.weight * x[:, 0, self.row, self.column]
        return torch.stack([seen, -seen], dim=1)


@pytest.fixture(scope="module")
def bright(tmp_path_factory: pytest.TempPathFactory) -> ImageSet:
    """Twenty white pictures: every fill but white changes the answer once the pixel is hidden."""
    folder = tmp_path_factory.mktemp("bright")
    (folder / "bright").mkdir()
    for index in range(20):
        Image.new("RGB", (16, 16), "white").save(folder / "bright" / f"{index:02d}.png")
    return load_images(folder)


@pytest.fixture(scope="module")
def one_pixel() -> LoadedModel:
    return engine.load_model(OnePixel(), input_spec=SPEC, classes=["bright", "dark"], device="cpu")


@pytest.fixture(scope="module")
def scenes() -> ImageSet:
    return engine.load_sample_set("scenes")


@pytest.fixture(scope="module")
def resnet() -> LoadedModel:
    return engine.load_model("scenes-resnet", device="cpu")


def test_one_pixel_decides_and_is_hidden_when_its_cell_is(
    bright: ImageSet, one_pixel: LoadedModel
) -> None:
    study = missingness_study(
        one_pixel, bright, fills=["black", "white"], grid=4, shares=[0, 0.25, 0.5, 1], seed=7
    )
    cell = (5 // 4) * 4 + 10 // 4
    for index in range(20):
        place = np.random.default_rng([7, index]).random(16).argsort().tolist().index(cell)
        expected = [int(place < hidden) for hidden in (0, 4, 8, 16)]
        assert study.predicted[0, :, index].tolist() == expected
        assert study.predicted[1, :, index].tolist() == [0, 0, 0, 0]
    right = 1 - study.predicted[0].mean(axis=1)
    assert study.accuracy[0] == pytest.approx(right)
    assert study.unchanged[0] == pytest.approx(right)
    assert study.hidden.tolist() == [0, 0.25, 0.5, 1]
    assert 0 < right[2] < right[1] < 1
    assert study.entropy[0, 3] == 0
    assert study.entropy[0, 2] == pytest.approx(
        stats.entropy([right[2], 1 - right[2]], base=2), abs=1e-6
    )


def test_all_numbers_derived_again_in_float64(scenes: ImageSet, resnet: LoadedModel) -> None:
    shares = (0, 0.3, 0.5, 0.9)
    study = missingness_study(
        resnet, scenes, fills=["grey", "blur"], shares=shares, count=30, seed=3
    )
    places = list(range(30))  # the classes of scenes come in turn
    assert study.manifest["outcome"]["places"] == places
    whole, answers, left = [], np.zeros((2, 4, 30), int), np.zeros((2, 4, 30))
    for index, place in enumerate(places):
        noise = np.random.default_rng([3, place]).random(64)
        rank = noise.argsort().argsort().reshape(8, 8)
        masks = np.stack([rank >= round(share * 64) for share in shares])
        keep = masks.repeat(8, 1).repeat(8, 2)
        whole.append(engine.predict(resnet, scenes[place]).best)
        for row, fill in enumerate(("grey", "blur")):
            logits = engine.predict_masked(resnet, scenes[place], keep, fill).astype(np.float64)
            answers[row, :, index] = logits.argmax(axis=1)
            shifted = np.exp(logits - logits.max(axis=1, keepdims=True))
            left[row, :, index] = (shifted / shifted.sum(axis=1, keepdims=True))[:, whole[index]]
    labels = np.array([resnet.classes.index(str(scenes.labels[place])) for place in places])
    assert np.array_equal(study.predicted, answers)
    assert study.probability == pytest.approx(left, abs=1e-5)
    right, same = answers == labels, answers == np.array(whole)
    for name, found in (("accuracy", right), ("unchanged", same)):
        assert getattr(study, name) == pytest.approx(found.mean(axis=2), abs=1e-6)
        error = found.std(axis=2, ddof=1) / np.sqrt(30)
        assert getattr(study, f"{name}_error") == pytest.approx(error, abs=1e-6)
        ends = [
            [stats.binomtest(int(one.sum()), 30).proportion_ci(method="wilson") for one in row]
            for row in found
        ]
        assert getattr(study, f"{name}_interval") == pytest.approx(np.array(ends), abs=1e-6)
    counts = (answers[..., None] == np.arange(10)).sum(axis=2)
    assert study.entropy == pytest.approx(stats.entropy(counts, axis=-1, base=2), abs=1e-6)


def test_known_truth_on_scenes(scenes: ImageSet, resnet: LoadedModel) -> None:
    """What was published of grey holds here: answers collapse onto few classes."""
    study = missingness_study(resnet, scenes, fills=["grey"], shares=[0, 0.5], count=60)
    assert study.accuracy[0, 0] > 0.9
    assert study.accuracy[0, 1] < 0.3
    assert study.entropy[0, 0] > 3.2
    assert study.entropy[0, 1] < 2


def test_passes_are_as_promised_and_nothing_hidden_costs_none(
    scenes: ImageSet, resnet: LoadedModel
) -> None:
    planned = plan_study(resnet, scenes, fills=["grey", "mean"], shares=[0, 0.5, 1], count=5)
    assert (planned.cost.forward, planned.cost.backward) == (5 * (1 + 2 * 2), 0)
    with counted(resnet.module) as seen:
        study = planned.run()
    assert seen.forward == planned.cost.forward
    assert study.manifest["outcome"]["passes"] == {"forward": 25, "backward": 0}
    assert study.key == planned.key


@pytest.mark.parametrize("order", ["most-salient", "least-salient"])
def test_orders_by_saliency_hide_what_the_map_says(
    order: str, bright: ImageSet, one_pixel: LoadedModel
) -> None:
    planned = plan_study(
        one_pixel, bright, fills=["black"], grid=4, shares=[1 / 16, 15 / 16], count=3,
        order=order, saliency="gradient-x-input",
    )  # fmt: skip
    with counted(one_pixel.module) as seen:
        study = planned.run()
    # The decisive cell goes first, or last: after fifteen of sixteen it is still there.
    expected = [1, 1] if order == "most-salient" else [0, 0]
    assert study.predicted[0].T.tolist() == [expected] * 3
    assert seen.forward <= planned.cost.forward
    assert seen.backward == planned.cost.backward == 3


def test_superpixels_are_hidden_whole_and_by_area(scenes: ImageSet, resnet: LoadedModel) -> None:
    study = missingness_study(
        resnet, scenes, fills=["grey"], cells="superpixels", grid=5, shares=[0.5], count=2
    )
    areas = []
    for index, place in enumerate((0, 1)):
        x = resnet.prepare(scenes[place])
        of_pixel = superpixels(resnet, x, 25).numpy()
        order = np.random.default_rng([0, place]).random(of_pixel.max() + 1).argsort()
        sizes = np.bincount(of_pixel.ravel())[order].cumsum() / of_pixel.size
        count = int(np.abs(np.concatenate([[0], sizes]) - 0.5).argmin())
        keep = ~np.isin(of_pixel, order[:count])
        areas.append(1 - keep.mean())
        said = engine.predict_masked(resnet, scenes[place], keep[None], "grey").argmax()
        assert study.predicted[0, 0, index] == said
    assert study.hidden[0] == pytest.approx(np.mean(areas))


def test_some_pictures_are_as_many_of_each_class_as_can_be(tmp_path: Path) -> None:
    for label, count in (("a", 5), ("b", 1), ("c", 2)):
        (tmp_path / label).mkdir()
        for index in range(count):
            Image.new("L", (4, 4)).save(tmp_path / label / f"{index}.png")
    images = load_images(tmp_path)
    chosen = [[images.entries[i].name for i in places_of(images, count)] for count in (3, 5, 6)]
    assert chosen[0] == ["a/0.png", "b/0.png", "c/0.png"]
    assert chosen[1] == ["a/0.png", "a/1.png", "b/0.png", "c/0.png", "c/1.png"]
    assert chosen[2] == ["a/0.png", "a/1.png", "a/2.png", "b/0.png", "c/0.png", "c/1.png"]
    assert places_of(images, None).tolist() == list(range(8))


def test_each_mask_holds_the_one_before() -> None:
    draw = np.random.default_rng(0)
    of_pixel = draw.integers(0, 9, (12, 12))
    of_pixel.flat[:9] = np.arange(9)
    cells = Cells(of_pixel, draw.permutation(9))
    keep = cells.keep([0, 0.2, 0.5, 0.8, 1])
    assert keep[0].all()
    assert not keep[-1].any()
    assert (keep[1:] <= keep[:-1]).all()
    assert np.abs(1 - keep.mean(axis=(1, 2)) - [0, 0.2, 0.5, 0.8, 1]).max() < 0.1


def test_ties_of_saliency_keep_their_order() -> None:
    of_pixel = np.arange(4).reshape(2, 2)
    rank = salient_rank(of_pixel, np.array([[1.0, 2.0], [1.0, 0.0]]), 4, least=False)
    assert rank.tolist() == [1, 0, 2, 3]


def test_masks_are_the_same_for_all_fills_and_chunks(scenes: ImageSet, resnet: LoadedModel) -> None:
    both = missingness_study(resnet, scenes, fills=["grey", "mean"], shares=[0.4], count=4)
    assert np.array_equal(both.predicted[0], both.predicted[1])  # both are 0.5 for scenes
    planned = plan_study(resnet, scenes, fills=["grey"], shares=[0.2, 0.4], count=4)
    planned.request["chunk"] = 1
    assert np.array_equal(planned.run().predicted[0, 1], both.predicted[0, 0])


def test_what_is_known_is_not_computed_again(scenes: ImageSet, resnet: LoadedModel) -> None:
    kept: dict[str, Result] = {}
    planned = plan_study(resnet, scenes, fills=["grey", "blur"], shares=[0, 0.5], count=4)

    def stop_after_grey(result: Result) -> None:
        kept[result.key] = result
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        planned.run(keep=stop_after_grey)
    assert list(kept) == [planned.alone("grey").key]
    with counted(resnet.module) as seen:
        found = planned.run(find=kept.get)
    assert seen.forward == 4 * 2
    fresh = planned.run()
    for name in MissingnessStudy.arrays:
        assert np.array_equal(getattr(found, name), getattr(fresh, name), equal_nan=True), name
    alone = missingness_study(resnet, scenes, fills=["blur"], shares=[0, 0.5], count=4)
    assert np.array_equal(alone.predicted[0], fresh.predicted[1])
    with counted(resnet.module) as seen:
        planned.run(find={**kept, alone.key: alone}.get)
    assert seen.forward == 0


def test_memory_that_runs_out_halves_the_chunk(
    scenes: ImageSet, resnet: LoadedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan_study(resnet, scenes, fills=["grey"], shares=[0.1, 0.2, 0.3, 0.4], count=2)
    plain = planned.run()
    forward = Passes.forward

    def short(self: Passes, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        if len(batch) > 2:
            raise torch.OutOfMemoryError("out of memory")
        return forward(self, batch, rows)

    monkeypatch.setattr(Passes, "forward", short)
    found = planned.run()
    assert found.manifest["outcome"]["chunk"] <= 2 < plain.manifest["outcome"]["chunk"]
    assert np.array_equal(found.predicted, plain.predicted)


def test_cancelled_before_the_next_pass(scenes: ImageSet, resnet: LoadedModel) -> None:
    stop = threading.Event()
    told: list[tuple[int, int]] = []

    def progress(done: int, total: int) -> None:
        told.append((done, total))
        if len(told) == 5:
            stop.set()

    with pytest.raises(Cancelled):
        missingness_study(
            resnet, scenes, fills=["grey"], shares=[0.5], count=9, progress=progress, cancel=stop
        )
    assert told[-1] == (5, 18)


def test_without_labels_only_agreement() -> None:
    digits = engine.load_sample_set("digits")
    model = engine.load_model(OnePixel(), input_spec=SPEC, classes=["bright", "dark"], device="cpu")
    study = missingness_study(model, digits, fills=["black"], shares=[0, 1], count=6)
    assert study.labelled == 0
    assert study.count == 6
    assert np.isnan(study.accuracy).all()
    assert study.unchanged[0, 0] == 1


def test_what_cannot_be_read_is_left_out(tmp_path: Path, one_pixel: LoadedModel) -> None:
    for index in range(3):
        Image.new("RGB", (16, 16), "white").save(tmp_path / f"{index}.png")
    content = (tmp_path / "1.png").read_bytes()
    (tmp_path / "1.png").write_bytes(content[: len(content) // 2])
    study = missingness_study(one_pixel, load_images(tmp_path), fills=["black"], shares=[1])
    assert study.manifest["source"]["pictures"] == ["0.png", "2.png"]
    assert study.manifest["outcome"]["skipped"][0][0] == 1
    for index in (0, 2):
        (tmp_path / f"{index}.png").write_bytes(content[:60])
    with expect_refusal(InputError, "no picture could be read"):
        missingness_study(one_pixel, load_images(tmp_path), fills=["black"], shares=[1])


def test_saved_read_back_and_computed_again(
    tmp_path: Path, scenes: ImageSet, resnet: LoadedModel
) -> None:
    study = missingness_study(
        resnet, scenes, fills=["grey"], shares=[0, 0.5], count=3, order="most-salient"
    )
    again = engine.load_result(study.save(tmp_path / "s.safetensors"))
    assert isinstance(again, MissingnessStudy)
    assert again.fills == ("grey",)
    assert np.array_equal(again.predicted, study.predicted)
    assert replay(again).verdict == "equal to the bit"
    digits = engine.load_sample_set("digits")
    with expect_refusal(ReplayError, "the image set is not the one of the result"):
        replay(again, given=digits)


def test_the_key_follows_what_is_asked(scenes: ImageSet, resnet: LoadedModel) -> None:
    keys = {
        plan_study(resnet, scenes, **asked).key  # type: ignore[arg-type]
        for asked in (
            {}, {"seed": 1}, {"fills": ["grey"]}, {"cells": "superpixels"}, {"grid": 4},
            {"order": "most-salient"}, {"order": "least-salient"}, {"shares": [0.5]}, {"count": 9},
            {"order": "most-salient", "saliency": "gradient"},
        )
    }  # fmt: skip
    assert len(keys) == 10
    assert plan_study(resnet, scenes).key in keys
    assert plan_study(resnet, scenes).fills == fills_for(resnet)


@pytest.mark.parametrize(
    ("asked", "error", "told"),
    [
        ({"fills": ["gray"]}, ParameterError, "no fill 'gray'"),
        ({"fills": ["grey", "grey"]}, ParameterError, "a fill is named twice"),
        ({"fills": "grey"}, ParameterError, "fills is a list of names"),
        ({"order": "randomly"}, ParameterError, "no order 'randomly'"),
        ({"cells": "hexagons"}, ParameterError, "no cells 'hexagons'"),
        ({"grid": 0}, ParameterError, "from 1×1 to the input's 64×64"),
        ({"shares": [0.5, 0.1]}, ParameterError, "expected them rising"),
        ({"shares": [1.2]}, ParameterError, "expected numbers from 0 to 1"),
        ({"count": 301}, ParameterError, "a whole number from 1 to 300"),
        ({"seed": 0.5}, ParameterError, "expected a whole number"),
        ({"saliency": "gradient"}, ParameterError, "order=random takes no saliency method"),
        ({"order": "most-salient", "saliency": "lrpp"}, MethodError, "lrpp"),
    ],
)
def test_refusals(
    asked: dict[str, object], error: type[Exception], told: str, scenes: ImageSet,
    resnet: LoadedModel,
) -> None:  # fmt: skip
    with expect_refusal(error, told):
        plan_study(resnet, scenes, **asked)  # type: ignore[arg-type]


def test_models_that_name_no_classes_are_refused(scenes: ImageSet) -> None:
    with expect_refusal(InputError, "takes rows of a table, not pictures"):
        plan_study("cancer-mlp", scenes)
    one = nn.Sequential(nn.Flatten(), nn.Linear(768, 1))
    model = engine.load_model(one, input_spec=SPEC, device="cpu")
    with expect_refusal(MethodError, "does not choose between classes"):
        plan_study(model, scenes)
