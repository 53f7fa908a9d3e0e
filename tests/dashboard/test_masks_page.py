"""The page "Masks", without a browser: what each choice does to what is shown."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.masks import exporting, result
from dashboard.masks.strokes import Drawing
from dashboard.running import explanations
from dashboard.running import masks as running
from dashboard.running.models import model as running_model
from engine.inputs.samples import load_sample
from engine.mask_results import MaskSweep, MissingnessStudy
from engine.masking.fills.registry import fills_for
from engine.masking.generators.registry import generators
from engine.missingness.preview import preview_mask

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
NET = {"model": "scenes-resnet", "sample": "scenes/circle-04"}

pytestmark = pytest.mark.filterwarnings("ignore")


def begun(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update({**NET, **query})
    page.switch_page("pages/masks.py")
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


def measured(page: AppTest, *names: str) -> AppTest:
    """Press what waits for a click; on a slow machine the page says its cost first."""
    for name in names:
        if has(page, f"run-{name}"):
            page.button(key=f"run-{name}").click().run()
        finished(page)
    return page


def has(page: AppTest, key: str) -> bool:
    return any(button.key == key for button in page.button)


def told(page: AppTest) -> str:
    parts = [*page.markdown, *page.caption, *page.info, *page.warning]
    metrics = [f"{metric.label} {metric.value} {metric.delta}" for metric in page.metric]
    return " ".join([*(part.value.replace("\\", "") for part in parts), *metrics])


def link(page: AppTest, name: str) -> str:
    value = page.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def widget(page: AppTest, kind: str, key: str) -> Any:
    return getattr(page, kind)(key=key)


def test_a_mask_and_its_answer_are_there_before_anything_is_asked() -> None:
    page = opened()
    assert page.title[0].value == "Hide parts of the input honestly"
    assert "50.0 % hidden" in told(page)
    model, picture = running_model("scenes-resnet"), load_sample("scenes/circle-04")
    found = preview_mask(model, picture, "uniform", 0.5)
    name = found.classes[int(found.logits[1].argmax())]
    assert f"With 50 % hidden the answer changes to {name}" in told(page)
    assert not page.error and not page.warning


def test_hidden_ratio_cells_and_seed_change_the_mask() -> None:
    page = opened()
    page.slider(key="m.hidden").set_value(25).run()
    assert "25.0 % hidden" in told(page) and "48 of 64 cells stay" in told(page)
    page.selectbox(key="m.cells").select("16").run()
    assert "192 of 256 cells stay" in told(page)
    before = told(page)
    page.button(key="m-again").click().run()
    assert page.number_input(key="m.seed").value == 1
    assert told(page) != before
    assert [link(page, name) for name in ("hidden", "cells", "seed")] == ["25", "16", "1"]


@pytest.mark.parametrize("name", sorted(set(generators()) - {"drawn"}))
def test_every_generator_hides_and_reads_out(name: str) -> None:
    page = opened(generator=name)
    if generators()[name].guide == "scores":
        assert page.selectbox(key="m.guide").value
    assert "cells stay" in told(page)
    assert not page.error and not page.warning


def test_parameters_of_a_generator_are_asked_for_and_linked() -> None:
    page = opened(generator="simmim")
    before = told(page)
    page.selectbox(key="m.simmim.block").select("4").run()
    assert told(page) != before
    assert link(page, "p.block") == "4"
    again = opened(generator="simmim", **{"p.block": "4"})
    assert again.selectbox(key="m.simmim.block").value == "4"


def test_a_guide_is_another_map() -> None:
    page = opened(generator="saliency", guide="gradient", cells="16")
    found = page.session_state["m.guide"]
    assert found == "gradient"
    page.selectbox(key="m.guide").select("difficulty").run()
    finished(page)
    assert link(page, "guide") == "difficulty"


def test_the_map_on_explore_guides_too() -> None:
    page = opened()
    page.switch_page("pages/explore.py")
    page.session_state["model"], page.session_state["sample"] = "scenes-resnet", "scenes/circle-04"
    page.run()
    finished(page)
    page.switch_page("pages/masks.py")
    page.run()
    page.selectbox(key="m.generator").select("saliency").run()
    finished(page)
    page.selectbox(key="m.guide").select("explore").run()
    finished(page)
    assert not page.error
    assert "cells stay" in told(page)


def test_every_fill_that_suits_is_set_beside_the_others() -> None:
    page = measured(begun(), "fills")
    suited = fills_for(running_model("scenes-resnet"))
    assert len(suited) >= 6
    assert f"{len(suited)} fills say" in told(page) or "missingness bias" in told(page)
    for name in suited:
        fill = running_fill(name)
        assert f"**{fill}**" in told(page)


def running_fill(name: str) -> str:
    from engine.masking.fills.registry import FILLS

    return FILLS[name].title


def test_the_fill_changes_the_answer_and_the_link() -> None:
    page = opened()
    before = told(page)
    page.selectbox(key="m.fill").select("black").run()
    assert told(page) != before and link(page, "fill") == "black"
    page.selectbox(key="m.fill").select("layer-masking").run()
    assert "left out inside the network" in told(page)


def test_a_fill_that_does_not_suit_says_why_and_offers_others() -> None:
    page = begun(model="scenes-vit", fill="layer-masking")
    assert "Layer masking is for convolutional networks" in told(page)
    page.button(key="m-fill-token-drop").click().run()
    finished(page)
    assert not page.warning and page.selectbox(key="m.fill").value == "token-drop"
    assert "left out of the sequence" in told(page)


def drawn(page: AppTest) -> Drawing:
    found: Drawing = page.session_state["m-drawing"]
    return found


def test_a_lasso_is_drawn_by_its_corners() -> None:
    page = opened(generator="drawn")
    page.segmented_control(key="m.tool").set_value("lasso").run()
    page.text_input(key="m.corners").set_value("1 1, 1 8, 4 8, 4 1").run()
    page.button(key="m-lasso-hide").click().run()
    assert "50.0 % hidden" in told(page)
    assert not drawn(page).keep[:32].any() and drawn(page).keep[32:].all()
    page.text_input(key="m.corners").set_value("1 1, 9 1, 2 2").run()
    page.button(key="m-lasso-show").click().run()
    assert "'9 1' is out of range" in page.error[0].value
    assert "50.0 % hidden" in told(page)


def test_a_mask_is_drawn_by_numbers_undone_cleared_and_inverted() -> None:
    page = opened(generator="drawn")
    assert "Nothing is hidden yet" in told(page) and "Draw on the mask" in told(page)
    for name, value in (("rows-from", 1), ("rows-to", 4), ("columns-from", 1), ("columns-to", 8)):
        page.number_input(key=f"m.{name}").set_value(value)
    page.button(key="m-box-hide").click().run()
    assert "50.0 % hidden" in told(page)
    assert not drawn(page).keep[:32].any() and drawn(page).keep[32:].all()
    page.number_input(key="m.rows-from").set_value(2).run()
    page.button(key="m-box-show").click().run()
    assert "12.5 % hidden" in told(page)
    page.button(key="m-undo").click().run()
    assert "50.0 % hidden" in told(page)
    page.button(key="m-clear").click().run()
    assert drawn(page).keep.all()
    page.button(key="m-invert").click().run()
    assert "100.0 % hidden" in told(page)
    page.button(key="m-undo").click().run()
    assert drawn(page).keep.all()


def test_a_superpixel_is_hidden_and_shown_by_its_number() -> None:
    page = opened(generator="drawn")
    page.segmented_control(key="m.tool").set_value("region").run()
    page.number_input(key="m.superpixel").set_value(2).run()
    page.button(key="m-superpixel").click().run()
    model, picture = running_model("scenes-resnet"), load_sample("scenes/circle-04")
    regions = running.superpixels(model, picture, 24)
    np.testing.assert_array_equal(drawn(page).keep, regions != 1)
    page.button(key="m-superpixel").click().run()
    assert drawn(page).keep.all()


def test_drawing_goes_on_from_any_mask() -> None:
    page = opened(generator="simmim", hidden="75")
    page.button(key="m-draw").click().run()
    assert page.selectbox(key="m.generator").value == "drawn"
    assert "75.0 % hidden" in told(page)
    assert drawn(page).keep.mean() == 0.25


def test_a_drawing_travels_in_the_link() -> None:
    page = opened(generator="simmim", hidden="75")
    page.button(key="m-draw").click().run()
    again = opened(generator="drawn", drawn=link(page, "drawn"))
    np.testing.assert_array_equal(drawn(again).keep, drawn(page).keep)
    assert "75.0 % hidden" in told(again)


def test_a_drawing_too_intricate_for_a_link_is_told() -> None:
    noise = Drawing(np.random.default_rng(0).random((224, 224)) < 0.5)
    page = begun(generator="drawn", model="imagenet-cnn", sample="chelsea")
    page.session_state["m-drawing"] = noise
    page.run()
    assert "too intricate for a link" in told(page)
    assert link(page, "drawn") == ""


def test_a_map_as_a_mask_is_computed_once_and_followed() -> None:
    page = measured(begun(view="saliency", method="gradient"), "map", "sweep")
    assert "With the top 20 % removed, circle has" in told(page)
    jobs = explanations.queue()._jobs
    sweeps = [job.result for job in jobs.values() if isinstance(job.result, MaskSweep)]
    count = len(sweeps)
    page.slider(key="m.top").set_value(35).run()
    assert "With the top 35 % removed" in told(page)
    page.segmented_control(key="m.way").set_value("keep").run()
    assert "With the top 35 % kept alone" in told(page)
    again = [job.result for job in jobs.values() if isinstance(job.result, MaskSweep)]
    assert len(again) == count
    assert (link(page, "top"), link(page, "way")) == ("35", "keep")
    page.button(key="m-take-top").click().run()
    assert "65.0 % hidden" in told(page), "what is not kept is hidden"


def test_a_study_says_its_cost_and_waits_then_draws_its_curves() -> None:
    page = begun(view="study")
    page.multiselect(key="m.fills").set_value(["mean", "black"]).run()
    assert any("504 forward passes over 24 pictures" in one.value for one in page.caption)
    assert not [job for job in explanations.queue()._jobs.values() if job.active]
    page.button(key="run-study").click().run()
    finished(page)
    study = next(
        job.result
        for job in explanations.queue()._jobs.values()
        if isinstance(job.result, MissingnessStudy)
    )
    assert study.fills == ("mean", "black") and study.count == 24
    assert "With 50 % hidden at random" in told(page)
    page.segmented_control(key="m.measure").set_value("entropy").run()
    assert not page.exception


def test_a_study_can_be_cancelled() -> None:
    page = begun(view="study", sample="scenes/star-02")
    page.selectbox(key="m.many").select("all").run()
    page.button(key="run-study").click().run()
    job = next(job for job in explanations.queue()._jobs.values() if job.active)
    page.button(key="study-cancel").click().run()
    assert job.wait(60)
    page.run()
    assert job.state == "cancelled" and has(page, "run-study")
    assert "Cancelled" in told(page)


def test_own_pictures_are_studied_from_a_folder(tmp_path: Path) -> None:
    for label in ("circle", "star"):
        (tmp_path / label).mkdir()
        for index in range(2):
            picture = load_sample(f"scenes/{label}-0{index}")
            picture.picture.save(tmp_path / label / f"{index}.png")
    page = begun(view="study")
    page.selectbox(key="m.set-of-study").select("own").run()
    page.text_input(key="m.set-path").set_value(str(tmp_path)).run()
    page.multiselect(key="m.fills").set_value(["mean"]).run()
    page.button(key="run-study").click().run()
    finished(page)
    assert "of 4 answers" in told(page)
    page.text_input(key="m.set-path").set_value(str(tmp_path / "nothing")).run()
    assert page.error and not page.exception


def test_a_model_for_tables_offers_those_for_pictures() -> None:
    page = begun(model="cancer-mlp")
    assert "takes rows of a table; this page hides parts of pictures" in told(page)
    page.button(key="m-take-digits-cnn").click().run()
    finished(page)
    assert "cells stay" in told(page) and not page.warning


def test_a_link_restores_all_that_is_chosen() -> None:
    query = {
        **NET, "generator": "attention-sampled", "guide": "gradient", "hidden": "70",
        "cells": "16", "fill": "grey", "seed": "7", "view": "saliency", "method": "gradient",
        "top": "5", "way": "keep",
    }  # fmt: skip
    page = measured(begun(**query), "guide", "map", "sweep")
    assert {name: link(page, name) for name in query} == query
    assert "With the top 5 % kept alone" in told(page)


@pytest.mark.parametrize(
    "query",
    [
        {"generator": "no-such"},
        {"hidden": "150"},
        {"seed": "-1"},
        {"fill": "purple"},
        {"cells": "3000"},
        {"view": "sideways"},
        {"generator": "drawn", "drawn": "8x8.nonsense!"},
        {"generator": "simmim", "p.block": "3"},
        {"generator": "simmim", "p.nothing": "3"},
        {"model": "no-such-model"},
        {"generator": "saliency", "guide": "tea-leaves"},
        {"view": "saliency", "method": "tea-leaves"},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query: dict[str, str]) -> None:
    page = begun(**query)
    assert not page.exception
    assert any("could not be followed" in warning.value for warning in page.warning)
    assert "What it says" in told(page)


def test_a_link_to_an_upload_says_which_file() -> None:
    page = begun(file="mine.png", digest="0123456789ab", sample="")
    assert any("was made with “mine" in info.value for info in page.info)


def test_what_is_downloaded_is_what_is_shown(tmp_path: Path) -> None:
    from engine.results import load_result

    model, picture = running_model("scenes-resnet"), load_sample("scenes/circle-04")
    found = preview_mask(model, picture, "fmix", 0.4, "black", seed=3)
    file = tmp_path / "mask.safetensors"
    file.write_bytes(found.encoded())
    np.testing.assert_array_equal(load_result(file).keep, found.keep)
    mask = np.asarray(Image.open(io.BytesIO(result.mask_png(found))))
    assert mask.shape == (64, 64)
    assert (mask == 255).mean() == pytest.approx(1 - float(found.hidden[0]))
    photo = picture.picture.resize((448, 448))
    masked = np.asarray(Image.open(io.BytesIO(result.masked_png(found, photo))))
    assert masked.shape == (64, 64, 3) and (masked[mask == 0] == 0).all()
    assert exporting.file_name(found).startswith("mask-fmix-scenes-resnet-")


@pytest.mark.parametrize("fill", ["mean", "black", "blur", "smoothed-grey", "neighbours"])
def test_the_slider_paints_what_the_network_would_get(fill: str) -> None:
    model, picture = running_model("scenes-resnet"), load_sample("scenes/circle-04")
    found = preview_mask(model, picture, "uniform", 0.5, fill)
    keep = np.repeat(np.repeat(found.keep[0], 8, axis=0), 8, axis=1)
    painted = running.given_to_network(model, picture, keep, fill, 0)
    assert painted is not None and found.masked is not None
    np.testing.assert_allclose(painted, found.masked[0], atol=1e-6)


def test_inside_the_network_nothing_is_painted() -> None:
    model, picture = running_model("scenes-resnet"), load_sample("scenes/circle-04")
    keep = np.ones((64, 64), dtype=bool)
    assert running.given_to_network(model, picture, keep, "layer-masking", 0) is None
    assert preview_mask(model, picture, "uniform", 0.5, "layer-masking").masked is None


def test_what_can_be_guessed_is_shown_where_there_is_an_auto_encoder(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from engine.missingness import reconstruction

    seen: list[np.ndarray] = []

    def paint(_model: Any, _picture: Any, keep: np.ndarray) -> np.ndarray:
        seen.append(keep)
        return np.zeros((3, 64, 64), np.float32)

    monkeypatch.setattr(reconstruction, "reconstruct", paint)
    page = opened(seed="99")
    assert "What can be guessed" in told(page)
    assert seen[0].shape == (64, 64) and seen[0].mean() == 0.5
    other = opened(model="imagenet-cnn", sample="chelsea")
    assert "What can be guessed" not in told(other)


@pytest.mark.parametrize(
    ("question", "said"),
    [("leak", "With the object hidden|No outline"), ("adding", "adds up best")],
)
def test_probes_say_their_cost_and_wait(question: str, said: str) -> None:
    page = begun(view="study")
    page.segmented_control(key="m.question").set_value(question).run()
    page.multiselect(key="m.fills").set_value(["mean", "black"]).run()
    assert any("forward passes over 24 pictures" in one.value for one in page.caption)
    page.button(key=f"run-{question}").click().run()
    finished(page)
    assert any(part in told(page) for part in said.split("|"))


def test_a_set_without_true_masks_has_no_outline_to_tell() -> None:
    page = begun(view="study", model="digits-cnn", sample="digits/3-04")
    page.segmented_control(key="m.question").set_value("leak").run()
    page.button(key="run-leak").click().run()
    finished(page)
    assert any("no true mask" in error.value.lower() for error in page.error)


def as_png(values: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(values.astype(np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_picture_of_ones_own_is_hidden_in_part_and_a_broken_one_refused() -> None:
    page = opened()
    page.segmented_control(key="m.source").set_value("Upload").run()
    assert "Choose a picture at the left" in told(page)
    own = np.random.default_rng(0).integers(0, 255, (80, 120, 3))
    page.file_uploader(key="m.upload").upload("own.png", as_png(own), "image/png").run()
    finished(page)
    assert "own.png · says" in told(page) and "cells stay" in told(page)
    assert link(page, "file") == "own.png" and link(page, "digest")
    page.file_uploader(key="m.upload").upload("broken.png", b"no picture", "image/png").run()
    assert page.error and not page.exception


def test_a_mask_that_was_drawn_elsewhere_is_taken_and_a_wrong_size_refused() -> None:
    page = opened(generator="drawn")
    drawing = np.full((64, 64), 255)
    drawing[:16] = 0
    page.file_uploader(key="m.drawn-file").upload("mask.png", as_png(drawing), "image/png").run()
    assert "25.0 % hidden" in told(page)
    np.testing.assert_array_equal(drawn(page).keep, drawing > 0)
    wrong = as_png(drawing[:10, :10])
    page.file_uploader(key="m.drawn-file").upload("small.png", wrong, "image/png").run()
    assert page.error and "25.0 % hidden" in told(page)


def test_own_regions_guide_a_mask() -> None:
    page = begun(generator="region-complete", guide="own")
    assert "Upload a label image" in told(page)
    labels = np.repeat([[0] * 32 + [255] * 32], 64, axis=0)
    page.file_uploader(key="m.labels").upload("labels.png", as_png(labels), "image/png").run()
    finished(page)
    assert "32 of 64 cells stay" in told(page) and not page.error
