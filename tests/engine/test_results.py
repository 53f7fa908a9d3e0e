from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import save_file

from engine import results
from engine.errors import ResultError
from engine.results import Attribution, Prediction, load_result, write_whole
from tests.engine.refusals import expect_refusal

MANIFEST = {"key": "ab12", "request": {"method": {"name": "gradient"}}, "display": {"fold": "sum"}}


def attribution(
    shape: tuple[int, ...] = (3, 4, 5), *, fold: str = "sum", **more: Any
) -> Attribution:
    values = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    return Attribution(manifest={**MANIFEST, "display": {"fold": fold}}, values=values, **more)


@pytest.mark.parametrize("shape", [(3, 4, 5), (7, 7), (5,), (1, 1, 1)])
@pytest.mark.parametrize("with_error", [False, True])
def test_saved_and_loaded(tmp_path: Path, shape: tuple[int, ...], with_error: bool) -> None:
    more = {"error": np.ones(shape, np.float32)} if with_error else {}
    saved = attribution(shape, **more)
    assert saved.save(tmp_path / "a.safetensors") == tmp_path / "a.safetensors"
    loaded = load_result(str(tmp_path / "a.safetensors"))
    assert isinstance(loaded, Attribution)
    assert loaded.manifest == saved.manifest
    assert loaded.key == "ab12"
    assert loaded.values.dtype == np.float32
    assert loaded.values.tobytes() == saved.values.tobytes()
    assert (loaded.error is not None) == with_error


def test_values_that_do_not_lie_in_one_piece(tmp_path: Path) -> None:
    values = np.arange(24, dtype=np.float32).reshape(4, 6)[:, ::2].T
    Attribution(manifest=MANIFEST, values=values).save(tmp_path / "a")
    assert np.array_equal(load_result(tmp_path / "a").values, values)


def test_frozen(tmp_path: Path) -> None:
    attribution().save(tmp_path / "a")
    for result in (attribution(), load_result(tmp_path / "a")):
        with pytest.raises(ValueError, match="read-only"):
            result.values[0] = 0
        with pytest.raises(AttributeError):
            result.values = np.zeros(3)


def test_missing(tmp_path: Path) -> None:
    with expect_refusal(ResultError, "gone.safetensors: no such file"):
        load_result(tmp_path / "gone.safetensors")
    with expect_refusal(ResultError, "no such file"):
        load_result(tmp_path)


