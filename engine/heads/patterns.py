"""``head_patterns``: what heads have learned to look at, seen as clusters of their maps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import torch

from engine.errors import ParameterError, nearest
from engine.execution.passes import Cancel, Passes, Progress
from engine.head_results import HeadPatterns
from engine.heads import autoencoder
from engine.heads.clustering import clusters_of
from engine.heads.looking import Head
from engine.heads.mapping import need_umap, principal, umapped
from engine.heads.pattern_names import STATISTICS, breadth_of, name_of
from engine.heads.points import Points
from engine.heads.pooling import common_grid
from engine.heads.study import Pictures, plan_study
from engine.models.loaded import LoadedModel

Code = Literal["pca", "autoencoder"]
Plane = Literal["pca", "umap"]
_COMPONENTS = 32
_BESIDE = 2.0  # what the statistics weigh beside the codes
_EVENNESS = STATISTICS.index("evenness")


def head_patterns(
    model: LoadedModel,
    pictures: Pictures,
    *,
    code: Code = "pca",
    plane: Plane = "pca",
    off: Collection[Head] = (),
    seed: int = 0,
    progress: Progress | None = None,
    cancel: Cancel | None = None,
) -> HeadPatterns:
    """Cluster the maps of all heads in all pictures; those that cannot be read are left out.

    A map goes from patches to patches and is brought to at most 49 × 49, its weights' roots being
    taken (their distance is then Hellinger's). Its code of 32 numbers and its simple statistics,
    which weigh twice as much, are clustered and laid out in a plane; clusters are named by the
    statistics (our definitions, after li2023how).

    Args:
        model: a loaded model.
        pictures: a set, or several inputs.
        code: "pca" (principal components) or "autoencoder" (a small network, trained here).
        plane: "pca" (their first two components) or "umap" (if umap-learn is installed).
        off: layer and head of those switched off.
        seed: of the auto-encoder, the clusters and UMAP.
        progress: called with steps done and steps in all: a step is a picture's pass, or the
            auto-encoder's once through the maps.
        cancel: an object with ``is_set()``, looked at before every step.

    Raises:
        MethodError: the model's tokens have no known places, or umap-learn is not installed.
        ParameterError: an unknown code or plane, or a head that there is not.
        InputError: not one picture can be read.
        Cancelled: the caller asked to stop.
    """
    for given, known in ((code, get_args(Code)), (plane, get_args(Plane))):
        if given not in known:
            raise ParameterError(f"no way {given!r}; {nearest(str(given), known)}")
    if plane == "umap":
        need_umap()
    study = plan_study(
        model, pictures, HeadPatterns.kind, off=off, code=code, plane=plane, seed=int(seed)
    )
    epochs = autoencoder.EPOCHS if code == "autoencoder" else 0
    passes = study.passes(progress, cancel, epochs)
    points = Points(common_grid([site.grid or (1, 1) for site in study.found.sites]))
    for index, maps in study.looks(passes):
        points.add(index, maps)
    parted = part(points, code, plane, seed, _steps(passes, progress))
    heads = max(site.heads for site in study.found.sites)
    layer, head, image = np.array(points.places, dtype=np.int32).T
    return HeadPatterns(
        study.manifest(passes, parted.display, **parted.outcome),
        layer.copy(),
        head.copy(),
        image.copy(),
        parted.at.astype(np.float32),
        parted.cluster,
        np.array(points.statistics, dtype=np.float32),
        points.variation(len(study.found.sites), heads),
    )


@dataclass(frozen=True, eq=False)
class Parted:
    """Points in clusters.

    Attributes:
        at: float64 ``(points, 2)``.
        cluster: int32 ``(points,)``.
        display, outcome: for the manifest.
    """

    at: np.ndarray
    cluster: np.ndarray
    display: dict[str, Any]
    outcome: dict[str, Any]


def part(
    points: Points, code: Code, plane: Plane, seed: int, step: Callable[[], None] = lambda: None
) -> Parted:
    """Bring maps to codes, cluster them, name the clusters and lay them out.

    Args:
        points: the maps.
        code, plane, seed: as of ``head_patterns``.
        step: called after each of the auto-encoder's times through the maps; may raise.
    """
    roots = np.stack(points.roots)  # (points, cells, cells)
    outcome: dict[str, Any] = {}
    if code == "pca":
        codes, shares = principal(roots.reshape(len(roots), -1), _COMPONENTS)
        outcome["explained"] = [float(share) for share in shares]
    else:
        scale = float(roots.std()) or 1.0
        given = torch.from_numpy((roots - roots.mean()) / scale)
        found, losses = autoencoder.codes_of(given, seed, step)
        codes = found.numpy().astype(np.float64)
        outcome["losses"] = losses
    statistics = np.array(points.statistics)
    both = np.concatenate([_even(codes), _BESIDE * _even(statistics)], axis=1)
    cluster, outcome["silhouette"] = clusters_of(both, seed)
    at = umapped(both, seed) if plane == "umap" else principal(both, 2)[0]
    count = int(cluster.max()) + 1
    means = [statistics[cluster == index].mean(axis=0) for index in range(count)]
    display = {
        "statistics": list(STATISTICS),
        "names": told_apart([name_of(mean) for mean in means], [m[_EVENNESS] for m in means]),
        "breadths": [breadth_of(mean) for mean in means],
        "grid": list(points.grid),
    }
    return Parted(at, cluster, display, outcome)


def _even(values: np.ndarray) -> np.ndarray:
    """Return values around 0 with a mean square length of 1, ``(points, any)``."""
    centred = values - values.mean(axis=0)
    length = np.sqrt(np.square(centred).sum(axis=1).mean())
    return np.asarray(centred / (length or 1.0))


def told_apart(names: Sequence[str], evenness: Sequence[float]) -> list[str]:
    """Tell clusters of one name apart by how sharp their maps are.

    >>> told_apart(["local", "global", "local"], [0.5, 1.0, 0.2])
    ['broader local', 'global', 'sharper local']
    >>> told_apart(["local"] * 3, [0.5, 0.1, 0.2])
    ['local 3', 'local 1', 'local 2']
    """
    found = list(names)
    for name in set(names):
        same = sorted(
            (index for index, one in enumerate(names) if one == name), key=lambda i: evenness[i]
        )
        if len(same) == 2:
            found[same[0]], found[same[1]] = f"sharper {name}", f"broader {name}"
        elif len(same) > 2:
            for number, index in enumerate(same, start=1):
                found[index] = f"{name} {number}"
    return found


def _steps(passes: Passes, progress: Progress | None) -> Callable[[], None]:
    """Go on telling progress after the passes, and look whether to stop."""
    done = passes.used.total
    total = passes.promised.total

    def step() -> None:
        nonlocal done
        done += 1
        passes.check()
        if progress is not None:
            progress(min(done, total), total)

    return step
