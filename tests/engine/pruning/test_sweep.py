"""The sweep against a slow loop: one network after the other, one picture at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Event
from typing import Any

import numpy as np
import pytest
import torch

import engine
from engine.errors import Cancelled, InputError, MethodError, ParameterError, ReplayError
from engine.execution.cost import Cost
from engine.inputs.image_sets import ImageSet
from engine.inputs.listing import Entry
from engine.inputs.samples import load_sample_set
from engine.manifest import key_of
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.prune_results import PruneCell, PruneSweep
from engine.pruning.corruptions.corrupting import corrupt
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.measuring.costs import costs_of
from engine.pruning.repairing.repairs import repaired
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units
from engine.pruning.sweeping import networks, planning
from engine.pruning.sweeping.building import Workshop
from engine.pruning.sweeping.judged import parts_of
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning
from engine.replay import replay
from engine.results import Result, load_result
from tests.engine import zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.refusals import expect_refusal

ASKED: dict[str, Any] = {
    "criteria": ("group-l2", "taylor"),
    "ratios": (0.25, 0.6),
    "repairs": ("none", "both"),
    "draws": 2,
    "seed": 3,
}


@pytest.fixture(scope="module")
def model() -> LoadedModel:
    return load_model("digits-cnn", device="cpu")


@pytest.fixture(scope="module")
def images() -> ImageSet:
    """Thirty digits, three of each."""
    return load_sample_set("digits").part(range(30))


@pytest.fixture(scope="module")
def found(model: LoadedModel, images: ImageSet) -> PruneSweep:
    return engine.prune_sweep(
        model, images, **ASKED, corruptions=("contrast", "gaussian_noise"), severities=(2, 4)
    )


def unlabelled(images: ImageSet) -> ImageSet:
    return replace(images, entries=tuple(replace(one, label=None) for one in images.entries))


class Memory:
    """Keeps results, and counts what it is asked."""

    def __init__(self) -> None:
        self.kept: dict[str, Result] = {}
        self.found = 0

    def find(self, key: str) -> Result | None:
        self.found += key in self.kept
        return self.kept.get(key)

    def keep(self, result: Result) -> None:
        self.kept[result.key] = result


def says(network: LoadedModel, x: Sequence[torch.Tensor]) -> tuple[np.ndarray, np.ndarray]:
    """What a network says of pictures, each by itself."""
    with torch.no_grad(), network.ready() as module:
        probability = torch.cat([module(one).double().softmax(dim=1) for one in x])
    return probability.argmax(dim=1).numpy(), probability.amax(dim=1).numpy()


def networks_of(
    model: LoadedModel, images: ImageSet, found: PruneSweep
) -> dict[tuple[int, int], tuple[dict[str, np.ndarray], LoadedModel]]:
    """Every network of a sweep, made by the public calls for one."""
    groups = find_groups(model)
    calibration = images.part(parts_of(images, ASKED["seed"]).calibration.tolist())
    made = {}
    for way, one in enumerate(found.ways):
        seed = ASKED["seed"] + one.draw
        scores = score_units(model, groups, calibration, criteria=[one.criterion], seed=seed)
        for place, ratio in enumerate(found.ratios):
            kept = choose(scores[one.criterion], groups, float(ratio), one.scope)  # type: ignore[arg-type]
            gated = gated_copy(model, kept)
            network = repaired(model, gated, kept, groups, calibration, one.repair)  # type: ignore[arg-type]
            made[way, place] = (kept, network)
    return made


def test_answers_are_those_of_a_slow_loop(
    model: LoadedModel, images: ImageSet, found: PruneSweep
) -> None:
    judged = parts_of(images, ASKED["seed"]).judged.tolist()
    pictures = [images[place] for place in judged]
    x = [model.prepare(one) for one in pictures]
    labels = np.array([model.classes.index(str(images.labels[place])) for place in judged])
    assert np.array_equal(found.labels, labels)
    assert found.manifest["source"]["pictures"] == [images.entries[n].name for n in judged]
    predicted, confidence = says(model, x)
    assert np.array_equal(found.dense_predicted, predicted)
    assert found.dense_confidence == pytest.approx(confidence, abs=1e-6)
    harmed = {
        (place, level): [corrupted(model, one, name, severity) for one in pictures]
        for place, name in enumerate(("contrast", "gaussian_noise"))
        for level, severity in enumerate((2, 4))
    }
    assert found.corrupted is not None and found.dense_corrupted is not None
    for at, x_of in harmed.items():
        assert found.dense_corrupted[at] == pytest.approx((says(model, x_of)[0] == labels).mean())
    groups = find_groups(model)
    for (way, ratio), (kept, network) in networks_of(model, images, found).items():
        predicted, confidence = says(network, x)
        assert np.array_equal(found.predicted[way, ratio], predicted)
        assert found.confidence[way, ratio] == pytest.approx(confidence, abs=1e-5)
        for name, stays in found.kept_in(way, ratio).items():
            assert np.array_equal(stays, kept[name])
        for at, x_of in harmed.items():
            right = (says(network, x_of)[0] == labels).mean()
            assert found.corrupted[(way, ratio, *at)] == pytest.approx(right)
        costs = costs_of(model, groups, kept)
        assert (found.parameters[way, ratio], found.macs[way, ratio]) == (
            costs.parameters, costs.macs,
        )  # fmt: skip


def corrupted(model: LoadedModel, picture: Any, name: str, severity: int) -> torch.Tensor:
    fitted = np.array(model.spec.fitted(picture))  # type: ignore[union-attr]
    pixels = corrupt(fitted, name, severity, ASKED["seed"])
    planes = torch.from_numpy(pixels.reshape(*pixels.shape[:2], -1)).permute(2, 0, 1)
    return model.spec.normalise(planes.contiguous().float() / 255)[None]  # type: ignore[union-attr]


def test_costs_are_those_of_networks_cut_to_size(
    model: LoadedModel, images: ImageSet, found: PruneSweep
) -> None:
    for ratio in (1, 2):
        kept = found.kept_in(0, ratio)
        small = sliced_copy(model, kept, round_to=1)
        weights = sum(one.numel() for one in small.module.parameters())
        assert found.parameters[0, ratio] == weights
    whole = sum(one.numel() for one in model.module.parameters())
    assert found.parameters[0, 0] == whole == found.display["parameters"]


def test_scores_are_those_of_one_call(
    model: LoadedModel, images: ImageSet, found: PruneSweep
) -> None:
    groups = find_groups(model)
    calibration = images.part(parts_of(images, 3).calibration.tolist())
    scores = score_units(model, groups, calibration, criteria=["taylor"])["taylor"]
    way = next(place for place, one in enumerate(found.ways) if one.criterion == "taylor")
    own = np.concatenate([scores[group.name] for group in groups.groups])
    assert np.array_equal(found.scores[way], own)


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"criteria": ("group-l2",), "repairs": ("bias",), "draws": 1},
        {"criteria": ("wifv", "taylor"), "repairs": ("none", "bn", "bias", "both"), "draws": 1},
        {"corruptions": ("contrast",), "severities": (1, 5)},
    ],
)
@pytest.mark.parametrize("labels", [True, False])
def test_passes_are_counted_and_promised(
    model: LoadedModel, images: ImageSet, asked: dict[str, Any], labels: bool
) -> None:
    plan = plan_pruning(model, images if labels else unlabelled(images), **{**ASKED, **asked})
    costs_of(model)
    told: list[tuple[int, int]] = []
    with counted(model.module) as count:
        found = plan.run(lambda *now: told.append(now))
    used = Cost(**found.manifest["outcome"]["passes"])
    assert (used.forward, used.backward) == (count.forward, count.backward)
    assert used.within(plan.cost)
    assert told[-1][1] == plan.cost.total
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_all_scores_take_one_pass(model: LoadedModel, images: ImageSet) -> None:
    names = ("taylor", "fisher", "wifv", "wanda-sp", "group-l2", "fpgm")
    plan = plan_pruning(model, images, criteria=names, ratios=(), repairs=("none",), draws=1)
    costs_of(model)
    with counted(model.module) as count:
        plan.run()
    calibration, judged = len(plan.parts.calibration), len(plan.parts.judged)
    # At ratio 0, without repair, every way's network is the untouched one.
    assert count.forward == calibration + judged
    assert count.backward == calibration


def test_the_same_network_is_asked_once(model: LoadedModel, images: ImageSet) -> None:
    # So few units go at 1 % that none does; and both ratios of 0.5 are one.
    plan = plan_pruning(
        model, images, criteria=("group-l2",), ratios=(0.0, 0.5, 0.5, 0.01), repairs=("none",),
        draws=1,
    )  # fmt: skip
    found = plan.run()
    assert found.ratios.tolist() == [0.0, 0.01, 0.5]
    assert found.manifest["outcome"]["networks"] == 3  # untouched, and two halves
    assert np.array_equal(found.predicted[0, 1], found.dense_predicted)


def test_a_repair_that_does_nothing_makes_no_network(model: LoadedModel, images: ImageSet) -> None:
    # There is no batch norm in it: "bn" is "none", and "both" is "bias".
    found = engine.prune_sweep(
        model, images, ratios=(0.5,), repairs=("none", "bn", "bias", "both"), draws=1
    )
    assert found.manifest["outcome"]["networks"] == 1 + 2 * 2
    by = {(way.criterion, way.repair): found.confidence[n, 1] for n, way in enumerate(found.ways)}
    for name in ("group-l2", "random"):
        assert np.array_equal(by[name, "none"], by[name, "bn"])
        assert np.array_equal(by[name, "bias"], by[name, "both"])
        assert not np.array_equal(by[name, "none"], by[name, "bias"])
    resnet = load_model("scenes-resnet", device="cpu")
    plan = plan_pruning(resnet, load_sample_set("scenes").part(range(20)), ratios=(0.5,), draws=1)
    whole = plan.run()
    assert whole.manifest["outcome"]["networks"] == 1 + 1 + 2  # at ratio 0 batch norms change
    assert not np.array_equal(whole.confidence[0, 0], whole.dense_confidence)


def test_without_labels_answers_are_held_against_its_own(
    model: LoadedModel, images: ImageSet
) -> None:
    asked = {**ASKED, "corruptions": ("contrast",), "severities": (5,)}
    memory = Memory()
    plan = plan_pruning(model, unlabelled(images), **asked)
    found = plan.run(keeper=memory)
    assert not found.labelled
    assert (found.labels == -1).all()
    assert np.array_equal(found.truth, found.dense_predicted)
    assert found.dense_accuracy().value == 1
    assert found.accuracy(0, 1) == found.agreement(0, 1)
    # Corrupted pictures are held against what it says of clean ones.
    assert found.dense_corrupted is not None
    assert found.dense_corrupted.shape == (1, 1)
    assert 0 < found.dense_corrupted[0, 0] < 1
    again = plan.run(keeper=memory)
    assert again.dense_corrupted is not None
    assert np.array_equal(again.dense_corrupted, found.dense_corrupted)
    assert again.manifest["outcome"]["resumed"] == again.manifest["outcome"]["networks"]


def stop_after(count: int) -> tuple[Event, Any]:
    event, told = Event(), []

    def progress(done: int, total: int) -> None:
        told.append(done)
        if done >= count:
            event.set()

    return event, progress


def test_work_that_was_stopped_goes_on(model: LoadedModel, images: ImageSet) -> None:
    plan = plan_pruning(model, images, **ASKED)
    whole = plan.run()
    before = [tensor.clone() for tensor in model.module.state_dict().values()]
    event, progress = stop_after(plan.cost.total // 2)
    memory = Memory()
    with pytest.raises(Cancelled):
        plan_pruning(model, images, **ASKED).run(progress, event, memory)
    after = model.module.state_dict().values()
    assert all(torch.equal(one, other) for one, other in zip(before, after, strict=True))
    assert hooks_on(model.module) == 0
    done = len(memory.kept)
    assert 0 < done < whole.manifest["outcome"]["networks"]
    spared = sum(one.manifest["outcome"]["passes"]["forward"] for one in memory.kept.values())
    with counted(model.module) as count:
        found = plan_pruning(model, images, **ASKED).run(keeper=memory)
    assert found.manifest["outcome"]["resumed"] == done
    assert found.manifest["outcome"]["passes"]["forward"] <= count.forward
    total = whole.manifest["outcome"]["passes"]["forward"]
    assert found.manifest["outcome"]["passes"]["forward"] == total - spared
    for name in PruneSweep.arrays:
        then, now = getattr(whole, name), getattr(found, name)
        assert (now is then is None) or np.array_equal(now, then)
    assert all(isinstance(one, PruneCell) for one in memory.kept.values())
    assert all(key_of(one.manifest["request"]) == key for key, one in memory.kept.items())


def test_a_wider_sweep_takes_over_what_was_asked(model: LoadedModel, images: ImageSet) -> None:
    memory = Memory()
    plan_pruning(model, images, **{**ASKED, "ratios": (0.25,)}).run(keeper=memory)
    kept = len(memory.kept)
    found = plan_pruning(model, images, **ASKED).run(keeper=memory)
    assert found.manifest["outcome"]["resumed"] == kept


def test_the_chunk_does_not_change_the_numbers(
    model: LoadedModel, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.prune_sweep(model, images, **ASKED)
    monkeypatch.setattr(planning, "chunk_for", lambda _model: 3)
    small = engine.prune_sweep(model, images, **ASKED)
    assert small.manifest["outcome"]["chunk"] == 3
    assert whole.manifest["outcome"]["chunk"] > 3
    assert np.array_equal(small.predicted, whole.predicted)
    assert np.array_equal(small.kept, whole.kept)
    assert small.confidence == pytest.approx(whole.confidence, abs=1e-6)


def test_memory_that_runs_out_halves_the_chunk(
    model: LoadedModel, images: ImageSet, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = engine.prune_sweep(model, images, **ASKED)
    real = networks.answers

    def scarce(passes: Any, chunks: Any, *others: Any) -> Any:
        if chunks.size > 4:
            chunks.shrink(MemoryError("out of memory"), passes)
            return scarce(passes, chunks, *others)
        return real(passes, chunks, *others)

    monkeypatch.setattr(networks, "answers", scarce)
    small = engine.prune_sweep(model, images, **ASKED)
    assert small.manifest["outcome"]["chunk"] <= 4
    assert np.array_equal(small.predicted, whole.predicted)


def test_calibration_pictures_of_their_own(model: LoadedModel, images: ImageSet) -> None:
    other = load_sample_set("digits").part(range(40, 55))
    plan = plan_pruning(model, images, calibration=other, **ASKED)
    found = plan.run()
    assert len(found.dense_predicted) == len(images)
    assert found.manifest["outcome"]["calibrated_on"] == len(other)
    assert found.manifest["request"]["calibration"] == other.digest
    assert found.display["notes"] == []
    same = plan_pruning(model, images, calibration=images, **ASKED)
    assert same.parts.note == "the network is judged on the pictures that it is calibrated with: " \
        "Digits"  # fmt: skip
    assert len({same.key, plan.key, plan_pruning(model, images, **ASKED).key}) == 3


def test_a_set_too_small_to_part_is_told(model: LoadedModel, images: ImageSet) -> None:
    found = engine.prune_sweep(model, images.part(range(5)), ratios=(0.5,), draws=1)
    assert len(found.dense_predicted) == 5
    assert found.manifest["outcome"]["calibrated_on"] == 5
    (note,) = found.display["notes"]
    assert note.startswith("Digits has 5 pictures: too few to part")


@pytest.mark.parametrize("seed", [0, 1])
def test_a_set_is_parted_class_by_class(images: ImageSet, seed: int) -> None:
    parts = parts_of(images, seed)
    assert sorted([*parts.judged, *parts.calibration]) == list(range(30))
    labels = np.array(images.labels)
    assert sorted(labels[parts.calibration]) == sorted(set(labels))
    assert parts.note == ""
    assert not np.array_equal(parts.calibration, parts_of(images, seed + 1).calibration)


def test_one_picture_of_each_class_is_told(images: ImageSet) -> None:
    entries = tuple(replace(one, label=str(n)) for n, one in enumerate(images.entries[:15]))
    parts = parts_of(replace(images, entries=entries), 0)
    assert "one picture of each class" in parts.note
    assert len(parts.judged) == len(parts.calibration) == 15


def test_a_layer_has_a_ratio_of_its_own(model: LoadedModel, images: ImageSet) -> None:
    groups = find_groups(model)
    name = groups.groups[0].name
    found = engine.prune_sweep(
        model, images, ratios=(0.5,), overrides={name: 0.0}, draws=1, repairs=("none",)
    )
    for way in range(len(found.ways)):
        kept = found.kept_in(way, 1)
        assert kept.pop(name).all()
        assert all(stays.mean() == 0.5 for stays in kept.values())


def test_the_manifest_tells_all(
    model: LoadedModel, images: ImageSet, found: PruneSweep, tmp_path: Any
) -> None:
    request, display = found.manifest["request"], found.display
    assert found.key == key_of(request)
    assert request["images"] == images.digest
    assert request["model"] == model.describe()
    assert request["ratios"] == [0.0, 0.25, 0.6]
    assert request["criteria"] == ["group-l2", "taylor"]
    assert {"torch", "engine"} <= set(request["versions"])
    assert len(display["ways"]) == 2 * (2 + 2)
    assert [one["name"] for one in display["layers"]] == [g.name for g in find_groups(model).groups]
    assert display["refused"] == dict(find_groups(model).refused)
    assert display["criteria"]["random"]
    outcome = found.manifest["outcome"]
    assert outcome["seconds"] > 0 and outcome["environment"] and outcome["skipped"] == []
    again = load_result(found.save(tmp_path / "sweep.safetensors"))
    assert isinstance(again, PruneSweep)
    assert again.manifest == found.manifest
    assert np.array_equal(again.predicted, found.predicted)


def test_every_answer_belongs_to_the_request(model: LoadedModel, images: ImageSet) -> None:
    base = plan_pruning(model, images, **ASKED).key
    others: list[dict[str, Any]] = [
        {"criteria": ("taylor",)}, {"ratios": (0.25,)}, {"repairs": ("none",)}, {"draws": 1},
        {"seed": 4}, {"scope": "global"}, {"corruptions": ("fog",)}, {"fit": "letterbox"},
        {"overrides": {find_groups(model).groups[0].name: 0.1}},
    ]  # fmt: skip
    keys = {plan_pruning(model, images, **{**ASKED, **one}).key for one in others}
    assert len(keys) == len(others)
    assert base not in keys


def test_computed_again(images: ImageSet, tmp_path: Any) -> None:
    file = write_set(images, tmp_path)
    given = engine.load_images(file)
    saved = engine.prune_sweep("digits-cnn", given, **ASKED, corruptions=("fog",), severities=(3,))
    saved = load_result(saved.save(tmp_path / "s.safetensors"))  # type: ignore[assignment]
    assert replay(saved).verdict == "equal to the bit"
    plain = engine.prune_sweep("digits-cnn", given, calibration=given, ratios=(0.5,), draws=1)
    assert replay(plain).verdict == "equal to the bit"
    with expect_refusal(ReplayError, "image set is not the one"):
        replay(saved, given=load_sample_set("digits"))


def write_set(images: ImageSet, folder: Any) -> Any:
    """A folder of class folders with the pictures of a set."""
    for place, one in enumerate(images):
        own = folder / "set" / str(images.labels[place])
        own.mkdir(parents=True, exist_ok=True)
        one.picture.save(own / f"{place:02}.png")
    return folder / "set"


def test_pictures_that_cannot_be_read_are_left_out(
    model: LoadedModel, images: ImageSet, tmp_path: Any
) -> None:
    folder = write_set(images, tmp_path)
    given = engine.load_images(folder)
    plan = plan_pruning(model, given, ratios=(0.5,), draws=1, corruptions=("fog",), severities=(1,))
    whole = plan.run()
    for part in ("judged", "calibration"):
        entry = given.entries[getattr(plan.parts, part)[1]]
        content = entry.path.read_bytes()
        entry.path.write_bytes(b"no picture at all")
        found = replace(
            plan, workshop=Workshop(model, plan.groups, given, plan.parts, "crop")
        ).run()
        entry.path.write_bytes(content)
        skipped = [name for name, _ in found.manifest["outcome"]["skipped"]]
        if part == "judged":
            assert skipped == [entry.name]
            assert np.array_equal(found.dense_predicted, np.delete(whole.dense_predicted, 1))
            assert np.array_equal(found.predicted, np.delete(whole.predicted, 1, axis=2))
            assert np.array_equal(found.labels, np.delete(whole.labels, 1))
        else:
            assert skipped == []
            assert np.array_equal(found.dense_predicted, whole.dense_predicted)


BAD: list[tuple[dict[str, Any], type[engine.HaloscopeError], str]] = [
    ({"ratios": (1.0,)}, ParameterError, "a layer without units would be empty"),
    ({"ratios": (-0.1,)}, ParameterError, "from 0 to below 1"),
    ({"ratios": (float("nan"),)}, ParameterError, "from 0 to below 1"),
    ({"ratios": ("half",)}, ParameterError, "expected a number"),
    ({"criteria": ("tailor",)}, MethodError, "did you mean taylor"),
    ({"criteria": ("uniqueness",)}, MethodError, "heads"),
    ({"repairs": ("bm",)}, ParameterError, "no repair 'bm'"),
    ({"repairs": ()}, ParameterError, "name one at least"),
    ({"scope": "globe"}, ParameterError, "did you mean global"),
    ({"draws": 0}, ParameterError, "draws=0"),
    ({"draws": True}, ParameterError, "draws=True"),
    ({"overrides": {"conv9": 0.5}}, ParameterError, "there is no layer 'conv9'"),
    ({"corruptions": ("fogg",)}, ParameterError, "fog"),
    ({"corruptions": ("fog",), "severities": (6,)}, ParameterError, "6"),
    ({"corruptions": ("fog",), "severities": ()}, ParameterError, "severities=()"),
    ({"seed": -1.5}, ParameterError, "seed"),
]


@pytest.mark.parametrize(("asked", "kind", "told"), BAD)
def test_a_mistake_is_told_in_one_line(
    model: LoadedModel, images: ImageSet, asked: dict[str, Any], kind: Any, told: str
) -> None:
    with expect_refusal(kind, told):
        plan_pruning(model, images, **asked)


def test_one_of_several_may_stand_by_itself(model: LoadedModel, images: ImageSet) -> None:
    one: Any = {"criteria": "taylor", "ratios": 0.5, "repairs": "bn", "corruptions": "fog"}
    plan = plan_pruning(model, images, **one, severities=2)  # type: ignore[arg-type]
    lists: Any = {name: [value] for name, value in one.items()}
    assert plan.key == plan_pruning(model, images, **lists, severities=[2]).key


def test_layers_that_cannot_go_are_told_by_name(model: LoadedModel, images: ImageSet) -> None:
    ((name, why), *_) = find_groups(model).refused.items()
    with expect_refusal(ParameterError, f"nothing can be removed from {name}", why):
        plan_pruning(model, images, overrides={name: 0.5})


@pytest.mark.filterwarnings("ignore")  # torch gives this kind up
def test_models_that_cannot_be_pruned(images: ImageSet) -> None:
    with expect_refusal(MethodError, "takes rows of a table; pruning is for pictures"):
        plan_pruning("compas-mlp", images)
    whole = load_model("digits-cnn", device="cpu")
    halves = torch.ao.quantization.quantize_dynamic(
        torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10)), {torch.nn.Linear}
    )
    packed = load_model(halves, input_spec=whole.spec, classes=whole.classes, device="cpu")
    with expect_refusal(MethodError, "nothing can be removed", "quantised"):
        plan_pruning(packed, images)
    straight = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(784, 10))
    single = load_model(straight, input_spec=whole.spec, classes=whole.classes, device="cpu")
    with expect_refusal(MethodError, "nothing can be removed", "it is the output"):
        plan_pruning(single, images)


class Twice(torch.nn.Module):
    """A layer used twice, one whose weights are another's, and one that can be pruned."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(1, 6, 3, padding=1)
        self.again = torch.nn.Conv2d(6, 6, 3, padding=1)
        self.free = torch.nn.Conv2d(6, 8, 3, padding=1)
        self.grouped = torch.nn.Conv2d(8, 8, 3, padding=1, groups=2)
        self.deep = torch.nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.head = torch.nn.Linear(8, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.again(self.again(self.stem(x)).relu()).relu()
        x = self.deep(self.grouped(self.free(x).relu()).relu()).relu()
        return self.head(x.mean(dim=(2, 3)))


def test_grouped_depthwise_and_layers_used_twice(model: LoadedModel, images: ImageSet) -> None:
    own = load_model(zoo.seeded(Twice), input_spec=model.spec, classes=model.classes, device="cpu")
    found = engine.prune_sweep(own, images, ratios=(0.5,), draws=1)
    # Of the grouped convolution, and the depthwise one after it, a group goes at a time.
    assert [(one.name, one.size) for one in found.layers] == [("free", 2)]
    assert set(found.display["refused"]) == {"stem", "again", "head"}
    assert found.kept.sum(axis=-1).tolist() == [[2, 1], [2, 1]]
    with expect_refusal(ParameterError, "nothing can be removed from again", "more than once"):
        plan_pruning(own, images, overrides={"again": 0.5})
    everything = engine.prune_sweep(own, images, ratios=(0.99,), scope="global", draws=1)
    assert everything.kept.any(axis=-1).all()


class Tied(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.stem = torch.nn.Conv2d(1, 6, 3, padding=1)
        self.first = torch.nn.Conv2d(6, 6, 3, padding=1)
        self.second = torch.nn.Conv2d(6, 6, 3, padding=1)
        self.second.weight = self.first.weight
        self.head = torch.nn.Linear(6, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.second(self.first(self.stem(x)).relu()).relu()
        return self.head(x.mean(dim=(2, 3)))


def test_tied_weights_are_told(model: LoadedModel, images: ImageSet) -> None:
    own = load_model(zoo.seeded(Tied), input_spec=model.spec, classes=model.classes, device="cpu")
    with expect_refusal(MethodError, "nothing can be removed from", "tied weights"):
        plan_pruning(own, images)


def test_sets_that_tell_nothing(model: LoadedModel, images: ImageSet) -> None:
    empty = images.part([])
    with expect_refusal(InputError, "holds no picture"):
        plan_pruning(model, empty)
    with expect_refusal(InputError, "no pictures to calibrate on"):
        plan_pruning(model, images, calibration=empty)
    foreign = replace(images, entries=tuple(replace(e, label="cat") for e in images.entries))
    with expect_refusal(InputError, "the model knows none of the labels"):
        plan_pruning(model, foreign)
    gone = tuple(Entry(e.name, e.path.with_name("gone.png"), e.label, None) for e in images.entries)
    plan: PrunePlan = plan_pruning(model, images, ratios=(0.5,), draws=1)
    lost = replace(plan, images=replace(images, entries=gone))
    with expect_refusal(InputError, "no picture could be read"):
        lost.run()


def test_cancelled_before_it_begins(model: LoadedModel, images: ImageSet) -> None:
    event = Event()
    event.set()
    with counted(model.module) as count, pytest.raises(Cancelled):
        plan_pruning(model, images, **ASKED).run(cancel=event)
    assert count.forward <= 1  # planning looks at the way through the network
