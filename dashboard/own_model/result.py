"""What came out of a test: the picture, the map over it, the likeliest classes."""

from __future__ import annotations

import streamlit as st

from components import predictions, views, words
from components.words import plain
from dashboard.explore import drawing
from engine.inputs.images import ImageInput
from engine.inspection.self_test import SelfTest
from engine.models.loaded import LoadedModel
from engine.results import Attribution

_OPACITY = 0.8
_BEST = 5


def of_picture(model: LoadedModel, test: SelfTest, picture: ImageInput) -> None:
    """Show the picture, the map over it, and the prediction."""
    view = views.look_at(test.attribution, test.attribution.manifest["display"]["view"])
    key = drawing.photo_key(model, picture)
    photo = drawing.photo(key, model, picture)
    first, second = st.columns(2)
    with first:
        st.image(
            drawing.photo_file(key, photo),
            width="stretch",
            alt=f"{picture.name}, as the network sees it.",
        )
        st.caption("What it sees")
    with second:
        st.image(
            drawing.overlay_file(
                f"{test.attribution.key}{view.kind}{key}", _OPACITY, False, photo, view, None
            ),
            width="stretch",
            alt=words.map_in_words(test.attribution, view),
        )
        st.caption(f"What speaks for “{plain(predictions.short(_target(test.attribution)))}”")
    _bars(model, test)


def of_numbers(model: LoadedModel, test: SelfTest) -> None:
    """Show the prediction, and for a row what each column adds."""
    if test.attribution.manifest["source"].get("row") is None:
        _bars(model, test)
        return
    from dashboard.tables.drawing import contributions

    figure, alt = contributions(test.attribution)
    _bars(model, test)
    st.plotly_chart(figure, config={"displayModeBar": False}, key="own-contributions", alt=alt)


def _target(attribution: Attribution) -> str:
    return str(attribution.manifest["request"]["target"]["name"])


def _bars(model: LoadedModel, test: SelfTest) -> None:
    if model.activation == "identity":
        st.metric(plain(model.classes[0]), f"{float(test.prediction.logits[0]):.4g}")
        return
    rows = test.prediction.top(_BEST)
    told = ", ".join(f"{name} {predictions.percent(share)}" for _, name, share in rows)
    st.plotly_chart(
        predictions.figure(rows, test.prediction.best),
        key="own-bars",
        config={"displayModeBar": False, "staticPlot": True},
        alt=f"Predictions: {told}.",
    )