@pytest.mark.parametrize(
    "content", [b"", b"hello\nthere", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(8)]
)
def test_not_a_result_at_all(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.safetensors").write_bytes(content)
    with expect_refusal(ResultError, "a.safetensors is not a result file, or is damaged"):
        load_result(tmp_path / "a.safetensors")


@pytest.mark.parametrize("share", [0.02, 0.5, 0.99])
def test_cut_short(tmp_path: Path, share: float) -> None:
    path = attribution().save(tmp_path / "a.safetensors")
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with expect_refusal(ResultError, "a.safetensors is not a result file, or is damaged"):
        load_result(path)


@pytest.mark.parametrize(
    "metadata", [None, {"format": "pt"}, {"haloscope": "poem", "manifest": "{}"}]
)
def test_foreign_safetensors(tmp_path: Path, metadata: Any) -> None:
    save_file({"weight": np.zeros(3)}, tmp_path / "w.safetensors", metadata=metadata)
    with expect_refusal(ResultError, "w.safetensors is a safetensors file, but not a result"):
        load_result(tmp_path / "w.safetensors")


@pytest.mark.parametrize(
    ("fields", "manifest", "told"),
    [
        ({"values": 1, "mystery": 1}, "{}", "unknown field 'mystery'"),
        ({"error": 1}, "{}", "values"),
        ({"values": 1}, "{not json", "damaged"),
        ({"values": 1}, "[1, 2]", "damaged"),
        ({"values": 1}, "3", "damaged"),
        ({"values": 1}, None, "manifest"),
    ],
)
def test_damaged_inside(tmp_path: Path, fields: Any, manifest: str | None, told: str) -> None:
    metadata = {"haloscope": "attribution"} | ({} if manifest is None else {"manifest": manifest})
    tensors = {name: np.ones((2, 2), np.float32) for name in fields}
    save_file(tensors, tmp_path / "a.safetensors", metadata=metadata)
    with expect_refusal(ResultError, "a.safetensors", told):
        load_result(tmp_path / "a.safetensors")


@pytest.mark.parametrize("place", [-1, -77, -240])
def test_a_single_wrong_bit(tmp_path: Path, place: int) -> None:
    path = attribution().save(tmp_path / "a.safetensors")
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    with expect_refusal(ResultError, "a.safetensors is damaged: its checksum does not match"):
        load_result(path)


def test_a_manifest_that_was_edited(tmp_path: Path) -> None:
    path = attribution().save(tmp_path / "a.safetensors")
    path.write_bytes(path.read_bytes().replace(b"ab12", b"ab13"))
    with expect_refusal(ResultError, "checksum"):
        load_result(path)


def test_what_is_saved_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    monkeypatch.setattr(results.os, "fsync", lambda _: done.append("fsync"))
    replace = results.os.replace
    monkeypatch.setattr(
        results.os, "replace", lambda *names: (done.append("replace"), replace(*names))[1]
    )
    attribution().save(tmp_path / "a")
    assert done == ["fsync", "replace", "fsync"], "the content, the name, the folder"


def test_saving_into_a_missing_folder(tmp_path: Path) -> None:
    with expect_refusal(ResultError, "cannot write", "No such file or directory"):
        attribution().save(tmp_path / "gone" / "a.safetensors")
    assert list(tmp_path.iterdir()) == []


def test_saving_over_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with expect_refusal(ResultError, "cannot write"):
        attribution().save(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("broken", ["replace", "chmod", "fdopen"])
def test_a_failure_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, broken: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.safetensors"
    attribution().save(path)
    before = path.read_bytes()

    def fails(*_args: Any, **_options: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(results.os, broken, fails)
    with expect_refusal(ResultError, f"cannot write {path}", "No space left on device"):
        attribution((5,)).save(path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]


def test_an_interruption_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_whole(tmp_path / "a", b"old")

    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(results.os, "replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_whole(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_saved_file_replaces_the_old_one_and_is_readable_as_any(tmp_path: Path) -> None:
    path = tmp_path / "a"
    attribution((5,)).save(path)
    attribution((7,)).save(path)
    assert load_result(path).values.shape == (7,)
    plain = tmp_path / "plain"
    plain.touch()
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(plain.stat().st_mode)
    assert os.access(path, os.R_OK)


def test_grid_sums_or_averages_channels() -> None:
    summed, meant = attribution(), attribution(fold="mean")
    values = summed.values.astype(np.float64)
    assert np.allclose(summed.grid(), values.sum(axis=0), atol=1e-6)
    assert np.allclose(meant.grid(), values.mean(axis=0), atol=1e-6)
    assert np.allclose(summed.grid(magnitude=True), np.abs(values).max(axis=0), atol=0)
    assert summed.grid().dtype == np.float32


def test_grid_of_a_map_is_the_map() -> None:
    flat = attribution((4, 6))
    assert np.array_equal(flat.grid(), flat.values)
    assert np.array_equal(flat.grid(magnitude=True), np.abs(flat.values))


def test_a_table_has_no_grid() -> None:
    with expect_refusal(ResultError, "shape (5,)", "2 or 3 axes"):
        attribution((5,)).grid()


def test_resized() -> None:
    small = attribution((4, 6))
    assert np.array_equal(small.resized(4, 6), small.values)
    found = small.resized(12, 30)
    picture = Image.fromarray(np.array(small.values))
    assert np.array_equal(found, np.asarray(picture.resize((30, 12), Image.Resampling.BILINEAR)))
    assert found.dtype == np.float32
    even = Attribution(manifest=MANIFEST, values=np.full((3, 3), 2.5, np.float32))
    assert np.allclose(even.resized(50, 20), 2.5)


def test_prediction() -> None:
    logits = np.array([0.5, 2.0, -1.0, 2.0], np.float32)
    shares = np.array([0.1, 0.4, 0.1, 0.4], np.float32)
    found = Prediction(logits, shares, ("a", "b", "c", "d"), 0.1)
    assert found.best == 1
    assert [(i, name) for i, name, _ in found.top(3)] == [(1, "b"), (3, "d"), (0, "a")]
    assert [share for *_, share in found.top(2)] == [float(np.float32(0.4))] * 2
    assert len(found.top(99)) == 4


def test_metadata_is_json_that_others_can_read(tmp_path: Path) -> None:
    from safetensors import safe_open

    attribution().save(tmp_path / "a.safetensors")
    with safe_open(tmp_path / "a.safetensors", framework="numpy") as opened:
        metadata = opened.metadata()
        assert list(opened.keys()) == ["values"]
    assert metadata["haloscope"] == "attribution"
    assert json.loads(metadata["manifest"])["key"] == "ab12"
