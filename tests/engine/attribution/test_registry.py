from __future__ import annotations

import pytest

from engine.attribution.method import ALL_FAMILIES, Method
from engine.attribution.registry import find_method, methods, methods_for
from engine.errors import MethodError
from engine.parameters import Parameter
from tests.engine import zoo
from tests.engine.refusals import expect_refusal, is_one_line


def test_the_first_four_are_there() -> None:
    assert {"grad-cam", "gradient", "integrated-gradients", "occlusion"} <= set(methods())


@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.name)
def test_every_method_says_all_about_itself(method: Method) -> None:
    assert find_method(method.name) is method
    for told in (method.title, method.summary, method.caveat, method.paper):
        assert is_one_line(told)
    assert method.summary.endswith(".")
    assert method.caveat.endswith(".")
    assert method.families
    assert method.families | method.first_for <= ALL_FAMILIES
    assert method.first_for <= method.families


def declared(name: str) -> list[tuple[Method, Parameter]]:
    model = zoo.load(name)
    return [(m, p) for m in methods_for(model) for p in m.parameters_for(model)]


@pytest.mark.parametrize("name", zoo.ZOO)
def test_every_default_is_valid(name: str) -> None:
    for method, parameter in declared(name):
        assert parameter.check(parameter.default) == parameter.default, (method, parameter)
        assert is_one_line(parameter.title)
        assert is_one_line(parameter.help)
        if parameter.kind in ("int", "float"):
            assert parameter.low is not None
            assert parameter.high is not None


def test_titles_are_in_alphabetical_order() -> None:
    titles = [method.title.lower() for method in methods().values()]
    assert titles == sorted(titles)
    assert len(set(titles)) == len(titles)


def test_unknown_method_tells_the_nearest() -> None:
    with expect_refusal(MethodError, "no method 'gradcam'", "did you mean grad-cam"):
        find_method("gradcam")


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("tiny-cnn", "grad-cam"),
        ("tiny-vit", "attention-rollout"),
        ("mlp", "integrated-gradients"),
        ("table", "integrated-gradients"),
        ("forest", "kernel-shap"),
    ],
)
def test_the_one_to_show_first(name: str, first: str) -> None:
    model = zoo.load(name)
    suited = methods_for(model)
    assert suited[0].name == first
    assert all(method.refusal(model) is None for method in suited)


@pytest.mark.parametrize("name", zoo.ZOO)
@pytest.mark.parametrize("method", methods().values(), ids=lambda method: method.name)
def test_it_suits_a_model_or_says_in_one_line_why_not(method: Method, name: str) -> None:
    model = zoo.load(name)
    reason = method.refusal(model)
    assert (reason is None) == (method in methods_for(model))
    if model.family not in method.families:
        assert reason is not None
        assert is_one_line(reason)
        assert method.title in reason
        assert model.card.title in reason
