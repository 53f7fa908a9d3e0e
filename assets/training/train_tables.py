"""Trains the networks for tables: ``python -m assets.training.train_tables ADULT [NAME …]``.

ADULT is ``adult.data`` (``tables/sources.py`` says where to get it); the other tables are those
shipped. Seeded; half a minute on one core. Weights, columns and cards go to ``assets/models``.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from safetensors.torch import save_file
from torch import nn

from assets.training.cards import MODELS
from assets.training.tables import columns, fitting, make_tables, measuring, sources, words
from assets.training.tables.fitting import Recipe
from engine.models.table_specs import TableSpec
from engine.models.zoo.shipped_tables import HIDDEN, fresh


@dataclass(frozen=True)
class Net:
    """One network: its table, how it is trained, and what its card says.

    Attributes:
        labels: negative, positive; empty for a regression.
        recipe: None for a logistic regression fitted to the end.
        scaled: whether numbers are standardised.
    """

    table: str
    labels: tuple[str, ...]
    recipe: Recipe | None
    words: words.TableWords
    scaled: bool = True


NETS = {
    "compas-logistic": Net("compas", ("0", "1"), None, words.COMPAS_LOGISTIC, scaled=False),
    "compas-mlp": Net(
        "compas", ("0", "1"), Recipe(3e-3, 0.01, 128), words.COMPAS_MLP, scaled=False
    ),
    "cancer-mlp": Net("cancer", ("benign", "malignant"), Recipe(3e-3, 0.3, 32), words.CANCER),
    "diabetes-mlp": Net("diabetes", (), Recipe(3e-3, 1.0, 32), words.DIABETES),
    "adult-mlp": Net("adult", ("<=50K", ">50K"), Recipe(1e-3, 0.3, 256), words.ADULT),
}


def train(name: str, adult: Path) -> None:
    """Train one network and write its weights, columns and card."""
    net = NETS[name]
    rows, held_out = make_tables.read(net.table)
    if net.table == "adult":
        rows = sources.adult(adult)
    told = columns.described(rows, held_out, net.labels, scaled=net.scaled)
    spec = TableSpec.from_dict(told)
    train_part, check = (_arrays(spec, part) for part in (rows, held_out))
    torch.manual_seed(0)
    module = fresh(name, spec.shape[0])
    _fit(module, net, *(torch.from_numpy(part) for part in train_part))
    with torch.inference_mode():
        found = module(torch.from_numpy(check[0]))[:, 0].double().numpy()
    measured = measuring.of_classifier if net.labels else measuring.of_regression
    facts = measured(found, train_part, check)
    if net.table == "compas":
        facts |= measuring.false_alarms(found, held_out)
    if net.table == "adult":
        facts |= measuring.of_unseen(found, train_part, check)
    if net.recipe is None:
        facts |= _log_odds(module, spec)
    elif net.labels:
        facts |= measuring.of_logistic(train_part, check)
    _write(name, module, columns.as_text(told), _card(name, facts))
    print(name, facts, flush=True)


def _arrays(spec: TableSpec, rows: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Return features float32 ``(n, features)`` and truth float32 ``(n,)``."""
    truth = rows[spec.label]
    if spec.labels:
        truth = truth.astype(str) == spec.labels[1]
    return spec.encode(rows), truth.to_numpy(np.float32)


def _fit(module: nn.Module, net: Net, x: torch.Tensor, y: torch.Tensor) -> None:
    if net.recipe is None:
        fitting.fit_logistic(module, x, y)
    elif net.labels:
        fitting.fit(module, F.binary_cross_entropy_with_logits, x, y, net.recipe)
    else:
        mean, std = float(y.mean()), float(y.std())
        fitting.fit(module, F.mse_loss, x, (y - mean) / std, net.recipe)
        fitting.fold_scale(module, mean, std)


def _log_odds(module: nn.Module, spec: TableSpec) -> dict[str, str]:
    bias, weights = (module.get_parameter(f"linear.{part}") for part in ("bias", "weight"))
    each = zip(spec.names, weights[0].tolist(), strict=True)
    told = ", ".join(f"{name} {weight:+.2f}" for name, weight in each)
    return {"Log-odds": f"{told}, constant {bias.item():+.2f}"}


def _card(name: str, facts: dict[str, str]) -> dict[str, object]:
    net, count = NETS[name], make_tables.HELD_OUT[NETS[name].table]
    widths = " and ".join(str(width) for width in HIDDEN[name])
    fitted = "L-BFGS to convergence, no penalty; each weight is a column's log-odds"
    recipe = f"hidden layers of {widths}; {net.recipe}" if net.recipe else fitted
    said = net.words
    return {
        "title": said.title,
        "summary": said.summary,
        "licence": "Apache-2.0",
        "origin": "Trained for Haloscope by assets/training",
        "paper": said.paper,
        "facts": {
            "Data": said.data,
            "Held out": f"rows 1 to {count:,} of the table “{net.table}”",
            "Recipe": recipe,
            **facts,
            "Limits": said.limits,
            **said.more,
        },
    }


def _write(name: str, module: nn.Module, columns_json: str, card: dict[str, object]) -> None:
    folder = MODELS / name
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {key: tensor.contiguous() for key, tensor in module.eval().state_dict().items()}
    save_file(tensors, folder / "weights.safetensors")
    (folder / "columns.json").write_text(columns_json, "utf-8")
    text = json.dumps(card, indent=1, ensure_ascii=False)
    (folder / "card.json").write_text(f"{text}\n", "utf-8")


if __name__ == "__main__":
    torch.set_num_threads(1)
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    for wanted in sys.argv[2:] or NETS:
        train(wanted, Path(sys.argv[1]))
