"""The page "Tables", without a browser: what each choice does to what is shown."""

from __future__ import annotations

from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from dashboard.running import explanations
from engine.inputs.sample_tables import load_sample_table

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

pytestmark = pytest.mark.filterwarnings("ignore")


def begun(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    page.switch_page("pages/tables.py")
    return page.run()


def opened(**query: str) -> AppTest:
    return finished(begun(**query))


def finished(page: AppTest) -> AppTest:
    """Wait for the jobs and run the page again."""
    for job in list(explanations.queue()._jobs.values()):
        assert job.wait(600)
    page.run()
    assert not page.exception
    return page


def title(page: AppTest) -> str:
    return page.title[0].value


def told(page: AppTest) -> str:
    return " ".join(part.value for part in page.markdown)


def upload(page: AppTest, content: bytes, name: str = "mine.csv") -> AppTest:
    page.selectbox(key="t.table").select("own").run()
    page.get("file_uploader")[0].upload(name, content, "text/csv").run()
    return finished(page)


def as_csv(rows: int = 30, **changes: str) -> bytes:
    frame = load_sample_table("cancer").frame.head(rows).copy()
    for name, value in changes.items():
        frame.loc[4, name.replace("_", " ")] = value
    return frame.to_csv(index=False).encode()


def test_the_first_row_is_answered_before_anything_is_asked() -> None:
    page = opened()
    assert title(page).startswith("Why ")
    assert "malignant" in title(page)
    assert "Up to date" in told(page)
    assert not page.error
    assert "Breast cancer network" in page.caption[0].value or any(
        "Breast cancer network" in caption.value for caption in page.caption
    )


def test_another_row_gets_another_answer() -> None:
    page = opened()
    first = page.session_state["t-shown"].key
    page.number_input(key="t.row").set_value(2).run()
    finished(page)
    assert page.session_state["t-shown"].key != first
    assert page.session_state["t-shown"].manifest["source"]["input"] == "row 2 of Breast cancer"


def test_what_if_moves_prediction_and_contributions_and_can_be_undone() -> None:
    page = opened(model="adult-mlp")
    before, heading = page.session_state["t-shown"], title(page)
    slider = next(slider for slider in page.slider if slider.label == "Age (years)")
    slider.set_value(70).run()
    finished(page)
    after = page.session_state["t-shown"]
    assert after.key != before.key
    assert after.manifest["source"]["row"]["age"] == 70
    assert title(page) != heading
    assert page.query_params["set.age"] in ("70", ["70"])
    page.button(key="t-reset").click().run()
    finished(page)
    assert page.session_state["t-shown"].key == before.key
    assert title(page) == heading


def test_a_link_restores_row_change_and_method() -> None:
    page = opened(
        model="adult-mlp",
        row="7",
        method="shapley-sampling",
        **{"set.age": "61", "p.permutations": "20"},
    )
    shown = page.session_state["t-shown"]
    assert shown.manifest["request"]["method"]["name"] == "shapley-sampling"
    assert shown.manifest["source"]["row"]["age"] == 61
    assert page.session_state["t.row"] == 7


@pytest.mark.parametrize(
    "query",
    [
        {"model": "no-such-model"},
        {"method": "grad-cam"},
        {"row": "none"},
        {"set.no-such-column": "3"},
        {"set.mean radius": "wide"},
        {"view": "sideways"},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query: dict[str, str]) -> None:
    page = begun(**query)
    assert any("could not be followed" in warning.value for warning in page.warning)
    assert "Up to date" in told(finished(page))


def test_own_table_and_its_label() -> None:
    page = upload(opened(), as_csv())
    assert not page.error
    assert "Up to date" in told(page)
    assert page.selectbox(key="t-label").value == "diagnosis"
    assert "mine.csv" in " ".join(caption.value for caption in page.caption)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (as_csv(mean_radius="wide"), "row 5, column 'mean radius': 'wide' is no number"),
        (b"a,b\n1,2\n", "'mean radius'"),
        (b"", "is empty"),
        (b"\x89PNG\r\n\x1a\n\0\0", "is no text"),
    ],
)
def test_a_table_that_cannot_be_used_gets_one_line(content: bytes, said: str) -> None:
    page = upload(opened(), content)
    assert [error for error in page.error if said in error.value.replace("\\", "")]
    assert len(page.error) == 1


