"""Pictures that come with Haloscope or with packages it depends on; nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path

from engine.errors import InputError, nearest
from engine.inputs.arrays import ArrayInput, is_array_file, load_array
from engine.inputs.image_sets import ImageSet, load_images
from engine.inputs.images import Fit, ImageInput, load_image
from engine.inputs.listing import Entry, Skipped

# What the origin of a picture at hand begins with.
SAMPLE = "sample:"


@dataclass(frozen=True)
class Sample:
    """A photograph at hand.

    Attributes:
        name: its identifier ("chelsea").
        title: what a person would call it.
        package, file: where it lies in an installed package.
        origin: who made it, and its licence.
    """

    name: str
    title: str
    package: str
    file: str
    origin: str


@dataclass(frozen=True)
class SampleSet:
    """A set of pictures at hand.

    Attributes:
        name: its identifier ("scenes").
        title: what a person would call it.
        summary: one line: what is in it, where it comes from, its licence.
    """

    name: str
    title: str
    summary: str


_SKIMAGE = "skimage"
_SKLEARN = "sklearn"

_SAMPLES = (
    Sample("chelsea", "Chelsea the cat", _SKIMAGE, "data/chelsea.png", "S. van der Walt, CC0"),
    Sample("coffee", "A cup of coffee", _SKIMAGE, "data/coffee.png", "R. Michetti, CC0"),
    Sample("flower", "A dahlia", _SKLEARN, "datasets/images/flower.jpg", "vultilion, CC BY 2.0"),
    Sample(
        "china", "Summer Palace", _SKLEARN, "datasets/images/china.jpg", "D. Büchele, CC BY 2.0"
    ),
    Sample("rocket", "A rocket launch", _SKIMAGE, "data/rocket.jpg", "SpaceX, public domain"),
    Sample("astronaut", "Eileen Collins", _SKIMAGE, "data/astronaut.png", "NASA, public domain"),
)
_PHOTOGRAPHS = "photographs"
_SETS = (
    SampleSet(_PHOTOGRAPHS, "Photographs", "Six photographs, without labels."),
    SampleSet("scenes", "Scenes", "300 drawn scenes; the shape is the class, and its mask known."),
    SampleSet("scenes-tagged", "Scenes, tagged", "50 scenes with the tag of their class."),
    SampleSet("scenes-mistagged", "Scenes, mistagged", "The same 50 with a wrong tag."),
    SampleSet("digits", "Digits", "300 handwritten digits of MNIST (CC BY-SA 3.0)."),
)


def samples() -> tuple[Sample, ...]:
    """Return the photographs at hand, the first one being the one shown at the start."""
    return _SAMPLES


def sample_sets() -> tuple[SampleSet, ...]:
    """Return the sets at hand."""
    return _SETS


def load_sample_set(name: str) -> ImageSet:
    """Return a set at hand by its name; its pictures are not opened yet.

    Raises:
        InputError: there is none of that name.
    """
    known = {found.name: found for found in _SETS}
    if name not in known:
        raise InputError(f"no set {name!r}; {nearest(name, known)}")
    return _photographs() if name == _PHOTOGRAPHS else _shipped(known[name])


@cache
def _shipped(found: SampleSet) -> ImageSet:
    name = found.name
    listed = load_images(Path(str(files("assets").joinpath(f"images/{name}/images.csv"))))
    entries = tuple(
        replace(entry, name=Path(entry.name).stem, title=_title(entry.name))
        for entry in listed.entries
    )
    origin = f"{SAMPLE}{name}"
    return ImageSet(found.title, entries, listed.skipped, f"{origin}/", origin)


def load_set(source: str) -> ImageSet:
    """Return a set at hand by its name, or one of the user's by its folder or CSV file.

    Raises:
        InputError: there is none, or it holds no picture.
    """
    if any(source == found.name for found in _SETS) and not Path(source).exists():
        return load_sample_set(source)
    try:
        return load_images(source)
    except InputError as error:
        if Path(source).exists():
            raise
        told = ", ".join(found.name for found in _SETS)
        raise InputError(f"{error}; the sets at hand are {told}") from None


def load_sample(name: str, *, fit: Fit = "crop") -> ImageInput:
    """Load a picture at hand by its name: "chelsea", or "scenes/heart-07".

    Raises:
        InputError: there is none of that name, or its package lacks the file.
    """
    folder, _, inside = name.rpartition("/")
    found = load_sample_set(folder or _PHOTOGRAPHS)
    index = found.find(inside)
    if index is None:
        for left_out in found.skipped:
            if left_out.name == inside:
                raise InputError(f"sample {name!r} {left_out.reason}")
        known = [entry.name for entry in found.entries]
        raise InputError(f"no sample {name!r}; {_told(inside, known)}")
    return found[index].with_fit(fit)


def load_named(source: str, *, fit: Fit = "crop") -> ImageInput | ArrayInput:
    """Load a picture by its path, or by ``sample:NAME``: what ``ImageInput.origin`` says.

    A ``.npy`` file is taken for what a model sees, with nothing left to prepare.

    Raises:
        InputError: there is none, or it is not a picture.
    """
    if is_array_file(source):
        return load_array(source)
    if source.startswith(SAMPLE):
        return load_sample(source.removeprefix(SAMPLE), fit=fit)
    return load_image(source, fit=fit)


def _title(name: str) -> str:
    return Path(name).stem.replace("-", " ")


def _told(name: str, known: list[str]) -> str:
    told = nearest(name, known)
    return told if len(told) < 200 else f"there are {len(known)}, {known[0]} the first"


def _photographs() -> ImageSet:
    entries, skipped = [], []
    for sample in _SAMPLES:
        spec = find_spec(sample.package)  # finds the folder without importing the package
        file = None if spec is None or spec.origin is None else Path(spec.origin).parent
        if file is None or not (file / sample.file).is_file():
            skipped.append(
                Skipped(sample.name, f"comes with {sample.package}, which is not installed")
            )
        else:
            entries.append(Entry(sample.name, file / sample.file, title=sample.title))
    origin = f"{SAMPLE}{_PHOTOGRAPHS}"
    return ImageSet("Photographs", tuple(entries), tuple(skipped), SAMPLE, origin)
