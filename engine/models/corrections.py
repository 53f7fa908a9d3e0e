"""What a user knows better than what was found out: size, normalisation, classes, layer."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast, get_args

from engine.errors import ModelError, nearest, one_line
from engine.models.modules import on_a_page
from engine.models.outputs import ACTIVATIONS, Activation
from engine.models.specs import LARGEST_SIDE, ImageSpec, InputSpec, Interpolation, TensorSpec
from engine.models.table_specs import TableSpec

_MOST_CHANNELS = 4096
_LARGEST_RESIZE = 16_384

# Options of a reference that correct; all others are for the builder.
OPTIONS = (
    "classes", "layer", "activation", "size", "channels", "mean", "std", "resize", "interpolation",
)  # fmt: skip


@dataclass(frozen=True)
class Corrections:
    """Entries of a model's card that a user sets.

    Attributes:
        spec: fields of ``ImageSpec`` by name; "mean" and "std" may be one number for all channels.
        classes: class names by index, or None.
        layer: name of the layer class activation maps are read from, or "".
        activation: "softmax", "sigmoid" (each class on its own) or "identity", or "".
    """

    spec: Mapping[str, Any] = field(default_factory=dict)
    classes: tuple[str, ...] | None = None
    layer: str = ""
    activation: Activation | str = ""

    def __post_init__(self) -> None:
        if self.activation and self.activation not in ACTIVATIONS:
            raise ModelError(
                f"no activation {self.activation!r}; {nearest(str(self.activation), ACTIVATIONS)}"
            )

    @staticmethod
    def from_options(options: Mapping[str, str]) -> Corrections:
        """Read the options of a reference.

        Raises:
            ModelError: a value that cannot be read, or a file of class names that is not there.
        """
        spec = {
            name: value
            for option in ("size", "channels", "mean", "std", "resize", "interpolation")
            if option in options
            for name, value in _field(option, options[option]).items()
        }
        classes = read_classes(options["classes"]) if "classes" in options else None
        return Corrections(spec, classes, options.get("layer", ""), options.get("activation", ""))

    def to_options(self) -> dict[str, str]:
        """Return the options of a reference that say the same."""
        told = dict(self.spec)
        options: dict[str, str] = {}
        if "height" in told:
            options["size"] = _sides_told((told["height"], told.get("width", told["height"])))
        for name in ("mean", "std"):
            if name in told:
                values = told[name] if isinstance(told[name], Sequence) else (told[name],)
                options[name] = ",".join(f"{float(value):.9g}" for value in values)
        for name in ("channels", "interpolation"):
            if name in told:
                options[name] = str(told[name])
        if told.get("resize") is not None:
            sides = told["resize"]
            options["resize"] = _sides_told(sides) if isinstance(sides, Sequence) else str(sides)
        if self.classes is not None:
            options["classes"] = json.dumps(self.classes, ensure_ascii=False)
        return options | {
            name: str(value)
            for name, value in (("layer", self.layer), ("activation", self.activation))
            if value
        }

    def over(self, other: Corrections) -> Corrections:
        """Return these corrections, and the other's where these say nothing."""
        return Corrections(
            {**other.spec, **self.spec},
            other.classes if self.classes is None else self.classes,
            self.layer or other.layer,
            self.activation or other.activation,
        )

    def of_spec(self, spec: InputSpec) -> InputSpec:
        """Return a spec with these corrections.

        Raises:
            ModelError: it is of tables, or the values do not fit together.
        """
        if not self.spec:
            return spec
        if isinstance(spec, TableSpec) or (isinstance(spec, TensorSpec) and len(spec.shape) != 3):
            told = ", ".join(self.spec)
            raise ModelError(f"{told}: only a model that takes pictures has these")
        fields = {name: value for name, value in self.spec.items() if value is not None}
        found = _as_pictures(spec, fields) if isinstance(spec, TensorSpec) else spec
        return found if isinstance(found, TensorSpec) else _changed(found, fields)


def _changed(spec: ImageSpec, fields: Mapping[str, Any]) -> ImageSpec:
    channels = int(fields.get("channels", spec.channels))
    own = {"mean": _spread(spec.mean, channels), "std": _spread(spec.std, channels)}
    told = {name: _spread(fields[name], channels) for name in own if name in fields}
    fit = {"resize": _in_proportion(spec, fields)}
    return replace(spec, **{**fit, **fields, **own, **told, "channels": channels})


def _in_proportion(spec: ImageSpec, fields: Mapping[str, Any]) -> int | tuple[int, int] | None:
    """Return ``resize`` for another size, so that the crop keeps as much of a picture as before."""
    height, width = int(fields.get("height", spec.height)), int(fields.get("width", spec.width))
    if isinstance(spec.resize, tuple):
        rows, columns = spec.resize
        return round(rows * height / spec.height), round(columns * width / spec.width)
    if spec.resize is None:
        return None
    return round(spec.resize * max(height, width) / max(spec.height, spec.width))


def _as_pictures(spec: TensorSpec, fields: Mapping[str, Any]) -> ImageSpec | TensorSpec:
    """A tensor of 1 or 3 channels is a picture once its normalisation is known."""
    channels, height, width = spec.shape
    channels = int(fields.get("channels", channels))
    height, width = int(fields.get("height", height)), int(fields.get("width", width))
    if channels not in (1, 3):
        return TensorSpec((channels, height, width))
    return ImageSpec(height, width, channels, (0.0,) * channels, (1.0,) * channels)


def _spread(values: Any, channels: int) -> tuple[float, ...]:
    """Return a value for each channel, where one is told for all or all are the same."""
    given = tuple(float(v) for v in values) if isinstance(values, Sequence) else (float(values),)
    if len(given) == channels:
        return given
    if len(given) == 1 or len(set(given)) == 1:
        return given[:1] * channels
    if channels == 1:
        return (round(sum(given) / len(given), 6),)
    raise ModelError(f"{len(given)} values given for {channels} channels")


