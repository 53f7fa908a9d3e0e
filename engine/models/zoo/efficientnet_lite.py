"""EfficientNet-Lite0: inverted residuals without squeeze-and-excite, ReLU6 throughout.

Paper: tan2019efficientnet. The Lite variant keeps stem and head at full width.
"""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn

from engine.errors import WeightsError
from engine.models.weights import read_weights

# expansion, output channels, repeats, stride of the first, kernel
_STAGES = (
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_STEM, _HEAD = 32, 1280


def _convolution(
    inputs: int, outputs: int, kernel: int = 1, stride: int = 1, groups: int = 1
) -> list[nn.Module]:
    """Convolution and batch norm, padded as TensorFlow's "same" does for even sizes."""
    total = kernel - stride if stride > 1 else kernel - 1
    before = total // 2
    after = total - before
    layers: list[nn.Module] = []
    if before != after:
        layers.append(nn.ZeroPad2d((before, after, before, after)))
        before = 0
    layers.append(nn.Conv2d(inputs, outputs, kernel, stride, before, groups=groups, bias=False))
    return [*layers, nn.BatchNorm2d(outputs, eps=1e-3, momentum=0.01)]


class InvertedResidual(nn.Module):
    """Expand, filter each channel on its own, project; add the input where shapes agree."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [*_convolution(inputs, hidden), nn.ReLU6()] if expansion > 1 else []
        depthwise = [*_convolution(hidden, hidden, kernel, stride, hidden), nn.ReLU6()]
        self.body = nn.Sequential(*expand, *depthwise, *_convolution(hidden, outputs))
        self.residual = stride == 1 and inputs == outputs

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, inputs, h, w) → (n, outputs, h / stride, w / stride)"""
        y = self.body(x)
        return x + y if self.residual else y


class EfficientNetLite0(nn.Module):
    """(n, 3, 224, 224) → logits (n, classes)."""

    def __init__(self, classes: int = 1000) -> None:
        super().__init__()
        self.stem = nn.Sequential(*_convolution(3, _STEM, 3, 2), nn.ReLU6())
        blocks, channels = [], _STEM
        for expansion, outputs, repeats, stride, kernel in _STAGES:
            for index in range(repeats):
                step = stride if index == 0 else 1
                blocks.append(InvertedResidual(channels, outputs, expansion, step, kernel))
                channels = outputs
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Sequential(*_convolution(channels, _HEAD), nn.ReLU6())
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.classifier = nn.Sequential(nn.Flatten(), nn.Dropout(0.2), nn.Linear(_HEAD, classes))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """(n, 3, 224, 224) → (n, classes)"""
        x = self.stem(x)  # (n, 32, 112, 112)
        x = self.blocks(x)  # (n, 320, 7, 7)
        x = self.head(x)  # (n, 1280, 7, 7)
        return self.classifier(self.pool(x))


def from_published(path: Path) -> EfficientNetLite0:
    """Build the network with the published weights, whose tensors come in the same order.

    Raises:
        WeightsError: the file is not that of EfficientNet-Lite0.
    """
    published = read_weights(path)
    with torch.device("meta"):  # no time is spent on drawing weights that are replaced
        module = EfficientNetLite0()
    own = module.state_dict()
    if [t.shape for t in own.values()] != [t.shape for t in published.values()]:
        raise WeightsError(f"{path.name} does not hold the weights of EfficientNet-Lite0")
    weights = [tensor.contiguous() for tensor in published.values()]  # some lie transposed
    module.load_state_dict(dict(zip(own, weights, strict=True)), assign=True)
    return module
