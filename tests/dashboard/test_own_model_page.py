"""The page "Own model", without a browser: what each choice does to what is shown."""

from __future__ import annotations

import gc
import io
import time
import weakref
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from dashboard.running import allowed, explanations, remembered
from engine.models.sources import find_source
from engine.store import default_store
from tests.engine import zoo

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
OWN = "pages/own_model.py"
TINY = "tests.engine.zoo:TinyCnn?size=16"

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture(autouse=True)
def zoo_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(allowed.MODULES, "tests.engine.zoo")
    monkeypatch.setenv(allowed.EXTRA_MODELS, "")
    remembered.clear()


def opened(where: str = OWN, **query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update(query)
    page.switch_page(where)
    return settled(page.run())


def settled(page: AppTest) -> AppTest:
    """Wait until nothing is loaded or computed any more."""
    for _ in range(600):
        assert not page.exception
        for job in list(explanations.queue()._jobs.values()):
            assert job.wait(600)
        if "own-loading" not in page.session_state:
            break
        time.sleep(0.1)
        page.run()
    page.run()
    assert not page.exception
    return page


def loaded(page: AppTest, ref: str) -> AppTest:
    page.text_input(key="own.ref").set_value(ref).run()
    page.button(key="own-load").click().run()
    return settled(page)


def uploaded(page: AppTest, content: bytes, name: str, arch: str) -> AppTest:
    page.session_state["own.arch"] = arch  # the test's own select box takes no new options
    page.segmented_control(key="own.where").set_value("Upload").run()
    page.file_uploader(key="own-upload").upload(name, content, "application/octet-stream").run()
    page.button(key="own-load").click().run()
    return settled(page)


def tried_and_added(page: AppTest) -> AppTest:
    page.button(key="own-try").click().run()
    settled(page)
    page.button(key="own-add").click().run()
    return settled(page)


def opens(page: AppTest, button: str, where: str) -> AppTest:
    """Click what leads to another page, and go on there, as the browser does."""
    page.button(key=button).click().run()
    page.switch_page(where)
    return settled(page.run())


def widget(page: AppTest, kind: str, name: str):
    return getattr(page, kind)(key=f"own-{page.session_state['own-count']}-{name}")


def entries(page: AppTest) -> dict[str, tuple[str, str]]:
    """The card: what → (found, how it is known)."""
    rows = page.table[0].value
    plain = [[cell.replace("\\", "") for cell in row] for row in rows.to_numpy().tolist()]
    return {what: (found, how) for what, found, how in plain}


def said(page: AppTest) -> str:
    return " ".join(part.value for part in page.error).replace("\\", "")


def state_of(name: str) -> bytes:
    return save(find_source(name, None).module.state_dict())


def test_while_nothing_is_here_the_page_says_what_can_be_brought() -> None:
    page = opened()
    assert "Which model" in page.title[0].value
    examples = [button for button in page.button if (button.key or "").startswith("own-example")]
    assert len(examples) == 3
    assert page.button(key="own-load").disabled
    examples[1].click().run()
    assert page.text_input(key="own.ref").value in examples[1].label
    assert not page.button(key="own-load").disabled
    assert not page.table


def test_a_reference_is_loaded_tried_and_added() -> None:
    page = loaded(opened(), TINY)
    card = entries(page)
    assert card["Size"] == ("16 × 16 pixels", ":violet-badge[corrected]")
    assert card["Classes"][0].startswith("3: ")
    assert page.button(key="own-add").disabled, "not before it has passed its test"
    tried_and_added(page)
    assert any("is in the list" in success.value for success in page.success)
    title = page.session_state["own-models"][f"{TINY}"].title
    opens(page, "own-open-pages/explore.py", "pages/explore.py")
    assert page.title[0].value.startswith("Why “class ")
    assert page.selectbox(key="model").value == TINY
    assert title in page.selectbox(key="model").options
    page.switch_page("pages/gallery.py").run()
    assert title in page.selectbox(key="model").options
    page.switch_page("pages/models.py").run()
    added = [m.value.replace("\\", "") for m in page.markdown if "this session" in m.value]
    assert len(added) == 1
    assert title in added[0]
    page.switch_page(OWN).run()
    remove = next(b for b in page.button if (b.key or "").startswith("own-remove-"))
    remove.click().run()
    page.switch_page("pages/explore.py").run()
    settled(page)
    assert title not in page.selectbox(key="model").options
    assert page.title[0].value == "Why “tiger cat”?", "another model takes its place"
    told = [info.value.replace("\\", "") for info in page.info]
    assert told == [f"“{title}” was removed; this is EfficientNet-Lite0."]
    page.selectbox(key="model").select("scenes-vit").run()
    assert not settled(page).info


def test_corrections_are_applied_told_and_taken_back() -> None:
    page = loaded(opened(), TINY)
    assert entries(page)["Layer for Grad-CAM"][0].startswith("relu2")
    widget(page, "selectbox", "layer").select("conv1")
    widget(page, "text_input", "mean").set_value("0.1, 0.2, 0.3")
    widget(page, "text_input", "size").set_value("32")
    widget(page, "selectbox", "activation").select("sigmoid")
    widget(page, "text_area", "classes").set_value("cat\ndog\nbird").run()
    assert widget(page, "text_input", "resize").value == "32", "in proportion to the size"
    page.button(key="own-apply").click().run()
    card = entries(settled(page))
    for name, found in {
        "Layer for Grad-CAM": "conv1 (4 maps of 32 × 32)",
        "Normalisation": "mean 0.1, 0.2, 0.3; std 0.229, 0.224, 0.225 (of values in [0, 1])",
        "Size": "32 × 32 pixels",
        "Classes": "3: cat, dog, bird",
    }.items():
        told, how = card[name]
        assert told == found
        assert "corrected" in how
    assert "sigmoid" in card["Output"][0]
    model = page.session_state["own-found"].model
    assert model.target_layer.name == "conv1"
    assert (model.spec.mean, model.classes) == ((0.1, 0.2, 0.3), ("cat", "dog", "bird"))
    page.button(key="own-undo").click().run()
    back = entries(settled(page))
    assert back["Layer for Grad-CAM"][0].startswith("relu2")
    assert not any("corrected" in how for _, how in back.values())


@pytest.mark.parametrize(
    ("kind", "name", "text", "told"),
    [
        ("text_input", "mean", "grey", "expected a number for each channel"),
        ("text_input", "std", "0", "every std must be above 0"),
        ("text_input", "std", "1, 2", "2 values given for 3 channels"),
        ("text_input", "size", "huge", "a number of pixels like 224"),
        ("text_input", "size", "0", "must be at least 1"),
        ("text_input", "size", "99999", "at most 4096 a side"),
        ("text_area", "classes", "only one", "1 class names given, but the model has 3 outputs"),
        ("text_area", "classes", "[1, 2", "is no JSON"),
    ],
)
def test_a_wrong_correction_is_told_and_the_card_stays(
    kind: str, name: str, text: str, told: str
) -> None:
    page = loaded(opened(), TINY)
    before = entries(page)
    widget(page, kind, name).set_value(text).run()
    page.button(key="own-apply").click().run()
    settled(page)
    assert told in said(page)
    assert len(page.error) == 1
    assert entries(page) == before
    assert widget(page, kind, name).value == text, "what was typed is not lost"


def test_presets_fill_in_the_normalisation() -> None:
    page = loaded(opened(), TINY)
    widget(page, "button", "preset-−1 to 1").click().run()
    page.button(key="own-apply").click().run()
    assert entries(settled(page))["Normalisation"][0].startswith("mean 0.5; std 0.5")


def test_a_corrected_model_is_another_model_and_must_be_tried_again() -> None:
    page = tried_and_added(loaded(opened(), TINY))
    widget(page, "selectbox", "layer").select("conv1").run()
    page.button(key="own-apply").click().run()
    settled(page)
    assert page.button(key="own-add").disabled
    tried_and_added(page)
    titles = [own.title for own in page.session_state["own-models"].values()]
    assert len(titles) == len(set(titles)) == 2
    opens(page, "own-open-pages/explore.py", "pages/explore.py")
    assert page.session_state["shown"].plan.parameters == {"layer": "conv1"}
    first = next(iter(page.session_state["own-models"]))
    page.selectbox(key="model").select(first).run()
    page.button(key="explain").click().run()
    settled(page)
    assert page.session_state["shown"].plan.parameters == {"layer": "relu2"}


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("nosuch", "No model 'nosuch'"),
        ("os:system", "start Haloscope with --allow-module os"),
        ("file:gone.pth?arch=digits-cnn", "gone.pth: no such file"),
        ("file:gone.pth", "does not say which architecture"),
        ("forest.pkl", "No model"),
        ("timm:", "names nothing after the colon"),
        ("upload:w.pth@1a2b?arch=digits-cnn", "w.pth was uploaded in another session"),
        ("tests.engine.zoo:NoSuch", "has no builder 'NoSuch'"),
        ("tests.engine.zoo:TinyCnn?wrong=1", "unexpected keyword"),
        ("tests.engine.zoo:TinyCnn?mean=x", "expected a number for each channel"),
    ],
)
def test_a_bad_reference_gets_one_line_and_stays_typed(ref: str, told: str) -> None:
    page = loaded(loaded(opened(), TINY), ref)
    assert told in said(page)
    assert len(page.error) == 1
    assert "Traceback" not in said(page)
    assert page.text_input(key="own.ref").value == ref
    assert page.table, "the card of before stays"


