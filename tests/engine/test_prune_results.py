"""What a sweep tells of itself, against loops and hand counts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from components import prune_made_up
from engine.prune_results import PruneSweep
from engine.results import load_result
from engine.scores import calibration_of, change_of


@pytest.fixture(scope="module")
def sweep() -> PruneSweep:
    return prune_made_up.sweep()


def partly_labelled() -> PruneSweep:
    found = prune_made_up.sweep()
    labels = found.labels.copy()
    labels[::3] = -1
    return replace(found, labels=labels)


def test_only_pictures_with_a_label_count() -> None:
    found = partly_labelled()
    there = np.flatnonzero(found.labels >= 0)
    right = [found.predicted[5, 6, i] == found.labels[i] for i in there]
    assert found.right(5, 6).tolist() == right
    assert found.accuracy(5, 6).count == 160
    assert found.accuracy(5, 6).value == pytest.approx(np.mean(right))
    assert found.calibration(5, 6).count.sum() == 160
    assert found.per_class(5, 6).count.sum() == 160


def test_calibration_and_certainty(sweep: PruneSweep) -> None:
    right = sweep.predicted[5, 6] == sweep.labels
    expected = calibration_of(sweep.confidence[5, 6], right).error
    assert sweep.calibration(5, 6).error == expected
    assert sweep.dense_calibration().error == calibration_of(
        sweep.dense_confidence, sweep.dense_predicted == sweep.labels
    ).error  # fmt: skip
    assert sweep.certainty(5, 6).value == pytest.approx(sweep.confidence[5, 6].mean(), abs=1e-6)
    assert sweep.dense_certainty().value == pytest.approx(sweep.dense_confidence.mean(), abs=1e-6)
    assert sweep.certainty(5, 6).low < sweep.certainty(5, 6).value < sweep.certainty(5, 6).high


def test_classes(sweep: PruneSweep) -> None:
    before, after = sweep.dense_per_class(), sweep.per_class(5, 7)
    change = sweep.class_changes(5, 7)
    for place in range(len(sweep.classes)):
        own = sweep.labels == place
        old, new = sweep.dense_predicted[own] == place, sweep.predicted[5, 7][own] == place
        assert before.value[place] == old.mean()
        assert after.value[place] == new.mean()
        assert change.low[place] == change_of(old, new).low
        assert change.value[place] == pytest.approx(new.mean() - old.mean())
    assert change.count.tolist() == [30] * 8


def test_change_is_paired(sweep: PruneSweep) -> None:
    change = sweep.change(5, 6)
    assert change.value == pytest.approx(sweep.accuracy(5, 6).value - sweep.dense_accuracy().value)
    same = replace(sweep, predicted=np.broadcast_to(sweep.dense_predicted, sweep.predicted.shape))
    assert same.change(5, 6).value == 0
    assert same.change(5, 6).low < 0 < same.change(5, 6).high


def test_control_is_that_of_the_same_scope_and_repair(sweep: PruneSweep) -> None:
    assert sweep.controls(5) == [7, 8, 9]
    assert sweep.controls(1) == [2, 3, 4]
    found = sweep.against_control(5, 6)
    assert found is not None
    mean = np.mean([sweep.accuracy(place, 6).value for place in (7, 8, 9)])
    assert found.value == pytest.approx(sweep.accuracy(5, 6).value - mean)
    each = [change_of(sweep.right(place, 6), sweep.right(5, 6)) for place in (7, 8, 9)]
    spread = np.var([one.value for one in each], ddof=1) / 3
    reach = np.sqrt(np.mean([(one.value - one.low) ** 2 for one in each]) + 2**2 * spread)
    assert found.value - found.low == pytest.approx(reach)
    assert found.low < found.value < found.high
    own = sweep.against_control(7, 6)
    others = np.mean([sweep.accuracy(place, 6).value for place in (8, 9)])
    assert own is not None
    assert own.value == pytest.approx(sweep.accuracy(7, 6).value - others)


def test_one_drawing_has_no_spread_of_its_own(sweep: PruneSweep) -> None:
    display = {**sweep.display, "ways": sweep.display["ways"][:8]}
    one = replace(sweep, manifest={**sweep.manifest, "display": display})
    assert one.controls(5) == [7]
    found, pair = one.against_control(5, 6), change_of(sweep.right(7, 6), sweep.right(5, 6))
    assert found is not None
    assert (found.low, found.high) == pytest.approx((pair.low, pair.high))


def test_no_control(sweep: PruneSweep) -> None:
    display = {**sweep.display, "ways": sweep.display["ways"][:2]}
    assert replace(sweep, manifest={**sweep.manifest, "display": display}).against_control(
        0, 3
    ) is None  # fmt: skip


def test_without_labels_it_is_held_against_itself() -> None:
    found = prune_made_up.sweep(labelled=False)
    assert not found.labelled
    assert found.dense_accuracy().value == 1
    assert found.accuracy(5, 6) == found.agreement(5, 6)


def test_results_are_saved_and_loaded(sweep: PruneSweep, tmp_path: Path) -> None:
    loaded = load_result(sweep.save(tmp_path / "sweep.safetensors"))
    assert isinstance(loaded, PruneSweep)
    assert loaded.ways == sweep.ways
    assert loaded.accuracy(5, 6) == sweep.accuracy(5, 6)
    geometry = prune_made_up.geometry()
    again = load_result(geometry.save(tmp_path / "geometry.safetensors"))
    assert np.array_equal(again.right, geometry.right)  # type: ignore[attr-defined]
