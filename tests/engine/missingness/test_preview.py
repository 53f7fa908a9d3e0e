from __future__ import annotations

import json
import threading
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.errors import Cancelled, InputError, MethodError, ParameterError
from engine.execution.cost import Cost
from engine.mask_results import MaskPreview
from engine.masking import predict_masked
from engine.masking.cells import enlarge
from engine.masking.fills.fill import Fill
from engine.masking.fills.registry import FILLS
from engine.masking.generators.registry import make_masks
from engine.missingness.preview import plan_preview, preview_mask
from engine.missingness.previewing import with_noise
from engine.models.outputs import probabilities_of
from engine.results import load_result
from engine.store import Store
from tests.engine import zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.masking.generators.asking import CASES, IDS, guide_for
from tests.engine.refusals import expect_refusal

PICTURE = np.random.default_rng(3).integers(0, 256, (40, 30, 3), dtype=np.uint8)


def preview(name: str = "tiny-cnn", given: Any = None, **asked: Any) -> MaskPreview:
    model = zoo.load(name)
    return preview_mask(model, zoo.noise(model) if given is None else given, **asked)


@pytest.mark.parametrize("fill", ["mean", "black", "grey", "white", "blur"])
def test_it_says_what_predict_masked_says(fill: str) -> None:
    model = zoo.load("tiny-cnn")
    found = preview_mask(model, PICTURE, "uniform", 0.4, fill, count=5, seed=7)
    keep = make_masks("uniform", (4, 4), 0.4, count=5, seed=7)
    assert np.array_equal(found.keep, keep)
    large = enlarge(keep, 16, 16)
    expected = predict_masked(model, PICTURE, large, fill)
    assert np.allclose(found.logits[1:], expected, atol=1e-6)
    assert np.allclose(found.logits[0], engine.predict(model, PICTURE).logits, atol=1e-6)
    shares = probabilities_of(torch.tensor(found.logits), "softmax").numpy()
    assert np.allclose(found.probabilities, shares, atol=1e-6)
    x = model.prepare(PICTURE)
    given = torch.where(torch.from_numpy(large)[:, None], x, FILLS[fill].values(model, x))
    colours = model.spec.denormalise(given).clamp(0, 1).numpy()
    assert np.allclose(found.masked, colours, atol=1e-6)
    assert found.hidden.tolist() == pytest.approx([6 / 16] * 5)
    assert found.classes == model.classes


@pytest.mark.parametrize(("name", "variant"), CASES, ids=IDS)
def test_every_generator_previews(name: str, variant: dict[str, Any]) -> None:
    guide = guide_for(engine.generators()[name], (4, 4))
    found = preview(generator=name, guide=guide, count=2, **variant)
    assert found.keep.shape == (2, 4, 4)
    assert found.logits.shape == (3, 3)
    if guide is None:
        assert found.guide is None
    else:
        assert np.array_equal(found.guide, guide)


def test_passes_are_promised_and_counted() -> None:
    model = zoo.load("tiny-vit")
    x = zoo.noise(model)
    for name, cost in (("uniform", 8), ("noise-and-mask", 8), ("attention-ranked", 9)):
        planned = plan_preview(model, x, name, count=7)
        told: list[tuple[int, int]] = []
        with counted(model.module) as count:
            found = planned.run(lambda done, total, seen=told: seen.append((done, total)))
        assert planned.cost == Cost(cost)
        assert count.forward == cost
        assert found.manifest["outcome"]["passes"] == {"forward": cost, "backward": 0}
        assert told[-1] == (cost, cost)
    assert hooks_on(model.module) == 0


def test_noise_lies_on_what_stays() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    found = preview_mask(model, x, "noise-and-mask", 0.5, count=3, seed=4, noise=0.36)
    for index in range(3):
        drawn = np.random.default_rng([4, index, 2]).standard_normal((1, 3, 16, 16))
        noisy = 0.8 * x + 0.6 * torch.from_numpy(drawn).float()
        keep = torch.tensor(enlarge(found.keep[index], 16, 16))
        given = torch.where(keep, noisy, torch.zeros_like(x))
        logits = predict_masked(model, given, np.ones((1, 16, 16), bool))
        assert np.allclose(found.logits[index + 1], logits[0], atol=1e-5)
        colours = model.spec.denormalise(given).clamp(0, 1).numpy()
        assert np.allclose(found.masked[index], colours[0], atol=1e-6)
    without = preview_mask(model, x, "noise-and-mask", 0.5, count=3, seed=4, noise=0)
    plain = preview_mask(model, x, "uniform", 0.5, count=3, seed=4)
    assert np.allclose(without.logits, plain.logits, atol=1e-6)


