"""Many people on one model get the numbers that one of them would get."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from engine.attribution.explain import explain
from engine.execution.predict import predict
from engine.masking.predict import predict_masked
from tests.engine import zoo

CALLS = [
    (method, target, parameters)
    for method, parameters in (
        ("gradient", {}),
        ("grad-cam", {}),
        ("grad-cam", {"layer": "conv1"}),
        ("integrated-gradients", {"steps": 6}),
        ("integrated-gradients", {"steps": 3, "baseline": "black"}),
        ("occlusion", {"window": 6, "stride": 5}),
        ("smoothgrad", {"samples": 4}),
        ("rise", {"masks": 6}),
        ("deep-lift", {}),
        ("guided-backprop", {}),
        ("lrp", {"rule": "epsilon"}),
        ("lrp", {"rule": "gamma"}),
    )
    for target in range(3)
]


@pytest.fixture(autouse=True)
def threads_that_take_turns_often() -> Iterator[None]:
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn"])
def test_eight_threads(name: str) -> None:
    model = zoo.load(name)
    model.module.train()
    model.module.conv1.eval()
    modes = [part.training for part in model.module.modules()]
    x = zoo.noise(model)
    start = threading.Barrier(8, timeout=60)

    def one(index: int) -> bytes:
        method, target, parameters = CALLS[index % len(CALLS)]
        return explain(model, x, method, target, **parameters).values.tobytes()

    expected = [one(index) for index in range(len(CALLS))]
    assert len(set(expected)) == len(CALLS)
    running = model.module.bn1.running_mean.clone()

    def many(worker: int) -> list[tuple[int, bytes]]:
        start.wait()
        return [(index, one(index)) for index in range(worker, 6 * 8 + worker, 8)]

    with ThreadPoolExecutor(8) as pool:
        found = [pair for pairs in pool.map(many, range(8)) for pair in pairs]
    assert len(found) == 48
    assert all(values == expected[index % len(CALLS)] for index, values in found)
    assert [part.training for part in model.module.modules()] == modes
    assert bool((model.module.bn1.running_mean == running).all())


def test_predictions_among_explanations() -> None:
    model = zoo.load("tiny-cnn")
    x = zoo.noise(model)
    keep = (zoo.noise(model, 5) > 0).numpy()
    alone = predict(model, x).logits.tobytes(), predict_masked(model, x, keep).tobytes()

    def one(index: int) -> tuple[bytes, bytes]:
        explain(model, x, ("grad-cam", "gradient")[index % 2], index % 3)
        return predict(model, x).logits.tobytes(), predict_masked(model, x, keep).tobytes()

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(one, range(40))) == {alone}
