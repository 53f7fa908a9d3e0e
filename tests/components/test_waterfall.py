from __future__ import annotations

import numpy as np
import pytest

from components import column_bars, made_up, tokens, waterfall
from components.waterfall import waterfall_of
from engine.errors import ResultError
from engine.results import Attribution


def given(values: np.ndarray | None = None, missing: float = 0.0, **error: bool) -> Attribution:
    found = made_up.attribution(values)
    found.manifest["outcome"]["completeness"]["difference"] += missing
    if error:
        spread = np.full(len(found.values), 0.01, dtype=np.float32)
        return Attribution(found.manifest, found.values, spread)
    return found


def drawn_bars(attribution: Attribution, top: int = 12):
    return waterfall.figure(waterfall_of(attribution), top).data[0]


@pytest.mark.parametrize("missing", [0.0, 0.1, -0.3])
def test_base_values_and_residual_make_the_end(missing: float) -> None:
    values = np.random.default_rng(0).normal(0, 0.1, 15)
    rows = waterfall_of(given(values, missing))
    assert rows.base + rows.values.sum() + rows.residual == pytest.approx(rows.end, abs=1e-12)
    assert rows.residual == pytest.approx(missing, abs=1e-12)
    assert rows.end == pytest.approx(0.2 + float(values.astype(np.float32).sum()) + missing)


@pytest.mark.parametrize("top", [3, 12, 20])
@pytest.mark.parametrize("missing", [0.0, 0.1])
def test_bars_lead_from_base_to_end_without_a_gap(top: int, missing: float) -> None:
    values = np.random.default_rng(1).normal(0, 0.1, 15)
    rows = waterfall_of(given(values, missing))
    bars = waterfall.figure(rows, top).data[0]
    starts, ends = np.array(bars.base), np.array(bars.base) + np.array(bars.x)
    assert starts[0] == pytest.approx(100 * rows.base)
    assert starts[1:] == pytest.approx(ends[:-1], abs=1e-9)
    assert ends[-1] == pytest.approx(100 * rows.end, abs=1e-9)


def test_the_largest_is_first_and_the_rest_is_summed() -> None:
    values = np.array([0.01, -0.3, 0.2, *[0.001] * 12])
    figure = waterfall.figure(waterfall_of(given(values)), top=3)
    labels = figure.layout.yaxis.ticktext
    assert [label.split(" =")[0] for label in labels[:3]] == [
        "Worst concave points", "Mean texture", "Worst area",
    ]  # fmt: skip
    assert labels[3] == "12 other columns"
    assert figure.data[0].x[3] == pytest.approx(100 * 12 * 0.001)
    assert list(figure.data[0].customdata) == [1, 2, 0, -1]


def test_a_rest_of_one_is_shown_by_name() -> None:
    labels = waterfall.figure(waterfall_of(given()), top=14).layout.yaxis.ticktext
    assert len(labels) == 15
    assert "other" not in "".join(labels)


def test_colours_tell_the_sign() -> None:
    bars = drawn_bars(given(np.array([0.3, -0.2, *[0.0] * 13])))
    assert bars.marker.color[:2] == (tokens.POSITIVE, tokens.NEGATIVE)


def test_labels_tell_what_stands_in_the_row() -> None:
    rows = waterfall_of(given())
    assert rows.labels[0] == "Worst area = 880 mm²"
    given_empty = given()
    given_empty.manifest["source"]["row"]["worst area"] = None
    assert waterfall_of(given_empty).labels[0] == "Worst area = empty"


def test_long_titles_are_cut_and_told_whole_when_pointed_at() -> None:
    found = given()
    found.manifest["display"]["titles"][0] = "A very long title of a column " * 3
    figure = waterfall.figure(waterfall_of(found))
    assert len(figure.layout.yaxis.ticktext[0]) < 35
    assert figure.layout.yaxis.ticktext[0].endswith("… = 880 mm²")
    assert ("A very long title of a column " * 3) in figure.data[0].hovertext[0]


@pytest.mark.parametrize(("missing", "shown"), [(0.0, False), (0.002, False), (0.1, True)])
def test_what_is_left_over_is_a_bar_when_it_counts(missing: float, shown: bool) -> None:
    figure = waterfall.figure(waterfall_of(given(missing=missing)))
    assert ("not shared out" in figure.layout.yaxis.ticktext) == shown
    assert (figure.data[0].marker.color[-1] == tokens.BAR_OTHER) == shown


def test_base_and_end_are_told() -> None:
    texts = [
        a.text for a in waterfall.figure(waterfall_of(given(np.full(15, 0.04)))).layout.annotations
    ]
    assert texts == ["average row: <b>20 %</b>", "this row: <b>80 %</b>"]
    many = given()
    many.manifest["outcome"]["background"] = {"rows": 100, "of": 569, "fills": []}
    assert waterfall_of(many).begins_at == "average of 100 rows"
    many.manifest["outcome"]["background"] = {"rows": 1, "of": 1, "fills": ["mean"]}
    assert waterfall_of(many).begins_at == "average row"


def test_whiskers_reach_two_errors_and_sums_have_none() -> None:
    bars = drawn_bars(given(error=True))
    assert bars.error_x.array[0] == pytest.approx(100 * 2 * 0.01)
    assert bars.error_x.array[-1] == 0
    assert drawn_bars(given()).error_x.array is None


def test_scores_are_drawn_as_they_are() -> None:
    rows = waterfall_of(made_up.attribution(np.full(15, 0.1), "logit"))
    bars = waterfall.figure(rows).data[0]
    assert bars.base[0] == pytest.approx(0.2)
    assert waterfall.figure(rows).layout.xaxis.title.text == "score of malignant"


def test_a_fit_with_a_base_of_its_own_ends_at_the_prediction() -> None:
    found = made_up.attribution(np.full(15, 0.02))
    found.manifest["outcome"]["base"] = 0.35
    found.manifest["outcome"]["completeness"] = {
        "sum": 0.3, "difference": 0.5, "gap": -0.2, "residual": 0.05,
    }  # fmt: skip
    rows = waterfall_of(found)
    assert rows.end == pytest.approx(0.7)
    assert rows.residual == pytest.approx(0.05)
    assert rows.begins_at == "base of the fit"


def test_without_a_base_there_are_bars_instead() -> None:
    found = made_up.attribution()
    del found.manifest["outcome"]["base"]
    assert not waterfall.has_base(found)
    with pytest.raises(ResultError, match="no base"):
        waterfall_of(found)
    bars = column_bars.attribution_figure(found).data[0]
    assert set(bars.base) == {0.0}


def test_text_alternative() -> None:
    told = waterfall.alt(waterfall_of(given()))
    assert told.startswith("Waterfall from 20 % (average row) to 80 % (this row): Worst area = 880")