def test_rows_that_cannot_be_used_can_be_left_out() -> None:
    page = upload(opened(), as_csv(mean_radius="wide"))
    page.toggle(key="t-leave-out").set_value(True).run()
    finished(page)
    assert "Up to date" in told(page)
    page.number_input(key="t.row").set_value(5).run()
    finished(page)
    assert "row 6 of" in page.session_state["t-shown"].manifest["source"]["input"]


def test_ethics_are_told_where_people_are_concerned() -> None:
    page = opened(model="compas-logistic")
    assert any("Never to be used for decisions" in warning.value for warning in page.warning)
    assert not opened(model="cancer-mlp").warning


def test_a_regression_tells_its_value() -> None:
    page = opened(model="diabetes-mlp")
    assert "disease progression" in title(page)
    assert "%" not in title(page)


@pytest.mark.parametrize("measure", ["swarm", "permutation", "partial-dependence", "surrogate"])
def test_which_columns_matter(measure: str) -> None:
    page = opened(view="columns", measure=measure, model="diabetes-mlp")
    assert title(page) == "Which columns matter?"
    assert not page.error
    assert not page.info


@pytest.mark.parametrize("value", ["inf", "nan", "1e300", "40.5"])
def test_a_link_with_an_odd_number_is_no_accident(value: str) -> None:
    page = begun(model="adult-mlp", **{"set.age": value})
    assert not page.exception
    assert any("not possible here" in w.value for w in page.warning) == (value != "40.5")
    if value == "40.5":
        assert finished(page).session_state["t-shown"].manifest["source"]["row"]["age"] == 40.5


def test_a_cell_that_is_not_whole_is_explained_as_it_stands() -> None:
    frame = load_sample_table("adult").frame.head(20).copy()
    frame["age"] = frame["age"].astype(object)
    frame.loc[0, "age"] = "40.5"
    page = opened(model="adult-mlp")
    page = upload(page, frame.to_csv(index=False).encode())
    shown = page.session_state["t-shown"].manifest["source"]
    assert shown["row"]["age"] == 40.5
    assert "changed" not in shown["input"]


def test_a_picked_row_is_the_one_that_opens_though_rows_are_left_out() -> None:
    page = upload(opened(), as_csv(mean_radius="wide"))
    page.toggle(key="t-leave-out").set_value(True).run()
    page.session_state["t.row"] = 20  # as a click on a dot does
    finished(page.run())
    assert page.session_state["t-shown"].manifest["source"]["input"] == "row 20 of mine.csv"


def test_the_same_weights_with_other_columns_are_another_model() -> None:
    from dataclasses import replace

    from dashboard.running.models import identity, model
    from dashboard.running.predictions import prediction

    first = model("cancer-mlp")
    moved = tuple(replace(column, mean=column.mean + column.std) for column in first.spec.columns)
    second = replace(first, spec=replace(first.spec, columns=moved))
    row = load_sample_table("cancer").row(1)
    assert identity(first) != identity(second)
    assert prediction(first, row).logits != prediction(second, row).logits


def test_another_session_does_not_see_the_name_of_an_upload() -> None:
    first = upload(opened(view="columns", measure="outrank"), as_csv(), "secret.csv")
    assert "secret.csv" in " ".join(caption.value for caption in first.caption)
    other = upload(opened(view="columns", measure="outrank"), as_csv(), "other.csv")
    everything = [part.value for kind in (other.caption, other.markdown) for part in kind]
    assert not [text for text in everything if "secret" in text]
    assert not [job for job in explanations.queue()._jobs.values() if "secret" in job.title]
