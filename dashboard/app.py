"""The dashboard's script: which pages there are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import streamlit as st

from dashboard.state import returning

_BRAND = files("assets").joinpath("brand")

st.set_page_config(
    page_title="Haloscope",
    page_icon=str(_BRAND.joinpath("icon.svg")),
    layout="wide",
    initial_sidebar_state="auto",
    menu_items={"About": "**Haloscope** shows what a model relies on. Apache-2.0."},
)
st.logo(
    str(_BRAND.joinpath("logo.svg")),
    icon_image=str(_BRAND.joinpath("icon.svg")),
    size="large",
)
st.html(Path(str(files("assets").joinpath("css/page.css"))))

pages = [
    st.Page("pages/explore.py", title="Explore", icon=":material/image_search:", default=True),
    st.Page("pages/gallery.py", title="Gallery", icon=":material/photo_library:"),
    st.Page("pages/heads.py", title="Heads", icon=":material/hub:"),
    st.Page("pages/masks.py", title="Masks", icon=":material/texture:"),
    st.Page("pages/tables.py", title="Tables", icon=":material/table_chart:"),
    st.Page("pages/interactions.py", title="Interactions", icon=":material/join_inner:"),
    st.Page("pages/prune.py", title="Prune", icon=":material/content_cut:"),
    st.Page("pages/own_model.py", title="Own model", icon=":material/add_box:"),
    st.Page("pages/models.py", title="Models", icon=":material/deployed_code:"),
    st.Page("pages/methods.py", title="Methods", icon=":material/menu_book:"),
]
page = st.navigation(pages, position="top")
returning.begin()
page.run()
returning.end()
