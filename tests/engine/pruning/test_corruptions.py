"""Corruptions against the formulas of their paper, and against other libraries."""

from __future__ import annotations

from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.ndimage import zoom
from skimage.color import hsv2rgb, rgb2hsv
from skimage.filters import gaussian

from engine.bibliography import paper
from engine.errors import InputError, ParameterError
from engine.heads.pictures import load_pictures
from engine.inputs.samples import load_sample_set
from engine.models.loading import load_model
from engine.models.specs import ImageSpec
from engine.pruning.corruptions import blur, digital, noise, weather
from engine.pruning.corruptions.corrupting import PAPER, corrupt, corruptions
from engine.pruning.corruptions.sets import corrupted_pictures, corrupted_set
from engine.pruning.corruptions.severities import SEVERITIES, published_size
from tests.engine import zoo

NAMES = list(corruptions())
DRAWN = {
    "gaussian_noise",
    "shot_noise",
    "impulse_noise",
    "speckle_noise",
    "glass_blur",
    "motion_blur",
    "snow",
    "frost",
    "fog",
    "spatter",
    "elastic_transform",
}


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def pictures(size: int, count: int = 6) -> list[np.ndarray]:
    """Scenes, digits, or photographs brought to 224 pixels."""
    name = {32: "digits", 64: "scenes", 224: "photographs"}[size]
    some = load_sample_set(name)
    chosen = range(0, len(some), max(1, len(some) // count))
    found = [some[index].picture.convert("RGB") for index in chosen]
    return [np.asarray(one.resize((224, 224)) if size == 224 else one) for one in found]


def real() -> np.ndarray:
    return pictures(64)[0].astype(np.float32) / 255


def test_there_are_fifteen_and_four() -> None:
    assert len(corruptions(extra=False)) == 15
    assert len(corruptions()) == 19 == len(SEVERITIES)
    for name, by_size in SEVERITIES.items():
        assert name in NAMES
        assert {size: len(values) for size, values in by_size.items()} == {224: 5, 64: 5, 32: 5}
    assert paper(PAPER).year == 2019


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("shape", [(28, 28), (64, 64, 1), (64, 48, 3), (8, 8, 3), (2, 32, 40, 3)])
def test_shapes(name: str, shape: tuple[int, ...]) -> None:
    given = rng().integers(0, 256, shape, dtype=np.uint8)
    before = given.copy()
    found = corrupt(given, name, 5)
    assert found.shape == shape
    assert found.dtype == np.uint8
    assert (given == before).all()


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_is_corrupted_alike_wherever_it_stands(name: str) -> None:
    some = np.stack(pictures(64)[:3])
    whole = corrupt(some, name, 3)
    assert (whole == corrupt(some, name, 3)).all()
    assert (whole[1] == corrupt(some[1], name, 3)).all()
    assert (whole[::-1] == corrupt(some[::-1], name, 3)).all()
    other = corrupt(some, name, 3, seed=1)
    assert (whole != other).any() == (name in DRAWN)


@pytest.mark.parametrize("size", [32, 64, 224])
@pytest.mark.parametrize("name", NAMES)
def test_a_higher_severity_changes_the_pixels_more(name: str, size: int) -> None:
    """In mean squared error, but for those whose caveat says that this need not be."""
    some = pictures(size, 30)
    assert published_size(*some[0].shape[:2]) == size
    errors = [
        np.mean([(corrupt(one, name, severity) - one.astype(float)) ** 2 for one in some])
        for severity in range(1, 6)
    ]
    if corruptions()[name].caveat:
        return
    # At 32 pixels two neighbours among the published strengths are as good as equal.
    least = 0.97 if size == 32 and name in ("snow", "motion_blur") else 1 + 1e-9
    assert all(b >= least * a for a, b in pairwise(errors)), errors
    assert errors[4] > 1.5 * errors[0]


def test_caveats_are_deserved() -> None:
    """Each of them has a severity that changes pixels less than the one before."""
    for name, found in corruptions().items():
        if not found.caveat:
            continue
        falls = []
        for size in (64, 224):
            some = pictures(size)
            errors = [
                np.mean([(corrupt(one, name, s) - one.astype(float)) ** 2 for one in some])
                for s in range(1, 6)
            ]
            falls += [b < a for a, b in pairwise(errors)]
        assert any(falls), name


def test_noise_has_the_moments_of_its_formula() -> None:
    flat = np.full((200, 200, 3), 0.4, np.float32)
    assert noise.gaussian_noise(flat, 0.12, rng()).std() == pytest.approx(0.12, rel=0.01)
    assert noise.speckle_noise(flat, 0.35, rng()).std() == pytest.approx(0.14, rel=0.01)
    shots = noise.shot_noise(flat, 25, rng())
    assert shots.mean() == pytest.approx(0.4, rel=0.01)
    assert shots.var() == pytest.approx(0.4 / 25, rel=0.02)
    impulses = noise.impulse_noise(flat, 0.09, rng())
    assert np.mean(impulses != 0.4) == pytest.approx(0.09, rel=0.02)
    assert np.mean(impulses == 1) == pytest.approx(0.045, rel=0.04)


def test_colours_as_scikit_image_has_them() -> None:
    x = np.concatenate([real(), np.full((4, 64, 3), 0.3, np.float32), np.zeros((4, 64, 3))])
    x = x.astype(np.float32)
    for more in (0.1, 0.5):
        hsv = rgb2hsv(x)
        hsv[..., 2] = np.clip(hsv[..., 2] + more, 0, 1)
        assert digital.brightness(x, more, rng()) == pytest.approx(hsv2rgb(hsv), abs=1e-5)
    for strength in SEVERITIES["saturate"][224]:
        hsv = rgb2hsv(x)
        hsv[..., 1] = np.clip(hsv[..., 1] * strength[0] + strength[1], 0, 1)
        assert digital.saturate(x, strength, rng()) == pytest.approx(hsv2rgb(hsv), abs=1e-5)


def test_contrast_keeps_the_mean() -> None:
    x = real()
    found = digital.contrast(x, 0.3, rng())
    assert found.mean(axis=(0, 1)) == pytest.approx(x.mean(axis=(0, 1)), abs=1e-5)
    assert found.std(axis=(0, 1)) == pytest.approx(0.3 * x.std(axis=(0, 1)), rel=1e-4)


def test_blur_as_scikit_image_has_it() -> None:
    x = real()
    theirs = gaussian(x, sigma=1.25, channel_axis=2, mode="nearest")
    assert blur.gaussian_blur(x, 1.25, rng()) == pytest.approx(theirs, abs=1e-5)


def test_a_point_shows_the_kernels() -> None:
    x = np.zeros((41, 41, 1), np.float32)
    x[20, 20] = 1
    disk = blur.defocus_blur(x, (6, 0.01), rng())[..., 0]
    rows, columns = np.mgrid[-20:21, -20:21]
    inside = rows**2 + columns**2 <= 36
    assert disk == pytest.approx(inside / inside.sum(), abs=1e-5)
    line = blur.along(x, 5, 2.0, 0.0)[20, :, 0]
    steps = np.arange(11)
    weights = np.exp(-(steps**2) / 8)
    assert line[20:9:-1] == pytest.approx(weights / weights.sum(), abs=1e-5)
    slanted = blur.along(x, 5, 2.0, 45.0)[..., 0]
    assert slanted.sum() == pytest.approx(1, abs=1e-4)
    place = np.array([(slanted * rows).sum(), (slanted * columns).sum()])
    mean = (weights * steps).sum() / weights.sum()
    assert place == pytest.approx(-mean * np.sqrt(0.5), abs=1e-3)


@pytest.mark.parametrize("name", ["gaussian_blur", "defocus_blur", "motion_blur", "zoom_blur"])
def test_blurs_leave_an_even_picture_alone(name: str) -> None:
    flat = np.full((64, 80, 3), 0.4, np.float32)
    for strength in SEVERITIES[name][224]:
        found = getattr(blur, name)(flat, strength, rng())
        assert found == pytest.approx(0.4, abs=1e-4)


def test_zoom_as_scipy_has_it() -> None:
    x = real()[:33, :33]
    theirs = zoom(x, (2, 2, 1), order=1, grid_mode=False)  # corners on corners: 66 × 66
    places = np.linspace(0, 32, 66)
    ours = blur.zoomed(x, 65 / 32)
    middle = 16 + (np.arange(33) - 16) * 32 / 65
    nearest = np.abs(places[:, None] - middle).argmin(axis=0)
    assert np.abs(places[nearest] - middle).max() < 0.25
    assert ours == pytest.approx(theirs[nearest][:, nearest], abs=0.15)
    assert ours[16, 16] == pytest.approx(x[16, 16])
    assert blur.zoomed(x, 1.0) == pytest.approx(x)


def test_glass_takes_colours_from_near_by() -> None:
    x = np.zeros((32, 32, 1), np.float32)
    x[..., 0] = np.arange(32)[:, None] * 32 + np.arange(32)  # each pixel has a colour of its own
    found = blur.glass_blur(x, (0.0, 1, 1), rng())[..., 0].astype(int)
    rows, columns = np.divmod(found, 32)
    assert {*np.unique(rows - np.arange(32)[:, None])} == {-1, 0}
    assert {*np.unique(columns - np.arange(32))} == {-1, 0}
    assert np.mean(found != x[..., 0]) > 0.6


def test_pixels_of_pixelate_are_means() -> None:
    given = pictures(64)[0]
    means = given.reshape(32, 2, 32, 2, 3).mean(axis=(1, 3))
    found = corrupt(given, "pixelate", 5)  # half the side
    assert np.abs(found[::2, ::2] - means).max() <= 1  # rounded twice
    assert (found[::2, ::2] == found[1::2, 1::2]).all()


def test_jpeg_is_what_pillow_writes() -> None:
    given, file = pictures(64)[0], BytesIO()
    Image.fromarray(given).save(file, "JPEG", quality=25)
    assert (corrupt(given, "jpeg_compression", 5) == np.asarray(Image.open(file))).all()


def test_fog_by_its_formula() -> None:
    x = real()
    cloud = weather.clouds(x, 2.0, rng(5))
    found = weather.fog(x, (1.5, 2.0), rng(5))
    assert found == pytest.approx((x + 1.5 * cloud) * x.max() / (x.max() + 1.5), abs=1e-6)
    assert (cloud.min(), cloud.max()) == (0, 1)


def test_clouds_are_smoother_where_detail_fades_faster() -> None:
    def roughness(decay: float) -> float:
        return float(np.abs(np.diff(weather.plasma(64, decay, rng()), axis=0)).mean())

    assert roughness(3.0) < roughness(2.0) < roughness(1.4)
    torus = weather.plasma(64, 3.0, rng())
    assert np.abs(torus[0] - torus[-1]).mean() < 0.2  # the ends meet


def test_elastic_without_strength_is_the_picture() -> None:
    x = real()
    assert digital.elastic_transform(x, (0, 0, 0), rng()) == pytest.approx(x, abs=1e-5)


def test_elastic_moves_corners_as_drawn() -> None:
    """A plane of coordinates shows where each place comes from: an affine map."""
    rows, columns = np.mgrid[:64, :64].astype(np.float32) / 64
    x = np.stack([rows, columns, rows], axis=2)
    found = digital.elastic_transform(x, (0, 0, 0.02), rng())[8:-8, 8:-8]
    assert np.abs(np.diff(found, n=2, axis=0)).max() < 1e-5
    assert np.abs(np.diff(found, n=2, axis=1)).max() < 1e-5
    assert np.abs(found - x[8:-8, 8:-8]).max() > 1e-3


def test_snow_and_frost_whiten() -> None:
    dark = np.zeros((64, 64, 3), np.float32)
    for work in (weather.snow, weather.frost):
        name = work.__name__
        means = [float(work(dark, one, rng()).clip(0, 1).mean()) for one in SEVERITIES[name][64]]
        assert min(means) > 0.05


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (np.zeros((4, 4, 3)), "are uint8"),
        (np.zeros((4, 4, 2), np.uint8), r"1 or 3 channels"),
        (np.zeros((0, 4, 3), np.uint8), "are uint8"),
        (np.zeros(4, np.uint8), "have shape"),
    ],
)
def test_bad_pictures(given: np.ndarray, told: str) -> None:
    with pytest.raises(InputError, match=told):
        corrupt(given, "fog", 1)


