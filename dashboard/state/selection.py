"""The choices on the page "Explore", and their way into a link and back. No Streamlit here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields

Parameters = tuple[tuple[str, str], ...]
_PARAMETER = "p."


@dataclass(frozen=True)
class Selection:
    """What is to be explained, and how.

    Attributes:
        model: reference of the model.
        sample: name of a picture at hand; "" if a file is used.
        file: name of the user's file, digest: the beginning of its digest.
        fit: "crop" or "letterbox".
        target: class index as text; "" is the predicted class.
        versus: class index as text; "" is none.
        method: name of the method; "" is the one that suits the model.
        output: "logit" or "probability".
        seed: for whatever is drawn.
        background: the set at hand that the picture is compared with; "" is none.
        parameters: of the method, as text, only those that differ from the defaults.
        view, clip, opacity: how the map is looked at.
    """

    model: str = ""
    sample: str = ""
    file: str = ""
    digest: str = ""
    fit: str = "crop"
    target: str = ""
    versus: str = ""
    method: str = ""
    output: str = "logit"
    seed: str = "0"
    background: str = ""
    view: str = ""
    clip: str = "99"
    opacity: str = "80"
    parameters: Parameters = field(default=())

    def query(self) -> dict[str, str]:
        """Return what a link carries: everything that is not at its default."""
        plain = {
            f.name: getattr(self, f.name)
            for f in fields(self)
            if f.name != "parameters" and getattr(self, f.name) != f.default
        }
        return plain | {f"{_PARAMETER}{name}": value for name, value in self.parameters}

    @staticmethod
    def from_query(query: Mapping[str, str]) -> Selection:
        """Read a link; what it does not know is left out.

        >>> link = Selection(model="imagenet-cnn", parameters=(("steps", "20"),)).query()
        >>> link
        {'model': 'imagenet-cnn', 'p.steps': '20'}
        >>> Selection.from_query(link).parameters
        (('steps', '20'),)
        """
        known = {f.name for f in fields(Selection)} - {"parameters"}
        plain = {name: str(value) for name, value in query.items() if name in known}
        parameters = tuple(
            (name.removeprefix(_PARAMETER), str(value))
            for name, value in query.items()
            if name.startswith(_PARAMETER)
        )
        return Selection(**plain, parameters=parameters)
