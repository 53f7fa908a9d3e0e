"""A made-up study of missing parts, for examples and tests."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from engine.mask_results import MissingnessStudy

SHARES = np.linspace(0, 1, 11)
_LEFT = {"layer-masking": 3.0, "blur": 2.2, "grey": 0.9, "black": 0.45}
_TITLES = {"layer-masking": "Layer masking", "blur": "Blurred", "grey": "Grey", "black": "Black"}


def study(
    left: Mapping[str, float] = _LEFT, count: int = 200, classes: int = 10, labelled: bool = True
) -> MissingnessStudy:
    """Return made-up answers of a model that names one class where it is misled.

    Args:
        left: by fill, how long answers stay right: the larger the longer.
        count: of pictures.
        classes: of the model.
        labelled: whether the pictures have labels.
    """
    draw = np.random.default_rng(0)
    truth = np.arange(count) % classes
    firm = draw.random((len(left), 1, count)) ** 0.5
    kept = np.exp(-((SHARES[:, None] / np.array(list(left.values()))[:, None, None]) ** 2) * 4)
    predicted = np.where(kept > 1 - firm, truth, 3 % classes)
    predicted[:, 0] = truth
    labels = truth if labelled else np.full(count, -1)
    right = predicted == truth
    share, error, ends = _shares(right)
    entropy = np.array([[_bits(row, classes) for row in fill] for fill in predicted])
    nothing = np.full_like(share, np.nan)
    return MissingnessStudy(
        _manifest(tuple(left), count, classes),
        shares=SHARES.astype(np.float32),
        hidden=SHARES.astype(np.float32),
        predicted=predicted.astype(np.int32),
        probability=np.clip(kept * np.ones_like(firm), 0, 1).astype(np.float32),
        whole=truth.astype(np.int32),
        labels=labels.astype(np.int32),
        accuracy=share if labelled else nothing,
        accuracy_error=error if labelled else nothing,
        accuracy_interval=ends if labelled else np.full_like(ends, (0, 1)),
        entropy=entropy.astype(np.float32),
        entropy_interval=np.stack([entropy - 0.15, entropy + 0.1], -1).clip(0).astype(np.float32),
        unchanged=share,
        unchanged_error=error,
        unchanged_interval=ends,
    )


def _shares(right: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    share = right.mean(axis=2)
    error = np.sqrt(share * (1 - share) / right.shape[2])
    ends = np.stack([share - 2 * error, share + 2 * error], axis=-1).clip(0, 1)
    return share.astype(np.float32), error.astype(np.float32), ends.astype(np.float32)


def _bits(answers: np.ndarray, classes: int) -> float:
    share = np.bincount(answers, minlength=classes) / len(answers)
    share = share[share > 0]
    return float(-(share * np.log2(share)).sum())


def _manifest(fills: tuple[str, ...], count: int, classes: int) -> dict[str, Any]:
    names = ["circle", "triangle", "square", "star", "ring", "cross", "heart", "crescent",
             "arrow", "leaf"]  # fmt: skip
    return {
        "key": "example",
        "request": {"order": "random", "cells": "blocks", "grid": [8, 8], "seed": 0},
        "display": {
            "fills": list(fills),
            "fill_titles": [_TITLES.get(fill, fill.capitalize()) for fill in fills],
            "classes": names[:classes],
        },
        "source": {"model_title": "A network", "images": "Scenes"},
        "outcome": {"skipped": []},
    }
