"""Whatever the bytes: a picture comes out, or one line."""

from __future__ import annotations

import io

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from engine.errors import InputError
from engine.inputs.images import ImageInput, load_image
from tests.engine.refusals import is_one_line


def _files() -> list[bytes]:
    draw = np.random.default_rng(1)
    rgb = Image.fromarray(draw.integers(0, 256, (9, 11, 3), dtype=np.uint8))
    rgba = Image.fromarray(draw.integers(0, 256, (9, 11, 4), dtype=np.uint8))
    exif = Image.Exif()
    exif[0x0112], exif[0x010F] = 6, "a camera"
    made = [
        (rgb, "PNG", {"exif": exif}),
        (rgba, "PNG", {}),
        (rgb.convert("P"), "PNG", {"transparency": 3}),
        (rgb, "JPEG", {"exif": exif}),
        (rgb.convert("CMYK"), "JPEG", {}),
        (rgb, "WEBP", {"exif": exif}),
        (rgba, "WEBP", {"lossless": True}),
        (rgb, "BMP", {}),
        (rgb.convert("P"), "BMP", {}),
        (rgb, "TIFF", {"exif": exif}),
        (rgb, "TIFF", {"compression": "tiff_lzw"}),
        (rgb.convert("F"), "TIFF", {}),
        (rgb, "GIF", {"save_all": True, "append_images": [rgba, rgb]}),
    ]
    contents = []
    for picture, kind, options in made:
        file = io.BytesIO()
        picture.save(file, kind, **options)
        contents.append(file.getvalue())
    return contents


FILES = _files()


def loads_or_says_why(content: bytes) -> None:
    try:
        found = load_image(content, name="upload")
    except InputError as error:
        assert is_one_line(str(error))
        assert "upload" in str(error)
    else:
        assert isinstance(found, ImageInput)
        assert found.pixels.dtype == np.uint8
        assert found.pixels.ndim == 2 or found.pixels.shape[2] == 3
        assert min(found.size) > 0


def test_the_files_are_good_before_they_are_damaged() -> None:
    assert all(sorted(load_image(content).size) == [9, 11] for content in FILES)


@settings(max_examples=150)
@given(content=st.binary(max_size=400))
def test_random_bytes(content: bytes) -> None:
    loads_or_says_why(content)


HEADS = [
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff\xe0",
    b"RIFF\x40\0\0\0WEBP",
    b"BM",
    b"II*\0",
    b"MM\0*",
]


@settings(max_examples=150)
@given(head=st.sampled_from([*HEADS, b"GIF89a"]), tail=st.binary(max_size=400))
def test_random_bytes_after_a_good_beginning(head: bytes, tail: bytes) -> None:
    loads_or_says_why(head + tail)


@settings(max_examples=600)
@given(data=st.data())
def test_good_files_with_bytes_changed_or_cut(data: st.DataObject) -> None:
    content = bytearray(data.draw(st.sampled_from(FILES)))
    places = st.integers(0, len(content) - 1)
    # Most of what can go wrong is in the first bytes.
    heads = st.integers(0, min(120, len(content) - 1))
    for place in data.draw(st.lists(heads | places, max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    end = data.draw(st.just(len(content)) | places)
    loads_or_says_why(bytes(content[:end]))
