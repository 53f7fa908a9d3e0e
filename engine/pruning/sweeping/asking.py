"""What a sweep is asked to do, checked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import MethodError, ParameterError, nearest
from engine.heads.families.ablating import no_classes
from engine.models.loaded import LoadedModel
from engine.prune_results import RANDOM, Way
from engine.pruning.corruptions.corrupting import check_corruption
from engine.pruning.finding.groups import find_groups
from engine.pruning.repairing.repairs import REPAIRS
from engine.pruning.scoring.criterion import judged
from engine.pruning.scoring.registry import find_criterion
from engine.pruning.scoring.scopes import SCOPES
from engine.pruning.units import Groups

MOST_DRAWS = 20


@dataclass(frozen=True)
class Asked:
    """What a sweep is asked.

    Attributes:
        criteria: names, without the control.
        ratios: ascending, 0 the first.
        repairs: names.
        scope: how a ratio is shared out.
        overrides: ratios of single groups.
        draws: of the control.
        corruptions, severities: what else to test under.
    """

    criteria: tuple[str, ...]
    ratios: tuple[float, ...]
    repairs: tuple[str, ...]
    scope: str
    overrides: Mapping[str, float]
    draws: int
    corruptions: tuple[str, ...]
    severities: tuple[int, ...]

    @property
    def choices(self) -> tuple[tuple[str, int], ...]:
        """Criterion and draw of all that choose units; the control's drawings come last."""
        drawn = ((RANDOM, draw) for draw in range(self.draws))
        return (*((name, 0) for name in self.criteria), *drawn)

    @property
    def ways(self) -> tuple[Way, ...]:
        """All ways, choice by choice."""
        return tuple(
            Way(name, draw, self.scope, repair)
            for name, draw in self.choices
            for repair in self.repairs
        )

    def told(self) -> dict[str, Any]:
        """Return it for the manifest."""
        return {
            "criteria": list(self.criteria),
            "ratios": list(self.ratios),
            "repairs": list(self.repairs),
            "scope": self.scope,
            "overrides": dict(sorted(self.overrides.items())),
            "draws": self.draws,
            "corruptions": list(self.corruptions),
            "severities": list(self.severities),
        }


def ask(
    model: LoadedModel,
    groups: Groups,
    criteria: Sequence[str],
    ratios: Sequence[float],
    repairs: Sequence[str],
    scope: str,
    overrides: Mapping[str, float] | None,
    draws: int,
    corruptions: Sequence[str],
    severities: Sequence[int],
) -> Asked:
    """Check what a caller asks for; arguments and errors as in ``prune_sweep``.

    Of what there can be several, one may stand by itself.
    """
    criteria, ratios, repairs = several(criteria), several(ratios), several(repairs)
    corruptions, severities = several(corruptions), several(severities)
    names = tuple(name for name in dict.fromkeys(criteria) if name != RANDOM)
    for name in names:
        judged(find_criterion(name), model, groups)
    if isinstance(draws, bool) or not isinstance(draws, int) or not 1 <= draws <= MOST_DRAWS:
        raise ParameterError(f"draws={draws!r}: expected a whole number from 1 to {MOST_DRAWS}")
    for repair in repairs:
        _one_of("repair", repair, REPAIRS)
    if not repairs:
        raise ParameterError('repairs=(): name one at least; "none" is one')
    _one_of("scope", scope, SCOPES)
    if corruptions and not severities:
        raise ParameterError("severities=(): name one at least, from 1 to 5, or no corruption")
    for name in corruptions:
        for severity in severities:
            check_corruption(name, severity)
    return Asked(
        criteria=names,
        ratios=_ratios(ratios),
        repairs=tuple(dict.fromkeys(repairs)),
        scope=scope,
        overrides=_overrides(groups, overrides or {}),
        draws=draws,
        corruptions=tuple(dict.fromkeys(corruptions)),
        severities=tuple(sorted(set(severities))) if corruptions else (),
    )


def prunable(model: LoadedModel) -> Groups:
    """Return what can be removed from a model that is to be judged on pictures.

    Raises:
        MethodError: it takes rows of a table, tells no classes, or nothing can be removed; then
            with the first reason.
    """
    if model.family == "tabular":
        raise MethodError(f"{model.card.title} takes rows of a table; pruning is for pictures")
    reason = no_classes(model)
    if reason:
        raise MethodError(reason)
    groups = find_groups(model)
    if not groups.groups:
        told = [f"{name}: {why}" for name, why in groups.refused.items()]
        raise MethodError(
            f"nothing can be removed from {model.card.title}: {told[0] if told else 'no layers'}"
        )
    return groups


def _ratios(given: Sequence[float]) -> tuple[float, ...]:
    return tuple(sorted({0.0, *(check_ratio(ratio) for ratio in given)}))


def several(given: Any) -> tuple[Any, ...]:
    """Return what was given as several: a name, or a number, is one.

    >>> several("taylor"), several(0.5), several(["bn", "both"])
    (('taylor',), (0.5,), ('bn', 'both'))
    """
    return (given,) if isinstance(given, str | float | int) else tuple(given)


def check_ratio(ratio: Any, name: str = "ratio") -> float:
    """Return a ratio as a number.

    Raises:
        ParameterError: it is none, or would leave nothing.
    """
    try:
        found = float(ratio)
    except (TypeError, ValueError):
        raise ParameterError(f"{name}={ratio!r}: expected a number from 0 to below 1") from None
    if not 0 <= found < 1:
        raise ParameterError(
            f"{name}={ratio}: from 0 to below 1, since a layer without units would be empty"
        )
    return found


def _overrides(groups: Groups, given: Mapping[str, Any]) -> dict[str, float]:
    known = [group.name for group in groups.groups]
    for name in given:
        if name in groups.refused:
            raise ParameterError(f"nothing can be removed from {name}: {groups.refused[name]}")
        if name not in known:
            raise ParameterError(f"there is no layer {name!r} to prune; {nearest(name, known)}")
    return {name: check_ratio(ratio, name) for name, ratio in given.items()}


def _one_of(kind: str, given: Any, known: Sequence[Any]) -> None:
    if given not in known:
        told = nearest(str(given), [str(one) for one in known])
        raise ParameterError(f"no {kind} {given!r}; {told}")
