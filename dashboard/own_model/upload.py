"""Weights from the user's machine, with the architecture that they are for."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from components.words import plain, sentence
from dashboard.own_model import library, links
from dashboard.own_model.asked import Asked, Found
from dashboard.state import restore
from engine.manifest import digest_of
from engine.models.uploads import wanted_upload

FILE, DIGEST, ARCH = "own-file", "own-file-digest", "own.arch"
_PROBLEM = "own-file-problem"
_ENDINGS = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
_LIMIT_MB = 1000


def choose() -> Asked | None:
    """Show the choosers; None until both file and architecture are named."""
    st.file_uploader(
        "Weights file",
        key="own-upload",
        on_change=_take,
        max_upload_size=_LIMIT_MB,
        help="Read as plain numbers: a file that needs code to load is refused.",
    )
    problem = st.session_state.get(_PROBLEM)
    if problem:
        st.error(sentence(problem))
    file: tuple[str, bytes] | None = st.session_state.get(FILE)
    if file is not None:
        st.caption(f":material/description: {plain(file[0])}, {_size(len(file[1]))}")
    wanted = links.wanted_upload()
    digest = str(st.session_state.get(DIGEST, ""))
    restore.tell_wanted(wanted, None if file is None else digest)
    arch = _architecture()
    if file is None or not arch:
        return None
    return Asked(arch, *file, links.wanted_corrections(arch, digest))


def with_file(found: Found) -> Asked | None:
    """Return what a model was asked as, with its file; None if that is no longer in step 1."""
    asked = found.asked
    if not asked.lacks_file:
        return asked
    file: tuple[str, bytes] | None = st.session_state.get(FILE)
    wanted = wanted_upload(found.model.ref)
    if file is None or wanted is None:
        return None
    if not str(st.session_state.get(DIGEST, "")).startswith(wanted[1]):
        return None
    return replace(asked, content=file[1])


def _architecture() -> str:
    names, problems = library.every_architecture()
    chosen = st.session_state.get(ARCH)
    if chosen and chosen not in names:
        names = [chosen, *names]
    restore.aloud(ARCH, None)
    arch = st.selectbox(
        "Architecture",
        names,
        index=None,
        key=ARCH,
        persist_state="session",
        placeholder="Type to search, or write one out",
        accept_new_options=True,
        help="One at hand, `torchvision:NAME`, `timm:NAME`, `hf:FOLDER`, or `module:builder` of a "
        "module that was named at the start. Options for the builder go after “?”: "
        "`timm:resnet18?num_classes=10`. The number of classes is read off the weights.",
    )
    for problem in problems:
        st.caption(plain(problem))
    return str(arch).strip() if arch else ""


def _take() -> None:
    """Keep an upload over a change of page."""
    file = st.session_state.get("own-upload")
    st.session_state[_PROBLEM] = ""
    if file is None:
        st.session_state.pop(FILE, None)
    elif not file.name.lower().endswith(_ENDINGS):  # the box itself would refuse without a word
        st.session_state.pop(FILE, None)
        told = f"{', '.join(_ENDINGS[:-1])} or {_ENDINGS[-1]}"
        why = f"{file.name} is no weights file; the names of those end in {told}"
        st.session_state[_PROBLEM] = why
    elif not file.size:
        st.session_state.pop(FILE, None)
        st.session_state[_PROBLEM] = f"{file.name} is empty"
    else:
        content = file.getvalue()
        st.session_state[FILE] = (file.name, content)
        st.session_state[DIGEST] = digest_of(content)


def _size(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e5 else f"{count / 1e3:.1f} kB"
