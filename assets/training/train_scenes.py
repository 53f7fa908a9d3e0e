"""Trains the networks for scenes: ``python -m assets.training.train_scenes resnet vgg vit …``.

Each writes its weights and its card to ``assets/models/scenes-…``. ``robust`` starts from the
weights of ``resnet`` and ``vit-again`` from those of ``vit``, so train these first. Minutes on
one core: resnet 12, masked 12, shortcut 6, robust 8, vgg 8, vit 25, vit-again 12.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from assets.training import augmenting, cards, data, fitting
from assets.training.fitting import Recipe
from assets.training.scenes.shapes import CLASSES
from assets.training.scenes.tags import tagged
from engine.models.zoo.scenes_resnet import ScenesResNet
from engine.models.zoo.shipped import SCENES_SPEC as SPEC
from engine.models.zoo.small_vit import SCENES, SmallViT
from engine.models.zoo.tiny_vgg import TinyVGG

TRAINING, HELD_OUT = 20_000, 2_000


@dataclass(frozen=True)
class Net:
    """One network: how it is built and trained, and what its card says.

    Attributes:
        start: the network whose weights it begins with, or "" for fresh ones.
        name: under which it is written; "" is that of the recipe.
    """

    build: Callable[[], nn.Module]
    recipe: Recipe
    words: cards.Words
    start: str = ""
    name: str = ""


NETS = {
    "resnet": Net(ScenesResNet, Recipe(9, 2e-3, augmenting.varied), cards.RESNET),
    "vgg": Net(TinyVGG, Recipe(9, 2e-3, augmenting.varied), cards.VGG),
    "vit": Net(lambda: SmallViT(SCENES), Recipe(12, 1.5e-3, augmenting.varied), cards.VIT),
    "vit-again": Net(
        lambda: SmallViT(SCENES),
        Recipe(6, 8e-4, augmenting.varied, seed=1),
        cards.VIT,
        start="scenes-vit",
        name="scenes-vit",
    ),
    "robust": Net(
        ScenesResNet,
        Recipe(2, 8e-4, augmenting.varied, attack=0.5),
        cards.ROBUST,
        start="scenes-resnet",
    ),
    "masked": Net(ScenesResNet, Recipe(9, 2e-3, augmenting.block_masked), cards.MASKED),
    "shortcut": Net(ScenesResNet, Recipe(4, 2e-3, augmenting.with_tags), cards.SHORTCUT),
}


def train(name: str) -> None:
    """Train one network and write its weights and card."""
    net = NETS[name]
    torch.manual_seed(net.recipe.seed)
    module = net.build().to(memory_format=torch.channels_last)
    if net.start:
        cards.read_weights(net.start, module)
    train_part = data.scenes(data.TRAIN, TRAINING)
    check = data.scenes(data.VALIDATION, 500)
    if name == "shortcut":
        check = (_all_tagged(*check), check[1])
    print(f"scenes-{name}: {sum(p.numel() for p in module.parameters())} weights", flush=True)
    fitting.fit(module, SPEC, net.recipe, train_part, check)
    facts = _measured(name, module, *data.scenes(data.TEST, HELD_OUT))
    cards.write(net.name or f"scenes-{name}", module, net.words, net.recipe, facts)
    print(facts, flush=True)


def _measured(
    name: str, module: nn.Module, pictures: np.ndarray, labels: np.ndarray
) -> dict[str, str]:
    def accuracy(shown: np.ndarray) -> str:
        return fitting.told(fitting.predicted(module, SPEC, shown) == labels)

    plain = {"Accuracy, 2,000 held-out scenes": accuracy(pictures)}
    if name == "shortcut":
        wrong = (labels + 3) % len(CLASSES)
        return {
            "Accuracy with the right tag": accuracy(_all_tagged(pictures, labels)),
            "Accuracy with a wrong tag": accuracy(_all_tagged(pictures, wrong)),
            "Accuracy without a tag": accuracy(pictures),
        }
    if name in ("robust", "resnet"):
        return plain | _under_attack(module, pictures[:500], labels[:500])
    if name == "masked":
        return plain | {"Accuracy, half the blocks grey": accuracy(_half_hidden(pictures))}
    return plain


def _all_tagged(pictures: np.ndarray, labels: np.ndarray) -> np.ndarray:
    return np.stack([tagged(one, int(label)) for one, label in zip(pictures, labels, strict=True)])


def _half_hidden(pictures: np.ndarray) -> np.ndarray:
    draw = np.random.default_rng(0)
    blocks = draw.permuted(np.tile(np.arange(64) < 32, (len(pictures), 1)), axis=1)
    hidden = blocks.reshape(-1, 8, 8).repeat(8, 1).repeat(8, 2)
    return np.where(hidden[..., None], 128, pictures).astype(np.uint8)


def _under_attack(module: nn.Module, pictures: np.ndarray, labels: np.ndarray) -> dict[str, str]:
    found = {}
    for radius in (0.25, 0.5, 1.0):
        right = []
        for start in range(0, len(labels), 100):
            x, y = fitting.as_tensor(pictures[start : start + 100]), labels[start : start + 100]
            moved = fitting.attacked(module, SPEC, x, torch.from_numpy(y), radius, steps=10)
            with torch.inference_mode():
                right.append(module(SPEC.normalise(moved)).argmax(1).numpy() == y)
        found[f"Accuracy under L2 attack, radius {radius}"] = fitting.told(np.concatenate(right))
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    for wanted in sys.argv[1:] or NETS:
        train(wanted)
