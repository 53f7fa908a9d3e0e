"""The choices at the left: model, picture, what hides, how much of it, and what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import streamlit as st

from components.words import plain
from dashboard.controls import method as method_control
from dashboard.controls import picture as picture_control
from dashboard.controls.sidebar import suited_sets
from dashboard.masks import link
from dashboard.masks.link import PREFIX
from dashboard.running import models, own_models
from dashboard.running.predictions import prediction
from dashboard.state import restore
from engine.errors import HaloscopeError
from engine.inputs.images import ImageInput
from engine.masking.cells import Grid
from engine.masking.fills.fill import Fill
from engine.masking.fills.other_rows import OtherRows
from engine.masking.fills.registry import FILLS
from engine.masking.generators.generator import Generator
from engine.masking.generators.registry import generators
from engine.missingness.grids import extent, usual_grid
from engine.models.loaded import LoadedModel
from engine.parameters import Value
from engine.results import Prediction

USUAL, PIXELS = "usual", "pixels"
_SIDES = (2, 4, 7, 8, 14, 16, 28, 32, 56)
_FIRST = "uniform"


@dataclass(frozen=True, eq=False)
class Asked:
    """What the widgets say.

    Attributes:
        ref: reference of the model.
        model, picture, prediction: what is looked at; None while it cannot be.
        generator, parameters: what hides.
        hidden: share of the cells to hide, 0 … 1.
        grid: rows and columns of cells.
        fill: what stands where it is hidden.
        seed: of all that is drawn.
        guide: name of what guides the generator, or "".
        home: name of the set at hand that suits, or "".
        problem: why nothing can be shown, one line, or "".
    """

    ref: str
    model: LoadedModel | None = None
    picture: ImageInput | None = None
    prediction: Prediction | None = None
    generator: Generator = generators()[_FIRST]
    parameters: Mapping[str, Value] | None = None
    hidden: float = 0.5
    grid: Grid = (1, 1)
    fill: Fill = FILLS["mean"]
    seed: int = 0
    guide: str = ""
    home: str = ""
    problem: str = ""

    @property
    def size(self) -> Grid:
        """Rows and columns of pixels that the network sees."""
        assert self.model is not None
        return extent(self.model)

    def told_parameters(self) -> dict[str, str]:
        """Return the generator's parameters for a link: those that are not at their default."""
        values = self.parameters or {}
        return {
            p.name: str(values[p.name])
            for p in self.generator.parameters
            if values.get(p.name, p.default) != p.default
        }


def choose() -> Asked:
    """Show all choosers in the sidebar."""
    ref = _model()
    try:
        with st.spinner("Loading the model …"):
            model = models.model(ref)
    except HaloscopeError as error:
        return Asked(ref, problem=str(error))
    taken = own_models.taken_by(model)
    if taken != "pictures":
        return Asked(ref, problem=_not_pictures(model, taken))
    sets = suited_sets(ref)
    picture = picture_control.choose(sets, PREFIX)
    home = picture_control.home(sets, PREFIX) if sets else ""
    generator, parameters = _generator()
    guide = _guide(model, picture, generator)
    hidden = 0.5 if generator.guide == "drawn" else _hidden(generator)
    grid = _grid(model)
    fill = _fill()
    seed = _seed(generator, fill)
    said, problem = None, ""
    if picture is not None:
        try:
            said = prediction(model, picture)
        except HaloscopeError as error:
            problem = str(error)
    return Asked(
        ref, model, picture, said, generator, parameters, hidden, grid, fill, seed, guide, home,
        problem,
    )  # fmt: skip


def for_pictures(without: str = "") -> list[str]:
    """Return the models that take pictures."""
    return [ref for ref in models.references("pictures") if ref != without]


def _model() -> str:
    refs = for_pictures()
    wanted = str(st.session_state.get(f"{PREFIX}model", ""))
    if wanted in models.references("tables"):  # the page says then what it is about
        refs = [*refs, wanted]
    titles = {ref: models.title(ref) for ref in refs}
    restore.valid_model(f"{PREFIX}model", refs)
    return st.selectbox(
        "Model",
        refs,
        format_func=titles.__getitem__,
        key=f"{PREFIX}model",
        persist_state="session",
    )


