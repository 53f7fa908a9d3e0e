"""Try what does not suit every network on the bundled models; keep what comes out.

``python -m assets.training.make_verdicts``
"""

from __future__ import annotations

import json
from pathlib import Path

from engine.attribution.registry import methods
from engine.execution.reasons import Reasons
from engine.models.bundled import bundled_models
from engine.models.loading import load_model

FILE = Path(__file__).parents[1] / "models/verdicts.json"


def tried() -> dict[str, dict[str, str]]:
    """Return the verdicts by model digest and method, found out anew."""
    methods()  # finds them all
    found = {}
    for bundled in bundled_models():
        model = load_model(bundled.name, device="cpu")
        if model.differentiable and model.family != "tabular":
            found[model.digest] = {name: one.tried(model) for name, one in Reasons.every.items()}
    return found


if __name__ == "__main__":
    FILE.write_text(json.dumps(tried(), indent=1, sort_keys=True, ensure_ascii=False) + "\n")
