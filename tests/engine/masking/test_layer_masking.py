"""Layer masking against plain loops in double precision, and what must be true on any network."""

from __future__ import annotations

import threading
import warnings
from copy import deepcopy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from engine.errors import MethodError
from engine.masking.fills.registry import FILLS, fills_for
from engine.masking.layers.neighbours import padded_by_neighbours
from engine.masking.predict import predict_masked
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.counting import hooks_on
from tests.engine.refusals import expect_refusal

FILL = FILLS["layer-masking"]
Array = np.ndarray


class Small(nn.Module):
    """One of each published rule: 7 × 6 → 4 × 3 → 2 × 2 → a number for each class."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(2, 3, 3, stride=2, padding=1)
        self.norm = nn.BatchNorm2d(3)
        self.conv2 = nn.Conv2d(3, 3, 3, padding=1)
        self.most = nn.MaxPool2d(2, 2, ceil_mode=True)
        self.head = nn.Linear(3, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.norm(self.conv1(x)))
        x = x + self.conv2(x)
        x = self.most(x)
        return self.head(x.mean((2, 3)))


SMALL = ImageSpec(7, 6, channels=2, mean=(0.0,) * 2, std=(1.0,) * 2)


def small() -> LoadedModel:
    module = zoo.seeded(Small)
    return load_model(module, input_spec=SMALL, device="cpu")


def array(tensor: torch.Tensor) -> Array:
    return tensor.detach().double().numpy()


def nine(x: Array, row: int, column: int) -> float:
    rows, columns = x.shape
    total = 0.0
    for i in range(row - 1, row + 2):
        for j in range(column - 1, column + 2):
            if 0 <= i < rows and 0 <= j < columns:
                total += x[i, j]
    return total


def fill_in(x: Array, m: Array, times: int) -> Array:
    """3×3-sum(x) / (3×3-sum(m) + 1e-5) on hidden cells, then the mask's dilation; so many times."""
    x, m = x.copy(), m.astype(float)
    for _ in range(times):
        before, mask = x.copy(), m.copy()
        for i in range(m.shape[0]):
            for j in range(m.shape[1]):
                around = nine(mask, i, j)
                if not mask[i, j]:
                    for c in range(len(x)):
                        x[c, i, j] = nine(before[c], i, j) / (around + 1e-5)
                m[i, j] = float(around > 0)
    return x


def convolve(x: Array, m: Array, part: nn.Conv2d) -> tuple[Array, Array]:
    """Neighbour-pad, convolve, × m′ with m′ the maximum of m in each window."""
    weight, bias, stride = array(part.weight), array(part.bias), part.stride[0]
    width = weight.shape[-1]
    filled = np.pad(fill_in(x, m, width), ((0, 0), (1, 1), (1, 1)))
    mask = np.pad(m, 1)
    rows = (mask.shape[0] - width) // stride + 1
    columns = (mask.shape[1] - width) // stride + 1
    out, after = np.zeros((len(weight), rows, columns)), np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            place = (slice(i * stride, i * stride + width), slice(j * stride, j * stride + width))
            after[i, j] = mask[place].max()
            for o in range(len(weight)):
                total = (weight[o] * filled[(slice(None), *place)]).sum() + bias[o]
                out[o, i, j] = total * after[i, j]
    return out, after


def by_hand(module: Small, x: Array, m: Array) -> Array:
    m = m.astype(float)
    x, m = convolve(x * m, m, module.conv1)
    norm = module.norm
    mean, var = array(norm.running_mean)[:, None, None], array(norm.running_var)[:, None, None]
    scale, shift = array(norm.weight)[:, None, None], array(norm.bias)[:, None, None]
    x = ((x - mean) / np.sqrt(var + norm.eps) * scale + shift) * m
    x = np.maximum(x, 0) * m
    y, other = convolve(x, m, module.conv2)
    m, x = m * other, (x + y) * (m * other)
    rows, columns = (m.shape[0] + 1) // 2, (m.shape[1] + 1) // 2
    pooled, after = np.zeros((3, rows, columns)), np.zeros((rows, columns))
    for i in range(rows):
        for j in range(columns):
            place = (slice(2 * i, 2 * i + 2), slice(2 * j, 2 * j + 2))
            after[i, j] = m[place].max()
            for c in range(3):
                seen = x[c][place][m[place] > 0]
                pooled[c, i, j] = seen.max() if len(seen) else 0
    share = after.mean() + 1e-8
    return (pooled.mean(axis=(1, 2)) / share) @ array(module.head.weight).T + array(
        module.head.bias
    )


