"""Made ready while the browser is still opening: torch, the first model, the first map."""

from __future__ import annotations

import gc
import threading
from functools import cache

from engine.errors import HaloscopeError
from engine.models.bundled import bundled_models

_ready = threading.Event()


@cache
def start() -> threading.Thread:
    """Begin, once, on a thread of its own."""
    thread = threading.Thread(target=_warm_up, name="haloscope-warm-up", daemon=True)
    thread.start()
    return thread


def is_ready() -> bool:
    """Whether the engine has been imported and the first map computed (or has failed)."""
    return _ready.is_set()


def wait(timeout: float = 120.0) -> None:
    """Wait until everything is ready."""
    start()
    _ready.wait(timeout)


def _warm_up() -> None:
    gc.disable()  # nothing that is being imported is garbage
    try:
        _first_map()
    except HaloscopeError:
        pass  # the page meets the same error where it can tell it
    finally:
        try:
            _import_the_rest()
        finally:
            gc.enable()
            _ready.set()


def _import_the_rest() -> None:
    """Import what the pages import later, and take it out of the garbage collector's sight.

    Plotly looks for pandas among the modules: it must not find one that another session is
    just importing. And Streamlit collects all garbage after every run of the script, which
    with torch imported walks through a million objects that never go away, holding up every
    other thread.
    """
    import pandas  # noqa: F401

    import dashboard.controls.sidebar
    import dashboard.explore.maps
    import dashboard.explore.predictions
    import dashboard.explore.trust  # noqa: F401
    from components import heatmap

    heatmap.example().to_json()
    gc.freeze()


def _first_map() -> None:
    from dashboard.running import explanations
    from dashboard.running.models import model
    from dashboard.running.predictions import prediction
    from engine.attribution.explain import plan
    from engine.attribution.registry import methods_for
    from engine.inputs.samples import load_sample_set

    first = bundled_models()[0]
    loaded = model(first.name)
    picture = load_sample_set(first.sets[0])[0]
    planned = plan(loaded, picture, methods_for(loaded)[0].name)
    explanations.submit(planned).wait(60)
    prediction(loaded, picture)  # the page shows it, and learns how fast a warm pass is
