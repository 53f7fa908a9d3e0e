"""One forward pass of which every product is written down: by which layer, with which weights.

Two modes look on. A function mode sees attention as it is called, fused or packed, and counts it
by formula, because counters of single operations miss what happens inside a fused kernel. A
dispatch mode sees everything else as the few operations that all layers come down to.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import prod
from threading import Lock
from typing import Any, Literal
from weakref import WeakKeyDictionary

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode

from engine.attention.interception import Fused, Interceptor
from engine.errors import ModelError
from engine.execution.calls import innermost_layer, is_compiled, layer_names, layer_told
from engine.execution.cost import Cost
from engine.execution.passes import Cancel, Passes
from engine.models.loaded import LoadedModel
from engine.pruning.shrinking import Place

Kind = Literal["weights", "attention", "product", "norm"]


@dataclass(frozen=True)
class Work:
    """Some of the work of one layer, for one sample.

    Attributes:
        layer: its name; of weights the layer that has them.
        kind: products with weights, those of an attention, other products of activations, or
            a normalisation.
        amount: multiply–accumulates; of a normalisation, numbers that were normalised.
        place: the tensor with whose size it grows, or None.
        shape: of that tensor.
        site: number of the attention with whose heads it grows, or −1.
    """

    layer: str
    kind: Kind
    amount: int
    place: Place | None = None
    shape: tuple[int, ...] = ()
    site: int = -1


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
        ledger = _Ledger(module)
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
        Stored(_place(name), tuple(part.shape), part.element_size(), name in learned)
        for name, part in {**learned, **kept}.items()
    )


def _place(name: str) -> Place:
    layer, _, tensor = name.rpartition(".")
    return layer, tensor


class _Ledger:
    """Writes work down, and finds out whose weights it was done with."""

    def __init__(self, module: nn.Module) -> None:
        self.works: list[Work] = []
        self.notes: list[str] = []
        self._names = layer_names(module)
        self._shapes: list[tuple[int, ...]] = []  # of what each work put out
        self._open: tuple[int, tuple[int, ...]] | None = None  # probabilities not yet used
        self._paused = False
        self._tensors: list[tuple[torch.Tensor, Place]] = [
            (part, _place(name))
            for name, part in (*module.named_parameters(), *module.named_buffers())
            if part.numel()
        ]
        compiled = next((name for name, p in module.named_modules() if is_compiled(p)), None)
        if compiled is not None:
            self.notes.append(f"{layer_told(compiled)} is compiled: work in it may go uncounted")

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Write nothing down meanwhile."""
        before, self._paused = self._paused, True
        try:
            yield
        finally:
            self._paused = before

    def write(self, work: Work, out: tuple[int, ...] = ()) -> None:
        """Add some work."""
        if not self._paused:
            self.works.append(work)
            self._shapes.append(out)

    def note(self, line: str) -> None:
        """Add a line on what could not be counted, once."""
        if line not in self.notes:
            self.notes.append(line)

    def here(self) -> str:
        """Return the name of the layer whose code is running."""
        return innermost_layer(self._names)

    def with_weights(self, kind: Kind, amount: int, *operands: Any) -> bool:
        """Add work that one of its operands makes a layer's own; say whether one does."""
        here = self.here()
        for operand in operands:
            found = [] if operand is None else [p for p in self._tensors if _within(operand, p[0])]
            if found:
                own = [known for known in found if known[1][0] == here]
                part, place = (own or found)[0]
                layer = here if kind == "norm" else place[0]
                self.write(Work(layer, kind, amount, place, tuple(part.shape)))
                return True
        return False

    def product(self, first: torch.Tensor, second: torch.Tensor, out: tuple[int, ...]) -> None:
        """Add a matrix product ``(…, n, k) @ (…, k, m)``; m may be missing."""
        amount = prod(out) * first.shape[-1]
        if self.with_weights("weights", amount, second, first):
            return
        site = -1
        if self._open is not None and _is_map(tuple(first.shape), self._open[1]):
            site, self._open = self._open[0], None
        kind: Kind = "product" if site < 0 else "attention"
        self.write(Work(self.here(), kind, amount, site=site), out)

    def probabilities(self, site: int, shape: tuple[int, ...]) -> None:
        """Tell of a softmax over keys: the product that made its scores, and the next to use it."""
        if self._paused:
            return
        for number in reversed(range(len(self.works))):
            work = self.works[number]
            if work.kind == "product" and _is_map(self._shapes[number], shape):
                self.works[number] = replace(work, kind="attention", site=site)
                break
        self._open = (site, shape)


def _within(operand: torch.Tensor, part: torch.Tensor) -> bool:
    """Whether an operand is a tensor of the network, or a view into it."""
    if operand is part:
        return True
    start, end = part.data_ptr(), part.data_ptr() + part.numel() * part.element_size()
    return operand.device == part.device and start <= operand.data_ptr() < end


def _is_map(shape: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Whether two shapes are maps of as many heads, queries and keys."""
    return shape[-2:] == other[-2:] and prod(shape) == prod(other)


class _Attention(Interceptor):
    """Counts fused attention by its formula, and tells which products are an attention's."""

    def __init__(self, ledger: _Ledger) -> None:
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

    def __init__(self, ledger: _Ledger) -> None:
        super().__init__()
        self._ledger = ledger

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
