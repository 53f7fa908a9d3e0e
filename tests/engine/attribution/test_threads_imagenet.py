"""Eight threads on the bundled network get bit by bit what one thread gets."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from engine.attribution.explain import explain
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel

CALLS = (
    ("gradient", {}),
    ("grad-cam", {}),
    ("integrated-gradients", {"steps": 3}),
    ("occlusion", {"window": 112, "stride": 56}),
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_eight_threads(imagenet_cnn: LoadedModel, chelsea: ImageInput) -> None:
    def work(index: int) -> np.ndarray:
        name, parameters = CALLS[index % len(CALLS)]
        return explain(imagenet_cnn, chelsea, name, 282, **parameters).values

    alone = [work(index) for index in range(len(CALLS))]
    with ThreadPoolExecutor(8) as threads:
        together = list(threads.map(work, range(6 * len(CALLS))))
    for index, values in enumerate(together):
        assert np.array_equal(values, alone[index % len(CALLS)]), CALLS[index % len(CALLS)]
