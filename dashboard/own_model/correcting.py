"""Correcting what was found out: size, normalisation, fitting, classes, layer, output."""

from __future__ import annotations

from collections.abc import Callable
from typing import get_args

import streamlit as st

from components.words import plain, sentence
from dashboard.own_model import class_names, draft, upload
from dashboard.own_model.asked import Found
from engine.errors import HaloscopeError
from engine.models.corrections import Corrections
from engine.models.loaded import LoadedModel
from engine.models.specs import ImageSpec, Interpolation
from engine.models.table_specs import TableSpec

_ACTIVATIONS = {
    "softmax": "Softmax: one class is right",
    "sigmoid": "Sigmoid: each class has a probability of its own",
    "identity": "None: a number as it is",
}
_SIZE = "A number of pixels, or height x width: 96x128."
_PRESETS = {
    "ImageNet": ("0.485, 0.456, 0.406", "0.229, 0.224, 0.225", "As most networks of torchvision."),
    "−1 to 1": ("0.5", "0.5", "Mean 0.5, standard deviation 0.5."),
    "0 to 1": ("0", "1", "None: values as they are."),
}


def show(found: Found) -> None:
    """Show the widgets, each at what the card says, and the buttons that apply them."""
    why = draft.refusal("correct")
    with st.expander("Correct it", icon=":material/edit:", key="own-correct", expanded=bool(why)):
        before = options_of(found.model)
        asked = _widgets(found.model, before)
        _buttons(found, {name: text for name, text in asked.items() if text != before.get(name)})
        if why:
            st.error(sentence(why))


def options_of(model: LoadedModel) -> dict[str, str]:
    """Return what a model's card says, as the options of a reference say it."""
    target = model.target_layer
    told = {"layer": target.name if target else "", "activation": model.activation}
    spec = model.spec
    if isinstance(spec, ImageSpec):
        told |= {
            "size": _sides((spec.height, spec.width)),
            "channels": str(spec.channels),
            "resize": _sides(spec.resize or max(spec.height, spec.width)),
            "interpolation": spec.interpolation,
            "mean": _numbers(spec.mean),
            "std": _numbers(spec.std),
        }
    elif len(spec.shape) == 3:
        told["size"] = _sides(spec.shape[1:])
    return told


def _sides(sides: int | tuple[int, ...]) -> str:
    if isinstance(sides, int):
        return str(sides)
    return str(sides[0]) if len(set(sides)) == 1 else "x".join(map(str, sides))


def _numbers(values: tuple[float, ...]) -> str:
    same = len(set(values)) == 1
    return ", ".join(f"{value:.6g}" for value in (values[:1] if same else values))


def _key(name: str) -> str:
    return f"own-{draft.count()}-{name}"


def _widgets(model: LoadedModel, told: dict[str, str]) -> dict[str, str]:
    """Return what the widgets say, as options of a reference."""
    for name, text in told.items():
        st.session_state.setdefault(_key(name), text)
    asked: dict[str, str] = {}
    if "mean" in told:
        asked |= _of_pictures()
    elif "size" in told:
        asked["size"] = _text("Size", "size", _SIZE)
    layers = [layer.name for layer in model.layers if layer.usable]
    left, right = st.columns(2)
    with left:
        if layers:
            asked["layer"] = str(
                st.selectbox(
                    "Layer for Grad-CAM",
                    layers[::-1],
                    key=_key("layer"),
                    help="Those whose maps say where in the picture the network looks, the last "
                    "first.",
                )
            )
    with right:
        if not isinstance(model.spec, TableSpec):
            asked["activation"] = str(
                st.selectbox(
                    "Output",
                    list(_ACTIVATIONS),
                    format_func=_ACTIVATIONS.__getitem__,
                    key=_key("activation"),
                )
            )
    asked["classes"] = _classes(model)
    return asked


def _text(title: str, name: str, help_: str, changed: Callable[[str], None] | None = None) -> str:
    before = str(st.session_state[_key(name)]).strip()
    text = st.text_input(
        title, key=_key(name), help=help_, on_change=changed, args=(before,) if changed else None
    )
    return (text or "").strip()


