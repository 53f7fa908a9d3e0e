"""How far what the classification head is given turns without the attention head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from engine.attention.site import AttentionSites
from engine.errors import MethodError
from engine.heads.ablation import Place
from engine.heads.families.ablating import AblationMetric, no_classes
from engine.heads.running import Rows
from engine.heads.said import Said, readers_of
from engine.models.loaded import LoadedModel
from engine.parameters import Value


class Embedding(AblationMetric):
    """1 − cosine of the embeddings with and without the head.

    The embedding is what the linear layer is given that puts out the classes; of two such
    layers both, side by side (our definition).
    """

    name = "embedding"
    title = "Turn of the embedding"
    summary = "Switches each head off and sees how far the picture's embedding turns."
    unit = "1 − cosine of the embedding"
    paper = "michel2019sixteen"
    caveat = (
        "Asks about no class: it counts directions that the classes may not care for. The "
        "embedding is what the last linear layer is given (our definition)."
    )

    def score(self, said: Said, without: Said, classes: torch.Tensor) -> torch.Tensor:
        """Return 1 − cosine, 0 to 2; NaN where no embedding was seen."""
        if said.embedding is None or without.embedding is None:
            return torch.full(without.log_p.shape[:-1], torch.nan, dtype=torch.float64)
        cosine = torch.nn.functional.cosine_similarity(
            said.embedding.expand_as(without.embedding), without.embedding, dim=-1, eps=1e-30
        )
        return 1 - cosine.clamp(-1, 1)

    def combined(
        self, rows: Rows, places: Sequence[Place], parameters: Mapping[str, Value]
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Return mean and error.

        Raises:
            MethodError: no embedding was seen.
        """
        if np.isnan(rows[self.name]).all():
            raise MethodError(_NONE)
        return super().combined(rows, places, parameters)

    def refusal(self, model: LoadedModel, found: AttentionSites) -> str:
        """Without a linear layer that puts out the classes there is no embedding."""
        return no_classes(model) or ("" if readers_of(model) else f"{model.card.title}: {_NONE}")


_NONE = "no linear layer puts out the classes, so it is not known what they are read from"
