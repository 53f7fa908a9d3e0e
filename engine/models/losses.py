"""How wrong a model is about a sample whose truth is known."""

from __future__ import annotations

import numpy as np
import torch

from engine.models.outputs import Activation


def losses_of(logits: torch.Tensor, truth: np.ndarray, activation: Activation) -> np.ndarray:
    """Return the loss of each sample, float64 ``(…, n)``.

    It is −ln of the truth's probability, in nats; of a regression, the squared error.

    Args:
        logits: ``(…, n, classes)`` on the CPU; several models may stand before the samples.
        truth: ``(n,)``: index of the class; of one logit 0 or 1; of a regression its value.
        activation: how logits become probabilities.
    """
    exact = logits.double()
    if activation == "identity":
        return (exact[..., 0].numpy() - truth) ** 2
    if activation == "sigmoid":
        signs = torch.from_numpy(1.0 - 2.0 * truth)  # +1 where the truth is the negative outcome
        return torch.nn.functional.softplus(signs * exact[..., 0]).numpy()
    index = torch.from_numpy(np.asarray(truth, np.int64)).expand(exact.shape[:-1])[..., None]
    return -exact.log_softmax(dim=-1).gather(-1, index)[..., 0].numpy()
