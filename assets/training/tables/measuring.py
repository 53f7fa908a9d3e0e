"""How good a network for tables is on rows that it never saw, in words for its card."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.metrics import roc_auc_score

from assets.training.fitting import told

_BINS = 15
_DRAWS = 2000

Rows = tuple[np.ndarray, np.ndarray]


def log_loss(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return the mean negative log-likelihood; logits and truth (0 / 1) ``(n,)``."""
    return float(np.mean(np.logaddexp(0, np.where(truth == 1, -logits, logits))))


def calibration_error(logits: np.ndarray, truth: np.ndarray) -> float:
    """Return mean |accuracy − confidence| over 15 bins of equal width (guo2017calibration)."""
    positive = 1 / (1 + np.exp(-logits))
    confidence, right = np.maximum(positive, 1 - positive), (logits > 0) == (truth == 1)
    index = np.clip(np.ceil(confidence * _BINS).astype(int) - 1, 0, _BINS - 1)
    off = np.bincount(index, right - confidence, _BINS)
    return float(np.abs(off).sum() / len(truth))


def of_classifier(logits: np.ndarray, train: Rows, held_out: Rows) -> dict[str, str]:
    """Return what the card says; logits ``(n,)`` are of the held-out rows."""
    truth = held_out[1]
    commoner = round(float(np.mean(train[1])))
    return {
        f"Accuracy, {len(truth):,} held-out rows": told((logits > 0) == (truth == 1)),
        "Log-loss": f"{log_loss(logits, truth):.3f}",
        "AUC": f"{roc_auc_score(truth, logits):.3f}",
        "Calibration error": f"{100 * calibration_error(logits, truth):.1f} points",
        "Always the commoner outcome": f"accuracy {100 * np.mean(truth == commoner):.1f} %",
    }


def of_logistic(train: Rows, held_out: Rows) -> dict[str, str]:
    """Return what a logistic regression reaches, for comparison."""
    share = LogisticRegression(max_iter=5000).fit(*train).score(*held_out)
    return {"A logistic regression instead": f"accuracy {100 * share:.1f} %"}


def of_unseen(logits: np.ndarray, train: Rows, held_out: Rows) -> dict[str, str]:
    """Return the accuracy on the held-out rows that stand in no training row."""
    seen = {row.tobytes() for row in train[0]}
    new = np.array([row.tobytes() not in seen for row in held_out[0]])
    right = (logits > 0) == (held_out[1] == 1)
    return {f"Accuracy, the {new.sum():,} rows without a twin in training": told(right[new])}


def of_regression(found: np.ndarray, train: Rows, held_out: Rows) -> dict[str, str]:
    """Return what the card says; ``found`` ``(n,)`` is of the held-out rows."""
    x, truth = held_out
    linear = LinearRegression().fit(*train).predict(x)
    mean = np.full_like(truth, train[1].mean())
    return {
        f"R², {len(truth):,} held-out rows": f"{r2(found, truth):.2f} "
        f"({_interval(r2, found, truth, 2)})",
        "RMSE": f"{rmse(found, truth):.1f} ({_interval(rmse, found, truth, 1)})",
        "A linear regression instead": f"RMSE {rmse(linear, truth):.1f}",
        "Always the mean": f"RMSE {rmse(mean, truth):.1f}",
    }


def r2(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the share of the variance that is told."""
    return float(1 - np.sum((truth - found) ** 2) / np.sum((truth - truth.mean()) ** 2))


def rmse(found: np.ndarray, truth: np.ndarray) -> float:
    """Return the root of the mean squared error."""
    return float(np.sqrt(np.mean((truth - found) ** 2)))


def false_alarms(logits: np.ndarray, rows: pd.DataFrame) -> dict[str, str]:
    """Say how often COMPAS's people who were not arrested again are flagged, by race."""
    spared = (rows["two_year_recid"] == 0).to_numpy()
    group = (rows["race_african_american"] == 1).to_numpy()
    inside, outside = ((logits > 0)[spared & part] for part in (group, ~group))
    return {
        "False alarms": f"of the held-out people who were not arrested again it flags "
        f"{told(inside)} of the African-American and {told(outside)} of the others"
    }


def _interval(
    measure: Callable[[np.ndarray, np.ndarray], float],
    found: np.ndarray,
    truth: np.ndarray,
    digits: int,
) -> str:
    """Return the 95 % bootstrap interval over rows."""
    draw = np.random.default_rng(0)
    rows = (draw.integers(len(truth), size=len(truth)) for _ in range(_DRAWS))
    low, high = np.quantile([measure(found[r], truth[r]) for r in rows], (0.025, 0.975))
    return f"{low:.{digits}f} – {high:.{digits}f}"
