"""Patterns that sparse hardware reads: N of M consecutive inputs stay (N:M)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from typing import ClassVar

import numpy as np
import torch
from torch import nn

from engine.execution.cost import Cost
from engine.models.loaded import LoadedModel
from engine.parameters import Parameter, Value
from engine.pruning.given import Look, on_given
from engine.pruning.methods.method import Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.methods.weight_masks import (
    layer_of,
    masked_copy,
    prunable_weights,
    removed_share,
)
from engine.pruning.posthoc.base import PostHoc
from engine.pruning.units import Groups

PATTERNS = ("2:4", "1:4", "4:8")


class Patterns(PostHoc):
    """Of M consecutive inputs of each output row the N largest stay."""

    name: ClassVar[str] = "patterns"
    title = "N:M patterns"
    summary = "Keeps N of every M consecutive inputs of each output, as sparse hardware wants it."
    paper = "mishra2021accelerating"
    caveat = (
        "A preview of the accuracy alone: on a CPU nothing gets faster, and what converts to 2:4 "
        "needs CUDA. Consecutive inputs of a convolution are its input channels, at each place "
        "of the kernel on its own, as NVIDIA's tools do it; layers whose number of inputs (of "
        "one group) is no multiple of M stay dense and are named. By Wanda a weight counts "
        "|w| times the norm of its input over all pictures and places (Sun et al. 2024; over a "
        "convolution's places our definition). The output layer is treated as any other."
    )
    parameters = (
        Parameter(
            "pattern", "Pattern", "choice", "2:4", "N of M inputs that stay.", choices=PATTERNS
        ),
        Parameter(
            "by",
            "Kept by",
            "choice",
            "magnitude",
            "What makes a weight stay: its size, or its size times its input's norm (Wanda).",
            choices=("magnitude", "wanda"),
        ),
    )

    def looks(self, parameters: Mapping[str, Value]) -> bool:
        """Wanda asks how large inputs are."""
        return parameters["by"] == "wanda"

    def refusal(self, model: LoadedModel, groups: Groups) -> str:
        """There must be weights."""
        return "" if prunable_weights(model.module) else "it has no weights in floating point"

    def cost(self, pictures: int, parameters: Mapping[str, Value]) -> Cost:
        """By Wanda each picture once."""
        return Cost(pictures if self.looks(parameters) else 0)

    def compute(self, work: Work) -> Outcome:
        """Return scores, masks and the network with those weights alone."""
        stay, among = (int(part) for part in str(work.parameters["pattern"]).split(":"))
        norms = _input_norms(work) if self.looks(work.parameters) else None
        scores: dict[str, np.ndarray] = {}
        skipped: dict[str, str] = {}
        with work.model.lock:
            for name, weight in prunable_weights(work.model.module).items():
                problem = _problem(name, weight, among, norms)
                if problem:
                    skipped[name] = problem
                else:
                    norm = None if norms is None else norms[layer_of(name)]
                    scores[name] = _scores(weight, norm)
        masks = {name: pattern_mask(score, stay, among) for name, score in scores.items()}
        told = {"skipped": skipped, "removed": removed_share(masks) if masks else 0.0}
        copy = masked_copy(work.model, masks, f"{stay}:{among}")
        return Outcome(told=told, weight_scores=scores, masks=masks, model=copy)


def pattern_mask(scores: np.ndarray, stay: int, among: int) -> np.ndarray:
    """Return the mask that keeps the best of consecutive inputs; of equal ones the first.

    Args:
        scores: ``(outputs, inputs, …)``; inputs is a multiple of ``among``.
        stay, among: N and M.
    """
    rows = np.moveaxis(scores, 1, -1)  # (outputs, …, inputs)
    blocks = rows.reshape(-1, among)
    best = np.argsort(-blocks, axis=1, kind="stable")[:, :stay]
    mask = np.zeros(blocks.shape, dtype=bool)
    np.put_along_axis(mask, best, True, axis=1)
    return np.ascontiguousarray(np.moveaxis(mask.reshape(rows.shape), -1, 1))


def _problem(
    name: str, weight: torch.Tensor, among: int, norms: Mapping[str, torch.Tensor] | None
) -> str:
    if weight.shape[1] % among:
        return f"{weight.shape[1]} inputs are no multiple of {among}"
    if norms is not None and layer_of(name) not in norms:
        return "its input is not seen: the layer is not called by itself"
    return ""


def _scores(weight: torch.Tensor, norm: torch.Tensor | None) -> np.ndarray:
    size = weight.detach().abs().double().cpu()
    if norm is not None:
        # Of a grouped convolution each row reads the inputs of its own group.
        each = norm.reshape(-1, size.shape[1])
        each = each.repeat_interleave(len(size) // len(each), dim=0)
        size = size * each.reshape(len(size), size.shape[1], *[1] * (size.ndim - 2))
    return size.numpy()


def _input_norms(work: Work) -> dict[str, torch.Tensor]:
    """Return the L2 norm of each input of each layer over pictures and places, float64."""
    layers = {layer_of(name) for name in prunable_weights(work.model.module)}
    squares: dict[str, torch.Tensor] = {}
    for batch in work.batches():
        with torch.no_grad(), work.model.ready() as module, _summing(module, layers, squares):
            work.passes.forward(batch.x)
    return {name: total.sqrt() for name, total in squares.items()}


@contextmanager
def _summing(
    module: nn.Module, names: set[str], squares: dict[str, torch.Tensor]
) -> Iterator[None]:
    def watcher(name: str) -> Look:
        def watch(part: nn.Module, given: torch.Tensor) -> None:
            x = given.detach().double()
            axis = x.ndim - 1 if isinstance(part, nn.Linear | nn.MultiheadAttention) else 1
            found = x.movedim(axis, 0).flatten(1).square().sum(dim=1).cpu()
            squares[name] = squares.get(name, 0) + found

        return watch

    with ExitStack() as stack:
        for name, part in module.named_modules():
            if name in names:
                stack.callback(on_given(part, watcher(name)).remove)
        yield
