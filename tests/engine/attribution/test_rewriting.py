"""The machinery: what is seen of a pass, what it leaves alone, and how refusals are told."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from engine.attribution.explain import explain
from engine.attribution.gradient import Gradient
from engine.attribution.registry import methods_for
from engine.attribution.rewriting.calls import Call
from engine.attribution.rewriting.kinds import kind_of
from engine.attribution.rewriting.multipliers import Multipliers
from engine.attribution.rewriting.positive import PositiveGradients
from engine.attribution.rewriting.relevance import Relevance
from engine.attribution.rewriting.watching import Rewriting
from engine.errors import Cancelled, MethodError, OutOfMemory
from engine.execution.passes import Passes
from engine.execution.reasons import Reasons
from tests.engine import zoo
from tests.engine.attribution import twins
from tests.engine.counting import hooks_on
from tests.engine.refusals import expect_refusal

MODES: list[Callable[[nn.Module], Rewriting]] = [
    Rewriting,
    Multipliers,
    PositiveGradients,
    Relevance,
    lambda module: Relevance(module, 0.25),
]
METHODS = ["deep-lift", "guided-backprop", "lrp"]


def modes_entered() -> int:
    return int(torch._C._len_torch_function_stack())


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("name", "index"), twins.SPELLED)
def test_what_comes_out_is_the_same_to_the_bit(name: str, index: int, mode: Any) -> None:
    module = twins.twin(twins.SPELLINGS[name][index])
    x = torch.randn(4, 3, 8, 8, generator=torch.Generator().manual_seed(1)).requires_grad_()
    plain = module(x.clone())
    copy = x.clone()
    with mode(module):
        found = module(copy)
    assert torch.equal(found, plain)
    assert found.requires_grad


class Aliases(nn.Module):
    """What is overwritten is used again, as a whole and in parts."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = x * 2
        alias, part = h, h[:, :2]
        r = F.relu_(h)
        part.add_(1)
        alias[:, 2:].clamp_(max=0.5)
        return torch.cat([h + alias, nn.Tanh()(part), part, r], dim=1)


class Unaliased(nn.Module):
    """The same, with nothing overwritten."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        h = F.relu(x * 2)
        part = h[:, :2] + 1
        whole = torch.cat([part, h[:, 2:].clamp(max=0.5)], dim=1)
        return torch.cat([whole + whole, part.tanh(), part, whole], dim=1)


@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_aliases_see_what_they_see_in_a_plain_pass(seed: int) -> None:
    x = torch.randn(4, 5, generator=torch.Generator().manual_seed(seed)).requires_grad_()
    plain = Aliases()(x.clone())
    for mode in (Multipliers, PositiveGradients, Relevance):
        gradients = []
        for network in (Aliases(), Unaliased()):
            copy = x.clone()
            with mode(network):
                found = network(copy)
            assert torch.equal(found, plain)
            gradients.append(torch.autograd.grad(found.sum(), x)[0])
        assert torch.allclose(*gradients, rtol=1e-5, atol=1e-5)


def test_an_overwriting_call_returns_what_it_was_given() -> None:
    network, seen = nn.Identity(), []
    for mode in MODES:
        x = torch.randn(2, 3).requires_grad_() * 1
        with mode(network):
            seen.append(F.relu(x, inplace=True) is x and F.relu_(x) is x and x.clamp_(0) is x)
    assert seen == [True] * len(MODES)


def kinds_in(work: Callable[[torch.Tensor, torch.Tensor], object]) -> list[str]:
    """Kinds of the calls on what depends on the input, given it and a weight."""
    found: list[str] = []

    class Listening(Rewriting):
        def _ruled(self, call: Call, kind: Any) -> Any:
            found.append(kind)
            return super()._ruled(call, kind)

    x = torch.randn(2, 4, 4).requires_grad_() * 1
    with Listening(nn.Identity()):
        work(x, nn.Parameter(torch.randn(4, 4)))
    return found


@pytest.mark.parametrize(
    ("work", "kinds"),
    [
        (lambda x, w: x * w, ["affine"]),
        (lambda x, w: w * x, ["affine"]),
        (lambda x, w: x * x, ["product"]),
        (lambda x, w: x @ w.T, ["affine"]),
        (lambda x, w: x @ (w * 2).exp(), ["affine"]),
        (lambda x, w: x @ x, ["product"]),
        (lambda x, w: torch.einsum("nij,jk->nik", x, w), ["affine"]),
        (lambda x, w: torch.einsum("nij,njk->nik", x, x), ["product"]),
        (lambda x, w: x / w, ["affine"]),
        (lambda x, w: w / x, ["function"]),
        (lambda x, w: 1 / x, ["function"]),
        (lambda x, w: x / x, ["product"]),
        (lambda x, w: 3 - x, ["affine"]),
        (lambda x, w: x**2, ["function"]),
        (lambda x, w: torch.cat([x, w.expand(2, -1, -1)]), ["affine"]),
        (lambda x, w: x.softmax(-1), ["other"]),
        (lambda x, w: F.layer_norm(x, (4,)), ["other"]),
        (lambda x, w: F.batch_norm(x, w[0].detach(), w[1].exp().detach()), ["affine"]),
        (lambda x, w: F.batch_norm(x, None, None, training=True), ["other"]),
        (lambda x, w: F.max_pool1d(x, 2), ["maximum"]),
        (lambda x, w: torch.zeros_like(x) * w, ["silent"]),
        (lambda x, w: x.shape, ["attribute"]),
        (lambda x, w: F.prelu(x, w[0]), ["activation"]),
        (lambda x, w: torch.clamp(x, max=x), ["other"]),
        (lambda x, w: (w * w).softmax(-1), []),
    ],
)
def test_kinds(work: Any, kinds: list[str]) -> None:
    assert kinds_in(work) == kinds


@pytest.mark.parametrize(
    ("work", "told"),
    [
        (lambda x: x.detach(), "takes numbers out of the gradient's way by detach"),
        (lambda x: x.data, "takes numbers out of the gradient's way by get"),
        (lambda x: x > 0, "takes numbers out of the gradient's way by gt"),
        (lambda x: x * x.mean(), "multiplies two parts that both depend on the input, by mul"),
        (lambda x: x.softmax(-1), "calls softmax"),
    ],
)
def test_notes_name_the_innermost_layer(work: Any, told: str) -> None:
    class Inner(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.helped(x)

        def helped(self, x: torch.Tensor) -> torch.Tensor:
            return next(work(one) for one in [x])

    network = nn.Sequential(nn.Linear(3, 3), nn.Sequential(nn.Dropout(), Inner()))
    mode = Rewriting(network)
    x = torch.randn(2, 3).requires_grad_() * 1
    with mode:
        network(x)
        work(x)  # by no layer
    assert [note.describe() for note in mode.notes] == [
        f"its layer 1.1 {told}",
        f"its own forward {told}",
    ]


class Looks(zoo.TinyCnn):
    """Looks for mistakes on the way, as careful code does."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            assert x.isfinite().all()
            assert not torch.isnan(self.conv1(x.detach())).any()
        return super().forward(x + torch.zeros_like(x))


