"""Writes the tables that are shipped: ``python -m assets.training.tables.make_tables COMPAS TEST``.

COMPAS is ``compas-scores-two-years.csv``, TEST is ``adult.test``; ``sources.py`` says where to
get them. The rows are shuffled, and those held out come first.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from assets.training.tables import sources

TABLES = Path(__file__).parents[2] / "tables"
# The first rows of each table were never trained on: 30 %, and all that is shipped of Adult.
HELD_OUT = {"compas": 1852, "cancer": 171, "diabetes": 133, "adult": 5000}
SEED = 0


def shuffled(frame: pd.DataFrame, count: int | None = None) -> pd.DataFrame:
    """Return rows in a random order that is always the same, or the first ``count`` of them."""
    order = np.random.default_rng(SEED).permutation(len(frame))
    return frame.iloc[order[:count]].reset_index(drop=True)


def cell(value: object) -> str:
    """Write a value as short as it is.

    >>> cell(17.0), cell(0.1184), cell("?")
    ('17', '0.1184', '?')
    """
    return repr(value).removesuffix(".0") if isinstance(value, float) else str(value)


def write(name: str, frame: pd.DataFrame) -> None:
    """Write a table, its label last."""
    lines = [",".join(frame.columns)]
    lines += [",".join(cell(value) for value in row) for row in frame.itertuples(index=False)]
    (TABLES / f"{name}.csv").write_text("\n".join(lines) + "\n", "utf-8")


def read(name: str) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows to learn from (none of Adult) and those held out."""
    frame = pd.read_csv(TABLES / f"{name}.csv", keep_default_na=False)
    return frame.iloc[HELD_OUT[name] :], frame.iloc[: HELD_OUT[name]]


def main(compas: Path, adult_test: Path) -> None:
    """Write all four."""
    write("compas", shuffled(sources.compas(compas)))
    write("cancer", shuffled(sources.cancer()))
    write("diabetes", shuffled(sources.diabetes()))
    write("adult", shuffled(sources.adult(adult_test), HELD_OUT["adult"]))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