def _of_pictures() -> dict[str, str]:
    """Show what decides how a picture becomes the tensor that the network sees."""
    left, right = st.columns(2)
    with left:
        asked = _what_is_seen()
    with right:
        asked |= _fitting()
    asked |= _normalisation()
    _presets()
    return asked


def _what_is_seen() -> dict[str, str]:
    size = _text("Size", "size", _SIZE, _rescale)
    channels = st.selectbox(
        "Channels",
        ["1", "3"],
        format_func={"1": "1, grey", "3": "3, colour"}.__getitem__,
        key=_key("channels"),
    )
    return {"size": size, "channels": str(channels)}


def _fitting() -> dict[str, str]:
    resize = _text(
        "Resized to",
        "resize",
        "The shorter side in pixels, before the centre is cut out; or height x width, both "
        "brought to these whatever the proportions: 256x256.",
    )
    how = st.selectbox("Interpolation", list(get_args(Interpolation)), key=_key("interpolation"))
    return {"resize": resize, "interpolation": str(how)}


def _normalisation() -> dict[str, str]:
    note = "Of values from 0 to 1: one number, or one for each channel with commas between."
    left, right = st.columns(2)
    with left:
        mean = _text("Mean", "mean", note)
    with right:
        return {"mean": mean, "std": _text("Standard deviation", "std", note)}


def _presets() -> None:
    """Show the buttons that fill in a usual normalisation."""
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="own-presets"):
        st.caption("Usual ones:", width="content")
        for name, (mean, std, help_) in _PRESETS.items():
            st.button(
                name,
                key=_key(f"preset-{name}"),
                on_click=_preset,
                args=(mean, std),
                type="tertiary",
                help=help_,
            )


def _rescale(before: str) -> None:
    """Resize in proportion where another size is asked for."""
    state = st.session_state
    size, resize = str(state[_key("size")]).strip(), str(state[_key("resize")]).strip()
    if all(text.isdecimal() and int(text) for text in (before, size, resize)):
        state[_key("resize")] = str(round(int(resize) * int(size) / int(before)))


def _preset(mean: str, std: str) -> None:
    st.session_state[_key("mean")], st.session_state[_key("std")] = mean, std


def _classes(model: LoadedModel) -> str:
    """Show the box of class names; return them only if they were changed."""
    count = len(model.classes)
    with st.popover(f"Class names ({count})", icon=":material/label:"):
        key = _key("classes")
        now = "\n".join(model.classes)
        st.session_state.setdefault(key, now)
        text = class_names.box(key)
    return text if text.strip() != now.strip() else ""


def _buttons(found: Found, changed: dict[str, str]) -> None:
    known, asked = found.model.corrections, upload.with_file(found)
    if asked is None:
        st.caption(
            f":material/upload: The list keeps no files. To correct this model, choose "
            f"“{plain(found.asked.file)}” again in step 1, under “Upload”."
        )
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        apply = st.button(
            "Apply",
            type="primary",
            icon=":material/check:",
            key="own-apply",
            disabled=not any(changed.values()) or draft.loading_now() is not None,
        )
        undo = known != Corrections() and st.button(
            "Back to what was found", icon=":material/undo:", key="own-undo", type="tertiary"
        )
    if undo:
        draft.begin(asked.without_corrections(), "correct")
        st.rerun()
    if apply:
        try:
            wanted = corrections_of(changed).over(known)
        except HaloscopeError as error:
            draft.refuse("correct", str(error))
        else:
            draft.begin(asked.with_corrections(wanted), "correct")
        st.rerun()


def corrections_of(changed: dict[str, str]) -> Corrections:
    """Read what was changed.

    Raises:
        ModelError: a value that cannot be read.
    """
    told = {name: text for name, text in changed.items() if text and name != "classes"}
    names = class_names.parsed(changed.get("classes", ""))
    return Corrections(classes=names).over(Corrections.from_options(told))
