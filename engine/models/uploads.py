"""Weights that a user hands over as a file's content, with an architecture."""

from __future__ import annotations

from urllib.parse import quote, unquote, urlencode

import torch

from engine.manifest import digest_of
from engine.models.corrections import Corrections
from engine.models.loaded import LoadedModel
from engine.models.loading import load_source
from engine.models.narrowing.files import Saved, saved_in
from engine.models.references import (
    UPLOAD,
    Reference,
    check_arch,
    corrected,
    parse_reference,
)
from engine.models.sources import smaller, weighed
from engine.models.weights import parse_weights

_DIGEST_SHOWN = 12


def load_uploaded(
    content: bytes,
    name: str,
    arch: str,
    *,
    corrections: Corrections | None = None,
    device: str | torch.device = "auto",
) -> LoadedModel:
    """Load weights that are in memory; nothing is written to disk.

    Args:
        content: of a safetensors file, or of a ``.pth``, ``.pt`` or ``.bin``.
        name: of that file.
        arch: a bundled name, ``timm:NAME``, ``torchvision:NAME``, ``hf:NAME`` or
            ``module:builder``, with options; "" for a smaller network that Haloscope has saved.
        corrections: what the user knows better; before those in ``arch``.
        device: as in ``load_model``.

    Returns:
        A model whose ``ref`` cannot be loaded again: ``upload:NAME@DIGEST?arch=…``.

    Raises:
        ModelError: a damaged file, one that needs code to load, or that does not fit.
    """
    saved = saved_in(content, name)
    if saved is not None:
        return _smaller(content, name, arch, saved, corrections or Corrections(), device)
    check_arch(arch)
    asked = parse_reference(arch) if ":" in arch else Reference("bundled", arch)
    ref = upload_ref(content, name, arch)
    if corrections is not None:
        ref = corrected(ref, corrections)
    found = weighed(ref, name, arch, parse_weights(content, name), {})
    own = (corrections or Corrections()).over(Corrections.from_options(asked.corrections))
    return load_source(found, None, own, device)


def _smaller(
    content: bytes,
    name: str,
    arch: str,
    saved: Saved,
    corrections: Corrections,
    device: str | torch.device,
) -> LoadedModel:
    """Load a smaller network that Haloscope has saved: it brings its own architecture."""
    ref = corrected(upload_ref(content, name, arch), corrections)
    found = smaller(ref, name, saved, parse_weights(content, name), arch)
    return load_source(found, None, corrections.over(found.corrections), device)


def upload_ref(content: bytes, name: str, arch: str) -> str:
    """Return what an upload is known by: ``upload:NAME@DIGEST?arch=…``, without an empty arch."""
    if not arch:
        return f"{UPLOAD}:{quote(name, safe=' ')}@{digest_of(content)[:_DIGEST_SHOWN]}"
    told = urlencode({"arch": arch}, safe=":/,", quote_via=quote)
    named = quote(name, safe=" ")
    return f"{UPLOAD}:{named}@{digest_of(content)[:_DIGEST_SHOWN]}?{told}"


def wanted_upload(ref: str) -> tuple[str, str] | None:
    """Return name and beginning of the digest of the file that a reference stands for, or None.

    >>> wanted_upload("upload:w.pth@1a2b3c4d5e6f?arch=timm:resnet18")
    ('w.pth', '1a2b3c4d5e6f')
    """
    kind, _, rest = ref.partition(":")
    name, at, digest = rest.partition("?")[0].rpartition("@")
    return (unquote(name), digest) if kind == UPLOAD and at else None
