"""Models by their id on the hub, from a hub on this machine; then from the cache without it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
import transformers

from engine.models.loading import load_model
from tests.engine.models.libraries.fake_hub import serving

_ASK = """
import json, sys, time, torch
from engine.errors import ModelError
from engine.models.loading import load_model
started = time.perf_counter()
try:
    model = load_model(sys.argv[1], device="cpu")
    x = torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
    told = {"logits": model.forward(x)[0].tolist(), "classes": model.classes}
except ModelError as error:
    told = {"refused": str(error)}
print(json.dumps({**told, "seconds": time.perf_counter() - started}))
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("vit")
    torch.manual_seed(0)
    names = {0: "cat", 1: "dog", 2: "owl"}
    config = transformers.ViTConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        image_size=32, patch_size=8, id2label=names, label2id={v: k for k, v in names.items()},
    )  # fmt: skip
    transformers.ViTForImageClassification(config).save_pretrained(path)
    size = {"height": 32, "width": 32}
    transformers.ViTImageProcessorPil(size=size).save_pretrained(path)
    return path


def ask(ref: str, endpoint: str, home: Path) -> dict[str, object]:
    """Load in a Python of its own: where the hub is, is read when its client is imported."""
    own = {"HF_ENDPOINT": endpoint, "HF_HOME": str(home), "HF_HUB_DISABLE_XET": "1"}
    done = subprocess.run(
        [sys.executable, "-c", _ASK, ref],
        env={**os.environ, **own},
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_from_the_hub_then_from_the_cache_and_never_without_either(
    folder: Path, tmp_path: Path
) -> None:
    with serving({"someone/tiny-vit": folder}) as (endpoint, asked):
        found = ask("hf:someone/tiny-vit", endpoint, tmp_path)
        assert any("model.safetensors" in path for path in asked)
    here = load_model(f"hf:{folder}", device="cpu")
    x = torch.linspace(-1, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
    assert found["classes"] == ["cat", "dog", "owl"]
    assert torch.allclose(torch.tensor(found["logits"]), here.forward(x)[0], atol=1e-6)
    again = ask("hf:someone/tiny-vit", endpoint, tmp_path)  # nobody listens there any more
    assert again["logits"] == found["logits"]
    refused = ask("hf:someone/other", endpoint, tmp_path)
    assert "not on this machine" in str(refused["refused"])
    assert float(str(refused["seconds"])) < 30


def test_a_model_that_the_hub_does_not_have(folder: Path, tmp_path: Path) -> None:
    with serving({"someone/tiny-vit": folder}) as (endpoint, _):
        told = ask("hf:someone/else", endpoint, tmp_path)
    assert "hf:someone/else" in str(told["refused"])
    assert len(str(told["refused"]).splitlines()) == 1