@pytest.mark.parametrize("severity", [0, 6, True, 2.5])
def test_bad_severity(severity: int) -> None:
    with pytest.raises(ParameterError, match="from 1 to 5"):
        corrupt(np.zeros((8, 8), np.uint8), "fog", severity)


def test_bad_name() -> None:
    with pytest.raises(ParameterError, match="did you mean"):
        corrupt(np.zeros((8, 8), np.uint8), "gaussian-noise", 1)


def test_a_set_is_corrupted_as_it_is_opened() -> None:
    whole = load_sample_set("scenes").part(range(4))
    found = corrupted_set(whole, "fog", 2, seed=3)
    assert found.labels == whole.labels
    assert found.name == "Scenes, fog 2"
    assert (found[1].pixels == corrupt(whole[1].pixels, "fog", 2, seed=3)).all()
    assert found[1].truth is not None
    assert found[1].truth.label == whole[1].truth.label
    part = found.part([1, 2])
    assert (part[0].pixels == found[1].pixels).all()
    digests = {whole.digest, found.digest, part.digest}
    digests |= {corrupted_set(whole, "fog", 3, seed=3).digest}
    digests |= {corrupted_set(whole, "fog", 2, seed=4).digest}
    digests |= {corrupted_set(whole, "snow", 2, seed=3).digest}
    assert len(digests) == 6


