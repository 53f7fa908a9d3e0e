"""Token drop against sequences that are rebuilt by hand without the dropped tokens."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from engine.attention.sites import attention_sites
from engine.errors import MethodError
from engine.masking.fills.registry import FILLS, fills_for
from engine.masking.fills.token_drop import patches_kept
from engine.masking.predict import predict_masked
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from tests.engine import zoo
from tests.engine.attention import nets
from tests.engine.counting import counted, hooks_on
from tests.engine.refusals import expect_refusal

FILL = FILLS["token-drop"]
SPEC = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.25,) * 3)


def patch_masks(count: int, grid: int, keep: float = 0.5, seed: int = 0) -> np.ndarray:
    """Which patches stay, ``(count, grid, grid)``; as a rule unequally many."""
    return np.random.default_rng(seed).random((count, grid, grid)) < keep


def of_pixels(patches: np.ndarray, side: int) -> np.ndarray:
    return np.kron(patches, np.ones((side, side), bool))


def stirred(module: nn.Module) -> nn.Module:
    """Weights far from zero wherever a library starts with zeros."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.1 * torch.randn(weight.shape, generator=generator))
    return module.eval()


def seeded(build) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return stirred(build())


def small_vit_by_hand(module: nn.Module, x: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    patches = module.patch_embed(x).flatten(2).transpose(1, 2) + module.pos_embed[:, 1:]
    first = module.cls_token + module.pos_embed[:, :1]
    tokens = torch.cat([first, patches[:, stay]], dim=1)
    return module.head(module.norm(module.blocks(tokens))[:, 0])


def timm_by_hand(module: nn.Module, x: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    tokens = module._pos_embed(module.patch_embed(x))
    fixed = module.num_prefix_tokens
    tokens = torch.cat([tokens[:, :fixed], tokens[:, fixed:][:, stay]], dim=1)
    for block in module.blocks:
        tokens = block(tokens)
    return module.forward_head(module.norm(tokens))


def transformers_by_hand(module: nn.Module, x: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    embedded = module.vit.embeddings(x)
    tokens = torch.cat([embedded[:, :1], embedded[:, 1:][:, stay]], dim=1)
    layers = module.vit.layers if hasattr(module.vit, "layers") else module.vit.encoder.layer
    for layer in layers:
        found = layer(tokens)
        tokens = found[0] if isinstance(found, tuple) else found
    return module.classifier(module.vit.layernorm(tokens)[:, 0])


def torchvision_by_hand(module: nn.Module, x: torch.Tensor, stay: torch.Tensor) -> torch.Tensor:
    tokens = module._process_input(x)
    tokens = torch.cat([module.class_token.expand(len(x), -1, -1), tokens], dim=1)
    tokens = tokens + module.encoder.pos_embedding
    tokens = torch.cat([tokens[:, :1], tokens[:, 1:][:, stay]], dim=1)
    return module.heads(module.encoder.ln(module.encoder.layers(tokens))[:, 0])


def small_vit() -> nn.Module:
    from engine.models.zoo.small_vit import Shape, SmallViT

    return SmallViT(Shape(side=32, channels=3, stem=(8, 8, 8), width=16, depth=3, heads=2))


def of_timm(**more) -> nn.Module:
    from timm.models.vision_transformer import VisionTransformer

    return VisionTransformer(
        img_size=32, patch_size=8, embed_dim=16, depth=3, num_heads=2, num_classes=5, **more
    )


def of_transformers() -> nn.Module:
    import transformers

    config = transformers.ViTConfig(
        image_size=32, patch_size=8, hidden_size=16, num_hidden_layers=3, num_attention_heads=2,
        intermediate_size=32, num_labels=5,
    )  # fmt: skip
    return transformers.ViTForImageClassification(config)


def of_torchvision() -> nn.Module:
    from torchvision.models import VisionTransformer

    return VisionTransformer(32, 8, 3, 2, 16, 32, num_classes=5)


MAKES = {
    "small": (small_vit, small_vit_by_hand),
    "timm": (of_timm, timm_by_hand),
    "timm with registers": (lambda: of_timm(reg_tokens=3), timm_by_hand),
    "timm, mean of the patches": (
        lambda: of_timm(class_token=False, global_pool="avg"),
        timm_by_hand,
    ),
    "transformers": (of_transformers, transformers_by_hand),
    "torchvision": (of_torchvision, torchvision_by_hand),
}


def loaded(name: str) -> LoadedModel:
    return load_model(seeded(MAKES[name][0]), input_spec=SPEC, device="cpu")


@pytest.mark.parametrize("name", MAKES)
def test_is_the_sequence_without_those_tokens(name: str) -> None:
    model = loaded(name)
    assert FILL.refusal(model) == ""
    x = zoo.noise(model)
    patches = patch_masks(9, 4)
    patches[0] = True
    found = predict_masked(model, x, of_pixels(patches, 8), "token-drop")
    for mask, logits in zip(patches, found, strict=True):
        painted = torch.where(torch.from_numpy(of_pixels(mask[None], 8)), x, 0)
        stay = torch.from_numpy(mask.ravel().nonzero()[0])
        with torch.no_grad():
            expected = MAKES[name][1](model.module, painted, stay)[0].numpy()
        assert np.allclose(logits, expected, rtol=0, atol=1e-5)
    with torch.no_grad():
        assert np.allclose(found[0], model.forward(x)[0].numpy(), rtol=0, atol=1e-5)
    assert np.abs(found[1:] - found[0]).max() > 1e-2


@pytest.mark.parametrize("name", ["timm", "timm with registers", "transformers"])
def test_of_patches_alone_what_is_hidden_has_no_influence_at_all(name: str) -> None:
    model = loaded(name)
    x, other = zoo.noise(model, 2).chunk(2)
    keep = of_pixels(patch_masks(6, 4, keep=0.4), 8)
    keep[:, :3, :5] = False  # part of a patch
    hidden = torch.from_numpy(~keep.any(axis=0))
    changed = torch.where(hidden, 50 * other, x)
    one, two = (predict_masked(model, given, keep, "token-drop") for given in (x, changed))
    assert np.array_equal(one, two)


def test_a_patch_goes_when_half_or_more_of_it_is_hidden() -> None:
    keep = torch.ones(1, 1, 8, 8, dtype=torch.bool)
    keep[0, 0, :2, :4] = False  # half of the first patch
    keep[0, 0, :1, 4:] = False  # a quarter of the second
    keep[0, 0, 4:, :3] = False  # three quarters of the third
    assert patches_kept(keep, (2, 2)).tolist() == [[False, True, False, True]]


def test_nothing_left() -> None:
    nothing = np.zeros((1, 32, 32), bool)
    model = loaded("timm")
    with torch.no_grad():
        alone = timm_by_hand(model.module, torch.zeros(1, 3, 32, 32), torch.tensor([]).long())
    found = predict_masked(model, zoo.noise(model), nothing, "token-drop")
    assert np.allclose(found, alone.numpy(), rtol=0, atol=1e-5)
    model = loaded("timm, mean of the patches")  # no token of its own: all stay, mean colour
    found = predict_masked(model, zoo.noise(model), nothing, "token-drop")
    assert np.array_equal(found, predict_masked(model, zoo.noise(model), nothing, "mean"))


@pytest.mark.parametrize("name", ["scenes-vit", "digits-vit"])
def test_bundled(name: str) -> None:
    model = load_model(name, device="cpu")
    x = zoo.noise(model)
    grid = 8 if name == "scenes-vit" else 7
    patches = patch_masks(8, grid)
    side = x.shape[-1] // grid
    keep = of_pixels(patches, side)
    attention_sites(model)  # found out once for each model
    with counted(model.module) as count:
        found = predict_masked(model, x, keep, "token-drop")
    assert count.forward == 8
    for mask, logits in zip(patches, found, strict=True):
        painted = torch.where(torch.from_numpy(of_pixels(mask[None], side)), x, 0)
        with torch.no_grad():
            stay = torch.from_numpy(mask.ravel().nonzero()[0])
            expected = small_vit_by_hand(model.module, painted, stay)
        assert np.allclose(logits, expected[0].numpy(), rtol=0, atol=2e-5)
    alone = [predict_masked(model, x, one[None], "token-drop")[0] for one in keep]
    assert np.allclose(found, alone, rtol=0, atol=1e-5)


REFUSED = [
    (lambda: nets.Windowed(0), "it attends within windows, which would have holes"),
    (lambda: nets.Pooling(1), "are dropped or added"),
    (zoo.TinyVit, "its attention stands in no block of its own"),
]


@pytest.mark.parametrize(("build", "told"), REFUSED)
def test_where_tokens_cannot_just_go(build, told: str) -> None:
    model = load_model(zoo.seeded(build), input_spec=zoo.PICTURE, device="cpu")
    assert told in FILL.refusal(model)
    with expect_refusal(MethodError, "Token drop does not suit", told):
        predict_masked(model, zoo.noise(model), np.ones((1, 16, 16), bool), "token-drop")
    assert "token-drop" not in fills_for(model)
    assert "mean" in fills_for(model)


class Everywhere(nets.Vit):
    """Tells each block where all tokens stand."""

    def __init__(self) -> None:
        super().__init__()
        self.place = nn.Parameter(torch.randn(1, 17, 8))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.embedded(x)
        for block in self.blocks:
            x = block(x) + self.place
        return self.head(x[:, 0])


def test_places_told_to_each_block() -> None:
    model = load_model(zoo.seeded(Everywhere), input_spec=zoo.PICTURE, device="cpu")
    assert "it fails with fewer tokens" in FILL.refusal(model)


@pytest.mark.parametrize("name", ["tiny-cnn", "mlp"])
def test_other_families(name: str) -> None:
    model = zoo.load(name)
    told = {"tiny-cnn": "use layer-masking", "mlp": "use mean"}[name]
    assert told in FILL.refusal(model)
    assert "token-drop" not in fills_for(model)


def test_nothing_is_left_behind_when_it_breaks() -> None:
    model = loaded("small")
    assert FILL.refusal(model) == ""
    before = hooks_on(model.module)
    handle = model.module.blocks[1].register_forward_pre_hook(lambda *_: 1 / 0)
    with pytest.raises(Exception, match="ZeroDivisionError"):
        keep = of_pixels(patch_masks(3, 4), 8)
        predict_masked(model, zoo.noise(model), keep, "token-drop")
    handle.remove()
    assert hooks_on(model.module) == before
    assert not model.lock._is_owned()


def test_tokens_are_found_where_no_gradients_are_wanted() -> None:
    for way in (torch.no_grad, torch.inference_mode):
        model = loaded("small")
        with way():
            assert FILL.refusal(model) == ""
        assert attention_sites(model).unplaced == ""
