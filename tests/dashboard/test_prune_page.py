"""The page "Prune", without a browser: what each choice does to what is shown."""

from __future__ import annotations

import csv
import io
import time
from pathlib import Path

import numpy as np
import pytest
from streamlit.testing.v1 import AppTest

from components import prune_made_up
from dashboard.controls import image_set
from dashboard.prune import exporting, tiles
from dashboard.running import explanations
from dashboard.running import pruning as running
from dashboard.running.allowed import EXTRA_MODELS
from engine.errors import Cancelled
from engine.execution.passes import Cancel, Progress
from engine.inputs.samples import load_sample_set
from engine.models.loading import load_model
from engine.models.uploads import load_uploaded
from engine.prune_results import PruneSweep
from engine.pruning.saving import pruned_bytes
from engine.pruning.smaller import prune
from engine.pruning.sweeping.planning import PrunePlan, plan_pruning

APP = Path(__file__).parents[2] / "dashboard" / "app.py"
MODEL = "digits-cnn"

pytestmark = pytest.mark.filterwarnings("ignore")


def opened(**query: str) -> AppTest:
    return finished(begun(**query))


def begun(**query: str) -> AppTest:
    page = AppTest.from_file(str(APP), default_timeout=600)
    page.query_params.update({"model": MODEL, "many": "60", **query})
    page.switch_page("pages/prune.py")
    return page.run()


def finished(page: AppTest) -> AppTest:
    """Wait for the jobs and run the page again, until nothing new is begun."""
    for _ in range(3):
        for job in list(explanations.queue()._jobs.values()):
            assert job.wait(600)
        page.run()
        assert not page.exception
    return page


def told(page: AppTest) -> str:
    return " ".join(part.value.replace("\\", "") for part in [*page.markdown, *page.caption])


def numbers(page: AppTest) -> dict[str, str]:
    return {one.label: one.value.replace("\\", "") for one in page.metric}


def link(page: AppTest, name: str) -> str:
    value = page.query_params.get(name, "")
    return value[0] if isinstance(value, list) else value


def pressed(page: AppTest, key: str) -> AppTest:
    if any(button.key == key for button in page.button):
        page.button(key=key).click().run()
    return finished(page)


def view(page: AppTest, name: str) -> AppTest:
    page.session_state["pr.view"] = name
    return finished(page.run())


def test_a_small_model_is_pruned_before_anything_is_asked() -> None:
    page = opened()
    assert page.title[0].value == "What can go, and what does it cost?"
    assert numbers(page)["Units gone"] == "48"
    assert "48 of 96 units are gone" in told(page)
    assert "against the random control" in told(page)
    assert "Before: 0" in told(page) and "After:" in told(page)
    assert "40 pictures judge, 20 others calibrate" in told(page)
    assert not page.error and not page.warning


def test_the_slider_changes_the_numbers_without_a_pass() -> None:
    page = opened()
    before, jobs = numbers(page), len(explanations.queue()._jobs)
    page.select_slider(key="pr.ratio").set_value(20).run()
    after = numbers(page)
    assert after["Units gone"] == "19" and before["Units gone"] == "48"
    assert after["Parameters"] != before["Parameters"]
    sweeps = [one for one in explanations.queue()._jobs.values() if "pruned" in one.title]
    assert len({one.key for one in sweeps}) <= jobs
    assert link(page, "ratio") == "20"


def test_repair_and_criterion_change_what_is_left() -> None:
    page = opened(ratio="40")
    first = numbers(page)["Accuracy"]
    page.selectbox(key="pr.repair").select("none").run()
    finished(page)
    assert "no repair" in told(page)
    second = numbers(page)["Accuracy"]
    page.selectbox(key="pr.criterion").select("taylor").run()
    finished(page)
    assert "Taylor (activation)" in told(page)
    assert len({first, second, numbers(page)["Accuracy"]}) > 1
    assert link(page, "criterion") == "taylor" and link(page, "repair") == "none"


def test_a_layer_has_a_ratio_of_its_own_and_loses_it_again() -> None:
    page = opened(ratio="50", layers="conv1:0")
    assert "conv1: 16 of 16" in told(page) or "gave none" in told(page)
    assert numbers(page)["Units gone"] == "40"  # half of 32 and of 48
    assert link(page, "layers") == "conv1:0"
    page.button(key="pr-no-overrides").click().run()
    finished(page)
    assert numbers(page)["Units gone"] == "48"
    assert link(page, "layers") == ""


def test_a_link_restores_all_and_tells_what_it_cannot() -> None:
    page = begun(
        ratio="30", criterion="fpgm", scope="global", repair="bias", view="classes", value="ece",
        layers="conv1:120", draws="0",
    )  # fmt: skip
    said = page.warning[0].value.replace("\\", "")
    assert "conv1:120" in said and "draws" in said
    finished(page)
    assert "FPGM, global, bias compensated" in told(page)
    assert "classes" in link(page, "view") and link(page, "value") == "ece"


