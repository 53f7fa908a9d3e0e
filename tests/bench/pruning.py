"""Pruning: what criteria and repairs keep of three networks' accuracy, without training after.

Every layer loses the same share of its units. ``digits-cnn`` (no batch norm) and
``scenes-resnet`` are the networks at hand; "digits, batch norm" are three small networks trained
here on scikit-learn's digits, one for each seed. What is told is the mean of three seeds (of the
random control, of the pictures calibrated on; of the small networks also of their training) and
the lowest and the highest of them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import nn

import engine
from assets.training import data
from assets.training.fitting import as_tensor
from engine.heads.pictures import load_pictures
from engine.inputs.samples import load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import TensorSpec
from engine.pruning.cutting.gating import gated_copy
from engine.pruning.finding.groups import find_groups
from engine.pruning.repairing.repairs import REPAIRS, repaired
from engine.pruning.scoring.scopes import choose
from engine.pruning.scoring.score import score_units

SEEDS = (0, 1, 2)
RATIOS = (0.25, 0.5)
ONLY_HEADS = ("ablation", "confidence", "output-norm", "uniqueness")


@dataclass(frozen=True)
class Subject:
    """A network, what it is calibrated on and what it is asked."""

    model: LoadedModel
    calibration: torch.Tensor
    x: torch.Tensor
    labels: np.ndarray

    def accuracy(self, model: LoadedModel) -> float:
        """Share of right answers in percent."""
        with torch.no_grad():
            parts = [model.forward(part).argmax(dim=1) for part in self.x.split(256)]
        return 100 * float(np.mean(torch.cat(parts).cpu().numpy() == self.labels))


class SmallNet(nn.Module):
    """(n, 1, 8, 8) → (n, 10), with a batch norm after every convolution."""

    def __init__(self) -> None:
        super().__init__()
        widths = (1, 16, 32, 64)
        layers: list[nn.Module] = []
        for fed, width in pairwise(widths):
            conv = nn.Conv2d(fed, width, 3, padding=1, bias=False)
            layers += [conv, nn.BatchNorm2d(width), nn.ReLU()]
        layers.insert(6, nn.MaxPool2d(2))
        self.features = nn.Sequential(*layers)
        self.head = nn.Linear(widths[-1], 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 1, 8, 8) → (n, 10)"""
        return self.head(self.features(x).mean(dim=(2, 3)))


def digits(seed: int) -> Subject:
    """The digits at hand: half to calibrate on, half to ask about."""
    model, pictures = load_model("digits-cnn", device="cpu"), load_sample_set("digits")
    known = load_pictures(model, pictures)
    x = torch.cat([known.prepared(number) for number in range(len(known))])
    order = np.random.default_rng(seed).permutation(len(x))
    here, there = order[:150], order[150:]
    return Subject(model, x[here], x[there], known.labels[there])


def scenes(seed: int) -> Subject:
    """Scenes that no training saw: 1,000 to ask about, other 256 to calibrate on."""
    model = load_model("scenes-resnet", device="cpu")
    pictures, labels = data.scenes(data.TEST, 2000)
    x = model.spec.normalise(as_tensor(pictures))
    own = 1000 + np.random.default_rng(seed).permutation(1000)[:256]
    return Subject(model, x[own], x[:1000], labels[:1000])


def small_digits(seed: int) -> Subject:
    """A network trained on scikit-learn's digits, two thirds of them."""
    bunch = load_digits()
    x = torch.from_numpy(bunch.images[:, None]).float() / 8 - 1
    order = np.random.default_rng(seed).permutation(len(x))
    learn, there = order[:1200], order[1200:]
    module = _trained(x[learn], torch.from_numpy(bunch.target[learn]), seed)
    model = load_model(module, input_spec=TensorSpec((1, 8, 8)), device="cpu")
    return Subject(model, x[learn[:512]], x[there], bunch.target[there])


def _trained(x: torch.Tensor, labels: torch.Tensor, seed: int, epochs: int = 20) -> nn.Module:
    torch.manual_seed(seed)
    module = SmallNet()
    steps = epochs * (len(x) // 64)
    optimiser = torch.optim.AdamW(module.parameters(), 3e-3, weight_decay=1e-2)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 1e-2, total_steps=steps)
    for _ in range(epochs):
        for part in torch.randperm(len(x))[: len(x) // 64 * 64].split(64):
            loss = nn.functional.cross_entropy(module(x[part]), labels[part])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
    return module.eval()


def figures(
    build: Callable[[int], Subject], ratio: float
) -> Iterator[tuple[str, list[list[float]]]]:
    """Yield each criterion and, for every seed, accuracy by repair; the whole network first."""
    found: dict[str, list[list[float]]] = {}
    for seed in SEEDS:
        subject = build(seed)
        model, groups = subject.model, find_groups(subject.model)
        found.setdefault("whole", []).append([subject.accuracy(model)] * len(REPAIRS))
        names = [name for name in _usual(model) if name not in ONLY_HEADS]
        scores = score_units(model, groups, subject.calibration, criteria=names, seed=seed)
        for name in names:
            kept = choose(scores[name], groups, ratio)
            gated = gated_copy(model, kept)
            row = []
            for repair in REPAIRS:
                mended = repaired(
                    model,
                    gated,
                    kept,
                    groups,
                    subject.calibration,
                    repair,
                    statistics=scores.statistics,
                )
                row.append(subject.accuracy(mended))
            found.setdefault(name, []).append(row)
    yield from found.items()


def _usual(model: LoadedModel) -> list[str]:
    return list(
        score_units(model, find_groups(model), model.prepare(torch.zeros(model.spec.shape)))
    )


def table(title: str, build: Callable[[int], Subject], ratio: float) -> None:
    """Print one table, criteria by accuracy with both repairs."""
    rows = dict(figures(build, ratio))
    whole = np.array(rows.pop("whole"))[:, 0]
    print(f"\n{title}: {ratio:.0%} of every layer gone; whole {_told(whole)} %\n")
    print("| criterion | cut | batch norms | biases | both |\n|---|---|---|---|---|")
    order = sorted(rows, key=lambda name: -np.mean([row[-1] for row in rows[name]]))
    for name in order:
        values = np.array(rows[name])  # (seeds, repairs)
        print(f"| {name} | " + " | ".join(_told(column) for column in values.T) + " |", flush=True)


def _told(values: np.ndarray) -> str:
    return f"{values.mean():.1f} ({values.min():.1f} – {values.max():.1f})"


def accuracy() -> None:
    """Print what is kept of accuracy."""
    for title, build in (
        ("digits-cnn, no batch norm, 150 digits", digits),
        ("digits, batch norm, 597 digits", small_digits),
        ("scenes-resnet, 1,000 scenes", scenes),
    ):
        for ratio in RATIOS:
            table(title, build, ratio)


if __name__ == "__main__":
    print(f"torch {torch.__version__}, engine {engine.__version__}")
    accuracy()
