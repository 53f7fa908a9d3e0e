from __future__ import annotations

import numpy as np
import pytest

from components import views
from engine.results import Attribution


def attribution(values: np.ndarray, fold: str = "sum") -> Attribution:
    manifest = {"key": "k", "display": {"fold": fold, "view": "positive"}}
    return Attribution(manifest, values.astype(np.float32))


def test_scale_ends_at_the_percentile_of_what_is_shown() -> None:
    values = np.arange(-50, 51, dtype=np.float64).reshape(1, 101)
    assert views.look_at(attribution(values), "positive", 100).limit == 50
    clipped = np.clip(values, 0, None)
    for clip in (60, 90, 99):
        expected = np.percentile(clipped, clip)
        assert views.look_at(attribution(values), "positive", clip).limit == pytest.approx(expected)
        expected = np.percentile(np.abs(values), clip)
        assert views.look_at(attribution(values), "signed", clip).limit == pytest.approx(expected)


def test_signed_is_centred_at_zero() -> None:
    view = views.look_at(attribution(np.array([[-4.0, 0.0, 1.0]])), "signed", 100)
    assert view.low == -4
    assert view.unit().tolist() == [[0.0, 0.5, 0.625]]


def test_positive_and_magnitude_start_at_zero() -> None:
    values = np.array([[-4.0, 0.0, 1.0]])
    assert views.look_at(attribution(values), "positive", 100).unit().tolist() == [[0, 0, 1]]
    assert views.look_at(attribution(values), "magnitude", 100).unit().tolist() == [[1, 0, 0.25]]


def test_values_are_the_attributions_own() -> None:
    values = np.array([[-4.0, 0.25], [8.0, 1.0]])
    assert views.look_at(attribution(values), "positive", 50).values.tolist() == values.tolist()


def test_magnitude_takes_the_largest_channel() -> None:
    values = np.array([[[1.0]], [[-3.0]], [[2.0]]])
    assert views.look_at(attribution(values), "magnitude").values.tolist() == [[3.0]]
    assert views.look_at(attribution(values), "signed").values.tolist() == [[0.0]]
    assert views.look_at(attribution(values, "mean"), "signed").values.tolist() == [[0.0]]


@pytest.mark.parametrize("kind", views.KINDS)
@pytest.mark.parametrize("value", [0.0, -1.0])
def test_nothing_to_show_still_has_a_scale(kind: views.Kind, value: float) -> None:
    view = views.look_at(attribution(np.full((3, 3), value)), kind)
    assert view.limit > 0
    assert np.isfinite(view.unit()).all()


def test_mostly_zero_map_keeps_its_peak_visible() -> None:
    values = np.zeros((50, 50))
    values[3, 4] = 2.0
    view = views.look_at(attribution(values), "positive", 90)
    assert view.limit == 2.0
