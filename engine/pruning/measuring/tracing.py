"""One forward pass of which every product is written down: by which layer, with which weights.

Two modes look on. A function mode sees attention as it is called, fused or packed, and counts it
by formula, because counters of single operations miss what happens inside a fused kernel. A
dispatch mode sees everything else as the few operations that all layers come down to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from engine.attention.interception import Fused, Interceptor
from engine.errors import ModelError
from engine.execution.calls import layer_told
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes
from engine.models.loaded import LoadedModel
from engine.pruning.measuring.ledger import Ledger, Work, place_of
from engine.pruning.measuring.shrinking import Place


@dataclass(frozen=True)
class Stored:
    """A tensor of the network's state.

    Attributes:
        place: layer and name.
        shape: of it.
        itemsize: bytes of one number.
        learned: whether it is a parameter, not a buffer.
    """

    place: Place
    shape: tuple[int, ...]
    itemsize: int
    learned: bool


@dataclass(frozen=True, eq=False)
class Trace:
    """What one pass told.

    Attributes:
        works: in their order.
        stored: all tensors of the state, each once.
        kinds: name of the class of each layer.
        notes: what could not be counted, one line each.
    """

    works: tuple[Work, ...]
    stored: tuple[Stored, ...]
    kinds: dict[str, str]
    notes: tuple[str, ...] = ()


_traced: WeakKeyDictionary[LoadedModel, Trace] = WeakKeyDictionary()
_guard = Lock()


def trace(model: LoadedModel, cancel: Cancel | None = None) -> Trace:
    """Look at one forward pass on noise, once for each loaded model.

    Raises:
        ModelError: it is no network, or its pass fails.
        Cancelled: the caller asked to stop.
    """
    with _guard:
        known = _traced.get(model)
    if known is not None:
        return known
    if not model.differentiable:
        raise ModelError(f"{model.card.title} is no network: it has no layers to count")
    with model.ready() as module, torch.inference_mode(False), torch.no_grad():
        ledger = Ledger(module)
        x = torch.randn((1, *model.spec.shape), generator=torch.Generator().manual_seed(0))
        with _Operations(ledger), _Attention(ledger):
            Passes(model, Cost(1), cancel=cancel).forward(x.to(model.device))
        kinds = {name: type(part).__name__ for name, part in module.named_modules()}
        found = Trace(tuple(ledger.works), _stored(module), kinds, tuple(ledger.notes))
    with _guard:
        _traced[model] = found
    return found


def _stored(module: nn.Module) -> tuple[Stored, ...]:
    learned = dict(module.named_parameters())
    state = {name: part for name, part in module.state_dict().items() if name not in learned}
    seen = {part.data_ptr() for part in learned.values()}
    kept = {  # tied weights stand twice in a state
        name: part
        for name, part in state.items()
        if isinstance(part, torch.Tensor) and part.data_ptr() not in seen
    }
    return tuple(
        Stored(place_of(name), tuple(part.shape), part.element_size(), name in learned)
        for name, part in {**learned, **kept}.items()
    )


class _Attention(Interceptor):
    """Counts fused attention by its formula, and tells which products are an attention's."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Add q kᵀ and the product with the values."""
        *outer, queries, width = call.query.shape
        keys, values = call.key.shape[-2], call.value.shape[-1]
        amount = prod(outer) * queries * keys * (width + values)
        self._ledger.write(Work(self._ledger.here(), "attention", amount, site=index))
        with self._ledger.paused():
            return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Tell of the probabilities."""
        self._ledger.probabilities(index, tuple(weights.shape))
        return weights


_CONVOLUTIONS = ("convolution", "_convolution", "cudnn_convolution")
_PRODUCTS = {"mm": 0, "bmm": 0, "mv": 0, "addmm": 1, "baddbmm": 1, "addmv": 1}
_NORMS = (
    "native_batch_norm",
    "_native_batch_norm_legit",
    "_native_batch_norm_legit_no_training",
    "_batch_norm_no_update",
    "cudnn_batch_norm",
    "miopen_batch_norm",
    "native_layer_norm",
    "native_group_norm",
    "_fused_rms_norm",
)
_UNCOUNTED = ("rnn", "lstm", "gru", "_native_multi_head", "_trilinear", "_transformer_encoder")


class _Operations(TorchDispatchMode):
    """Writes down what convolutions, products and normalisations do."""

    def __init__(self, ledger: Ledger) -> None:
        super().__init__()
        self._ledger = ledger

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Nothing is compiled here: else torch would load its compiler, which takes seconds."""
        return False

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        name = func.overloadpacket.__name__
        if name not in _CONVOLUTIONS and name not in _PRODUCTS and name not in _NORMS:
            with self:  # tensors made in inference mode come with operations in one piece
                parts = func.decompose(*args, **named)
            if parts is not NotImplemented:
                return parts
        out = func(*args, **named)
        self._write(name, args, out)
        return out

    def _write(self, name: str, args: tuple[Any, ...], out: Any) -> None:
        if name in _CONVOLUTIONS:
            self._convolution(args, out)
        elif name in _PRODUCTS:
            start = _PRODUCTS[name]
            self._ledger.product(args[start], args[start + 1], tuple(out.shape))
        elif name in _NORMS:
            tensors = [value for value in args[1:] if isinstance(value, torch.Tensor)]
            amount = args[0].numel()
            if not self._ledger.with_weights("norm", amount, *tensors):
                self._ledger.write(Work(self._ledger.here(), "norm", amount))
        elif any(part in name for part in _UNCOUNTED):
            where = layer_told(self._ledger.here())
            self._ledger.note(f"{where} calls {name}, which is not counted")

    def _convolution(self, args: tuple[Any, ...], out: torch.Tensor) -> None:
        """Each place, of the output or of a transposed one's input, meets each weight once."""
        given, weight, transposed = args[0], args[1], args[6]
        counted = given if transposed else out
        amount = counted.shape[0] * prod(counted.shape[2:]) * weight.numel()
        if not self._ledger.with_weights("weights", amount, weight):
            here = self._ledger.here()  # its weights are made anew in each pass
            place = (here, "weight")
            self._ledger.write(Work(here, "weights", amount, place, tuple(weight.shape)))
