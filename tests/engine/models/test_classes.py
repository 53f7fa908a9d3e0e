from __future__ import annotations

import pytest

from engine.errors import TargetError
from engine.models.classes import display_names, resolve_class
from engine.models.loaded import LoadedModel
from tests.engine.refusals import expect_refusal

CLASSES = ("cat", "Dog", "Cardigan", "cardigan", "12 monkeys", "dog house")


@pytest.mark.parametrize(
    ("target", "index"),
    [
        (0, 0),
        (5, 5),
        ("4", 4),
        (" 2 ", 2),
        ("cat", 0),
        ("CAT", 0),
        (" dog ", 1),
        ("Cardigan", 2),
        ("cardigan", 3),
        ("12 Monkeys", 4),
    ],
)
def test_found(target: int | str, index: int) -> None:
    assert resolve_class(target, CLASSES) == index


def test_a_name_for_two_classes_tells_both() -> None:
    with expect_refusal(TargetError, "'CARDIGAN' stands for classes 2 and 3"):
        resolve_class("CARDIGAN", CLASSES)
    with expect_refusal(TargetError, "'crane' stands for classes 0 and 2"):
        resolve_class("crane", ("crane", "ship", "crane"))


def test_two_classes_of_imagenet(imagenet_cnn: LoadedModel) -> None:
    classes = imagenet_cnn.classes
    both = {resolve_class("cardigan", classes), resolve_class("Cardigan", classes)}
    assert both == {264, 474}
    with expect_refusal(TargetError, "264 and 474"):
        resolve_class("CARDIGAN", classes)


def test_unknown_name_tells_the_nearest() -> None:
    with expect_refusal(TargetError, "no class 'catt'", "did you mean cat"):
        resolve_class("catt", CLASSES)


@pytest.mark.parametrize("target", [6, -1, 10**30, "6", "-1"])
def test_out_of_range(target: int | str) -> None:
    with expect_refusal(TargetError, f"class {int(target)} is out of range", "has 6 (0 to 5)"):
        resolve_class(target, CLASSES)


@pytest.mark.parametrize("target", ["--5", "-", "", "5-", "²", "1.0"])
def test_what_only_looks_like_a_number_is_a_name(target: str) -> None:
    with expect_refusal(TargetError, "no class"):
        resolve_class(target, CLASSES)


@pytest.mark.parametrize("target", [True, 1.0, None, [1]])
def test_what_is_no_target_at_all(target: object) -> None:
    with expect_refusal(TargetError, "a target is a class index or a name"):
        resolve_class(target, CLASSES)  # type: ignore[arg-type]


def test_display_names_lead_back(imagenet_cnn: LoadedModel) -> None:
    names = display_names(imagenet_cnn.classes)
    assert len({name.lower() for name in names}) == 1000
    assert names[282] == "tiger cat"
    assert names[264].endswith("(264)")
