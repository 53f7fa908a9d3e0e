"""All methods of pruning beside the criteria, found by looking at the modules of their packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from engine.errors import InputError
from engine.execution.chunks import Chunks, chunk_for, telling_out_of_memory
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes, Progress
from engine.heads.pictures import Pictures, load_pictures
from engine.inputs.images import Fit
from engine.models.loaded import LoadedModel
from engine.parameters import Value, check_all, check_seed
from engine.pruning import posthoc, trained
from engine.pruning.methods.method import PruningMethod, Work
from engine.pruning.methods.outcome import Outcome
from engine.pruning.posthoc.base import PostHoc
from engine.pruning.trained.base import Trained
from engine.pruning.units import Groups
from engine.registry import found_in, one_of


@cache
def posthoc_methods() -> dict[str, PostHoc]:
    """Return all methods that train nothing by name, in alphabetical order of their titles."""
    return found_in(posthoc, PostHoc)


@cache
def trained_methods() -> dict[str, Trained]:
    """Return all methods that train by name, in alphabetical order of their titles."""
    return found_in(trained, Trained)


def pruning_methods() -> dict[str, PruningMethod]:
    """Return all of them by name, those that train nothing first."""
    return {**posthoc_methods(), **trained_methods()}


def find_method(name: str) -> PruningMethod:
    """Return a method by name.

    Raises:
        MethodError: there is none of that name; the nearest are told.
    """
    return one_of(pruning_methods(), name, "method of pruning")


@dataclass(frozen=True, eq=False)
class MethodPlan:
    """A piece of work that could be done, and its cost.

    Attributes:
        model, groups, method: what will run.
        pictures: what it looks at, or None.
        parameters: a valid value for every declared parameter.
        seed: of whatever is drawn.
        cost: an upper bound of the passes.
    """

    model: LoadedModel
    groups: Groups
    method: PruningMethod
    pictures: Pictures | None
    parameters: Mapping[str, Value]
    seed: int

    @property
    def cost(self) -> Cost:
        """An upper bound of the passes."""
        count = 0 if self.pictures is None else len(self.pictures)
        return self.method.cost(count, self.parameters)

    def run(self, progress: Progress | None = None, cancel: Cancel | None = None) -> Outcome:
        """Do it.

        Args:
            progress: called with passes done and promised; of a method without passes with
                its own steps.
            cancel: an object with ``is_set()``, looked at before every step.

        Raises:
            Cancelled: the caller asked to stop; the model is as it was.
            InputError: not one picture could be read.
            OutOfMemory: one sample at a time does not fit.
        """
        passes = Passes(self.model, self.cost, progress, cancel)
        passes.check()
        work = Work(
            model=self.model,
            groups=self.groups,
            pictures=self.pictures,
            parameters=self.parameters,
            seed=self.seed,
            passes=passes,
            chunks=Chunks(chunk_for(self.model)),
            progress=progress,
        )
        with telling_out_of_memory():
            return self.method.compute(work)


def plan_method(
    model: LoadedModel,
    groups: Groups,
    name: str,
    images: Any = None,
    *,
    fit: Fit = "crop",
    seed: int = 0,
    **parameters: Any,
) -> MethodPlan:
    """Check a piece of work and return it, with its cost, without running it.

    Args:
        model: whose units or weights; never changed.
        groups: its units.
        name: of the method.
        images: what it looks at: pictures, or whatever ``load_pictures`` takes; None where it
            needs none.
        fit: how pictures of a set are brought to the network's size.
        seed: of whatever is drawn.
        **parameters: of the method.

    Raises:
        MethodError: no such method or parameter, or the method does not suit the model.
        InputError: it needs pictures and there are none, or they cannot be read.
    """
    method = find_method(name)
    check_seed(seed)
    checked = check_all(parameters, method.parameters, method.name)
    method.check_suits(model, groups)
    if images is None and method.looks(checked):
        raise InputError(f"{method.title} looks at pictures, and there are none: name an image set")
    pictures = images
    if images is not None and not isinstance(images, Pictures):
        pictures = load_pictures(model, images, fit)
    return MethodPlan(model, groups, method, pictures, checked, seed)
