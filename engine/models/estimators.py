"""Estimators of scikit-learn's kind as models: only their predictions can be asked for."""

from __future__ import annotations

import hashlib
import io
import pickle
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import nn

from engine.errors import ModelError, one_line
from engine.inputs.tables import Table
from engine.models.labels import label_column
from engine.models.learning_columns import learn_columns
from engine.models.spelling import spelled_as_fitted
from engine.models.table_specs import Column, TableSpec, Task

if TYPE_CHECKING:
    import pandas as pd

# What LightGBM calls columns that had no names when it was fitted.
_NAMELESS = re.compile(r"Column_\d+")
_LEAST = 1e-12
_OFF = 1e-3
_TREES = ("xgboost", "lightgbm")


class BlackBox(nn.Module):
    """An estimator behind the face of a network: codes in, log-probabilities or values out.

    Attributes:
        estimator: of scikit-learn's kind, fitted.
        spec: its columns, encoded as codes.
    """

    black_box = True
    content: torch.Tensor

    def __init__(self, estimator: Any, spec: TableSpec, content: bytes | None = None) -> None:
        super().__init__()
        self.estimator = estimator
        self.spec = spec
        self._in_hand = content is None
        self.register_buffer("content", _hashed(content or _sketched(estimator)))

    @property
    def of_trees(self) -> bool:
        """Whether it is of XGBoost or LightGBM, which take categories as pandas has them."""
        return _is_of_trees(self.estimator)

    def refresh(self) -> None:
        """Notice that an estimator in hand was fitted anew."""
        if self._in_hand:
            self.content.copy_(_hashed(_sketched(self.estimator)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities ``(n, classes)``, or values ``(n, 1)`` of a regression."""
        rows = self.rows(batch.detach().cpu().numpy())
        try:
            found = self.asked(rows)
        except MemoryError:  # fewer rows at once may fit
            raise
        except Exception as error:  # the estimator is the user's own
            told = f"{type(self.estimator).__name__} failed: {one_line(error)}"
            raise ModelError(told) from None
        return torch.from_numpy(found).to(batch.device)

    def asked(self, rows: Any) -> np.ndarray:
        """Return what ``forward`` does, for rows as the estimator takes them."""
        regression = self.spec.task == "regression"
        told = self.estimator.predict(rows) if regression else self.estimator.predict_proba(rows)
        found = np.asarray(told, dtype=np.float64)
        if regression:
            found = found.reshape(len(found), -1)
        wanted = (len(rows), 1 if regression else len(self.spec.labels))
        if found.shape != wanted:
            raise ValueError(f"it predicts {found.shape}, expected {wanted}: one output at a time")
        if regression:
            return found
        if not np.allclose(found.sum(axis=1), 1, atol=_OFF):
            raise ValueError("its probabilities do not add up to 1")
        return np.log(np.clip(found, _LEAST, None))

    def rows(self, codes: np.ndarray) -> Any:
        """Return rows of codes ``(n, columns)`` as the estimator takes them."""
        frame = self.spec.decode(codes)
        if self.of_trees:
            frame = frame.astype({c.name: _dtype(c) for c in self.spec.columns})
        return self.named(frame)

    def named(self, frame: pd.DataFrame) -> Any:
        """Return rows under the names of the fitting; as an array if there were none."""
        names = _fitted_names(self.estimator)
        return frame.to_numpy() if names is None else frame.set_axis(names, axis=1)


def is_estimator(given: object) -> bool:
    """Whether something predicts as scikit-learn's estimators do, and is no network."""
    return hasattr(given, "predict") and not isinstance(given, nn.Module | type)


def as_network(
    estimator: Any,
    spec: TableSpec | Table | None,
    content: bytes | None = None,
    label: str | None = None,
) -> tuple[BlackBox, TableSpec, tuple[str, ...]]:
    """Return an estimator as a network, with its columns and class names.

    Args:
        estimator: fitted.
        spec: its columns, or a table like the one it was fitted on; by default numbers under
            the names that the estimator remembers.
        content: the file that it was read from; None for one in hand.
        label: the column of that table which is the truth and no input.

    Raises:
        ModelError: not fitted, no probabilities, or columns that do not fit.
    """
    kind = type(estimator).__name__
    _check_fitted(estimator)
    regression = _is_regression(estimator)
    names = () if regression else _classes(estimator)
    own = _own_names(estimator)
    if isinstance(spec, Table):
        found = learn_columns(_read_part(spec, own, label), label)
    else:
        found = spec or _remembered(estimator)
    columns = _in_order(found, own, kind)
    count = getattr(estimator, "n_features_in_", len(columns))
    if count != len(columns):
        raise ModelError(f"{kind} was fitted on {count} columns; {len(columns)} are described")
    task: Task = "regression" if regression else "classification"
    told = replace(found, columns=columns, labels=names, task=task, encoding="codes")
    value = (found.label or "value",)
    box = BlackBox(estimator, told, content)
    if isinstance(spec, Table):
        box.spec = told = spelled_as_fitted(box, spec)
    return box, told, value if regression else names


def _check_fitted(estimator: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(estimator)
    except NotFittedError:
        raise ModelError(f"{type(estimator).__name__} is not fitted; call its fit first") from None
    except Exception:  # not of scikit-learn's own kind: asking it will tell
        return


def _is_regression(estimator: Any) -> bool:
    kind = type(estimator).__name__
    if hasattr(estimator, "predict_proba"):
        return False
    from sklearn.base import is_regressor

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if is_regressor(estimator):
                return True
    except Exception:  # it has no tags of scikit-learn's
        if getattr(estimator, "_estimator_type", "") == "regressor":
            return True
    raise ModelError(
        f"{kind} tells no probabilities; use an estimator with predict_proba (or wrap it in "
        "CalibratedClassifierCV)"
    )


def _classes(estimator: Any) -> tuple[str, ...]:
    kind = type(estimator).__name__
    try:
        found = estimator.classes_
    except Exception:
        raise ModelError(f"{kind} has no classes_: it does not say what it tells apart") from None
    if isinstance(found, list) and found and np.ndim(found[0]):
        raise ModelError(f"{kind} predicts {len(found)} labels at once; one is explained at a time")
    names = tuple(str(name) for name in np.asarray(found).tolist())
    if len(names) < 2:
        raise ModelError(f"{kind} was fitted on a single class, {', '.join(names)}")
    return names


def _fitted_names(estimator: Any) -> list[str] | None:
    """Return the columns' names that an estimator asks for, or None if it knows none."""
    try:
        return [str(name) for name in estimator.feature_names_in_]
    except Exception:
        return None


def _own_names(estimator: Any) -> list[str] | None:
    """Return the columns' names that an estimator was fitted on, if they mean something."""
    names = _fitted_names(estimator)
    if names is None or (_is_of_trees(estimator) and all(map(_NAMELESS.fullmatch, names))):
        return None
    return [name.strip() for name in names]


def _is_of_trees(estimator: Any) -> bool:
    return any(base.__module__.startswith(_TREES) for base in type(estimator).__mro__)


def _read_part(table: Table, names: list[str] | None, label: str | None) -> Table:
    """Return a table without the columns that an estimator does not read, where it tells them."""
    if names is None or not set(names) <= set(table.columns):
        return table
    truth = label_column(table, TableSpec((Column("-"),)), label)
    kept = [name for name in table.columns if name in names or name == truth]
    return replace(table, frame=table.frame[kept])


def _remembered(estimator: Any) -> TableSpec:
    names = _own_names(estimator)
    count = getattr(estimator, "n_features_in_", 0)
    if names is None and not count:
        raise ModelError(
            f"{type(estimator).__name__} does not say which columns it reads; pass a table like "
            "the one it was fitted on as input_spec"
        )
    return TableSpec(tuple(Column(n) for n in names or [f"column {i + 1}" for i in range(count)]))


def _in_order(spec: TableSpec, names: Sequence[str] | None, kind: str) -> tuple[Column, ...]:
    """Return the columns in the order of fitting, without those that it does not read."""
    if names is None:
        return spec.columns
    known = {column.name: column for column in spec.columns}
    missing = [name for name in names if name not in known]
    if missing:
        raise ModelError(f"{kind} reads the column {missing[0]!r}, which is not described")
    return tuple(known[name] for name in names)


def _dtype(column: Column) -> Any:
    import pandas as pd

    return "float64" if column.kind == "number" else pd.CategoricalDtype(list(column.spellings))


class _Sketch(pickle.Pickler):
    """Writes an estimator without what merely counts how it was used."""

    def reducer_override(self, given: Any) -> Any:
        arrays = getattr(given, "get_arrays", None)
        if type(given).__module__.startswith("sklearn.neighbors.") and callable(arrays):
            return tuple, (arrays(),)
        return NotImplemented


def _sketched(estimator: Any) -> bytes:
    """Return what tells an estimator apart; it is only written, never read."""
    file = io.BytesIO()
    try:
        _Sketch(file).dump(estimator)
    except Exception as error:
        raise ModelError(
            f"{type(estimator).__name__} cannot be told apart from others: {one_line(error)}"
        ) from None
    return file.getvalue()


def _hashed(content: bytes) -> torch.Tensor:
    return torch.tensor(list(hashlib.sha256(content).digest()), dtype=torch.uint8)