def _field(option: str, text: str) -> dict[str, Any]:
    try:
        if option == "size":
            height, width = _sides(text, LARGEST_SIDE)
            return {"height": height, "width": width}
        if option == "channels":
            return {"channels": _at_most(int(text), _MOST_CHANNELS)}
        if option == "resize":
            both = _sides(text, _LARGEST_RESIZE)
            return {"resize": both if "x" in text.lower() else both[0]}
        if option in ("mean", "std"):
            return {option: tuple(float(part) for part in text.split(","))}
    except ValueError:
        raise ModelError(f"{option}={text!r}: expected {_EXPECTED[option]}") from None
    if text not in get_args(Interpolation):
        raise ModelError(f"interpolation={text!r}; {nearest(text, get_args(Interpolation))}")
    return {"interpolation": text}


_EXPECTED = {
    "size": "a number of pixels like 224, or height x width like 96x128, at most "
    f"{LARGEST_SIDE} a side",
    "channels": f"a whole number, at most {_MOST_CHANNELS}",
    "resize": "a number of pixels like 256, or height x width like 256x256, at most "
    f"{_LARGEST_RESIZE} a side",
    "mean": "a number for each channel on values from 0 to 1, like 0.485,0.456,0.406",
    "std": "a number for each channel on values from 0 to 1, like 0.229,0.224,0.225",
}


def _sides_told(sides: Sequence[int]) -> str:
    return f"{sides[0]}x{sides[1]}"


def _sides(text: str, largest: int) -> tuple[int, int]:
    parts = [_at_most(int(part), largest) for part in text.lower().split("x")]
    if len(parts) > 2:
        raise ValueError
    return parts[0], parts[-1]


def _at_most(number: int, largest: int) -> int:
    if number > largest:
        raise ValueError
    return number


def read_classes(text: str) -> tuple[str, ...]:
    """Return class names from a file, or from names with commas between them.

    Args:
        text: path of a text file (one name a line) or a JSON file (a list, or a mapping from
            index to name), or the names themselves.

    Raises:
        ModelError: no such file, or it holds no names; on a page, any file of this machine.
    """
    if text.lstrip()[:1] in ("[", "{"):
        return _from_json(text, "the list")
    if Path(text).suffix.lower() not in (".txt", ".json", ".csv", ".names", ".labels"):
        names = tuple(name.strip() for name in text.split(",") if name.strip())
        if not names:
            raise ModelError("classes: no names given; write a,b,c or name a file")
        return names
    if on_a_page():
        raise ModelError("classes: a page reads no file of this machine; paste or upload the names")
    try:
        content = Path(text).expanduser().read_text("utf-8-sig")
    except FileNotFoundError:
        raise ModelError(f"classes: {text}: no such file") from None
    except (OSError, ValueError, RuntimeError) as error:  # no text, no such home, a NUL in it
        raise ModelError(f"classes: {text!r} cannot be read ({one_line(error)})") from None
    return parse_classes(content, Path(text).name)


def parse_classes(content: str, name: str = "the list") -> tuple[str, ...]:
    """Return class names from text.

    Args:
        content: one name a line; JSON (a list, or a mapping from index to name); or the content
            of a CSV file, with names alone or with their indices.
        name: of the file; its ending says whether it is a CSV.

    Raises:
        ModelError: it holds no names, or indices that leave gaps.
    """
    text = content.strip()
    if text[:1] in ("[", "{"):
        return _from_json(text, name)
    if name.lower().endswith(".csv"):
        return _from_csv(text, name)
    names = tuple(line.strip() for line in text.splitlines() if line.strip())
    if not names:
        raise ModelError(f"classes: {name} holds no names; write one on each line")
    return names


def _from_csv(text: str, name: str) -> tuple[str, ...]:
    """Read names, or index and name in either order; a first line without an index is a header."""
    rows = [[cell.strip() for cell in row] for row in csv.reader(text.splitlines()) if any(row)]
    place = next((i for i in (0, 1) if all(_is_index(row, i) for row in rows[1:])), None)
    if place is None or len(rows) < 2:
        return parse_classes("\n".join(row[0] for row in rows), "the list")
    told = rows if _is_index(rows[0], place) else rows[1:]
    return _in_order({int(row[place]): row[1 - place] for row in told}, name)


def _is_index(row: Sequence[str], place: int) -> bool:
    return len(row) > 1 and row[place].isdecimal()


def _in_order(by_index: Mapping[int, str], name: str) -> tuple[str, ...]:
    if sorted(by_index) != list(range(len(by_index))):
        raise ModelError(f"classes: the indices in {name} are not 0 to {len(by_index) - 1}")
    return tuple(by_index[index] for index in range(len(by_index)))


def _from_json(text: str, name: str) -> tuple[str, ...]:
    try:
        told = json.loads(text)
    except ValueError as error:
        raise ModelError(f"classes: {name} is no JSON ({one_line(error)})") from None
    except RecursionError:
        raise ModelError(f"classes: {name} is nested too deep for a list of names") from None
    if isinstance(told, list):
        return tuple(str(one) for one in told)
    return _in_order(_by_index(cast(dict[str, Any], told)), name)


def _by_index(told: dict[str, Any]) -> dict[int, str]:
    """Read index → name, name → index, or index → [id, name] as ImageNet's list has it."""
    if all(key.isdecimal() for key in told):
        return {int(k): str(v[-1] if isinstance(v, list) else v) for k, v in told.items()}
    if all(isinstance(value, int) for value in told.values()):
        return {value: key for key, value in told.items()}
    return {-1: ""}
