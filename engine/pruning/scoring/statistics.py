"""What the units of a network do on pictures, and how the loss reacts: one pass for everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch

from engine.attention.sites import attention_sites
from engine.errors import MethodError, one_line
from engine.execution.exhaustion import is_out_of_memory
from engine.heads.families.maps import MapMetric, real_slots
from engine.heads.families.maps import by_sample as maps_by_sample
from engine.heads.families.outputs import OutputMetric, by_head
from engine.heads.metric import HeadMetric
from engine.heads.running import Batch, Rows, Run
from engine.heads.said import log_probabilities, said_of
from engine.pruning.scoring.moments import Moments, moments_of
from engine.pruning.scoring.tapping import (
    HeadTap,
    LayerTap,
    axis_of_inputs,
    by_sample,
    tapped_layers,
)
from engine.pruning.scoring.tensors import inputs_of
from engine.pruning.units import Group, Groups, Span


@dataclass(frozen=True, eq=False)
class Statistics:
    """What pictures tell of the units of a network.

    Attributes:
        samples: number of pictures.
        inputs: moments of what each reader of units is given, over pictures and places, by the
            layer's name; one column for each of its inputs.
        slopes: of each group, float64 ``(2, size)``: mean over pictures of |Σ A·G|, and of its
            square; A is what a unit hands on, G the slope of the picture's loss there. Empty
            where no gradients were asked for.
        heads: by the metric's name, then the group's: float64 ``(size,)``, mean over pictures.
    """

    samples: int
    inputs: Mapping[str, Moments]
    slopes: Mapping[str, np.ndarray] = field(default_factory=dict)
    heads: Mapping[str, Mapping[str, np.ndarray]] = field(default_factory=dict)


@dataclass(eq=False)
class _Sums:
    """What some pictures told, to be added up."""

    samples: int
    inputs: dict[str, Moments]
    slopes: dict[str, np.ndarray]
    heads: dict[str, dict[str, np.ndarray]]

    def add(self, more: _Sums) -> None:
        """Take in what further pictures told."""
        self.samples += more.samples
        for name, moments in more.inputs.items():
            self.inputs[name] = self.inputs[name].with_more(moments)
        for name, slopes in more.slopes.items():
            self.slopes[name] = self.slopes[name] + slopes
        for metric, groups in more.heads.items():
            for name, values in groups.items():
                self.heads[metric][name] = self.heads[metric][name] + values

    def means(self) -> Statistics:
        """Return means over pictures."""
        count = self.samples
        slopes = {name: values / count for name, values in self.slopes.items()}
        heads = {
            metric: {name: values / count for name, values in groups.items()}
            for metric, groups in self.heads.items()
        }
        return Statistics(count, self.inputs, slopes, heads)


def read_statistics(
    run: Run, groups: Groups, *, gradients: bool = False, metrics: Sequence[HeadMetric] = ()
) -> Statistics:
    """Send all pictures through the network once, there and, if asked, back.

    The first picture goes alone: the shapes of its pass show where samples stand in others.

    Args:
        run: model, pictures, and how to run.
        groups: the units to look at.
        gradients: whether to ask how the loss reacts; the loss is the cross-entropy of the true
            class, without a label of the predicted one, summed over a batch.
        metrics: of heads, of maps or outputs, to compute in the same pass.

    Raises:
        MethodError: a reader that is not called, or a network that lets no gradients through.
        InputError: no picture could be read.
        Cancelled: the caller asked to stop.
        OutOfMemory: one sample at a time does not fit.
    """
    reader = _Reader(run, groups, gradients, metrics)

    def work(batch: Batch, _size: int) -> Rows:
        return {"read": reader.read(batch)}

    with torch.set_grad_enabled(gradients), run.model.ready():
        run.collect(1, work)
    assert reader.sums is not None
    return reader.sums.means()


class _Reader:
    """Reads batch after batch."""

    def __init__(
        self, run: Run, groups: Groups, gradients: bool, metrics: Sequence[HeadMetric]
    ) -> None:
        self.sums: _Sums | None = None
        self._run = run
        self._groups = groups
        self._gradients = gradients
        self._maps = [one for one in metrics if isinstance(one, MapMetric)]
        self._outputs = [one for one in metrics if isinstance(one, OutputMetric)]
        self._layers = tapped_layers(groups)
        self._heads = [group for group in groups.groups if group.kind == "heads"]
        self._sites = attention_sites(run.model).sites if self._heads else ()
        self._alone: dict[str, list[torch.Size]] = {}

    def read(self, batch: Batch) -> np.ndarray:
        """Add what some pictures tell; returns one number for each, to be counted."""
        first = [] if self._alone else [_part(batch, 0, 1)]
        rest = _part(batch, len(first), len(batch.x))
        found = [self._pass(part) for part in [*first, *([rest] if len(rest.x) else [])]]
        for sums in found:  # only now: what ran out of memory is done again
            if self.sums is None:
                self.sums = sums
            else:
                self.sums.add(sums)
        return np.ones(len(batch.x))

    def _pass(self, batch: Batch) -> _Sums:
        run, count = self._run, len(batch.x)
        x = batch.x.requires_grad_() if self._gradients else batch.x
        gates = {
            group.site: torch.ones(
                count, group.size, device=x.device, requires_grad=self._gradients
            )
            for group in self._heads
        }
        layers = LayerTap(run.model.module, self._layers)
        heads = HeadTap(gates, bool(self._maps))
        with layers.on(), heads:
            logits = run.passes.forward(x)
        layers.check()
        if not self._alone:
            self._note_shapes(layers, heads)
        slopes = self._slopes(batch, logits, layers, gates) if self._gradients else {}
        said = said_of(logits, run.model.activation, [])
        run.used(batch, said)
        return _Sums(count, self._moments(layers, heads, count), slopes, self._told(heads, count))

    def _note_shapes(self, layers: LayerTap, heads: HeadTap) -> None:
        self._alone = {
            name: [given.shape for given in calls] for name, calls in layers.given.items()
        }
        for group in self._heads:
            if group.site not in heads.given:
                raise MethodError(f"{group.title}: no linear layer reads the heads' outputs")
            self._alone[f"heads {group.site}"] = [heads.given[group.site].shape]
        self._alone.setdefault("", [])

    def _moments(self, layers: LayerTap, heads: HeadTap, count: int) -> dict[str, Moments]:
        """Return the moments of what each reader is given."""
        module, found = self._run.model.module, {}
        spans = {span.layer: span for group in self._groups.groups for span in group.consumers}
        for name, calls in layers.given.items():
            axis = axis_of_inputs(module, spans[name])
            parts = [moments_of(given, axis) for given in calls]
            for further in parts[1:]:
                parts[0] = parts[0].with_more(further)
            found[name] = parts[0]
        for group in self._heads:
            given = heads.given[group.site].detach().flatten(0, -2)
            real = real_slots(self._sites[group.site]).flatten()
            if not real.all():  # windows of padding; samples come first
                given = given[real.repeat(count).to(given.device)]
            found[group.consumers[0].layer] = moments_of(given, -1)
        return found

    def _slopes(
        self,
        batch: Batch,
        logits: torch.Tensor,
        layers: LayerTap,
        gates: Mapping[int, torch.Tensor],
    ) -> dict[str, np.ndarray]:
        """Return, of each group, the sums over pictures of |Σ A·G| and of its square."""
        model = self._run.model
        said = said_of(logits, model.activation, [])
        classes = self._run.classes(batch, said).to(logits.device)
        log_p = log_probabilities(logits.float(), model.activation)
        loss = -log_p.gather(1, classes[:, None]).sum()
        calls = [(name, call) for name, all_of in layers.given.items() for call in all_of]
        wanted = [*(call for _, call in calls), *gates.values()]
        try:
            found = torch.autograd.grad(loss, wanted, allow_unused=True)
        except RuntimeError as error:  # the network is the user's own code
            if is_out_of_memory(error):
                raise
            told = f"{model.card.title} lets no gradients through: {one_line(error)}"
            raise MethodError(told) from error
        products: dict[str, torch.Tensor] = {}
        for (name, call), slope in zip(calls, found, strict=False):
            if slope is not None:
                own = self._product(name, call.detach() * slope, len(batch.x))
                products[name] = products[name] + own if name in products else own
        of_gates = dict(zip(gates, found[len(calls) :], strict=True))
        each = {
            group.name: self._of_group(group, products, of_gates, len(batch.x))
            for group in self._groups.groups
        }
        return {name: np.stack([np.abs(p).sum(0), (p**2).sum(0)]) for name, p in each.items()}

    def _product(self, name: str, product: torch.Tensor, count: int) -> torch.Tensor:
        """Return Σ A·G over places of each picture and input, float64 ``(n, inputs)``."""
        span = self._span(name)
        axis = axis_of_inputs(self._run.model.module, span)
        alone = self._alone[name][0]
        rows = by_sample(product.double(), alone, count)  # (n, …)
        rows = rows.movedim(axis + 1 if axis > 0 else axis, -1)
        return rows.flatten(1, -2).sum(dim=1).cpu()

    def _of_group(
        self,
        group: Group,
        products: Mapping[str, torch.Tensor],
        gates: Mapping[int, torch.Tensor | None],
        count: int,
    ) -> np.ndarray:
        """Return Σ A·G of each picture and unit, over all its readers, float64 ``(n, size)``."""
        total = torch.zeros(count, group.size, dtype=torch.float64)
        if group.kind == "heads":
            slope = gates[group.site]
            return (total if slope is None else slope.detach().cpu().double()).numpy()
        for span in group.consumers:
            if span.layer in products:
                own = inputs_of(self._run.model.module, span)
                total += products[span.layer][:, own].sum(dim=2)
        return total.numpy()

    def _told(self, heads: HeadTap, count: int) -> dict[str, dict[str, np.ndarray]]:
        """Return the sums over pictures of the metrics of heads."""
        found: dict[str, dict[str, np.ndarray]] = {}
        for group in self._heads:
            real = real_slots(self._sites[group.site])
            for by_map in self._maps:
                maps = maps_by_sample(heads.maps[group.site], count)
                values = by_map.of_maps(maps, real).double().sum(0)
                found.setdefault(by_map.name, {})[group.name] = values.cpu().numpy()
            for by_output in self._outputs:
                each = torch.stack(self._outputs_of(heads, group, real, by_output, count))
                found.setdefault(by_output.name, {})[group.name] = each.sum(0).numpy()
        return found

    def _outputs_of(
        self, heads: HeadTap, group: Group, real: torch.Tensor, metric: OutputMetric, count: int
    ) -> list[torch.Tensor]:
        own = torch.from_numpy(group.consumers[0].index)  # (heads, width)
        weight = heads.weights[group.site].cpu().double()[:, own].transpose(0, 1)
        alone = self._alone[f"heads {group.site}"][0]
        given = heads.given[group.site].detach()
        if group.site in heads.tokens_first:  # (tokens × n, columns)
            given = given.unflatten(0, (-1, count)).transpose(0, 1).flatten(0, 1)
        samples = by_sample(given, alone, count)
        return [metric.of_outputs(by_head(one, own, real), weight) for one in samples]

    def _span(self, layer: str) -> Span:
        return next(
            span
            for group in self._groups.groups
            for span in group.consumers
            if span.layer == layer and group.kind != "heads"
        )


def _part(batch: Batch, start: int, stop: int) -> Batch:
    return Batch(batch.x[start:stop], batch.labels[start:stop], batch.numbers[start:stop])