@pytest.mark.parametrize("method", ["deep-lift", "guided-backprop"])
def test_code_that_only_looks_changes_nothing(method: str) -> None:
    models = twins.load(zoo.seeded(Looks), zoo.PICTURE), zoo.load("tiny-cnn")
    found, expected = (explain(model, zoo.noise(model), method, 0).values for model in models)
    assert np.array_equal(found, expected)


def test_weights_are_constants_and_keep_what_they_are() -> None:
    network = zoo.seeded(zoo.TableNet)
    before = [(one.requires_grad, one.is_leaf) for one in network.parameters()]
    x = torch.randn(4, 5).requires_grad_() * 1
    with Multipliers(network):
        out = network(x).sum()
    gradients = torch.autograd.grad(out, list(network.parameters()), allow_unused=True)
    assert gradients == (None,) * len(before)
    assert [(one.requires_grad, one.is_leaf) for one in network.parameters()] == before


@pytest.mark.parametrize("error", [RuntimeError("broken"), Cancelled("cancelled")])
@pytest.mark.parametrize("mode", MODES)
def test_nothing_is_left_behind_by_an_error(mode: Any, error: Exception) -> None:
    class Broken(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            raise error

    network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), Broken())
    before = [sorted(vars(part)) for part in network.modules()]
    x = torch.randn(2, 3, 8, 8).requires_grad_() * 1
    with pytest.raises(type(error)), mode(network):
        network(x)
    assert modes_entered() == 0
    assert hooks_on(network) == 0
    assert [sorted(vars(part)) for part in network.modules()] == before


