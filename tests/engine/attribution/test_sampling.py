from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from engine.attribution.explain import Plan, explain, plan
from engine.attribution.sampling import Moments
from engine.errors import Cancelled
from engine.results import Attribution
from tests.engine import zoo

DRAWING = {"smoothgrad": "samples", "gradient-shap": "samples", "rise": "masks"}


def planned(method: str, samples: int, **more: Any) -> Plan:
    model = zoo.load("tiny-cnn")
    return plan(model, zoo.noise(model), method, 0, **{DRAWING[method]: samples}, **more)


@pytest.mark.parametrize("sizes", [(1,), (2, 1), (7, 1, 5), (20,)])
def test_moments_are_those_of_all_at_once(sizes: tuple[int, ...]) -> None:
    everything = 1e4 + torch.randn(sum(sizes), 3, 4, generator=torch.Generator().manual_seed(0))
    moments = Moments()
    for part in everything.split(sizes):
        moments.add(part)
    array = everything.double().numpy()
    assert np.allclose(moments.mean, array.mean(axis=0), rtol=1e-13)
    if len(array) > 1:
        expected = array.std(axis=0, ddof=1) / np.sqrt(len(array))
        assert np.allclose(moments.error, expected, rtol=1e-9)


@pytest.mark.parametrize("method", DRAWING)
def test_shown_on_the_way(method: str) -> None:
    work = planned(method, 40)
    shown: list[Attribution] = []
    final = work.run(partial=shown.append)
    told = [one.manifest["outcome"] for one in shown]
    assert [one["samples"] for one in told] == [5, 10, 20]
    assert all(one["partial"] is True for one in told)
    assert "partial" not in final.manifest["outcome"]
    assert final.manifest["outcome"]["samples"] == 40
    for one in shown:
        assert one.key == final.key
        assert one.values.shape == one.error.shape == final.values.shape
        assert np.isfinite(one.values).all()
        assert np.isfinite(one.error).all()
    forward = [one["passes"]["forward"] for one in told]
    assert forward == [6, 11, 21]


@pytest.mark.parametrize("method", DRAWING)
def test_what_is_shown_half_way_is_what_half_the_samples_say(method: str) -> None:
    shown: list[Attribution] = []
    planned(method, 40).run(partial=shown.append)
    half = planned(method, 20).run()
    assert np.allclose(shown[-1].values, half.values, rtol=0, atol=1e-6)
    assert np.allclose(shown[-1].error, half.error, rtol=0, atol=1e-6)


@pytest.mark.parametrize("method", DRAWING)
@pytest.mark.parametrize("samples", [2, 3, 9, 17])
def test_looking_changes_no_number(method: str, samples: int) -> None:
    work = planned(method, samples)
    watched, alone = work.run(partial=lambda _: None), work.run()
    assert watched.values.tobytes() == alone.values.tobytes()
    assert watched.error.tobytes() == alone.error.tobytes()


@pytest.mark.parametrize("method", DRAWING)
def test_more_samples_less_error(method: str) -> None:
    few, many = (float(planned(method, count).run().error.mean()) for count in (16, 256))
    assert many < few / 2


@pytest.mark.parametrize("method", DRAWING)
def test_another_seed_draws_other_samples(method: str) -> None:
    assert (
        planned(method, 8).run().values.tobytes()
        != planned(method, 8, seed=1).run().values.tobytes()
    )
    assert planned(method, 8, seed=-1).run() is not None


@pytest.mark.parametrize("method", DRAWING)
def test_who_looks_may_stop_it(method: str) -> None:
    def stop(_: Attribution) -> None:
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        planned(method, 40).run(partial=stop)


def test_methods_that_do_not_draw_show_nothing() -> None:
    model = zoo.load("tiny-cnn")
    shown: list[Attribution] = []
    explain(model, zoo.noise(model), "occlusion", 0, partial=shown.append)
    assert shown == []
