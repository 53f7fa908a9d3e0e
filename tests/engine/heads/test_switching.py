"""Heads switched off by hand, and ever more of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engine.attention.sites import attention_sites
from engine.errors import Cancelled, MethodError, ParameterError
from engine.execution.predict import predict
from engine.head_results import HeadScores, PruningCurve
from engine.heads.curve import ORDERS, plan_curve
from engine.heads.judging import head_scores
from engine.heads.switching import least_important, with_heads_off
from engine.inputs.image_sets import ImageSet
from engine.inputs.samples import load_sample, load_sample_set
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.replay import replay
from engine.results import load_result
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.counting import counted
from tests.engine.heads.helping import one_by_one
from tests.engine.refusals import expect_refusal


@pytest.fixture(scope="module")
def vit() -> LoadedModel:
    return load_model("digits-vit", device="cpu")


@pytest.fixture(scope="module")
def digits() -> ImageSet:
    return load_sample_set("digits").part(range(20))


def scores(values: list[list[float]]) -> HeadScores:
    return HeadScores({}, np.array(values, dtype=np.float32))


def test_before_and_after(vit: LoadedModel) -> None:
    picture = load_sample("digits/3-04")
    off = {(0, 0), (0, 1), (2, 3)}
    attention_sites(vit)  # found out once for each model
    with counted(vit.module) as count:
        before, after = with_heads_off(vit, picture, off)
    assert count.forward == 2
    assert np.array_equal(before.logits, predict(vit, picture).logits)
    (wanted,) = one_by_one(vit, vit.prepare(picture), [off])
    assert np.array_equal(after.logits, wanted[0].numpy())
    assert not np.allclose(after.logits, before.logits, atol=0.1)
    same, nothing = with_heads_off(vit, picture, set())
    assert np.array_equal(same.logits, nothing.logits)
    with expect_refusal(MethodError, "no head 4 in layer 1: there are 4 layers of 4, 4, 4, 4"):
        with_heads_off(vit, picture, {(1, 4)})
    cnn = zoo.load("tiny-cnn")
    with expect_refusal(MethodError, "no attention was seen"):
        with_heads_off(cnn, zoo.noise(cnn), set())


def test_the_least_important() -> None:
    found = scores([[0.3, 0.1, 0.2], [0.5, -1.0, np.nan]])
    assert least_important(found, 0) == set()
    assert least_important(found, 0.4) == {(1, 1), (0, 1)}
    assert least_important(found, 1) == {(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)}
    for share in (-0.1, 1.5):
        with expect_refusal(ParameterError, "a share lies between 0 and 1"):
            least_important(found, share)


def test_a_curve_is_what_whole_passes_give(vit: LoadedModel, digits: ImageSet) -> None:
    ranking = head_scores(vit, digits, "gradient").ranking
    steps = [0, 3, 9, 16]
    work = plan_curve(vit, digits, ranking, steps=steps, drawn=2, seed=5)
    found = work.run()
    assert found.orders == ORDERS
    assert found.off.tolist() == steps
    labels = torch.tensor([int(label) for label in digits.labels])
    x = torch.cat([vit.prepare(picture) for picture in digits])
    drawn = [
        [ranking_of(vit)[place] for place in np.random.default_rng([5, index]).permutation(16)]
        for index in range(2)
    ]
    for place, orders in enumerate(([ranking[::-1]], [ranking], drawn)):
        each = torch.stack([one_by_one(vit, x, [one[:n] for n in steps]) for one in orders])
        log_p = each.double().log_softmax(-1)  # (orders, steps, n, classes)
        right = (log_p.argmax(-1) == labels).double().mean(dim=0).numpy()
        loss = -log_p[..., torch.arange(20), labels].mean(dim=0).numpy()
        assert np.allclose(found.accuracy[place], right.mean(axis=1), atol=1e-6)
        assert np.allclose(found.loss[place], loss.mean(axis=1), rtol=1e-4, atol=1e-5)
        spread = loss.std(axis=1, ddof=1) / np.sqrt(20)
        assert np.allclose(found.loss_error[place], spread, rtol=1e-3, atol=1e-5)
    assert found.accuracy[0, 0] == found.accuracy[1, 0] == found.accuracy[2, 0]
    assert found.loss[1, 1] > found.loss[0, 1]  # the most important first hurts more
    used = found.manifest["outcome"]["passes"]["forward"]
    assert used == work.cost.forward == 20 * (1 + 4 * 3)
    assert found.manifest["outcome"]["images"] == 20


def ranking_of(model: LoadedModel) -> list[tuple[int, int]]:
    return [(layer, head) for layer in range(4) for head in range(4)]


def test_a_curve_is_kept_in_a_file(vit: LoadedModel, digits: ImageSet, tmp_path: Path) -> None:
    given = head_scores(vit, digits, "divergence")
    work = plan_curve(vit, digits, given, drawn=1)
    assert work.steps == (0, 1, 3, 4, 6, 7, 9, 10, 12, 13, 15, 16)
    found = work.run()
    again = load_result(found.save(tmp_path / "curve.safetensors"))
    assert isinstance(again, PruningCurve)
    assert again.key == work.key
    assert np.array_equal(again.loss, found.loss)
    assert plan_curve(vit, digits, given, drawn=2).key != work.key
    assert plan_curve(vit, digits, given.ranking[::-1], drawn=1).key != work.key
    assert replay(again, given=digits).verdict == "equal to the bit"
    small = replace(work, request={**work.request, "chunk": 2}).run()
    assert np.allclose(small.loss, found.loss, rtol=1e-4, atol=1e-5)


def test_mistakes_are_told(vit: LoadedModel, digits: ImageSet) -> None:
    given = ranking_of(vit)
    with expect_refusal(
        ParameterError, "the ranking has 15 heads; expected each of the model's 16"
    ):
        plan_curve(vit, digits, given[1:])
    with expect_refusal(ParameterError, "expected numbers of heads, 0 to 16"):
        plan_curve(vit, digits, given, steps=[3, 17])
    with expect_refusal(ParameterError, "at least one random order"):
        plan_curve(vit, digits, given, drawn=0)
    talking = nets.load(nets.Talking)
    with expect_refusal(MethodError, "mixes its heads"):
        plan_curve(talking, zoo.noise(talking), [(0, 0)])

    class Now:
        def is_set(self) -> bool:
            return True

    with pytest.raises(Cancelled):
        plan_curve(vit, digits, given).run(cancel=Now())
