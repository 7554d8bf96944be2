"""Crops: the pixel that belongs there, to 1/32 pixel, whatever OpenCV is installed."""

from __future__ import annotations

import math

import numpy as np
import pytest

from semanticface.engines.landmarks.sampling import Region, crop_exact, crop_fast, wrapped


@pytest.fixture(scope="module")
def noise():
    return np.random.default_rng(7).integers(0, 256, (90, 120, 3), np.uint8)


def by_hand(image, region, size, zero=False):
    """Bilinear sampling in float at positions rounded to 1/32, as OpenCV 4 does it with its 15-bit weights."""
    c, s = math.cos(region.angle), math.sin(region.angle)
    out = np.zeros((size, size, 3))
    height, width = image.shape[:2]

    def at(y, x):
        if zero and not (0 <= x < width and 0 <= y < height):
            return np.zeros(3)
        return image[min(max(y, 0), height - 1), min(max(x, 0), width - 1)].astype(float)

    for v in range(size):
        for u in range(size):
            a, b = (u / size - 0.5) * region.width, (v / size - 0.5) * region.height
            x = round((region.x + c * a - s * b) * 32) / 32
            y = round((region.y + s * a + c * b) * 32) / 32
            x0, y0 = math.floor(x), math.floor(y)
            fx, fy = x - x0, y - y0
            top = at(y0, x0) * (1 - fx) + at(y0, x0 + 1) * fx
            low = at(y0 + 1, x0) * (1 - fx) + at(y0 + 1, x0 + 1) * fx
            out[v, u] = top * (1 - fy) + low * fy
    return out


@pytest.mark.parametrize(
    ("region", "zero"),
    [
        (Region(60, 45, 120, 120), True),
        (Region(50.3, 40.1, 33.7, 41.2, 0.4), False),
        (Region(10.0, 80.0, 60.0, 60.0, -2.1), False),
        (Region(60, 45, 64, 64, math.pi / 2), False),
    ],
)
def test_exact_crops_round_to_a_32nd_of_a_pixel(noise, region, zero):
    got = crop_exact(noise, region, 32, zero_border=zero).astype(float)
    assert np.abs(got - by_hand(noise, region, 32, zero)).max() <= 1.0


def test_an_aligned_crop_is_the_picture_itself(noise):
    region = Region(16 + 20, 16 + 10, 32, 32)
    assert (crop_exact(noise, region, 32) == noise[10:42, 20:52]).all()
    assert (crop_fast(noise, region, 32) == noise[10:42, 20:52]).all()


def test_beyond_the_picture_lie_zeros_or_its_edge(noise):
    region = Region(0, 0, 32, 32)
    assert (crop_exact(noise, region, 32, zero_border=True)[:16] == 0).all()
    assert (crop_exact(noise, region, 32)[:16, 16:] == noise[0, :16]).all()


def test_a_quarter_turn_clockwise_reads_the_columns(noise):
    """The region's own x axis then points down the picture."""
    region = Region(60, 45, 32, 32, math.pi / 2)
    got = crop_exact(noise, region, 32)
    assert (got[5, :, :] == noise[45 - 16 : 45 + 16, 60 + 16 - 5]).all()


def test_fast_and_exact_crops_agree_on_a_smooth_picture():
    y, x = np.mgrid[0:200, 0:300]
    smooth = np.stack([x / 300 * 255, y / 200 * 255, (x + y) / 500 * 255], -1).astype(np.uint8)
    region = Region(140.3, 99.2, 120.7, 120.7, 0.3)
    difference = crop_fast(smooth, region, 256).astype(int) - crop_exact(smooth, region, 256)
    assert np.abs(difference).max() <= 1


def test_a_region_far_outside_gives_the_edge_and_no_wrapped_pixels(noise):
    assert (crop_exact(noise, Region(1e6, 1e6, 50, 50), 32) == noise[-1, -1]).all()


def test_angles_wrap_into_half_turns():
    assert wrapped(3 * math.pi / 2) == pytest.approx(-math.pi / 2)
    assert wrapped(math.pi) == pytest.approx(-math.pi)
