"""Who may import whom: read off the source of every file, not off what happens to run."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# The engine's rooms, lowest first. Rooms on one line know nothing of each other.
FLOORS = (
    ("errors",),
    ("parameters", "registry"),
    ("results", "manifest", "bibliography", "halo_shapes"),
    ("scores",),
    ("table_results", "head_results", "mask_results", "interaction_results", "prune_results"),
    ("inputs",),
    ("models",),
    ("execution",),
    ("attention",),
    ("masking",),
    ("attribution",),
    ("evaluation", "interactions", "tables", "heads", "inspection", "missingness"),
    ("pruning",),
    ("store", "replay"),
)
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}

DRAWING = {"streamlit", "plotly"}
COMPUTING = {"torch", "captum"}


def module_name(path: Path) -> str:
    parts = list(path.relative_to(ROOT).with_suffix("").parts)
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(source: str, module: str, *, package: bool = False) -> set[str]:
    """Absolute dotted names of all that a file imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            home = node.module or ""
            if node.level:
                parts = module.split(".")
                here = parts[: len(parts) - node.level + package]
                home = ".".join([*here, *([home] if home else [])])
            found |= {f"{home}.{alias.name}" for alias in node.names}
    return found


def violations(source: str, module: str, *, package: bool = False) -> list[str]:
    """What a file imports although it may not."""
    house = module.partition(".")[0]
    may = {"engine": _engine_may, "components": _component_may, "dashboard": _dashboard_may}[house]
    names = sorted(imports_of(source, module, package=package))
    return [f"{module} imports {name}" for name in names if not may(module, name)]


def _engine_may(module: str, name: str) -> bool:
    top, *rest = name.split(".")
    if top in DRAWING | {"components", "dashboard", "tests"}:
        return False
    if top != "engine" or module == "engine":  # engine/__init__ is the face: it shows all rooms
        return True
    own, other = module.split(".")[1], rest[0] if rest else ""
    if other == "__version__" or other == own:
        return True
    return other in FLOOR_OF and FLOOR_OF[other] < FLOOR_OF[own]


def _component_may(module: str, name: str) -> bool:
    top, *rest = name.split(".")
    if top == "engine":
        return bool(rest) and rest[0] in (
            "results",
            "scores",
            "table_results",
            "head_results",
            "mask_results",
            "interaction_results",
            "prune_results",
            "halo_shapes",
            "errors",
        )
    return top not in COMPUTING | {"streamlit", "dashboard", "tests"}


def _dashboard_may(module: str, name: str) -> bool:
    return name.partition(".")[0] != "tests"


def files() -> list[Path]:
    return [
        path
        for house in ("engine", "components", "dashboard")
        for path in sorted((ROOT / house).rglob("*.py"))
    ]


@pytest.mark.parametrize("path", files(), ids=module_name)
def test_imports_go_downwards(path: Path) -> None:
    is_package = path.name == "__init__.py"
    assert not violations(path.read_text("utf-8"), module_name(path), package=is_package)


def test_every_room_of_the_engine_has_its_floor() -> None:
    names = [
        module_name(path).split(".") for path in files() if path.is_relative_to(ROOT / "engine")
    ]
    rooms = {name[1] for name in names if len(name) > 1}
    assert rooms <= set(FLOOR_OF)
    assert {"errors", "results", "inputs", "models", "execution", "masking"} <= rooms


@pytest.mark.parametrize(
    ("module", "source", "told"),
    [
        ("engine.inputs.images", "import torch\nfrom engine.models import specs", "engine.models"),
        ("engine.errors", "from engine.results import Result", "engine.results.Result"),
        ("engine.results", "from engine.manifest import key_of", "engine.manifest.key_of"),
        ("engine.masking.fills", "def f():\n    import plotly.express", "plotly.express"),
        ("engine.models.loaded", "from engine import explain", "engine.explain"),
        ("engine.models.loaded", "from ..attribution import registry", "engine.attribution"),
        ("engine.models.loaded", "from components import words", "components.words"),
        ("engine.execution.jobs", "import streamlit as st", "streamlit"),
        ("components.heatmap", "from engine.attribution.explain import plan", "engine.attribution"),
        ("components.heatmap", "import engine", "engine"),
        ("components.heatmap", "from engine import Attribution", "engine.Attribution"),
        ("components.heatmap", "try:\n    import torch.nn\nexcept ImportError: ...", "torch.nn"),
        ("components.heatmap", "import streamlit", "streamlit"),
        ("components.heatmap", "from dashboard.state import x", "dashboard.state.x"),
        ("dashboard.app", "from tests.engine import zoo", "tests.engine.zoo"),
    ],
)
def test_a_planted_violation_is_caught(module: str, source: str, told: str) -> None:
    (found,) = violations(source, module)
    assert told in found


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("engine.models.loaded", "from engine.inputs.images import ImageInput\nimport torch"),
        ("engine.models.loaded", "from . import specs\nfrom .specs import ImageSpec"),
        ("engine.manifest", "from engine import __version__"),
        ("components.heatmap", "import plotly\nfrom engine.results import Attribution"),
        ("dashboard.app", "import streamlit\nfrom engine import explain\nimport components"),
    ],
)
def test_what_is_allowed_passes(module: str, source: str) -> None:
    assert violations(source, module) == []


def test_relative_imports_of_a_package_start_at_itself() -> None:
    assert imports_of("from . import specs", "engine.models", package=True) == {
        "engine.models.specs"
    }


@pytest.mark.parametrize(
    "module",
    [
        "engine",
        "engine.errors",
        "engine.results",
        "engine.manifest",
        "engine.inputs.samples",
        "engine.models.bundled",
        "engine.execution.cost",
        "engine.store",
        "dashboard.running.keeping",
        "dashboard.command.main",
    ],
)
def test_importing_it_does_not_import_torch(module: str) -> None:
    code = f"import sys, {module}; print(sorted({{'torch', 'captum'}} & set(sys.modules)))"
    told = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "[]"