def test_class_names_pasted_or_from_a_file() -> None:
    page = opened()
    page.text_area(key="own.classes").set_value('["cat", "dog", "bird"]').run()
    assert entries(loaded(page, TINY))["Classes"][0] == "3: cat, dog, bird"
    file = page.file_uploader(key="own.classes-file")
    file.upload("names.csv", b"index,name\n1,two\n0,one\n2,three\n", "text/csv").run()
    assert page.text_area(key="own.classes").value == "one\ntwo\nthree"
    assert entries(loaded(page, TINY))["Classes"][0] == "3: one, two, three"
    file = page.file_uploader(key="own.classes-file")
    file.upload("names.json", b'{"0": "a", "2": "b"}', "application/json").run()
    assert "the indices in names.json are not 0 to 1" in said(page)
    assert page.text_area(key="own.classes").value == "one\ntwo\nthree"


def test_uploaded_weights_stay_in_their_session() -> None:
    page = uploaded(opened(), state_of("digits-cnn"), "mine.safetensors", "digits-cnn")
    assert entries(page)["Channels"][0].startswith("1 ")
    tried_and_added(page)
    other = opened()
    assert "own-models" not in other.session_state
    other.switch_page("pages/explore.py").run()
    assert not any("mine" in title for title in settled(other).selectbox(key="model").options)
    opens(page, "own-open-pages/explore.py", "pages/explore.py")
    assert page.title[0].value == "Why “0”?"
    assert page.session_state["sample"].startswith("digits/"), "the picture it was tried on"
    kept = [entry.path.read_bytes() for entry in default_store().entries()]
    assert not any(b"mine.safetensors" in content for content in kept)


