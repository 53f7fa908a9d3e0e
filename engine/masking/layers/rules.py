"""All rules of layer masking by the name of the call (balasubramanian2023towards)."""

from __future__ import annotations

from engine.masking.layers.elementwise import (
    POINTWISE,
    joined,
    linear,
    normalised,
    pointwise,
    softmax,
)
from engine.masking.layers.kept import Rule
from engine.masking.layers.moves import MOVES, moved, padded
from engine.masking.layers.windows import (
    adaptive_max_pool,
    average_pool,
    by_neighbours,
    convolution,
    max_pool,
    reduced,
)


def rules_with(convolve: Rule) -> dict[str, Rule]:
    """Return all rules, with one for convolutions."""
    return {
        **dict.fromkeys(POINTWISE, pointwise),
        **dict.fromkeys(MOVES, moved),
        "conv2d": convolve,
        "max_pool2d": max_pool,
        "max_pool2d_with_indices": max_pool,
        "avg_pool2d": average_pool,
        "adaptive_avg_pool2d": average_pool,
        "adaptive_max_pool2d": adaptive_max_pool,
        "adaptive_max_pool2d_with_indices": adaptive_max_pool,
        **dict.fromkeys(("mean", "amax"), reduced),
        **dict.fromkeys(("layer_norm", "rms_norm"), normalised),
        **dict.fromkeys(("softmax", "log_softmax"), softmax),
        **dict.fromkeys(("cat", "concat", "concatenate"), joined),
        "linear": linear,
        **dict.fromkeys(("pad", "constant_pad_nd"), padded),
    }


LAYER_MASKING = rules_with(convolution(by_neighbours))
