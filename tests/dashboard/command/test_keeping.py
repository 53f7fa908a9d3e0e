"""The commands that keep results and compute them again, run as a person runs them."""

from __future__ import annotations

import json
import os
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import save_file

from dashboard.command.main import main
from engine.attribution.explain import Plan
from engine.manifest import key_of
from engine.results import Attribution, load_result
from engine.store import default_store
from tests.engine import zoo

REF = "file:net.safetensors?arch=tests.engine.zoo:TinyCnn"
CALL = ["explain", "--model", REF, "--image", "noise.png", "--method", "gradient", "--target", "1"]


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with weights and a picture, in which the test runs."""
    save_file(zoo.build("tiny-cnn").state_dict(), tmp_path / "net.safetensors")
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def computed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The keys of all that was really computed."""
    keys: list[str] = []
    run = Plan.run

    def counted(plan: Plan, *more: Any) -> Attribution:
        keys.append(plan.key)
        return run(plan, *more)

    monkeypatch.setattr(Plan, "run", counted)
    return keys


def told(capsys: pytest.CaptureFixture[str], *arguments: str, code: int = 0) -> dict[str, Any]:
    """Run a call with --json, and return its object."""
    assert main([*arguments, "--json"]) == code
    printed = capsys.readouterr()
    assert printed.err == ""
    return json.loads(printed.out)


