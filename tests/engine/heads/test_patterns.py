"""Attention of known kinds lands in clusters of its own, with the kind's name."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from engine.errors import Cancelled, InputError, MethodError, ParameterError
from engine.head_results import HeadPatterns
from engine.heads import autoencoder, mapping
from engine.heads.clustering import clusters_of
from engine.heads.mapping import principal
from engine.heads.pattern_names import STATISTICS, breadth_of, name_of, statistics_of
from engine.heads.patterns import head_patterns, part
from engine.heads.points import Points
from engine.heads.pooling import common_grid, pooled
from engine.replay import replay
from engine.results import load_result
from tests.engine import zoo
from tests.engine.attention import library, nets
from tests.engine.heads import kinds, making
from tests.engine.refusals import expect_refusal

NAMES = list(kinds.KINDS)


def points_of(count: int, names: list[str], **more) -> Points:
    points = Points(common_grid([more.get("grid", (8, 8))]))
    for index, maps in enumerate(kinds.pictures(count, names, **more)):
        points.add(index, maps)
    return points


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("grid", [(4, 4), (8, 8), (14, 14), (6, 10)])
def test_each_kind_has_its_name(name: str, grid: tuple[int, int]) -> None:
    (maps,) = kinds.pictures(1, [name], grid, 2)
    for statistics in statistics_of(maps, 0):
        assert name_of(statistics) == name
        if grid == (8, 8):
            assert breadth_of(statistics) == kinds.KINDS[name][1]


@pytest.mark.parametrize("code", ["pca", "autoencoder"])
def test_each_kind_has_its_cluster(code) -> None:
    points = points_of(6, NAMES)
    found = part(points, code, "pca", 0)
    layers = np.array(points.places)[:, 0]
    told = np.array([kind_of(name) for name in found.display["names"]])[found.cluster]
    for layer, name in enumerate(NAMES):
        assert set(told[layers == layer]) == {name}
    assert found.outcome["silhouette"] > 0.5
    breadths = dict(zip(told, np.array(found.display["breadths"])[found.cluster], strict=True))
    assert breadths == {name: breadth for name, (_, breadth) in kinds.KINDS.items()}


def kind_of(name: str) -> str:
    return name.removeprefix("sharper ").removeprefix("broader ").rstrip(" 123456789")


def test_kinds_that_are_one_kind_share_a_cluster() -> None:
    same = part(points_of(6, ["vertical"] * 3 + ["local"] * 3), "pca", "pca", 0)
    assert sorted(same.display["names"]) == ["local", "vertical"]
    assert len(set(same.cluster[:9].tolist())) == 1


def test_statistics_by_hand() -> None:
    maps = making.maps_of(making.drawn(2, 13), grid=(3, 4))
    for head in range(2):
        a = making.dense(maps, 0, head)[1:].tolist()
        rows = [[p / sum(row[1:]) for p in row[1:]] for row in a]
        shares = dict.fromkeys(("local", "vertical", "horizontal", "diagonal", "far"), 0.0)
        chances = dict(shares)
        evenness = 0.0
        for i, row in enumerate(rows):
            for j, p in enumerate(row):
                down, across = abs(i // 4 - j // 4), abs(i % 4 - j % 4)
                is_so = {
                    "local": max(down, across) <= 1,
                    "vertical": across == 0,
                    "horizontal": down == 0,
                    "diagonal": down == across,
                    "far": np.hypot(down, across),
                }
                for name, value in is_so.items():
                    shares[name] += p * value / 12
                    chances[name] += value / 144
            evenness += -sum(p * np.log(p) for p in row) / np.log(12) / 12
        found = dict(zip(STATISTICS, statistics_of(maps, 0)[head], strict=True))
        assert found["class"] == pytest.approx(sum(row[0] for row in a) / 12)
        assert found["evenness"] == pytest.approx(evenness)
        assert found["reach"] == pytest.approx(shares["far"] / chances["far"])
        for name in ("local", "vertical", "horizontal", "diagonal"):
            beyond = (shares[name] - chances[name]) / (1 - chances[name])
            assert found[name] == pytest.approx(max(0, beyond))


def by_area(matrix: np.ndarray, fine: tuple[int, int], coarse: tuple[int, int]) -> np.ndarray:
    """Keys summed and queries averaged on a common refinement of both grids."""
    rows, columns = np.lcm(fine[0], coarse[0]), np.lcm(fine[1], coarse[1])
    of_fine, of_coarse = (
        [
            (y * grid[0] // rows) * grid[1] + x * grid[1] // columns
            for y in range(rows)
            for x in range(columns)
        ]
        for grid in (fine, coarse)
    )
    found = np.zeros((coarse[0] * coarse[1],) * 2)
    parts = np.bincount(of_fine)  # of each fine cell, all alike
    for query, big_query in zip(of_fine, of_coarse, strict=True):
        for key, big_key in zip(of_fine, of_coarse, strict=True):
            found[big_query, big_key] += matrix[query, key] / parts[0]
    return found * len(found) / (rows * columns)


@pytest.mark.parametrize(
    ("grid", "coarse"), [((3, 4), (2, 2)), ((4, 4), (2, 2)), ((3, 4), (3, 4)), ((5, 3), (3, 2))]
)
def test_pooling_is_by_area(grid: tuple[int, int], coarse: tuple[int, int]) -> None:
    count = grid[0] * grid[1]
    maps = making.maps_of(making.drawn(2, 1 + count), grid=grid)
    found = pooled(maps, 0, coarse)
    for head in range(2):
        matrix = making.dense(maps, 0, head)[1:, 1:]
        assert np.allclose(found[head], by_area(matrix, grid, coarse), atol=1e-12)
    assert found.sum() == pytest.approx(
        sum(making.dense(maps, 0, h)[1:, 1:].sum() for h in range(2)) * found.shape[1] / count
    )


def test_windows_are_pooled_at_their_places() -> None:
    maps = making.windowed(6, 3, 1)
    found = pooled(maps, 0, (3, 3))
    for head in range(2):
        wanted = by_area(making.dense(maps, 0, head), (6, 6), (3, 3))
        assert np.allclose(found[head], wanted, atol=1e-12)


def test_maps_of_a_model_have_one_size() -> None:
    assert common_grid([(14, 14)]) == (7, 7)
    assert common_grid([(4, 6), (2, 3)]) == (2, 3)
    assert common_grid([(56, 56), (7, 7)]) == (7, 7)


def test_principal_components_by_singular_values() -> None:
    for shape in ((40, 6), (6, 40)):
        rows = np.random.default_rng(0).normal(size=shape) * np.linspace(3, 1, shape[1])
        found, shares = principal(rows, 8)
        apart = rows - rows.mean(axis=0)
        left, sizes, right = np.linalg.svd(apart, full_matrices=False)
        kept = min(6, len(sizes) - (shape[0] < shape[1]))
        for index in range(kept):
            peak = right[index][np.abs(right[index]).argmax()]
            assert np.allclose(found[:, index], left[:, index] * sizes[index] * np.sign(peak))
        assert np.allclose(shares[:kept], sizes[:kept] ** 2 / (sizes**2).sum())
        assert np.allclose(found[:, 6:], 0, atol=1e-6)
    flat, none = principal(np.ones((5, 3)), 2)
    assert not flat.any()
    assert not none.any()


def test_clusters() -> None:
    draw = np.random.default_rng(0)
    middles = draw.normal(0, 10, (4, 5))
    sizes = (10, 40, 30, 20)
    codes = np.concatenate(
        [m + draw.normal(0, 0.3, (n, 5)) for m, n in zip(middles, sizes, strict=True)]
    )
    labels, score = clusters_of(codes, 0)
    assert labels.tolist() == np.repeat([3, 0, 1, 2], sizes).tolist()
    assert score > 0.9
    assert clusters_of(np.ones((5, 2)), 0)[0].tolist() == [0] * 5
    assert clusters_of(np.ones((5, 2)), 0)[1] is None


def test_the_auto_encoder_learns_and_is_repeatable() -> None:
    points = points_of(6, NAMES)
    maps = torch.from_numpy(np.stack(points.roots))
    maps = (maps - maps.mean()) / maps.std()
    steps: list[int] = []
    codes, losses = autoencoder.codes_of(maps, 3, lambda: steps.append(1), 12)
    assert len(steps) == len(losses) == 12
    assert losses[-1] < 0.6 * losses[0]
    assert codes.shape == (len(maps), 32)
    state = torch.get_rng_state()
    again, other = (autoencoder.codes_of(maps, seed, lambda: None, 2) for seed in (3, 4))
    assert again[1] == losses[:2] != other[1]
    assert torch.equal(autoencoder.codes_of(maps, 3, lambda: None, 2)[0], again[0])
    assert torch.equal(state, torch.get_rng_state())


def test_content_makes_maps_vary() -> None:
    points = points_of(5, NAMES, noise=0.0, heads=2)
    variation = points.variation(len(NAMES), 2)
    of = dict(zip(NAMES, variation, strict=True))
    assert of["content-based"].min() > 0.5
    for name in set(NAMES) - {"content-based"}:
        assert of[name] == pytest.approx(0, abs=1e-6)
    assert np.isnan(points_of(1, NAMES).variation(len(NAMES), 3)).all()


def test_variation_by_hand() -> None:
    given = [making.maps_of(making.drawn(2, 5, seed), grid=(2, 2)) for seed in range(3)]
    points = Points((2, 2))
    for index, maps in enumerate(given):
        points.add(index, maps)
    found = points.variation(1, 3)
    for head in range(2):
        total = 0.0
        for first, second in ((0, 1), (1, 2)):
            a, b = (making.dense(given[n], 0, head) for n in (first, second))
            for i in range(5):
                total += sum(abs(a[i, j] - b[i, j]) for j in range(5)) / 2 / 5 / 2
        assert found[0, head] == pytest.approx(total, rel=1e-5)
    assert np.isnan(found[0, 2])


@pytest.mark.parametrize("name", ["timm-vit", "timm-swin"])
def test_of_a_model(name: str, tmp_path) -> None:
    model = library.load(name)
    pictures = list(zoo.noise(model, 4)[:, None])
    told: list[tuple[int, int]] = []
    found = head_patterns(
        model, pictures, code="autoencoder", progress=lambda *steps: told.append(steps)
    )
    total = 4 + autoencoder.EPOCHS
    assert told == [(index + 1, total) for index in range(total)]
    heads = found.manifest["display"]["heads"]
    assert len(found.layer) == 4 * sum(heads)
    asked = {(layer, head) for layer, count in enumerate(heads) for head in range(count)}
    assert set(zip(found.layer.tolist(), found.head.tolist(), strict=True)) == asked
    assert np.isfinite(found.at).all()
    assert (np.isfinite(found.variation).sum(axis=1) == heads).all()
    assert len(found.names) == found.cluster.max() + 1
    own = found.cluster[(found.layer == 1) & (found.head == 0)].tolist()
    assert own.count(found.cluster_of(1, 0)) == max(map(own.count, own))
    saved = load_result(found.save(tmp_path / "patterns.safetensors"))
    assert isinstance(saved, HeadPatterns)
    assert np.array_equal(saved.at, found.at)
    again = head_patterns(model, pictures, code="autoencoder")
    assert again.at.tobytes() == found.at.tobytes()
    assert again.key == found.key != head_patterns(model, pictures).key


def test_stopping() -> None:
    model = nets.load(nets.Vit)
    told: list[int] = []

    class Cancel:
        def is_set(self) -> bool:
            return len(told) == 5

    with pytest.raises(Cancelled):
        head_patterns(
            model,
            list(zoo.noise(model, 2)[:, None]),
            code="autoencoder",
            progress=lambda done, _total: told.append(done),
            cancel=Cancel(),
        )
    assert told == [1, 2, 3, 4, 5]


def test_what_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    model = nets.load(nets.Vit)
    x = zoo.noise(model)
    with expect_refusal(ParameterError, "no way 'pac'; did you mean pca?"):
        head_patterns(model, [x], code="pac")
    with expect_refusal(InputError, "no pictures"):
        head_patterns(model, [])
    monkeypatch.setitem(sys.modules, "umap", None)
    with expect_refusal(MethodError, "UMAP needs umap-learn: ", "pip install 'umap-learn>=0.5.12"):
        head_patterns(model, [x], plane="umap")


class Double:
    """Stands in for umap-learn, which need not be installed."""

    asked: dict = {}

    class UMAP:
        def __init__(self, **asked) -> None:
            Double.asked = asked

        def fit_transform(self, rows: np.ndarray) -> np.ndarray:
            return rows[:, :2] * 2


def test_umap_is_asked_for_a_plane_from_a_seed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", Double)
    rows = np.random.default_rng(0).normal(size=(9, 32))
    assert np.allclose(mapping.umapped(rows, 7), rows[:, :2] * 2, atol=1e-6)
    assert (Double.asked["random_state"], Double.asked["n_neighbors"]) == (7, 8)
    with expect_refusal(MethodError, "UMAP needs 4 maps or more, there are 3"):
        mapping.umapped(rows[:3], 0)


def test_umap_itself() -> None:
    """Where it is installed: what is alike lies together, and a seed decides."""
    pytest.importorskip("umap")
    draw = np.random.default_rng(0)
    middles = np.repeat(np.eye(3, 32) * 20, 20, axis=0)
    rows = middles + draw.normal(size=middles.shape)
    at = mapping.umapped(rows, 7)
    assert at.shape == (60, 2)
    groups = at.reshape(3, 20, 2)
    centres = groups.mean(axis=1)
    width = np.linalg.norm(groups - centres[:, None], axis=-1).max()
    apart = [np.linalg.norm(centres[i] - centres[j]) for i, j in ((0, 1), (0, 2), (1, 2))]
    assert min(apart) > 2 * width
    assert np.array_equal(mapping.umapped(rows, 7), at)
    assert not np.array_equal(mapping.umapped(rows, 8), at)
    few = mapping.umapped(rows[:6], 7)
    assert few.shape == (6, 2)
    assert np.isfinite(few).all()


def test_patterns_in_the_plane_of_umap() -> None:
    pytest.importorskip("umap")
    model = nets.load(nets.Vit)
    pictures = list(zoo.noise(model, 3)[:, None])
    found = head_patterns(model, pictures, plane="umap", seed=2)
    flat = head_patterns(model, pictures, seed=2)
    assert found.at.shape == flat.at.shape == (18, 2)
    assert np.isfinite(found.at).all()
    assert not np.array_equal(found.at, flat.at)
    assert np.array_equal(found.cluster, flat.cluster)
    assert replay(found, model=model, given=pictures).verdict == "equal to the bit"
