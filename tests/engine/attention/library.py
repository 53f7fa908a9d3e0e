"""Small vision transformers of three libraries, and how each of them tells its own attention."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

import timm
import torch
import torch.nn.functional as F
import torchvision
import transformers
from torch import nn
from torchvision.models import swin_transformer

from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo

Maps = list[torch.Tensor]


@dataclass(frozen=True)
class Make:
    """How to build a model, and what is true of it."""

    build: Callable[[], nn.Module]
    eager: Callable[[nn.Module, torch.Tensor], Maps]
    size: int = 32
    prefix: int = 1
    reads: str = "class token"
    blocks: str = "blocks.{}"
    windows: tuple[dict[str, Any], ...] = field(default=())


def stirred(module: nn.Module) -> nn.Module:
    """Weights far from those at the start, where all attention is alike and norms may be 0."""
    for weight in module.parameters():
        if weight.ndim > 1 and weight.shape[-2:] != (1, 1):
            nn.init.normal_(weight, std=0.3)
        elif weight.ndim == 1:
            nn.init.uniform_(weight, 0.5, 1.5)
    return module


def load(name: str) -> LoadedModel:
    made = MAKES[name]
    spec = ImageSpec(made.size, made.size, mean=(0.5,) * 3, std=(0.25,) * 3)
    module = zoo.seeded(lambda: stirred(made.build()))
    return load_model(module, input_spec=spec, device="cpu")


def eager(name: str, model: LoadedModel, x: torch.Tensor) -> Maps:
    """What the library itself says that its model attends to."""
    with torch.no_grad():
        return MAKES[name].eager(deepcopy(model.module).eval(), x)


def projections(module: nn.Module) -> list[nn.Parameter]:
    """Weights of the output projections, in the order of the layers."""
    endings = ("o_proj.weight", "attn.proj.weight", "out_proj.weight", ".out.weight")
    return [weight for name, weight in module.named_parameters() if name.endswith(endings)]


def _of_transformers(module: nn.Module, x: torch.Tensor) -> Maps:
    config = deepcopy(module.config)
    config._attn_implementation = "eager"
    twin = type(module)(config).eval()
    twin.load_state_dict(module.state_dict())
    found: Maps = []
    for part in twin.modules():
        if hasattr(part, "o_proj"):
            part.register_forward_hook(lambda _part, _args, output: found.append(output[1]))
    twin(x, output_attentions=True)
    return found


def _of_timm(module: nn.Module, x: torch.Tensor) -> Maps:
    found: Maps = []
    for part in module.modules():
        if hasattr(part, "fused_attn"):
            part.fused_attn = False
        if hasattr(part, "attn_drop"):
            part.attn_drop.register_forward_hook(lambda _part, args, _output: found.append(args[0]))
    module(x)
    return found


def _of_multihead(module: nn.Module, x: torch.Tensor) -> Maps:
    taken: list[tuple[nn.Module, tuple[torch.Tensor, ...]]] = []
    for part in module.modules():
        if isinstance(part, nn.MultiheadAttention):
            part.register_forward_pre_hook(lambda part, args: taken.append((part, args)))
    module(x)
    return [
        part.forward(*args, need_weights=True, average_attn_weights=False)[1]
        for part, args in list(taken)
    ]


def _of_softmax(module: nn.Module, x: torch.Tensor) -> Maps:
    """torchvision's own call of softmax, watched where its module looks it up."""
    found: Maps = []

    class Watched:
        def __getattr__(self, name: str) -> Any:
            if name != "softmax":
                return getattr(F, name)
            return lambda *args, **named: found.append(F.softmax(*args, **named)) or found[-1]

    swin_transformer.F = Watched()
    try:
        module(x)
    finally:
        swin_transformer.F = F
    return found


SMALL = {
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 24,
    "image_size": 32,
    "patch_size": 8,
    "num_labels": 3,
}
SHORT = {"img_size": 32, "patch_size": 8, "depth": 2, "embed_dim": 24, "num_heads": 3}
WINDOWS = {"depths": (2, 2), "num_heads": (2, 4), "num_classes": 3}


def _hugging(kind: str, **more: Any) -> Callable[[], nn.Module]:
    suffix = "WithTeacher" if more.pop("pair", False) else ""

    def build() -> nn.Module:
        config = getattr(transformers, f"{kind}Config")(**more)
        return getattr(transformers, f"{kind}ForImageClassification{suffix}")(config)

    return build


def _timm(name: str, **more: Any) -> Callable[[], nn.Module]:
    return lambda: timm.create_model(name, **{"num_classes": 3, **more})


def _hugging_swin() -> nn.Module:
    sizes = {"embed_dim": 16, "image_size": 40, "patch_size": 2, "window_size": 7}
    return _hugging("Swin", depths=[2, 2], num_heads=[2, 4], num_labels=3, **sizes)()


def _torchvision_vit() -> nn.Module:
    return torchvision.models.VisionTransformer(32, 8, 2, 4, 16, 24, num_classes=3)


