"""What a model wants as input, as lines of its card."""

from __future__ import annotations

from collections.abc import Iterator

from engine.inspection.entry import Entry
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec

_COLOURS = {1: "grey", 3: "red, green, blue"}


def input_entries(model: LoadedModel) -> Iterator[Entry]:
    """Yield what is known of a model's input."""
    spec = model.spec
    if isinstance(spec, TableSpec):
        told = f"{len(spec.columns)} columns: {', '.join(spec.titles[:6])}"
        yield Entry("Input", f"{told}{' …' if len(spec.columns) > 6 else ''}", "matched by name")
    elif isinstance(spec, ImageSpec):
        yield from _of_pictures(model, spec)
    else:
        shape = " × ".join(map(str, spec.shape))
        how = "corrected" if model.corrections.spec else model.spec_by
        yield Entry("Input", f"a tensor of {shape}", how, "size" if len(spec.shape) == 3 else "")


def _of_pictures(model: LoadedModel, spec: ImageSpec) -> Iterator[Entry]:
    own = model.corrections.spec

    def how(*fields: str) -> str:
        return "corrected" if any(name in own for name in fields) else model.spec_by

    colours = _COLOURS.get(spec.channels, f"{spec.channels} channels")
    size = f"{spec.height} × {spec.width} pixels"
    yield Entry("Size", size, how("height", "width"), "size")
    seen = "read off the first layer" if model.spec_by == "assumed" else model.spec_by
    counted = "corrected" if "channels" in own else seen
    yield Entry("Channels", f"{spec.channels} ({colours})", counted, "channels")
    yield Entry("Fitting", _fitting(spec), how("resize", "interpolation"), "resize")
    mean, std = _numbers(spec.mean), _numbers(spec.std)
    told = "none: values in [0, 1]" if set(spec.mean) == {0} and set(spec.std) == {1} else ""
    told = told or f"mean {mean}; std {std} (of values in [0, 1])"
    yield Entry("Normalisation", told, how("mean", "std"), "mean")


def _numbers(values: tuple[float, ...]) -> str:
    same = len(set(values)) == 1
    return ", ".join(f"{value:.4g}" for value in (values[:1] if same else values))


def _fitting(spec: ImageSpec) -> str:
    if isinstance(spec.resize, tuple):
        sides = f"{spec.resize[0]} × {spec.resize[1]}"
        cut = "" if spec.resize == (spec.height, spec.width) else ", then the centre is cut out"
        return f"brought to {sides} whatever its proportions ({spec.interpolation}){cut}"
    side = spec.resize or max(spec.height, spec.width)
    return f"shorter side to {side} ({spec.interpolation}), then the centre is cut out"