def random_masks(count: int, *shape: int, keep: float = 0.5, seed: int = 0) -> Array:
    return np.random.default_rng(seed).random((count, *shape)) < keep


@pytest.mark.parametrize("keep", [0.0, 0.1, 0.3, 0.6, 0.9, 1.0])
def test_the_published_rules_as_plain_loops(keep: float) -> None:
    model = small()
    x = zoo.noise(model)
    masks = random_masks(12, 7, 6, keep=keep, seed=int(10 * keep))
    found = predict_masked(model, x, masks, "layer-masking")
    expected = [by_hand(model.module, array(x[0]), mask) for mask in masks]
    assert np.allclose(found, expected, rtol=0, atol=2e-5)


def test_of_an_average_pool_by_hand() -> None:
    module = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(4, 3))
    model = load_model(
        module, input_spec=ImageSpec(4, 4, channels=1, mean=(0.0,), std=(1.0,)), device="cpu"
    )
    x = zoo.noise(model)
    for mask in random_masks(20, 4, 4, keep=0.3):
        hidden = np.where(mask, array(x[0, 0]), 0)
        # Where the window holds a kept cell its sum is divided by all four, as published.
        pooled = hidden.reshape(2, 2, 2, 2).mean(axis=(1, 3)).ravel()
        expected = array(module[2].weight) @ pooled + array(module[2].bias)
        found = predict_masked(model, x, mask[None], "layer-masking")[0]
        assert np.allclose(found, expected, rtol=0, atol=1e-6)


def test_of_a_gate_by_hand() -> None:
    """Squeeze and excite: the gate's pool is the global one, the map keeps its mask (ours)."""

    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.gate = nn.Conv2d(3, 3, 1)
            self.head = nn.Linear(3, 2)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            x = x * torch.sigmoid(self.gate(F.adaptive_avg_pool2d(x, 1)))
            return self.head(F.adaptive_avg_pool2d(x, (1, 1)).flatten(1))

    module = zoo.seeded(Gated)
    model = load_model(module, input_spec=zoo.SMALL, device="cpu")
    x = zoo.noise(model)
    for mask in random_masks(6, 8, 8):
        mean = array(x[0])[:, mask].mean(axis=1)
        gate = array(module.gate.weight)[:, :, 0, 0] @ mean + array(module.gate.bias)
        gated = mean / (1 + np.exp(-gate))
        expected = array(module.head.weight) @ gated + array(module.head.bias)
        found = predict_masked(model, x, mask[None], "layer-masking")[0]
        assert np.allclose(found, expected, rtol=0, atol=1e-5)


class Pre(nn.Module):
    """A padding layer before a convolution without padding of its own."""

    def __init__(self, inner: bool, mode: str = "zeros") -> None:
        super().__init__()
        self.pad = nn.Identity() if inner else nn.ZeroPad2d(1)
        self.conv = nn.Conv2d(3, 4, 3, padding=1 if inner else 0)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.conv(self.pad(x)).amax((2, 3)))


def test_padding_by_a_layer_is_padding_by_the_convolution() -> None:
    models = [
        load_model(zoo.seeded(lambda inner=inner: Pre(inner)), input_spec=zoo.SMALL, device="cpu")
        for inner in (True, False)
    ]
    masks = random_masks(8, 8, 8, keep=0.2)
    one, other = (predict_masked(m, zoo.noise(m), masks, "layer-masking") for m in models)
    assert np.allclose(one, other, rtol=0, atol=1e-6)


BUNDLED = (
    "imagenet-cnn",
    *("scenes-resnet", "scenes-vgg", "scenes-masked", "scenes-robust", "scenes-shortcut"),
    "digits-cnn",
)
TORCHVISION = (
    *("resnet18", "mobilenet_v2", "convnext_tiny", "mobilenet_v3_small", "shufflenet_v2_x0_5"),
    *("densenet121", "squeezenet1_1", "regnet_y_400mf", "googlenet"),
)
TIMM = (
    *("resnet18", "convnext_atto", "mobilenetv3_small_050", "tf_efficientnet_b0", "regnety_002"),
    *("resnetv2_50", "repvgg_a0"),
)
LIBRARIES = [f"torchvision:{name}?weights=none" for name in TORCHVISION]
LIBRARIES += [f"timm:{name}?weights=none" for name in TIMM]


