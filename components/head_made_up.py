"""Made-up findings about attention heads, for examples and tests."""

from __future__ import annotations

from typing import Any

import numpy as np

from engine.head_results import (
    BLOCKS,
    MEASURES,
    HeadMaps,
    HeadPatterns,
    HeadScores,
    HeadStrength,
    PartialPruning,
    PruningCurve,
)

LAYERS, HEADS, SIDE = 6, 6, 8


def manifest(**display: Any) -> dict[str, Any]:
    """Return a manifest of a finding about 6 layers of 6 heads."""
    return {
        "key": "example",
        "request": {"target": {"index": 1, "name": "tabby cat"}, "layer": 3, "head": 1},
        "display": {
            "layers": [f"blocks.{index}" for index in range(LAYERS)],
            "grids": [[SIDE, SIDE]] * LAYERS,
            "windows": [1] * LAYERS,
            "heads": [HEADS] * LAYERS,
            **display,
        },
        "source": {"model_title": "A network", "images": "12 pictures"},
        "outcome": {"pictures": 12, "silhouette": 0.62},
    }


def scores(seed: int = 0, signed: bool = False) -> HeadScores:
    """Made-up importance: the later layers matter more; the second has four heads only."""
    draw = np.random.default_rng(seed)
    values = draw.gamma(1.2, 0.02, (LAYERS, HEADS)) * np.linspace(0.5, 1.6, LAYERS)[:, None]
    if signed:
        values -= 0.02
    values[1, 4:] = np.nan
    error = np.where(np.isfinite(values), 0.003, np.nan)
    return HeadScores(manifest(), values.astype(np.float32), error.astype(np.float32))


def maps(layers: int = LAYERS, heads: int = HEADS, side: int = SIDE) -> HeadMaps:
    """Made-up maps: heads look near at first, and at one thing in the end."""
    y, x = np.divmod(np.arange(side * side), side)
    far = np.hypot(y[:, None] - y, x[:, None] - x) / side
    thing = np.hypot(y - 0.3 * side, x - 0.6 * side) / side
    draw = np.random.default_rng(0)
    found = []
    for layer in range(layers):
        late = layer / max(1, layers - 1)
        scores_ = np.zeros((1, heads, 1 + side * side, 1 + side * side))
        for head in range(heads):
            sharp = 3 + 10 * (head + 1) / heads
            near = -sharp * far * (1 - late) - sharp * thing * late
            scores_[0, head, 1:, 1:] = near + draw.normal(0, 0.5, near.shape)
            scores_[0, head, 0, 1:] = -sharp * late * thing + draw.normal(0, 0.8, len(thing))
        raised = np.exp(scores_)
        found.append((raised / raised.sum(axis=-1, keepdims=True)).astype(np.float32))
    tokens = np.arange(1 + side * side)[None]
    names = tuple(f"blocks.{index}" for index in range(layers))
    grids = ((side, side),) * layers
    ones, zeros = (1,) * layers, (0,) * layers
    return HeadMaps(tuple(found), (tokens,) * layers, grids, ones, zeros, names, zeros)


def strength() -> HeadStrength:
    """Made-up strength: the later the layer, the farther heads look."""
    draw = np.random.default_rng(0)
    hops = np.arange(SIDE)
    reach = (0.8 + np.arange(LAYERS)[:, None] * 0.7) * draw.uniform(0.6, 1.6, (LAYERS, HEADS))
    cells = np.array([1, 6.1, 10.5, 13.1, 13.5, 11.8, 7.4, 0.9])
    weights = cells * np.exp(-hops / reach[..., None])
    profile = 0.96 * weights / weights.sum(axis=-1, keepdims=True)
    measures = np.zeros((LAYERS, HEADS, len(MEASURES)))
    measures[..., :3] = (0.1, 0.9, 0.04)
    measures[..., 3] = 8 * (profile * hops).sum(axis=-1)
    measures[..., 4] = -(profile * np.log(profile / cells)).sum(axis=-1)
    measures[..., 5] = measures[..., 4] / np.log(65)
    measures[..., 6] = np.round(0.55 * np.exp(measures[..., 4]))
    measures[..., 7] = measures[..., 6] / 65
    return HeadStrength(
        manifest(),
        profile.astype(np.float32),
        np.tile(cells, (LAYERS, 1)).astype(np.float32),
        measures.astype(np.float32),
        np.full(profile.shape, 0.004, np.float32),
        np.abs(0.05 * measures).astype(np.float32),
    )


def partial(flip: float = 1.0) -> PartialPruning:
    """Made-up pruning: what the class token takes from patches counts most."""
    of_block = np.array([[-0.004, -0.003], [-0.11, -0.08], [0.006, 0.004], [-0.035, 0.012]])
    blocks = flip * np.stack([12 * of_block, of_block], axis=-1)
    whole = flip * np.array([-1.6, -0.145])
    assert len(blocks) == len(BLOCKS)
    return PartialPruning(
        manifest(),
        blocks.astype(np.float32),
        whole.astype(np.float32),
        np.array([4.2, 0.62], np.float32),
    )


def curve() -> PruningCurve:
    """Made-up pruning of 36 heads: half of them can go, if they are the right ones."""
    off = np.linspace(0, 36, 13).round().astype(np.int32)
    fall = np.array([[24.0, 2.0], [5.0, 3.0], [14.0, 5.0]])  # where half is lost, and how fast
    kept = 1 / (1 + np.exp((off - fall[:, :1]) / fall[:, 1:]))
    accuracy = 0.125 + 0.8 * kept / kept[:, :1]
    loss = 0.2 + 2.4 * (1 - kept / kept[:, :1])
    error = np.full(accuracy.shape, 0.02, np.float32)
    told = manifest(orders=["least important first", "most important first", "random"])
    told["outcome"]["images"] = 96
    return PruningCurve(
        told, off, accuracy.astype(np.float32), error, loss.astype(np.float32), 2 * error
    )


def patterns(pictures: int = 8) -> HeadPatterns:
    """Made-up patterns: four clusters, a head in each picture near its own place."""
    names = ["local", "global", "content-based", "vertical"]
    middles = np.array([[-2.2, 0.4], [1.6, 1.7], [1.4, -1.5], [-0.9, -1.9]])
    draw = np.random.default_rng(0)
    own = draw.choice(4, (LAYERS, HEADS), p=(0.4, 0.25, 0.25, 0.1))
    layer, head, image = (
        axis.ravel().astype(np.int32) for axis in np.indices((LAYERS, HEADS, pictures))
    )
    cluster = own[layer, head]
    centre = middles[own] + draw.normal(0, 0.35, (LAYERS, HEADS, 2))
    at = centre[layer, head] + draw.normal(0, 0.14, (len(layer), 2))
    told = manifest(
        names=names, breadths=["local", "global", "global", "hybrid"], statistics=["evenness"]
    )
    return HeadPatterns(
        told,
        layer,
        head,
        image,
        at.astype(np.float32),
        cluster.astype(np.int32),
        draw.uniform(0, 1, (len(layer), 1)).astype(np.float32),
        np.where(own == 2, 0.6, 0.05).astype(np.float32),
    )
