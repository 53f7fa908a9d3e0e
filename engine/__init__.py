"""Haloscope's engine: what a model relies on, computed.

Importing this package imports neither torch nor captum; the names below load
their modules when they are first used.

>>> import engine
>>> "explain" in dir(engine)
True
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

_HOMES = {
    "Attribution": "engine.results",
    "Corrections": "engine.models.corrections",
    "Cost": "engine.execution.cost",
    "HaloscopeError": "engine.errors",
    "HeadScores": "engine.head_results",
    "ImageInput": "engine.inputs.images",
    "ImageSpec": "engine.models.specs",
    "Interactions": "engine.interaction_results",
    "LoadedModel": "engine.models.loaded",
    "MaskPreview": "engine.mask_results",
    "MaskSweep": "engine.mask_results",
    "MissingnessStudy": "engine.mask_results",
    "Prediction": "engine.results",
    "Row": "engine.inputs.tables",
    "Scores": "engine.scores",
    "Store": "engine.store",
    "Table": "engine.inputs.tables",
    "TableSpec": "engine.models.table_specs",
    "TensorSpec": "engine.models.specs",
    "bundled_models": "engine.models.bundled",
    "plan_study": "engine.missingness.study_asking",
    "plan_interactions": "engine.interactions.planning",
    "compare_pairs": "engine.interactions.comparing",
    "explain": "engine.attribution.explain",
    "generators": "engine.masking.generators.registry",
    "head_metrics": "engine.heads.registry",
    "head_scores": "engine.heads.judging",
    "inspect_model": "engine.inspection.inspecting",
    "interaction_ball": "engine.interactions.balls",
    "learn_columns": "engine.models.learning_columns",
    "load_image": "engine.inputs.images",
    "load_images": "engine.inputs.image_sets",
    "load_model": "engine.models.loading",
    "load_result": "engine.results",
    "load_sample": "engine.inputs.samples",
    "load_sample_set": "engine.inputs.samples",
    "load_table": "engine.inputs.tables",
    "load_uploaded": "engine.models.uploads",
    "make_masks": "engine.masking.generators.registry",
    "mask_sweep": "engine.missingness.sweep",
    "measure_interactions": "engine.interactions.planning",
    "measure": "engine.tables.measuring",
    "measures": "engine.tables.registry",
    "methods": "engine.attribution.registry",
    "missingness_study": "engine.missingness.study_asking",
    "other_outcome": "engine.tables.nearest",
    "plan": "engine.attribution.explain",
    "plan_heads": "engine.heads.judging",
    "plan_measure": "engine.tables.measuring",
    "plan_preview": "engine.missingness.preview",
    "plan_sweep": "engine.missingness.sweep",
    "predict": "engine.execution.predict",
    "plan_picture_interactions": "engine.interactions.picture_data",
    "predict_with_masks": "engine.interactions.showing",
    "predict_masked": "engine.masking.predict",
    "preview_mask": "engine.missingness.preview",
    "reconstruct": "engine.missingness.reconstruction",
    "sample_sets": "engine.inputs.samples",
    "sample_tables": "engine.inputs.sample_tables",
    "samples": "engine.inputs.samples",
    "score_images": "engine.evaluation.scoring",
    "self_test": "engine.inspection.self_test",
    "with_heads_off": "engine.heads.switching",
    "find_groups": "engine.pruning.finding.groups",
    "Geometry": "engine.prune_results",
    "PruneSweep": "engine.prune_results",
    "plan_cut": "engine.pruning.cut_study",
    "plan_geometry": "engine.pruning.geometry.study",
    "plan_pruning": "engine.pruning.sweeping.planning",
    "prune": "engine.pruning.smaller",
    "prune_sweep": "engine.pruning.sweeping.planning",
    "save_pruned": "engine.pruning.saving",
}

__all__ = [
    "Attribution",
    "Corrections",
    "Cost",
    "Geometry",
    "HaloscopeError",
    "HeadScores",
    "ImageInput",
    "ImageSpec",
    "Interactions",
    "LoadedModel",
    "MaskPreview",
    "MaskSweep",
    "MissingnessStudy",
    "Prediction",
    "PruneSweep",
    "Row",
    "Scores",
    "Store",
    "Table",
    "TableSpec",
    "TensorSpec",
    "__version__",
    "bundled_models",
    "compare_pairs",
    "explain",
    "find_groups",
    "generators",
    "head_metrics",
    "head_scores",
    "inspect_model",
    "interaction_ball",
    "learn_columns",
    "load_image",
    "load_images",
    "load_model",
    "load_result",
    "load_sample",
    "load_sample_set",
    "load_table",
    "load_uploaded",
    "make_masks",
    "mask_sweep",
    "measure",
    "measure_interactions",
    "measures",
    "methods",
    "missingness_study",
    "other_outcome",
    "plan",
    "plan_cut",
    "plan_geometry",
    "plan_heads",
    "plan_interactions",
    "plan_measure",
    "plan_picture_interactions",
    "plan_preview",
    "plan_pruning",
    "plan_study",
    "plan_sweep",
    "predict",
    "predict_masked",
    "predict_with_masks",
    "preview_mask",
    "prune",
    "prune_sweep",
    "reconstruct",
    "sample_sets",
    "sample_tables",
    "samples",
    "save_pruned",
    "score_images",
    "self_test",
    "with_heads_off",
]

if TYPE_CHECKING:
    from engine.attribution.explain import explain, plan
    from engine.attribution.registry import methods
    from engine.errors import HaloscopeError
    from engine.evaluation.scoring import score_images
    from engine.execution.cost import Cost
    from engine.execution.predict import predict
    from engine.head_results import HeadScores
    from engine.heads.judging import head_scores, plan_heads
    from engine.heads.registry import head_metrics
    from engine.heads.switching import with_heads_off
    from engine.inputs.image_sets import load_images
    from engine.inputs.images import ImageInput, load_image
    from engine.inputs.sample_tables import sample_tables
    from engine.inputs.samples import load_sample, load_sample_set, sample_sets, samples
    from engine.inputs.tables import Row, Table, load_table
    from engine.inspection.inspecting import inspect_model
    from engine.inspection.self_test import self_test
    from engine.interaction_results import Interactions
    from engine.interactions.balls import interaction_ball
    from engine.interactions.comparing import compare_pairs
    from engine.interactions.picture_data import plan_picture_interactions
    from engine.interactions.planning import measure_interactions, plan_interactions
    from engine.interactions.showing import predict_with_masks
    from engine.mask_results import MaskPreview, MaskSweep, MissingnessStudy
    from engine.masking.generators.registry import generators, make_masks
    from engine.masking.predict import predict_masked
    from engine.missingness.preview import plan_preview, preview_mask
    from engine.missingness.reconstruction import reconstruct
    from engine.missingness.study_asking import missingness_study, plan_study
    from engine.missingness.sweep import mask_sweep, plan_sweep
    from engine.models.bundled import bundled_models
    from engine.models.corrections import Corrections
    from engine.models.learning_columns import learn_columns
    from engine.models.loaded import LoadedModel
    from engine.models.loading import load_model
    from engine.models.specs import ImageSpec, TensorSpec
    from engine.models.table_specs import TableSpec
    from engine.models.uploads import load_uploaded
    from engine.prune_results import Geometry, PruneSweep
    from engine.pruning.cut_study import plan_cut
    from engine.pruning.finding.groups import find_groups
    from engine.pruning.geometry.study import plan_geometry
    from engine.pruning.saving import save_pruned
    from engine.pruning.smaller import prune
    from engine.pruning.sweeping.planning import plan_pruning, prune_sweep
    from engine.results import Attribution, Prediction, load_result
    from engine.scores import Scores
    from engine.store import Store
    from engine.tables.measuring import measure, plan_measure
    from engine.tables.nearest import other_outcome
    from engine.tables.registry import measures


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'engine' has no attribute {name!r}")
    return getattr(import_module(home), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
