"""Tests of models on image sets, as jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from dashboard.running import explanations
from engine.execution.jobs import Job

if TYPE_CHECKING:
    from engine.evaluation.scoring import ScorePlan
    from engine.inputs.image_sets import ImageSet
    from engine.models.loaded import LoadedModel


def seconds(plan: ScorePlan) -> float | None:
    """Return how long a test may take, or None before anything was learned."""
    return explanations.pace().seconds(plan.model.digest, plan.cost)


def submit(plan: ScorePlan) -> Job:
    """Queue a test, or return the job that already does or did it."""
    title = f"{plan.model.card.title} on {plan.images.name}"
    if explanations.is_uploaded(plan.model):
        explanations.own(plan.key)
    return explanations.queue().submit(plan.key, title, plan.run)


@st.cache_resource(max_entries=8, show_spinner=False)
def images(source: str, stamp: float) -> ImageSet:
    """Return an image set, listed once.

    Args:
        source: a set at hand, a folder or a CSV file.
        stamp: when it was last changed; another one lists it again.

    Raises:
        InputError: there is none.
    """
    from engine.inputs.samples import load_set

    return load_set(source)


def plan(model: LoadedModel, found: ImageSet) -> ScorePlan:
    """Check a test.

    Raises:
        InputError: the model knows none of the labels.
    """
    from engine.evaluation.scoring import plan_scores

    return plan_scores(model, found)