def test_the_list_keeps_no_uploaded_file() -> None:
    content = state_of("digits-cnn")
    page = tried_and_added(uploaded(opened(), content, "mine.safetensors", "digits-cnn"))
    (own,) = page.session_state["own-models"].values()
    for found in (own.found, page.session_state["own-found"]):
        assert found.asked.content == b""
        assert found.asked.for_a_shell() == "file:mine.safetensors?arch=digits-cnn"
    widget(page, "selectbox", "layer").select("relu2").run()
    page.button(key="own-apply").click().run()
    model = settled(page).session_state["own-found"].model
    assert model.target_layer.name == "relu2", "its file is still in step 1"

    page.file_uploader(key="own-upload").upload("other.pth", b"x", "a/b").run()
    page.button(key=f"own-card-{own.ref}").click().run()
    assert not any(button.key == "own-apply" for button in page.button)
    told = " ".join(caption.value for caption in page.caption).replace("\\", "")
    assert "choose “mine.safetensors” again in step 1" in told
    page.file_uploader(key="own-upload").upload("mine.safetensors", content, "a/b").run()
    assert page.button(key="own-apply")


def test_uploaded_weights_die_with_their_session() -> None:
    page = uploaded(opened(), state_of("digits-cnn"), "mine.safetensors", "digits-cnn")
    tried_and_added(page)
    opens(page, "own-open-pages/gallery.py", "pages/gallery.py")
    assert page.title[0].value == "How often is mine.safetensors right?"
    model = weakref.ref(page.session_state["own-found"].model)
    assert model() is not None
    for name in ("own-found", "own-models", "own-tested", "shown"):
        if name in page.session_state:
            del page.session_state[name]
    page.switch_page("pages/methods.py").run()
    gc.collect()
    assert model() is None, "nothing of the server's own keeps it"


class Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        return print, ("code was run",)


def pickled(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "name", "arch", "told"),
    [
        (b"no weights", "w.safetensors", "digits-cnn", "not a safetensors file, or damaged"),
        (b"no weights", "w.pth", "digits-cnn", "damaged or not a weights file"),
        (pickled({"a": Runs()}), "w.pth", "digits-cnn", "needs code to load, so it is refused"),
        (state_of("digits-cnn"), "w.safetensors", "scenes-vit", "does not fit"),
        (state_of("digits-cnn"), "w.safetensors", "os:system", "--allow-module os"),
        (state_of("digits-cnn"), "w.safetensors", "nosuch", "neither a bundled model"),
        (pickled(zoo.TinyCnn(7).state_dict()), "w.bin", "tests.engine.zoo:TinyCnn", "'linear"),
        (pickled({"state_dict": {}}), "w.pt", "digits-cnn", "holds no tensors"),
    ],
)
def test_an_upload_that_cannot_be_used_gets_one_line(
    content: bytes, name: str, arch: str, told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    page = uploaded(opened(), content, name, arch)
    assert told.replace("'", "") in said(page).replace("'", "")
    assert len(page.error) == 1
    assert not page.table
    assert "code was run" not in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("notes.zip", b"x", "notes.zip is no weights file"),
        ("model.onnx", b"x", ".bin or .ckpt"),
        ("w.pth", b"", "w.pth is empty"),
    ],
)
def test_a_file_that_is_refused_says_why(name: str, content: bytes, told: str) -> None:
    page = opened()
    page.session_state["own.arch"] = "digits-cnn"
    page.segmented_control(key="own.where").set_value("Upload").run()
    page.file_uploader(key="own-upload").upload(name, content, "a/b").run()
    assert told in said(page)
    assert page.button(key="own-load").disabled
    page.file_uploader(key="own-upload").upload("last.ckpt", state_of("digits-cnn"), "a/b").run()
    assert not page.error
    assert not page.button(key="own-load").disabled


def test_class_names_that_are_long_or_alike() -> None:
    page = loaded(opened(), f"{TINY}&classes=cat,cat,{'long' * 60}")
    assert any("2 classes are called “cat”" in caption.value for caption in page.caption)
    page.button(key="own-try").click().run()
    captions = [caption.value for caption in settled(page).caption]
    told = next(caption for caption in captions if "What speaks for" in caption)
    assert len(told) < 50


def test_why_it_was_refused_stands_in_the_main_column() -> None:
    page = loaded(opened(), "nosuch")
    assert not page.columns[0].error
    assert page.columns[1].error


@pytest.mark.parametrize(
    ("ref", "fetched"),
    [
        ("timm:resnet18", True),
        ("hf:owner/name", True),
        ("timm:resnet18?weights=none", False),
        ("digits-cnn", False),
        ("mynet:build", False),
        ("w.pth", False),
    ],
)
def test_a_download_is_told_only_where_there_may_be_one(ref: str, fetched: bool) -> None:
    from dashboard.own_model.where import may_fetch

    assert may_fetch(ref) is fetched


def test_messages_begin_with_a_capital() -> None:
    assert said(loaded(opened(), "nosuch")).startswith("No model 'nosuch'")


def test_an_upload_with_another_number_of_classes() -> None:
    arch = "tests.engine.zoo:TinyCnn?classes=7"
    page = uploaded(opened(), pickled(zoo.TinyCnn(7).state_dict()), "w.pth", arch)
    assert "names" in said(page) or "does not fit" in said(page)


def test_a_model_that_fails_its_test_does_not_join() -> None:
    page = loaded(opened(), TINY)
    page.session_state["own-found"].model.module.linear.weight.data.fill_(float("nan"))
    page.button(key="own-try").click().run()
    settled(page)
    assert "It does not work here" in said(page)
    assert page.button(key="own-add").disabled


