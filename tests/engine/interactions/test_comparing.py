"""Friedman's H² and SHAP interaction values against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from engine.errors import MethodError
from engine.interactions.comparing import compare_pairs
from engine.interactions.planning import measure_interactions
from engine.results import load_result
from tests.engine.interactions.making import factorial, formula, linear, table_of


def test_of_a_product_and_a_sum() -> None:
    # f = 2 x0 x1 + x2 on a full factorial: PD_01 = 2 x0 x1, PD_0 = PD_1 = 0, so H² = 1; the
    # product's worth 2 x0 x1 is shared out in halves: Φ_01 = x0 x1, of size 1.
    x = factorial(3)
    model = formula(lambda z: 2 * z[:, 0] * z[:, 1] + z[:, 2], 3)
    found = compare_pairs(model, table_of(x, x[:, 0]))
    assert found.pairs.tolist() == [[0, 1], [0, 2], [1, 2]]
    assert np.allclose(found.h, [1, 0, 0], atol=1e-12)
    assert np.allclose(found.shap, [1, 0, 0], atol=1e-12)


def test_a_part_of_what_two_do() -> None:
    # f = x0 + x1 + x0 x1: of the variance 3 of both, 1 is the product's.
    x = factorial(2)
    found = compare_pairs(
        formula(lambda z: z[:, 0] + z[:, 1] + z[:, 0] * z[:, 1], 2), table_of(x, x[:, 0])
    )
    assert found.h[0] == pytest.approx(1 / 3, abs=1e-12)
    assert found.shap[0] == pytest.approx(0.5, abs=1e-12)


def test_a_linear_model_has_none() -> None:
    x = factorial(3)
    found = compare_pairs(linear([1.0, 2.0, 0.0]), table_of(x, x[:, 0]))
    assert np.abs(found.h).max() < 1e-20
    assert np.abs(found.shap).max() < 1e-12


def test_they_rank_pairs_as_the_reference_does(tmp_path: object) -> None:
    draw = np.random.default_rng(0)
    x = draw.choice([-1.0, 1.0], (64, 4))
    strengths = torch.tensor([3.0, 2.0, 1.0], dtype=torch.float64)

    def products(z: torch.Tensor) -> torch.Tensor:
        return torch.stack([z[:, i] * z[:, i + 1] for i in range(3)], dim=1) @ strengths

    model = formula(products, 4)
    with torch.no_grad():
        y = products(torch.from_numpy(x)).numpy()
    table = table_of(x, y + 0.1)
    theirs = compare_pairs(model, table, rows=64)
    ours = np.abs(measure_interactions(model, table, epsilon=0.1).scores[:, 0])
    assert spearmanr(theirs.shap, ours)[0] > 0.7
    assert theirs.shap.argmax() == theirs.pairs.tolist().index([0, 1]) == ours.argmax()
    path = f"{tmp_path}/compared.safetensors"
    theirs.save(path)
    assert np.array_equal(load_result(path).h, theirs.h)


def test_too_many_features() -> None:
    with pytest.raises(MethodError, match="30 features have too many coalitions"):
        compare_pairs("cancer-mlp", "sample:cancer")
