"""What every metric keeps to: passes, sets, classes, what is told, cancelled, shared and kept."""

from __future__ import annotations

import json
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from engine.errors import (
    Cancelled,
    InputError,
    MethodError,
    ParameterError,
    ReplayError,
    TargetError,
)
from engine.head_results import HeadScores
from engine.heads.judging import head_scores, plan_heads
from engine.heads.planning import HeadPlan
from engine.heads.registry import head_metrics
from engine.heads.sharing import forget_shared
from engine.inputs.image_sets import ImageSet, load_images
from engine.inputs.samples import load_sample, load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.parameters import check_all
from engine.replay import replay
from engine.results import load_result
from engine.store import default_store
from tests.engine import zoo
from tests.engine.attention import library
from tests.engine.counting import counted, hooks_on
from tests.engine.heads.helping import of_two_layers
from tests.engine.refusals import expect_refusal

METRICS = list(head_metrics())
EXACT = [name for name, metric in head_metrics().items() if metric.family.one_by_one]
MODELS = ["two-layers", "torchvision-swin", "torchvision-vit"]


@pytest.fixture(scope="module")
def models() -> dict[str, LoadedModel]:
    found = {name: library.load(name) for name in MODELS if name != "two-layers"}
    found["two-layers"] = of_two_layers()
    for model in found.values():
        for name in METRICS:  # what is found out once for each model
            head_scores(model, zoo.noise(model), name, **cheap(name))
    return found


@pytest.fixture(scope="module")
def vit() -> LoadedModel:
    return load_model("digits-vit", device="cpu")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_sample_set("digits").part(range(0, 276, 23))


def cheap(name: str) -> dict[str, Any]:
    return {"permutations": 2} if name == "shapley" else {}


def planned(model: LoadedModel, given: Any, name: str, **more: Any) -> HeadPlan:
    """A plan that computes, whatever was computed before."""
    return replace(plan_heads(model, given, name, **{**cheap(name), **more}), fresh=True)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize("which", MODELS)
def test_passes_are_those_promised_and_told(
    which: str, name: str, models: dict[str, LoadedModel]
) -> None:
    model = models[which]
    x = zoo.noise(model, 3)
    exact = [{"keep_one": True}, {"exact_top": 2}] if name in EXACT else []
    for more in ({}, *exact):
        work = planned(model, x, name, **more)
        ran = {"rows": 0, "backward": 0}
        reports: list[list[int]] = []

        def left(_module: object, _args: object, output: Any, ran: dict[str, int] = ran) -> None:
            logits = output if isinstance(output, torch.Tensor) else output.logits
            ran["rows"] += len(logits)
            if logits.requires_grad:
                logits.register_hook(
                    lambda slope: ran.update(backward=len(slope) + ran["backward"])
                )

        handle = model.module.register_forward_hook(left)
        with counted(model.module) as count:
            found = work.run(lambda *told, kept=reports: kept.append(list(told)))
        handle.remove()
        used = found.manifest["outcome"]["passes"]
        assert used == {"forward": ran["rows"], "backward": ran["backward"]}
        assert ran["rows"] <= work.cost.forward
        assert ran["backward"] <= work.cost.backward
        assert count.forward <= ran["rows"]
        assert [one for one, _ in reports] == sorted(one for one, _ in reports)
        assert reports[-1] == [sum(used.values()), work.cost.total]
        if "exact_top" not in more or which == "two-layers":
            assert used == {"forward": work.cost.forward, "backward": work.cost.backward}
        assert hooks_on(model.module) == 0
        assert all("forward" not in vars(part) for part in model.module.modules())


@pytest.mark.parametrize("name", METRICS)
def test_repeatable_in_any_chunks(name: str, models: dict[str, LoadedModel]) -> None:
    model = models["two-layers"]
    x, state = zoo.noise(model, 5), torch.get_rng_state()
    work = planned(model, x, name)
    first, again = work.run(), planned(model, x, name).run()
    assert first.values.tobytes() == again.values.tobytes()
    assert first.error.tobytes() == again.error.tobytes()
    small = replace(work, request={**work.request, "chunk": 2}).run()
    assert small.manifest["outcome"]["chunk"] == 2
    assert np.allclose(small.values, first.values, rtol=1e-3, atol=1e-6)
    assert np.allclose(small.error, first.error, rtol=1e-3, atol=1e-6)
    assert torch.equal(torch.get_rng_state(), state)
    other = planned(model, x, name, seed=1).run()
    assert np.array_equal(other.values, first.values) == (name != "shapley")


