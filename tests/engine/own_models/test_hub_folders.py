"""Folders that ``save_pretrained`` has written: what is read of them, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from engine.errors import ModelError, WeightsError
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from tests.engine import zoo
from tests.engine.own_models.from_hub import CLASSES, VIT, save, save_processor
from tests.engine.refusals import expect_refusal

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    save(tmp_path, "ViT", **VIT)
    save_processor(tmp_path, "ViT", size={"height": 32, "width": 32})
    return tmp_path


def change(folder: Path, **settings: Any) -> None:
    path = folder / "config.json"
    config = json.loads(path.read_text()) | settings
    path.write_text(json.dumps(config))


def load(folder: Path, options: str = "") -> LoadedModel:
    return load_model(f"hf:{folder}{options}", device="cpu")


def test_the_card_tells_what_it_is(folder: Path) -> None:
    model = load(folder)
    assert model.card.title == folder.name
    assert model.card.origin == f"hf:{folder}"
    assert model.card.notes == ()
    assert not any(parameter.requires_grad for parameter in model.module.parameters())
    assert not any(part.training for part in model.module.modules())


def write_own_code(folder: Path, where: str, **settings: Any) -> None:
    """Code that leaves a file behind if it is run, named by one of the folder's two JSON files."""
    own = f"open({str(folder / 'sprung')!r}, 'w')\nclass Own: ...\n"
    (folder / "own.py").write_text(own)
    kinds = ("AutoConfig", "AutoModelForImageClassification", "AutoImageProcessor")
    told = json.loads((folder / where).read_text()) | settings
    told["auto_map"] = dict.fromkeys(kinds, "own.Own")
    (folder / where).write_text(json.dumps(told))


@pytest.mark.parametrize(
    ("where", "settings"),
    [
        ("config.json", {}),
        ("config.json", {"model_type": "own"}),
        ("preprocessor_config.json", {"image_processor_type": "Own"}),
    ],
)
def test_what_needs_code_of_its_own_is_refused(
    folder: Path, where: str, settings: dict[str, str]
) -> None:
    write_own_code(folder, where, **settings)
    with expect_refusal(ModelError, "it needs code of its own to load, which is never run"):
        load(folder)
    assert not (folder / "sprung").exists()


def test_an_image_processor_with_code_of_its_own_is_done_without_and_told(folder: Path) -> None:
    write_own_code(folder, "preprocessor_config.json")
    (note,) = load(folder).card.notes
    assert "its image processor has code of its own, which is never run" in note
    assert not (folder / "sprung").exists()


def test_code_beside_a_model_that_does_not_need_it_is_no_hindrance(folder: Path) -> None:
    change(folder, auto_map={"AutoTokenizer": ["own.Tokenizer", None]})
    assert load(folder).classes == CLASSES


