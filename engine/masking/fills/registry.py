"""All fills by name."""

from __future__ import annotations

from dataclasses import replace

from engine.errors import ParameterError, nearest
from engine.masking.fills.fill import Fill, Replacement
from engine.masking.fills.layer_masking import LayerMasking
from engine.masking.fills.neighbours import Neighbours
from engine.masking.fills.noise import Noise
from engine.masking.fills.other_rows import Conditional, OtherRows, Permutation
from engine.masking.fills.painted import Black, Blur, Grey, Mean, White
from engine.masking.fills.shuffled import Shuffled
from engine.masking.fills.smoothed_grey import SmoothedGrey
from engine.masking.fills.spark import Spark
from engine.masking.fills.token_drop import TokenDrop
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter

_ALL: tuple[Fill, ...] = (
    *(Mean(), Black(), Grey(), SmoothedGrey(), White(), Blur()),
    *(Noise(), Neighbours(), Shuffled()),
    *(LayerMasking(), Spark(), TokenDrop()),
    *(Permutation(), Conditional()),
)
FILLS: dict[str, Fill] = {fill.name: fill for fill in _ALL}
PICTURE_FILLS = tuple(fill.name for fill in _ALL if not isinstance(fill, OtherRows))


def fills_for(model: LoadedModel) -> tuple[str, ...]:
    """Return the names of the fills that suit a model.

    Those that work inside the network are tried on noise when a model is first asked about.
    """
    return tuple(fill.name for fill in FILLS.values() if not fill.refusal(model))


def with_fills(parameter: Parameter, model: LoadedModel) -> Parameter:
    """Return a choice of fills as it suits a model; see ``fills_for``."""
    return replace(parameter, choices=fills_for(model))


def find_fill(fill: str | Fill, seed: int = 0) -> Fill:
    """Return a fill by name, with what it draws drawn from a seed; one in hand is passed through.

    Raises:
        ParameterError: there is none of that name.
    """
    if isinstance(fill, Fill):
        return fill
    if fill not in FILLS:
        raise ParameterError(f"no fill {fill!r}; {nearest(str(fill), FILLS)}")
    return FILLS[fill].drawn_from(seed)


def find_replacement(fill: str | Fill) -> Replacement:
    """Return a fill that has values of its own, to serve as a baseline.

    Raises:
        ParameterError: there is none of that name, or it hides in another way.
    """
    found = find_fill(fill)
    if not isinstance(found, Replacement):
        raise ParameterError(f"the fill {found.name!r} has no values, so it is no baseline")
    return found