def failed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a call that must fail, and return its one line."""
    assert main(list(arguments)) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert len(printed.err.splitlines()) == 1
    return printed.err


def test_computed_once(capsys: pytest.CaptureFixture[str], computed: list[str]) -> None:
    first = told(capsys, *CALL, "--out", "first")
    second = told(capsys, *CALL, "--out", "second")
    assert (first["cached"], second["cached"]) == (False, True)
    assert computed == [first["key"]] == [second["key"]]
    a, b = load_result("first"), load_result("second")
    assert a.values.tobytes() == b.values.tobytes()
    assert a.manifest == b.manifest
    assert main([*CALL, "--png", "map.png"]) == 0
    assert "Computed earlier and kept; --no-cache computes it again." in capsys.readouterr().out
    assert len(computed) == 1


def test_another_request_is_another_result(
    capsys: pytest.CaptureFixture[str], computed: list[str]
) -> None:
    for more in ([], ["--seed", "1"], ["--output", "probability"], ["--fit", "letterbox"]):
        assert not told(capsys, *CALL, *more)["cached"]
    assert len(set(computed)) == 4 == default_store().count


def test_the_names_are_those_of_today(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, *CALL)
    Path("noise.png").rename("today.png")
    call = ["today.png" if part == "noise.png" else part for part in CALL]
    found = told(capsys, *call)
    assert found["cached"]
    assert found["source"]["input"] == found["source"]["input_origin"] == "today.png"


def test_without_the_store(capsys: pytest.CaptureFixture[str], computed: list[str]) -> None:
    assert not told(capsys, *CALL, "--no-cache")["cached"]
    assert default_store().count == 0
    told(capsys, *CALL)
    assert not told(capsys, *CALL, "--no-cache")["cached"]
    assert len(computed) == 3


def test_switched_off(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, computed: list[str]
) -> None:
    monkeypatch.setenv("HALOSCOPE_CACHE_MB", "0")
    assert not told(capsys, *CALL)["cached"]
    assert not told(capsys, *CALL)["cached"]
    assert main(["cache"]) == 0
    assert "nothing is kept" in capsys.readouterr().out


@pytest.mark.parametrize(("name", "value"), [("_MB", "much"), ("", "noise.png"), ("_MB", "0.01")])
def test_a_store_that_fails_is_told_and_done_without(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(f"HALOSCOPE_CACHE{name}", value)
    assert main([*CALL, "--out", "map"]) == 0
    printed = capsys.readouterr()
    assert len(printed.err.splitlines()) == 1
    assert printed.err.startswith("haloscope: ")
    assert load_result("map").values.shape == (3, 224, 224)


def test_cache_shows_what_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    empty = told(capsys, "cache")
    assert (empty["results"], empty["bytes"], empty["last_used"]) == (0, 0, None)
    assert empty["folder"] == str(Path(os.environ["HALOSCOPE_CACHE"]) / "results")
    key = told(capsys, *CALL)["key"]
    found = told(capsys, "cache")
    assert (found["results"], found["last_key"], found["removed"]) == (1, key, 0)
    assert 600_000 < found["bytes"] == default_store().size < found["limit_bytes"] == 2 * 10**9
    age = datetime.now().astimezone() - datetime.fromisoformat(found["last_used"])
    assert abs(age.total_seconds()) < 60
    assert main(["cache"]) == 0
    lines = capsys.readouterr().out
    for words in (found["folder"], "1 result, 6", "kB", "2000 MB", "Gradient of noise.png"):
        assert words in lines


def test_cache_is_cleared(capsys: pytest.CaptureFixture[str], computed: list[str]) -> None:
    told(capsys, *CALL)
    assert main(["cache", "--clear"]) == 0
    line = capsys.readouterr().out
    assert line.startswith("Removed 1 result, 6")
    assert line.endswith(f"from {default_store().folder}\n")
    told(capsys, *CALL)
    cleared = told(capsys, "cache", "--clear")
    assert (cleared["results"], cleared["removed"]) == (0, 1)
    assert cleared["removed_bytes"] > 600_000
    assert len(computed) == 2


def test_cache_in_a_place_that_is_no_folder(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALOSCOPE_CACHE", "noise.png")
    assert "cannot be read" in failed(capsys, "cache")
    monkeypatch.setenv("HALOSCOPE_CACHE_MB", "much")
    assert "expected megabytes" in failed(capsys, "cache")


def test_replay(capsys: pytest.CaptureFixture[str], computed: list[str]) -> None:
    key = told(capsys, *CALL, "--out", "map")["key"]
    found = told(capsys, "replay", "map")
    assert found["verdict"] == "equal to the bit"
    assert (found["difference"], found["largest"], found["environment"]) == (0, 0, {})
    assert found["key"] == key
    assert computed == [key, key], "a replay does not look at what is kept"
    assert main(["replay", "map"]) == 0
    assert "Equal to the bit: 150528 values." in capsys.readouterr().out


@pytest.mark.parametrize(
    ("factor", "code", "words"),
    [
        (1.001, 0, "Within tolerance: off by 0.10% in all (tolerance 1%)"),
        (1.5, 1, "Different: off by 33.33% in all"),
    ],
)
def test_replay_says_how_far_off(
    capsys: pytest.CaptureFixture[str], factor: float, code: int, words: str
) -> None:
    told(capsys, *CALL, "--out", "map")
    saved = load_result("map")
    request = dict(saved.manifest["request"])
    request["versions"] = {**request["versions"], "torch": "2.11.0"}
    manifest = {**saved.manifest, "request": request, "key": key_of(request)}
    values = np.asarray(saved.values * np.float32(factor))
    Attribution(manifest=manifest, values=values).save("other")
    assert main(["replay", "other"]) == code
    printed = capsys.readouterr().out
    assert words in printed
    assert "Another torch: 2.11.0 then, " in printed
    found = told(capsys, "replay", "other", code=code)
    assert found["difference"] == pytest.approx(1 - 1 / factor, rel=1e-3)
    assert found["environment"]["torch"][0] == "2.11.0"


def test_replay_of_what_has_moved(capsys: pytest.CaptureFixture[str]) -> None:
    told(capsys, *CALL, "--out", "map")
    Path("noise.png").rename("moved.png")
    Path("net.safetensors").rename("moved.safetensors")
    assert "moved.safetensors" not in failed(capsys, "replay", "map")
    model = REF.replace("net.", "moved.")
    assert "pass it with --input FILE" in failed(capsys, "replay", "map", "--model", model)
    found = told(capsys, "replay", "map", "--model", model, "--input", "moved.png")
    assert found["verdict"] == "equal to the bit"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["gone"], "gone: no such file"),
        (["noise.png"], "is not a result file"),
        (["map", "--input", "sample:coffee"], "the input is not the one of the result"),
        (["map", "--input", "none.png"], "none.png: no such file"),
        (["map", "--model", "imagenet-cn"], "did you mean imagenet-cnn"),
        (["map", "--model", "imagenet-cnn"], "the model is not the one of the result"),
    ],
)
def test_replay_of_something_else(
    capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    told(capsys, *CALL, "--out", "map")
    assert said in failed(capsys, "replay", *arguments)
