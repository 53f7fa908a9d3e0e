"""Probes of fills: the charts hold the shares, the sentences flip with the data."""

from __future__ import annotations

import numpy as np
import pytest

from components import fill_probes


def test_pairs_are_the_shares_of_right_answers() -> None:
    found = fill_probes.made_up_leak((0.6, 0.1))
    drawn = fill_probes.leak_figure(found)
    assert list(drawn.data[0].x) == pytest.approx([0.9, 0.9])
    assert list(drawn.data[1].x) == pytest.approx([0.6, 0.1])


def test_the_outline_that_tells_is_named() -> None:
    told = fill_probes.leak_sentence(fill_probes.made_up_leak((0.6, 0.1)))
    assert "black leaves 60 % of 40 answers right" in told
    assert "Layer masking tells the least: 10 %" in told
    other = fill_probes.leak_sentence(fill_probes.made_up_leak((0.1, 0.6)))
    assert "layer masking leaves 60 %" in other and "Black tells the least: 10 %" in other
    none = fill_probes.leak_sentence(fill_probes.made_up_leak((0.1, 0.05)))
    assert none.startswith("No outline tells")


def test_the_fill_that_adds_up_is_named() -> None:
    found = fill_probes.made_up_adding((0.5, 0.9))
    np.testing.assert_allclose(
        np.asarray(fill_probes.adding_figure(found).data[0].x), found.cosine.mean(axis=1), rtol=1e-6
    )
    told = fill_probes.adding_sentence(found)
    assert "best with layer masking: cosine 0.9" in told and "worst is black" in told
    other = fill_probes.adding_sentence(fill_probes.made_up_adding((0.9, 0.5)))
    assert "best with black" in other and "worst is layer masking" in other
    even = fill_probes.adding_sentence(fill_probes.made_up_adding((0.7, 0.7)))
    assert even.endswith("No fill is measurably worse.")
