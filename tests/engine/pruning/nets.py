"""Small networks with everything that ties channels together, alone and in any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import nn

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model

SIDE = 8


def stirred(module: nn.Module, seed: int = 0) -> nn.Module:
    """Give every number of a network another value: norms that do nothing hide mistakes."""
    generator = torch.Generator().manual_seed(seed)
    for name, tensor in module.state_dict().items():
        if tensor.is_floating_point():
            drawn = torch.rand(tensor.shape, generator=generator)
            spread = max(tensor[0].numel(), 1) ** -0.5 if tensor.ndim > 1 else 1.0
            positive = name.endswith("running_var") or (tensor.ndim == 1 and "weight" in name)
            tensor.copy_(0.5 + drawn if positive else 2 * (drawn - 0.4) * spread)
    return module.eval()


def loaded(module: nn.Module, shape: tuple[int, ...] = (3, SIDE, SIDE)) -> LoadedModel:
    return load_model(stirred(module), input_spec=shape, device="cpu")


class Plain(nn.Module):
    def __init__(self, inputs: int, outputs: int = 6) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)
        self.width = outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.relu(self.norm(self.conv(x)))


class Residual(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.first, self.second = Plain(inputs, 5), nn.Conv2d(5, inputs, 1)
        self.width = inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x + self.second(self.first(x))


class Depthwise(nn.Module):
    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.pad = nn.ZeroPad2d((0, 1, 0, 1))
        self.conv = nn.Conv2d(inputs, 2 * inputs, 2, groups=inputs)
        self.slope = nn.PReLU(2 * inputs)
        self.width = 2 * inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.slope(self.conv(self.pad(x)))


class Dense(nn.Module):
    """What comes in, and beside it what is made of it."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.norm, self.make = nn.BatchNorm2d(inputs), Plain(inputs, 4)
        self.width = inputs + 4

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.cat([x, self.make(self.norm(x).relu())], dim=1)


class Squeeze(nn.Module):
    """Squeeze and excite."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(inputs, 4), nn.Linear(4, inputs)
        self.width = inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        gate = self.up(self.down(x.mean(dim=(2, 3))).relu()).sigmoid()
        return x * gate[:, :, None, None]


class Grouped(nn.Module):
    """Convolutions of three groups, of which whole groups can go; and group norm."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.into = nn.Conv2d(inputs, 6, 1)
        self.conv = nn.Conv2d(6, 12, 3, padding=1, groups=3)
        self.norm = nn.GroupNorm(3, 12)
        self.width = 12

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.norm(self.conv(self.into(x))).relu()


class Scaled(nn.Module):
    """A parameter of the network's own for each channel, as LayerScale has it."""

    def __init__(self, inputs: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(inputs, 1, 1))
        self.shift = nn.Parameter(torch.ones(inputs))
        self.strength = nn.Parameter(torch.ones(1))
        self.width = inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x * self.scale * self.strength + self.shift.view(1, -1, 1, 1)


class Attending(nn.Module):
    """Attention between the places of the maps."""

    def __init__(self, inputs: int, heads: int = 3) -> None:
        super().__init__()
        self.heads = heads
        self.qkv, self.out = nn.Linear(inputs, 3 * heads * 4), nn.Linear(heads * 4, inputs)
        self.width = inputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        tokens = x.flatten(2).transpose(1, 2)
        q, k, v = self.qkv(tokens).unflatten(-1, (3, self.heads, -1)).permute(2, 0, 3, 1, 4)
        mixed = self.mixed(q, k, v).transpose(1, 2).flatten(2)
        return x + self.out(mixed).transpose(1, 2).reshape(x.shape)

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(q, k, v)


class AttendingByHand(Attending):
    def __init__(self, inputs: int) -> None:
        super().__init__(inputs)
        self.softmax = nn.Softmax(dim=-1)

    def mixed(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        return self.softmax(q @ k.transpose(-2, -1) / 2) @ v


BLOCKS: tuple[Callable[[int], nn.Module], ...] = (
    Plain, Residual, Depthwise, Dense, Squeeze, Grouped, Scaled, Attending, AttendingByHand,
)  # fmt: skip


class Drawn(nn.Module):
    """Blocks one after another, then a hidden layer on flattened or averaged maps."""

    def __init__(self, blocks: Sequence[Callable[[int], nn.Module]], *, flat: bool = False) -> None:
        super().__init__()
        parts: list[nn.Module] = [Plain(3)]
        for block in blocks:
            parts.append(block(parts[-1].width))
        self.body = nn.Sequential(*parts)
        self.flat = flat
        places = (SIDE // 4) ** 2 if flat else 1
        self.hidden = nn.Linear(parts[-1].width * places, 7)
        self.head = nn.Linear(7, 3)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = F.max_pool2d(self.body(F.avg_pool2d(x, 2)), 2)
        x = x.flatten(1) if self.flat else x.mean(dim=(2, 3))
        return self.head(F.gelu(self.hidden(x)))