def test_views_say_what_they_show() -> None:
    page = opened(ratio="30")
    assert "of 10 classes" in told(view(page, "classes")) or "each of 10" in told(page)
    assert "Where the top of the map lies" in told(view(page, "drift"))
    page = pressed(page, "run-drift")
    assert "Explanations of 24 pictures" in told(page)
    page.session_state["pr.corruptions"] = ["contrast"]
    page = pressed(view(page, "robustness"), "run-robustness")
    assert "worst: Contrast" in told(page)
    page = pressed(view(page, "geometry"), "run-geometry")
    assert "median margin" in told(page)
    page = pressed(page, "run-pixels")
    assert "Change: margin" in told(page)


def test_the_same_pictures_judge_and_calibrate_where_there_are_few(tmp_path: Path) -> None:
    whole = load_sample_set("digits")
    for entry in whole.entries[:10]:
        folder = tmp_path / str(entry.label)
        folder.mkdir()
        (folder / entry.path.name).write_bytes(entry.path.read_bytes())
    page = opened(judged="own", path=str(tmp_path), ratio="20")
    assert "10 pictures judge, the same calibrate" in told(page)
    assert "too few to part" in told(page)
    assert not page.error


def test_whether_it_knows_how_sure_it_may_be_is_told_with_an_interval() -> None:
    page = opened(ratio="50", view="classes")
    (said,) = [part.value for part in page.markdown if "Calibration error" in part.value]
    value = numbers(page)["Calibration error"].removesuffix(" %")
    now = said.partition("Calibration error ")[2]
    assert abs(float(now.partition(" %")[0]) - float(value)) <= 0.06  # rounded
    low, high = (float(part) for part in now.partition("(")[2].partition(")")[0].split(" – "))
    assert low < high
    whole = opened(ratio="0", view="classes")
    assert f"Calibration error {now}" not in " ".join(part.value for part in whole.markdown)


def test_two_networks_are_compared() -> None:
    page = opened(ratio="20", view="compare", ratio2="80")
    assert "The other one is worse" in told(page)
    assert len(page.table) == 1 and len(page.dataframe) == 1
    page = opened(ratio="80", view="compare", ratio2="20")
    assert "The other one is better" in told(page)


def test_a_comparison_begins_with_two_and_says_when_both_are_one() -> None:
    page = opened(view="compare")
    assert page.select_slider(key="pr.ratio2").value == 30
    assert "They share" in told(page)
    page.select_slider(key="pr.ratio2").set_value(50).run()
    assert "Both are the same network" in told(page)


