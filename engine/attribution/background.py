"""Inputs to compare with: a tensor, pictures or an image set, of which some rows are drawn."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch

from engine.errors import InputError
from engine.inputs.images import ImageInput, load_image
from engine.inputs.tables import Table, drawn_places, load_table
from engine.manifest import digest_of
from engine.models.loaded import LoadedModel
from engine.models.table_specs import TableSpec

MAX_ROWS = 64
MAX_TABLE_ROWS = 100


@dataclass(frozen=True, eq=False)
class Background:
    """A background, of which nothing is prepared before it is needed.

    Attributes:
        digest: of all that was given (hex).
        size: how many inputs were given.
        chosen: indices of the rows that are used, in ascending order.
        row: returns an input by its index.
        table: the chosen rows of a table, or None.
        origin: where it can be found again, or "".
    """

    digest: str
    size: int
    chosen: tuple[int, ...]
    row: Callable[[int], ImageInput | torch.Tensor]
    table: Table | None = None
    origin: str = ""

    def prepared(self, model: LoadedModel, check: Callable[[], None]) -> torch.Tensor:
        """Return the chosen rows as the network sees them, ``(rows, …)``.

        Args:
            model: the model.
            check: called before each row; may raise.

        Raises:
            InputError: a row cannot be read, or does not suit the model.
        """
        if self.table is not None:
            return model.prepare_table(self.table)
        rows = []
        for index in self.chosen:
            check()
            rows.append(model.prepare(self.row(index)))
        return torch.cat(rows)


def load_background(model: LoadedModel, given: Any, seed: int) -> Background:
    """Take in a background.

    Args:
        model: the model it is for.
        given: prepared inputs ``(n, …)`` as a tensor or an array; pictures (or anything
            ``load_image`` takes) in a sequence or any other iterable; an image set; or, for
            models of tables, a table. Of more than 64 inputs (100 rows of a table), so many are
            drawn; of an iterable without a length, only the first 64 are looked at.
        seed: of that draw.

    Raises:
        InputError: none of these, or empty.
    """
    if isinstance(given, torch.Tensor) or _is_prepared_array(given, model):
        return _of_tensor(model, torch.as_tensor(given), seed)
    if isinstance(model.spec, TableSpec):
        return _of_table(given, seed)
    pictures = _sequence(given)
    size = len(pictures)
    if not size:
        raise InputError("the background holds no pictures")
    chosen = _draw(size, seed)
    digest = getattr(pictures, "digest", None)
    if isinstance(digest, str):
        origin = str(getattr(pictures, "origin", ""))
        return Background(digest, size, chosen, pictures.__getitem__, origin=origin)
    opened = {index: _opened(pictures[index]) for index in chosen}
    told = [f"{index} {image.digest} {image.fit}" for index, image in opened.items()]
    return Background(
        digest_of(str(size).encode(), *(line.encode() for line in told)),
        size,
        chosen,
        opened.__getitem__,
    )


def _of_table(given: Any, seed: int) -> Background:
    table = load_table(given)
    chosen = drawn_places(len(table), MAX_TABLE_ROWS, seed)
    places = tuple(int(place) for place in chosen)
    return Background(table.digest, len(table), places, _no_row, table.part(chosen), table.origin)


def _no_row(_index: int) -> torch.Tensor:
    raise InputError("rows of a table are prepared together")


def _of_tensor(model: LoadedModel, rows: torch.Tensor, seed: int) -> Background:
    wanted = tuple(model.spec.shape)
    if tuple(rows.shape[1:]) != wanted or not len(rows):
        told = ", ".join(map(str, wanted))
        raise InputError(f"expected a background of shape (n, {told}), got {tuple(rows.shape)}")
    flat = rows.detach().cpu().contiguous()
    content = flat.reshape(-1).view(torch.uint8).numpy().data
    digest = digest_of(f"{flat.dtype} {tuple(flat.shape)}".encode(), content)
    return Background(digest, len(rows), _draw(len(rows), seed), rows.__getitem__)


def _is_prepared_array(given: Any, model: LoadedModel) -> bool:
    return isinstance(given, np.ndarray) and given.shape[1:] == tuple(model.spec.shape)


def _sequence(given: Any) -> Sequence[Any]:
    if isinstance(given, ImageInput):
        return [given]
    if isinstance(given, str | bytes | dict) or not isinstance(given, Iterable):
        raise InputError(
            "a background is a tensor (n, …), pictures in a list or an image set, "
            f"not {type(given).__name__}"
        )
    if hasattr(given, "__len__") and hasattr(given, "__getitem__"):
        return given  # type: ignore[return-value]
    return list(islice(given, MAX_ROWS))


def _opened(item: Any) -> ImageInput:
    return item if isinstance(item, ImageInput) else load_image(item)


def _draw(size: int, seed: int) -> tuple[int, ...]:
    if size <= MAX_ROWS:
        return tuple(range(size))
    drawn = np.random.default_rng([seed % 2**64, size]).choice(size, MAX_ROWS, replace=False)
    return tuple(int(index) for index in np.sort(drawn))