def test_noise_keeps_the_variance() -> None:
    x = torch.randn(1, 3, 200, 200, generator=torch.Generator().manual_seed(0))
    share = torch.linspace(0, 1, 200).expand(1, 1, 200, 200)
    noisy = with_noise(x, share, 1, 2)
    assert torch.allclose(noisy.var(dim=(0, 1, 2)), torch.ones(200), atol=0.25)
    assert float(noisy.var()) == pytest.approx(1, abs=0.02)
    assert torch.equal(noisy[..., 0], x[..., 0])
    assert torch.equal(noisy, with_noise(x, share, 1, 2))
    assert not torch.equal(noisy, with_noise(x, share, 1, 3))


def test_masks_of_a_seed_stay_when_more_are_asked_for() -> None:
    few, more = (preview(generator="beta-noise", count=n, seed=5) for n in (2, 6))
    assert np.array_equal(few.keep, more.keep[:2])
    assert np.allclose(few.logits, more.logits[:3], atol=1e-6)


def test_rows_of_a_table_by_column() -> None:
    model = zoo.load("table")
    found = preview("table", generator="uniform", hidden=0.4, count=6)
    assert found.keep.shape == (6, 1, 3)
    features = model.spec.spread(torch.tensor(found.keep[:, 0]))
    expected = predict_masked(model, zoo.noise(model), features)
    assert np.allclose(found.logits[1:], expected, atol=1e-6)
    assert found.masked.shape == (6, 5)
    assert found.manifest["display"]["size"] is None
    assert found.manifest["display"]["columns"] == ["age", "kind", "income"]
    assert preview("mlp", generator="simmim", hidden=0.6).keep.shape == (1, 1, 5)
    with expect_refusal(MethodError, "the fill 'black' needs pictures"):
        preview("table", fill="black")


def test_a_drawing_in_pixels_or_cells_brings_its_own_grid() -> None:
    drawing = np.random.default_rng(0).random((16, 16)) < 0.5
    found = preview(generator="drawn", guide=drawing)
    assert np.array_equal(found.keep[0], drawing)
    model = zoo.load("tiny-cnn")
    expected = predict_masked(model, zoo.noise(model), drawing[None])
    assert np.allclose(found.logits[1:], expected, atol=1e-6)
    assert not found.manifest["display"]["exact"]
    cells = drawing[:4, :3]
    assert np.array_equal(preview(generator="drawn", guide=cells).keep[0], cells)
    with expect_refusal(ParameterError, "grid=17×16 is out of range"):
        preview(generator="drawn", guide=np.ones((17, 16), bool))


class Inside(Fill):
    name = "inside"
    title = "Hides inside"
    inside = True

    def refusal(self, model: Any) -> str:
        return "" if model.family == "vit" else "inside hides tokens, and there are none"

    def outputs(self, model: Any, forward: Any, x: Any, keep: Any) -> torch.Tensor:
        return forward(x * keep)


def test_a_fill_inside_the_network_shows_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(FILLS, "inside", Inside())
    assert preview("tiny-vit", fill="inside").masked is None
    with expect_refusal(MethodError, "inside hides tokens, and there are none"):
        preview("tiny-cnn", fill="inside")


DIFFERENT: list[dict[str, Any]] = [
    {"hidden": 0.51},
    {"seed": 1},
    {"count": 2},
    {"grid": 8},
    {"fill": "grey"},
    {"generator": "fmix"},
    {"generator": "simmim"},
    {"generator": "simmim", "block": "4"},
    {"generator": "saliency"},
    {"generator": "saliency", "guide": "gradient"},
    {"generator": "saliency", "guide": np.eye(4)},
    {"generator": "saliency", "guide": 2 * np.eye(4)},
    {"generator": "drawn", "guide": np.eye(4) > 0},
    {"generator": "drawn", "guide": np.eye(4) < 1},
]


