"""What was published of the same data, beside ours: as context, not as a target."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from components import saying
from dashboard.interactions.looked import Looked
from engine.interaction_results import Interactions

RATE = 0.05
# Ranges of reliance as a ratio over a Rashomon set of COMPAS (li2024exploring): column → name,
# smallest, largest.
COMPAS = {
    "age_under_21": ("age", 1.08, 1.14),
    "race_african_american": ("race", 0.92, 1.01),
    "priors_any": ("prior", 1.12, 1.37),
    "male": ("gender", 0.90, 0.99),
    "juvenile_any": ("juvenile", 1.28, 1.39),
    "charge_felony": ("charge", 1.02, 1.07),
}


def show(looked: Looked) -> None:
    """Show the published ranges where the columns are those of COMPAS."""
    found = looked.found
    if set(found.columns) != set(COMPAS) or not found.manifest["display"]["rates"]:
        return
    with st.expander("Beside what was published", icon=":material/menu_book:"):
        st.dataframe(table_of(found), hide_index=True)
        st.caption(
            f"Reliance as a ratio, permuted loss over loss, over good models up to "
            f"{saying.share(reached(found))} above the reference's loss; the published ones (Li, "
            f"Barnett et al., 2024) at {saying.share(RATE)}. They depend on how columns are coded, "
            "on the rows and on the kind of model: context, no target."
        )


def reached(found: Interactions) -> float:
    """Return the rate at which ours is told: the published one, or the largest that there is."""
    return min(RATE, found.epsilon / found.base_loss)


def table_of(found: Interactions) -> pd.DataFrame:
    """Return ours beside the published ranges, a line for each column."""
    ours = found.reliance_range(reached(found) * found.base_loss, ratio=True)
    rows = []
    for place, name in enumerate(found.columns):
        published, low, high = COMPAS[name]
        rows.append(
            {
                "column": found.titles[place],
                "ours": _range(*ours[place].tolist()),
                "published": _range(low, high),
                "named there": published,
            }
        )
    return pd.DataFrame(rows)


def _range(low: float, high: float) -> str:
    return f"{low:.2f} … {high:.2f}"
