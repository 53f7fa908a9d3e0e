"""How often networks are right on corrupted pictures."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from engine.execution.chunks import Chunks
from engine.execution.passes import Passes
from engine.inputs.image_sets import ImageSet
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec
from engine.pruning.corruptions.sets import corrupted_set
from engine.pruning.sweeping.judged import Prepared, answers

# Corrupted pictures are held for the next network while they take less than this.
_MOST_BYTES = 2**30


class Corrupted:
    """The pictures of a set under several corruptions, at several severities.

    Args:
        model: that takes them.
        images: the set.
        places: numbers of the pictures in it.
        names: of the corruptions.
        severities: of each.
        fit: how pictures are brought to the network's size, before they are corrupted.
        seed: of what corruptions draw.
    """

    def __init__(
        self,
        model: LoadedModel,
        images: ImageSet,
        places: np.ndarray,
        names: Sequence[str],
        severities: Sequence[int],
        fit: Fit,
        seed: int,
    ) -> None:
        self.shape = (len(names), len(severities))
        self._model, self._images, self._places = model, images, places
        self._asked = [(name, severity) for name in names for severity in severities]
        self._fit, self._seed = fit, seed
        self._held: dict[int, Prepared] = {}
        self._bytes = 0

    def each(self) -> Iterator[Prepared]:
        """Yield the pictures under one corruption and severity after the other."""
        for number in range(len(self._asked)):
            yield self._held.get(number) or self._made(number)

    def _made(self, number: int) -> Prepared:
        name, severity = self._asked[number]
        spec = self._model.spec
        assert isinstance(spec, ImageSpec)
        changed = corrupted_set(self._images, name, severity, self._seed, spec=spec, fit=self._fit)
        found = Prepared(self._model, changed, self._places, self._fit)
        self._bytes += found.bytes
        if self._bytes <= _MOST_BYTES:
            self._held[number] = found
        return found


def right_under(
    passes: Passes, chunks: Chunks, model: LoadedModel, pictures: Corrupted, truth: np.ndarray
) -> np.ndarray:
    """Return the share of right answers, float32 ``(corruptions, severities)``.

    Args:
        passes, chunks, model: as in ``answers``.
        pictures: what it is asked of.
        truth: the right class of each picture, int32 ``(n,)``; −1 leaves it out.
    """
    known = truth >= 0
    shares = [
        (answers(passes, chunks, model, some)[0] == truth)[known].mean() for some in pictures.each()
    ]
    return np.array(shares, dtype=np.float32).reshape(pictures.shape)
