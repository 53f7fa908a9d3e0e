"""A sample at hand that a model can be tried on."""

from __future__ import annotations

from engine.inputs.images import ImageInput
from engine.inputs.samples import load_sample_set, sample_sets
from engine.inputs.tables import Row
from engine.models.columns import Column
from engine.models.loaded import LoadedModel
from engine.models.references import bundled_of
from engine.models.specs import ImageSpec
from engine.models.table_specs import TableSpec

_GREY_FIRST = "digits"


def suited_sets(model: LoadedModel) -> list[str]:
    """Return the names of the picture sets at hand for a model, best first; none for tables."""
    if not isinstance(model.spec, ImageSpec):
        return []
    every = [found.name for found in sample_sets()]
    bundled = bundled_of(model.ref)
    best = bundled.sets if bundled is not None else ()
    if not best and model.spec.channels == 1:
        best = (_GREY_FIRST,)
    return [*best, *(name for name in every if name not in best)]


def suited_sample(model: LoadedModel) -> ImageInput | Row | None:
    """Return a picture or a row that a model takes; None for a network that takes tensors."""
    if isinstance(model.spec, TableSpec):
        return Row({c.name: _usual(c) for c in model.spec.columns}, "a made-up row")
    sets = suited_sets(model)
    return load_sample_set(sets[0])[0] if sets else None


def _usual(column: Column) -> float | str:
    """Return a number one standard deviation above its mean, or the second commonest category.

    At the mean itself a row would be what it is compared with, and nothing in it would count.
    """
    if column.kind == "number":
        value = column.mean + column.std
        value = value if column.high is None else min(value, column.high)
        return round(value) if column.whole else value
    shares = column.shares or (0.0,) * len(column.categories)
    order = sorted(range(len(column.categories)), key=lambda place: -shares[place])
    return column.categories[order[1] if len(order) > 1 else order[0]]
