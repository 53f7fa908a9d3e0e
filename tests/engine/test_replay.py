from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save_file

from engine.attribution.explain import explain
from engine.errors import DeviceError, InputError, ReplayError, WeightsError
from engine.inputs.images import ImageInput, load_image
from engine.inputs.samples import load_named
from engine.manifest import key_of
from engine.models.loading import load_model
from engine.replay import TOLERANCE, replay
from engine.results import Attribution, Result, load_result
from tests.engine import zoo
from tests.engine.refusals import expect_refusal

REF = "file:net.safetensors?arch=tests.engine.zoo:TinyCnn"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder with weights and a picture, in which the test runs."""
    save_file(zoo.build("tiny-cnn").state_dict(), tmp_path / "net.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (300, 260, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    yield tmp_path


def explained(method: str = "gradient", target: Any = 1, **more: Any) -> Attribution:
    return explain(REF, load_image("noise.png", fit="letterbox"), method, target, **more)


def reloaded(result: Attribution) -> Result:
    return load_result(result.save("saved.safetensors"))


def altered(result: Attribution, values: Any = None, **manifest: Any) -> Attribution:
    """The same with another manifest, as if it had been computed so."""
    changed = {**result.manifest, **manifest}
    changed["key"] = key_of(changed["request"])
    return Attribution(manifest=changed, values=result.values if values is None else values)


METHODS = [
    ("gradient", {}),
    ("grad-cam", {"versus": 2, "output": "probability"}),
    ("integrated-gradients", {"steps": 11, "seed": 3, "baseline": "blur"}),
    ("occlusion", {"target": None}),
    ("smoothgrad", {"samples": 5, "seed": 11}),
]


@pytest.mark.parametrize(("method", "more"), METHODS, ids=[name for name, _ in METHODS])
def test_equal_to_the_bit(place: Path, method: str, more: dict[str, Any]) -> None:
    found = replay(reloaded(explained(method, **more)))
    assert found.verdict == "equal to the bit"
    assert (found.difference, found.largest) == (0, 0)
    assert found.environment == {}
    assert found.result.key == load_result("saved.safetensors").manifest["key"]


def test_what_is_passed_stands_in_for_what_is_gone(place: Path) -> None:
    saved = reloaded(explained())
    Path("noise.png").rename("moved.png")
    Path("net.safetensors").rename("moved.safetensors")
    model = REF.replace("net.", "moved.")
    with expect_refusal(ReplayError, "input noise.png is not there any more", "--input FILE"):
        replay(saved, model)
    with expect_refusal(WeightsError, "net.safetensors"):
        replay(saved)
    for given in ("moved.png", Path("moved.png"), load_image("moved.png"), Image.open("moved.png")):
        assert replay(saved, model, given).verdict == "equal to the bit"


def test_a_network_and_a_tensor_in_hand(place: Path) -> None:
    network, x = zoo.build("tiny-cnn"), torch.rand(1, 3, 16, 16)
    model = load_model(network, input_spec=zoo.PICTURE)
    saved = reloaded(explain(model, x, "gradient", 0))
    with expect_refusal(ReplayError, "in hand; pass it"):
        replay(saved)
    with expect_refusal(ReplayError, "a prepared tensor; pass it"):
        replay(saved, model)
    assert replay(saved, model, x).verdict == "equal to the bit"
    with expect_refusal(ReplayError, "the input is not the one of the result"):
        replay(saved, model, x + 1)


def test_a_picture_only_in_memory(place: Path) -> None:
    pixels = np.zeros((50, 50, 3), np.uint8)
    saved = reloaded(explain(REF, ImageInput(pixels, "upload.png"), "gradient", 0))
    with expect_refusal(ReplayError, "does not say where its input 'upload.png' lies", "--input"):
        replay(saved)
    assert replay(saved, given=pixels).verdict == "equal to the bit"


def test_a_background_must_be_passed(place: Path) -> None:
    background = [load_named("sample:coffee"), load_named("sample:rocket")]
    saved = reloaded(explained("gradient-shap", background=background, samples=4))
    with expect_refusal(ReplayError, "compares with a background; pass it"):
        replay(saved)
    assert replay(saved, background=background).verdict == "equal to the bit"
    with expect_refusal(ReplayError, "the background is not the one of the result"):
        replay(saved, background=background[::-1])


@pytest.mark.parametrize("name", ["coffee", "scenes/circle-00"])
def test_a_sample_is_found_by_its_name(place: Path, name: str) -> None:
    sample = load_named(f"sample:{name}")
    saved = reloaded(explain(REF, sample, "gradient", 0))
    assert saved.manifest["source"]["input_origin"] == f"sample:{name}"
    assert replay(saved).verdict == "equal to the bit"


def test_other_weights(place: Path) -> None:
    saved = reloaded(explained())
    other = zoo.build("tiny-cnn")
    other.linear.bias.data[0] += 1e-3
    save_file(other.state_dict(), "net.safetensors")
    now = load_model(REF).digest
    with expect_refusal(ReplayError, "the model is not the one of the result", now[:12], "then"):
        replay(saved)


def test_another_picture(place: Path) -> None:
    saved = reloaded(explained())
    pixels = np.array(load_image("noise.png").pixels)
    pixels[0, 0, 0] ^= 1
    Image.fromarray(pixels).save("noise.png")
    with expect_refusal(ReplayError, "the input is not the one of the result"):
        replay(saved)
    Path("noise.png").write_text("no picture")
    with expect_refusal(InputError, "noise.png"):
        replay(saved)


def test_other_class_names_and_preprocessing(place: Path) -> None:
    saved = reloaded(explained())
    with expect_refusal(ReplayError, "the list of classes is not the one"):
        replay(saved, load_model(REF, classes=("a", "b", "c")))
    spec = zoo.PICTURE
    with expect_refusal(ReplayError, "the preprocessing is not the one"):
        replay(saved, load_model(REF, input_spec=spec))


def test_other_versions_are_told(place: Path) -> None:
    result = explained()
    versions = {**result.manifest["request"]["versions"], "torch": "2.11.0"}
    saved = altered(result, request={**result.manifest["request"], "versions": versions})
    found = replay(reloaded(saved))
    assert found.verdict == "equal to the bit"
    assert found.environment == {
        "torch": ("2.11.0", result.manifest["request"]["versions"]["torch"])
    }
    assert found.result.key != saved.key


def test_another_environment_is_told(place: Path) -> None:
    result = explained("occlusion")
    outcome = result.manifest["outcome"]
    threads = torch.get_num_threads()
    there = {**outcome["environment"], "threads": 64, "device": "CPU, 64 threads"}
    saved = altered(result, outcome={**outcome, "chunk": 2, "environment": there})
    told = replay(reloaded(saved)).environment
    assert told["threads"] == ("64", str(threads))
    assert told["chunk"] == ("2", str(outcome["chunk"]))
    assert told["device name"][0] == "CPU, 64 threads"
    assert set(told) == {"threads", "chunk", "device name"}
    del outcome["environment"]
    told = replay(reloaded(altered(result))).environment
    assert told["threads"] == ("not told", str(threads))


def test_a_device_that_is_not_here(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import engine.replay.finding as home

    def gone(name: str) -> None:
        raise DeviceError(f"no {name}")

    monkeypatch.setattr(home, "resolve_device", gone)
    result = explained()
    request = {**result.manifest["request"], "device": "mps", "chunk": 16}
    found = replay(reloaded(altered(result, request=request)))
    here = load_model(REF).device.type
    assert found.environment == {"device": ("mps", here)}


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        (lambda v: v * np.float32(1 + 1e-6), "within tolerance"),
        (lambda v: v * np.float32(1 + 0.9 * TOLERANCE), "within tolerance"),
        (lambda v: v * np.float32(1 + 1.2 * TOLERANCE), "different"),
        (lambda v: -v, "different"),
        (np.zeros_like, "different"),
        (lambda v: v[:, :-1], "different"),
        (lambda v: np.full_like(v, np.nan), "different"),
        (lambda v: np.full_like(v, np.inf), "different"),
        (lambda v: np.where(v == v.max(), np.nextafter(v.max(), np.float32(9)), v),
         "within tolerance"),
    ],
)  # fmt: skip
def test_how_far_off(place: Path, change: Any, verdict: str) -> None:
    result = explained()
    values = np.array(change(result.values))
    found = replay(reloaded(altered(result, values)))
    assert found.verdict == verdict
    assert found.difference > 0
    if values.shape == result.values.shape and np.isfinite(values).all():
        then, now = values.astype(np.float64), result.values.astype(np.float64)
        assert found.largest == pytest.approx(np.abs(then - now).max())
        if then.any():
            off = np.sqrt(((then - now) ** 2).sum() / (then**2).sum())
            assert found.difference == pytest.approx(off)


def test_a_manifest_that_was_changed(place: Path) -> None:
    result = explained()
    seeded = {**result.manifest, "request": {**result.manifest["request"], "seed": 7}}
    with expect_refusal(ReplayError, "changed by hand"):
        replay(Attribution(manifest=seeded, values=result.values))
    for request in ({"schema": 0}, {}, {"schema": 1}):
        with expect_refusal(ReplayError, "what can be replayed is a complete manifest"):
            replay(altered(result, request=request))


def test_progress_and_the_network_left_as_it_was(place: Path) -> None:
    network = zoo.build("tiny-cnn").train()
    saved = explain(
        load_model(network, input_spec=zoo.PICTURE), load_image("noise.png"), "occlusion", 0
    )
    told: list[tuple[int, int]] = []
    again = load_model(network, input_spec=zoo.PICTURE)
    found = replay(saved, again, progress=lambda done, total: told.append((done, total)))
    assert found.verdict == "equal to the bit"
    assert told
    assert told[-1][0] <= told[-1][1]
    assert network.training
