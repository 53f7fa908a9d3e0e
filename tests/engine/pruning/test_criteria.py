from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch

from engine.bibliography import paper
from engine.errors import InputError, MethodError
from engine.heads.judging import head_scores
from engine.models.loaded import LoadedModel
from engine.pruning.finding.groups import find_groups
from engine.pruning.scoring import score
from engine.pruning.scoring.registry import criteria, find_criterion
from engine.pruning.scoring.score import score_units, scores_cost
from engine.pruning.units import Groups
from tests.engine import reference_pruning, zoo
from tests.engine.counting import counted, hooks_on
from tests.engine.pruning.subjects import SUBJECTS, batch_of, labelled, subject


@pytest.fixture
def through(monkeypatch: pytest.MonkeyPatch):
    """Score pictures that have labels: the engine takes them where a caller hands in a set."""

    def run(model: LoadedModel, pictures, **asked):
        monkeypatch.setattr(score, "load_pictures", lambda *_: pictures)
        return score_units(model, find_groups(model), pictures, **asked)

    return run


def classes_of(model: LoadedModel, pictures) -> list[int]:
    with torch.no_grad():
        said = model.forward(batch_of(pictures)).argmax(dim=1).tolist()
    return [own if own >= 0 else other for own, other in zip(pictures.labels, said, strict=True)]


def test_every_criterion_derived_again(through) -> None:
    model = subject("cnn")
    pictures = labelled(model)
    found = through(model, pictures)
    x, labels = batch_of(pictures).double().numpy(), classes_of(model, pictures)
    assert {group.name for group in find_groups(model).groups} == {"conv1", "conv2"}
    for name in ("conv1", "conv2"):
        exact = reference_pruning.scores(model.module, x, labels, name)
        assert set(exact) | {"random"} == set(found)
        for criterion, values in exact.items():
            np.testing.assert_allclose(
                found[criterion][name], values, rtol=2e-5, atol=1e-9, err_msg=criterion
            )


def scaled(model: LoadedModel, groups: Groups, x: torch.Tensor, labels: list[int], name: str):
    """∂ loss / ∂ scale of what reads each unit, in float64 by central differences."""
    group, step = groups[name], 1e-5
    found = np.zeros((len(x), group.size))
    for unit in range(group.size):
        ends = []
        for sign in (1, -1):
            module = deepcopy(model.module).double().eval()
            for span in group.consumers:
                tensor = getattr(module.get_submodule(span.layer), span.tensor).data
                places = torch.from_numpy(span.index[unit])
                part = tensor.index_select(span.dim, places)
                tensor.index_copy_(span.dim, places, part * (1 + sign * step))
            with torch.no_grad():
                log_p = module(x.double()).log_softmax(dim=1)
            ends.append(-log_p.gather(1, torch.tensor(labels)[:, None])[:, 0].numpy())
        found[:, unit] = (ends[0] - ends[1]) / (2 * step)
    return found


@pytest.mark.parametrize("name", SUBJECTS)
def test_slopes_are_those_of_scaling_what_reads_a_unit(name: str, through) -> None:
    """Whoever reads the same tensor, writes over it or puts tokens first."""
    model = subject(name)
    pictures, groups = labelled(model), find_groups(model)
    found = through(model, pictures, criteria=["taylor", "fisher"])
    x, labels = batch_of(pictures), classes_of(model, pictures)
    assert groups.groups
    for group in groups.groups:
        steep = scaled(model, groups, x, labels, group.name)
        scale = np.abs(steep).max() + 1e-9
        exact = np.abs(steep).mean(axis=0)
        np.testing.assert_allclose(found["taylor"][group.name], exact, atol=1e-4 * scale)
        exact = np.square(steep).mean(axis=0) / 2
        np.testing.assert_allclose(found["fisher"][group.name], exact, atol=1e-4 * scale**2)


@pytest.mark.parametrize("name", SUBJECTS)
def test_one_pass_there_and_back_for_all_and_nothing_is_left(name: str, through) -> None:
    model = subject(name)
    pictures, groups = labelled(model), find_groups(model)
    digest = model.digest
    with counted(model.module) as count:
        found = through(model, pictures)
    assert (count.forward, count.backward) == (5, 5)
    assert count.batches == [1, 4]  # the first alone shows where samples stand
    assert found.outcome["passes"] == {"forward": 5, "backward": 5}
    assert scores_cost(groups, list(found), 5).total == 10
    assert hooks_on(model.module) == 0
    assert model.digest == digest
    assert found.outcome["classes_from"] == {"labels": 3, "predictions": 2}


