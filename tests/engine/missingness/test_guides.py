from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from engine.attention.sites import attention_sites
from engine.attribution.explain import explain
from engine.errors import InputError, MethodError, ParameterError
from engine.execution.cost import Cost
from engine.execution.passes import Passes
from engine.heads.looking import look
from engine.masking.cells import commonest_of_cells, mean_of_cells
from engine.masking.generators.registry import find_generator
from engine.masking.regions import colours_of, superpixels
from engine.missingness.attending import attention_scores
from engine.missingness.difficulty import difficulty
from engine.missingness.guides import REGIONS, Guide, guides_for, plan_guide, scores_of
from engine.models.loaded import LoadedModel
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.counting import counted
from tests.engine.heads.helping import of_two_layers
from tests.engine.reference_heads import Reference
from tests.engine.refusals import expect_refusal


def planned(model: LoadedModel, generator: str, guide: Any, grid: Any = (4, 4)) -> Guide:
    found = plan_guide(model, zoo.noise(model), find_generator(generator), guide, grid, 0)
    assert found is not None
    return found


def found(model: LoadedModel, generator: str, guide: Any, grid: Any = (4, 4)) -> np.ndarray:
    guiding = planned(model, generator, guide, grid)
    passes = Passes(model, guiding.cost)
    values = guiding.on_grid(find_generator(generator), grid, passes, zoo.noise(model))
    assert passes.used.within(guiding.cost)
    assert values is not None
    return values


def test_attention_is_the_class_tokens_row_of_the_last_layer() -> None:
    model = of_two_layers()
    x = zoo.noise(model)
    attention_sites(model)  # found out once for each model
    passed = Reference(model.module).run(x[0].double().numpy())
    with counted(model.module) as count:
        scores = attention_scores(Passes(model), x)
    assert count.forward == 1
    assert scores.shape == (2, 4, 4)
    assert np.allclose(scores, passed.maps[-1][:, 0, 1:].reshape(2, 4, 4), atol=1e-6)


@pytest.mark.parametrize("prefix", [0, 3])
def test_of_other_readouts_what_is_read_asks(prefix: int) -> None:
    model = nets.load(nets.Vit, prefix)
    x = zoo.noise(model)
    maps = look(model, x)
    scores = attention_scores(Passes(model), x)
    for head in range(2):
        assert np.allclose(scores[head], maps.seen(len(maps.maps) - 1, head), atol=1e-6)


def test_windows_are_put_back_to_their_places() -> None:
    model = library.load("torchvision-swin")
    x = zoo.noise(model)
    maps = look(model, x)
    scores = attention_scores(Passes(model), x)
    last = len(maps.maps) - 1
    assert scores.shape[1:] == maps.grids[last]
    for head in range(len(scores)):
        assert np.allclose(scores[head], maps.seen(last, head), atol=1e-6)


def test_named_guides_are_what_they_say() -> None:
    vit, x = zoo.load("tiny-vit"), zoo.noise(zoo.load("tiny-vit"))
    assert np.allclose(found(vit, "attention-ranked", None), attention_scores(Passes(vit), x))
    assert planned(vit, "attention-ranked", None).cost == Cost(1)
    model = zoo.load("tiny-cnn")
    expected = difficulty(colours_of(model, x), (4, 4))
    assert np.array_equal(found(model, "hard-patches", None), expected)
    regions = superpixels(model, x, REGIONS).numpy()
    assert np.array_equal(
        found(model, "region-complete", None), commonest_of_cells(regions, (4, 4))
    )
    assert planned(model, "region-complete", None).told == {"name": "superpixels", "segments": 24}


@pytest.mark.parametrize("grid", [(4, 4), (16, 16), (3, 5)])
def test_maps_are_averaged_over_cells(grid: tuple[int, int]) -> None:
    model = zoo.load("tiny-cnn")
    for method in ("gradient", "grad-cam"):
        made = explain(model, zoo.noise(model), method)
        magnitude = made.manifest["display"]["view"] == "magnitude"
        expected = mean_of_cells(made.resized(16, 16, magnitude=magnitude), grid)
        for guide in (method, made):
            assert np.allclose(found(model, "saliency", guide, grid), expected, atol=1e-6)
        assert planned(model, "saliency", made).told["name"] == "given"
        assert planned(model, "saliency", method).told["name"] == method


def test_the_usual_map_is_the_models_first_method() -> None:
    assert planned(zoo.load("tiny-cnn"), "saliency", None).title == "Grad-CAM"
    assert planned(zoo.load("tiny-vit"), "saliency", None).title == "Attention Rollout"


