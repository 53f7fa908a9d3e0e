"""Tiny networks with known weights: each is one thing that a user's network may be."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F
from sklearn.ensemble import RandomForestClassifier
from torch import nn

from engine.models.estimators import BlackBox, as_network
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec, TensorSpec
from engine.models.table_specs import Column, TableSpec

PICTURE = ImageSpec(16, 16, mean=(0.5, 0.4, 0.3), std=(0.2, 0.25, 0.3))
SMALL = ImageSpec(8, 8, mean=(0.5,) * 3, std=(0.25,) * 3)
FIVE = TensorSpec((5,))
TABLE = TableSpec(
    (
        Column("age", mean=40.0, std=10.0),
        Column("kind", "category", ("a", "b", "c"), shares=(0.5, 0.3, 0.2)),
        Column("income", mean=3.0, std=2.0),
    )
)
NUMBERS = TableSpec(tuple(Column(name, mean=0.1) for name in "pqrs"), encoding="codes")


class TinyCnn(nn.Module):
    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 4, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(4)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(4, 6, 3, stride=2, padding=1)
        self.bn2 = nn.BatchNorm2d(6)
        self.relu2 = nn.ReLU()
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.drop = nn.Dropout(0.5)
        self.linear = nn.Linear(6, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.bn1(self.conv1(x)))  # (n, 4, 16, 16)
        x = self.relu2(self.bn2(self.conv2(x)))  # (n, 6, 8, 8)
        return self.linear(self.drop(self.pool(x).flatten(1)))


class InplaceCnn(TinyCnn):
    """One ReLU, used twice, that overwrites what it is given."""

    def __init__(self, classes: int = 3) -> None:
        super().__init__(classes)
        del self.relu2
        self.relu1 = nn.ReLU(inplace=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.bn1(self.conv1(x)))
        x = self.relu1(self.bn2(self.conv2(x)))
        return self.linear(self.drop(self.pool(x).flatten(1)))


class TinyVit(nn.Module):
    def __init__(self, width: int = 8, heads: int = 2, classes: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.patches = nn.Conv2d(3, width, 4, stride=4)
        self.token = nn.Parameter(torch.randn(1, 1, width))
        self.place = nn.Parameter(torch.randn(1, 17, width))
        self.norm = nn.LayerNorm(width)
        self.qkv = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.head = nn.Linear(width, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)  # (n, 16, width)
        x = torch.cat([self.token.expand(len(x), -1, -1), x], dim=1) + self.place
        parts = self.qkv(self.norm(x)).unflatten(-1, (3, self.heads, -1))
        q, k, v = parts.permute(2, 0, 3, 1, 4)  # each (n, heads, 17, width / heads)
        mixed = F.scaled_dot_product_attention(q, k, v)
        x = x + self.out(mixed.transpose(1, 2).flatten(2))
        return self.head(x[:, 0])


class ImageLinear(nn.Module):
    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        self.flat = nn.Flatten()
        self.linear = nn.Linear(3 * 8 * 8, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.linear(self.flat(x))


class Mlp(nn.Module):
    def __init__(self, classes: int = 3) -> None:
        super().__init__()
        self.first = nn.Linear(5, 7)
        self.tanh = nn.Tanh()
        self.second = nn.Linear(7, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.second(self.tanh(self.first(x)))


class TableNet(nn.Module):
    """Five features, those of ``TABLE``, and a ReLU of its own after each layer but the last."""

    def __init__(self, classes: int = 3, features: int = 5) -> None:
        super().__init__()
        self.first = nn.Linear(features, 12)
        self.relu1 = nn.ReLU()
        self.second = nn.Linear(12, 8)
        self.relu2 = nn.ReLU()
        self.third = nn.Linear(8, classes)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.relu1(self.first(x))
        return self.third(self.relu2(self.second(x)))


def forest() -> BlackBox:
    """Eight trees that tell three classes apart by four numbers."""
    rows = np.random.default_rng(0).normal(size=(60, 4))
    truth = (rows[:, 0] * rows[:, 1] > 0).astype(int) + (rows[:, 2] > 0.5)
    trees = RandomForestClassifier(8, max_depth=4, random_state=0).fit(rows, truth)
    return as_network(trees, NUMBERS)[0]


def seeded(builder: Callable[[], nn.Module], seed: int = 0) -> nn.Module:
    """A network whose weights, and whose batch norms' statistics, are drawn from a seed."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        module = builder()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                nn.init.normal_(part.running_mean, std=0.3)
                nn.init.uniform_(part.running_var, 0.5, 1.5)
                nn.init.uniform_(part.weight, 0.5, 1.5)
                nn.init.normal_(part.bias, std=0.3)
    return module.eval()


def one_logit() -> nn.Module:
    return TinyCnn(classes=1)


# name → builder, spec, family
ZOO = {
    "tiny-cnn": (TinyCnn, PICTURE, "cnn"),
    "inplace-cnn": (InplaceCnn, PICTURE, "cnn"),
    "one-logit-cnn": (one_logit, PICTURE, "cnn"),
    "tiny-vit": (TinyVit, PICTURE, "vit"),
    "image-linear": (ImageLinear, SMALL, "cnn"),
    "mlp": (Mlp, FIVE, "tabular"),
    "table": (TableNet, TABLE, "tabular"),
    "forest": (forest, NUMBERS, "tabular"),
}
NETWORKS = [name for name in ZOO if name != "forest"]


def build(name: str) -> nn.Module:
    """A fresh network of the zoo; the same weights each time."""
    return seeded(ZOO[name][0])


def load(name: str) -> LoadedModel:
    """The same, loaded; its dropout and batch norms stand in train mode, as if mid-training."""
    module = build(name)
    for part in module.modules():
        if isinstance(part, nn.Dropout | nn.BatchNorm2d):
            part.train()
    given = module.estimator if isinstance(module, BlackBox) else module
    return load_model(given, input_spec=ZOO[name][1], device="cpu")


def noise(model: LoadedModel, count: int = 1, seed: int = 0) -> torch.Tensor:
    """Prepared inputs for a model, ``(count, …)``; of a table, each category is one of its own."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn((count, *model.spec.shape), generator=generator)
    if isinstance(model.spec, TableSpec):
        for index, column in enumerate(model.spec.columns):
            place = model.spec.column_of == index
            if column.kind == "category":  # one-hot
                drawn[:, place] = F.one_hot(drawn[:, place].argmax(1), int(place.sum())).float()
    return drawn
