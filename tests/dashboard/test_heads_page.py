"""The page "Heads", without a browser: what each choice does to what is shown."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.heads import agreement, exporting
from dashboard.heads.choosing import Side
from dashboard.running import explanations
from dashboard.running.models import model as running_model
from engine.head_results import HeadPatterns, HeadScores, PruningCurve
from engine.heads.agreement import measured_agreement
from engine.inputs.samples import load_sample

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

pytestmark = pytest.mark.filterwarnings("ignore")


def begun(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    page.switch_page("pages/heads.py")
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


def _has(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)


def measured(page: AppTest) -> AppTest:
    """Wait for the scores; on a slow machine the page says their cost and waits for a click."""
    if _has(page, "run-metric-one"):
        page.button(key="run-metric-one").click().run()
    return finished(page)


def told(page: AppTest) -> str:
    return " ".join(part.value.replace("\\", "") for part in page.markdown)


def link(page: AppTest, name: str) -> str:
    value = page.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def test_a_head_is_looked_at_before_anything_is_asked() -> None:
    page = opened()
    assert page.title[0].value == "Which heads matter, and where do they look?"
    assert "Layer 6, head 1** · asks: the class token" in told(page)
    assert "matters most" in told(page)
    assert "It says “circle”" in told(page)
    assert not page.error and not page.warning


def test_numbers_choose_the_head_and_the_patch() -> None:
    page = opened()
    page.number_input(key="h.layer").set_value(3).run()
    page.number_input(key="h.head").set_value(5).run()
    assert "Layer 3, head 5, from the class token: " in told(page)
    page.selectbox(key="h.asks").select("patch").run()
    page.number_input(key="h.row").set_value(2).run()
    page.number_input(key="h.column").set_value(7).run()
    assert "Layer 3, head 5, from the patch in row 2, column 7: " in told(page)
    assert (link(page, "head"), link(page, "patch")) == ("3.5", "2.7")
    page.selectbox(key="h.asks").select("token").run()
    assert "Layer 3, head 5, from the class token: " in told(page)
    assert link(page, "patch") == ""


def test_heads_from_the_list_go_off_and_on() -> None:
    page = opened()
    page.multiselect(key="h.off").set_value(["2.1", "1.5"]).run()
    assert "With 2 heads off the answer" in told(page)
    assert "With 2 heads off** :gray" in told(page)
    assert "All heads on** :gray" in told(page)
    assert link(page, "off") == "1.5,2.1"
    page.button(key="heads-all-on").click().run()
    assert "heads off the answer" not in told(page)
    assert link(page, "off") == ""


def test_the_least_important_go_off_in_their_order() -> None:
    page = opened()
    scores: HeadScores = page.session_state["h-scores"]
    page.slider(key="h.share").set_value(25).run()
    off = page.session_state["h-marks"].off
    assert off == set(scores.ranking[-9:])
    assert "With 9 heads off the answer" in told(page)
    assert share(page).value == 25
    page.multiselect(key="h.off.1").set_value(["2.1"]).run()
    assert share(page).value == 0


def share(page: AppTest) -> Any:
    return next(slider for slider in page.slider if "least important" in slider.label)


def test_what_was_told_before_does_not_come_back_with_the_next_click() -> None:
    """A widget whose value was changed by other means has another key: no stale value counts."""
    page = opened()
    keys = {widget.key for widget in (*page.number_input, *page.multiselect, *page.slider)}
    assert {"h.layer", "h.off", "h.share"} <= keys
    page.slider(key="h.share").set_value(10).run()
    keys = {widget.key for widget in (*page.number_input, *page.multiselect, *page.slider)}
    assert {"h.layer", "h.off.1", "h.share"} <= keys and "h.off" not in keys
    page.number_input(key="h.layer").set_value(2).run()
    assert page.number_input(key="h.layer").value == 2


@pytest.mark.parametrize("metric", ["cross-entropy", "uniqueness", "shapley"])
def test_every_family_of_metrics_scores_a_picture(metric: str) -> None:
    page = measured(begun(metric=metric))
    assert page.session_state["h-scores"].manifest["display"]["metric"] == metric


def test_slow_work_says_its_cost_and_waits() -> None:
    page = begun(metric="shapley", on="300")
    assert any("84\xa0600 forward passes" in caption.value for caption in page.caption)
    assert _has(page, "run-metric-one")
    assert not [job for job in explanations.queue()._jobs.values() if job.active]


def test_a_set_has_standard_errors() -> None:
    page = measured(begun(on="24"))
    scores = page.session_state["h-scores"]
    assert scores.error is not None
    assert scores.manifest["outcome"]["images"] == 24
    assert " ± " in told(page)


@pytest.mark.parametrize("view", ["importance", "reach", "patterns"])
def test_each_view_reads_its_charts_out(view: str) -> None:
    page = opened(view=view, head="2.3")
    said = {
        "importance": ("on the order of the heads", "Layer 2, head 3: "),
        "reach": ("Layer 2, head 3 gives", "over the layers"),
        "patterns": ("36 heads by what they look at", "Layer 2, head 3 is"),
    }[view]
    for part in said:
        assert part in told(page)


def test_heads_are_kept_alone_and_judged_exactly_for_the_first_few() -> None:
    page = measured(begun(metric="cross-entropy"))
    left_out: HeadScores = page.session_state["h-scores"]
    page.number_input(key="h.top").set_value(5).run()
    top = finished(page).session_state["h-scores"]
    judged = np.isfinite(top.values)
    assert judged.sum() == 5
    np.testing.assert_allclose(top.values[judged], left_out.values[judged], atol=1e-6)
    assert "the other 31 heads were not judged" in told(page)
    assert link(page, "top") == "5"
    page.number_input(key="h.top").set_value(0).run()
    page.segmented_control(key="h.way").set_value("alone").run()
    alone = finished(page).session_state["h-scores"]
    assert alone.manifest["request"]["keep_one"] is True
    assert "as the only head of its layer" in told(page)
    assert (link(page, "way"), link(page, "top")) == ("alone", "")


def test_a_metric_shows_its_own_parameters_and_a_link_brings_them_back() -> None:
    page = opened(**{"metric": "gradient", "p.normalise": "true"})
    request = page.session_state["h-scores"].manifest["request"]
    assert request["metric"]["parameters"] == {"normalise": True}
    assert link(page, "p.normalise") == "True"
    page.toggle(key="h.gradient.normalise").set_value(False).run()
    request = page.session_state["h-scores"].manifest["request"]
    assert request["metric"]["parameters"] == {"normalise": False}
    assert link(page, "p.normalise") == ""


@pytest.mark.parametrize(
    "query", [{"p.nose": "3"}, {"p.normalise": "perhaps"}, {"way": "up"}, {"class": "77"}]
)
def test_settings_of_a_link_that_are_not_there_are_told(query: dict[str, str]) -> None:
    page = begun(metric="gradient" if "way" not in query else "cross-entropy", on="24", **query)
    assert not page.exception
    assert any("could not be followed" in warning.value for warning in page.warning)


def test_a_set_is_judged_by_one_class_alone() -> None:
    page = measured(begun(on="96"))
    page.selectbox(key="h.class").select("2").run()
    scores = measured(page).session_state["h-scores"]
    asked = scores.manifest["request"]["only_class"]
    assert asked["index"] == 2
    assert scores.manifest["outcome"]["images"] < 96
    assert f"of {asked['name']}" in " ".join(caption.value for caption in page.caption)


def test_two_metrics_are_never_the_same_one() -> None:
    page = measured(begun(metric="cross-entropy", view="importance"))
    assert page.session_state["h.second"] == "gradient"
    assert "do not agree" in told(page) or "agree" in told(page)


def test_how_many_heads_can_go_is_measured_when_asked_for() -> None:
    page = opened(view="importance")
    assert any("1872 forward passes" in caption.value for caption in page.caption)
    assert not _curves()
    page.button(key="run-curve").click().run()
    page = finished(page)
    assert "of 36 heads can go" in told(page)
    assert any("the order is that of one picture" in caption.value for caption in page.caption)
    (found,) = _curves()
    ranking = page.session_state["h-scores"].ranking
    assert found.manifest["request"]["ranking"] == [list(place) for place in ranking]
    page.segmented_control(key="h.followed").set_value("loss").run()
    assert "heads off the loss goes from" in told(page)
    assert link(page, "followed") == "loss"


def test_pictures_that_order_and_curve_share_are_told() -> None:
    page = measured(begun(view="importance", on="300", metric="confidence"))
    page.button(key="run-curve").click().run()
    page = finished(page)
    assert any("24 of which the heads were judged on too" in c.value for c in page.caption)


def _curves() -> list[PruningCurve]:
    jobs = list(explanations.queue()._jobs.values())
    return [job.result for job in jobs if isinstance(job.result, PruningCurve)]


def test_pictures_tested_on_are_others_than_those_judged_on() -> None:
    side = Side("one", "scenes-vit", picture=load_sample("scenes/circle-00"), home="scenes")
    judged, tested = side.pictures(96), side.pictures(96, after=1)
    names = [{entry.name for entry in images.entries} for images in (judged, tested)]
    assert len(names[0]) == len(names[1]) == 96
    assert not names[0] & names[1]


def test_patterns_are_found_again_by_their_key() -> None:
    opened(view="patterns")
    jobs = [
        job for job in explanations.queue()._jobs.values() if isinstance(job.result, HeadPatterns)
    ]
    opened(view="patterns", head="1.1")
    again = [
        job for job in explanations.queue()._jobs.values() if isinstance(job.result, HeadPatterns)
    ]
    assert len(jobs) == 1 and again == jobs
    assert jobs[0].result.key == jobs[0].key


def test_a_link_restores_all_that_is_chosen() -> None:
    query = {
        "model": "scenes-vit", "sample": "scenes/circle-20", "head": "4.2", "patch": "3.5",
        "metric": "confidence", "off": "1.1,2.6", "view": "reach",
    }  # fmt: skip
    page = opened(**query)
    assert "circle 20" in page.caption[0].value
    assert "Layer 4, head 2** · asks: the patch in row 3, column 5" in told(page)
    assert "With 2 heads off" in told(page)
    assert {name: link(page, name) for name in query} == query


@pytest.mark.parametrize(
    "query",
    [
        {"head": "four"},
        {"patch": "0.0"},
        {"off": "1.1,nose"},
        {"model": "no-such-model"},
        {"metric": "grad-cam"},
        {"on": "1000000"},
        {"view": "sideways"},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query: dict[str, str]) -> None:
    page = begun(**query)
    assert not page.exception
    assert any("could not be followed" in warning.value for warning in page.warning)
    assert "What it says" in told(page)


def test_heads_that_a_model_has_not_are_left_out() -> None:
    page = opened(model="digits-vit", head="9.9", off="1.1,6.6", patch="8.8")
    assert "Layer 4, head 4** · asks: the patch in row 7, column 7" in told(page)
    assert "With 1 head off" in told(page)


def test_a_model_without_attention_offers_those_that_have_it() -> None:
    page = opened(model="scenes-resnet")
    assert "is a convolutional network: it has no attention heads" in page.warning[0].value.replace(
        "\\", ""
    )
    page.button(key="take-digits-vit").click().run()
    finished(page)
    assert "Digits ViT" in page.caption[0].value
    assert not page.warning


def test_models_of_the_command_line_are_offered_too(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref = f"hf:{tiny_vit(tmp_path)}"
    monkeypatch.setenv("HALOSCOPE_MODELS", ref)
    page = opened(model="scenes-resnet")
    assert "Not loaded yet; they may have some:" in told(page)
    page.button(key=f"take-{ref}").click().run()
    page = finished(page)
    assert "Layer 2, head 1" in told(page) and "matters most" in told(page)
    page.selectbox(key="h.model").select("scenes-resnet").run()
    assert "Not loaded yet" not in told(page)
    assert _has(page, f"take-{ref}")


def tiny_vit(folder: Path) -> Path:
    """Save a vision transformer of 2 layers of 3 heads, random weights."""
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.ViTConfig(
        hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=48,
        image_size=32, patch_size=8, num_labels=4,
    )  # fmt: skip
    transformers.ViTForImageClassification(config).save_pretrained(folder)
    return folder


def test_a_picture_of_ones_own_is_looked_at_like_any_other() -> None:
    page = opened(head="2.3", patch="4.4")
    page.segmented_control(key="h.source").set_value("Upload").run()
    assert any("Choose a picture" in info.value for info in page.info)
    page.file_uploader(key="h.upload").upload("own.png", drawn_picture(), "image/png").run()
    page = finished(page)
    assert "own.png" in page.caption[0].value
    assert "Layer 2, head 3, from the patch in row 4, column 4: " in told(page)
    assert link(page, "file") == "own.png" and link(page, "digest")
    page.file_uploader(key="h.upload").upload("broken.png", b"no picture", "image/png").run()
    assert not page.exception
    assert page.error and "own.png" in page.caption[0].value


def drawn_picture() -> bytes:
    """Return a small PNG with a ring."""
    y, x = np.mgrid[0:90, 0:120]
    ring = np.abs(np.hypot(x - 60, y - 45) - 25) < 5
    file = io.BytesIO()
    Image.fromarray(np.where(ring, 230, 60).astype(np.uint8)).convert("RGB").save(file, "PNG")
    return file.getvalue()


def test_without_places_the_importance_is_shown_and_the_reason(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from dashboard.heads import choosing

    found = choosing.attention_sites
    monkeypatch.setattr(
        choosing,
        "attention_sites",
        lambda model: replace(found(model), unplaced="its tokens lie nowhere"),
    )
    page = opened(off="1.5", view="maps")
    assert any("its tokens lie nowhere" in info.value for info in page.info)
    assert "matters most" in told(page)
    assert "With 1 head off the answer" in told(page)
    assert "on the order of the heads" in told(page)
    assert "Where it looks" not in told(page) and "asks" not in told(page)


def test_two_pictures_beside_each_other() -> None:
    page = opened(beside="picture", off="1.5")
    assert page.session_state["h.sample"] != page.session_state["h2.sample"]
    assert told(page).count("With 1 head off the answer") == 2
    assert told(page).count("Layer 6, head 1, from the class token") == 2
    assert link(page, "beside-sample") == page.session_state["h2.sample"]


def test_two_models_beside_each_other() -> None:
    page = opened(beside="model", other="digits-vit", off="6.6")
    assert "Digits ViT · circle 00" in told(page)
    assert told(page).count("With 1 head off the answer") == 1  # the other has no layer 6


def test_the_other_model_may_have_no_heads() -> None:
    page = opened(beside="model", other="scenes-vgg")
    assert any("no attention heads" in info.value for info in page.info)
    assert "It says “circle”" in told(page)


def test_scores_as_csv_are_those_of_the_result() -> None:
    scores: HeadScores = opened().session_state["h-scores"]
    rows = list(csv.DictReader(io.StringIO(exporting.as_csv(scores))))
    assert len(rows) == 36
    first = next(row for row in rows if row["rank"] == "1")
    layer, head = scores.ranking[0]
    assert (int(first["layer"]), int(first["head"])) == (layer + 1, head + 1)
    assert float(first["score"]) == pytest.approx(float(scores.values[layer, head]))
    assert exporting.file_name(scores).startswith("heads-gradient-scenes-vit-")


def test_measured_agreement_is_told_where_there_is_one() -> None:
    measured = measured_agreement()["scenes-vit"]
    (rank,) = (one.rank for one in measured.metrics if one.metric == "gradient")
    assert agreement.titled("Gradient", "scenes-vit", "gradient") == f"Gradient · {rank:.2f}"
    assert f"{rank:.2f}" in agreement.told("scenes-vit", "gradient")
    assert agreement.titled("Gradient", "mynet:build", "gradient") == "Gradient"
    assert agreement.told("mynet:build", "gradient") == ""


def test_one_picture_does_not_wait_behind_the_work_of_others() -> None:
    import threading

    done = threading.Event()
    job = explanations.queue().submit("slow", "slow", lambda _progress, _cancel: done.wait(60))
    try:
        page = begun(metric="output-norm", sample="scenes/circle-07")
        assert job.active
        assert "matters most" in told(page)
    finally:
        done.set()
        job.wait(60)


def test_quick_scores_are_those_of_the_engine() -> None:
    from dashboard.running import heads as running
    from engine.heads.judging import plan_heads

    page = opened(metric="fisher")
    shown: HeadScores = page.session_state["h-scores"]
    model = running_model("scenes-vit")
    plan = plan_heads(model, load_sample("scenes/circle-00"), "fisher")
    assert running.is_instant(plan)
    assert plan.key == shown.key
    np.testing.assert_array_equal(plan.run().values, shown.values)


def test_slow_work_can_be_cancelled_and_begun_again() -> None:
    page = begun(metric="shapley", on="300", sample="scenes/circle-11")
    page.button(key="run-metric-one").click().run()
    job = next(job for job in explanations.queue()._jobs.values() if job.active)
    page.button(key="metric-one-cancel").click().run()
    assert job.wait(60)
    page.run()
    assert job.state == "cancelled"
    assert page.button(key="run-metric-one").label == "Start again"
    assert "What it says" in told(page)
