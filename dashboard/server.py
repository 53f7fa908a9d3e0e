"""The server: Streamlit's own, with our fonts, and warmed up while the browser opens."""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
import urllib.request
import webbrowser
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

APP = Path(__file__).parent / "app.py"
TRIES = 20


def serve(port: int, *, open_browser: bool, host: str = "127.0.0.1") -> None:
    """Serve the dashboard until interrupted.

    Args:
        port: where to listen.
        open_browser: open a browser once the server answers.
        host: address to listen on.
    """
    from starlette.routing import Mount
    from starlette.staticfiles import StaticFiles
    from streamlit.runtime.pages_manager import PagesManager
    from streamlit.starlette import App

    # The folder pages/ holds our pages, which app.py names. Streamlit would take it for pages of
    # its own kind until app.py has run once, and open /tables without it.
    PagesManager.uses_pages_directory = False
    fonts = StaticFiles(directory=str(files("assets").joinpath("fonts")))
    app = App(
        APP,
        lifespan=_lifespan,
        routes=[Mount("/app/static", fonts)],
        on_script_error=_tell_error,
    )
    if open_browser:
        threading.Thread(target=_open_when_up, args=(host, port), daemon=True).start()
    sys.argv = [str(APP)]  # Streamlit looks for its configuration beside the script named here
    app.run(config={"server.port": port, "server.address": host})


def free_port(first: int, host: str = "127.0.0.1") -> int | None:
    """Return the first free port from ``first`` on (0: any), or None if there is none near."""
    for port in range(first, first + TRIES):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    return None


@asynccontextmanager
async def _lifespan(_app: Any) -> AsyncIterator[None]:
    from dashboard.running import warmth

    warmth.start()
    yield


def _tell_error(error: Exception) -> bool:
    """Show one line instead of a traceback; the log has all of it."""
    import streamlit as st

    logging.getLogger("haloscope").error("the page failed", exc_info=error)
    st.error(f"Something went wrong ({type(error).__name__}). Reload the page to go on.")
    return True


def _open_when_up(host: str, port: int) -> None:
    address = f"http://{host}:{port}"
    for _ in range(100):
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=1):
                break
        except OSError:
            time.sleep(0.1)
    webbrowser.open(address)
