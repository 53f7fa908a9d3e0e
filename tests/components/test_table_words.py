"""Sentences read the data: when the data flips, the sentence must flip."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from components import made_up
from components.table_words import (
    agreement_sentence,
    effects_sentence,
    groups_sentence,
    nearest_sentence,
    scores_sentence,
    surrogate_sentence,
    swarm_sentence,
    waterfall_sentence,
)
from engine.results import Attribution
from engine.table_results import Effects, Swarm


def row(values: dict[int, float], output: str = "probability", **display: str) -> Attribution:
    filled = np.zeros(15)
    for place, value in values.items():
        filled[place] = value
    found = made_up.attribution(filled, output)
    found.manifest["display"] |= display
    if display.get("task") == "regression":
        found.manifest["request"]["target"]["name"] = "Progression"
    return found


UP = {0: 0.4, 1: 0.3, 2: -0.15}
DOWN = {0: -0.14, 1: -0.05, 2: 0.06}


def test_row_up() -> None:
    assert waterfall_sentence(row(UP)) == (
        "The model says 75 % malignant, up from 20 % for the average row: mostly because of worst "
        "area (880 mm²) and worst concave points (817), while mean texture (754) speaks against it."
    )


def test_row_down_says_the_opposite() -> None:
    told = waterfall_sentence(row(DOWN))
    assert "7 % malignant, down from 20 %" in told
    assert "mostly because of worst area" in told
    assert "mean texture (754) speaks for it" in told
    assert "against" not in told


def test_row_names_only_what_counts() -> None:
    told = waterfall_sentence(row({0: 0.4, 1: 0.01, 2: -0.01}))
    assert "mostly because of worst area (880 mm²)." in told
    assert "texture" not in told


def test_row_where_nothing_changes() -> None:
    told = waterfall_sentence(row({0: 0.2, 1: -0.2}))
    assert told.startswith("The model says 20 % malignant, as for the average row")
    assert "cancel out" in told
    assert "no column moves it" in waterfall_sentence(row({}))


def test_row_with_a_residual_says_so() -> None:
    for extra, told in (
        (0.1, "10 points of the difference are not shared out."),
        (-0.1, "Together the columns overshoot the difference by 10 points."),
    ):
        found = row(UP)
        found.manifest["outcome"]["completeness"]["difference"] += extra
        assert waterfall_sentence(found).endswith(told)
    assert "shared out" not in waterfall_sentence(row(UP))


def test_row_of_a_score_and_of_a_value() -> None:
    assert waterfall_sentence(row(UP, "logit")).startswith(
        "The score of malignant is 0.75, up from 0.2 for the average row"
    )
    value = waterfall_sentence(row({0: 40.0, 2: -8.0}, "logit", task="regression"))
    assert value.startswith("The progression is 32.2, up from 0.2 for the average row")
    assert "mean texture (754) pulls it down" in value
    fallen = waterfall_sentence(row({0: -40.0, 2: 8.0}, "logit", task="regression"))
    assert "mean texture (754) pushes it up" in fallen


def test_row_held_against_many() -> None:
    found = row(UP)
    found.manifest["outcome"]["background"] = {"rows": 100, "of": 569, "fills": []}
    assert "up from 20 % on average over 100 rows" in waterfall_sentence(found)


def test_names_of_outcomes_with_spaces_are_quoted() -> None:
    found = row(UP)
    found.manifest["request"]["target"]["name"] = "earns over 50K"
    assert "75 % “earns over 50K”, up" in waterfall_sentence(found)


def test_row_of_a_method_without_a_base() -> None:
    def told(values: dict[int, float], **more: str) -> str:
        found = row(values, **more)
        del found.manifest["outcome"]["base"]
        return waterfall_sentence(found)

    assert told({0: 0.4, 2: -0.2}) == (
        "Worst area (880 mm²) speaks for malignant most; most against it: mean texture (754)."
    )
    assert told({0: -0.4, 2: 0.2}) == (
        "Mean texture (754) speaks for malignant most; most against it: worst area (880 mm²)."
    )
    assert told({0: -0.4, 1: -0.3}) == (
        "Nothing speaks for malignant; worst area (880 mm²) and worst concave points (817) speak "
        "against it most."
    )
    assert told({}) == "No column speaks for or against malignant."
    value = told({0: 3.0, 2: -2.0}, output="logit", task="regression")
    assert value == (
        "Worst area (880 mm²) raises the progression most; most lowered by mean texture (754)."
    )


def swarm(sign: float, column: int = 0) -> Swarm:
    given = made_up.swarm()
    values = np.zeros_like(given.values)
    values[:, column] = sign * (given.inputs[:, column] - 600) / 4200
    return replace(given, values=values)


def test_swarm_direction_flips() -> None:
    up, down = swarm_sentence(swarm(1)), swarm_sentence(swarm(-1))
    assert up.startswith("Worst area moves predictions most, by ")
    assert "points on average" in up
    assert up.endswith("high values push towards malignant.")
    assert down.endswith("high values push away from malignant.")


def test_swarm_both_ways_and_none() -> None:
    given = made_up.swarm()
    values = np.zeros_like(given.values)
    rank = np.argsort(np.argsort(given.inputs[:, 0]))
    values[:, 0] = np.abs(rank - 99.5) / 1000
    assert swarm_sentence(replace(given, values=values)).endswith("high values push both ways.")
    nothing = replace(given, values=np.zeros_like(values))
    assert swarm_sentence(nothing) == "No column moves the predictions."


@pytest.mark.parametrize(("best", "name"), [(1, "low"), (3, "high")])
def test_swarm_of_a_category_names_the_one_that_pushes_up(best: int, name: str) -> None:
    given = made_up.swarm()
    values = np.zeros_like(given.values)
    values[:, 3] = np.where(given.inputs[:, 3] == best, 0.2, -0.1)
    told = swarm_sentence(replace(given, values=values))
    assert told.startswith("Mean symmetry moves predictions most")
    assert told.endswith(f"“{name}” pushes most towards malignant.")


def test_swarm_of_a_regression() -> None:
    for sign, way in ((1, "up"), (-1, "down")):
        given = swarm(sign)
        given.manifest["request"] |= {"output": "logit", "target": {"index": 0, "name": "Price"}}
        given.manifest["display"]["task"] = "regression"
        assert swarm_sentence(given).endswith(f"high values push the price {way}.")


def test_scores_name_the_first_and_count_the_idle() -> None:
    values = np.zeros(15)
    values[1], values[2] = 0.12, 0.05
    assert scores_sentence(made_up.scores(values)) == (
        "Shuffling worst concave points costs most (0.12 ± 0.008 log-loss); "
        "13 of 15 columns make no measurable difference."
    )
    values[2] = 0.2
    assert scores_sentence(made_up.scores(values)).startswith("Shuffling mean texture costs most")
    assert "13 of" not in scores_sentence(made_up.scores(np.full(15, 0.1)))


def test_scores_count_one_idle_column_as_one() -> None:
    values = np.full(15, 0.1)
    values[3] = 0
    told = scores_sentence(made_up.scores(values))
    assert told.endswith("; 1 of 15 columns makes no measurable difference.")


def test_scores_where_nothing_counts() -> None:
    told = scores_sentence(made_up.scores(np.zeros(15)))
    assert told == "By this measure, all 15 columns make no measurable difference."


@pytest.mark.parametrize(
    ("measure", "begin"),
    [
        ("outrank", "Knowing worst area tells most about the outcome"),
        ("quick-selection", "The network that mends noisy rows leans most on worst area"),
        ("another", "Worst area counts most"),
    ],
)
def test_scores_speak_of_what_the_measure_does(measure: str, begin: str) -> None:
    assert scores_sentence(made_up.scores(measure=measure)).startswith(begin)


def effect(values: np.ndarray, **more: object) -> Effects:
    given = made_up.effects()
    count = len(values)
    return replace(
        given,
        grid=np.linspace(0, 100, count),
        values=np.asarray(values, dtype=np.float32),
        error=np.full(count, 0.001, dtype=np.float32),
        lines=None,
        rows=None,
        **more,
    )


RISING = 1 / (1 + np.exp(-(np.linspace(0, 100, 41) - 70) / 4))


def test_effects_rising_and_falling() -> None:
    up, down = effects_sentence(effect(RISING)), effects_sentence(effect(1 - RISING))
    assert up.startswith(
        "With worst area from 0 to 100 mm², the average probability of malignant rises from "
    )
    assert up.endswith("steepest around 70 mm².")
    assert " falls from " in down
    assert down.endswith("steepest around 70 mm².")
    early = effects_sentence(effect(RISING[::-1] * -1 + 1))
    assert early.endswith("steepest around 30 mm².")


def test_effects_evenly() -> None:
    assert effects_sentence(effect(np.linspace(0.1, 0.6, 20))).endswith("about evenly.")


def test_effects_that_turn() -> None:
    hill = np.exp(-(((np.linspace(0, 100, 41) - 40) / 20) ** 2))
    told = effects_sentence(effect(hill))
    assert "rises, then falls" in told
    assert "highest around 40 mm² (100 %)" in told
    valley = effects_sentence(effect(1 - hill))
    assert "falls, then rises" in valley
    assert "lowest around 40 mm² (0 %)" in valley


def test_effects_flat_and_restless() -> None:
    assert effects_sentence(effect(np.full(10, 0.4))).endswith("hardly moves.")
    noisy = effect(np.linspace(0.4, 0.43, 10))
    assert " rises from " in effects_sentence(noisy)
    unsure = replace(noisy, error=np.full(10, 0.02, dtype=np.float32))
    assert effects_sentence(unsure).endswith("hardly moves.")
    waves = 0.5 + 0.4 * np.sin(np.linspace(0, 6 * np.pi, 60))
    assert "goes up and down between 10 % and 90 %" in effects_sentence(effect(waves))


def test_effects_that_all_rows_share_are_told_though_rows_differ_in_level() -> None:
    given = effect(np.linspace(-15, 15, 10))
    given.manifest["request"]["output"] = "logit"
    band = replace(given, error=np.full(10, 20, dtype=np.float32))
    assert effects_sentence(band).endswith("hardly moves.")
    band.manifest["outcome"]["difference_error"] = 0.1
    assert " rises from −15 to 15" in effects_sentence(band)
    band.manifest["outcome"]["difference_error"] = 16.0
    assert effects_sentence(band).endswith("hardly moves.")


def test_local_effects_are_changes() -> None:
    given = effect(RISING - 0.3)
    given.manifest["request"]["measure"]["name"] = "accumulated-effects"
    told = effects_sentence(given)
    assert "the effect on the probability of malignant rises from −30 points to +70 points" in told


def test_effects_of_categories_flip() -> None:
    given = made_up.effects(category=True)
    told = effects_sentence(given)
    assert "highest for “often” (87 %) and lowest for “never” (13 %)" in told
    turned = effects_sentence(replace(given, values=given.values[::-1].copy()))
    assert "highest for “never” (87 %) and lowest for “often” (13 %)" in turned
    same = replace(given, values=np.full(4, 0.3, dtype=np.float32))
    assert effects_sentence(same).endswith("is much the same for every worst area.")


def test_groups() -> None:
    told = groups_sentence(made_up.groups())
    assert told == (
        "The 15 columns form 3 groups; the group of worst area, worst concave points and 5 more "
        "counts most (20 points on average), then the group of measure 8, measure 9 and 3 more "
        "(10 points)."
    )
    given = made_up.groups()
    alone = replace(
        given,
        group=np.arange(15, dtype=np.int32)[::-1].copy(),
        values=np.linspace(0.3, 0, 15).astype(np.float32),
        error=None,
    )
    assert groups_sentence(alone).startswith(
        "No two columns go together closely; measure 15 counts"
    )
    one = replace(given, group=np.zeros(15, dtype=np.int32), values=np.array([0.3], np.float32))
    assert groups_sentence(one) == "All 15 columns go together: they form one group."


def pairs(a: float, b: float, c: float) -> np.ndarray:
    return np.array([[1, a, b], [a, 1, c], [b, c, 1]])


def test_agreement_names_the_pair_and_the_odd_one() -> None:
    assert agreement_sentence(made_up.agreement(pairs(0.91, 0.25, 0.15))) == (
        "Permutation and SHAP agree most (0.91); OutRank goes its own way (0.2 on average)."
    )
    assert agreement_sentence(made_up.agreement(pairs(0.25, 0.15, 0.91))) == (
        "SHAP and OutRank agree most (0.91); permutation goes its own way (0.2 on average)."
    )


def test_agreement_of_all_and_of_none() -> None:
    assert "can be relied on" in agreement_sentence(made_up.agreement(pairs(0.9, 0.85, 0.8)))
    assert "no two measures tell the same order" in agreement_sentence(
        made_up.agreement(pairs(0.2, 0.15, 0.1))
    )
    assert "the least agreement of two is 0.5" in agreement_sentence(
        made_up.agreement(pairs(0.6, 0.55, 0.5))
    )


@pytest.mark.parametrize(
    ("rho", "how"), [(0.9, " agree on"), (0.5, " agree in part on"), (-0.2, " disagree on")]
)
def test_agreement_of_two(rho: float, how: str) -> None:
    told = agreement_sentence(made_up.agreement(np.array([[1, rho], [rho, 1]])))
    assert how in told


def test_surrogate_says_honestly_when_it_is_poor() -> None:
    good = surrogate_sentence(made_up.surrogate(r2=0.87))
    assert good == (
        "A tree of 7 questions decides like the model in 91 % of the rows it has not seen "
        "(fidelity R² 0.87)."
    )
    assert surrogate_sentence(made_up.surrogate(r2=0.6)).endswith(
        "a sketch of the model, not more."
    )
    poor = surrogate_sentence(made_up.surrogate(r2=0.2))
    assert poor.endswith("too little to be trusted as an explanation.")
    assert surrogate_sentence(made_up.surrogate(1)).startswith("A tree of 1 question decides")


def test_surrogate_of_a_regression_or_of_nothing() -> None:
    given = made_up.surrogate()
    given.manifest["outcome"]["fidelity"] = {"rows": 9, "r2": 0.9}
    assert "follows the model's numbers (fidelity R² 0.9)" in surrogate_sentence(given)
    given.manifest["outcome"]["fidelity"] = {"rows": 9}
    assert "nothing for a tree to imitate" in surrogate_sentence(given)


def test_nearest_row() -> None:
    changes = [("Worst area", 880.0, 520.0), ("LDL", 3, None), ("Job", "a", "b"), ("Age", 1, 2)]
    assert nearest_sentence("row 7", "malignant", 87, "benign", changes) == (
        "The nearest row with the other outcome (benign instead of malignant) is row 87; it "
        "differs from row 7 most in worst area (880 → 520), LDL (3 → empty) and job (a → b)."
    )
    turned = nearest_sentence("row 7", "benign", 87, "malignant", changes[:1])
    assert "malignant instead of benign" in turned
    assert turned.endswith("it differs from row 7 in worst area (880 → 520).")
    assert nearest_sentence("row 7", "", 3, "higher", []).startswith(
        "The nearest row with a higher value is row 3; no column"
    )


def test_slopes_are_no_evidence_and_flip_with_the_data() -> None:
    def told(values: dict[int, float]) -> str:
        found = row(values)
        del found.manifest["outcome"]["base"]
        found.manifest["display"]["view"] = "magnitude"
        return waterfall_sentence(found)

    assert told({0: 0.4, 2: -0.2}) == (
        "The probability of malignant would rise if worst area (880 mm²) rose and fall if mean "
        "texture (754) rose a little; this is no evidence."
    )
    flipped = told({0: -0.4, 2: 0.2})
    assert flipped.startswith("The probability of malignant would rise if mean texture (754) rose")
    assert "No column would move" in told({})
