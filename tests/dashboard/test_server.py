from __future__ import annotations

import socket
import subprocess
import sys
import tomllib
from importlib.resources import files
from pathlib import Path

from dashboard import server

HOME = Path(server.__file__).parent


def test_a_taken_port_is_passed_over() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        free = server.free_port(port)
    assert free is not None
    assert free > port


def test_any_port_is_a_real_one() -> None:
    port = server.free_port(0)
    assert port is not None
    assert port > 0


def test_every_font_of_the_theme_is_shipped() -> None:
    config = tomllib.loads((HOME / ".streamlit/config.toml").read_text())
    for face in config["theme"]["fontFaces"]:
        name = face["url"].removeprefix("app/static/")
        assert files("assets").joinpath("fonts", name).is_file(), name


def test_nothing_is_sent_home() -> None:
    config = tomllib.loads((HOME / ".streamlit/config.toml").read_text())
    assert config["browser"]["gatherUsageStats"] is False
    assert config["server"]["address"] == "127.0.0.1"


def test_the_page_can_begin_before_torch_is_there() -> None:
    code = (
        "import sys\n"
        "import dashboard.explore.page, dashboard.running.warmth, dashboard.running.models\n"
        "import dashboard.running.panel, dashboard.command.main, dashboard.own_model.page\n"
        "print({'torch', 'captum', 'plotly.graph_objs._figure'} & set(sys.modules) or [])"
    )
    found = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=HOME.parent
    )
    assert found.stdout.strip() == "[]"
