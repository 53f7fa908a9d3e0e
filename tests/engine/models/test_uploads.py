"""Weights handed over as a file's content."""

from __future__ import annotations

import torch
from safetensors.torch import save

from engine.errors import ModelError, WeightsError
from engine.models.corrections import Corrections, parse_classes
from engine.models.loading import load_model
from engine.models.sources import find_source
from engine.models.uploads import load_uploaded, wanted_upload
from tests.engine.refusals import expect_refusal

NAME = "digits-cnn"


def content() -> bytes:
    return save(find_source(NAME, None).module.state_dict())


def test_an_upload_says_the_same_as_the_file_would() -> None:
    uploaded = load_uploaded(content(), "my digits.safetensors", NAME)
    shipped = load_model(NAME)
    batch = torch.randn((1, *shipped.spec.shape), generator=torch.Generator().manual_seed(0))
    assert torch.equal(uploaded.forward(batch), shipped.forward(batch))
    assert uploaded.classes == shipped.classes


def test_its_reference_names_file_digest_and_corrections_and_cannot_be_loaded() -> None:
    names = tuple("abcdefghij")
    plain = load_uploaded(content(), "my?w.safetensors", NAME)
    corrected = load_uploaded(
        content(), "my?w.safetensors", NAME, corrections=Corrections(classes=names)
    )
    assert corrected.classes == names
    assert corrected.ref != plain.ref, "two models of one file are told apart"
    for ref in (plain.ref, corrected.ref):
        told = wanted_upload(ref)
        assert told is not None
        assert told[0] == "my?w.safetensors"
        assert len(told[1]) == 12
        with expect_refusal(ModelError, "my?w.safetensors was uploaded in another session"):
            load_model(ref)
    assert wanted_upload("timm:resnet18") is None


def test_another_file_is_another_digest() -> None:
    state = find_source(NAME, None).module.state_dict()
    other = save({name: tensor * 2 for name, tensor in state.items()})
    refs = {load_uploaded(each, "w.safetensors", NAME).ref for each in (content(), other)}
    assert len(refs) == 2


def test_what_does_not_fit_is_refused() -> None:
    with expect_refusal(WeightsError, "does not fit"):
        load_uploaded(content(), "w.safetensors", "scenes-vit")
    with expect_refusal(WeightsError, "not a safetensors file, or damaged"):
        load_uploaded(b"nothing", "w.safetensors", NAME)
    with expect_refusal(ModelError, "neither a bundled model nor a reference"):
        load_uploaded(content(), "w.safetensors", "digits-cn")


def test_class_names_from_a_csv() -> None:
    told = {
        "cat\ndog\n": ("cat", "dog"),
        "0,cat\n1,dog\n": ("cat", "dog"),
        "name,index\ndog,1\ncat,0\n": ("cat", "dog"),
        'index,name\n0,"cat, tabby"\n1,dog\n': ("cat, tabby", "dog"),
    }
    for text, names in told.items():
        assert parse_classes(text, "names.csv") == names
    with expect_refusal(ModelError, "the indices in names.csv are not 0 to 1"):
        parse_classes("0,cat\n2,dog\n", "names.csv")
    assert parse_classes("cat, tabby\ndog", "names.txt") == ("cat, tabby", "dog")