def test_a_map_of_a_method_counts_its_passes() -> None:
    model = zoo.load("tiny-cnn")
    guiding = planned(model, "saliency", "integrated-gradients")
    told: list[tuple[int, int]] = []
    passes = Passes(model, guiding.cost, lambda done, total: told.append((done, total)))
    guiding.on_grid(find_generator("saliency"), (4, 4), passes, zoo.noise(model))
    assert passes.used.backward == 50
    assert passes.used.within(guiding.cost)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert {total for _, total in told} == {guiding.cost.total}


def test_arrays_on_the_grid_or_in_pixels() -> None:
    model = zoo.load("tiny-cnn")
    draw = np.random.default_rng(0)
    on_grid, pixels, heads = draw.random((4, 4)), draw.random((16, 16)), draw.random((3, 16, 16))
    assert np.array_equal(found(model, "saliency", on_grid), on_grid)
    assert np.allclose(found(model, "saliency", pixels), mean_of_cells(pixels, (4, 4)))
    assert found(model, "attention-ranked", heads).shape == (3, 4, 4)
    labels = draw.integers(0, 3, (16, 16))
    expected = commonest_of_cells(labels, (4, 4))
    assert np.array_equal(found(model, "region-complete", labels), expected)
    same = planned(model, "saliency", on_grid).told
    assert same == planned(model, "saliency", on_grid.copy()).told
    assert same != planned(model, "saliency", on_grid + 1e-9).told


def test_tables_take_maps_and_scores() -> None:
    model = zoo.load("table")
    made = explain(model, zoo.noise(model), "gradient")
    assert scores_of(model, made).shape == (1, 3)
    assert np.array_equal(found(model, "saliency", made, (1, 3))[0], made.values.astype(float))
    picture = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, "the map has shape (3,)", "16×16"):
        scores_of(picture, made)
    with expect_refusal(ParameterError, "the guide 'difficulty' needs a picture"):
        planned(model, "hard-patches", None, (1, 3))


@pytest.mark.parametrize(
    ("model", "generator", "guide", "kind", "words"),
    [
        ("tiny-cnn", "attention-ranked", None, ParameterError, "has no attention to be guided by"),
        ("tiny-cnn", "saliency", "grad-cma", ParameterError, "did you mean grad-cam"),
        ("tiny-cnn", "saliency", "attention-rollout", MethodError, "needs a vision transformer"),
        ("tiny-cnn", "saliency", "superpixels", ParameterError, "no guide 'superpixels'"),
        ("tiny-cnn", "region-complete", "gradient", ParameterError, "superpixels"),
        ("tiny-cnn", "drawn", None, ParameterError, "drawn needs a drawn mask"),
        ("tiny-cnn", "drawn", "difficulty", ParameterError, "give an array"),
        ("tiny-cnn", "uniform", "gradient", ParameterError, "guided by nothing but chance"),
        ("tiny-cnn", "saliency", np.zeros((4, 4), str), ParameterError, "a map of scores"),
        ("tiny-cnn", "region-complete", np.zeros((2, 2), int), ParameterError, "shape (2, 2)"),
        ("tiny-cnn", "drawn", np.zeros((5, 4), bool), ParameterError, "shape (5, 4)"),
    ],
)
def test_guides_that_cannot_be(
    model: str, generator: str, guide: Any, kind: Any, words: str
) -> None:
    with expect_refusal(kind, words):
        planned(zoo.load(model), generator, guide)


def test_a_map_guides_no_regions() -> None:
    model = zoo.load("tiny-cnn")
    with expect_refusal(ParameterError, "a map of regions"):
        planned(model, "region-complete", explain(model, zoo.noise(model), "gradient"))


def test_a_map_of_another_input_guides_nothing() -> None:
    model = zoo.load("tiny-cnn")
    made = explain(model, zoo.noise(model, seed=1), "gradient")
    with expect_refusal(InputError, "the map explains another input"):
        planned(model, "saliency", made)
    planned(model, "saliency", scores_of(model, made))


def test_which_guides_there_are() -> None:
    cnn, vit = zoo.load("tiny-cnn"), zoo.load("tiny-vit")
    assert "attention" not in guides_for(cnn, "scores")
    assert list(guides_for(vit, "scores"))[:3] == ["attention", "difficulty", "attention-rollout"]
    assert guides_for(cnn, "regions") == {"superpixels": "Superpixels"}
    assert guides_for(cnn, "drawn") == guides_for(cnn, "") == {}
    assert not {"attention", "difficulty"} & set(guides_for(zoo.load("table"), "scores"))
    for name in guides_for(cnn, "scores"):
        assert planned(cnn, "saliency", name).title


def test_a_transformer_without_places_says_why() -> None:
    model = nets.load(nets.Between)
    with expect_refusal(ParameterError, model.card.title):
        planned(model, "attention-ranked", None)
    assert "attention" not in guides_for(model, "scores")
