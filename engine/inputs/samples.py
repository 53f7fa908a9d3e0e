"""Photographs that come with packages we depend on; nothing is downloaded."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from engine.errors import InputError, nearest
from engine.inputs.images import Fit, ImageInput, load_image


@dataclass(frozen=True)
class Sample:
    """A picture at hand.

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


def samples() -> tuple[Sample, ...]:
    """Return the pictures at hand, the first one being the one shown at the start."""
    return _SAMPLES


def load_sample(name: str, *, fit: Fit = "crop") -> ImageInput:
    """Load a picture at hand by its name.

    Raises:
        InputError: there is none of that name, or its package lacks the file.
    """
    found = {sample.name: sample for sample in _SAMPLES}.get(name)
    if found is None:
        raise InputError(
            f"no sample {name!r}; {nearest(name, [sample.name for sample in _SAMPLES])}"
        )
    spec = find_spec(found.package)  # finds the folder without importing the package
    if spec is None or spec.origin is None:
        raise InputError(f"sample {name!r} comes with {found.package}, which is not installed")
    return load_image(Path(spec.origin).parent / found.file, name=found.title, fit=fit)
