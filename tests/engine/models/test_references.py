from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from torch import nn

from engine.errors import ModelError
from engine.models.modules import build_named
from engine.models.references import check_reference, parse_file_reference
from tests.engine.refusals import expect_refusal

Write = Callable[[str], str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Writes a user's module and returns its name; it is forgotten afterwards."""
    monkeypatch.syspath_prepend(tmp_path)
    written: list[str] = []

    def one(source: str) -> str:
        name = f"nets_of_a_user_{len(written)}"
        (tmp_path / f"{name}.py").write_text(source)
        written.append(name)
        return name

    yield one
    for name in written:
        sys.modules.pop(name, None)


def test_a_builder_that_ends_the_program(write: Write) -> None:
    name = write("def build():\n    raise SystemExit(3)\n")
    with expect_refusal(ModelError, f"{name}:build failed: SystemExit: 3"):
        build_named(f"{name}:build")


def test_taken_apart() -> None:
    found = parse_file_reference("file:some/w.safetensors?arch=my.nets:build")
    assert (found.path, found.arch) == (Path("some/w.safetensors"), "my.nets:build")
    assert parse_file_reference("file:~/w.pth?arch=a").path == Path.home() / "w.pth"


@pytest.mark.parametrize(
    ("ref", "told"),
    [
        ("file:?arch=a:b", "it names no file"),
        ("file:w.pth", "it does not say which architecture"),
        ("file:w.pth?arch=", "it does not say which architecture"),
        ("file:w.pth?arhc=a:b", "unknown option 'arhc'"),
    ],
)
def test_bad_references(ref: str, told: str) -> None:
    with expect_refusal(
        ModelError, repr(ref), told, "write file:weights.safetensors?arch=module:builder"
    ):
        parse_file_reference(ref)


@pytest.mark.parametrize(
    "rest", ["~nobody-here/w.pth?arch=a", "w.pth?arch=a&columns=~nobody-here/t"]
)
def test_a_home_that_is_not_there(rest: str) -> None:
    with expect_refusal(ModelError, "~nobody-here/", "there is no such home folder"):
        parse_file_reference(f"file:{rest}")


def test_built(write: Write) -> None:
    name = write("from torch import nn\ndef build():\n    return nn.Linear(3, 2)\n")
    assert isinstance(build_named(f"{name}:build"), nn.Linear)


@pytest.mark.parametrize(
    "arch", ["nothing", ":build", "mine:", "my nets:build", "../x:build", "os;x:y"]
)
def test_not_of_the_form(arch: str) -> None:
    with expect_refusal(ModelError, f"arch={arch!r}", "module:builder"):
        build_named(arch)


@pytest.mark.parametrize("arch", ["no_such_module_at_all:build", "engine.nothing:build"])
def test_missing_module(arch: str) -> None:
    with expect_refusal(ModelError, f"no module {arch.partition(':')[0]!r} on the Python path"):
        build_named(arch)


def test_module_that_needs_something_missing(write: Write) -> None:
    name = write("import no_such_dependency\n")
    with expect_refusal(ModelError, f"{name} needs 'no_such_dependency', which is not installed"):
        build_named(f"{name}:build")


@pytest.mark.parametrize("source", ["1 / 0\n", "def build(:\n", "raise ValueError('a\\nb')\n"])
def test_module_that_cannot_be_imported(write: Write, source: str) -> None:
    name = write(source)
    with expect_refusal(ModelError, f"importing {name} failed"):
        build_named(f"{name}:build")


@pytest.mark.parametrize("source", ["x = 1\n", "build = 3\n"])
def test_missing_builder(write: Write, source: str) -> None:
    name = write(source)
    with expect_refusal(ModelError, f"{name} has no builder 'build'"):
        build_named(f"{name}:build")


@pytest.mark.parametrize("words", ["'no width given'", "'one line', 'two'", "'first\\nsecond'"])
def test_builder_that_raises(write: Write, words: str) -> None:
    name = write(f"def build():\n    raise RuntimeError({words})\n")
    with expect_refusal(ModelError, f"{name}:build failed: RuntimeError"):
        build_named(f"{name}:build")


def test_builder_with_arguments(write: Write) -> None:
    name = write("def build(width):\n    pass\n")
    with expect_refusal(ModelError, f"{name}:build failed: TypeError", "width"):
        build_named(f"{name}:build")


@pytest.mark.parametrize(("returned", "kind"), [("None", "NoneType"), ("{}", "dict"), ("3", "int")])
def test_builder_that_returns_no_network(write: Write, returned: str, kind: str) -> None:
    name = write(f"def build():\n    return {returned}\n")
    with expect_refusal(ModelError, f"{name}:build returned {kind}, expected an nn.Module"):
        build_named(f"{name}:build")


def test_a_bare_path_is_told_how_to_write_it(tmp_path: Path) -> None:
    with expect_refusal(ModelError, "is a folder: write hf:"):
        check_reference(str(tmp_path))
    with expect_refusal(ModelError, "./rn.pth is a file: write file:./rn.pth?arch="):
        check_reference("./rn.pth")


def test_signs_in_a_files_name(tmp_path: Path) -> None:
    (tmp_path / "what?&really.pth").write_bytes(b"")
    (tmp_path / "100%25.pth").write_bytes(b"")
    asked = parse_file_reference(f"file:{tmp_path}/what%3F%26really.pth?arch=a:b")
    assert asked.path == tmp_path / "what?&really.pth"
    assert parse_file_reference(f"file:{tmp_path}/100%25.pth?arch=a:b").path.is_file()
