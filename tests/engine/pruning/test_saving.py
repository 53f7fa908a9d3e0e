"""A smaller network in one file: saved, loaded again to the bit, or refused in one line."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from engine.attention.sites import attention_sites
from engine.attribution.explain import explain
from engine.errors import MethodError, ModelError, ResultError, WeightsError
from engine.models.corrections import Corrections
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.modules import only_from
from engine.models.references import architecture_of, bundled_of, check_reference
from engine.models.specs import TensorSpec
from engine.models.uploads import load_uploaded, wanted_upload
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.cutting.making import described, pruned_of
from engine.pruning.cutting.slicing import sliced_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.saving import save_pruned
from tests.engine.pruning import own_builders
from tests.engine.pruning.oracles import samples, some
from tests.engine.pruning.test_copies import of_library
from tests.engine.refusals import expect_refusal

OWN = "tests.engine.pruning.own_builders:build"


def small_one(model: LoadedModel, how: Callable[..., LoadedModel] = sliced_copy) -> LoadedModel:
    return how(model, some(find_groups(model), seed=2))


def same(one: LoadedModel, other: LoadedModel) -> bool:
    with torch.no_grad():
        return torch.equal(one.forward(samples(one)), other.forward(samples(one)))


def rewritten(file: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """The same file with another manifest."""
    with safe_open(file, framework="pt") as opened:
        metadata = dict(opened.metadata())
    manifest = json.loads(metadata["manifest"])
    change(manifest)
    save_file(load_file(file), file, {**metadata, "manifest": json.dumps(manifest)})
    return file


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_args: object, **_kwargs: object) -> None:
        raise AssertionError("nothing is fetched")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "create_connection", refuse)


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    "name",
    [
        "scenes-resnet", "digits-vit", "imagenet-cnn", "cancer-mlp",
        "torchvision:mobilenet_v2?weights=none&num_classes=7&size=64",
        "timm:vit_tiny_patch16_224?weights=none&img_size=64",
        "hub vit", "hub resnet", "hub swin",
    ],
)  # fmt: skip
@pytest.mark.parametrize("how", [sliced_copy, gated_copy])
def test_what_is_saved_loads_again_to_the_bit(
    name: str, how: Callable[..., LoadedModel], tmp_path: Path
) -> None:
    model = of_library(name) if name.startswith("hub") else load_model(name, device="cpu")
    small = described(small_one(model, how), criterion="random", ratio=0.5)
    file = save_pruned(small, tmp_path / "small")
    assert file == tmp_path / "small.safetensors"
    again = load_model(f"file:{file}", device="cpu")
    assert same(small, again)
    assert again.digest == small.digest
    for one in ("classes", "spec", "activation", "family"):
        assert getattr(again, one) == getattr(small, one)
    assert again.card.title == small.card.title
    assert not any("saved with other versions" in note for note in again.card.notes)
    made, before = pruned_of(again), pruned_of(small)
    assert (made.ref, made.title, made.digest) == (model.ref, model.card.title, model.digest)
    assert made.made == {"criterion": "random", "ratio": 0.5}
    assert {n: s.tolist() for n, s in made.kept.items()} == {
        n: s.tolist() for n, s in before.kept.items()
    }
    once_more = sliced_copy(again, some(find_groups(again), seed=3))
    assert once_more.parameter_count < again.parameter_count


def test_a_file_is_as_small_as_its_network(tmp_path: Path) -> None:
    small = small_one(load_model("scenes-resnet"))
    file = save_pruned(small, tmp_path / "small.safetensors")
    numbers = sum(t.numel() * t.element_size() for t in small.module.state_dict().values())
    assert numbers < file.stat().st_size < numbers + 60_000


def test_its_reference_is_understood_without_arch(tmp_path: Path) -> None:
    small = small_one(load_model("scenes-resnet"))
    ref = f"file:{save_pruned(small, tmp_path / 'small.safetensors')}"
    check_reference(ref)
    assert bundled_of(ref).name == bundled_of(small.ref).name == "scenes-resnet"
    corrected = load_model(f"{ref}?layer=layer1", device="cpu")
    assert corrected.target_layer.name == "layer1"
    with expect_refusal(ModelError, "scenes-resnet", "another session", "save"):
        load_model(small.ref)


def test_repairs_come_back_too(tmp_path: Path) -> None:
    """Biases where there were none, statistics that were measured again."""
    small = small_one(load_model("scenes-resnet", device="cpu"))
    block = small.module.layer1
    block.conv1.bias = torch.nn.Parameter(torch.linspace(-1, 1, block.conv1.out_channels))
    block.norm1.running_mean += 0.25
    again = load_model(f"file:{save_pruned(small, tmp_path / 'small')}", device="cpu")
    assert same(small, again)


def test_code_is_imported_only_where_the_user_names_it(tmp_path: Path) -> None:
    model = load_model(OWN, input_spec=TensorSpec((3, 8, 8)), device="cpu")
    small = small_one(model)
    file = save_pruned(small, tmp_path / "small.safetensors")
    assert architecture_of(f"file:{file}").name == OWN, "so that pages can ask for their list"
    own_builders.BUILT.clear()
    with expect_refusal(ModelError, "small.safetensors", f"?arch={OWN}"):
        load_model(f"file:{file}")
    with only_from(["something.else"]), expect_refusal(ModelError, "--allow-module"):
        load_model(f"file:{file}")
    assert not own_builders.BUILT, "no code was run"
    assert same(small, load_model(f"file:{file}?arch={OWN}", device="cpu"))
    with only_from([OWN]):
        assert same(small, load_model(f"file:{file}", device="cpu"))


def test_a_network_in_hand_says_what_to_add(tmp_path: Path) -> None:
    model = load_model(own_builders.build(), input_spec=TensorSpec((3, 8, 8)), device="cpu")
    small = small_one(model)
    file = save_pruned(small, tmp_path / "small.safetensors")
    with expect_refusal(ModelError, "network in hand", "arch=module:builder"):
        load_model(f"file:{file}")
    assert same(small, load_model(f"file:{file}?arch={OWN}", device="cpu"))
    with expect_refusal(WeightsError, "does not fit"):
        load_model(f"file:{file}?arch=digits-cnn")


def _digits(tmp_path: Path) -> Path:
    return save_pruned(small_one(load_model("digits-vit")), tmp_path / "small.safetensors")


def _no_kept(manifest: dict[str, Any]) -> None:
    del manifest["pruned"]["kept"]


def _beyond(manifest: dict[str, Any]) -> None:
    manifest["pruned"]["kept"]["blocks.0"]["units"] = [99]


def _more_heads(manifest: dict[str, Any]) -> None:
    manifest["pruned"]["heads"][0]["after"] = 0


def _no_spec(manifest: dict[str, Any]) -> None:
    manifest["spec"] = {"kind": "image", "height": "?"}


def _other_arch(manifest: dict[str, Any]) -> None:
    manifest["arch"] = "digits-cnn"


def _folder(manifest: dict[str, Any]) -> None:
    manifest["arch"] = "hf:/etc"


def _hub(manifest: dict[str, Any]) -> None:
    manifest["arch"] = "timm:hf-hub:someone/something"


def _code(manifest: dict[str, Any]) -> None:
    manifest["arch"] = "subprocess:run"


def _config(manifest: dict[str, Any]) -> None:
    manifest |= {"arch": "hf", "config": {"model_type": "no such kind"}}


def _later(manifest: dict[str, Any]) -> None:
    manifest["schema"] = 99


@pytest.mark.usefixtures("no_network")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_no_kept, "damaged"), (_beyond, "damaged"), (_more_heads, "damaged"),
        (_no_spec, "damaged"), (_other_arch, "does not fit DigitsCNN"),
        (_folder, "from which no network is built"), (_hub, "from which no network is built"),
        (_code, "which a file cannot name for you"), (_config, "knows no networks of the kind"),
        (_later, "later Haloscope"),
    ],
)  # fmt: skip
def test_what_a_file_says_wrongly_is_one_line(
    change: Callable[[dict[str, Any]], None], words: str, tmp_path: Path
) -> None:
    file = rewritten(_digits(tmp_path), change)
    with pytest.raises(ModelError) as caught:
        load_model(f"file:{file}")
    assert words in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "small.safetensors" in str(caught.value)


def test_damaged_and_foreign_files_are_one_line(tmp_path: Path) -> None:
    file = _digits(tmp_path)
    content = file.read_bytes()
    changed = bytearray(content)
    changed[-3] ^= 64
    for name, written, words in (
        ("cut.safetensors", content[:-50], "damaged"),
        ("changed.safetensors", bytes(changed), "checksum"),
    ):
        (tmp_path / name).write_bytes(written)
        with expect_refusal(WeightsError, name, words):
            load_model(f"file:{tmp_path / name}")
    foreign = tmp_path / "foreign.safetensors"
    save_file({"w": torch.ones(2)}, foreign)
    (tmp_path / "empty.safetensors").write_bytes(b"")
    (tmp_path / "noise.safetensors").write_bytes(np.random.default_rng(0).bytes(500))
    for name in ("foreign", "empty", "noise", "missing"):
        with expect_refusal(ModelError, "does not say which architecture"):
            load_model(f"file:{tmp_path / name}.safetensors")


def test_only_pruned_networks_are_saved_so(tmp_path: Path) -> None:
    with expect_refusal(MethodError, "not made by pruning"):
        save_pruned(load_model("digits-cnn"), tmp_path / "small")
    small = small_one(load_model("digits-cnn"))
    with expect_refusal(ResultError, "cannot write"):
        save_pruned(small, tmp_path / "no folder" / "small")


def test_a_file_that_is_uploaded_brings_its_architecture(tmp_path: Path) -> None:
    small = small_one(load_model("scenes-vit"))
    content = save_pruned(small, tmp_path / "small.safetensors").read_bytes()
    again = load_uploaded(content, "small.safetensors", "")
    assert same(small, again)
    assert again.card.title == small.card.title
    assert wanted_upload(again.ref)[0] == "small.safetensors"
    names = tuple("abcdefghij")
    renamed = load_uploaded(
        content, "small.safetensors", "scenes-vit", corrections=Corrections(classes=names)
    )
    assert same(small, renamed)
    assert renamed.classes == names


def test_what_explains_networks_explains_small_ones() -> None:
    vit, cnn = (small_one(load_model(name, device="cpu")) for name in ("scenes-vit", "scenes-vgg"))
    for small, methods in (
        (vit, ("attention-rollout", "gradient")),
        (cnn, ("grad-cam", "lrp", "deep-lift")),
    ):
        for method in methods:
            found = explain(small, samples(small, 1), method, target=1)
            assert np.isfinite(found.values).all(), method
            assert small.digest in str(found.manifest)
    assert [site.heads for site in attention_sites(vit).sites] == [
        int(pruned_of(vit).kept[f"blocks.{index}"].sum()) for index in range(6)
    ]
