"""Estimators of scikit-learn's kind as models: only their predictions can be asked for."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from engine.errors import ModelError, WeightsError, one_line
from engine.inputs.tables import Table
from engine.models.learning_columns import learn_columns
from engine.models.table_specs import Column, TableSpec, Task

_NAMELESS = re.compile(r"(Column_|f|x)\d+")
# Classes beyond those that skops trusts itself, whose reading runs no code of the file's.
_KNOWN = re.compile(
    r"sklearn\.[\w.]+\.[A-Z]\w*|xgboost\.core\.Booster|xgboost\.sklearn\.XGB\w+|lightgbm\.basic\.Booster"
    r"|lightgbm\.sklearn\.LGBM\w+|collections\.(OrderedDict|defaultdict)"
)
_LEAST = 1e-12
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
        self.register_buffer("content", _hashed(content or _pickled(estimator)))

    def refresh(self) -> None:
        """Notice that an estimator in hand was fitted anew."""
        if self._in_hand:
            self.content.copy_(_hashed(_pickled(self.estimator)))

    def forward(self, batch: torch.Tensor) -> torch.Tensor:
        """Return log-probabilities ``(n, classes)``, or values ``(n, 1)`` of a regression."""
        rows = self._rows(batch.detach().cpu().numpy())
        try:
            found = self._asked(rows)
        except Exception as error:  # the estimator is the user's own
            told = f"{type(self.estimator).__name__} failed: {one_line(error)}"
            raise ModelError(told) from None
        return torch.from_numpy(np.asarray(found, dtype=np.float32)).to(batch.device)

    def _asked(self, rows: Any) -> np.ndarray:
        if self.spec.task == "regression":
            return np.asarray(self.estimator.predict(rows), dtype=np.float64).reshape(-1, 1)
        shares = np.asarray(self.estimator.predict_proba(rows), dtype=np.float64)
        return np.log(np.clip(shares, _LEAST, None))

    def _rows(self, codes: np.ndarray) -> Any:
        frame = self.spec.decode(codes)
        if _own_names(self.estimator) is None and not _has_categories(self.spec):
            return frame.to_numpy()
        if type(self.estimator).__module__.startswith(_TREES):
            return frame.astype({c.name: _dtype(c) for c in self.spec.columns})
        return frame


def is_estimator(given: object) -> bool:
    """Whether something predicts as scikit-learn's estimators do, and is no network."""
    return hasattr(given, "predict") and not isinstance(given, nn.Module | type)


def as_network(
    estimator: Any, spec: TableSpec | Table | None, content: bytes | None = None
) -> tuple[BlackBox, TableSpec, tuple[str, ...]]:
    """Return an estimator as a network, with its columns and class names.

    Args:
        estimator: fitted.
        spec: its columns, or a table like the one it was fitted on; by default numbers under
            the names that the estimator remembers.
        content: the file that it was read from; None for one in hand.

    Raises:
        ModelError: not fitted, no probabilities, or columns that do not fit.
    """
    kind = type(estimator).__name__
    regression = _is_regression(estimator)
    names = () if regression else _classes(estimator)
    found = learn_columns(spec) if isinstance(spec, Table) else spec or _remembered(estimator)
    columns = _in_order(found, _own_names(estimator), kind)
    count = getattr(estimator, "n_features_in_", len(columns))
    if count != len(columns):
        raise ModelError(f"{kind} was fitted on {count} columns; {len(columns)} are described")
    task: Task = "regression" if regression else "classification"
    told = replace(found, columns=columns, labels=names, task=task, encoding="codes")
    value = (found.label or "value",)
    return BlackBox(estimator, told, content), told, value if regression else names


def read_skops(path: Path) -> Any:
    """Read an estimator from a skops file, which runs no code.

    Raises:
        WeightsError: skops is missing, the file is damaged, or it asks for other code than that
            of the well-known libraries.
    """
    try:
        from skops import io
    except ModuleNotFoundError:
        raise WeightsError(
            "reading a skops file needs the package skops; pip install 'haloscope[estimators]'"
        ) from None
    try:
        asked = io.get_untrusted_types(file=path)
        unknown = [kind for kind in asked if not _KNOWN.fullmatch(kind)]
        if unknown:
            raise WeightsError(
                f"{path.name} needs code that is not trusted ({', '.join(unknown[:3])}); load it "
                "in Python and pass the estimator"
            )
        return io.load(path, trusted=asked)
    except WeightsError:
        raise
    except ModuleNotFoundError as error:
        raise WeightsError(f"{path.name} needs {error.name}, which is not installed") from None
    except Exception as error:  # whatever a foreign or damaged file provokes
        raise WeightsError(
            f"{path.name} is not a skops file, or damaged ({one_line(error)})"
        ) from None


def _is_regression(estimator: Any) -> bool:
    kind = type(estimator).__name__
    if hasattr(estimator, "predict_proba"):
        return False
    from sklearn.base import is_regressor

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if is_regressor(estimator):
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
        raise ModelError(f"{kind} has no classes: it is not fitted") from None
    if isinstance(found, list):
        raise ModelError(f"{kind} predicts {len(found)} labels at once; one is explained at a time")
    return tuple(str(name) for name in np.asarray(found).tolist())


def _own_names(estimator: Any) -> list[str] | None:
    """Return the columns' names that an estimator was fitted on, if they mean something."""
    try:
        names = [str(name) for name in estimator.feature_names_in_]
    except Exception:
        return None
    return None if all(_NAMELESS.fullmatch(name) for name in names) else names


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


def _has_categories(spec: TableSpec) -> bool:
    return any(column.kind == "category" for column in spec.columns)


def _dtype(column: Column) -> Any:
    import pandas as pd

    return "float64" if column.kind == "number" else pd.CategoricalDtype(list(column.categories))


def _pickled(estimator: Any) -> bytes:
    try:
        return pickle.dumps(estimator)  # only written, to see whether it changed; never read
    except Exception as error:
        raise ModelError(
            f"{type(estimator).__name__} cannot be told apart from others: {one_line(error)}"
        ) from None


def _hashed(content: bytes) -> torch.Tensor:
    return torch.tensor(list(hashlib.sha256(content).digest()), dtype=torch.uint8)
