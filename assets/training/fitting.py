"""The training loop, seeded, and what is measured afterwards."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from assets.training.augmenting import Augment
from assets.training.data import Part
from engine.models.specs import ImageSpec


@dataclass(frozen=True)
class Recipe:
    """How a network is trained.

    Attributes:
        epochs, rate, batch: as usual; AdamW with warm-up and cosine.
        decay: weight decay.
        smoothing: of the labels.
        augment: what is done to the pictures.
        attack: L2 radius of the PGD that pictures are attacked with while training, or 0.
        seed: of weights, order and augmentation.
    """

    epochs: int
    rate: float
    augment: Augment
    batch: int = 32
    decay: float = 0.05
    smoothing: float = 0.05
    attack: float = 0.0
    seed: int = 0


def as_tensor(pictures: np.ndarray) -> torch.Tensor:
    """Return uint8 pictures ``(n, side, side[, 3])`` as ``(n, channels, side, side)`` in [0, 1]."""
    if pictures.ndim == 3:
        pictures = pictures[..., None]
    return torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255


def fit(module: nn.Module, spec: ImageSpec, recipe: Recipe, train: Part, check: Part) -> None:
    """Train a network in place, telling its accuracy on ``check`` after every epoch."""
    pictures, labels = train
    targets = torch.from_numpy(labels)
    draw = torch.Generator().manual_seed(recipe.seed)
    steps = math.ceil(len(labels) / recipe.batch) * recipe.epochs
    optimiser = torch.optim.AdamW(module.parameters(), recipe.rate, weight_decay=recipe.decay)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimiser, lambda step: _rate(step, steps))
    for epoch in range(recipe.epochs):
        began, losses = time.perf_counter(), 0.0
        module.train()
        for rows in torch.randperm(len(labels), generator=draw).split(recipe.batch):
            x = recipe.augment(as_tensor(pictures[rows.numpy()]), targets[rows], draw)
            if recipe.attack:
                x = attacked(module, spec, x, targets[rows], recipe.attack, steps=3)
            logits = module(spec.normalise(x))
            loss = F.cross_entropy(logits, targets[rows], label_smoothing=recipe.smoothing)
            optimiser.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses += float(loss.detach()) * len(rows)
        share = float(np.mean(predicted(module, spec, check[0]) == check[1]))
        print(
            f"epoch {epoch + 1}/{recipe.epochs}: loss {losses / len(labels):.3f}, "
            f"accuracy {share:.3f}, {time.perf_counter() - began:.0f} s",
            flush=True,
        )


def _rate(step: int, steps: int) -> float:
    warm = max(1, steps // 20)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm)))


def attacked(
    module: nn.Module,
    spec: ImageSpec,
    x: torch.Tensor,
    labels: torch.Tensor,
    radius: float,
    steps: int,
) -> torch.Tensor:
    """Return pictures moved by L2-PGD within a radius, in [0, 1] (madry2018towards)."""
    training = module.training
    module.eval()
    moved = x.clone()
    for _ in range(steps):
        moved.requires_grad_()
        loss = F.cross_entropy(module(spec.normalise(moved)), labels, reduction="sum")
        (gradient,) = torch.autograd.grad(loss, moved)
        length = gradient.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-12)
        off = moved.detach() + 2.5 * radius / steps * gradient / length - x
        far = off.flatten(1).norm(dim=1)[:, None, None, None].clamp(min=1e-12)
        moved = (x + off * (radius / far).clamp(max=1)).clamp(0, 1).detach()
    module.train(training)
    return moved


def predicted(module: nn.Module, spec: ImageSpec, pictures: np.ndarray) -> np.ndarray:
    """Return the predicted class of each picture."""
    module.eval()
    with torch.inference_mode():
        chunks = [
            module(spec.normalise(as_tensor(pictures[start : start + 100]))).argmax(1).numpy()
            for start in range(0, len(pictures), 100)
        ]
    return np.concatenate(chunks)


def told(right: np.ndarray) -> str:
    """Say an accuracy with its 95 % Wilson interval: "97.1 % (96.3 – 97.8)"."""
    count, share, z = len(right), float(np.mean(right)), 1.96
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count**2)) / (1 + z * z / count)
    return f"{100 * share:.1f} % ({100 * (middle - half):.1f} – {100 * (middle + half):.1f})"
