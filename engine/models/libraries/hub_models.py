"""``hf:owner/name`` or ``hf:folder``: classifiers of pictures, read by transformers."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from engine.errors import ModelError, WeightsError, nearest, one_line
from engine.models.cards import Card
from engine.models.libraries.built import Built, Tensors, class_count_of, drawn
from engine.models.libraries.extras import need
from engine.models.libraries.network import hub_online_or_not
from engine.models.libraries.options import check_plain
from engine.models.libraries.parity import told_difference
from engine.models.libraries.processors import spec_of
from engine.models.specs import ImageSpec, InputSpec

_OWN_PROCESSOR = (
    "its image processor has code of its own, which is never run; pictures are prepared as is "
    "usual for networks of its kind"
)
_ACTIVATIONS = {"multi_label_classification": "sigmoid", "regression": "identity"}
# Arguments with which transformers would run code that comes with a model, or from the hub.
_OF_CODE = (
    "trust_remote_code", "code_revision", "auto_map", "attn_implementation",
    "experts_implementation", "quantization_config", "use_kernels",
)  # fmt: skip

# Fields that say what a folder is, not how the network is built.
_NO_CHOICE = ("model_type", "architectures", "transformers_version", "name_or_path", "auto_map")


def build(name: str, arguments: Mapping[str, Any], tensors: Tensors | None = None) -> Built:
    """Build a network.

    Args:
        name: a model's id on the hub, or a folder that ``save_pretrained`` has written.
        arguments: ``weights="none"`` for random weights; ``revision`` and ``subfolder`` as
            transformers takes them; the rest sets fields of the configuration.
        tensors: weights that the network is for; only the configuration is then read.

    Raises:
        ModelError: not there, not to be had, needs code of its own, or is no classifier.
    """
    ref = f"hf:{name}"
    transformers = need("transformers", ref)
    options = dict(arguments)
    _check_options(ref, options)
    random = tensors is not None or str(options.pop("weights", "")).lower() == "none"
    where = _where(ref, options)
    source = _source(ref, name)
    with _quiet(transformers), _told(ref, name), _online(ref, source):
        # Said aloud: left open, transformers asks on the terminal.
        config = transformers.AutoConfig.from_pretrained(source, trust_remote_code=False, **where)
        _check_config(ref, config)
        if options:
            _check_fields(ref, config, options)
            config = type(config).from_dict(config.to_dict(), **options)
        if random:
            module = _random(transformers, config, tensors)
        else:
            module = _pretrained(transformers, ref, source, config, where)
        spec, note = _spec(transformers, source, where, config)
    return Built(
        module.eval(),
        spec,
        None if tensors is not None else _classes(config),
        _card(name, config, random=random and tensors is None, note=note),
        _ACTIVATIONS.get(getattr(config, "problem_type", None) or "", ""),
        told_by="transformers",
    )


def from_config(name: str, told: Mapping[str, Any]) -> nn.Module:
    """Build a network with random weights from a configuration, without any file or network.

    Args:
        name: of the file that holds it.
        told: the configuration as a dict, with its "model_type".

    Raises:
        ModelError: no configuration of transformers, or of no classifier of pictures.
    """
    transformers = need("transformers", name)
    plain = {
        key: value
        for key, value in told.items()
        if key not in _OF_CODE and not key.startswith("_") and key != "transformers_version"
    }
    with _quiet(transformers), _told(name, name):
        kind = str(plain.pop("model_type", ""))
        if kind not in transformers.CONFIG_MAPPING:
            raise ModelError(f"{name}: transformers knows no networks of the kind {kind!r}")
        config = transformers.CONFIG_MAPPING[kind].from_dict(plain)
        _check_config(name, config)
        return _random(transformers, config, None).eval()


def _check_options(ref: str, options: Mapping[str, Any]) -> None:
    for name in options:
        if name in _OF_CODE or name.startswith("_"):
            raise ModelError(f"{ref}: the option {name!r} could run code of others; leave it out")


def _where(ref: str, options: dict[str, Any]) -> dict[str, Any]:
    """Take out of the options what says which of a model's files are meant.

    Raises:
        ModelError: a folder that is not below the model's.
    """
    where: dict[str, Any] = {
        name: str(options.pop(name)) for name in ("revision", "subfolder") if name in options
    }
    folder = Path(where.get("subfolder", "."))
    if folder.is_absolute() or ".." in folder.parts:
        raise ModelError(f"{ref}: the option 'subfolder' names a folder below the model's own")
    return where


def _check_fields(ref: str, config: Any, options: Mapping[str, Any]) -> None:
    """Let through what the configuration has a field for, and nothing that steers the reading.

    Raises:
        ModelError: in one line that names the option.
    """
    known = {*vars(config), *config.to_dict(), *config.attribute_map, "num_labels"}
    for name in options:
        if name not in known or name in _NO_CHOICE:
            fields = sorted(one for one in known - set(_NO_CHOICE) if not one.startswith("_"))
            raise ModelError(
                f"{ref}: the configuration of {config.model_type} has no option {name!r}; "
                f"{nearest(name, fields)}"
            )
    check_plain(ref, options)


def _source(ref: str, name: str) -> str:
    folder = Path(name).expanduser()
    if folder.is_dir():
        if not (folder / "config.json").is_file():
            raise ModelError(f"{ref}: the folder has no config.json; save_pretrained writes one")
        return str(folder)
    if folder.is_file():
        raise ModelError(f"{ref} is a file; name its folder, or write file:{name}?arch=hf:FOLDER")
    if name.startswith(("/", ".", "~")) or name.count("/") > 1:
        raise ModelError(f"{ref}: no such folder")
    return name


@contextlib.contextmanager
def _online(ref: str, source: str) -> Iterator[None]:
    if Path(source).is_dir():
        yield
        return
    with hub_online_or_not(f"{ref} is not on this machine"):
        yield


class _Quiet:
    """No progress bars and no warnings on the terminal while models are read.

    transformers has one setting for all threads: the first that reads turns it down, the last
    turns it back to what it was before the first.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readers = 0
        self._before: tuple[int, bool] = (0, True)

    @contextlib.contextmanager
    def __call__(self, transformers: Any) -> Iterator[None]:
        logging = transformers.utils.logging
        with self._lock:
            if self._readers == 0:
                self._before = logging.get_verbosity(), logging.is_progress_bar_enabled()
                logging.set_verbosity_error()
                logging.disable_progress_bar()
            self._readers += 1
        try:
            yield
        finally:
            with self._lock:
                self._readers -= 1
                if self._readers == 0:
                    self._put_back(logging)

    def _put_back(self, logging: Any) -> None:
        level, bars = self._before
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()


