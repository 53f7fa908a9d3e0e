from __future__ import annotations

import base64
import json

import numpy as np

from components import heatmap, views
from engine.results import Attribution


def drawn(values: np.ndarray, kind: views.Kind = "positive"):
    manifest = {"key": "k", "display": {"fold": "sum", "view": "positive"}}
    view = views.look_at(Attribution(manifest, values), kind)
    return heatmap.figure(view, "logit"), view


def test_values_travel_as_float32_bit_by_bit() -> None:
    values = np.random.default_rng(0).normal(size=(224, 224)).astype(np.float32)
    figure, _ = drawn(values, "signed")
    z = json.loads(figure.to_json())["data"][0]["z"]
    assert z["dtype"] == "f4"
    sent = np.frombuffer(base64.b64decode(z["bdata"]), dtype=np.float32).reshape(224, 224)
    assert np.array_equal(sent, values)


def test_the_map_looked_at_stays_within_300_kb() -> None:
    # Of the size that attributions of 224 × 224 pixels have. Plotly writes each "/" of the
    # base64 text as six characters, so values near 1 (bytes 3F) would take 350 kB.
    values = np.random.default_rng(0).normal(0, 0.01, size=(224, 224)).astype(np.float32)
    assert len(drawn(values)[0].to_json()) <= 300_000


def test_scale_is_the_views() -> None:
    figure, view = drawn(np.array([[-2.0, 1.0]], dtype=np.float32), "signed")
    trace = figure.data[0]
    assert (trace.zmin, trace.zmax) == (-view.limit, view.limit)
    assert trace.colorscale[0][1] == view.stops[0]
    assert trace.colorscale[-1][1] == view.stops[-1]


def test_first_row_is_on_top() -> None:
    figure, _ = drawn(np.zeros((5, 3), dtype=np.float32))
    assert list(figure.layout.yaxis.range) == [4.5, -0.5]
    assert list(figure.layout.xaxis.range) == [-0.5, 2.5]
