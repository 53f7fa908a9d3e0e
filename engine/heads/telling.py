"""What manifests of heads tell beside the request."""

from __future__ import annotations

import time
from typing import Any

from engine.attention.site import AttentionSites
from engine.execution.environment import environment
from engine.heads.pictures import Pictures
from engine.heads.reuse import find_reuse
from engine.heads.running import Run
from engine.models.loaded import LoadedModel


def source_of(model: LoadedModel, pictures: Pictures) -> dict[str, Any]:
    """Return names a person would know; they decide nothing."""
    return {
        "model": model.ref,
        "model_title": model.card.title,
        "images": pictures.name,
        "images_origin": pictures.origin,
    }


def layers_told(found: AttentionSites) -> dict[str, Any]:
    """Return what is known of the layers: their names, heads, and windows."""
    return {
        "layers": [site.name for site in found.sites],
        "heads": [site.heads for site in found.sites],
        "windowed": found.windowed,
        "windows": [site.windows for site in found.sites],
    }


def outcome_of(run: Run, started: float) -> dict[str, Any]:
    """Return what happened.

    Args:
        run: the work that was done.
        started: when, by ``time.perf_counter``.
    """
    used = run.passes.used
    told: dict[str, Any] = {
        "passes": {"forward": used.forward, "backward": used.backward},
        "seconds": time.perf_counter() - started,
        "chunk": run.chunks.size,
        "images": run.labelled.total(),
        "classes_from": {
            "asked": 0 if run.target is None else run.labelled.total(),
            "labels": run.labelled[True] if run.target is None else 0,
            "predictions": run.labelled[False] if run.target is None else 0,
        },
        "skipped": [[run.pictures.names[i], why] for i, why in sorted(run.skipped.items())],
        "environment": environment(run.model.device),
    }
    if run.blocks:
        reuse = find_reuse(run.model)
        told["block_passes"] = dict(run.blocks)
        told["reused"] = reuse.name
        told["not_reused"] = reuse.reason
        told["packed"] = reuse.packed
    return told