@pytest.mark.parametrize("name", SUBJECTS)
@pytest.mark.parametrize("size", [1, 2, 3])
def test_chunk_size_changes_nothing(
    name: str, size: int, through, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = subject(name)
    pictures = labelled(model)
    whole = through(model, pictures)
    monkeypatch.setattr(score, "chunk_for", lambda _: size)
    parts = through(model, pictures)
    for criterion, groups in whole.items():
        for group, values in groups.items():
            largest = np.abs(values).max()
            np.testing.assert_allclose(
                parts[criterion][group], values, atol=2e-5 * largest, err_msg=criterion
            )


def test_memory_that_runs_out_counts_nothing_twice(through) -> None:
    model = subject("cnn")
    pictures = labelled(model)
    whole = through(model, pictures)
    forward, fails = model.forward, [True]

    def failing(batch: torch.Tensor, rows: int | None = None) -> torch.Tensor:
        if len(batch) > 1 and fails:
            fails.clear()
            raise MemoryError
        return forward(batch, rows)

    model.forward = failing  # type: ignore[method-assign]
    again = through(model, pictures)
    np.testing.assert_allclose(again["wifv"]["conv1"], whole["wifv"]["conv1"], rtol=1e-6)
    assert again.statistics.samples == 5
    assert again.outcome["passes"] == {"forward": 5, "backward": 5}


HEADS = {
    "taylor": ("gradient", 1.0),
    "fisher": ("fisher", 0.5),
    "uniqueness": ("uniqueness", 1.0),
    "confidence": ("confidence", 1.0),
    "output-norm": ("output-norm", 1.0),
    "ablation": ("cross-entropy", 1.0),
}


@pytest.mark.parametrize("name", ["vit", "encoder"])
def test_heads_are_judged_as_on_the_page_of_heads(name: str) -> None:
    model = subject(name)
    x, groups = zoo.noise(model, 4), find_groups(model)
    found = score_units(model, groups, x, criteria=list(HEADS))
    heads = [group for group in groups.groups if group.kind == "heads"]
    assert heads
    for criterion, (metric, factor) in HEADS.items():
        exact = head_scores(model, x, metric).values
        for group in heads:
            values = factor * exact[group.site, : group.size]
            np.testing.assert_allclose(
                found[criterion][group.name], values, rtol=1e-4, atol=1e-6, err_msg=criterion
            )
    assert set(found["ablation"]) == {group.name for group in heads}
    one_pass = 4 + 4 * (1 + sum(group.size for group in heads))
    assert found.outcome["passes"] == {"forward": one_pass, "backward": 4}


def test_random_is_drawn_from_the_seed_and_scaling_keeps_the_order() -> None:
    model = subject("cnn")
    groups, x = find_groups(model), zoo.noise(model, 3)
    draws = [score_units(model, groups, criteria=["random"], seed=seed) for seed in (0, 0, 1)]
    first, again, other = (draw["random"]["conv2"] for draw in draws)
    assert (first == again).all() and (first != other).all()
    found = score_units(model, groups, x, criteria=["taylor", "taylor-scaled"])
    for name, values in found["taylor-scaled"].items():
        assert np.square(values).sum() == pytest.approx(1)
        assert (values.argsort() == found["taylor"][name].argsort()).all()


def test_a_criterion_tells_what_it_cannot_judge() -> None:
    vit, cnn = subject("vit"), subject("cnn")
    with pytest.raises(MethodError, match="needs a batch norm"):
        score_units(vit, find_groups(vit), criteria=["bn-scale"])
    with pytest.raises(MethodError, match="Ablation judges heads"):
        score_units(cnn, find_groups(cnn), zoo.noise(cnn), criteria=["ablation"])
    found = score_units(vit, find_groups(vit), zoo.noise(vit))
    assert "bn-scale" in found.refused and "bn-scale" not in found
    with pytest.raises(InputError, match="no pictures to calibrate on"):
        score_units(cnn, find_groups(cnn), criteria=["wifv"])
    with pytest.raises(MethodError, match="did you mean taylor"):
        find_criterion("tailor")


def test_units_of_a_regression_have_no_slopes_but_sizes() -> None:
    model = zoo.load("mlp")
    model.activation = "identity"
    groups, x = find_groups(model), zoo.noise(model, 3)
    with pytest.raises(MethodError, match="is a regression"):
        score_units(model, groups, x, criteria=["taylor"])
    found = score_units(model, groups, x)
    assert "taylor" in found.refused and "wanda-sp" in found


def test_every_criterion_cites_a_paper_that_is_there() -> None:
    for one in criteria().values():
        assert str(paper(one.paper).year) in paper(one.paper).cite()
        assert one.title and one.summary.endswith(".") and one.caveat.endswith(".")
