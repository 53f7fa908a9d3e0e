"""Parameters of methods: declared once, checked everywhere, drawn by the page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from engine.errors import ParameterError, nearest

Kind = Literal["int", "float", "choice", "flag"]
Value = int | float | str | bool


@dataclass(frozen=True)
class Parameter:
    """One parameter of a method.

    Attributes:
        name: as in ``explain(…, name=value)`` and ``--param name=value``.
        title: what the page calls it.
        kind: "int", "float", "choice" or "flag".
        default: used where nothing is given.
        help: one sentence, with the unit.
        low, high: range of a number, both ends included.
        choices: the values of a choice.
    """

    name: str
    title: str
    kind: Kind
    default: Value
    help: str
    low: float | None = None
    high: float | None = None
    choices: tuple[str, ...] = ()

    def check(self, value: Any) -> Value:
        """Return a valid value of the right type; text is read.

        Raises:
            ParameterError: wrong type, out of range, or none of the choices.
        """
        if self.kind == "choice":
            return self._choice(value)
        if self.kind == "flag":
            return self._flag(value)
        return self._number(value)

    def _choice(self, value: Any) -> str:
        if value not in self.choices:
            raise ParameterError(
                f"{self.name}={value!r} is no choice; {nearest(str(value), self.choices)}"
            )
        return str(value)

    def _flag(self, value: Any) -> bool:
        words = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
        found = words.get(str(value).lower())
        if found is None:
            raise ParameterError(f"{self.name}={value!r}: expected true or false")
        return found

    def _number(self, value: Any) -> int | float:
        expected = "a whole number" if self.kind == "int" else "a number"
        try:
            number = float(value)
            if isinstance(value, bool) or (self.kind == "int" and not number.is_integer()):
                raise ValueError
        except (TypeError, ValueError):
            raise ParameterError(f"{self.name}={value!r}: expected {expected}") from None
        low = -float("inf") if self.low is None else self.low
        high = float("inf") if self.high is None else self.high
        if not low <= number <= high:
            raise ParameterError(f"{self.name}={value} is out of range: from {low:g} to {high:g}")
        return int(number) if self.kind == "int" else number


def check_seed(seed: Any) -> None:
    """Raise ``ParameterError`` if a seed is no whole number."""
    if isinstance(seed, bool) or not isinstance(seed, int):
        raise ParameterError(f"seed={seed!r}: expected a whole number")


def check_all(
    given: Mapping[str, Any], declared: Sequence[Parameter], method: str
) -> dict[str, Value]:
    """Return a value for every declared parameter.

    Raises:
        ParameterError: an unknown name (the nearest are told) or a bad value.
    """
    known = {parameter.name: parameter for parameter in declared}
    for name in given:
        if name not in known:
            told = nearest(name, known) if known else "it takes none"
            raise ParameterError(f"{method} has no parameter {name!r}; {told}")
    return {name: p.check(given.get(name, p.default)) for name, p in known.items()}
