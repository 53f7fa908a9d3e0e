"""Trains what paints hidden parts of scenes: ``python -m assets.training.train_autoencoder``.

Seeded; 26 minutes of one core. Weights and card go to ``assets/reconstruction/scenes``.
"""

from __future__ import annotations

import json
import math
import time
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file

from assets.training import augmenting, data
from assets.training.fitting import as_tensor
from engine.masking.fills.registry import find_fill
from engine.masking.generators.registry import make_masks
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.zoo.masked_autoencoder import MaskedAutoencoder
from engine.models.zoo.shipped import SCENES_SPEC as SPEC

TRAINING, BATCH, RATE, SEED = 20_000, 32, 1e-3, 0
HELD_OUT = 500
FOLDER = Path(__file__).parents[1] / "reconstruction/scenes"
EPOCHS, SMOOTHED = 16, 4  # seams are smoothed in the last few only: it costs as much again


def drawn_masks(count: int, draw: torch.Generator) -> torch.Tensor:
    """Draw masks, bool ``(count, 1, 64, 64)``, all with one share of their patches hidden.

    Patches of 8 pixels, a third of the time joined two by two; in half of the masks cells of
    4 pixels are hidden beside them, so that patches are hidden in part.
    """
    coarse = 4 if torch.rand((), generator=draw) < 1 / 3 else 8
    hidden = round(float(0.2 + 0.7 * torch.rand((), generator=draw)) * coarse**2)
    noise = torch.rand(count, coarse**2, generator=draw)
    keep = noise.argsort(1).argsort(1) >= hidden
    keep = _enlarged(keep.reshape(count, 1, coarse, coarse), 64 // coarse)
    share = 0.6 * torch.rand(count, 1, 1, 1, generator=draw)
    share = share * (torch.rand(count, 1, 1, 1, generator=draw) < 0.5)
    cells = torch.rand(count, 1, 16, 16, generator=draw) >= share
    return keep & _enlarged(cells, 4)


def _enlarged(keep: torch.Tensor, side: int) -> torch.Tensor:
    return keep.repeat_interleave(side, 2).repeat_interleave(side, 3)


def fit(module: MaskedAutoencoder, epochs: int = EPOCHS) -> None:
    """Train in place on the squared error of hidden pixels."""
    pictures, labels = data.scenes(data.TRAIN, TRAINING)
    targets = torch.from_numpy(labels)
    draw = torch.Generator().manual_seed(SEED)
    optimiser = torch.optim.AdamW(module.parameters(), RATE, weight_decay=0.05)
    steps = epochs * math.ceil(TRAINING / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimiser,
        lambda step: min((step + 1) / 300, 0.5 * (1 + math.cos(math.pi * step / steps))),
    )
    for epoch in range(epochs):
        began, losses = time.perf_counter(), 0.0
        paint = module if epoch >= epochs - SMOOTHED else module.painted
        module.train()
        for rows in torch.randperm(TRAINING, generator=draw).split(BATCH):
            x = augmenting.varied(as_tensor(pictures[rows.numpy()]), targets[rows], draw)
            x, keep = SPEC.normalise(x), drawn_masks(len(rows), draw)
            hidden = (~keep).expand_as(x).float()
            loss = ((paint(x, keep) - x).square() * hidden).sum() / hidden.sum()
            optimiser.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(module.parameters(), 1.0)
            optimiser.step()
            schedule.step()
            losses += float(loss.detach()) * len(rows)
        print(
            f"epoch {epoch + 1}/{epochs}: loss {losses / TRAINING:.4f}, "
            f"{time.perf_counter() - began:.0f} s",
            flush=True,
        )


def write(module: MaskedAutoencoder) -> None:
    """Write weights in half precision, and the card with what these then do."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    tensors = {name: one.half().contiguous() for name, one in module.eval().state_dict().items()}
    save_file(tensors, FOLDER / "weights.safetensors")
    module.load_state_dict(tensors)
    card = {
        "title": "Scenes auto-encoder",
        "summary": "A masked auto-encoder that paints what is hidden in a scene.",
        "licence": "Apache-2.0",
        "origin": "Trained for Haloscope by assets/training",
        "paper": "he2022masked",
        "facts": {
            "Data": "20,000 synthetic scenes (assets/training/scenes)",
            "Recipe": f"AdamW, rate {RATE:g}, {EPOCHS} epochs, batches of {BATCH}, squared error "
            f"of hidden pixels, seed {SEED}; patches of 8 pixels, alone or two by two, 20 to 90 % "
            "hidden, cells of 4 pixels beside them; seams smoothed in the last "
            f"{SMOOTHED} epochs; flips, shifts of 4 pixels, brightness, contrast and tint varied",
            **measured(module),
            "Limits": "Knows only our scenes. What it paints is the mean of what might be there, "
            "so it is blurred where much could be; with half of the patches hidden it errs hardly "
            "less than a smooth blend of their neighbours.",
        },
    }
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (FOLDER / "card.json").write_text(f"{text}\n", "utf-8")


def measured(module: MaskedAutoencoder) -> dict[str, str]:
    """Say the mean squared error on hidden pixels of held-out scenes, beside that of two fills."""
    pictures, _ = data.scenes(data.TEST, 2000)
    x = SPEC.normalise(as_tensor(pictures[:HELD_OUT]))
    model = load_model("scenes-resnet", device="cpu")
    told = {}
    for percent in (50, 75):
        masks = [make_masks("uniform", (8, 8), percent / 100, seed=i)[0] for i in range(len(x))]
        keep = _enlarged(torch.from_numpy(np.stack(masks))[:, None], 8)
        with torch.inference_mode():
            some = zip(x.split(50), keep.split(50), strict=True)
            painted = {"": torch.cat([module(*one) for one in some])}
        for name in ("mean", "neighbours"):
            painted[name] = torch.cat([_filled(model, x[i], keep[i], name) for i in range(len(x))])
        errors = {name: _error(SPEC.denormalise(one).clamp(0, 1), SPEC.denormalise(x), keep)
                  for name, one in painted.items()}  # fmt: skip
        told[f"Mean squared error, {percent} % hidden, {HELD_OUT} held-out scenes"] = (
            f"{errors['']}; mean colour {errors['mean']}, neighbouring pixels "
            f"{errors['neighbours']} (colours 0 to 1, ± 2 standard errors)"
        )
    return told


def _filled(model: LoadedModel, x: torch.Tensor, keep: torch.Tensor, fill: str) -> torch.Tensor:
    """Return one picture as a fill paints it, ``(1, channels, 64, 64)``."""
    given: list[torch.Tensor] = []

    def taken(batch: torch.Tensor) -> torch.Tensor:
        given.append(batch)
        return batch.new_zeros(len(batch), 10)

    find_fill(fill).outputs(model, taken, x[None], keep[None])
    return given[0]


def _error(painted: torch.Tensor, x: torch.Tensor, keep: torch.Tensor) -> str:
    hidden = (~keep).expand_as(x).double()
    each = ((painted - x).square() * hidden).sum((1, 2, 3)) / hidden.sum((1, 2, 3))
    return f"{each.mean():.4f} ± {2 * each.std() / math.sqrt(len(each)):.4f}"


if __name__ == "__main__":
    torch.set_num_threads(1)
    torch.manual_seed(SEED)
    trained = MaskedAutoencoder()
    fit(trained)
    write(trained)
