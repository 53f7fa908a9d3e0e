"""Curves of a study of missing parts, and its sentences: they flip when the data does."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from components import missingness_curves, study_lines, study_made_up, study_words
from components.missingness_curves import spread
from engine.mask_results import MissingnessStudy

GREY_BAD = {"layer-masking": 3.0, "grey": 0.5}
GREY_GOOD = {"layer-masking": 0.5, "grey": 3.0}


def curves(drawn: go.Figure) -> list[go.Scatter]:
    return [trace for trace in drawn.data if trace.mode == "lines+markers"]


@pytest.mark.parametrize("measure", ["accuracy", "entropy", "unchanged"])
def test_lines_bands_and_names_are_those_of_the_study(measure: str) -> None:
    study = study_made_up.study()
    drawn = missingness_curves.figure(study, measure)  # type: ignore[arg-type]
    factor = 1 if measure == "entropy" else 100
    for place, curve in enumerate(curves(drawn)):
        assert list(curve.x) == pytest.approx(np.linspace(0, 100, 11), abs=1e-4)
        assert list(curve.y) == pytest.approx(factor * getattr(study, measure)[place], abs=1e-4)
    bands = [trace for trace in drawn.data if trace.fill == "toself"]
    ends = factor * getattr(study, f"{measure}_interval")
    for place, band in enumerate(bands):
        assert list(band.y[:11]) == pytest.approx(ends[place, :, 1], abs=1e-4)
        assert list(band.y[:10:-1]) == pytest.approx(ends[place, :, 0], abs=1e-4)
    names = [note.text for note in drawn.layout.annotations if note.text != "chance"]
    assert sorted(names) == sorted(study.titles)
    assert ("chance" in [note.text for note in drawn.layout.annotations]) == (measure == "accuracy")


def test_hover_tells_value_and_interval() -> None:
    drawn = missingness_curves.figure(study_made_up.study({"grey": 0.6}))
    assert curves(drawn)[0].text[5].startswith("Grey, 50 % hidden: 26 % (20.3 – 32.7)")


def test_fills_with_the_same_answers_are_one_line() -> None:
    study = study_made_up.study({"grey": 1.0, "black": 0.5, "blur": 2.0})
    same = study.predicted.copy()
    same[1] = same[0]
    merged = MissingnessStudy(
        study.manifest, **{n: getattr(study, n) for n in study.arrays} | {"predicted": same}
    )
    assert [line.fills for line in study_lines.lines(merged, "accuracy")] == [
        ("grey", "black"),
        ("blur",),
    ]
    assert study_lines.lines(merged, "accuracy")[0].title == "Grey and black"
    assert len(curves(missingness_curves.figure(merged))) == 2


def test_without_labels_no_accuracy_is_told() -> None:
    study = study_made_up.study(labelled=False)
    assert study_lines.measures(study) == ("unchanged", "entropy")
    assert "stay as they were with" in study_words.kept_sentence(study)
    assert "accuracy" in study_lines.measures(study_made_up.study())


@pytest.mark.parametrize(
    ("ends", "apart", "top"), [([5, 5, 0], 2, 10), ([0, 0, 0, 0], 2, 10), ([9, 9, 9, 3], 2, 10)]
)
def test_names_stand_apart_and_inside(ends: list[float], apart: float, top: float) -> None:
    places = spread(ends, apart, top)
    gaps = -np.diff(places)
    assert (gaps >= apart - 1e-9).all()
    assert min(places) >= 0
    assert max(places) <= top


def test_what_keeps_most_flips_with_the_data() -> None:
    for left, best, worst in ((GREY_BAD, "layer masking", "grey"), (GREY_GOOD, "grey", "layer")):
        told = study_words.kept_sentence(study_made_up.study(left))
        assert f", the most answers are right with {best}: " in told
        assert f"the fewest with {worst}" in told
    even = study_words.kept_sentence(study_made_up.study({"grey": 3.0, "blur": 3.02}))
    assert "no measurable difference" in even
    # Intervals that overlap, but in every picture where they differ the same one is right.
    near = study_made_up.study({"blur": 1.2, "grey": 0.9}, count=60)
    assert near.accuracy_interval[0, 5, 0] < near.accuracy_interval[1, 5, 1]
    assert ", the most answers are right with blurred: 80 %" in study_words.kept_sentence(near)
    alike = study_made_up.study({"blur": 1.2, "noise": 1.1, "black": 0.1}, count=60)
    least, most = (round(100 * float(alike.accuracy[row, 5])) for row in (1, 0))
    assert least < most
    words = f" and noise: from {least} % to {most} % of 60 answers"
    assert words in study_words.kept_sentence(alike)
    one = study_words.kept_sentence(study_made_up.study({"grey": 0.6}))
    assert one == "With 50 % hidden at random, with grey, 26 % (20 – 33) of 200 answers are right."


def test_what_misleads_flips_with_the_data() -> None:
    told = study_words.bias_sentence(study_made_up.study(GREY_BAD))
    assert told.startswith("What stands there is itself taken for evidence: with grey, ")
    assert "of the answers are star" in told
    assert ": with layer masking, " in study_words.bias_sentence(study_made_up.study(GREY_GOOD))
    both = study_words.bias_sentence(study_made_up.study({"grey": 0.6, "black": 0.5}))
    assert ": with black, " in both
    assert both.endswith("The same goes for grey.")
    none = study_words.bias_sentence(study_made_up.study({"grey": 3.0, "blur": 2.9}))
    assert none.startswith("No fill drives the answers to few classes")


def test_a_fill_that_shows_what_it_covers_is_told() -> None:
    told = study_words.leak_sentence(study_made_up.study({"blur": 9.0, "grey": 0.45}))
    assert "answers are still right with blurred (100 %);" in told and "grey" not in told
    assert study_words.leak_sentence(study_made_up.study({"blur": 0.45, "grey": 0.45})) == ""
    both = study_words.leak_sentence(study_made_up.study({"blur": 9.0, "grey": 8.0}))
    assert "blurred" in both and "grey" in both
    assert study_words.leak_sentence(study_made_up.study({"blur": 9.0}, labelled=False)) == ""


def test_another_share_is_told_and_marked() -> None:
    study = study_made_up.study()
    assert study_words.kept_sentence(study, 0.2).startswith("With 20 % hidden")
    drawn = missingness_curves.figure(study, marked=0.2)
    dotted = [shape for shape in drawn.layout.shapes if shape.line.dash == "dot"]
    assert dotted[0].x0 == pytest.approx(20, abs=1e-4)
    assert "8 × 8 blocks, at random" in study_words.about(study)
    alt = missingness_curves.alt(study, "entropy")
    assert "Class entropy of 200 pictures" in alt
    assert "Grey from 3.3 bits to" in alt


def test_a_title_with_a_comma_stays_whole() -> None:
    study = study_made_up.study({"grey": 0.6, "smoothed-grey": 0.6, "black": 0.2})
    study.manifest["display"]["fill_titles"] = ["Grey", "Grey, smooth rim", "Black"]
    assert "The same goes for grey and “grey, smooth rim”." in study_words.bias_sentence(study)
    names = [note.text for note in missingness_curves.figure(study).layout.annotations]
    assert "Grey, smooth rim" in names
