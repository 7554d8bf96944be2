"""A picture reaches the model as in training: same sizes, same pixels, same order, to the last bit."""

from __future__ import annotations

import random
import time
from typing import Any

import numpy as np
import pytest

from semanticface.engines.mllm.picture import Patches, resized_size, to_patches
from semanticface.errors import MediaError

pytest.importorskip("PIL", reason="the mllm extra is not installed")
RELEASED = (4, 1024)


def picture(height: int, width: int, seed: int = 0) -> np.ndarray:
    """Smooth colours with noise, so that a wrong filter and a wrong order both show."""
    rng = np.random.default_rng(seed)
    down, right = np.mgrid[0:height, 0:width]
    waves = [128 + 100 * np.sin(down / (9 + c) + right / (13 - c)) for c in range(3)]
    return np.clip(np.stack(waves, -1) + rng.normal(0, 25, (height, width, 3)), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def processor() -> Any:
    """(image, least, most) -> (values, grid) of the library's own image processor."""
    module = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl")

    def process(image: np.ndarray, least: int, most: int) -> tuple[np.ndarray, tuple[int, ...]]:
        made = module.Qwen2VLImageProcessorPil(
            patch_size=16,
            merge_size=2,
            temporal_patch_size=2,
            size={"shortest_edge": least * 1024, "longest_edge": most * 1024},
            image_mean=[0.5] * 3,
            image_std=[0.5] * 3,
        )
        out = made(images=[image], input_data_format="channels_last", return_tensors="np")
        return out["pixel_values"], tuple(out["image_grid_thw"][0].tolist())

    return process


def same(ours: Patches, theirs: tuple[np.ndarray, tuple[int, ...]]) -> bool:
    return ours.grid == theirs[1] and ours.values.dtype == theirs[0].dtype and np.array_equal(ours.values, theirs[0])


@pytest.mark.parametrize(
    ("width", "height", "tokens"),
    [
        (896, 504, 448),
        (848, 480, 390),
        (664, 504, 336),
        (848, 464, 364),
        (180, 240, 48),
        (1920, 1080, 1008),
        (1080, 1920, 1008),
        (1024, 1024, 1024),
        (3840, 2160, 1008),
        (7680, 4320, 1008),
        (64, 64, 4),
        (32, 32, 4),
        (1, 1, 4),
        (1, 200, 6),
    ],
)
def test_a_picture_costs_the_tokens_that_training_gave_it(width: int, height: int, tokens: int) -> None:
    high, wide = resized_size(height, width, *RELEASED)
    assert (high % 32, wide % 32) == (0, 0)
    assert high * wide == tokens * 1024


@pytest.mark.parametrize(
    ("height", "width"),
    [
        (504, 896),
        (480, 848),
        (240, 180),
        (1080, 1920),
        (64, 64),
        (33, 47),
        (31, 95),
        (639, 641),
        (17, 1234),
        (1237, 1741),
        (50, 5000),
        (2160, 3840),
        (3, 3),
    ],
)
def test_patches_equal_the_image_processor_bit_for_bit(processor, height: int, width: int) -> None:
    image = picture(height, width)
    ours = to_patches(image, RELEASED)
    assert ours.values.shape == (ours.grid[1] * ours.grid[2], 1536)
    assert ours.tokens * 4 == len(ours.values)
    assert same(ours, processor(image, *RELEASED))


@pytest.mark.parametrize("limits", [(64, 1024), (4, 256), (16, 64), (256, 16_384)])
def test_other_limits_are_kept_as_the_image_processor_keeps_them(processor, limits: tuple[int, int]) -> None:
    for height, width in ((100, 140), (504, 896), (1081, 1919)):
        image = picture(height, width)
        assert same(to_patches(image, limits), processor(image, *limits))


@pytest.mark.parametrize(
    ("height", "width"),
    [(504, 896), (1080, 1920), (33, 47), (15, 400), (16, 2000), (8, 8), (61, 7001), (901, 13), (1, 150)],
)
def test_one_resize_equals_the_two_of_training(processor, height: int, width: int) -> None:
    """Training resizes while reading; the processor that gets the result finds nothing left to resize."""
    from PIL import Image

    image = picture(height, width)
    high, wide = resized_size(height, width, *RELEASED)
    first = np.asarray(Image.fromarray(image).resize((wide, high), Image.Resampling.BICUBIC))
    assert resized_size(high, wide, *RELEASED) == (high, wide)
    assert same(to_patches(image, RELEASED), processor(first, *RELEASED))


def test_sizes_follow_the_published_rule_for_any_picture() -> None:
    """Sides above 16 pixels: below, the two published rules differ, and ours is the one that training used."""
    published = pytest.importorskip("transformers.models.qwen2_vl.image_processing_pil_qwen2_vl").smart_resize
    draw = random.Random(7)
    for _ in range(5000):
        height, width = (int(17 * 2 ** draw.uniform(0, 9)) for _ in range(2))
        least, most = draw.choice([(4, 1024), (64, 1024), (4, 300), (256, 16_384)])
        if max(height, width) <= 200 * min(height, width):
            expected = published(height, width, 32, least * 1024, most * 1024)
            assert resized_size(height, width, least, most) == expected, (height, width)


def test_a_strip_of_fewer_pixels_than_half_a_token_keeps_its_length() -> None:
    assert resized_size(16, 2000, 4, 1024) == (32, 1984)
    assert resized_size(32, 6400, 4, 4) == (32, 896)  # 200 : 1 does not fit 4 tokens; one row stays


def test_an_array_with_other_strides_gives_the_same_patches() -> None:
    image = picture(320, 480)
    expected = to_patches(image, RELEASED).values
    inside = np.zeros((400, 600, 3), np.uint8)
    inside[40:360, 60:540] = image
    for other in (np.asfortranarray(image), inside[40:360, 60:540], image[:, :, ::-1].copy()[:, :, ::-1]):
        assert not other.flags.c_contiguous
        assert np.array_equal(to_patches(other, RELEASED).values, expected)
    exact = to_patches(np.asfortranarray(picture(320, 480)[:, ::-1]), (4, 1024)).values
    assert np.array_equal(exact, to_patches(image[:, ::-1].copy(), RELEASED).values)


def test_the_picture_that_came_in_is_left_alone() -> None:
    image = picture(64, 96)
    image.flags.writeable = False
    before = image.copy()
    values = to_patches(image, RELEASED).values
    assert np.array_equal(image, before)
    assert values.flags.writeable and values.flags.c_contiguous


@pytest.mark.parametrize(
    "image",
    [
        np.zeros((40, 40), np.uint8),
        np.zeros((40, 40, 1), np.uint8),
        np.zeros((40, 40, 4), np.uint8),
        np.zeros((3, 40, 40), np.uint8),
        np.zeros((40, 40, 3), np.float32),
        [[0]],
    ],
)
def test_what_is_no_rgb_picture_is_refused(image: Any) -> None:
    with pytest.raises(MediaError, match="RGB"):
        to_patches(image, RELEASED)


def test_a_picture_without_pixels_or_too_narrow_is_refused_with_its_size() -> None:
    with pytest.raises(MediaError, match="40 x 0 pixels"):
        to_patches(np.zeros((0, 40, 3), np.uint8), RELEASED)
    with pytest.raises(MediaError, match="2 x 401 pixels is too narrow"):
        to_patches(np.zeros((401, 2, 3), np.uint8), RELEASED)
    assert to_patches(np.zeros((400, 2, 3), np.uint8), RELEASED).tokens > 0


@pytest.mark.clock
def test_a_full_hd_frame_costs_a_small_part_of_a_forward() -> None:
    """34 ms on one AVX2 core, of which pillow's filter is 24; the limit leaves room for a busy machine."""
    image = picture(1080, 1920)
    best = min(_seconds(image) for _ in range(5))
    assert best < 0.25


def _seconds(image: np.ndarray) -> float:
    start = time.perf_counter()
    to_patches(image, RELEASED)
    return time.perf_counter() - start