@pytest.mark.parametrize("name", METRICS)
def test_it_can_be_cancelled(name: str, models: dict[str, LoadedModel]) -> None:
    model = models["torchvision-swin"]
    x = zoo.noise(model, 3)
    work = planned(model, x, name)
    work = replace(work, request={**work.request, "chunk": 1})
    cancel = threading.Event()
    with pytest.raises(Cancelled):
        work.run(lambda _done, _total: cancel.set(), cancel)
    with counted(model.module) as count, pytest.raises(Cancelled):
        work.run(cancel=cancel)
    assert count.forward == 0
    assert hooks_on(model.module) == 0
    assert all("forward" not in vars(part) for part in model.module.modules())


@pytest.mark.parametrize("name", METRICS)
def test_manifest_file_and_store(
    name: str, vit: LoadedModel, digits: ImageSet, tmp_path: Path
) -> None:
    work = plan_heads(vit, digits, name, seed=4, **cheap(name))
    found = work.run()
    manifest, metric = found.manifest, head_metrics()[name]
    request, display, outcome = (manifest[part] for part in ("request", "display", "outcome"))
    assert manifest["key"] == work.key == found.key
    assert request["kind"] == "head-scores"
    assert request["model"]["digest"] == vit.digest
    assert request["images"] == digits.digest
    assert request["metric"]["parameters"] == check_all(cheap(name), metric.parameters, name)
    assert request["seed"] == 4
    assert display["title"] == metric.title
    assert display["layers"] == [f"blocks.{layer}" for layer in range(4)]
    assert display["heads"] == [4, 4, 4, 4] == list(found.heads)
    assert outcome["images"] == 12
    assert outcome["classes_from"] == {"asked": 0, "labels": 12, "predictions": 0}
    assert outcome["skipped"] == []
    if metric.exact:
        assert sum(outcome["block_passes"].values()) > 0
        assert outcome["reused"].startswith("the blocks before")
    assert json.loads(json.dumps(manifest, allow_nan=False)) == manifest
    again = load_result(found.save(tmp_path / "heads.safetensors"))
    assert isinstance(again, HeadScores)
    assert again.manifest == manifest
    assert np.array_equal(again.values, found.values)
    assert np.array_equal(again.error, found.error)
    default_store().put(found)
    kept = default_store().get(work.key)
    assert isinstance(kept, HeadScores)
    assert kept.ranking == found.ranking


def test_keys_tell_apart_what_gives_other_numbers(vit: LoadedModel, digits: ImageSet) -> None:
    asked: list[dict[str, Any]] = [
        {},
        {"target": 3},
        {"only_class": "5"},
        {"keep_one": True},
        {"exact_top": 2},
        {"seed": 1},
        {"fit": "letterbox"},
    ]
    keys = [plan_heads(vit, digits, "cross-entropy", **more).key for more in asked]
    keys.append(plan_heads(vit, digits, "flips").key)
    keys.append(plan_heads(vit, digits.part(range(3)), "flips").key)
    keys += [plan_heads(vit, digits, "gradient", normalise=flag).key for flag in (True, False)]
    assert len(set(keys)) == len(keys)


def test_over_a_set_it_is_the_mean_of_its_pictures(vit: LoadedModel, digits: ImageSet) -> None:
    each = [head_scores(vit, picture, "cross-entropy").values for picture in digits]
    found = head_scores(vit, digits, "cross-entropy")
    assert np.allclose(found.values, np.mean(each, axis=0), rtol=1e-3, atol=1e-5)
    error = np.std(each, axis=0, ddof=1) / np.sqrt(len(each))
    assert np.allclose(found.error, error, rtol=1e-3, atol=1e-5)
    chosen = [i for i, label in enumerate(digits.labels) if label == "5"]
    assert 0 < len(chosen) < len(digits)
    by_class = head_scores(vit, digits, "cross-entropy", only_class="5")
    wanted = np.mean([each[i] for i in chosen], axis=0)
    assert np.allclose(by_class.values, wanted, rtol=1e-3, atol=1e-5)
    assert by_class.manifest["outcome"]["images"] == len(chosen)
    with expect_refusal(InputError, "no picture of the class asked for"):
        plan_heads(vit, digits.part(chosen), "gradient", only_class="4")