def test_a_set_at_the_size_that_the_network_sees() -> None:
    """Resized to 40 and cut to 32 first, then corrupted, then taken as it is."""
    spec = ImageSpec(32, 32, mean=(0.5,) * 3, std=(0.2,) * 3, resize=40)
    model = load_model(zoo.build("tiny-cnn"), input_spec=spec, device="cpu")
    photographs = load_sample_set("photographs")
    found = corrupted_set(photographs, "gaussian_noise", 4, spec=spec)
    seen = np.array(spec.fitted(photographs[1]))
    wanted = corrupt(seen, "gaussian_noise", 4)
    for fit in ("crop", "letterbox"):
        x = model.prepare(found[1].with_fit(fit))
        assert (
            spec.denormalise(x[0]).mul(255).round().byte().permute(1, 2, 0)
            == torch.from_numpy(wanted)
        ).all()


@pytest.mark.parametrize(
    ("reference", "images"), [("scenes-vgg", "scenes"), ("digits-cnn", "digits")]
)
def test_prepared_pictures_are_those_of_the_set(reference: str, images: str) -> None:
    model = load_model(reference, device="cpu")
    some = load_sample_set(images).part(range(3))
    prepared = load_pictures(model, some)
    found = corrupted_pictures(model, prepared, "shot_noise", 5, seed=1)
    assert found.name == f"{some.name}, shot noise 5"
    assert (found.labels == prepared.labels).all()
    assert found.digest != prepared.digest
    as_set = load_pictures(model, corrupted_set(some, "shot_noise", 5, 1, spec=model.spec))
    for index in range(3):
        assert torch.equal(found.prepared(index), as_set.prepared(index))
        assert not torch.equal(found.prepared(index), prepared.prepared(index))


def test_a_table_cannot_be_corrupted() -> None:
    model = zoo.load("mlp")
    prepared = load_pictures(model, torch.randn(2, 5))
    with pytest.raises(InputError, match="takes no pictures"):
        corrupted_pictures(model, prepared, "fog", 1)
