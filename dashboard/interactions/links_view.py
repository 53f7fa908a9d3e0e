"""Regions of a picture that interact, as links over the picture."""

from __future__ import annotations

import numpy as np
import streamlit as st

from components import interaction_words, region_links
from components.words import plain
from dashboard.explore import drawing
from dashboard.interactions import card, halos_view
from dashboard.interactions.looked import Drawn, Looked, beside, chart, take_pair


def show(looked: Looked) -> Drawn:
    """Draw the view; return the picture with its links."""
    asked, found = looked.asked, looked.found
    assert asked.model is not None and asked.picture is not None
    photo = drawing.photo(drawing.photo_key(asked.model, asked.picture), asked.model, asked.picture)
    seen = np.asarray(photo.convert("RGB"))
    drawn = region_links.figure(found, seen, looked.epsilon, chosen=looked.pair)
    left, right = beside(4, 5)
    with left, st.container(border=True, key="card-links"):
        alt = region_links.alt(found, looked.epsilon)
        chart(drawn, "links", alt, lambda data: take_pair(looked, data))
        words = interaction_words.links_sentence(found, looked.epsilon)
        st.markdown(plain(words))
    with right:
        halos_view.large(looked)
        card.show(looked, beside=True)
    return Drawn(drawn, "Regions that act together", words)
