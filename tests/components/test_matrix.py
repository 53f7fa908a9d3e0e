from __future__ import annotations

import numpy as np

from components import made_up, matrix


def test_numbers_stand_within_and_the_scale_is_centred() -> None:
    trace = matrix.agreement_figure(made_up.agreement()).data[0]
    assert (trace.zmin, trace.zmax) == (-1, 1)
    assert trace.text[0][1] == "0.91"
    assert trace.texttemplate == "%{text}"


def test_many_names_have_no_numbers_but_tell_them_when_pointed_at() -> None:
    names = [f"column {n}" for n in range(16)]
    figure = matrix.figure(np.eye(16), names)
    trace = figure.data[0]
    assert trace.texttemplate is None
    assert trace.customdata[3][5] == "column 3<br>column 5"
    assert figure.layout.xaxis.showticklabels is False
    assert len(figure.layout.yaxis.ticktext) == 16


def test_a_missing_number_stays_empty() -> None:
    trace = matrix.figure(np.array([[1, np.nan], [np.nan, 1]]), ["a", "b"]).data[0]
    assert list(trace.text[0]) == ["1", ""]


def test_names_above_have_room_however_few_cells_there_are() -> None:
    short = matrix.figure(np.eye(3), ["a", "b", "c"])
    long = matrix.figure(np.eye(3), ["a name that is rather long", "b", "c"])
    assert short.layout.xaxis.tickangle == 0
    assert long.layout.xaxis.tickangle == -90
    assert long.layout.height - 3 * 34 > 130


def test_columns_stand_group_by_group_with_a_frame_around_each() -> None:
    given = made_up.groups()
    mixed = np.random.default_rng(0).permutation(15)
    shuffled = type(given)(
        given.manifest,
        given.correlation[np.ix_(mixed, mixed)],
        given.group[mixed],
        given.values,
        given.error,
    )
    figure = matrix.groups_figure(shuffled)
    assert np.array_equal(np.array(figure.data[0].z), given.correlation)
    assert [(s.x0, s.x1) for s in figure.layout.shapes] == [(-0.5, 6.5), (6.5, 11.5), (11.5, 14.5)]


def test_text_alternatives() -> None:
    told = matrix.agreement_alt(made_up.agreement())
    assert "largest 0.91 between Permutation and SHAP" in told
    assert "smallest 0.15 between SHAP and OutRank" in told
    assert "of 15 columns: largest" in matrix.groups_alt(made_up.groups())
    assert matrix.alt(np.ones((1, 1)), ["a"]) == "Matrix of the correlations of a."
