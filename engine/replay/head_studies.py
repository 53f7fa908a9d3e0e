"""What strengths, patterns and partly pruned heads were computed from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from engine.errors import ReplayError
from engine.execution.passes import Cancel, Progress
from engine.head_results import HeadPatterns, HeadStrength, PartialPruning
from engine.heads.measuring_strength import head_strength
from engine.heads.partial import prune_blocks
from engine.heads.patterns import head_patterns
from engine.heads.study import plan_study
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import SAMPLE, load_named, load_set
from engine.models.loaded import LoadedModel
from engine.replay.finding import check_complete, check_same, find_file, find_model
from engine.results import Result

Study = HeadStrength | HeadPatterns | PartialPruning

# What of a request must agree; the rest is where it is computed, and may differ.
_DECISIVE = {
    "model": "model",
    "images": "picture or image set",
    "preprocessing": "preprocessing",
    "off": "list of heads switched off",
    "dtype": "number format",
}


@dataclass(frozen=True)
class StudyAgain:
    """A study of heads that can be computed again.

    Attributes:
        compute: gets progress and cancel.
    """

    compute: Callable[[Progress | None, Cancel | None], Result]

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Result:
        """Compute; errors as those of the function that made the result."""
        return self.compute(progress, cancel)


def head_study_again(saved: Study, model: Any = None, given: Any = None) -> StudyAgain:
    """Return what a study of heads was computed from.

    Arguments and errors as in ``replay``; ``given`` is a picture, several in a list, an image
    set, or where a picture or a set lies.
    """
    request = check_complete(saved, _DECISIVE)
    loaded = find_model(saved.manifest, model)
    inputs = _inputs(saved, given)
    off = [(layer, head) for layer, head in request["off"]]
    planned = plan_study(loaded, inputs, saved.kind, off=off)
    for name, title in _DECISIVE.items():
        check_same(title, request[name], planned.request[name])
    return StudyAgain(_computing(saved, loaded, inputs, off))


def _computing(
    saved: Study, model: LoadedModel, inputs: Any, off: list[tuple[int, int]]
) -> Callable[[Progress | None, Cancel | None], Result]:
    asked = saved.manifest["request"]

    def compute(progress: Progress | None, cancel: Cancel | None) -> Result:
        how: dict[str, Any] = {"off": off, "progress": progress, "cancel": cancel}
        if isinstance(saved, HeadStrength):
            return head_strength(model, inputs, **how)
        if isinstance(saved, HeadPatterns):
            chosen = {name: asked[name] for name in ("code", "plane", "seed")}
            return head_patterns(model, inputs, **chosen, **how)
        target = None if asked["target"] is None else int(asked["target"]["index"])
        given = inputs if isinstance(inputs, ImageSet) else inputs[0]
        return prune_blocks(model, given, asked["layer"], asked["head"], target, **how)

    return compute


def _inputs(saved: Study, given: Any) -> Any:
    """Return an image set, or pictures in a list."""
    source = saved.manifest.get("source", {})
    if given is not None and not isinstance(given, str):
        return given if isinstance(given, ImageSet | list | tuple) else [given]
    called = source.get("images", "")
    if "fits" not in source:
        origin = given or find_file(source.get("images_origin", ""), called)
        return load_set(origin.removeprefix(SAMPLE))
    origins, fits = source["origins"], source["fits"]
    if given is not None and len(origins) > 1:
        raise ReplayError(f"the result was made from {len(origins)} pictures, not from one file")
    if called == "tensor" and given is None:
        raise ReplayError("the result was made from prepared tensors; pass them in Python: given=…")
    found = [given or find_file(origin, called) for origin in origins]
    pairs = zip(found, fits, strict=True)
    return [load_named(origin, fit="crop" if fit == "prepared" else fit) for origin, fit in pairs]