_quiet = _Quiet()


@contextlib.contextmanager
def _told(ref: str, name: str) -> Iterator[None]:
    """Say in one line whatever transformers says in many."""
    try:
        yield
    except ModelError:
        raise
    except Exception as error:  # transformers, the network and the disk fail in many ways
        text = " ".join(str(error).split())
        if "trust_remote_code" in text or "custom code" in text:
            why = "it needs code of its own to load, which is never run; build it in a module"
            raise ModelError(f"{ref}: {why} of yours and name that") from None
        if "weights_only" in text.lower() or "unpickl" in text.lower():
            raise WeightsError(
                f"{ref}: its weights need code to load, so they are refused; save them as "
                "safetensors"
            ) from None
        if "Unrecognized configuration class" in text:
            kind = text.partition("models.")[2].partition(".")[0]
            raise ModelError(
                f"{ref} is a model of the kind {kind or 'unknown'}, which classifies no pictures; "
                "only classifiers of pictures are taken"
            ) from None
        if "is not a valid model identifier" in text or "Repository Not Found" in text:
            raise ModelError(f"{ref}: neither a folder here nor a model on the hub") from None
        raise ModelError(f"{ref} cannot be loaded: {_short(text) or one_line(error)}") from None


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}…"


def _check_config(ref: str, config: Any) -> None:
    own_code = getattr(config, "auto_map", None) or {}
    if any("AutoModel" in key for key in own_code):
        raise ModelError(
            f"{ref}: it needs code of its own to load, which is never run; build it in a module "
            "of yours and name that"
        )
    made_for = [name for name in getattr(config, "architectures", None) or () if "For" in name]
    if made_for and not any("ImageClassification" in name for name in made_for):
        raise ModelError(
            f"{ref} is a {made_for[0]}; only classifiers of pictures are taken, "
            "…ForImageClassification"
        )


def _random(transformers: Any, config: Any, tensors: Tensors | None) -> nn.Module:
    kind = transformers.AutoModelForImageClassification
    module = drawn(lambda: kind.from_config(config))
    count = None if tensors is None else class_count_of(module, config.num_labels, tensors)
    if count is not None:
        config.num_labels = count
        module = drawn(lambda: kind.from_config(config))
    return module


def _pretrained(
    transformers: Any, ref: str, source: str, config: Any, where: dict[str, Any]
) -> nn.Module:
    module, loading = transformers.AutoModelForImageClassification.from_pretrained(
        source,
        config=config,
        dtype=torch.float32,
        trust_remote_code=False,
        output_loading_info=True,
        **where,
    )
    missing = sorted(loading["missing_keys"])
    if missing:
        others = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
        raise WeightsError(
            f"{ref} is no trained classifier: its weights lack {missing[0]!r}{others}"
        )
    return module


def _spec(
    transformers: Any, source: str, where: dict[str, Any], config: Any
) -> tuple[InputSpec | None, str]:
    """Return what its image processor does, and a note where it has none."""
    try:
        processor = transformers.AutoImageProcessor.from_pretrained(
            source, backend="pil", trust_remote_code=False, **where
        )
    except (OSError, ValueError) as error:
        if "preprocessor_config" not in str(error) and "image processor" not in str(error).lower():
            raise
        return spec_of(None, config)
    spec, note = spec_of(processor, config)
    if not isinstance(spec, ImageSpec):
        return spec, note
    if "AutoImageProcessor" in (getattr(processor, "auto_map", None) or {}):
        return spec, _OWN_PROCESSOR

    def theirs(picture: Any) -> torch.Tensor:
        pixels: torch.Tensor = processor(picture, return_tensors="pt")["pixel_values"]
        return pixels[0]

    return spec, note or told_difference(spec, "transformers", theirs)


def _classes(config: Any) -> tuple[str, ...] | None:
    names = [config.id2label.get(index) for index in range(config.num_labels)]
    if any(name is None or name == f"LABEL_{index}" for index, name in enumerate(names)):
        return None
    return tuple(str(name) for name in names)


def _card(name: str, config: Any, *, random: bool, note: str) -> Card:
    kind = config.model_type
    title = Path(name).name or name
    notes = (note,) if note else ()
    if random:
        untrained = "its weights are random: it has learned nothing"
        return Card(title, f"{kind} of transformers, untrained.", notes=(untrained, *notes))
    return Card(title, f"{kind} of transformers.", origin=f"hf:{name}", notes=notes)
