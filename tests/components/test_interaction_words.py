"""Sentences about interactions read the data: when the data flips, the sentence must flip."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from components import interaction_made_up, pair_heatmap, swarm_values
from components.interaction_words import (
    ball_sentence,
    halo_sentence,
    heatmap_sentence,
    links_sentence,
    model_sentence,
    notes,
    swarm_sentence,
)
from engine.halo_shapes import NO_EFFECT, NOT_MASKABLE, NOT_REACHABLE
from engine.interaction_results import Ball, Interactions

FOUND = interaction_made_up.interactions()
FLIPPED = interaction_made_up.interactions(flip=-1)
PLAIN = 14  # a pair without interaction


def with_scores(*scores: float, error: float = 0.0, last: float | None = None) -> Interactions:
    """Return interactions of as many pairs of three features, each model with the same score.

    Args:
        scores: of the pairs.
        error: standard error of each.
        last: of one model of the last pair, instead.
    """
    pairs = [(0, 1), (0, 2), (1, 2)][: len(scores)]
    found = interaction_made_up.interactions(("Age", "Sex", "LDL"), pairs=pairs, others=0)
    effects, errors = np.zeros_like(found.effects), np.zeros_like(found.error)
    effects[..., 2] = np.array(scores)[:, None]
    errors[..., 3] = error
    if last is not None:
        effects[-1, found.distinct(len(pairs) - 1)[1], 2] = last
    return replace(found, effects=effects, error=errors)


def told(found: Interactions, **display: Any) -> Interactions:
    manifest = {**found.manifest, "display": {**found.manifest["display"], **display}}
    return replace(found, manifest=manifest)


def test_a_halo_that_leaves_the_circle() -> None:
    assert halo_sentence(FOUND, 0) == (
        "Moving m of age and prior offences together does not cost what both cost alone: up to "
        "55 % of ε more with m of age down and prior offences down and up to 55 % of ε less with "
        "m of age up and prior offences down. 18 of 36 models leave the set of good models. The "
        "losses are exact on the 1000 rows looked at."
    )
    flipped = halo_sentence(FLIPPED, 0)
    assert "more with m of age up and prior offences down" in flipped
    assert "less with m of age down and prior offences down" in flipped


def test_a_halo_on_the_circle() -> None:
    assert halo_sentence(FOUND, PLAIN).startswith(
        "Moving m of sex and weekday together costs what both cost alone, within 0.1 % of ε: this "
        "loss sees no interaction."
    )


@pytest.mark.parametrize(("times", "way", "leave"), [(1.3, "more", "36"), (0.6, "less", "None")])
def test_a_halo_all_outside_or_all_inside(times: float, way: str, leave: str) -> None:
    loss = FOUND.base_loss + np.broadcast_to(
        times * FOUND.epsilons[:, None, None], FOUND.halo_loss.shape
    )
    sentence = halo_sentence(replace(FOUND, halo_loss=loss), 0)
    assert f" of ε {way} with" in sentence
    assert f" of ε {'less' if way == 'more' else 'more'} with" not in sentence
    assert f"{leave} of 36 models leave" in sentence


def test_a_halo_beyond_the_picture() -> None:
    loss = FOUND.halo_loss.copy()
    loss[-1, 0, :2] = FOUND.base_loss + 4 * FOUND.epsilon
    sentence = halo_sentence(replace(FOUND, halo_loss=loss), 0)
    assert "2 models lie beyond the edge of the picture, as far as 4 ε." in sentence
    assert "up to 3 ε more with" in sentence
    loss = loss.copy()
    loss[-1, 0, 0] = FOUND.base_loss + 140 * FOUND.epsilon
    assert "up to 140 ε more with" in halo_sentence(replace(FOUND, halo_loss=loss), 0)
    assert "beyond" not in halo_sentence(FOUND, 0)


@pytest.mark.parametrize(
    ("state", "why"),
    [
        (NOT_REACHABLE, "The loss does not rise far enough with m of age going either way"),
        (NO_EFFECT, "Masking age makes no difference to the loss: its mask stays"),
        (NOT_MASKABLE, "Age cannot be masked, for the model is given names of categories"),
    ],
)
def test_budgets_that_were_not_spent(state: int, why: str) -> None:
    found = interaction_made_up.interactions(idle=[0], status=state)
    sentence = halo_sentence(found, 0)
    assert sentence.startswith("The halo of age and prior offences says nothing, for no budget")
    assert why in sentence
    assert any(note.startswith(why) for note in notes(found))
    assert why not in halo_sentence(found, PLAIN)
    assert not any(note.startswith(why) for note in notes(FOUND))


def test_a_single_direction_without_effect() -> None:
    """A threshold of a tree is crossed one way; the other way nothing happens."""
    status = FOUND.status.copy()
    status[:, 1:, 2, 0] = NO_EFFECT
    status[:, 1:, [0, 1], 1] = NO_EFFECT
    told = notes(replace(FOUND, status=status))
    assert told[0] == (
        "M of charge going up makes no difference to the loss: its mask stays where it is."
    )
    assert told[1] == (
        "M of age and prior offences going down makes no difference to the loss: their masks stay "
        "where they are."
    )
    assert not any(note.startswith("Masking") for note in told)


def test_a_single_direction_that_saturates() -> None:
    status = FOUND.status.copy()
    status[:, 5:, 1, 1] = NOT_REACHABLE
    found = replace(FOUND, status=status)
    sentence = halo_sentence(found, 0)
    assert "with m of prior offences going down: not every budget" in sentence
    assert "10 models could not spend a budget." in sentence
    assert "of 26 models" in sentence


def test_no_budget_at_all() -> None:
    found = replace(FOUND, epsilons=np.zeros(5))
    assert halo_sentence(found, 0) == "The halo of age and prior offences says nothing: ε is 0."


def test_the_pair_that_reaches_farthest() -> None:
    sentence = swarm_sentence(FOUND)
    low, _, high = FOUND.spread()[0]
    assert (round(low, 4), round(high, 4)) == (0.002, 0.0399)
    assert sentence.startswith(
        "Over the good models the interaction score of age × prior offences reaches farthest: "
        "from +0.002 to +0.04, the reference +0.021 ± 0.0008. They all agree in the sign of 1 of "
        "15 pairs. 183 of 3375 dots are out of bound."
    )
    flipped = swarm_sentence(FLIPPED)
    assert "from −0.04 to +0.0021, the reference −0.021" in flipped
    assert "There is no pair in whose sign they all agree." in flipped


def test_a_smaller_set_is_answered() -> None:
    half = swarm_sentence(FOUND, epsilon=FOUND.epsilon / 2)
    low, _, high = FOUND.spread(FOUND.epsilon / 2)[0]
    assert f"from +{low:.2g} to +{high:.2g}" in half
    assert half != swarm_sentence(FOUND)
    assert int(half.split(" dots")[0].split()[-3]) > 183


def test_what_reaches_farthest_is_told_of_the_set_that_is_looked_at() -> None:
    found = with_scores(0.2, 0.1, 0.05)
    half = found.epsilon / 2
    effects = found.effects.copy()
    effects[0, ~found.members(half)[0], 2] = 0.9  # the first pair reaches farthest, but far out
    effects[0, found.members(half)[0], 2] = 0.01
    found = replace(found, effects=effects)
    assert "of age × sex reaches farthest" in swarm_sentence(found)
    smaller = swarm_sentence(found, epsilon=half)
    assert "All good models give age × LDL the same interaction score, +0.1" in smaller
    assert swarm_values.bands_of(found, epsilon=half)[0].title == "Age × Sex", "bands stay"


def test_models_that_all_say_the_same() -> None:
    assert swarm_sentence(with_scores(0.2)) == (
        "All good models give age × sex the same interaction score, +0.2. They all agree in its "
        "sign. 56 of 221 dots are out of bound."
    )
    assert "They do not all agree in its sign." in swarm_sentence(with_scores(0.2, last=-0.1))
    assert "the same interaction score, −0.2" in swarm_sentence(with_scores(-0.2))


def test_features_that_no_good_model_does_without() -> None:
    sentence = swarm_sentence(FOUND, "columns", "reliance")
    assert "the reliance of prior offences reaches farthest: from +0.06 to +0.12" in sentence
    assert (
        "Every good model relies on prior offences, age, juvenile offences and 2 more." in sentence
    )
    doubt = FOUND.error.copy()
    doubt[..., :3] = 1
    unsure = swarm_sentence(replace(FOUND, error=doubt), "columns", "reliance")
    assert "There is no feature that every good model relies on." in unsure
    ratio = swarm_sentence(FOUND, "columns", "ratio")
    assert "from 1.09 to 1.18, the reference 1.14" in ratio
    worse = replace(FOUND, effects=-FOUND.effects)
    assert "There is no feature" in swarm_sentence(worse, "columns", "ratio")


def test_signs_on_which_good_models_agree() -> None:
    assert heatmap_sentence(with_scores(0.3, -0.2, 0.1, last=-0.1)) == (
        "In all good models age × sex interacts positively and age × LDL interacts negatively. "
        "They contradict each other on sex × LDL."
    )
    flipped = heatmap_sentence(with_scores(-0.3, 0.2, -0.1, last=-0.2))
    assert flipped == (
        "In all good models age × LDL interacts positively and age × sex and sex × LDL interact "
        "negatively."
    )


def test_signs_that_cannot_be_told() -> None:
    assert heatmap_sentence(with_scores(0.1, -0.1, 0.1, error=0.06, last=0.5)) == (
        "On no pair do all good models agree even in the sign of the interaction. On sex × LDL it "
        "is, in part of them, too small to be told from zero. On age × sex and age × LDL it is "
        "too small to be told from zero in all of them."
    )


def test_pairs_that_were_only_glanced_at() -> None:
    sentence = heatmap_sentence(with_scores(0.3))
    assert sentence.endswith(
        "2 pairs were not looked at closely: there the reference alone is known."
    )
    assert "1 pair was not" in heatmap_sentence(with_scores(0.3, 0.2))
    assert "not looked at" not in heatmap_sentence(with_scores(0.3, 0.2, 0.1))


def test_a_ball() -> None:
    sentence = ball_sentence(interaction_made_up.ball())
    assert sentence.startswith(
        "Moving m of age, prior offences and charge together does not cost what they cost alone: "
        "up to 71 % of ε more with m of age "
    )
    assert "they cost the reference 0.008 more than each alone (± 0.0032 at the most)." in sentence
    flipped = ball_sentence(interaction_made_up.ball(flip=-1))
    assert "0.008 less than each alone" in flipped
    assert flipped.partition(" more with ")[2] != sentence.partition(" more with ")[2]


def test_a_round_ball_and_a_score_that_cannot_be_told() -> None:
    ball = interaction_made_up.ball(flip=0)
    sentence = ball_sentence(ball)
    assert (
        "costs what they cost alone, within 0.1 % of ε: this loss sees no interaction." in sentence
    )
    assert "no more and no less than each alone, as far as can be told." in sentence
    exact = Ball(
        **{name: getattr(ball, name) for name in ("manifest", *ball.arrays) if name != "error"},
        error=np.zeros_like(ball.error),
    )
    more = replace(exact, effects=np.append(exact.effects[:-1], exact.effects[-1] + 0.001))
    assert "0.001 more than each alone." in ball_sentence(more)
    nothing = {**ball.manifest, "display": {**ball.manifest["display"], "epsilon": 0.0}}
    assert "says nothing: ε is 0." in ball_sentence(replace(ball, manifest=nothing))


def test_regions_that_interact_most() -> None:
    found, _ = interaction_made_up.with_regions()
    sentence = links_sentence(found)
    assert sentence.startswith(
        "In the median of the good models region 0 and region 1 interact most: hidden together "
        "they cost more than the sum of both alone, +0.023 (+0.002 … +0.04); all good models agree "
        "in the sign."
    )
    flipped, _ = interaction_made_up.with_regions(flip=-1)
    other = links_sentence(flipped)
    assert "cost less than the sum of both alone, −0.022" in other
    assert "some good models say the opposite" in other
    none = replace(found, effects=np.zeros_like(found.effects))
    assert links_sentence(none) == "No two regions interact in the median of the good models."


def test_one_model() -> None:
    inside = FOUND.members()[0]
    distinct = FOUND.distinct(0)
    good, bad = (int(distinct[1:][inside[distinct[1:]] == want][0]) for want in (True, False))
    for model, verdict in ((good, "a good model"), (bad, "out of bound")):
        sentence = model_sentence(FOUND, 0, model)
        assert verdict in sentence
        for m in FOUND.pair_masks(0)[model]:
            assert f" {m:.3g}" in sentence
        assert f"log-loss {FOUND.loss[0, model]:.4g}" in sentence
        assert f"age × prior offences is +{FOUND.scores[0, model]:.2g}" in sentence
    assert model_sentence(FOUND, 0, 0) == (
        "This is the reference: log-loss 0.632; its interaction score of age × prior offences is "
        "+0.021 ± 0.0008."
    )
    assert model_sentence(FLIPPED, 0, 0).endswith("is −0.021 ± 0.0008.")


def test_a_model_that_was_trained_again() -> None:
    assert FOUND.other_loss is not None
    last = len(FOUND.other_loss)
    assert model_sentence(FOUND, 0, -1).startswith(
        "Model 1 of those that were trained again: log-loss 0.6446, 0.013 above the reference: a "
        "good model, ε is 0.063."
    )
    assert "out of bound" in model_sentence(FOUND, 0, -last)
    below = replace(FOUND, other_loss=FOUND.other_loss - 0.1)
    assert "0.087 below the reference: a good model" in model_sentence(below, 0, -1)
    with pytest.raises(IndexError, match="4 models were trained again; there is no number 5"):
        model_sentence(FOUND, 0, -last - 1)


def test_how_exact_scores_are() -> None:
    assert (
        "Scores are means over 100 drawn permutations of 1000 rows: ± 0.0008 at the most, two "
        "standard errors."
    ) in notes(FOUND)
    assert "Scores are exact on these 1000 rows: averages over all permutations." in notes(
        with_scores(0.1)
    )
    part = {**FOUND.manifest, "outcome": {**FOUND.manifest["outcome"], "exact_pairs": 3}}
    assert any("(3 of 15 pairs exact)" in note for note in notes(replace(FOUND, manifest=part)))


def test_what_else_to_know() -> None:
    assert "4 models were trained again; 3 of them are as good." in notes(FOUND)
    assert not any("trained" in note for note in notes(with_scores(0.1)))
    slow = {**FOUND.manifest, "outcome": {**FOUND.manifest["outcome"], "slow_searches": 1}}
    assert ("The loss rises and falls along 1 direction: it was searched step by step.") in notes(
        replace(FOUND, manifest=slow)
    )
    assert not any("step by step" in note for note in notes(FOUND))
    assert "A single picture." in notes(told(FOUND, notes=["a single picture"]))
    assert "The reference's loss is 0: ε is a number, and no share of it." in notes(
        told(FOUND, rates=[])
    )
    short = [
        note for note in notes(interaction_made_up.interactions(idle=[0, 1, 2])) if "mask" in note
    ]
    assert short == [
        "Masking age, prior offences and charge makes no difference to the loss: their masks stay "
        "where they are."
    ]


def test_rounding_is_no_interaction() -> None:
    found = with_scores(-7e-16, 3e-8, 0.0)
    assert heatmap_sentence(found) == "In no good model can an interaction be told from zero."
    assert "There is no pair in whose sign they all agree." in swarm_sentence(found)
    assert "the same interaction score, 0." in swarm_sentence(found)
    assert "interaction score of age × LDL is 0, the reference's 0." in model_sentence(found, 1, 5)
    values, _ = pair_heatmap.cells_of(found, "median")
    assert not np.nansum(np.abs(values))
    assert "interact" in heatmap_sentence(with_scores(-7e-6, 3e-6, 0.0))


def test_reliance_on_rounding_is_none() -> None:
    found = with_scores(0.0)
    effects = np.zeros_like(found.effects)
    effects[..., 0] = 3e-9
    assert "no feature that every good model relies on" in (
        swarm_sentence(replace(found, effects=effects), "columns", "reliance")
    )
    effects = np.zeros_like(found.effects)
    effects[..., 0] = 3e-3
    assert "Every good model relies on age" in (
        swarm_sentence(replace(found, effects=effects), "columns", "ratio")
    )


def test_a_ball_of_rounding() -> None:
    ball = interaction_made_up.ball()
    effects, subsets = np.zeros_like(ball.effects), ball.manifest["display"]["subsets"]
    effects[subsets.index(ball.features.tolist())] = 1.3e-15
    error = np.zeros_like(ball.error)
    assert "no more and no less than each alone" in (
        ball_sentence(replace(ball, effects=effects, error=error))
    )


def test_a_single_picture_has_no_rows() -> None:
    found, _ = interaction_made_up.with_regions()
    for samples, said, noted in (
        (1, "The losses are those of this one picture.", "exact for this one picture"),
        (20, "exact on the 20 pictures looked at", "drawn permutations of 20 pictures"),
    ):
        outcome = {**found.manifest["outcome"], "samples": samples}
        some = replace(found, manifest={**found.manifest, "outcome": outcome})
        assert said in halo_sentence(some, 0)
        assert any(noted in note for note in notes(some))
        assert not any("row" in note for note in [halo_sentence(some, 0), *notes(some)])