def test_without_labels_it_is_the_predicted_class(vit: LoadedModel, digits: ImageSet) -> None:
    bare = replace(
        digits, entries=tuple(replace(entry, label=None) for entry in digits.entries), _by_name={}
    )
    with torch.no_grad():
        said = [int(vit.forward(vit.prepare(picture)).argmax()) for picture in digits]
    assert len(set(said)) > 2
    found = head_scores(vit, bare, "cross-entropy")
    assert found.manifest["outcome"]["classes_from"]["predictions"] == 12
    each = [
        head_scores(vit, picture, "cross-entropy", target=index).values
        for picture, index in zip(digits, said, strict=True)
    ]
    assert np.allclose(found.values, np.mean(each, axis=0), rtol=1e-3, atol=1e-5)
    one = head_scores(vit, bare, "cross-entropy", only_class=said[0])
    wanted = np.mean([v for v, index in zip(each, said, strict=True) if index == said[0]], axis=0)
    assert one.manifest["outcome"]["images"] == said.count(said[0])
    assert np.allclose(one.values, wanted, rtol=1e-3, atol=1e-5)
    few = replace(bare, entries=bare.entries[:3])
    missing = next(index for index in range(10) if index not in said[:3])
    with expect_refusal(InputError, "no picture of class"):
        head_scores(vit, few, "cross-entropy", only_class=missing)


def test_a_wrong_answer_is_judged_by_the_label(vit: LoadedModel) -> None:
    picture = load_sample("digits/3-04")
    wrong = replace(picture, truth=replace(picture.truth, label="7"))
    right = head_scores(vit, picture, "probability-drop")
    asked = head_scores(vit, wrong, "probability-drop")
    assert np.array_equal(
        asked.values, head_scores(vit, picture, "probability-drop", target=7).values
    )
    assert not np.allclose(asked.values, right.values, atol=1e-3)
    assert asked.key != right.key


def test_pictures_that_cannot_be_read_are_left_out(vit: LoadedModel, tmp_path: Path) -> None:
    for name in ("0-00", "3-04", "7-02"):
        folder = tmp_path / "set" / name[0]
        folder.mkdir(parents=True)
        load_sample(f"digits/{name}").picture.save(folder / f"{name}.png")

    def break_off(path: Path) -> None:
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])

    break_off(tmp_path / "set" / "3" / "3-04.png")
    found = head_scores(vit, load_images(tmp_path / "set"), "flips")
    ((name, reason),) = found.manifest["outcome"]["skipped"]
    assert "3-04" in name
    assert reason
    assert found.manifest["outcome"]["images"] == 2
    for path in (tmp_path / "set").rglob("*.png"):
        break_off(path)
    with expect_refusal(InputError, "no picture could be read"):
        head_scores(vit, load_images(tmp_path / "set"), "flips")


def test_metrics_of_a_family_share_what_they_compute(vit: LoadedModel, digits: ImageSet) -> None:
    forget_shared()
    first = head_scores(vit, digits, "divergence")
    with counted(vit.module) as count:
        second = head_scores(vit, digits, "embedding")
    assert count.forward == 0
    outcome = second.manifest["outcome"]
    assert outcome["shared"]
    assert outcome["passes"] == {"forward": 0, "backward": 0}
    assert outcome["images"] == 12
    assert outcome["block_passes"] == first.manifest["outcome"]["block_passes"]
    alone = planned(vit, digits, "embedding").run()
    assert alone.values.tobytes() == second.values.tobytes()
    for other in ({"keep_one": True}, {"target": 1}, {"only_class": 5}):
        with counted(vit.module) as count:
            head_scores(vit, digits, "embedding", **other)
        assert count.forward > 0


def test_gradients_first_and_exact_after(vit: LoadedModel, digits: ImageSet) -> None:
    forget_shared()
    shown: list[HeadScores] = []
    found = head_scores(vit, digits, "cross-entropy", exact_top=5, partial=shown.append)
    gradient = head_scores(vit, digits, "gradient")
    exact = head_scores(vit, digits, "cross-entropy")
    assert np.array_equal(found.cheap, gradient.values)
    top = gradient.ranking[:5]
    assert sorted(zip(*np.nonzero(np.isfinite(found.values)), strict=True)) == sorted(top)
    for place in top:
        assert np.isclose(found.values[place], exact.values[place], rtol=1e-4, atol=1e-6)
        assert np.isclose(found.error[place], exact.error[place], rtol=1e-3, atol=1e-6)
    assert found.heads == (4, 4, 4, 4)
    assert sorted(found.ranking[:5]) == sorted(top)
    assert found.ranking[5:] == [place for place in gradient.ranking if place not in top]
    assert np.isnan(shown[0].values).all()
    assert np.array_equal(shown[0].cheap, gradient.values)
    assert all(one.manifest["outcome"]["partial"] for one in shown)
    assert all(one.key == found.key for one in shown)
    assert "partial" not in found.manifest["outcome"]
    whole = head_scores(vit, digits, "cross-entropy", exact_top=99)
    assert np.allclose(whole.values, exact.values, rtol=1e-4, atol=1e-6)
    for wrong in (0, 2.5, True):
        with expect_refusal(ParameterError, "expected a number of heads, 1 or more"):
            plan_heads(vit, digits, "flips", exact_top=wrong)