def test_one_ratio_alone_is_offered_and_found_after_the_whole_was_cancelled(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    begun_already: list[str] = []
    run = running._run

    def slow_at_first(
        plan: PrunePlan, progress: Progress, cancel: Cancel, cells: running._Cells
    ) -> PruneSweep:
        begun_already.append(plan.key)
        while len(begun_already) == 1:
            if cancel.is_set():
                raise Cancelled
            time.sleep(0.01)
        return run(plan, progress, cancel, cells)

    monkeypatch.setattr(running, "_run", slow_at_first)
    page = begun(ratio="20", seed="77")
    page.run()
    (sweep,) = [job for job in explanations.queue()._jobs.values() if job.active]
    sweep.cancel()
    assert sweep.wait(60)
    page.run()
    assert not page.metric and len(begun_already) == 1  # nothing begins by itself
    assert "Or this ratio alone, 20 %:" in told(page)
    page = pressed(page, "run-ratio")
    assert not page.error
    assert numbers(page)["Units gone"] == "19"


def test_other_ways_are_tried() -> None:
    page = opened(ratio="30", view="others", other="patterns")
    page = pressed(page, "run-others")
    assert "50 % of the weights are gone" in told(page)
    page = opened(ratio="30", view="others", other="mask-sparsity")
    assert "does not suit" in page.info[0].value


def test_the_small_network_is_timed_and_opened_in_explore() -> None:
    page = opened(ratio="50", view="export", round="1")
    assert "19.4 k → 5.11 k parameters" in told(page)
    page = pressed(page, "run-timing")
    assert "a pass takes" in told(page)
    assert numbers(page)["Time of a pass"].endswith("ms")
    page.button(key="pr-explore").click().run()
    added = page.session_state["own-models"]
    (ref,) = added
    assert ref.startswith("upload:digits-cnn-50.safetensors@")
    assert added[ref].model.module.conv1.weight.shape[0] == 8
    assert page.session_state["model"] == ref


def test_the_small_network_is_trained_on_if_asked() -> None:
    def accuracy(page: AppTest) -> float:
        told_of = "against the untouched network"
        (line,) = [part.value for part in page.markdown if told_of in part.value]
        return float(line.lower().partition("- accuracy ")[2].partition(" %")[0])

    bare = opened(ratio="50", view="export", round="1")
    page = opened(ratio="50", view="export", round="1", epochs="20")
    assert "19.4 k → 5.11 k" not in told(page)  # training waits for the button
    page = pressed(page, "run-small")
    assert "twenty epochs" in told(page)
    assert accuracy(page) > accuracy(bare) + 10


@pytest.mark.parametrize("query", [{"judged": "own", "path": "/nowhere"}])
def test_a_folder_that_is_not_there_is_told(query: dict[str, str]) -> None:
    page = opened(**query)
    assert "no such folder" in page.error[0].value
    assert page.info


def test_what_a_download_holds_loads_again() -> None:
    small = prune(MODEL, load_sample_set("digits").part(range(40)), round_to=1)
    again = load_uploaded(pruned_bytes(small, "s.safetensors"), "s.safetensors", "")
    assert again.digest == small.digest


def test_the_csv_holds_every_way_and_ratio() -> None:
    found = prune_made_up.sweep()
    rows = list(csv.DictReader(io.StringIO(exporting.as_csv(found))))
    assert len(rows) == len(found.ways) * len(found.ratios)
    row = rows[5 * len(found.ratios) + 3]
    assert row["criterion"] == found.ways[5].criterion
    assert float(row["accuracy"]) == pytest.approx(found.accuracy(5, 3).value)


def test_of_each_class_the_same_share_is_drawn() -> None:
    whole = load_sample_set("digits")
    part = image_set.evenly(whole, 60)
    counts = [part.labels.count(name) for name in whole.classes]
    assert len(part) == 60 and min(counts) == max(counts) == 6
    assert image_set.evenly(whole, 1000) is whole


def test_the_first_ratio_is_told_before_the_others() -> None:
    model, images = load_model(MODEL), load_sample_set("digits").part(range(40))
    plan = plan_pruning(model, images, ratios=(0.2, 0.6), draws=1)
    partial: list[PruneSweep] = []
    cells = running._Cells(private=True)
    first = running._run(running.at_ratio(plan, 0.6), lambda *_: None, _Never(), cells)
    partial.append(first)
    whole = running._run(plan, lambda *_: None, _Never(), cells)
    assert first.ratios.tolist() == [0.0, 0.6]
    assert whole.manifest["outcome"]["resumed"] == first.manifest["outcome"]["networks"]
    assert np.array_equal(first.predicted[:, 1], whole.predicted[:, 2])


class _Never:
    def is_set(self) -> bool:
        return False


def test_sentences_of_changes_flip() -> None:
    assert tiles._points(-0.123) == "−12 points"
    assert tiles._points(0.004) == "+0.4 points"
    assert tiles._points(0.0) == ""


def test_without_labels_nothing_is_called_accuracy_and_what_is_left_out_is_told(
    tmp_path: Path,
) -> None:
    for entry in load_sample_set("digits").entries[:60:20]:
        (tmp_path / entry.path.name).write_bytes(entry.path.read_bytes())
    (tmp_path / "bad.png").write_bytes(b"not a picture")
    page = opened(judged="own", path=str(tmp_path), ratio="20", value="agreement")
    assert "3 pictures judge, the same calibrate" in told(page)
    assert "1 file left out: bad.png (not a picture)" in told(page)
    assert {"Same answer", "Confidence gap"} <= set(numbers(page))
    assert list(page.selectbox(key="pr.value").options) == [
        "Same answer", "Confidence", "Confidence gap",
    ]  # fmt: skip
    assert "ccuracy" not in told(page) + told(view(page, "classes"))
    assert "Confidence apart from agreement" in told(page)


def test_of_pictures_some_of_which_have_a_label_those_are_counted(tmp_path: Path) -> None:
    lines = [
        f"{entry.path},{entry.label if place % 2 else ''}"
        for place, entry in enumerate(load_sample_set("digits").entries[:300:10])
    ]
    (tmp_path / "some.csv").write_text("\n".join(["path,label", *lines]))
    page = opened(judged="own", path=str(tmp_path / "some.csv"), ratio="20")
    assert "have a label and judge" in told(page)


def test_where_few_pictures_calibrate_the_usual_repair_is_told_and_can_be_chosen_over(
    tmp_path: Path,
) -> None:
    single = load_sample_set("scenes").entries[0].path
    (tmp_path / single.name).write_bytes(single.read_bytes())
    page = opened(model="scenes-resnet", judged="own", path=str(tmp_path), ratio="20")
    assert "1 picture for 10 classes is too few to recalibrate batch norms" in told(page)
    assert "bias compensated" in told(page) and link(page, "repair") == ""
    page.selectbox(key="pr.repair").select("both").run()
    finished(page)
    assert "too few to recalibrate" not in told(page)
    assert "both repairs" in told(page) and link(page, "repair") == "both"


def test_a_model_of_which_nothing_can_go_is_told_in_plain_words(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ref = "tests.engine.pruning.own_builders:unprunable?size=32"
    monkeypatch.setenv(EXTRA_MODELS, ref)
    page = begun(model=ref)
    (warning,) = page.warning
    assert "builders\\:unprunable" in warning.value and "\\\\" not in warning.value
    assert "its units are the classes" in warning.value