def transformer_net(kind: str) -> LoadedModel:
    import transformers

    if kind == "resnet":
        config = transformers.ResNetConfig(
            embedding_size=8, hidden_sizes=[8, 16], depths=[1, 2], layer_type="bottleneck"
        )
        net = transformers.ResNetForImageClassification(config)
    else:
        config = transformers.ConvNextConfig(
            num_stages=3, hidden_sizes=[8, 16, 24], depths=[1, 1, 2], layer_scale_init_value=0.3
        )
        net = transformers.ConvNextForImageClassification(config)
    return load_model(net.eval(), input_spec=ImageSpec(64, 64), device="cpu")


def loaded(ref: str) -> LoadedModel:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        kind, _, name = ref.partition("-of-")
        return transformer_net(kind) if name == "transformers" else load_model(ref, device="cpu")


def holds_what_must_hold(model: LoadedModel) -> None:
    assert FILL.refusal(model) == ""
    x, other = zoo.noise(model, 2).chunk(2)
    rows, columns = x.shape[-2:]
    keep = np.ones((3, rows, columns), bool)
    keep[1:] = np.kron(random_masks(2, 4, 4), np.ones((rows // 4, columns // 4), bool))[:, :rows]
    plain = model.forward(x).detach().numpy()
    found = predict_masked(model, x, keep, "layer-masking")
    scale = float(np.abs(plain).max())  # of untrained networks far below 1
    assert np.abs(found[0] - plain[0]).max() <= 1e-5 * scale
    hidden = torch.from_numpy(~keep[1:].any(axis=0))
    changed = torch.where(hidden, 100 * other, x)
    assert not torch.equal(changed, x)
    again = predict_masked(model, changed, keep, "layer-masking")
    assert np.array_equal(again[1:], found[1:])
    if "weights=none" not in model.ref:  # an untrained network may hardly look at its input
        assert np.abs(found[1] - plain[0]).max() > 1e-4 * scale


@pytest.mark.parametrize("ref", [*BUNDLED, "resnet-of-transformers", "convnext-of-transformers"])
def test_what_must_hold(ref: str) -> None:
    holds_what_must_hold(loaded(ref))


FEW = ["torchvision:resnet18?weights=none", "torchvision:mobilenet_v2?weights=none"]


@pytest.mark.parametrize("ref", FEW)
def test_what_must_hold_of_libraries(ref: str) -> None:
    holds_what_must_hold(loaded(ref))


@pytest.mark.slow
@pytest.mark.parametrize("ref", [ref for ref in LIBRARIES if ref not in FEW])
def test_what_must_hold_of_more_libraries(ref: str) -> None:
    holds_what_must_hold(loaded(ref))


@pytest.mark.parametrize("name", ["tiny-cnn", "inplace-cnn", "one-logit-cnn", "image-linear"])
def test_the_zoo(name: str) -> None:
    holds_what_must_hold(zoo.load(name))


def test_masks_in_one_batch_do_not_meet() -> None:
    model = zoo.load("tiny-cnn")
    x, masks = zoo.noise(model), random_masks(7, 16, 16)
    together = predict_masked(model, x, masks, "layer-masking")
    alone = [predict_masked(model, x, mask[None], "layer-masking")[0] for mask in masks]
    assert np.allclose(together, alone, rtol=0, atol=1e-6)


def test_a_mask_of_channels() -> None:
    model = zoo.load("tiny-cnn")
    x, masks = zoo.noise(model), random_masks(2, 3, 16, 16)
    with expect_refusal(MethodError, "'layer-masking' hides whole pixels, not some of their"):
        predict_masked(model, x, masks, "layer-masking")
    same = np.repeat(masks[:, :1], 3, axis=1)
    expected = predict_masked(model, x, masks[:, 0], "layer-masking")
    assert np.array_equal(predict_masked(model, x, same, "layer-masking"), expected)


class Grouped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.group = nn.GroupNorm(2, 4)
        self.head = nn.Linear(4, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.group(self.conv(x)).mean((2, 3)))


class Leaving(nn.Module):
    """Takes its maps where no mode sees them."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(2 * x.detach().numpy()).mean((2, 3))


class Hidden(nn.Module):
    """Computes by what is no function of torch's Python side."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch._C.DisableTorchFunction():
            twice = x * 2
        return twice.mean((2, 3))


def scripted() -> nn.Module:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch lets go of scripts
        return torch.jit.script(zoo.TinyCnn())


REFUSED = [
    (Grouped, "its layer group calls group_norm; use another fill, such as mean or blur"),
    (Leaving, "its own forward calls numpy"),
    (Hidden, "its own forward calls mean on what was made out of sight"),
    (scripted, "is compiled, so what it calls is not seen"),
]


@pytest.mark.parametrize(("build", "told"), REFUSED)
def test_what_there_is_no_rule_for_is_named(build, told: str) -> None:
    model = load_model(zoo.seeded(build), input_spec=zoo.SMALL, device="cpu")
    assert told in FILL.refusal(model)
    with expect_refusal(MethodError, told):
        predict_masked(model, zoo.noise(model), np.ones((1, 8, 8), bool), "layer-masking")
    offered = fills_for(model)
    assert "layer-masking" not in offered
    assert {"mean", "blur"} <= set(offered)


@pytest.mark.parametrize(("name", "told"), [("tiny-vit", "use token-drop"), ("mlp", "use mean")])
def test_other_families(name: str, told: str) -> None:
    model = zoo.load(name)
    assert told in FILL.refusal(model)
    assert "layer-masking" not in fills_for(model)


def test_tried_once_for_each_model(monkeypatch: pytest.MonkeyPatch) -> None:
    model = zoo.load("tiny-cnn")
    FILL.refusal(model)
    calls: list[int] = []
    handle = model.module.register_forward_pre_hook(lambda *_: calls.append(1))
    assert FILL.refusal(model) == ""
    handle.remove()
    assert not calls


def test_nothing_is_left_behind_when_it_breaks() -> None:
    model = zoo.load("tiny-cnn")
    FILL.refusal(model)
    x, masks = zoo.noise(model), random_masks(3, 16, 16)
    expected = predict_masked(model, x, masks, "layer-masking")
    handle = model.module.relu2.register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        predict_masked(model, x, masks, "layer-masking")
    handle.remove()
    assert hooks_on(model.module) == 0
    assert not torch.overrides._get_current_function_mode_stack()
    plain = model.forward(x).detach()
    assert torch.equal(plain, zoo.load("tiny-cnn").forward(x).detach())
    assert np.array_equal(predict_masked(model, x, masks, "layer-masking"), expected)


def test_beside_plain_passes_of_other_threads() -> None:
    model = zoo.load("tiny-cnn")
    x, masks = zoo.noise(model), random_masks(3, 16, 16)
    with torch.no_grad():
        alone = [predict_masked(model, x, masks, fill) for fill in ("layer-masking", "mean")]
    wrong: list[str] = []

    def ask(fill: str, expected: Array) -> None:
        for _ in range(30):
            if not np.array_equal(predict_masked(model, x, masks, fill), expected):
                wrong.append(fill)

    threads = [
        threading.Thread(target=ask, args=(fill, expected))
        for fill, expected in zip(("layer-masking", "mean") * 2, alone * 2, strict=True)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_its_price_is_measured_once() -> None:
    model = zoo.load("tiny-cnn")
    price = FILL.price(model)
    assert 0.5 < price < 100
    assert FILL.price(model) == price
    assert FILLS["mean"].price(model) == 1


def test_neighbours_of_half_precision_are_those_of_single() -> None:
    x, keep = torch.zeros(1, 2, 9, 9), torch.zeros(1, 1, 9, 9, dtype=torch.bool)
    x[..., 4:6, 4:6], keep[..., 4:6, 4:6] = 3.0, True  # far cells have nothing around them
    found = padded_by_neighbours(x.half(), keep, 2)
    assert torch.allclose(found.float(), padded_by_neighbours(x, keep, 2), atol=2e-3)


def test_a_network_of_half_precision() -> None:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
            nn.Linear(8, 4),
        ).eval()  # fmt: skip
    keep = np.zeros((1, 16, 16), bool)
    keep[:, 4:8, 4:8] = True
    single, half = (
        load_model(one, input_spec=(3, 16, 16), device="cpu") for one in (net, deepcopy(net).half())
    )
    x = torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    expected = predict_masked(single, x, keep, "layer-masking")
    assert np.allclose(predict_masked(half, x, keep, "layer-masking"), expected, atol=5e-3)