@pytest.mark.parametrize("mode", MODES)
def test_other_threads_see_the_plain_network(mode: Any) -> None:
    """One thread stands in the middle of a rewritten pass while another takes a gradient."""
    inside, done = threading.Event(), threading.Event()
    main = threading.get_ident()

    class Waits(nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            if threading.get_ident() != main:
                inside.set()
                assert done.wait(60)
            return x

    network = nn.Sequential(nn.Linear(5, 9), Waits(), nn.GELU(), nn.ReLU(), nn.Linear(9, 1))
    x = torch.randn(4, 5)

    def gradient() -> torch.Tensor:
        leaf = x.clone().requires_grad_()
        return torch.autograd.grad(network(leaf).sum(), leaf)[0]

    def other() -> None:
        copy = x.clone().requires_grad_() * 1
        with mode(network):
            network(copy)

    expected = gradient()
    thread = threading.Thread(target=other)
    thread.start()
    assert inside.wait(60)
    try:
        assert torch.equal(gradient(), expected)
        assert modes_entered() == 0
    finally:
        done.set()
        thread.join()


def test_compiled_layers_are_told_for_what_they_call_is_not_seen() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch.jit is on its way out
        scripted = torch.jit.script(nn.ReLU())
    network = nn.Sequential(nn.Linear(3, 3), scripted, nn.Sequential(nn.ReLU()))
    x = torch.randn(2, 3).requires_grad_() * 1
    mode = PositiveGradients(network)
    with mode:
        network(x)
    assert mode.rectifiers == 1  # of two
    told = "its layer 1 is compiled, so what it calls is not seen"
    assert [note.describe() for note in mode.notes] == [told]


@pytest.mark.parametrize("method", ["guided-backprop", "lrp"])
def test_compiled_layers_are_refused(method: str) -> None:
    model = zoo.load("tiny-cnn")
    layer = model.module.relu1
    layer._compiled_call_impl = layer._call_impl  # what compile() sets, without a compiler
    with expect_refusal(MethodError, "its layer relu1 is compiled"):
        explain(model, zoo.noise(model), method, 0)


class Shy(zoo.ImageLinear):
    """Puts out something else when it is watched."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        watched = modes_entered() > 0
        return super().forward(F.relu(x)) + (0.5 if watched else 0.0)


@pytest.mark.parametrize("method", METHODS)
def test_a_network_that_behaves_otherwise_when_watched(method: str) -> None:
    model = twins.load(zoo.seeded(Shy))
    with expect_refusal(MethodError, "Shy puts out other values when its calls are watched"):
        explain(model, zoo.noise(model), method, 0)


class OverwritesInput(zoo.ImageLinear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(F.relu_(x.sub_(0.1)))


class Careful(zoo.ImageLinear):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return super().forward(F.relu(x - 0.1))


@pytest.mark.parametrize("mode", MODES)
def test_a_network_may_overwrite_its_input(mode: Any) -> None:
    from engine.attribution.rewriting.passing import rewritten

    x = torch.randn(2, 3, 8, 8)
    found = []
    for kind in (OverwritesInput, Careful):
        leaf = x.clone().requires_grad_()
        module = zoo.seeded(kind)
        logits = rewritten(Passes(twins.load(module)), leaf, mode(module))
        assert torch.equal(leaf, x)
        found.append(torch.autograd.grad(logits[:, 0].sum(), leaf)[0])
    assert torch.equal(*found)


class Some(Gradient):
    name = "some"
    title = "Some"


@pytest.fixture
def _only_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Reasons, "every", {})


@pytest.mark.usefixtures("_only_here")
def test_reasons_are_looked_for_once_for_each_model() -> None:
    tried: list[str] = []

    def trial(passes: Passes, noise: torch.Tensor) -> None:
        tried.append(passes.model.card.title)
        assert noise.shape == (2, *passes.model.spec.shape)
        if passes.model.family == "vit":
            raise MethodError("no attention, please")

    reasons = Reasons(Some, trial)
    cnn, vit = zoo.load("tiny-cnn"), zoo.load("tiny-vit")
    assert [reasons.against(one) for one in (cnn, vit, cnn, vit)] == [
        None,
        "no attention, please",
    ] * 2
    assert tried == ["TinyCnn", "TinyVit"]


@pytest.mark.usefixtures("_only_here")
def test_a_network_that_fails_on_noise_is_told_but_not_for_want_of_memory() -> None:
    raised: list[Exception] = [MemoryError(), ValueError("expected\ntwo lines")]

    def trial(passes: Passes, noise: torch.Tensor) -> None:
        raise raised.pop(0)

    reasons, model = Reasons(Some, trial), zoo.load("tiny-cnn")
    assert reasons.against(model) is None
    assert reasons.against(model) == "Some fails on TinyCnn: expected"
    assert reasons.against(model) == "Some fails on TinyCnn: expected"
    assert raised == []


def test_memory_that_is_short_refuses_no_method() -> None:
    model = zoo.load("tiny-cnn")
    forward = model.module.forward

    def none_left(_batch: torch.Tensor) -> torch.Tensor:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory")

    model.module.forward = none_left
    offered = {method.name for method in methods_for(model)}
    assert set(METHODS) <= offered
    with expect_refusal(OutOfMemory, "memory ran out"):
        explain(model, zoo.noise(model), "lrp", 0)
    model.module.forward = forward
    assert explain(model, zoo.noise(model), "lrp", 0) is not None


def test_kind_of_a_call_without_a_name_is_other() -> None:
    x = torch.randn(2).requires_grad_() * 1
    assert kind_of(Call.of(lambda one: one, (x,), {})) == "other"