class Sprung:
    """Leaves a folder behind if it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> Any:
        return Path.mkdir, (self.folder / "sprung",)


def test_a_pickle_that_needs_code_is_refused(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    torch.save({"vit.embeddings.cls_token": Sprung(folder)}, folder / "pytorch_model.bin")
    with expect_refusal(WeightsError, "its weights need code to load, so they are refused"):
        load(folder)
    assert not (folder / "sprung").exists()


def test_a_plain_pickle_of_tensors_is_read(folder: Path) -> None:
    expected = load(folder)
    tensors = load_file(folder / "model.safetensors")
    (folder / "model.safetensors").unlink()
    torch.save(tensors, folder / "pytorch_model.bin")
    found = load(folder)
    x = zoo.noise(found)
    assert torch.allclose(found.forward(x), expected.forward(x), rtol=0, atol=1e-5)


def test_a_backbone_without_a_head_is_refused_by_name(tmp_path: Path) -> None:
    config = transformers.ViTConfig(**VIT)
    transformers.ViTModel(config).save_pretrained(tmp_path)
    with expect_refusal(
        WeightsError, "is no trained classifier: its weights lack 'classifier.bias' and 1 more"
    ):
        load(tmp_path)


@pytest.mark.parametrize(
    ("problem", "activation"),
    [
        ("multi_label_classification", "sigmoid"),
        ("regression", "identity"),
        ("single_label_classification", "softmax"),
    ],
)
def test_the_problem_decides_how_logits_are_read(
    folder: Path, problem: str, activation: str
) -> None:
    change(folder, problem_type=problem)
    assert load(folder).activation == activation


@pytest.mark.parametrize(
    ("named", "classes"),
    [
        ({"0": "a", "1": "b", "2": "c", "3": "d"}, ("a", "b", "c", "d")),
        ({str(i): f"LABEL_{i}" for i in range(4)}, tuple(f"class {i}" for i in range(4))),
    ],
)
def test_class_names(folder: Path, named: dict[str, str], classes: tuple[str, ...]) -> None:
    change(folder, id2label=named, label2id={name: int(i) for i, name in named.items()})
    assert load(folder).classes == classes


@pytest.mark.parametrize("precision", [torch.bfloat16, torch.float16])
def test_weights_of_half_precision_are_computed_with_in_float32(
    folder: Path, precision: torch.dtype
) -> None:
    path = folder / "model.safetensors"
    tensors = {name: tensor.to(precision) for name, tensor in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})
    change(folder, dtype=str(precision).removeprefix("torch."))
    model = load(folder)
    assert {parameter.dtype for parameter in model.module.parameters()} == {torch.float32}
    wide = transformers.ViTForImageClassification.from_pretrained(folder, dtype=torch.float32)
    x = zoo.noise(model)
    assert torch.equal(model.forward(x), wide.eval()(x).logits)


def test_random_weights_are_the_same_each_time(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    before = torch.get_rng_state()
    first, second = load(folder, "?weights=none"), load(folder, "?weights=none")
    assert first.digest == second.digest
    assert "its weights are random: it has learned nothing" in first.card.notes
    assert torch.equal(torch.get_rng_state(), before)


def test_options_change_the_configuration(folder: Path) -> None:
    model = load(folder, "?weights=none&num_hidden_layers=2&num_labels=7")
    assert model.seen.attention_calls == 2
    assert len(model.classes) == 7


@pytest.mark.parametrize(
    ("option", "told"),
    [
        ("cache_dir=/tmp/a", "has no option 'cache_dir'"),
        ("proxies={'https':'http://a'}", "has no option 'proxies'"),
        ("token=a", "has no option 'token'"),
        ("force_download=true", "has no option 'force_download'"),
        ("return_unused_kwargs=true", "has no option 'return_unused_kwargs'"),
        ("gguf_file=a", "has no option 'gguf_file'"),
        ("model_type=bert", "has no option 'model_type'"),
        ("to_dict=5", "has no option 'to_dict'"),
        ("num_hiden_layers=2", "did you mean num_hidden_layers"),
        ("trust_remote_code=true", "the option 'trust_remote_code' could run code of others"),
        ("_name_or_path=a", "the option '_name_or_path' could run code of others"),
        ("hidden_act=a/b", "the option 'hidden_act' takes a number"),
        ("id2label={'0':'a'}", "the option 'id2label' takes a number"),
        ("subfolder=../a", "the option 'subfolder' names a folder below"),
        ("subfolder=/etc", "the option 'subfolder' names a folder below"),
    ],
)
def test_only_fields_of_the_configuration_are_set(folder: Path, option: str, told: str) -> None:
    with expect_refusal(ModelError, told):
        load(folder, f"?weights=none&{option}")


def test_a_revision_and_a_subfolder_still_say_where(folder: Path) -> None:
    save(folder / "inner", "ViT", **VIT)
    assert load(folder, "?subfolder=inner&revision=main").classes == CLASSES


def test_channels_other_than_colours_are_tensors(tmp_path: Path) -> None:
    save(tmp_path, "ViT", **VIT, num_channels=5)
    assert load(tmp_path).spec.shape == (5, 32, 32)


def test_grey_pictures(tmp_path: Path) -> None:
    save(tmp_path, "ViT", **VIT, num_channels=1)
    save_processor(tmp_path, "ViT", size={"height": 32, "width": 32}, image_mean=0.3, image_std=0.2)
    model = load(tmp_path)
    assert model.spec.shape == (1, 32, 32)
    assert (model.spec.mean, model.spec.std) == ((0.3,), (0.2,))


def test_a_model_in_the_hubs_cache_needs_no_network(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "models--me--mine"
    save(home / "snapshots" / "1234", "ViT", **VIT)
    (home / "refs").mkdir()
    (home / "refs" / "main").write_text("1234")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("engine.models.libraries.network.is_reachable", lambda _: False)
    model = load_model("hf:me/mine", device="cpu")
    assert model.classes == CLASSES
    assert model.card.title == "mine"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "config.json").unlink(), "the folder has no config.json"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded"),
        (lambda folder: change(folder, model_type="no-such"), "cannot be loaded"),
        (lambda folder: change(folder, model_type="bert"), "classifies no pictures"),
        (lambda folder: change(folder, patch_size=7), "cannot be loaded"),
        (lambda folder: (folder / "model.safetensors").write_bytes(b"x" * 50), "cannot be loaded"),
        (lambda folder: (folder / "model.safetensors").unlink(), "cannot be loaded"),
    ],
)
def test_a_folder_that_is_no_model(folder: Path, spoil: Callable[[Path], None], told: str) -> None:
    spoil(folder)
    with pytest.raises(ModelError, match=told) as caught:
        load(folder)
    assert len(str(caught.value).splitlines()) == 1


@pytest.mark.parametrize("ref", ["hf:./nowhere", "hf:/no/such/folder", "hf:~/nowhere", "hf:a/b/c"])
def test_no_such_folder(ref: str) -> None:
    with expect_refusal(ModelError, f"{ref}: no such folder"):
        load_model(ref)


def test_a_file_is_no_folder(folder: Path) -> None:
    with expect_refusal(ModelError, "is a file; name its folder"):
        load_model(f"hf:{folder / 'config.json'}")


def test_a_bad_option_is_told_in_one_line(folder: Path) -> None:
    with expect_refusal(ModelError, "cannot be loaded"):
        load(folder, "?weights=none&hidden_act=nothing")


@pytest.mark.parametrize("kind", ["Segformer", "Bert"])
def test_a_model_for_something_else_is_told_what_it_is(tmp_path: Path, kind: str) -> None:
    if kind == "Bert":
        config = transformers.BertConfig(
            hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16
        )
        transformers.BertModel(config).save_pretrained(tmp_path)
        told = "a model of the kind bert, which classifies no pictures"
    else:
        config = transformers.SegformerConfig(
            hidden_sizes=[8, 8, 8, 8], depths=[1, 1, 1, 1], num_attention_heads=[1, 1, 1, 1]
        )
        transformers.SegformerForSemanticSegmentation(config).save_pretrained(tmp_path)
        told = "is a SegformerForSemanticSegmentation; only classifiers of pictures are taken"
    with expect_refusal(ModelError, told):
        load_model(f"hf:{tmp_path}", device="cpu")
