"""The pages' state, without a browser: what each choice does to what is shown."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from streamlit.testing.v1 import AppTest

from dashboard.running import explanations
from dashboard.state.selection import Selection
from engine.inputs.samples import load_sample

APP = Path(__file__).parents[2] / "dashboard" / "app.py"

pytestmark = pytest.mark.filterwarnings("ignore")


def opened(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    return finished(page.run())


def finished(page: AppTest) -> AppTest:
    """Wait for the job in question and run the page again."""
    for job in list(explanations.queue()._jobs.values()):
        assert job.wait(600)
    page.run()
    assert not page.exception
    return page


def title(page: AppTest) -> str:
    return page.title[0].value


def address(page: AppTest) -> dict[str, str]:
    """What stands in the address bar."""
    return {k: v if isinstance(v, str) else v[0] for k, v in page.query_params.items()}


def badge(page: AppTest) -> str:
    return next(m.value for m in page.markdown if "badge" in m.value or "-badge" in m.value)


def test_the_first_page_is_answered_before_anything_is_asked() -> None:
    page = opened()
    assert title(page) == "Why “tiger cat”?"
    assert "Up to date" in badge(page)
    assert not page.error
    assert not page.warning


def test_a_changed_control_marks_the_map_as_out_of_date() -> None:
    page = opened()
    page.selectbox(key="method").select("gradient").run()
    assert "Out of date" in badge(page)
    assert page.caption[0].value or title(page) == "Why “tiger cat”?"
    page.button(key="explain").click().run()
    finished(page)
    assert "Up to date" in badge(page)
    assert page.session_state["view"] == "magnitude"
    page.selectbox(key="method").select("grad-cam").run()
    assert "Up to date" in badge(page), "a map that is known already is shown at once"


def test_why_this_and_not_that() -> None:
    page = opened(target="281", versus="285")
    assert title(page) == "Why “tabby” and not “Egyptian cat”?"
    page.selectbox(key="versus").select("281").run()
    assert any("two different classes" in error.value for error in page.error)
    assert title(page) == "Why “tabby” and not “Egyptian cat”?"


def test_a_link_restores_the_view_and_is_written_back() -> None:
    link = Selection(
        model="imagenet-cnn",
        sample="coffee",
        fit="letterbox",
        target="504",
        method="grad-cam",
        view="signed",
        clip="95",
        opacity="40",
        parameters=(("layer", "blocks"),),
    )
    page = opened(**link.query())
    assert title(page) == "Why “coffee mug”?"
    assert page.session_state["shown"].plan.parameters == {"layer": "blocks"}
    assert page.session_state["shown"].picture.fit == "letterbox"
    assert Selection.from_query(address(page)) == link


@pytest.mark.parametrize(
    "query",
    [
        {"model": "no-such-model"},
        {"method": "no-such-method"},
        {"target": "100000"},
        {"sample": "nobody"},
        {"fit": "stretch"},
        {"view": "sideways"},
        {"method": "grad-cam", "p.layer": "no-such-layer"},
    ],
)
def test_a_link_that_asks_for_what_is_not_there_says_so(query: dict[str, str]) -> None:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    page.run()
    assert any("could not be followed" in warning.value for warning in page.warning)
    assert not page.exception
    assert title(finished(page)) == "Why “tiger cat”?"


def test_an_upload_is_explained_at_once_and_a_broken_one_changes_nothing(tmp_path: Path) -> None:
    page = opened()
    page.segmented_control(key="source").set_value("Upload").run()
    assert title(page) == "Why “tiger cat”?"
    page.file_uploader(key="upload").upload("broken.png", b"no picture", "image/png").run()
    assert any("broken.png is not a picture" in error.value for error in page.error)
    assert title(page) == "Why “tiger cat”?"

    noise = np.random.default_rng(0).integers(0, 255, (80, 80, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "noise.png")
    content = (tmp_path / "noise.png").read_bytes()
    page.file_uploader(key="upload").upload("noise.png", content, "image/png").run()
    finished(page)
    assert not page.error
    assert page.session_state["shown"].picture.name == "noise.png"
    assert address(page)["file"] == "noise.png"


def test_a_link_made_with_an_upload_says_which_file_it_wants() -> None:
    page = opened(file="mine.png", digest="abcdef123456")
    assert any("mine.png" in info.value and "abcdef123456" in info.value for info in page.info)


def test_a_control_that_comes_back_without_a_value_gets_its_default() -> None:
    page = opened()
    page.session_state["fit"] = None
    page.run()
    assert not page.warning
    assert page.segmented_control(key="fit").value == "crop"


def test_a_broken_upload_leaves_the_whole_answer_standing() -> None:
    page = opened()
    page.segmented_control(key="source").set_value("Upload").run()
    page.file_uploader(key="upload").upload("broken.png", b"no picture", "image/png").run()
    assert any("Predictions" in m.value for m in page.markdown)


def test_slow_work_waits_for_a_click_and_says_its_cost() -> None:
    opened()
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update({"method": "occlusion", "p.window": "16", "p.stride": "1"})
    page.run()
    assert any("43693 forward passes" in caption.value for caption in page.caption)
    assert any("takes a while" in info.value for info in page.info)
    assert any("Predictions" in m.value for m in page.markdown), "what is known is shown"
    assert not page.exception


@pytest.mark.parametrize("name", ["models", "methods"])
def test_the_library(name: str) -> None:
    from engine.attribution.registry import methods

    page = opened()
    page.switch_page(f"pages/{name}.py").run()
    assert not page.exception
    told = " ".join(m.value for m in page.markdown)
    for expected in ("EfficientNet-Lite0",) if name == "models" else list(methods()):
        assert expected in told


def test_choices_survive_a_change_of_page() -> None:
    page = opened(target="281", opacity="30")
    page.switch_page("pages/models.py").run()
    page.switch_page("pages/explore.py").run()
    assert title(page) == "Why “tabby”?"
    assert page.session_state["opacity"] == 30
    assert page.selectbox(key="target").value == "281"


def _upload(page: AppTest, name: str, picture: Image.Image) -> None:
    file = io.BytesIO()
    picture.save(file, "PNG")
    if page.segmented_control(key="source").value != "Upload":
        page.segmented_control(key="source").set_value("Upload").run()
    page.file_uploader(key="upload").upload(name, file.getvalue(), "image/png").run()
    finished(page)


@pytest.mark.parametrize("size", [(3000, 2), (2, 3000), (1, 1)])
def test_pictures_of_odd_shapes(size: tuple[int, int]) -> None:
    page = opened()
    _upload(page, "odd.png", Image.new("RGB", size, (200, 60, 20)))
    assert not page.error
    assert page.session_state["shown"].picture.size == size


def test_each_session_sees_its_own_names() -> None:
    opened()
    pixels = Image.fromarray(load_sample("chelsea").pixels)
    page = opened()
    _upload(page, "we*ird [n](x).png", pixels)
    shown = page.session_state["shown"]
    assert shown.explained.attribution.manifest["source"]["input"] == "we*ird [n](x).png"
    assert any("we\\*ird" in caption.value for caption in page.caption)
    other = opened()
    assert other.session_state["shown"].picture.name == "Chelsea the cat"


@pytest.mark.parametrize(
    ("name", "value"),
    [("clip", "999"), ("opacity", "x"), ("seed", "-4"), ("p.nope", "3"), ("model", "m" * 3000)],
)
def test_what_a_link_asks_in_vain_is_told(name: str, value: str) -> None:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update({"method": "grad-cam", name: value})
    page.run()
    told = [w.value for w in page.warning if "could not be followed" in w.value]
    assert told
    assert len(told[0]) < 300


def test_another_model_has_other_pictures_and_classes() -> None:
    page = opened(target="281")
    page.selectbox(key="model").select("scenes-resnet").run()
    assert not page.warning
    assert page.selectbox(key="target").value == ""
    assert page.session_state["sample"].startswith("scenes/")
    page.button(key="explain").click().run()
    finished(page)
    assert title(page).startswith("Why “")
    assert page.toggle(key="truth").value, "the true mask is shown where one is known"
    assert any(metric.label == "In the true mask" for metric in page.metric)


def test_the_gallery_tells_right_from_wrong_and_opens_a_picture() -> None:
    page = opened(model="digits-cnn")
    page.switch_page("pages/gallery.py").run()
    page = finished(page)
    assert page.title[0].value == "How often is Digits CNN right?"
    assert any(metric.label == "Named right" for metric in page.metric)
    page.segmented_control(key="gallery-show").set_value("Wrong").run()
    buttons = [b for b in page.button if b.key and b.key.startswith("open-")]
    assert buttons
    assert all(b.label.startswith("✗") for b in buttons)
    name = buttons[0].key.removeprefix("open-")
    buttons[0].click().run()
    assert page.session_state["sample"] == f"digits/{name}"