def test_a_set_is_shown_while_it_grows_and_a_picture_layer_by_layer(
    vit: LoadedModel, digits: ImageSet
) -> None:
    work = planned(vit, digits, "divergence")
    shown: list[HeadScores] = []
    replace(work, request={**work.request, "chunk": 4}).run(partial=shown.append)
    counts = [one.manifest["outcome"]["images"] for one in shown]
    assert counts == [2, 3, 6]
    part = head_scores(vit, digits.part(range(6)), "divergence")
    assert np.allclose(shown[-1].values, part.values, rtol=1e-3, atol=1e-6)
    shown.clear()
    found = planned(vit, digits[0], "divergence").run(partial=shown.append)
    known = [int(np.isfinite(one.values).sum()) for one in shown]
    assert known == [4, 8, 12, 16]
    assert np.array_equal(shown[-1].values, found.values)


def test_replay(vit: LoadedModel, digits: ImageSet, tmp_path: Path) -> None:
    whole = load_sample_set("digits")
    asked: list[tuple[Any, str, dict[str, Any]]] = [
        (
            load_sample("digits/3-04"),
            "shapley",
            {"permutations": 3, "seed": 9, "of": "probability"},
        ),
        (load_sample("digits/3-04"), "embedding", {"keep_one": True}),
        (whole, "gradient", {"normalise": True, "only_class": "4"}),
        (whole, "cross-entropy", {"exact_top": 3, "target": 2, "only_class": "4"}),
    ]
    for given, name, more in asked:
        saved = head_scores(vit, given, name, **more)
        again = load_result(saved.save(tmp_path / "saved.safetensors"))
        found = replay(again)
        assert found.verdict == "equal to the bit", name
        assert found.result.manifest["outcome"]["passes"]["forward"] > 0  # nothing was shared
    changed = replace(again, manifest={**again.manifest, "key": "0" * 64})
    with expect_refusal(ReplayError, "changed by hand"):
        replay(changed)
    with expect_refusal(ReplayError, "the picture or image set is not the one of the result"):
        replay(again, given=digits)
    tensors = head_scores(vit, zoo.noise(vit, 2), "gradient")
    with expect_refusal(ReplayError, "pass them in Python: given=…"):
        replay(tensors)
    assert replay(tensors, given=zoo.noise(vit, 2)).verdict == "equal to the bit"


def test_mistakes_are_told(vit: LoadedModel, digits: ImageSet) -> None:
    with expect_refusal(TargetError, "class 12 is out of range"):
        plan_heads(vit, digits, "gradient", target=12)
    with expect_refusal(TargetError, "no class 'ten'"):
        plan_heads(vit, digits, "gradient", only_class="ten")
    with expect_refusal(ParameterError, "gradient has no parameter 'normalize'"):
        plan_heads(vit, digits, "gradient", normalize=True)
    with expect_refusal(ParameterError, "expected a whole number"):
        plan_heads(vit, digits, "gradient", seed=1.5)
    with expect_refusal(InputError, "the model knows none of the labels"):
        plan_heads(vit, load_sample_set("scenes").part(range(2)), "gradient")
    with expect_refusal(InputError, "expected a tensor of shape"):
        plan_heads(vit, torch.zeros(2, 1, 5, 5), "gradient")
    with pytest.raises(InputError):
        plan_heads(vit, "no-such-file.png", "gradient")
    with expect_refusal(MethodError, "no metric 'taylor'"):
        plan_heads(vit, digits, "taylor")


def test_a_picture_from_a_file_or_in_memory(vit: LoadedModel, tmp_path: Path) -> None:
    picture = load_sample("digits/3-04")
    picture.picture.save(tmp_path / "three.png")
    one = head_scores(vit, str(tmp_path / "three.png"), "divergence")
    assert one.manifest["source"]["images_origin"] == str(tmp_path / "three.png")
    pixels = np.asarray(Image.open(tmp_path / "three.png").convert("RGB"))
    assert np.array_equal(head_scores(vit, pixels, "divergence").values, one.values)
    prepared = vit.prepare(picture)
    assert np.array_equal(head_scores(vit, prepared, "divergence").values, one.values)
    assert one.error is None
    assert replay(one).verdict == "equal to the bit"
