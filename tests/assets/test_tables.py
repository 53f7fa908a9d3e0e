"""The tables hold what they should and nothing else, and columns.json covers them."""

from __future__ import annotations

import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer

from assets.training.tables import columns, make_tables, sources
from engine.models.zoo import shipped_tables
from tests.assets.table_algebra import ASSETS, read, table, table_of

COMPAS = [
    "age_under_21", "race_african_american", "priors_any", "male", "juvenile_any",
    "charge_felony", "two_year_recid",
]  # fmt: skip
ADULT = [
    "age", "workclass", "education", "marital-status", "occupation", "relationship", "race",
    "sex", "capital-gain", "capital-loss", "hours-per-week", "native-country", "income",
]  # fmt: skip
DIABETES = ["age", "sex", "bmi", "bp", "s1", "s2", "s3", "s4", "s5", "s6", "progression"]
TABLES = {
    "compas": (6172, COMPAS),
    "cancer": (569, [*load_breast_cancer().feature_names, "diagnosis"]),
    "diabetes": (442, DIABETES),
    "adult": (5000, ADULT),
}
NETS = list(shipped_tables.HIDDEN)


@pytest.mark.parametrize("name", list(TABLES))
def test_a_table_holds_its_columns_and_no_other(name: str) -> None:
    header, cells = table(name)
    count, names = TABLES[name]
    assert header == names
    assert len(cells) == count
    assert not (cells == "").any()


def test_compas_holds_nothing_but_yes_and_no() -> None:
    assert set(table("compas")[1].ravel()) == {"0", "1"}


def test_tables_and_networks_are_small() -> None:
    files = [*ASSETS.glob("tables/*"), *(p for n in NETS for p in ASSETS.glob(f"models/{n}/*"))]
    assert sum(path.stat().st_size for path in files) < 1_500_000


@pytest.mark.parametrize("name", NETS)
def test_columns_cover_the_table(name: str) -> None:
    header, cells = table(name)
    said = read(name, "columns")
    assert [column["name"] for column in said["columns"]] == header[:-1]
    assert said["label"] == header[-1]
    assert "labels" not in said or set(cells[:, -1]) == set(said["labels"])
    for column, values in zip(said["columns"], cells.T, strict=False):
        if column["kind"] == "category":
            assert set(values) <= set(column["categories"])
            assert sum(column["shares"]) == pytest.approx(1, abs=1e-4)
        else:
            assert not column["whole"] or (values.astype(float) % 1 == 0).all()


@pytest.mark.parametrize("name", ["compas-mlp", "cancer-mlp", "diabetes-mlp"])
def test_columns_are_those_of_the_training_rows(name: str) -> None:
    said = read(name, "columns")
    rows, others = make_tables.read(table_of(name))
    scaled = not name.startswith("compas")
    assert columns.described(rows, others, said.get("labels", ()), scaled=scaled) == said


def test_compas_is_filtered_and_coded() -> None:
    kept = {"days_b_screening_arrest": "-1", "is_recid": 0, "score_text": "Low", "id": 7}
    kept |= {"c_charge_degree": "F", "age": 20, "race": "African-American", "priors_count": 0}
    kept |= {"sex": "Female", "juv_fel_count": 0, "juv_misd_count": 0, "juv_other_count": 2}
    kept |= {"two_year_recid": 1, "name": "A Person", "dob": "1990-01-01"}
    wrong = {"days_b_screening_arrest": ("31", ""), "is_recid": (-1,), "score_text": ("N/A",)}
    others = [{**kept, key: value} for key, values in wrong.items() for value in values]
    rows = sources.filtered_compas(pd.DataFrame([kept, *others, {**kept, "c_charge_degree": "O"}]))
    assert len(rows) == 1
    coded = sources.coded_compas(rows)
    assert list(coded) == COMPAS
    assert coded.iloc[0].tolist() == [1, 1, 0, 0, 1, 1, 1]
