"""One pass in which every channel is followed through all of torch's functions.

Convolutions and linear layers make new units and read old ones; whatever lies between them passes
labels on (see ``labels``) or ties units together. A function that is not understood fixes all that
goes into it: nothing is guessed.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.weak import WeakIdKeyDictionary

from engine.attention.interception import Fused, Interceptor
from engine.execution.calls import (
    innermost_layer,
    layer_names,
    mapped,
    plain_name,
    said_name,
    tensors_in,
)
from engine.pruning.call_kinds import (
    CONVOLUTIONS,
    ELEMENTWISE,
    MAPS,
    MOVES,
    NORMALISES,
    PRODUCTS,
    REDUCES,
    RESIZES,
    TRANSPOSED,
)
from engine.pruning.labels import Units, all_same, along, compact, spread, still

_LARGEST = 2_000_000  # numbers of a parameter that is followed one by one
Role = Literal["filters", "rows", "vector", "columns"]
_CONSTANT = "it is combined with numbers that are computed or not its own, which cannot be cut"


@dataclass(frozen=True, eq=False)
class Record:
    """One axis of one tensor of the network, and the label of each place along it.

    Attributes:
        layer, tensor, dim: as in ``Span``.
        labels: int64, one for each place.
        role: what its places are of units: the "filters" or "rows" that make them, a "vector" of
            numbers of their own, or the "columns" that read them.
    """

    layer: str
    tensor: str
    dim: int
    labels: np.ndarray
    role: Role = "vector"


class Tracer(Interceptor):
    """Follows units through one pass; enter it, run the network, then ``finish``.

    Args:
        module: the network, in eval mode.

    Attributes:
        units: which labels go together.
        records: of all tensors that have units, in the order of the pass.
        attentions: of each attention its number, the layer that computes it, and the label of
            each of its heads.
    """

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.units = Units()
        self.records: list[Record] = []
        self.attentions: list[tuple[int, str, np.ndarray]] = []
        self._layers = layer_names(module)
        self._own = _own_tensors(module)
        self._labels: WeakIdKeyDictionary = WeakIdKeyDictionary()
        self._used: dict[tuple[str, str], list[np.ndarray]] = {}
        self._index: int | None = None

    # What the network is given, and what comes out.

    def begin(self, x: torch.Tensor) -> None:
        """Label the network's input."""
        label = self.units.fixed("it shares its channels with the network's input")
        self._labels[x] = all_same(label, x.shape)

    def finish(self, returned: Any) -> None:
        """Fix what comes out, and note the parameters that were used number by number."""
        for tensor in _all_tensors(returned):
            if tensor in self._labels:
                self._fix(self._labels[tensor], "it is the output: its units are the classes")
        for (layer, name), tensor in self._followed():
            self._note_followed(layer, name, self._labels[tensor])

    def _followed(self) -> list[tuple[tuple[str, str], torch.Tensor]]:
        return [
            (places[0], tensor)
            for tensor, places in self._own.values()
            if tensor in self._labels and places[0] not in self._used
        ]

    def _note_followed(self, layer: str, name: str, labels: torch.Tensor) -> None:
        found = self.units.find(compact(labels).numpy())
        varying = [
            axis
            for axis in range(found.ndim)
            if found.shape[axis] > 1 and not (found == found.take([0], axis=axis)).all()
        ]
        if len(varying) == 1:
            line = along(labels, varying[0], self.units)
            if line is not None:
                self.records.append(Record(layer, name, varying[0], line))
        elif varying or (found.size and self.units.free(found)):
            told = f"{_said(layer, name)} depends on it in more than one direction"
            self.units.fix(found, told)

    # Calls.

    def fused(self, index: int, call: Fused) -> torch.Tensor:
        """Remember which attention this is."""
        self._index = index
        return call.run()

    def weighted(
        self, index: int, weights: torch.Tensor, plain: Callable[[], torch.Tensor]
    ) -> torch.Tensor:
        """Remember which attention this is."""
        self._index = index
        return weights

    def __torch_function__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        named = kwargs or {}
        self._index = None
        given = [t for t in tensors_in((args, named)) if self._known(t)]
        out = super().__torch_function__(func, types, args, named)
        if func is F.multi_head_attention_forward:
            return out  # its inside was seen
        results = [one for one in tensors_in(out)]
        if results and given:
            with torch._C.DisableTorchFunction(), torch.no_grad():
                self._follow(func, args, named, given, out)
        return out

    def _known(self, tensor: torch.Tensor) -> bool:
        return tensor in self._labels or id(tensor) in self._own

    def _follow(
        self, func: Any, args: tuple[Any, ...], named: dict[str, Any], given: list[Any], out: Any
    ) -> None:
        name, in_place = plain_name(said_name(func))
        if in_place and any(_is_part(t) for t in given[:1]):
            name = "a change in place of a part of a tensor"
        rule = self._rule(name)
        try:
            done = rule is not None and rule(func, name, args, named, out)
        except (ValueError, TypeError, IndexError, KeyError, RuntimeError, AttributeError):
            done = False  # a spelling that the rule does not know
        if not done:
            self._give_up(name, given, out)

    def _rule(self, name: str) -> Callable[..., bool] | None:
        own = {
            "linear": self._linear, "batch_norm": self._batch_norm, "prelu": self._prelu,
            "layer_norm": self._layer_norm, "rms_norm": self._layer_norm,
            "group_norm": self._group_norm, "instance_norm": self._batch_norm,
            "scaled_dot_product_attention": self._attention, "pad": self._pad, "glu": self._glu,
        }  # fmt: skip
        if name in own:
            return own[name]
        tables: tuple[tuple[Any, Callable[..., bool]], ...] = (
            (CONVOLUTIONS, self._convolution),
            (TRANSPOSED, self._transposed),
            (MAPS, self._maps),
            (RESIZES, self._maps),
            (REDUCES, self._reduce),
            (NORMALISES, self._normalise),
            (PRODUCTS, self._product),
            (MOVES, self._move),
            (ELEMENTWISE, self._elementwise),
        )
        return next((rule for names, rule in tables if name in names), None)

    def _give_up(self, name: str, given: Sequence[torch.Tensor], out: Any) -> None:
        layer = innermost_layer(self._layers)
        where = f" in {layer}" if layer else ""
        reason = f"it goes through {name}{where}, through which channels cannot be followed"
        for tensor in given:
            self._fix(self._label(tensor), reason)
        for one in tensors_in(out):
            self._labels[one] = all_same(self.units.fixed(reason), one.shape)

    # Labels.

    def _label(self, tensor: torch.Tensor) -> torch.Tensor:
        """Return the labels of a tensor; those of a parameter are made where there are none."""
        found = self._labels.get(tensor)
        if found is None:
            found = self._fresh(tensor)
            self._labels[tensor] = found
        return found  # type: ignore[no-any-return]

    def _fresh(self, tensor: torch.Tensor) -> torch.Tensor:
        own = self._own.get(id(tensor))
        if own is None or tensor.numel() > _LARGEST:
            return all_same(self.units.fixed(_CONSTANT), tensor.shape)
        if len(own[1]) > 1:
            told = " and ".join(_said(*place) for place in own[1][:2])
            return all_same(self.units.fixed(f"{told} share their weights"), tensor.shape)
        return torch.from_numpy(self.units.fresh(tensor.numel())).reshape(tensor.shape)

    def _fix(self, labels: torch.Tensor, reason: str) -> None:
        self.units.fix(compact(labels).numpy(), reason)

    def _join(self, one: torch.Tensor, other: torch.Tensor) -> None:
        first, second = torch.broadcast_tensors(compact(one), compact(other))
        self.units.join(first.numpy(), second.numpy())

    # Layers that have weights.

    def _place(self, weight: torch.Tensor | None) -> tuple[str, str] | None:
        """Return layer and name of a weight that can be cut, or None."""
        own = None if weight is None else self._own.get(id(weight))
        return own[1][0] if own is not None and len(own[1]) == 1 else None

    def _weighted(
        self,
        weight: torch.Tensor,
        bias: torch.Tensor | None,
        rows: np.ndarray,
        columns: np.ndarray | None,
        dims: tuple[int, int] = (0, 1),
    ) -> None:
        """Note rows and columns of a weight; fix both where it cannot be cut."""
        every = rows if columns is None else np.concatenate([rows, columns])
        place = self._place(weight)
        reason = "" if place is not None else self._not_own(weight)
        if place is not None and place in self._used:
            reason = f"{place[0] or 'a layer'} is used more than once in a pass"
        if bias is not None and self._place(bias) is None:
            reason = reason or self._not_own(bias)
        if reason:
            self.units.fix(every, reason)
            for earlier in self._used.get(place, []) if place else []:
                self.units.fix(earlier, reason)
        if place is None:
            return
        self._used.setdefault(place, []).append(every)
        role: Role = "filters" if weight.ndim > 2 else "rows"
        self.records.append(Record(*place, dims[0], rows, role))
        if columns is not None:
            self.records.append(Record(*place, dims[1], columns, "columns"))
        held = self._place(bias)
        if held is not None:
            self._used.setdefault(held, [])
            self.records.append(Record(*held, 0, rows))

    def _not_own(self, weight: torch.Tensor) -> str:
        own = self._own.get(id(weight))
        if own is None:
            return f"the weights of {innermost_layer(self._layers) or 'a layer'} are computed"
        return f"{' and '.join(_said(*place) for place in own[1][:2])} share their weights"

    def _line(self, labels: torch.Tensor, axis: int) -> np.ndarray:
        """Return the label of each place along an axis; what shares a place goes together."""
        found = along(labels, axis, self.units)
        if found is None:
            small = compact(labels)
            first = small
            for other in _others(labels.ndim, axis % labels.ndim):
                first = first.narrow(other, 0, 1)
            self._join(small, first)
            found = along(labels, axis, self.units)
            assert found is not None
        return found

    def _convolution(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_CONVOLUTION, args, named)
        axis = out.ndim - 1 - CONVOLUTIONS[name]
        columns = self._line(self._either(call["input"]), axis)
        rows = self.units.fresh(out.shape[axis])
        weight = call["weight"]
        if call["groups"] > 1:
            self._tie_groups(columns, rows, call["groups"])
            self._weighted(weight, call["bias"], rows, None)
        else:
            self._weighted(weight, call["bias"], rows, columns)
        self._labels[out] = spread(rows, axis, out.shape)
        return True

    def _tie_groups(self, columns: np.ndarray, rows: np.ndarray, groups: int) -> None:
        layer = innermost_layer(self._layers)
        for taken, made in zip(np.split(columns, groups), np.split(rows, groups), strict=True):
            self.units.join_all(np.concatenate([taken, made]), f"{layer} takes them together")

    def _transposed(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_TRANSPOSED, args, named)
        if call["groups"] > 1:
            return False
        axis = out.ndim - 1 - TRANSPOSED[name]
        columns = self._line(self._either(call["input"]), axis)
        rows = self.units.fresh(out.shape[axis])
        self._weighted(call["weight"], call["bias"], rows, columns, (1, 0))
        self._labels[out] = spread(rows, axis, out.shape)
        return True

    def _linear(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_LINEAR, args, named)
        columns = self._line(self._either(call["input"]), -1)
        rows = self.units.fresh(out.shape[-1])
        self._weighted(call["weight"], call["bias"], rows, columns)
        self._labels[out] = spread(rows, out.ndim - 1, out.shape)
        return True

    def _batch_norm(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_BATCH_NORM if name == "batch_norm" else _INSTANCE_NORM, args, named)
        x = call["input"]
        labels = self._label(x)
        line = self._line(labels, 1)
        for held in (call["running_mean"], call["running_var"], call["weight"], call["bias"]):
            self._per_channel(held, line)
        self._labels[out] = labels
        return True

    def _per_channel(self, held: torch.Tensor | None, line: np.ndarray) -> None:
        """Note a vector of a layer that has one number for each channel."""
        if held is None or held.numel() == 1:
            return
        place = self._place(held)
        if place is None:
            self.units.fix(line, self._not_own(held))
            return
        if place in self._used:
            told = f"{place[0] or 'a layer'} is used more than once in a pass"
            for labels in (line, *self._used[place]):
                self.units.fix(labels, told)
        self._used.setdefault(place, []).append(line)
        self.records.append(Record(*place, 0, line))

    def _prelu(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x, weight = _bound(_PRELU, args, named).values()
        labels = self._label(x)
        if weight.numel() > 1:
            self._per_channel(weight, self._line(labels, 1))
        self._labels[out] = labels
        return True

    # Layers that mix channels.

    def _layer_norm(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_LAYER_NORM if name == "layer_norm" else _RMS_NORM, args, named)
        x = call["input"]
        axes = list(range(x.ndim - len(call["normalized_shape"]), x.ndim))
        self._labels[out] = self._mixed(self._label(x), axes)
        return True

    def _group_norm(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_GROUP_NORM, args, named)
        labels = self._label(call["input"])
        line = self._line(labels, 1)
        layer = innermost_layer(self._layers)
        for part in np.split(line, call["num_groups"]):
            self.units.join_all(part, f"{layer} normalises them together")
        for held in (call["weight"], call["bias"]):
            self._per_channel(held, line)
        self._labels[out] = labels
        return True

    def _mixed(self, labels: torch.Tensor, axes: Sequence[int]) -> torch.Tensor:
        """Tie together what lies along axes; returns labels that stand still along them."""
        found = still(labels, axes, self.units)
        if found is None:
            layer = innermost_layer(self._layers)
            why = f"{layer or 'a function'} mixes all of them"
            small = compact(labels)
            lines = small.movedim(tuple(axes), tuple(range(-len(axes), 0))).flatten(-len(axes))
            for line in lines.reshape(-1, lines.shape[-1]).numpy():
                self.units.join_all(line, why)
            for axis in axes:
                small = small.narrow(axis, 0, 1)
            found = small
        return found.expand(labels.shape)

    def _normalise(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x = args[0] if args else named["input"]
        axis = named.get("dim", args[1] if len(args) > 1 and name != "normalize" else None)
        if name == "normalize":
            axis = named.get("dim", args[2] if len(args) > 2 else 1)
        if not isinstance(axis, int) or not isinstance(out, torch.Tensor):
            return False
        labels = self._mixed(self._label(x), [axis % x.ndim])
        self._labels[out] = labels
        if self._index is not None and x.ndim >= 3:  # attention
            self._note_heads(labels)
        return True

    def _reduce(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x = args[0] if args else named["input"]
        labels = self._label(x)
        axis = named.get("dim", named.get("axis", args[1] if len(args) > 1 else None))
        if isinstance(axis, torch.Tensor):
            return self._elementwise(func, name, args, named, out)  # max(a, b)
        if name in ("norm", "vector_norm", "linalg_vector_norm"):
            axis = named.get("dim", args[2] if len(args) > 2 else None)
        axes = list(range(x.ndim)) if axis is None else _axes(axis, x.ndim)
        reduced = self._mixed(labels, axes)
        for one in axes:
            reduced = reduced.narrow(one, 0, 1)
        for one in tensors_in(out):
            self._labels[one] = reduced.reshape(one.shape)
        return True

    def _product(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        """Products of two tensors: all that is multiplied in one batch goes together."""
        one, other = args[-2:] if not named else (named["batch1"], named["batch2"])
        both = []
        for tensor in (one, other):
            labels = self._either(tensor)
            both.append(self._mixed(labels, [labels.ndim - 2, labels.ndim - 1])[..., :1, :1])
        self._join(*both)
        if name == "baddbmm":
            self._join(both[0], self._mixed(self._either(args[0]), [-2, -1])[..., :1, :1])
        self._labels[out] = torch.broadcast_tensors(*both)[0].expand(out.shape)
        return True

    def _either(self, tensor: torch.Tensor) -> torch.Tensor:
        if self._known(tensor):
            return self._label(tensor)
        return all_same(self.units.fixed(_CONSTANT), tensor.shape)

    # Attention.

    def _attention(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        call = _bound(_ATTENTION, args, named)
        query, key, value = (self._either(call[one]) for one in ("query", "key", "value"))
        if query.ndim != 4 or key.shape[1] != query.shape[1]:
            reason = "several heads share keys and values (grouped-query attention)"
            for labels in (query, key, value):
                self._fix(labels, reason)
            self._labels[out] = all_same(self.units.fixed(reason), out.shape)
            return True
        heads = [self._mixed(labels, [0, 2, 3])[:1, :, :1, :1] for labels in (query, key, value)]
        self._join(heads[0], heads[1])
        self._join(heads[0], heads[2])
        mask = call["attn_mask"]
        if mask is not None and self._known(mask):
            own = self._mixed(self._label(mask), _others(mask.ndim, mask.ndim - 3))
            self._join(heads[0], own)
        elif mask is not None and mask.ndim > 2 and mask.shape[-3] > 1:
            self._fix(heads[0], _CONSTANT)
        labels = heads[0].expand(out.shape)
        self._labels[out] = labels
        self._note_heads(labels)
        return True

    def _note_heads(self, labels: torch.Tensor) -> None:
        """Note the label of each head, of ``(n, heads, …)`` or of packed ``(n × heads, q, k)``."""
        axis = labels.ndim - 3 if labels.ndim == 4 else 0
        line = along(labels, axis, self.units)
        layer = innermost_layer(self._layers)
        if line is not None and self._index is not None:
            self.attentions.append((self._index, layer, line))

    # What passes labels on.

    def _elementwise(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        if not isinstance(out, torch.Tensor):
            return False
        tensors = [t for t in tensors_in((args, named)) if t.numel() > 1 or self._known(t)]
        if name in ("type_as", "to"):
            tensors = tensors[:1]
        known = [t for t in tensors if t in self._labels]
        if not known:
            known = [t for t in tensors if id(t) in self._own][:1]
        if not known:
            return False
        base = known[0]
        labels = self._label(base).expand(out.shape)
        for other in tensors:
            if other is not base:
                labels = self._combined(labels, other)
        self._labels[out] = labels.expand(out.shape)
        return True

    def _combined(self, labels: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
        """Tie what is computed place by place from a tensor and another."""
        if other in self._labels:
            theirs = self._labels[other]
            self._join(labels, theirs)
            return labels
        wide = [axis for axis in range(-1, -other.ndim - 1, -1) if other.shape[axis] > 1]
        narrow = [axis for axis in range(labels.ndim) if axis - labels.ndim not in wide]
        own = still(labels, narrow, self.units)
        if id(other) in self._own and own is not None and len(self._own[id(other)][1]) == 1:
            self._labels[other] = own.reshape(own.shape[labels.ndim - other.ndim :]).expand(
                other.shape
            )
        elif id(other) in self._own:
            self._join(labels, self._label(other))
        elif still(labels, [axis + labels.ndim for axis in wide], self.units) is None:
            self._fix(labels, _CONSTANT)
        return labels

    def _move(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        def labelled(tensor: torch.Tensor) -> torch.Tensor:
            if self._known(tensor) and (tensor.is_floating_point() or tensor in self._labels):
                return self._label(tensor)
            if tensor.is_floating_point():
                return self._either(tensor)
            return tensor.cpu()

        moved = func(*mapped(args, labelled), **mapped(named, labelled))
        if name in ("tril", "triu"):
            moved = self._label(args[0])
        results = list(tensors_in(out))
        found = list(tensors_in(moved))
        if [one.shape for one in results] != [one.shape for one in found]:
            return False
        for one, labels in zip(results, found, strict=True):
            self._labels[one] = labels
        return True

    def _maps(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x = args[0] if args else named["input"]
        after = MAPS.get(name, x.ndim - 2)
        axis = x.ndim - 1 - after
        line = self._line(self._label(x), axis)
        for one in tensors_in(out):
            self._labels[one] = spread(line, axis, one.shape)
        return True

    def _pad(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x = args[0] if args else named["input"]
        labels = self._label(x)
        sides = list(named.get("pad", args[1] if len(args) > 1 else ()))
        for number in range(len(sides) // 2):
            axis = x.ndim - 1 - number
            before, after = sides[2 * number : 2 * number + 2]
            labels = self._padded(labels, axis, before, after)
        self._labels[out] = labels
        return labels.shape == out.shape

    def _padded(self, labels: torch.Tensor, axis: int, before: int, after: int) -> torch.Tensor:
        if before == after == 0:
            return labels
        same = still(labels, [axis], self.units)
        size = labels.shape[axis] + before + after
        if same is not None:
            shape = list(labels.shape)
            shape[axis] = size
            return same.expand(shape)
        whole = labels.narrow(axis, max(0, -before), labels.shape[axis] + min(0, before, after))
        edges = []
        for count in (before, after):
            shape = list(labels.shape)
            shape[axis] = max(0, count)
            edges.append(all_same(self.units.fixed(_CONSTANT), shape))
        return torch.cat([edges[0], whole, edges[1]], dim=axis)

    def _glu(self, func: Any, name: str, args: Any, named: Any, out: Any) -> bool:
        x = args[0] if args else named["input"]
        one, other = self._label(x).chunk(2, dim=named.get("dim", args[1] if args[1:] else -1))
        self._join(one, other)
        self._labels[out] = one
        return True


def _own_tensors(module: nn.Module) -> dict[int, tuple[torch.Tensor, list[tuple[str, str]]]]:
    """Return parameters and buffers by identity, each with all places where it is held."""
    found: dict[int, tuple[torch.Tensor, list[tuple[str, str]]]] = {}
    for layer, part in module.named_modules():
        held = {**part._parameters, **part._buffers}
        for name, tensor in held.items():
            if tensor is not None:
                found.setdefault(id(tensor), (tensor, []))[1].append((layer, name))
    return found


def _all_tensors(returned: Any) -> list[torch.Tensor]:
    if hasattr(returned, "values") and not isinstance(returned, torch.Tensor):
        returned = list(returned.values())
    return list(tensors_in(returned))


def _is_part(tensor: torch.Tensor) -> bool:
    return (
        tensor._is_view() and tensor._base is not None and (tensor._base.numel() != tensor.numel())
    )


def _axes(axis: Any, count: int) -> list[int]:
    several = axis if isinstance(axis, tuple | list) else (axis,)
    return [int(one) % count for one in several]


def _others(count: int, axis: int) -> list[int]:
    return [one for one in range(count) if one != axis]


def _said(layer: str, name: str) -> str:
    return f"{layer}.{name}" if layer else name


def _bound(signature: inspect.Signature, args: Any, named: Any) -> Mapping[str, Any]:
    call = signature.bind(*args, **named)
    call.apply_defaults()
    return call.arguments


def _signature(text: str) -> inspect.Signature:
    """Return a signature from names; "=" marks what may be left out."""
    kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
    parameters = []
    for word in text.split():
        name, equals, default = word.partition("=")
        value = {"1": 1, "0": 0, "": None}.get(default) if equals else inspect.Parameter.empty
        parameters.append(inspect.Parameter(name, kind, default=value))
    return inspect.Signature(parameters)


_CONVOLUTION = _signature("input weight bias= stride=1 padding=0 dilation=1 groups=1")
_TRANSPOSED = _signature(
    "input weight bias= stride=1 padding=0 output_padding=0 groups=1 dilation=1"
)
_LINEAR = _signature("input weight bias=")
_BATCH_NORM = _signature("input running_mean= running_var= weight= bias= training= momentum= eps=")
_INSTANCE_NORM = _signature(
    "input running_mean= running_var= weight= bias= use_input_stats= momentum= eps="
)
_PRELU = _signature("input weight")
_LAYER_NORM = _signature("input normalized_shape weight= bias= eps=")
_RMS_NORM = _signature("input normalized_shape weight= eps=")
_GROUP_NORM = _signature("input num_groups weight= bias= eps=")
_ATTENTION = _signature("query key value attn_mask= dropout_p=0 is_causal= scale= enable_gqa=")
