"""What stands in the cells of a column: numbers, texts, or nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.inputs.tables import MISSING, text_of

if TYPE_CHECKING:
    import pandas as pd

# Kinds of columns, as pandas infers them, in which equal cells are the same.
_PLAIN = frozenset({"string", "empty", "integer", "floating", "mixed-integer-float", "boolean"})
_DECIMAL = re.compile(r"[+-]?\d+\.\d*")
# Beyond what a network can be given.
LARGEST = float(np.finfo(np.float32).max)
_TRUTH = {"true": 1.0, "false": 0.0}


def read_numbers(cells: pd.Series) -> np.ndarray:
    """Return cells as float64 ``(n,)``: true and false as 1 and 0, NaN for what is no number."""
    if cells.dtype.kind in "iufb":
        return cells.to_numpy(np.float64, na_value=np.nan)
    values = _converted(cells)
    unread = np.flatnonzero(np.isnan(values))
    if len(unread):
        texts = read_texts(cells.iloc[unread])
        values[unread] = [_TRUTH.get(text.lower(), np.nan) for text in texts]
    return values


def read_texts(cells: pd.Series) -> np.ndarray:
    """Return cells as text, object ``(n,)``: "" where nothing stands, "1" for 1.0.

    Each different one is looked at once.
    """
    import pandas as pd

    plain = cells.astype(object)
    if not _is_plain(plain):  # True and 1 would be taken for the same
        return np.array([*map(text_of, plain), ""], dtype=object)[:-1]
    codes, different = pd.factorize(plain, use_na_sentinel=False)
    return np.array([*map(text_of, different), ""], dtype=object)[codes]


def empty_cells(cells: pd.Series) -> np.ndarray:
    """Return which cells say that nothing stands in them, bool ``(n,)``."""
    found = np.isnan(read_numbers(cells))
    places = np.flatnonzero(found)
    found[places] = [text.lower() in MISSING for text in read_texts(cells.iloc[places])]
    return found


def is_empty(cell: Any) -> bool:
    """Whether a cell says that nothing stands in it."""
    return text_of(cell).lower() in MISSING


def without_zeros(text: str) -> str:
    """Return the text of a number without idle zeros after its point, any other as it is.

    >>> without_zeros("1.0"), without_zeros("2.50"), without_zeros("10")
    ('1', '2.5', '10')
    """
    return text.rstrip("0").rstrip(".") if _DECIMAL.fullmatch(text) else text


def _converted(cells: pd.Series) -> np.ndarray:
    import pandas as pd

    plain = cells.astype(object)
    if _is_plain(plain):
        try:
            return pd.to_numeric(plain, errors="coerce").to_numpy(np.float64, copy=True)
        except OverflowError:  # whole numbers beyond all floats
            pass
    texts = pd.Series(read_texts(cells), dtype=object)
    return pd.to_numeric(texts, errors="coerce").to_numpy(np.float64, copy=True)


def _is_plain(cells: pd.Series) -> bool:
    import pandas as pd

    return pd.api.types.infer_dtype(cells, skipna=True) in _PLAIN
