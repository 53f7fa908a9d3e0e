"""The page "Interactions", without a browser: what each choice does to what is shown."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

import engine
from components import swarm_places
from components.interaction_names import order_of, place_of
from components.words import passes_told
from dashboard.interactions import exporting, marks, published
from dashboard.running import explanations, interactions, keeping, own_models
from dashboard.running.own_models import OwnModel
from engine.errors import Cancelled
from engine.inputs.sample_tables import load_sample_table
from engine.interaction_results import Interactions
from engine.interactions.showing import predict_with_masks
from engine.interactions.table_world import TableWorld

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

pytestmark = pytest.mark.filterwarnings("ignore")


def begun(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    page.switch_page("pages/interactions.py")
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


def told(page: AppTest) -> str:
    """All text of the page, as it is read."""
    parts = [*page.markdown, *page.caption, *page.info, *page.warning, *page.error]
    return " ".join(part.value for part in parts).replace("\\", "")


def address(page: AppTest) -> dict[str, str]:
    return {k: v if isinstance(v, str) else v[0] for k, v in page.query_params.items()}


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def button(page: AppTest, label: str) -> Any:
    return next(one for one in page.button if one.label == label)


@pytest.fixture(scope="module")
def compas() -> Interactions:
    return engine.measure_interactions("compas-logistic", "sample:compas")


def test_it_opens_with_an_answer() -> None:
    page = opened()
    assert not page.error
    assert "6172 rows" in told(page)
    assert "Scores are exact on these 6172 rows" in told(page)
    assert any("Never to be used for decisions" in one.value for one in page.warning)
    assert address(page) == {"model": "compas-logistic", "table": "compas"}


@pytest.mark.parametrize("view", ["halos", "swarm", "strengths", "ball"])
def test_every_view_has_its_sentence(view: str, compas: Interactions) -> None:
    page = opened(view=view)
    assert not page.error
    said = {
        "halos": "together does not cost what both cost alone",
        "swarm": "Over the good models the interaction score of",
        "strengths": "all good models",
        "ball": "together does not cost what they cost alone",
    }
    assert said[view] in told(page)


def test_a_model_of_the_cloud_gets_its_card(compas: Interactions) -> None:
    page = opened(pair="1:4", one="185")
    pair = place_of(compas, 1, 4)
    assert pair is not None
    assert "Model 185 · African-American × Any juvenile offence" in told(page)
    assert "In the set" in told(page)
    shown = metrics(page)
    assert shown["m of African-American"] == f"{compas.pair_masks(pair)[185, 0]:.3g}"
    assert shown["Log-loss"] == f"{compas.loss[pair, 185]:.4g}"
    page.select_slider(key="i.ring").set_value(1).run()
    assert "Out of bound" in told(page)


def test_its_predictions_are_those_of_the_masked_model(compas: Interactions) -> None:
    page = opened(pair="1:4", one="185", row="7")
    pair = place_of(compas, 1, 4)
    assert pair is not None
    row = load_sample_table("compas").row(7)
    model = engine.load_model("compas-logistic")
    both = predict_with_masks(model, row, np.stack([np.ones(6), compas.mask(pair, 185)]))
    assert "What both say of row 7 of COMPAS" in told(page)
    alt = [one.proto.alt for one in page.get("plotly_chart") if "the reference" in one.proto.spec]
    assert all(f"{100 * share:.1f} %" in alt[-1] for share in both[:, 0])


def test_a_mask_over_nothing_is_told(compas: Interactions) -> None:
    column = load_sample_table("compas").frame["juvenile_any"].astype(int)
    for value in (0, 1):
        page = opened(pair="1:4", one="20", row=str(int((column == value).argmax()) + 1))
        assert metrics(page)["m of African-American"] == "1"
        assert ("Both say the same here" in told(page)) == (value == 0)


def test_the_widgets_are_twins_of_the_clicks(compas: Interactions) -> None:
    page = opened()
    strongest = order_of(compas)[0]
    pair = next(one for one in page.selectbox if one.label == "Pair")
    assert pair.value == strongest
    pair.select(place_of(compas, 0, 3)).run()
    assert address(page)["pair"] == "0:3"
    next(one for one in page.number_input if one.label == "Model").set_value(3).run()
    assert address(page)["one"] == "3"
    assert "Model 3 · Younger than 21 × Male" in told(page)
    button(page, "Close").click().run()
    assert "one" not in address(page)
    assert address(page)["pair"] == "0:3"


def test_a_pair_that_is_left_takes_its_model_along() -> None:
    page = opened(pair="0:3", one="17")
    pair = next(one for one in page.selectbox if one.label == "Pair")
    pair.select(0).run()
    assert "one" not in address(page)


def test_the_slider_runs_no_pass() -> None:
    page = opened(view="swarm")
    before = len(explanations.queue()._jobs)
    key = next(iter(job.key for job in explanations.queue()._jobs.values()))
    spread = told(page)
    page.select_slider(key="i.ring").set_value(2).run()
    assert told(page) != spread
    assert len(explanations.queue()._jobs) == before
    assert explanations.queue().find(key) is not None
    assert address(page)["ring"] == "2"


def test_the_dots_of_a_swarm_are_laid_once(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened(view="swarm", pair="1:4", one="185")
    laid: list[tuple[Any, ...]] = []
    real = swarm_places.laid

    def counted(*given: Any, **more: Any) -> Any:
        laid.append(given[1:])
        return real(*given, **more)

    monkeypatch.setattr(swarm_places, "laid", counted)
    page.select_slider(key="i.ring").set_value(2).run()
    page.toggle(key="i.box").set_value(True).run()
    assert not laid
    page.toggle(key="i.absolute").set_value(True).run()
    page.session_state["i.of"] = "columns"
    page.run()
    assert laid == [("pairs", "score"), ("columns", "score")]


def test_smaller_sets_are_those_of_a_smaller_epsilon(compas: Interactions) -> None:
    page = opened(view="strengths", ring="2")
    table = page.dataframe[0].value
    spread = compas.spread(float(compas.epsilons[1]))
    for line, pair in zip(table.to_dict("records"), order_of(compas), strict=True):
        assert [line["min"], line["median"], line["max"]] == pytest.approx(spread[pair].tolist())


def test_a_point_of_a_smaller_halo_has_a_card_without_scores(compas: Interactions) -> None:
    page = opened(pair="1:4", ring="3", one="h2.12")
    pair = place_of(compas, 1, 4)
    assert pair is not None
    curve = compas.halo(pair, 2)
    assert "A point of a smaller halo" in told(page)
    loss = compas.base_loss + float(curve.radius[12])
    assert metrics(page)["Log-loss"] == f"{loss:.4g}"
    assert "Interaction score" not in metrics(page)


def test_points_of_the_largest_halo_are_models_of_the_cloud(compas: Interactions) -> None:
    curve = compas.halo(0)
    for at in range(0, 36, 5):
        member = marks.member_of(compas, 0, marks.named(compas, 0, 4, at))
        assert member is not None
        assert member.cloud is not None
        assert member.loss == pytest.approx(compas.base_loss + curve.radius[at])
    assert marks.named(compas, 0, 1, 7) == "h1.7"


def test_models_that_were_trained_again() -> None:
    page = begun(model="compas-logistic", retrained="3", one="r1", pair="1:4")
    assert "and 3 models to train" in told(page)
    button(page, "Measure").click().run()
    finished(page)
    assert "Model 2 of those trained again" in told(page)
    assert "3 models were trained again" in told(page)
    assert "Trained with seed" in told(page)
    assert next(one for one in page.number_input if one.label == "Model").value == 266


def test_other_measures_stand_beside_on_demand(compas: Interactions) -> None:
    page = opened(view="strengths")
    assert "H²" not in page.dataframe[0].value
    page.toggle(key="i.compare").set_value(True).run()
    finished(page)
    table = page.dataframe[0].value
    expected = engine.compare_pairs("compas-logistic", "sample:compas", pairs=compas.pairs.tolist())
    order = order_of(compas)
    assert table["H²"].tolist() == pytest.approx(expected.h[order].tolist(), abs=1e-8)
    assert table["SHAP"].tolist() == pytest.approx(expected.shap[order].tolist(), abs=1e-8)


def test_published_ranges_stand_beside_ours(compas: Interactions) -> None:
    table = published.table_of(compas).set_index("column")
    ours = compas.reliance_range(0.05 * compas.base_loss, ratio=True)
    place = compas.columns.index("priors_any")
    assert table.loc[compas.titles[place], "ours"] == f"{ours[place, 0]:.2f} … {ours[place, 1]:.2f}"
    assert table.loc[compas.titles[place], "published"] == "1.12 … 1.37"
    assert "context, no target" in told(opened())


def test_nothing_published_stands_beside_a_loss_of_zero(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import factorial, linear, table_of

    x = factorial(2)
    monkeypatch.setattr(published, "COMPAS", {"x0": ("one", 1.0, 1.1), "x1": ("two", 1.0, 1.1)})
    frame = table_of(x, x[:, 0] + 0.5 * x[:, 1]).frame
    page = with_own(monkeypatch, linear([1.0, 0.5]), frame)
    page.session_state["i.allow"] = "number"
    page = finished(page.run())
    assert "How sure is this?" in [one.label for one in page.expander]
    assert "Beside what was published" not in [one.label for one in page.expander]


def test_rounding_is_no_score_in_table_and_card(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import factorial, linear, table_of

    x, weights = factorial(2), np.array([1.7, -0.53])
    own = linear(weights)
    frame = table_of(x, x @ weights + 0.7).frame
    page = finished(with_own(monkeypatch, own, frame))
    page.session_state["i.view"] = "strengths"
    page.run()
    (line,) = page.dataframe[0].value.to_dict("records")
    assert [line[name] for name in ("reference", "min", "median", "max")] == [0, 0, 0, 0]
    page.session_state["i.view"] = "swarm"
    page.run()
    next(one for one in page.number_input if one.label == "Model").set_value(9).run()
    assert metrics(page)["Interaction score"] == "0"


def test_a_link_restores_what_is_shown() -> None:
    query = {
        "model": "compas-mlp", "table": "compas", "view": "swarm", "of": "columns",
        "value": "ratio", "rate": "5", "seed": "3", "rows": "400", "repeats": "40", "row": "9",
        "pairs": "0:1,2:4", "pair": "2:4", "one": "20", "ring": "4", "absolute": "1", "box": "1",
        "rings": "0", "threshold": "0.5",
    }  # fmt: skip
    page = opened(**query)
    assert not page.warning or all("followed" not in one.value for one in page.warning)
    assert address(page) == query


@pytest.mark.parametrize(
    "query",
    [
        {"model": "no-such-model"},
        {"rate": "none"},
        {"epsilon": "-1"},
        {"repeats": "5"},
        {"pair": "priors"},
        {"pairs": "0:1,first:second"},
        {"one": "the best", "pair": "0:1"},
        {"view": "sideways"},
        {"row": "zero"},
        {"pair": "0:99"},
        {"pairs": "0:1,0:99"},
        {"pair": "0:1", "one": "9999"},
        {"view": "ball", "features": "0,1,99"},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query: dict[str, str]) -> None:
    page = begun(**query)
    assert any("could not be followed" in one.value for one in page.warning)
    assert not page.exception
    assert "How sure is this?" in [one.label for one in finished(page).expander]


def test_slow_work_says_its_cost_and_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(interactions, "seconds", lambda plan: 600.0)
    page = begun(model="diabetes-mlp")
    usual = engine.plan_interactions("diabetes-mlp", "sample:diabetes").usual
    passes = f"about {passes_told(usual)}, on 442 rows"
    assert f"About 10.0 min · the strongest pairs · {passes}" in told(page)
    assert "It begins at the press of the button." in told(page)
    assert button(page, "Measure")


def test_cancelling_tells_that_what_is_done_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    def cancelled(*_args: object, **_more: object) -> None:
        raise Cancelled("cancelled")

    monkeypatch.setattr("engine.interactions.planning.InteractionPlan.run", cancelled)
    page = finished(begun(seed="77"))
    assert "Cancelled. Pairs that were done are kept: it goes on from there." in told(page)
    monkeypatch.undo()
    button(page, "Start again").click().run()
    assert "How sure is this?" in [one.label for one in finished(page).expander]


def test_stopped_work_goes_on_from_the_pairs_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALOSCOPE_CACHE", str(tmp_path))
    monkeypatch.setenv("HALOSCOPE_CACHE_MB", "64")
    first = engine.plan_interactions("compas-logistic", "sample:compas", pairs=[(0, 1)], seed=91)
    whole = engine.plan_interactions("compas-logistic", "sample:compas", seed=91)
    first.run(keeper=keeping.Keeping())
    job = interactions.submit(whole)
    assert job.wait(600)
    assert job.result.outcome["resumed_pairs"] == 1
    assert interactions.is_kept(whole)


def test_the_estimate_is_of_the_right_size() -> None:
    plan = engine.plan_interactions(
        "diabetes-mlp", "sample:diabetes", pairs=[(0, 1), (2, 3)], repeats=40, seed=5
    )
    estimate = interactions.seconds(plan)
    spent = plan.run().outcome["seconds"]
    assert spent / 10 < estimate < 10 * spent


def test_a_machine_that_stands_still_for_a_moment_makes_no_estimate_of_hours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan = engine.plan_interactions("diabetes-mlp", "sample:diabetes", pairs=[(0, 1)], repeats=40)
    data = interactions.data_of(plan)
    usual, looks = interactions._timed(data), 0

    def slow(self: TableWorld, *args: Any, **more: Any) -> Any:
        nonlocal looks
        looks += 1
        if looks == 2:  # the first with several permutations
            time.sleep(0.1)
        return moved(self, *args, **more)

    moved = TableWorld.moved
    monkeypatch.setattr(TableWorld, "moved", slow)
    assert interactions._timed(data) < 10 * usual
    assert looks > 3


def test_the_csv_has_every_model(compas: Interactions) -> None:
    rows = list(csv.DictReader(io.StringIO(exporting.as_csv(compas))))
    assert len(rows) == compas.loss.size
    models = len(compas.steps)
    for pair, model in ((0, 0), (3, 17), (14, models - 1)):
        row = rows[pair * models + model]
        assert row["first"] == compas.columns[compas.pairs[pair, 0]]
        assert int(row["model"]) == model
        assert float(row["first mask"]) == pytest.approx(compas.pair_masks(pair)[model, 0])
        assert float(row["loss"]) == pytest.approx(compas.loss[pair, model])
        assert float(row["score"]) == pytest.approx(compas.scores[pair, model], rel=1e-6)
        assert float(row["effect of both"]) == pytest.approx(compas.effects[pair, model, 2])
        assert int(row["in set"]) == compas.members()[pair, model]


def test_models_trained_again_are_in_the_csv() -> None:
    found = engine.measure_interactions(
        "compas-logistic", "sample:compas", pairs=[(0, 1)], rows=200, retrained=2
    )
    rows = list(csv.DictReader(io.StringIO(exporting.as_csv(found))))
    assert [row["model"] for row in rows[-2:]] == ["trained again 1", "trained again 2"]
    assert found.other_loss is not None
    assert float(rows[-1]["loss"]) == pytest.approx(found.other_loss[1])
    assert rows[-1]["first mask"] == ""


def test_a_picture_in_regions() -> None:
    page = begun(model="digits-cnn", pairs="0:1", regions="9")
    waiting = [one for one in page.button if one.label == "Measure"]
    if waiting:  # on a slow machine
        waiting[0].click().run()
    finished(page)
    assert "On the picture" in [
        option for group in page.get("button_group") for option in map(str, group.options)
    ]
    assert "one picture" in told(page)
    assert "hidden together they cost" in told(page) or "No two regions interact" in told(page)
    assert not page.error


# --- bad input: each is told in one line ---


def upload(page: AppTest, content: bytes) -> AppTest:
    page.selectbox(key="i.table").select("own").run()
    page.get("file_uploader")[0].upload("mine.csv", content, "text/csv").run()
    assert not page.exception
    return page


def compas_csv(rows: int = 300, **changes: Any) -> bytes:
    frame = load_sample_table("compas").frame.head(rows).copy()
    for name, value in changes.items():
        frame[name] = value
    return frame.to_csv(index=False).encode()


def test_missing_labels() -> None:
    frame = load_sample_table("compas").frame.head(50).drop(columns="two_year_recid")
    page = upload(begun(), frame.to_csv(index=False).encode())
    assert "interactions compare with the truth" in told(page).lower()
    assert len(page.warning) == 2  # that, and what the model's card says


def test_too_few_rows() -> None:
    page = upload(begun(), compas_csv(1))
    assert "1 usable row; permuting needs at least 2" in told(page)


def test_few_rows_are_averaged_exactly() -> None:
    page = finished(upload(begun(), compas_csv(5)))
    assert "Scores are exact on these 5 rows" in told(page)


def test_a_class_that_is_not_in_the_table() -> None:
    page = finished(upload(begun(), compas_csv(60, two_year_recid=1)))
    assert "No row is of the class" in told(page)


def test_columns_that_are_the_same_everywhere_and_copies() -> None:
    content = compas_csv(200, male=1)
    page = finished(upload(begun(), content))
    assert "Male is the same in all rows: permuting it changes nothing" in told(page)
    frame = load_sample_table("compas").frame.head(200)
    page = finished(upload(begun(), compas_csv(200, juvenile_any=frame["priors_any"])))
    assert "Any juvenile offence is a copy of Any prior offence" in told(page)


def test_a_category_that_the_model_does_not_know() -> None:
    frame = load_sample_table("adult").frame.head(30).copy()
    name = engine.load_model("adult-mlp").table_spec.columns[1].name
    frame[name] = frame[name].astype(object)
    frame.loc[3, name] = "no-such-thing"
    page = upload(begun(model="adult-mlp"), frame.to_csv(index=False).encode())
    assert [one for one in page.error if "row 4" in one.value]
    assert len(page.error) == 1


def added(model: Any, title: str) -> OwnModel:
    """An own model, as the page "Own model" would put it into the list."""
    return OwnModel(title, model, None, None)  # type: ignore[arg-type]


def with_own(monkeypatch: pytest.MonkeyPatch, model: Any, frame: Any) -> AppTest:
    own = added(model, "Mine")
    monkeypatch.setattr(own_models, "_known", lambda: {own.ref: own})
    return upload(begun(model=own.ref), frame.to_csv(index=False).encode())


def test_a_single_column(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import linear

    frame = load_sample_table("compas").frame.head(6)[["male"]].assign(y=[1.0, 2, 3, 4, 5, 6])
    frame = frame.rename(columns={"male": "x0"})
    page = with_own(monkeypatch, linear([1.0]), frame)
    assert "reads a single column, 'x0'; an interaction is between two" in told(page)


def test_a_loss_of_zero_offers_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import factorial, linear, table_of

    x = factorial(2)
    frame = table_of(x, x[:, 0] + 0.5 * x[:, 1]).frame
    page = finished(with_own(monkeypatch, linear([1.0, 0.5]), frame))
    assert "is 0 on these samples" in told(page)
    assert len(page.error) == 1
    button(page, "Take ε = 0.01").click().run()
    finished(page)
    assert not page.error
    assert "ε is a number" in told(page)
    assert address(page)["allow"] == "number"


def test_a_feature_that_the_model_ignores_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import factorial, linear, table_of

    x = factorial(3)
    frame = table_of(x, x[:, 0] + x[:, 1] + 0.3 * x[:, 0] * x[:, 1]).frame
    page = finished(with_own(monkeypatch, linear([1.0, 1.0, 0.0]), frame))
    assert "Masking x2 makes no difference to the loss" in told(page)


def test_a_model_that_fails_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.engine.interactions.making import factorial, formula, table_of

    def failing(v: Any) -> Any:
        if len(v) > 1:
            raise ValueError("no more than one")
        return v.sum(dim=1)

    x = np.repeat(factorial(2), 3, axis=0)
    page = with_own(monkeypatch, formula(failing, 2), table_of(x, np.arange(12.0)).frame)
    finished(page)
    (told_once,) = page.error
    assert "ValueError: no more than one" in told_once.value.replace("\\", "")
    assert "\n" not in told_once.value.replace("\\", "")


def test_predictions_of_other_regions_are_not_those_remembered() -> None:
    from dashboard.interactions import card
    from dashboard.interactions.choosing import Asked
    from dashboard.interactions.looked import Looked

    model, picture = engine.load_model("digits-cnn"), engine.load_sample("digits/3-00")
    regions = np.zeros((2, *model.spec.shape[-2:]), np.int32)
    regions[0, :, 14:] = regions[1, 14:] = 1
    mask = np.array([1.0, 0.0])
    for divided in regions:
        found = SimpleNamespace(regions=divided)
        looked = Looked(Asked("", model, picture=picture), found, True, 0, 0, None)  # type: ignore[arg-type]
        _, masked = card._said(looked, mask)
        expected = predict_with_masks(model, picture, mask, divided)[0]
        assert masked == pytest.approx(expected, rel=1e-4)


def test_no_table_yet_says_which_columns_it_needs() -> None:
    page = begun()
    page.selectbox(key="i.table").select("own").run()
    assert any("that has the model's columns" in one.value for one in page.info)
    assert "priors_any" in page.dataframe[0].value["Column"].tolist()


def test_a_link_to_an_own_table_says_which() -> None:
    page = begun(model="compas-logistic", table="own", file="mine.csv", digest="abc123abc123")
    assert any("This link was made with" in one.value for one in page.info)
    assert address(page)["file"] == "mine.csv"


def test_an_own_table_stays_in_its_session() -> None:
    upload(begun(), compas_csv(40))
    jobs = [job for job in explanations.queue()._jobs.values() if "own data" in job.title]
    assert jobs
    assert not [job for job in explanations.queue()._jobs.values() if "mine.csv" in job.title]


def test_a_pair_that_was_not_looked_at_closely_can_be_added() -> None:
    page = opened(view="strengths", pairs="2:4")
    page.session_state["i-far"] = (0, 1)  # as a click on the heatmap does
    page.run()
    assert "Younger than 21 × African-American was not looked at closely" in told(page)
    button(page, "Look at it too").click().run()
    finished(page)
    assert address(page)["pairs"] == "2:4,0:1"
    assert address(page)["pair"] == "0:1"
    assert len(page.dataframe[0].value) == 2


def test_a_ball_takes_three_features_or_four() -> None:
    page = opened(view="ball", features="0,2,3")
    page.multiselect(key="i.features").set_value([0, 2]).run()
    assert "Choose three features, or four" in told(page)
    page.multiselect(key="i.features").set_value([0, 2, 3, 4]).run()
    assert "younger than 21, any prior offence, male and any juvenile offence" in (
        told(finished(page))
    )


def test_a_region_that_is_not_there() -> None:
    page = opened(model="digits-cnn", pairs="0:11")
    assert "no region '11'" in told(page).lower()


# --- what is shown stays until something else is there ---


def badges(page: AppTest) -> str:
    return " ".join(one.value for one in page.markdown if "-badge[" in one.value)


@pytest.fixture
def slow(monkeypatch: pytest.MonkeyPatch) -> None:
    """From here on nothing begins unasked, but what is there is there."""
    monkeypatch.setattr(interactions, "seconds", lambda plan: 600.0)
    monkeypatch.setattr(interactions, "is_kept", lambda plan: False)


def halo_of(page: AppTest) -> str:
    """What is drawn of the pair that is looked at."""
    (one,) = (one.proto for one in page.get("plotly_chart") if "Halo of" in one.proto.alt)
    return str(one.alt + one.spec)


@pytest.mark.parametrize(
    ("key", "value", "changed"),
    [
        ("rate", 5.0, "how far above the loss"),
        ("allow", "number", "how far above the loss"),
        ("pairs", ["1:4", "3:5"], "pairs"),
        ("repeats", 40, "permutations"),
        ("rows", 300, "rows"),
        ("retrained", 2, "models trained again"),
        ("seed", 60, "seed"),
    ],
)
def test_a_changed_setting_leaves_the_old_figures_and_says_so(
    key: str, value: Any, changed: str, request: pytest.FixtureRequest
) -> None:
    page = opened(pair="1:4", one="185")
    assert "Up to date" in badges(page)
    before, card = halo_of(page), metrics(page)
    request.getfixturevalue("slow")
    page.session_state[f"i.{key}"] = value
    page.run()
    assert not page.exception
    assert button(page, "Measure")
    assert "Out of date" in badges(page)
    assert f"Changed since: {changed}." in told(page)
    assert "COMPAS logistic regression · COMPAS · 6172 rows" in told(page)
    assert "It begins at the press of the button." not in told(page)
    assert halo_of(page) == before
    assert metrics(page) == card
    button(page, "Measure").click().run()
    finished(page)
    assert "Up to date" in badges(page)
    assert "Changed since" not in told(page)


def test_going_back_needs_no_pass_and_is_up_to_date_again(request: pytest.FixtureRequest) -> None:
    page = opened()
    request.getfixturevalue("slow")
    page.session_state["i.seed"] = 61
    page.run()
    assert "Out of date" in badges(page)
    page.session_state["i.seed"] = 0
    page.run()
    assert "Up to date" in badges(page)
    assert not [one for one in page.button if one.label == "Measure"]


def test_figures_of_another_model_keep_their_own_names(request: pytest.FixtureRequest) -> None:
    page = opened(view="strengths", pair="1:4")
    before = page.dataframe[0].value
    request.getfixturevalue("slow")
    page.selectbox(key="i.model").select("diabetes-mlp").run()
    assert "Changed since: model and table." in told(page)
    assert page.dataframe[0].value.equals(before)
    pair = next(one for one in page.selectbox if one.label == "Pair")
    assert "African-American × Any juvenile offence" in pair.options
    assert any("Never to be used for decisions" in one.value for one in page.warning)
    assert "COMPAS logistic regression · COMPAS" in told(page)
    page.session_state["i.view"] = "ball"
    page.run()
    assert (
        "Younger than 21"
        in next(one for one in page.multiselect if one.label == "Features").options
    )
    button(page, "Measure").click().run()
    finished(page)
    assert "Up to date" in badges(page)
    assert not any("Never to be used" in one.value for one in page.warning)
    pair = next(one for one in page.selectbox if one.label == "Pair")
    assert not any("African-American" in option for option in pair.options)


def test_cancelling_leaves_the_old_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    page = opened()
    before = halo_of(page)

    def cancelled(*_args: object, **_more: object) -> None:
        raise Cancelled("cancelled")

    monkeypatch.setattr("engine.interactions.planning.InteractionPlan.run", cancelled)
    page.session_state["i.seed"] = 78
    finished(page.run())
    assert "Cancelled. Pairs that were done are kept: it goes on from there." in told(page)
    assert "Out of date" in badges(page)
    assert halo_of(page) == before


def test_a_table_that_cannot_be_used_leaves_the_old_figures() -> None:
    page = opened()
    before = halo_of(page)
    frame = load_sample_table("compas").frame.head(50).drop(columns="two_year_recid")
    upload(page, frame.to_csv(index=False).encode())
    assert "interactions compare with the truth" in told(page).lower()
    assert "Changed since: table." in told(page)
    assert halo_of(page) == before


def test_a_pair_that_is_added_is_looked_at_once_it_is_there(
    request: pytest.FixtureRequest,
) -> None:
    page = opened(view="strengths", pairs="2:4", seed="62")
    request.getfixturevalue("slow")
    page.session_state["i-far"] = (0, 1)
    page.run()
    button(page, "Look at it too").click().run()
    assert "Out of date" in badges(page)
    button(page, "Measure").click().run()
    finished(page)
    assert address(page)["pair"] == "0:1"
