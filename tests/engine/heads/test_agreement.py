"""What the page's help tells of the metrics is what they do on the networks of now."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from engine.heads.agreement import RANDOM, measured_agreement
from engine.heads.curve import plan_curve
from engine.heads.judging import head_scores
from engine.heads.registry import head_metrics
from engine.inputs.samples import load_sample_set
from engine.models.loading import load_model
from tests.bench.heads import DRAWN, halves

MODELS = ["scenes-vit", "digits-vit"]


@pytest.mark.parametrize("name", MODELS)
def test_it_is_of_the_networks_and_metrics_there_are(name: str) -> None:
    found = measured_agreement()[name]
    assert found.digest == load_model(name, device="cpu").digest
    assert found.ranked == found.tested == 150
    assert found.off == found.heads // 2
    names = [one.metric for one in found.metrics]
    assert set(names) == {*head_metrics(), RANDOM, "gradient, layers scaled"}
    ranks = [one.rank for one in found.metrics]
    assert ranks == sorted(ranks, reverse=True)
    assert names[0] == "cross-entropy"
    assert ranks[0] == 1


def test_the_cheap_ones_come_out_again() -> None:
    """On the digits; a rank moves a little with the last bits of equal heads."""
    found = measured_agreement()["digits-vit"]
    told = {one.metric: one for one in found.metrics}
    model = load_model("digits-vit", device="cpu")
    ranked, tested = halves(load_sample_set("digits"))
    standard = head_scores(model, ranked, "cross-entropy").values.ravel()
    for name in ("gradient", "fisher", "confidence", "output-norm", "uniqueness", "divergence"):
        scores = head_scores(model, ranked, name)
        rank = spearmanr(scores.values.ravel(), standard).statistic
        assert np.isclose(rank, told[name].rank, atol=0.03), name
    scores = head_scores(model, ranked, "gradient")
    curve = plan_curve(model, tested, scores, steps=[0, found.off], drawn=DRAWN).run()
    assert np.isclose(curve.accuracy[0, 0], found.accuracy, atol=0.01)
    assert np.isclose(curve.accuracy[0, 1], told["gradient"].accuracy, atol=0.02)
    assert np.isclose(curve.loss[2, 1], told[RANDOM].loss, rtol=0.05)