def test_all_that_decides_the_numbers_is_in_the_key() -> None:
    model = zoo.load("tiny-cnn")
    keys = [plan_preview(model, PICTURE, **asked).key for asked in ({}, *DIFFERENT)]
    keys.append(plan_preview(model, PICTURE[::-1]).key)
    keys.append(plan_preview(zoo.load("inplace-cnn"), PICTURE).key)
    assert len(set(keys)) == len(keys)
    assert keys[0] == plan_preview(zoo.load("tiny-cnn"), PICTURE.copy(), hidden=0.5).key


def test_results_are_kept_and_read_back(tmp_path: Any) -> None:
    found = preview(generator="saliency", count=3)
    store = Store(tmp_path)
    store.put(found)
    kept = store.get(found.key)
    assert isinstance(kept, MaskPreview)
    assert all(np.array_equal(getattr(kept, n), getattr(found, n)) for n in found.arrays)
    assert json.loads(json.dumps(kept.manifest)) == found.manifest
    loaded = load_result(found.save(tmp_path / "p.safetensors"))
    assert np.array_equal(loaded.keep, found.keep)
    with pytest.raises(ValueError, match="read-only"):
        found.keep[0, 0, 0] = True


@pytest.mark.parametrize(
    ("asked", "kind", "words"),
    [
        ({"generator": "unifrom"}, MethodError, "did you mean uniform"),
        ({"fill": "gray"}, ParameterError, "no fill 'gray'"),
        ({"fill": FILLS["grey"]}, ParameterError, "name a fill"),
        ({"hidden": 2}, ParameterError, "hidden=2 is out of range"),
        ({"count": 65}, ParameterError, "count=65 is out of range: 1 to 64 masks"),
        ({"seed": 0.5}, ParameterError, "seed=0.5: expected a whole number"),
        ({"grid": 99}, ParameterError, "grid=99×99 is out of range"),
        ({"steps": 3}, ParameterError, "uniform has no parameter 'steps'"),
        ({"given": torch.zeros(1, 3, 8, 8)}, InputError, "expected a tensor of shape"),
        ({"given": "nowhere.png"}, InputError, "no such file"),
    ],
)
def test_bad_wishes_are_told_before_any_pass(asked: dict[str, Any], kind: Any, words: str) -> None:
    with expect_refusal(kind, words):
        preview(**asked)


def test_it_can_be_stopped() -> None:
    model = zoo.load("tiny-cnn")
    stop = threading.Event()

    def progress(done: int, _total: int) -> None:
        if done >= 3:
            stop.set()

    planned = plan_preview(model, zoo.noise(model), "noise-and-mask", count=20)
    with counted(model.module) as count, pytest.raises(Cancelled):
        planned.run(progress, stop)
    assert count.forward == 3
    with pytest.raises(Cancelled):
        planned.run(cancel=stop)
    again = [planned.run() for _ in range(2)]
    assert np.array_equal(again[0].logits, again[1].logits)


def test_memory_that_runs_out_halves_the_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    model = zoo.load("tiny-cnn")
    expected = preview_mask(model, zoo.noise(model), count=20)
    plain = type(model).forward

    def scarce(self: Any, batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        if len(batch) > 4:
            raise MemoryError
        return plain(self, batch, rows)

    monkeypatch.setattr(type(model), "forward", scarce)
    found = preview_mask(model, zoo.noise(model), count=20)
    assert found.manifest["outcome"]["chunk"] <= 4
    assert np.allclose(found.logits, expected.logits, atol=1e-6)
    assert np.allclose(found.masked, expected.masked)
    assert found.manifest["outcome"]["passes"]["forward"] == 21


def test_the_plan_names_what_a_person_knows() -> None:
    planned = plan_preview(zoo.load("tiny-cnn"), PICTURE, "hard-patches")
    source = planned.source()
    assert source["generator_title"] == "Hard patches"
    assert source["guide_title"] == "Difficulty"
    assert source["fill_title"] == "Mean colour"
    assert replace(planned, guide=None).cost == planned.cost
