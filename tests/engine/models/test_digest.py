from __future__ import annotations

import copy
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.models.digest import _reached, digest_model
from tests.engine import zoo


def change_weight(module: nn.Module) -> None:
    with torch.no_grad():
        module.conv1.weight[0, 0, 0, 0] += 1e-4


def change_weight_through_data(module: nn.Module) -> None:
    module.linear.bias.data[0] += 1e-4


def change_weight_through_numpy(module: nn.Module) -> None:
    module.linear.bias.detach().numpy()[1] += 1


def replace_weight(module: nn.Module) -> None:
    module.linear.weight = nn.Parameter(module.linear.weight.detach() * 2)


def change_running_mean(module: nn.Module) -> None:
    module.bn1.running_mean.add_(0.5)


def change_stride(module: nn.Module) -> None:
    module.conv2.stride = (1, 1)


def change_eps(module: nn.Module) -> None:
    module.bn1.eps = 1e-2


def change_dropout(module: nn.Module) -> None:
    module.drop.p = 0.1


def replace_activation(module: nn.Module) -> None:
    module.relu1 = nn.GELU()


def swap_weights(module: nn.Module) -> None:
    first, second = module.bn1.weight, module.bn1.bias
    module.bn1.weight, module.bn1.bias = second, first


CHANGES = [
    change_weight,
    change_weight_through_data,
    change_weight_through_numpy,
    replace_weight,
    change_running_mean,
    change_stride,
    change_eps,
    change_dropout,
    replace_activation,
    swap_weights,
]


@pytest.mark.parametrize("change", CHANGES)
def test_any_change_changes_it(change: Callable[[nn.Module], None]) -> None:
    module = zoo.build("tiny-cnn")
    before = digest_model(module)
    change(module)
    assert digest_model(module) != before


@pytest.mark.parametrize("change", CHANGES)
def test_a_loaded_model_notices(change: Callable[[nn.Module], None]) -> None:
    model = zoo.load("tiny-cnn")
    before = model.digest
    assert model.digest == before
    change(model.module)
    assert model.digest != before


@pytest.mark.parametrize("name", zoo.ZOO)
def test_equal_copies_agree(name: str) -> None:
    module = zoo.build(name)
    assert (
        digest_model(module) == digest_model(zoo.build(name)) == digest_model(copy.deepcopy(module))
    )


def test_use_and_mode_do_not_change_it() -> None:
    model = zoo.load("tiny-cnn")
    before = model.digest
    model.module.eval()(zoo.noise(model)).sum().backward()
    model.forward(zoo.noise(model))
    assert model.digest == before == digest_model(model.module.train())


SOURCE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(2, 2)

    def forward(self, x):
        return self.layer(x){end}
"""


def net_from_file(source: str, path: Path) -> nn.Module:
    path.write_text(source)
    spec = importlib.util.spec_from_file_location("networks_of_mine", path)
    home = importlib.util.module_from_spec(spec)
    sys.modules["networks_of_mine"] = home
    spec.loader.exec_module(home)
    return zoo.seeded(home.Net)


def test_the_source_of_forward_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networks_of_mine", sys)  # so that it is gone afterwards
    found = [
        digest_model(net_from_file(SOURCE.format(end=end), tmp_path / f"{name}.py"))
        for name, end in (("a", ""), ("b", ".relu()"), ("c", ""))
    ]
    assert found[0] != found[1]
    assert found[0] == found[2]


BASE = (
    SOURCE.replace("class Net", "class Base")
    + """

class Net(Base):
    pass
"""
)


def test_the_source_of_a_base_class_counts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "networks_of_mine", sys)
    plain = digest_model(net_from_file(BASE.format(end=""), tmp_path / "a.py"))
    other = digest_model(net_from_file(BASE.format(end=".relu()"), tmp_path / "b.py"))
    assert plain != other


def net_without_file(source: str) -> nn.Module:
    names = {"__name__": "a notebook"}
    exec(source, names)
    return zoo.seeded(names["Net"])


def test_networks_without_a_source_file_count_by_their_code() -> None:
    ends = ("", ".relu()", ".tanh()", " * 2", " * 3", "")
    found = [digest_model(net_without_file(SOURCE.format(end=end))) for end in ends]
    assert found[0] == found[-1]
    assert len(set(found)) == len(ends) - 1


def test_shape_and_type_of_a_tensor_count() -> None:
    class Holder(nn.Module):
        def __init__(self, tensor: torch.Tensor) -> None:
            super().__init__()
            self.register_buffer("held", tensor)

    kinds = [torch.zeros(4), torch.zeros(2, 2), torch.zeros(2, dtype=torch.float64)]
    kinds += [torch.zeros(4, dtype=torch.int32), torch.zeros(4, dtype=torch.bfloat16)]
    assert len({digest_model(Holder(tensor)) for tensor in kinds}) == len(kinds)


def act(x: torch.Tensor) -> torch.Tensor:
    return x.relu() * SLOPE


SLOPE = 2.0


class Calls(nn.Module):
    """Its behaviour lies in an attribute, in a function of this file and in a constant."""

    def __init__(self, chosen: Callable[[torch.Tensor], torch.Tensor] = F.relu) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)
        self.chosen = chosen
        self.table = {"relu": [chosen]}

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return act(self.chosen(self.linear(x)))


def same(*modules: nn.Module) -> bool:
    for module in modules[1:]:
        module.load_state_dict(modules[0].state_dict())
    return len({digest_model(module) for module in modules}) == 1


def test_functions_kept_as_attributes_count() -> None:
    assert same(Calls(F.relu), Calls(F.relu))
    assert not same(Calls(F.relu), Calls(F.gelu))
    assert not same(Calls(lambda x: x + 1), Calls(lambda x: x + 2))


def test_what_the_forward_calls_in_its_own_file_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    module = Calls()

    def afresh() -> str:
        _reached.cache_clear()
        return digest_model(module)

    before = afresh()
    assert afresh() == before
    monkeypatch.setitem(globals(), "SLOPE", 3.0)
    assert afresh() != before
    monkeypatch.setitem(globals(), "SLOPE", 2.0)
    assert afresh() == before
    monkeypatch.setitem(globals(), "act", lambda x: x.tanh())
    assert afresh() != before


def test_where_a_network_of_transformers_came_from_does_not_count() -> None:
    import transformers

    config = transformers.ResNetConfig(embedding_size=4, hidden_sizes=[4], depths=[1])
    module = zoo.seeded(lambda: transformers.ResNetForImageClassification(config))
    before = digest_model(module)
    module.name_or_path = "/somewhere/else"
    assert digest_model(module) == before