def _not_pictures(model: LoadedModel, taken: str) -> str:
    takes = "rows of a table" if taken == "tables" else f"tensors of shape {model.spec.shape}"
    return f"{model.card.title} takes {takes}; this page hides parts of pictures."


def _generator() -> tuple[Generator, dict[str, Value]]:
    known = generators()
    names = sorted(known, key=lambda name: (name != _FIRST, known[name].title))
    restore.valid(f"{PREFIX}generator", names)
    name = st.selectbox(
        "What hides",
        names,
        format_func=lambda name: known[name].title,
        key=f"{PREFIX}generator",
        persist_state="session",
    )
    found = known[name]
    st.caption(plain(found.summary), help=plain(found.caveat) or None)
    _take_wanted(found)
    key = f"{PREFIX}{name}"
    return found, {p.name: method_control.widget(key, p) for p in found.parameters}


def _take_wanted(found: Generator) -> None:
    wanted = link.wanted_parameters()
    declared = {p.name: p for p in found.parameters}
    for name, text in wanted.items():
        if name not in declared:
            restore.note(f"{found.title} has no parameter “{name[:40]}”")
            continue
        try:
            value = declared[name].check(text)
        except HaloscopeError as error:
            restore.note(str(error))
        else:
            st.session_state[f"{PREFIX}{found.name}.{name}"] = value


def _guide(model: LoadedModel, picture: ImageInput | None, generator: Generator) -> str:
    from dashboard.masks import guiding

    if generator.guide in ("", "drawn"):
        return ""
    titles = guiding.titles(model, picture, generator)
    key = f"{PREFIX}guide"
    if st.session_state.get("m-guide-for", generator.guide) != generator.guide:
        st.session_state.pop(key, None)  # scores guide no regions
    st.session_state["m-guide-for"] = generator.guide
    restore.valid(key, list(titles))
    restore.aloud(key, guiding.usual(model, generator, titles))
    return st.selectbox(
        "Guided by", list(titles), format_func=titles.__getitem__, key=key, persist_state="session"
    )


def _hidden(generator: Generator) -> float:
    key = f"{PREFIX}hidden"
    restore.aloud(key, 50)
    paper = generator.paper_hidden
    told = "" if paper is None else f" The paper hides {100 * paper:.0f} %."
    share = st.slider(
        "Hidden", 0, 100, key=key, persist_state="session", format="%d %%",
        help=f"Share of the cells.{told}",
    )  # fmt: skip
    return int(share) / 100


def _grid(model: LoadedModel) -> Grid:
    height, width = extent(model)
    usual = usual_grid(model)
    sides = [str(side) for side in _SIDES if side <= min(height, width)]
    options = [USUAL, *sides, PIXELS]
    titles = {side: f"{side} × {side}" for side in sides}
    titles |= {USUAL: f"{usual[0]} × {usual[1]} (usual)", PIXELS: f"{height} × {width} (pixels)"}
    restore.valid(f"{PREFIX}cells", options)
    chosen = st.selectbox(
        "Cells",
        options,
        format_func=titles.__getitem__,
        key=f"{PREFIX}cells",
        persist_state="session",
        help="What is hidden or stays as a whole. Of a transformer, its patches are usual.",
    )
    return {USUAL: usual, PIXELS: (height, width)}.get(chosen) or (int(chosen), int(chosen))


def _fill() -> Fill:
    names = [name for name, fill in FILLS.items() if not isinstance(fill, OtherRows)]
    restore.valid(f"{PREFIX}fill", names)
    name = st.selectbox(
        "What stands there",
        names,
        format_func=lambda name: FILLS[name].title,
        key=f"{PREFIX}fill",
        persist_state="session",
        help="Each leaves its own trace in the answer: compare them below.",
    )
    found = FILLS[name]
    if found.summary:
        st.caption(plain(found.summary))
    return found


def _seed(generator: Generator, fill: Fill) -> int:
    key = f"{PREFIX}seed"
    restore.aloud(key, 0)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        seed = st.number_input("Seed", 0, 2**31 - 1, key=key, persist_state="session")
        st.button(
            "Draw again", icon=":material/casino:", key="m-again", on_click=_again,
            disabled=not (generator.drawn or fill.seeded),
        )  # fmt: skip
    return int(seed)


def _again() -> None:
    key = f"{PREFIX}seed"
    st.session_state[key] = (int(st.session_state.get(key, 0)) + 1) % 2**31