def test_it_can_be_tried_on_a_picture_of_ones_own() -> None:
    page = loaded(opened(), TINY)
    page.selectbox(key="own.set").select("own").run()
    assert page.button(key="own-try").disabled
    file = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (40, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(file, "PNG")
    page.file_uploader(key="own-picture-file").upload("bad.png", b"x", "image/png").run()
    assert "bad.png is not a picture" in said(page)
    page.file_uploader(key="own-picture-file").upload("n.png", file.getvalue(), "image/png").run()
    tried_and_added(page)
    assert any("n.png" in caption.value for caption in page.caption)
    opens(page, "own-open-pages/explore.py", "pages/explore.py")
    assert page.session_state["shown"].picture.name == "n.png"


def test_a_network_that_takes_tensors_is_told_so() -> None:
    page = loaded(opened(), "tests.engine.zoo:Mlp")
    assert entries(page)["Input"][0] == "a tensor of 5"
    page.button(key="own-try").click().run()
    settled(page)
    assert page.button(key="own-add").disabled
    assert any("--image sample.npy" in caption.value for caption in page.caption)


def test_no_page_is_offered_for_a_network_that_takes_tensors(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = "tests.engine.zoo:Mlp"
    monkeypatch.setenv(allowed.EXTRA_MODELS, ref)
    page = loaded(opened(), ref)
    page.button(key="own-try").click().run()
    settled(page)
    assert not any("own-open" in (button.key or "") for button in page.button)
    for where in ("pages/explore.py", "pages/gallery.py"):
        other = opened(where, model=ref)
        other.selectbox(key="model").select(ref).run()
        settled(other)
        assert other.title[0].value.replace("\\", "") == f"How is {ref} explained?"
        assert any(f"--model {ref} --image sample.npy" in code.value for code in other.code)
        assert not any("at the left" in info.value for info in other.info)


def test_a_model_for_tables_joins_the_tables() -> None:
    page = tried_and_added(loaded(opened(), "cancer-mlp?activation=sigmoid"))
    opens(page, "own-open-pages/tables.py", "pages/tables.py")
    assert page.selectbox(key="t.model").value == "cancer-mlp?activation=sigmoid"


@pytest.mark.parametrize("package", ["timm", "torchvision"])
def test_a_missing_package_leaves_the_rest_working(
    package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from dashboard.own_model import library

    library._listed.clear()
    monkeypatch.setitem(sys.modules, package, None)
    page = opened()
    page.selectbox(key="own.library").select(package).run()
    assert f"needs {package}" in said(page)
    assert "-m pip install" in said(page)
    assert page.text_input(key="own.ref").value == ""
    page.segmented_control(key="own.where").set_value("Upload").run()
    told = " ".join(caption.value for caption in page.caption)
    assert f"needs {package}" in told
    assert "digits-cnn" in page.selectbox(key="own.arch").options
    library._listed.clear()


def test_the_library_writes_the_reference() -> None:
    pytest.importorskip("timm")
    page = opened()
    page.selectbox(key="own.library").select("timm").run()
    page.selectbox(key="own.name").select("resnet18").run()
    assert page.text_input(key="own.ref").value == "timm:resnet18"
    page.segmented_control(key="own.weights").set_value("random").run()
    assert page.text_input(key="own.ref").value == "timm:resnet18?weights=none"


def test_no_network_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    from engine.models.libraries import torchvision_models

    monkeypatch.setattr(torchvision_models, "is_reachable", lambda *_, **__: False)
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))
    page = loaded(opened(), "torchvision:resnet18")
    assert "cannot be reached" in said(page)


def test_a_slow_load_can_be_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    from dashboard.own_model import asked

    release = threading.Event()
    real = asked.load_model
    monkeypatch.setattr(asked, "load_model", lambda *a, **k: release.wait(60) and real(*a, **k))
    page = opened()
    page.text_input(key="own.ref").set_value(TINY).run()
    page.button(key="own-load").click().run()
    assert page.button(key="own-load").disabled
    assert any("Loading" in m.value for m in page.markdown)
    other = opened("pages/explore.py")
    assert other.title[0].value == "Why “tiger cat”?", "nobody else waits"
    page.button(key="own-give-up").click().run()
    assert not page.button(key="own-load").disabled
    release.set()
    time.sleep(0.2)
    settled(page)
    assert not page.table, "what comes too late is dropped"


def test_a_link_to_a_model_that_is_not_in_the_list_offers_to_load_it() -> None:
    page = opened("pages/explore.py", model=TINY, method="gradient", target="2")
    assert page.title[0].value == "Why “tiger cat”?"
    assert any("which is not in the list" in info.value for info in page.info)
    assert not page.warning
    assert "own-found" not in page.session_state, "nothing is loaded by itself"
    assert page.query_params["model"] in (TINY, [TINY]), "the link can be opened again"
    opens(page, "to-own-model", OWN)
    assert page.text_input(key="own.ref").value == TINY
    assert not page.table
    page.button(key="own-load").click().run()
    tried_and_added(settled(page))
    opens(page, "own-open-pages/explore.py", "pages/explore.py")
    assert page.title[0].value == "Why “class 2”?"
    assert page.session_state["method"] == "gradient"
    assert not any("not in the list" in info.value for info in page.info)


def test_a_reference_that_was_added_in_this_process_joins_by_itself(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tried_and_added(loaded(opened(), TINY))
    other = opened("pages/explore.py", model=TINY, method="gradient", target="2")
    assert other.title[0].value == "Why “class 2”?"
    assert other.selectbox(key="model").value == TINY
    assert not other.info
    tab = opened()
    assert "own-models" not in tab.session_state, "only what a link asks for"
    monkeypatch.setenv(allowed.MODULES, "")
    late = opened("pages/explore.py", model=TINY)
    assert any("which is not in the list" in info.value for info in late.info)


def test_a_reload_of_the_page_goes_on_with_its_model() -> None:
    page = loaded(opened(), TINY)
    assert page.query_params["model"] in (TINY, [TINY])
    again = opened(model=TINY)
    assert again.text_input(key="own.ref").value == TINY
    assert entries(again) == entries(page)
    assert again.session_state["own-found"].model is page.session_state["own-found"].model
    assert "own-models" not in again.session_state
    tried_and_added(again)
    third = opened(model=TINY)
    assert any("is in the list" in success.value for success in third.success)
    next(b for b in third.button if (b.key or "").startswith("own-remove-")).click().run()
    fourth = opened(model=TINY)
    assert "own-models" not in fourth.session_state, "it was taken out"
    assert not opened(model="tests.engine.zoo:TinyVit").table, "never loaded: filled in alone"


def test_a_reload_after_an_upload_asks_for_the_file_again() -> None:
    page = uploaded(opened(), state_of("digits-cnn"), "mine.safetensors", "digits-cnn")
    again = opened(model=page.session_state["own-found"].model.ref)
    assert not again.table
    assert again.segmented_control(key="own.where").value == "Upload"
    assert any("Upload that file" in info.value for info in again.info)


def test_a_link_to_a_module_that_is_not_allowed_runs_nothing() -> None:
    page = opened("pages/explore.py", model="os:system?command=true")
    opens(page, "to-own-model", OWN)
    page.button(key="own-load").click().run()
    assert "--allow-module os" in said(settled(page))


def test_a_link_to_an_upload_says_which_file_it_wants() -> None:
    content = state_of("digits-cnn")
    first = uploaded(opened(), content, "mine.safetensors", "digits-cnn")
    widget(first, "selectbox", "layer").select("relu2").run()
    first.button(key="own-apply").click().run()
    ref = settled(first).session_state["own-found"].model.ref

    page = opened("pages/explore.py", model=ref)
    told = " ".join(info.value for info in page.info)
    assert "mine.safetensors" in told
    assert ref.partition("@")[2][:12] in told
    opens(page, "to-own-model", OWN)
    assert page.selectbox(key="own.arch").value == "digits-cnn"
    assert any("mine.safetensors" in info.value for info in page.info)
    page.file_uploader(key="own-upload").upload("other.pth", b"x", "a/b").run()
    assert any("mine.safetensors" in info.value for info in page.info), "that is not the one"
    page.file_uploader(key="own-upload").upload("mine.safetensors", content, "a/b").run()
    assert not any("mine.safetensors" in info.value for info in page.info)
    page.button(key="own-load").click().run()
    assert settled(page).session_state["own-found"].model.ref == ref
    assert page.session_state["own-found"].model.target_layer.name == "relu2"


def test_a_link_on_the_tables_page_offers_the_same() -> None:
    page = opened("pages/tables.py", model="cancer-mlp?activation=sigmoid")
    assert any("which is not in the list" in info.value for info in page.info)
    page.button(key="drop-wanted").click().run()
    assert not page.info
