"""The same numbers derived again, in plain float64 numpy, sharing no code with the engine."""

from __future__ import annotations

from collections.abc import Callable
from math import factorial

import numpy as np
from PIL import Image
from torch import nn

Score = Callable[[np.ndarray], float]


def weight(module: nn.Module, name: str) -> np.ndarray:
    """A tensor of a network's state, float64."""
    return module.state_dict()[name].numpy().astype(np.float64)


def softmax(logits: np.ndarray) -> np.ndarray:
    powers = np.exp(logits - logits.max())
    return powers / powers.sum()


def sigmoid(logit: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-logit))


# Preparing a picture: torchvision's Resize(int), CenterCrop, ToTensor, Normalize.


def resized(picture: Image.Image, short: int, how: Image.Resampling) -> np.ndarray:
    """The shorter side becomes ``short``, the longer one is cut to a whole number."""
    w, h = picture.size
    size = (short, int(short * h / w)) if w <= h else (int(short * w / h), short)
    return np.asarray(picture.resize(size, how))


def centre_crop(pixels: np.ndarray, height: int, width: int) -> np.ndarray:
    """Black is added, the odd pixel after, where the picture is smaller than the crop."""
    h, w = pixels.shape[:2]
    more_h, more_w = max(0, height - h), max(0, width - w)
    margins = [(more_h // 2, more_h - more_h // 2), (more_w // 2, more_w - more_w // 2)]
    pixels = np.pad(pixels, margins + [(0, 0)] * (pixels.ndim - 2))
    h, w = pixels.shape[:2]
    top, left = round((h - height) / 2.0), round((w - width) / 2.0)
    return pixels[top : top + height, left : left + width]


def prepared(
    picture: Image.Image,
    size: tuple[int, int],
    short: int,
    how: Image.Resampling,
    mean: tuple[float, ...],
    std: tuple[float, ...],
) -> np.ndarray:
    """float64 ``(channels, height, width)``."""
    pixels = centre_crop(resized(picture, short, how), *size)
    unit = np.atleast_3d(pixels).astype(np.float64) / 255
    return ((unit - np.array(mean)) / np.array(std)).transpose(2, 0, 1)


# The tiny convolutional network.


def convolution(
    x: np.ndarray, kernels: np.ndarray, bias: np.ndarray, stride: int, padding: int
) -> np.ndarray:
    """``(channels, rows, columns)`` → ``(kernels, rows, columns)``."""
    padded = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    size = kernels.shape[-2:]
    places = np.lib.stride_tricks.sliding_window_view(padded, size, axis=(1, 2))
    products = np.einsum("crkij,ocij->ork", places[:, ::stride, ::stride], kernels)
    return products + bias[:, None, None]


def batch_norm(x: np.ndarray, module: nn.Module, name: str, eps: float = 1e-5) -> np.ndarray:
    def column(part: str) -> np.ndarray:
        return weight(module, f"{name}.{part}")[:, None, None]

    unit = (x - column("running_mean")) / np.sqrt(column("running_var") + eps)
    return unit * column("weight") + column("bias")


def cnn_maps(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """Maps of the last ReLU of ``zoo.TinyCnn``, ``(6, 8, 8)``."""
    for index, stride in ((1, 1), (2, 2)):
        kernels, bias = weight(module, f"conv{index}.weight"), weight(module, f"conv{index}.bias")
        x = convolution(x, kernels, bias, stride, padding=1)
        x = np.maximum(batch_norm(x, module, f"bn{index}"), 0)
    return x


def cnn_logits(module: nn.Module, x: np.ndarray) -> np.ndarray:
    pooled = cnn_maps(module, x).mean(axis=(1, 2))
    return weight(module, "linear.weight") @ pooled + weight(module, "linear.bias")


def cnn_grad_cam(module: nn.Module, x: np.ndarray, target: int) -> np.ndarray:
    """∂ logit / ∂ map is W[target, channel] / cells, in every cell alike."""
    maps = cnn_maps(module, x)
    cells = maps.shape[1] * maps.shape[2]
    weights = weight(module, "linear.weight")[target] / cells
    return np.einsum("c,crk->rk", weights, maps)


# The tiny multilayer perceptron.


def mlp_logits(module: nn.Module, x: np.ndarray) -> np.ndarray:
    hidden = np.tanh(weight(module, "first.weight") @ x + weight(module, "first.bias"))
    return weight(module, "second.weight") @ hidden + weight(module, "second.bias")


def mlp_gradient(module: nn.Module, x: np.ndarray, target: int) -> np.ndarray:
    first = weight(module, "first.weight")
    hidden = np.tanh(first @ x + weight(module, "first.bias"))
    return first.T @ ((1 - hidden**2) * weight(module, "second.weight")[target])


def integrated_gradients(
    gradient: Callable[[np.ndarray], np.ndarray], x: np.ndarray, baseline: np.ndarray, steps: int
) -> np.ndarray:
    """The path integral by Gauss and Legendre's quadrature."""
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    along = [gradient(baseline + (1 + node) / 2 * (x - baseline)) for node in nodes]
    return (x - baseline) * sum(w / 2 * g for w, g in zip(weights, along, strict=True))


# Occlusion, and the outputs of a network under masks.


def occlusion(
    score: Score, x: np.ndarray, hidden: np.ndarray, window: int, stride: int
) -> np.ndarray:
    """Mean fall of the score over the windows on each pixel, ``(rows, columns)``.

    Windows start every ``stride`` pixels, up to the first that reaches the far edge.
    """
    _, rows, columns = x.shape
    total, count = np.zeros((rows, columns)), np.zeros((rows, columns))
    top = 0
    while True:
        left = 0
        while True:
            place = (..., slice(top, top + window), slice(left, left + window))
            changed = x.copy()
            changed[place] = hidden[place]
            total[place] += score(x) - score(changed)
            count[place] += 1
            if left + window >= columns:
                break
            left += stride
        if top + window >= rows:
            break
        top += stride
    return np.divide(total, count, out=np.zeros_like(total), where=count > 0)


# Rows of a table, and the network for tables.


def table_logits(module: nn.Module, x: np.ndarray) -> np.ndarray:
    """Of ``zoo.TableNet``: features ``(…, features)`` → logits ``(…, classes)``."""
    for name in ("first", "second"):
        x = np.maximum(x @ weight(module, f"{name}.weight").T + weight(module, f"{name}.bias"), 0)
    return x @ weight(module, "third.weight").T + weight(module, "third.bias")


def deep_lift(module: nn.Module, x: np.ndarray, baseline: np.ndarray, target: int) -> np.ndarray:
    """Of ``zoo.TableNet`` by the rescale rule, ``(features,)``."""
    weights, ratios, ends = [], [], np.stack([x, baseline])
    for name in ("first", "second"):
        weights.append(weight(module, f"{name}.weight"))
        before = ends @ weights[-1].T + weight(module, f"{name}.bias")
        ends = np.maximum(before, 0)
        ratios.append((ends[0] - ends[1]) / (before[0] - before[1]))
    multipliers = weight(module, "third.weight")[target]
    for matrix, ratio in zip(weights[::-1], ratios[::-1], strict=True):
        multipliers = (multipliers * ratio) @ matrix
    return multipliers * (x - baseline)


def folded(values: np.ndarray, column_of: np.ndarray) -> np.ndarray:
    """One value for each column: the sum over its features."""
    return np.array([values[column_of == column].sum() for column in range(column_of.max() + 1)])


def worth(
    score: Score, x: np.ndarray, rows: np.ndarray, column_of: np.ndarray
) -> Callable[[np.ndarray], float]:
    """A coalition of columns is worth the mean score with the others those of each row."""

    def of(keep: np.ndarray) -> float:
        return float(np.mean([score(np.where(keep[column_of], x, row)) for row in rows]))

    return of


def shapley(of: Callable[[np.ndarray], float], players: int) -> np.ndarray:
    """Shapley values by their definition: over all coalitions, what each player adds."""
    values = np.zeros(players)
    for number in range(2**players):
        keep = (number >> np.arange(players)) & 1 == 1
        without = of(keep)
        size = keep.sum()
        for player in np.flatnonzero(~keep):
            joined = keep.copy()
            joined[player] = True
            share = factorial(size) * factorial(players - size - 1) / factorial(players)
            values[player] += share * (of(joined) - without)
    return values
