"""Sentences about masks follow the numbers: flip the data and the sentence flips."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from components import mask_curve, mask_words
from components.mask_words import Filled
from engine.mask_results import MaskPreview
from engine.results import Prediction


def said(*shares: float) -> Prediction:
    probabilities = np.array(shares, dtype=np.float32)
    return Prediction(np.log(probabilities), probabilities, ("cat", "dog", "hen"), 0.01)


BEFORE = said(0.9, 0.06, 0.04)


def preview(keep: np.ndarray) -> MaskPreview:
    logits = np.log(np.array([[0.9, 0.1], [0.2, 0.8]], dtype=np.float32))
    manifest = {
        "key": "x",
        "display": {"classes": ["cat", "dog"], "size": [8, 8]},
        "outcome": {"seconds": 0.1},
    }
    return MaskPreview(manifest, keep[None], logits, np.exp(logits))


def test_before_and_after_are_those_of_the_preview() -> None:
    found = preview(np.eye(4, dtype=bool))
    assert mask_words.said_before(found).best == 0
    assert mask_words.said_after(found).best == 1
    assert mask_words.change(found) == "with 75 % hidden"
    assert mask_words.change(preview(~np.eye(4, dtype=bool))) == "with 25 % hidden"
    assert mask_words.kept(found) == "4 of 16 cells stay"
    assert mask_words.kept(preview(np.eye(8, dtype=bool))) == "8 of 64 pixels stay"


def test_fills_that_disagree_are_called_missingness_bias() -> None:
    told = mask_words.fills_sentence(
        BEFORE, [Filled("Black", said(0.1, 0.8, 0.1)), Filled("Blurred", said(0.7, 0.2, 0.1))]
    )
    assert "missingness bias" in told
    assert "dog (black)" in told and "cat (blurred)" in told
    assert told.endswith("Only blurred keeps cat.")


def test_fills_that_agree_are_not() -> None:
    told = mask_words.fills_sentence(
        BEFORE, [Filled("Black", said(0.8, 0.1, 0.1)), Filled("Blurred", said(0.75, 0.15, 0.1))]
    )
    assert told.startswith("All 2 fills say cat, within 5.0 points")
    assert "missingness" not in told
    apart = mask_words.fills_sentence(
        BEFORE, [Filled("Black", said(0.45, 0.3, 0.25)), Filled("Blurred", said(0.9, 0.05, 0.05))]
    )
    assert "not as surely: from 45.0 % (black) to 90.0 % (blurred)" in apart


def test_nobody_keeps_the_answer_or_several_do() -> None:
    dogs = [Filled("Black", said(0.1, 0.8, 0.1)), Filled("White", said(0.1, 0.1, 0.8))]
    assert "Only" not in mask_words.fills_sentence(BEFORE, dogs)
    cats = [Filled("Grey", said(0.8, 0.1, 0.1)), Filled("Noise", said(0.7, 0.2, 0.1))]
    assert mask_words.fills_sentence(BEFORE, [*dogs, *cats]).endswith(
        "Only grey and noise keep cat."
    )
    assert "nothing to compare" in mask_words.fills_sentence(BEFORE, dogs[:1])


def test_the_curve_tells_where_the_answer_changes() -> None:
    sweep = mask_curve.made_up()
    told = mask_words.sweep_sentence(sweep, 0, 0.3, remove=True)
    assert told.startswith("With the top 30 % removed, cat has 50.0 %. ")
    assert sweep.removed is not None
    first = int(np.flatnonzero(sweep.removed.argmax(axis=1) != 0)[0])
    assert f"first another with {round(100 * float(sweep.share[first]))} % removed" in told
    kept = mask_words.sweep_sentence(sweep, 0, 0.3, remove=False)
    assert "The first 15 % of the map are enough" in kept or "The first 20 % of the map" in kept


def test_a_curve_that_never_changes_says_so() -> None:
    sweep = mask_curve.made_up()
    always = np.tile(np.float32([2, 1]), (21, 1))
    same = replace(sweep, removed=always, kept=always)
    assert "even with all of it removed" in mask_words.sweep_sentence(same, 0, 0.5, remove=True)
    assert "With nothing kept" in mask_words.sweep_sentence(same, 0, 0.5, remove=False)
    never = replace(sweep, removed=always[:, ::-1].copy(), kept=always[:, ::-1].copy())
    assert "not called cat to begin with" in mask_words.sweep_sentence(never, 0, 0.5, remove=True)
    assert "at no share" in mask_words.sweep_sentence(never, 0, 0.5, remove=False)
