"""Image sets: what is found, what is left out and why, and that nothing is opened early."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from engine.errors import InputError
from engine.inputs import image_sets
from engine.inputs.image_sets import load_images
from engine.inputs.samples import load_sample, load_sample_set, load_set, sample_sets
from tests.engine.refusals import expect_refusal


def picture(path: Path, size: tuple[int, int] = (8, 6), shade: int = 100) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, 0, 0)).save(path)
    return path


def table(path: Path, columns: list[str], *rows: list[str]) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([columns, *rows])
    return path


def test_class_folders(tmp_path: Path) -> None:
    picture(tmp_path / "dog" / "b.png")
    picture(tmp_path / "cat" / "deep" / "a.jpg")
    picture(tmp_path / "loose.png")
    (tmp_path / "cat" / "note.txt").write_text("no picture")
    (tmp_path / "cat" / "broken.png").write_bytes(b"no picture at all")
    (tmp_path / "cat" / "empty.png").touch()
    (tmp_path / ".hidden").mkdir()
    picture(tmp_path / ".hidden" / "x.png")
    found = load_images(tmp_path)
    assert [(e.name, e.label) for e in found.entries] == [
        ("cat/deep/a.jpg", "cat"),
        ("dog/b.png", "dog"),
        ("loose.png", None),
    ]
    assert found.classes == ("cat", "dog")
    reasons = {left.name: left.reason for left in found.skipped}
    assert reasons == {
        "cat/broken.png": "not a picture",
        "cat/empty.png": "empty",
        "cat/note.txt": "not a picture's file name",
    }


def test_csv_with_labels_and_masks(tmp_path: Path) -> None:
    picture(tmp_path / "p" / "a.png")
    mask = np.zeros((6, 8), dtype=np.uint8)
    mask[2:4, 1:3] = 255
    Image.fromarray(mask).save(tmp_path / "m.png")
    file = table(
        tmp_path / "set.csv",
        [" Path", "LABEL", "mask", "other"],
        ["p/a.png", "cat", "m.png", "x"],
        ["p/gone.png", "cat", "", ""],
        ["", "cat", "", ""],
        ["p/a.png", "dog", "", ""],
    )
    found = load_images(file)
    assert len(found) == 1
    opened = found[0]
    assert opened.truth is not None
    assert opened.truth.label == "cat"
    assert opened.truth.mask is not None
    assert opened.truth.mask.sum() == 4
    assert [left.reason for left in found.skipped] == [
        "no such file",
        "no path",
        "listed again in row 5",
    ]


def test_a_mask_of_another_size_is_told(tmp_path: Path) -> None:
    picture(tmp_path / "a.png")
    picture(tmp_path / "m.png", (4, 4))
    found = load_images(table(tmp_path / "s.csv", ["path", "mask"], ["a.png", "m.png"]))
    with expect_refusal(InputError, "its mask is 4 × 4 pixels, the picture 8 × 6"):
        found[0]


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "no column 'path'"),
        (b"file,label\na.png,x\n", "no column 'path'"),
        (b"path\ngone.png\n", "holds no picture that can be read; the first: gone.png, no such"),
        (b"\xff\xfe\x00p", "not a CSV file in UTF-8"),
        (b"path\n" + b"x" * 200_000 + b"\n", "not a CSV file"),
    ],
)
def test_bad_tables(tmp_path: Path, content: bytes, told: str) -> None:
    (tmp_path / "set.csv").write_bytes(content)
    with expect_refusal(InputError, told):
        load_images(tmp_path / "set.csv")


def test_nothing_there(tmp_path: Path) -> None:
    with expect_refusal(InputError, "no such folder or CSV file"):
        load_images(tmp_path / "gone")
    with expect_refusal(InputError, "holds no picture"):
        load_images(tmp_path)


def test_pictures_are_opened_one_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for index in range(50):
        picture(tmp_path / "c" / f"{index:02d}.png", shade=index)
    opened: list[Path] = []
    load = image_sets.load_image

    def noted(source: Path, **options: object) -> object:
        opened.append(source)
        return load(source, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(image_sets, "load_image", noted)
    found = load_images(tmp_path)
    assert not opened
    assert found[7].pixels[0, 0, 0] == 7
    assert len(opened) == 1


def test_digest_follows_content_labels_and_order(tmp_path: Path) -> None:
    for name in ("a", "b"):
        picture(tmp_path / f"{name}.png", shade=ord(name))

    def digest(*rows: list[str]) -> str:
        return load_images(table(tmp_path / "s.csv", ["path", "label"], *rows)).digest

    first = digest(["a.png", "x"], ["b.png", "y"])
    assert digest(["a.png", "x"], ["b.png", "y"]) == first
    assert digest(["b.png", "y"], ["a.png", "x"]) != first
    assert digest(["a.png", "x"], ["b.png", "x"]) != first
    picture(tmp_path / "a.png", shade=3)
    assert digest(["a.png", "x"], ["b.png", "y"]) != first


@pytest.mark.parametrize("name", [found.name for found in sample_sets()])
def test_sets_at_hand_open(name: str) -> None:
    found = load_set(name)
    assert not found.skipped
    first, last = found[0], found[len(found) - 1]
    assert first.digest != last.digest
    again = load_sample(first.origin.removeprefix("sample:"))
    assert again.digest == first.digest


def test_unknown_sets_tell_those_at_hand() -> None:
    with expect_refusal(InputError, "the sets at hand are photographs, scenes"):
        load_set("sceens")
    with expect_refusal(InputError, "did you mean scenes"):
        load_sample_set("sceens")
    with expect_refusal(InputError, "no sample 'scenes/haert-07'", "heart-07"):
        load_sample("scenes/haert-07")


def test_a_very_large_picture_is_listed_without_a_warning(
    tmp_path: Path, recwarn: pytest.WarningsRecorder, monkeypatch: pytest.MonkeyPatch
) -> None:
    picture(tmp_path / "cat" / "large.png", (30, 20))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 400)  # Pillow warns of more than so many
    assert [one.name for one in load_images(tmp_path).entries] == ["cat/large.png"]
    assert not [one for one in recwarn if one.category is Image.DecompressionBombWarning]
