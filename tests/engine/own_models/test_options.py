"""What stands after "?" in a reference: corrections, and arguments for the builder."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from safetensors.torch import save_file

from engine.errors import ModelError
from engine.models.corrections import Corrections
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.references import corrected, parse_reference
from engine.models.specs import ImageSpec, TensorSpec
from tests.engine.own_models import nets
from tests.engine.refusals import expect_refusal

NET = f"{nets.__name__}:Cnn"
TIMM = "timm:test_resnet?weights=none"


def load(ref: str) -> LoadedModel:
    return load_model(ref, device="cpu")


def test_a_module_by_its_name() -> None:
    model = load(f"{NET}?side=48&classes=a,b,c,d")
    assert model.spec == ImageSpec(48, 48)
    assert model.classes == ("a", "b", "c", "d")


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ("size=64", {"height": 64, "width": 64, "resize": 67}),
        ("size=48x64", {"height": 48, "width": 64, "resize": 67}),
        ("size=64&resize=80", {"height": 64, "resize": 80}),
        ("size=64&resize=70x80", {"height": 64, "resize": (70, 80)}),
        ("mean=0.4", {"mean": (0.4,) * 3}),
        ("mean=0.1,0.2,0.3&std=1,2,3", {"mean": (0.1, 0.2, 0.3), "std": (1.0, 2.0, 3.0)}),
        ("interpolation=nearest", {"interpolation": "nearest"}),
    ],
)
def test_corrections_of_the_input(options: str, wanted: dict[str, Any]) -> None:
    spec = load(f"{TIMM}&{options}").spec
    assert {name: getattr(spec, name) for name in wanted} == wanted


def test_a_size_alone_keeps_as_much_of_the_picture_in_sight() -> None:
    usual, small = load(TIMM).spec, load(f"{TIMM}&size=64").spec
    boxes = [spec.seen_box(300, 200) for spec in (usual, small)]
    assert boxes[0] == pytest.approx(boxes[1], abs=2)


def test_channels() -> None:
    model = load(f"{TIMM}&in_chans=1")
    assert model.spec.shape == (1, 160, 160)
    assert load(f"{NET}?side=32&channels=3&size=32").spec.channels == 3


@pytest.mark.parametrize("ending", ["txt", "json"])
def test_classes_from_a_file(tmp_path: Path, ending: str) -> None:
    names = ["one thing", "another, with a comma", "Straße", "d"]
    path = tmp_path / f"names.{ending}"
    path.write_text(json.dumps(names) if ending == "json" else "\n".join(names), "utf-8")
    assert load(f"{NET}?classes={path}").classes == tuple(names)


def test_layer_and_activation() -> None:
    model = load(f"{NET}?layer=trunk.bn1&activation=sigmoid")
    assert model.target_layer is not None
    assert (model.target_layer.name, model.activation) == ("trunk.bn1", "sigmoid")


def test_what_the_caller_says_goes_before_what_the_reference_says() -> None:
    model = load_model(
        f"{NET}?layer=trunk.bn1&classes=a,b,c,d&activation=sigmoid",
        classes=["w", "x", "y", "z"],
        target_layer="trunk.conv1",
        activation="softmax",
        device="cpu",
    )
    assert model.target_layer is not None
    assert model.target_layer.name == "trunk.conv1"
    assert (model.classes, model.activation) == (("w", "x", "y", "z"), "softmax")


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        (f"{TIMM}&size=big", "size='big': expected a number of pixels like 224"),
        (f"{TIMM}&size=1x2x3", "size='1x2x3': expected a number of pixels like 224"),
        (f"{TIMM}&size=0", "must be at least 1"),
        (f"{TIMM}&size=-5", "must be at least 1"),
        (f"{TIMM}&resize=0", "resize"),
        (f"{TIMM}&resize=-3x5", "resize"),
        (f"{TIMM}&mean=0.5,x", "mean='0.5,x': expected a number for each channel"),
        (f"{TIMM}&mean=0.5,0.4", "2 values given for 3 channels"),
        (f"{TIMM}&mean=nan", "mean"),
        (f"{TIMM}&std=0", "every std must be above 0"),
        (f"{TIMM}&std=inf", "std"),
        (f"{TIMM}&channels=x", "channels='x': expected a whole number"),
        (f"{TIMM}&channels=0", "must be at least 1"),
        (f"{TIMM}&channels=99999999999", "channels='99999999999': expected a whole number, at"),
        (f"{TIMM}&size=4097", "size='4097': expected a number of pixels like 224"),
        (f"{TIMM}&size=64x1000000", "at most 4096 a side"),
        (f"{TIMM}&resize=1{'0' * 400}", "at most 16384 a side"),
        (f"{TIMM}&interpolation=cubic", "did you mean bicubic?"),
        (f"{TIMM}&classes=a,b", "2 class names given, but the model has 1000 outputs"),
        (f"{TIMM}&classes=nowhere.txt", "classes: nowhere.txt: no such file"),
        (f"{TIMM}&classes=[1,", "classes: the list is no JSON"),
        (f"{TIMM}&classes=", "classes"),
        (f"{TIMM}&classes={'[' * 50_000}", "classes: the list is nested too deep"),
        (f"{TIMM}&classes=%00.txt", "cannot be read"),
        (f"{TIMM}&classes=~nobody-of-that-name/a.txt", "cannot be read"),
        (f"{TIMM}&x={'-' * 20_000}1", "x=--------------------…: nested too deep to be read"),
        (f"{TIMM}&x={'[' * 20_000}", "timm:test_resnet cannot be built"),
        ("torchvision:resnet18?weights=[1]", "torchvision:resnet18 has no weights [1]"),
        (f"{TIMM}&layer=layer9", "layer 'layer9' has no maps to read; did you mean layer"),
        (f"{TIMM}&activation=relu", "no activation 'relu'; there are softmax, sigmoid, identity"),
        (f"{TIMM}&no_such_option=3", "timm:test_resnet cannot be built"),
        ("timm:test_resnet?weights=none&num_classes=x", "timm:test_resnet cannot be built"),
        ("torchvision:resnet18?weights=nine", "torchvision:resnet18 has no weights 'nine'"),
        ("torchvision:resnet18?weights=none&norm=3", "torchvision:resnet18 cannot be built"),
        (f"{NET}?no_such=3", f"{NET} failed: TypeError"),
        ("digits-cnn?depth=3", "digits-cnn takes no option 'depth'"),
        ("no.such_module:build", "no module 'no.such_module' on the Python path"),
    ],
)
def test_bad_options_are_told_in_one_line(ref: str, told: str) -> None:
    with expect_refusal(ModelError, told):
        load(ref)


def test_a_picture_is_of_a_size_that_fits_into_memory() -> None:
    with expect_refusal(ModelError, "height and width must be at most 4096, not 5000"):
        ImageSpec(224, 5000)


def test_what_an_architecture_corrects_holds_for_weights_in_a_file(tmp_path: Path) -> None:
    weights = tmp_path / "w.safetensors"
    save_file(load(NET).module.state_dict(), weights)
    arch = quote(f"{NET}?layer=trunk.bn1&mean=0.25&classes=a,b,c,d")
    model = load(f"file:{weights}?arch={arch}&classes=w,x,y,z")
    assert model.target_layer is not None
    assert model.target_layer.name == "trunk.bn1"
    assert isinstance(model.spec, ImageSpec)
    assert model.spec.mean == (0.25,) * 3
    assert model.classes == ("w", "x", "y", "z"), "what is said of the file goes before"


NUMBERS = st.floats(0.001, 9, allow_nan=False).map(lambda number: float(f"{number:.6g}"))
SIDES = st.integers(1, 600)
NAMES = st.lists(st.text(min_size=1), min_size=1, max_size=4, unique=True).map(tuple)


@st.composite
def corrections(draw: st.DrawFn) -> Corrections:
    spec: dict[str, Any] = draw(
        st.fixed_dictionaries(
            {},
            optional={
                "channels": st.sampled_from([1, 3]),
                "mean": st.tuples(NUMBERS) | st.tuples(NUMBERS, NUMBERS, NUMBERS),
                "std": st.tuples(NUMBERS),
                "resize": SIDES | st.tuples(SIDES, SIDES),
                "interpolation": st.sampled_from(["nearest", "bilinear", "bicubic"]),
            },
        )
    )
    if draw(st.booleans()):
        spec |= {"height": draw(SIDES), "width": draw(SIDES)}
    return Corrections(
        spec,
        draw(st.none() | NAMES),
        draw(st.text(alphabet="abc.0123_", max_size=9)),
        draw(st.sampled_from(["", "softmax", "sigmoid", "identity"])),
    )


@given(corrections())
def test_options_tell_all_corrections(known: Corrections) -> None:
    assert Corrections.from_options(known.to_options()) == known


@given(corrections(), st.sampled_from(["timm:a", "hf:a/b?revision=x", "m:b?classes=q&layer=z&n=3"]))
def test_a_corrected_reference_says_so(known: Corrections, ref: str) -> None:
    found = parse_reference(corrected(ref, known))
    before = parse_reference(ref)
    assert (found.kind, found.name, found.arguments) == (
        before.kind,
        before.name,
        before.arguments,
    )
    told = Corrections.from_options(found.corrections)
    assert told == known.over(Corrections.from_options(before.corrections))


def test_a_file_of_weights_is_corrected_in_its_reference() -> None:
    ref = "file:some/where.pth?arch=my.nets:build&depth=3"
    found = corrected(ref, Corrections({"mean": (0.5,)}, ("a & b", "c=d"), "layer3"))
    assert found.startswith("file:some/where.pth?arch=my.nets:build&depth=3&")
    from engine.models.references import parse_file_reference

    file = parse_file_reference(found)
    assert (file.arch, file.arguments) == ("my.nets:build", {"depth": 3})
    told = Corrections.from_options(file.corrections)
    assert told == Corrections({"mean": (0.5,)}, ("a & b", "c=d"), "layer3")


def test_tensors_of_other_channels_become_pictures_by_their_normalisation() -> None:
    known = Corrections({"mean": (0.5,), "std": (0.5,)})
    assert known.of_spec(TensorSpec((3, 32, 32))) == ImageSpec(32, 32, 3, (0.5,) * 3, (0.5,) * 3)
    with expect_refusal(ModelError, "only a model that takes pictures has these"):
        known.of_spec(TensorSpec((5,)))


OVERLAY = "{'url':'http://127.0.0.1:9/a.pth','hf_hub_id':None}"
PLAIN = "takes a number, true or false, a word or a tuple of these"


@pytest.mark.parametrize(
    ("option", "told"),
    [
        *(
            (f"{name}=a", f"the option '{name}' does not go through")
            for name in (
                "checkpoint_path", "pretrained_cfg", "pretrained_cfg_overlay", "cache_dir",
                "scriptable", "exportable", "pretrained", "pretrained_strict", "_hidden",
            )
        ),
        (f"pretrained_cfg_overlay={OVERLAY}", "'pretrained_cfg_overlay' does not go through"),
        ("drop_rate=/etc/passwd", f"'drop_rate' {PLAIN}"),
        ("drop_rate=http:a", f"'drop_rate' {PLAIN}"),
        ("drop_rate={1:2}", f"'drop_rate' {PLAIN}"),
        ("drop_rate=(0.5,'a/b')", f"'drop_rate' {PLAIN}"),
    ],
)  # fmt: skip
def test_a_library_reads_no_other_files(option: str, told: str) -> None:
    for ref in (TIMM, "torchvision:resnet18?weights=none"):
        if "torchvision" not in ref or PLAIN in told or "pretrained=" in option:
            with expect_refusal(ModelError, told):
                load(f"{ref}&{option}")


def test_plain_options_go_through() -> None:
    model = load(f"{TIMM}&num_classes=7&drop_rate=0.5&global_pool=max&act_layer=gelu")
    assert len(model.classes) == 7
    assert len(load("torchvision:resnet18?weights=none&num_classes=5").classes) == 5
