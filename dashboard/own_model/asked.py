"""What a user asks to be loaded, and what came of it."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from urllib.parse import quote, urlencode

from dashboard.running import allowed
from dashboard.running.models import DEVICE
from engine.inspection.inspecting import Inspection, inspect_model
from engine.models.corrections import OPTIONS, Corrections
from engine.models.loaded import LoadedModel
from engine.models.loading import load_model
from engine.models.references import corrected
from engine.models.uploads import load_uploaded


@dataclass(frozen=True, eq=False)
class Asked:
    """A model as the user names it.

    Attributes:
        ref: the reference that was typed; of an upload, its architecture.
        file: name of the uploaded file, or "".
        content: of that file; empty once the model is in the list, which keeps no file.
        corrections: what the user set right.
    """

    ref: str
    file: str = ""
    content: bytes = field(default=b"", repr=False)
    corrections: Corrections = field(default_factory=Corrections)

    @property
    def title(self) -> str:
        """What to call it while it is being loaded."""
        return self.file or self.ref

    def check(self) -> None:
        """Refuse what cannot work, or may not be imported, before anything is loaded.

        Raises:
            ModelError: in one line.
        """
        if self.file:
            allowed.check_arch(self.ref)
        else:
            allowed.check(self.ref)

    def load(self) -> Found:
        """Load it and find out what it is.

        Raises:
            HaloscopeError: it cannot be loaded.
        """
        self.check()
        device = os.environ.get(DEVICE, "auto")
        with allowed.importing():
            if self.file:
                model = load_uploaded(
                    self.content, self.file, self.ref, corrections=self.corrections, device=device
                )
            else:
                model = load_model(corrected(self.ref, self.corrections), device=device)
        return Found(self, model, inspect_model(model))

    @property
    def lacks_file(self) -> bool:
        """Whether it cannot be loaded again without the file that was uploaded."""
        return bool(self.file) and not self.content

    def with_corrections(self, corrections: Corrections) -> Asked:
        """Return the same with other corrections."""
        return replace(self, corrections=corrections)

    def without_corrections(self) -> Asked:
        """Return the same with nothing set right, neither here nor in the reference."""
        head, mark, query = self.ref.partition("?")
        kept = [part for part in query.split("&") if part.partition("=")[0] not in OPTIONS]
        ref = f"{head}{mark}{'&'.join(kept)}" if any(kept) else head
        return replace(self, ref=ref, corrections=Corrections())

    def for_a_shell(self, classes_in: str = "") -> str:
        """Return the reference that the command line takes.

        Args:
            classes_in: name of the file that the class names are saved in; "" writes them out.
        """
        ref = self.ref
        if self.file:
            arch = urlencode({"arch": self.ref}, safe=":/,", quote_via=quote)
            ref = f"file:{self.file}?{arch}"
        if not classes_in:
            return corrected(ref, self.corrections)
        ref = corrected(ref, replace(self.corrections, classes=None))
        return f"{ref}{'&' if '?' in ref else '?'}classes={classes_in}"


@dataclass(frozen=True, eq=False)
class Found:
    """A model that was loaded, with its card.

    Attributes:
        asked: how it was named.
        model: ready to be used.
        inspection: its card.
    """

    asked: Asked
    model: LoadedModel
    inspection: Inspection

    def without_file(self) -> Found:
        """Return the same without the content of an uploaded file: the name is all it tells."""
        return replace(self, asked=replace(self.asked, content=b""))
