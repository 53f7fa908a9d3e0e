"""Patches of another picture, in random order, in place of what is hidden."""

from __future__ import annotations

import torch

from engine.errors import MethodError
from engine.execution.draws import generator
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import load_sample_set
from engine.masking.fills.fill import Fill, Replacement
from engine.models.bundled import bundled_models
from engine.models.loaded import LoadedModel, ModelInput
from engine.models.specs import ImageSpec

_PATCHES = 14  # along the shorter side: 16 pixels at 224


class Shuffled(Replacement):
    """Another picture, cut into patches that lie in random order; the same under every mask.

    Not the picture itself: its own patches would show what is hidden, only elsewhere. By default
    it is one of the pictures at hand that suit the model (photographs, for a model of the user's),
    chosen by the seed; never the picture that is masked.

    Args:
        seed: of the picture and of the patches' order.
        picture: another picture to take them from.
    """

    name = "shuffled"
    title = "Shuffled patches"
    summary = "Patches of another picture in random order, the same for all masks."
    seeded = True

    def __init__(self, seed: int = 0, picture: ModelInput | None = None) -> None:
        self.seed = seed
        self.picture = picture

    def drawn_from(self, seed: int) -> Fill:
        """The same with another seed."""
        return Shuffled(seed, self.picture)

    def refusal(self, model: LoadedModel) -> str:
        """What takes no photographs, unless a picture was given."""
        if isinstance(model.spec, ImageSpec) or self.picture is not None:
            return ""
        return f"the fill {self.name!r} takes its patches from photographs; use 'mean'"

    def values(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        """The patches of the shape of x."""
        self.check_suits(model)
        return shuffled_patches(self._source(model, x).to(x), self.seed)

    def _source(self, model: LoadedModel, x: torch.Tensor) -> torch.Tensor:
        if self.picture is not None:
            source = model.prepare(self.picture)
            if source.shape != x.shape:
                raise MethodError(f"the fill {self.name!r} got a picture of another shape")
            return source
        pictures = _at_hand(model)
        first = int(generator(self.seed, 0).integers(len(pictures)))
        for place in range(len(pictures)):
            source = model.prepare(pictures[(first + place) % len(pictures)])
            if not torch.equal(source.to(x), x):
                return source
        raise MethodError(f"the fill {self.name!r} found no picture other than the one masked")


def shuffled_patches(picture: torch.Tensor, seed: int) -> torch.Tensor:
    """Cut a picture ``(1, channels, rows, columns)`` into squares and lay them in random order.

    A fourteenth of the shorter side each; what is left over at the far edges is filled by
    repeating the picture before it is cut.
    """
    rows, columns = picture.shape[-2:]
    side = max(1, round(min(rows, columns) / _PATCHES))
    down, across = -(-rows // side), -(-columns // side)
    far_rows = torch.arange(down * side) % rows
    far_columns = torch.arange(across * side) % columns
    whole = picture[:, :, far_rows][..., far_columns]
    cut = whole.unfold(2, side, side).unfold(3, side, side)  # (1, c, down, across, side, side)
    flat = cut.flatten(2, 3)  # (1, c, patches, side, side)
    order = torch.from_numpy(generator(seed, 1).permutation(down * across))
    laid = flat[:, :, order].unflatten(2, (down, across)).permute(0, 1, 2, 4, 3, 5)
    return laid.reshape(1, -1, down * side, across * side)[..., :rows, :columns]


def _at_hand(model: LoadedModel) -> ImageSet:
    """Return the pictures that suit a bundled model best; of others, the photographs."""
    sets = next((one.sets for one in bundled_models() if one.name == model.ref), ("photographs",))
    return load_sample_set(sets[0])