def _torchvision_swin() -> nn.Module:
    return torchvision.models.SwinTransformer(
        [2, 2], 16, [2, 2], [2, 4], [7, 7], num_classes=3, stochastic_depth_prob=0.0
    )


def _torchvision_swin2() -> nn.Module:
    return torchvision.models.SwinTransformer(
        [2, 2],
        16,
        [2, 2],
        [2, 4],
        [4, 4],
        num_classes=3,
        block=swin_transformer.SwinTransformerBlockV2,
        downsample_layer=swin_transformer.PatchMergingV2,
    )


def _stages(grid: int, window: tuple[int, int], shift: tuple[int, int], pads: str) -> tuple:
    """The windows of two stages of two blocks each; the grid is halved between them."""
    return tuple(
        {
            "grid": side,
            "window": window[stage],
            "shift": shift[stage] if block else 0,
            "pads": pads,
        }
        for stage, side in enumerate((grid, -(-grid // 2)))
        for block in range(2)
    )


def _swin(build: Callable[[], nn.Module], oracle: Any, blocks: str, *stages: Any) -> Make:
    windows = _stages(*stages)
    size = 2 * windows[0]["grid"]
    return Make(build, oracle, size, 0, "mean of the patches", blocks, windows)


LAYERS, ENCODERS = "{}.layers.{{}}", "{}.encoder.layer.{{}}"
BOTH, PAIR = "class token and mean of the patches", "class and distillation token"
# Swin v2 of timm: 16 × 16 patches in windows of 4; the others: 10 × 10 in windows of 7 (padded).
SWIN = {"img_size": 20, "patch_size": 2, "window_size": 7, "embed_dim": 16, **WINDOWS}
SWIN2 = {"img_size": 32, "patch_size": 2, "window_size": 4, "embed_dim": 16, **WINDOWS}
MAKES = {
    "transformers-vit": Make(
        _hugging("ViT", **SMALL), _of_transformers, blocks=LAYERS.format("vit")
    ),
    "transformers-vit-eager": Make(
        _hugging("ViT", attn_implementation="eager", **SMALL),
        _of_transformers,
        blocks=LAYERS.format("vit"),
    ),
    "transformers-deit": Make(
        _hugging("DeiT", **SMALL), _of_transformers, prefix=2, blocks=LAYERS.format("deit")
    ),
    "transformers-deit-pair": Make(
        _hugging("DeiT", pair=True, **SMALL),
        _of_transformers,
        prefix=2,
        reads=PAIR,
        blocks=LAYERS.format("deit"),
    ),
    "transformers-dinov2": Make(
        _hugging("Dinov2", **SMALL), _of_transformers, reads=BOTH, blocks=ENCODERS.format("dinov2")
    ),
    "transformers-dinov2-registers": Make(
        _hugging("Dinov2WithRegisters", num_register_tokens=3, **SMALL),
        _of_transformers,
        prefix=4,
        reads=BOTH,
        blocks=ENCODERS.format("dinov2_with_registers"),
    ),
    "transformers-beit": Make(
        _hugging("Beit", use_relative_position_bias=True, **SMALL),
        _of_transformers,
        reads="mean of the patches",
        blocks=LAYERS.format("beit"),
    ),
    "transformers-swin": _swin(
        _hugging_swin,
        _of_transformers,
        "swin.encoder.layers.{}.blocks.{}",
        20,
        (7, 7),
        (3, 3),
        "before",
    ),
    "torchvision-vit": Make(
        _torchvision_vit, _of_multihead, blocks="encoder.layers.encoder_layer_{}"
    ),
    "torchvision-swin": _swin(
        _torchvision_swin, _of_softmax, "features.{}.{}", 10, (7, 7), (3, 0), "before"
    ),
    "torchvision-swin2": _swin(
        _torchvision_swin2, _of_softmax, "features.{}.{}", 10, (4, 4), (2, 2), "before"
    ),
    "timm-vit": Make(_timm("vit_tiny_patch16_224", **SHORT), _of_timm),
    "timm-deit": Make(
        _timm("deit_tiny_distilled_patch16_224", **SHORT), _of_timm, prefix=2, reads=PAIR
    ),
    "timm-eva": Make(
        _timm("eva02_tiny_patch14_224", **SHORT), _of_timm, reads="mean of the patches"
    ),
    "timm-beit": Make(
        _timm("beit_base_patch16_224", **SHORT), _of_timm, reads="mean of the patches"
    ),
    "timm-swin": _swin(
        _timm("swin_tiny_patch4_window7_224", **SWIN),
        _of_timm,
        "layers.{}.blocks.{}",
        10,
        (7, 5),
        (3, 0),
        "after",
    ),
    "timm-swin2": _swin(
        _timm("swinv2_tiny_window8_256", **SWIN2),
        _of_timm,
        "layers.{}.blocks.{}",
        16,
        (4, 4),
        (2, 2),
        "after",
    ),
}
SWINS = [name for name, made in MAKES.items() if made.windows]
