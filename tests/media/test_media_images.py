"""Every odd picture gives the right pixels or a clear error, never a guess."""

from __future__ import annotations

import io
import os
import struct
import warnings

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semanticface.errors import MediaError
from semanticface.media.image_header import read_header
from semanticface.media.images import ImageLimits, decode_image, raw_image
from semanticface.protocol import PixelFormat

Image = pytest.importorskip("PIL.Image", reason="Pillow makes the odd files")

QUARTERS = np.zeros((24, 40, 3), np.uint8)
QUARTERS[:12, :20], QUARTERS[:12, 20:], QUARTERS[12:, :20], QUARTERS[12:, 20:] = (
    (250, 30, 40),
    (30, 200, 60),
    (20, 60, 220),
    (200, 200, 50),
)


def encoded(pixels, kind, **options):
    out = io.BytesIO()
    (pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)).save(out, kind, **options)
    return out.getvalue()


def tiff(pixels, orientation=1):
    """An uncompressed TIFF of any depth (TIFF 6.0), because Pillow can't write 16-bit colour."""
    height, width, channels = pixels.shape
    bits, kind = pixels.dtype.itemsize * 8, 3 if pixels.dtype.kind == "f" else 1
    data = pixels.tobytes()
    tags = [
        (256, 4, [width]),
        (257, 4, [height]),
        (258, 3, [bits] * channels),
        (259, 3, [1]),
        (262, 3, [2 if channels >= 3 else 1]),
        (273, 4, [8]),
        (274, 3, [orientation]),
        (277, 3, [channels]),
        (278, 4, [height]),
        (279, 4, [len(data)]),
        *([(338, 3, [2])] if channels == 4 else []),
        (339, 3, [kind] * channels),
    ]
    entries, extra = b"", b""
    after = 8 + len(data) + 2 + 12 * len(tags) + 4
    for tag, code, values in tags:
        packed = struct.pack(f"<{len(values)}{'H' if code == 3 else 'I'}", *values)
        field = packed.ljust(4, b"\0") if len(packed) <= 4 else struct.pack("<I", after + len(extra))
        extra += b"" if len(packed) <= 4 else packed
        entries += struct.pack("<HHI", tag, code, len(values)) + field
    directory = struct.pack("<H", len(tags)) + entries + b"\0\0\0\0"
    return b"II*\0" + struct.pack("<I", 8 + len(data)) + data + directory + extra


def close(found, expected, tolerance=0):
    assert found.dtype == np.uint8 and found.flags.c_contiguous
    assert found.shape == expected.shape
    inner = np.abs(found.astype(int) - expected.astype(int))[6::12, 5::10]  # away from the edges between colours
    assert inner.max() <= tolerance


@pytest.mark.parametrize(
    ("kind", "options", "tolerance"),
    [
        ("PNG", {}, 0),
        ("JPEG", {"quality": 95}, 4),
        ("JPEG", {"quality": 95, "progressive": True}, 4),
        ("TIFF", {}, 0),
        ("TIFF", {"compression": "tiff_lzw"}, 0),
        ("WEBP", {"lossless": True}, 0),
        ("WEBP", {"quality": 95}, 12),
        ("BMP", {}, 0),
    ],
)
def test_plain_pictures_come_out_as_rgb(kind, options, tolerance):
    close(decode_image(encoded(QUARTERS, kind, **options)), QUARTERS, tolerance)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA"])
def test_grey_palette_and_opaque_alpha_become_rgb(mode):
    picture = Image.fromarray(QUARTERS).convert(mode)
    close(decode_image(encoded(picture, "PNG")), np.array(picture.convert("RGB")))


def test_grey_jpeg_becomes_rgb():
    grey = Image.fromarray(QUARTERS).convert("L")
    close(decode_image(encoded(grey, "JPEG", quality=95)), np.array(grey.convert("RGB")), 3)


def test_cmyk_jpeg_of_adobe_kind_keeps_its_colours():
    cmyk = encoded(Image.fromarray(QUARTERS).convert("CMYK"), "JPEG", quality=95)
    assert b"Adobe" in cmyk
    close(decode_image(cmyk), QUARTERS, 5)


def test_cmyk_jpeg_without_adobe_marker_is_refused_as_ambiguous():
    cmyk = encoded(Image.fromarray(QUARTERS).convert("CMYK"), "JPEG")
    at = cmyk.index(b"\xff\xee")
    with pytest.raises(MediaError, match="CMYK"):
        decode_image(cmyk[:at] + cmyk[at + 2 + int.from_bytes(cmyk[at + 2 : at + 4], "big") :])


def as_shot(orientation):
    """The stored pixels that Exif orientation turns into QUARTERS, by Pillow's own transposition."""
    from PIL import ImageOps

    for stored in (QUARTERS, QUARTERS.transpose(1, 0, 2)):
        for flipped in (stored, stored[::-1], stored[:, ::-1], stored[::-1, ::-1]):
            picture = Image.fromarray(np.ascontiguousarray(flipped))
            picture.getexif()[274] = orientation
            if np.array_equal(np.array(ImageOps.exif_transpose(picture)), QUARTERS):
                return np.ascontiguousarray(flipped)
    raise AssertionError(orientation)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "PNG with alpha", "WEBP", "TIFF", "TIFF 16", "TIFF float"])
def test_every_orientation_comes_out_upright(orientation, kind):
    stored = as_shot(orientation)
    exif = Image.Exif()
    exif[274] = orientation
    if kind == "TIFF float":
        data = tiff((stored / np.float32(255)).astype(np.float32), orientation)
        upright = decode_image(data)
        assert upright.shape == QUARTERS.shape
        assert (upright[6, 10].argmax(), upright[6, 30].argmax(), upright[18, 10].argmax()) == (0, 1, 2)
        return
    if kind == "TIFF 16":
        data = tiff(stored.astype(np.uint16) * 257, orientation)
    elif kind == "TIFF":
        data = tiff(stored, orientation)
    elif kind == "PNG with alpha":
        data = encoded(Image.fromarray(stored).convert("RGBA"), "PNG", exif=exif)
    else:
        options = {"WEBP": {"lossless": True}, "JPEG": {"quality": 95}}.get(kind, {})
        data = encoded(stored, kind, exif=exif, **options)
    close(decode_image(data), QUARTERS, 8 if kind == "JPEG" else 0)
    assert read_header(data, "x").upright_size == (40, 24)


@pytest.mark.parametrize("kind", ["png", "tiff"])
def test_16_bits_are_scaled_not_cut(kind):
    deep = QUARTERS.astype(np.uint16) * 257 + 100  # rounds back to the same 8 bits; >> 8 would, * 1 wouldn't
    data = cv2.imencode(".png", deep[:, :, ::-1])[1].tobytes() if kind == "png" else tiff(deep)
    close(decode_image(data), QUARTERS)
    half = np.full((4, 4), 0x7F80 + 127, np.uint16)  # 127.996 of 255
    assert decode_image(cv2.imencode(".png", half)[1].tobytes())[0, 0, 0] == round(int(half[0, 0]) / 257)


@pytest.mark.parametrize("kind", ["png", "png 16", "webp", "tiff", "tiff 16"])
def test_transparent_parts_lie_over_mid_grey(kind):
    pixels = np.dstack([QUARTERS, np.full(QUARTERS.shape[:2], 100, np.uint8)])
    if kind == "tiff":
        data = tiff(pixels)
    elif kind == "tiff 16":
        data = tiff(pixels.astype(np.uint16) * 257)
    elif kind == "png 16":
        data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGBA2BGRA).astype(np.uint16) * 257)[1].tobytes()
    else:
        data = encoded(pixels, kind, **({"lossless": True} if kind == "webp" else {}))
    close(decode_image(data), np.rint((QUARTERS * 100.0 + 128 * 155) / 255).astype(np.uint8), 1)


def exr(pixels):
    os.environ.setdefault("OPENCV_IO_ENABLE_OPENEXR", "1")
    try:
        made, data = cv2.imencode(".exr", pixels)
    except cv2.error:
        made = False
    if not made:
        pytest.skip("this OpenCV has no OpenEXR")
    return data.tobytes()


def test_linear_exr_is_clipped_and_given_the_srgb_curve():
    linear = np.zeros((8, 8, 3), np.float32)
    linear[:, :, 2], linear[:, :, 1], linear[:, :, 0] = 0.5, 7.0, -1.0
    assert decode_image(exr(linear))[4, 4].tolist() == [188, 255, 0]  # 0.5 linear is 188 in sRGB


def test_exr_with_alpha_lies_over_mid_grey_and_nan_is_black():
    linear = np.zeros((8, 8, 4), np.float32)
    assert decode_image(exr(linear))[0, 0].tolist() == [128, 128, 128]
    linear[:, :, 3], linear[:, :, 0] = 1.0, np.nan
    assert decode_image(exr(linear))[0, 0].tolist() == [0, 0, 0]


def test_layered_exr_is_refused_with_its_channels_named():
    data = exr(np.zeros((8, 8, 3), np.float32)).replace(b"R\0\x02\0\0\0", b"Z\0\x02\0\0\0", 1)
    with pytest.raises(MediaError, match="B, G, Z"):
        decode_image(data)


def test_radiance_hdr_is_linear_too():
    linear = np.full((8, 8, 3), 0.5, np.float32)
    assert decode_image(cv2.imencode(".hdr", linear)[1].tobytes())[0, 0].tolist() == [188, 188, 188]


NOISE = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP", "BMP"])
@pytest.mark.parametrize("part", [0.05, 0.5, 0.9, 0.999])
def test_truncated_pictures_are_refused(kind, part):
    data = encoded(NOISE, kind)
    with pytest.raises(MediaError, match=r"frame\.x: .*truncated|damaged"):
        decode_image(data[: min(int(len(data) * part), len(data) - 3)], where="frame.x")


def test_jpeg_with_bytes_after_its_end_is_whole():
    close(decode_image(encoded(QUARTERS, "JPEG", quality=95) + bytes(500)), QUARTERS, 4)


def test_png_with_a_flipped_bit_is_refused():
    data = bytearray(encoded(NOISE, "PNG"))
    data[len(data) // 2] ^= 1
    with pytest.raises(MediaError, match="checksum"):
        decode_image(bytes(data))


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "0 bytes"),
        (b"\x93\x12garbage" * 50, "not an image"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "HTML"),
        (b"\n<svg xmlns='http://www.w3.org/2000/svg'/>", "XML"),
        (b"GIF89a" + bytes(50), "GIF"),
        (b"\0\0\0\x18ftypheic" + bytes(50), "HEIF"),
        (b"\0\0\0\x18ftypisom" + bytes(50), "video"),
        (b"8BPS" + bytes(50), "Photoshop"),
    ],
)
def test_what_is_no_image_is_named(data, says):
    with pytest.raises(MediaError, match=says) as caught:
        decode_image(data, where="upload 3")
    assert "upload 3" in caught.value.message


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_animations_are_refused(kind):
    frames = [Image.fromarray(QUARTERS), Image.fromarray(QUARTERS[::-1].copy())]
    with pytest.raises(MediaError, match="animated"):
        decode_image(encoded(frames[0], kind, save_all=True, append_images=frames[1:]))


def test_decompression_bombs_are_refused_by_their_header():
    bomb = bytearray(encoded(np.zeros((8, 8), np.uint8), "PNG"))
    for width, height in ((16_385, 1), (12_000, 12_000), (2**31 - 1, 2**31 - 1), (0, 8)):
        bomb[16:24] = struct.pack(">II", width, height)
        bomb[29:33] = struct.pack(">I", __import__("zlib").crc32(bomb[12:29]))
        with pytest.raises(MediaError, match="pixels"):
            decode_image(bytes(bomb))


def test_too_many_bytes_are_refused_before_anything_else():
    with pytest.raises(MediaError, match="bytes"):
        decode_image(bytes(101), ImageLimits(max_bytes=100))


SAMPLES = [encoded(QUARTERS, kind) for kind in ("JPEG", "PNG", "TIFF", "WEBP", "BMP")]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SAMPLES), st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), max_size=6), st.floats(0, 1)
)
def test_mutated_pictures_give_pixels_or_a_media_error(data, changes, keep):
    mutated = bytearray(data)
    for place, value in changes:
        mutated[int(place * len(mutated))] = value
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            image = decode_image(bytes(mutated[: int(len(mutated) * max(keep, 0.5))] if keep < 0.7 else mutated))
        except MediaError:
            return
    assert image.ndim == 3 and image.shape[2] == 3 and image.dtype == np.uint8


@pytest.mark.parametrize("layout", sorted(set(PixelFormat) - {PixelFormat.ENCODED}), ids=str)
@pytest.mark.parametrize("bottom_up", [False, True])
def test_raw_pixels_in_every_layout(layout, bottom_up):
    grey = layout is PixelFormat.GREY8
    expected = np.repeat(QUARTERS[:, :, :1], 3, axis=2) if grey else QUARTERS
    sent = {
        PixelFormat.RGB8: QUARTERS,
        PixelFormat.BGR8: QUARTERS[:, :, ::-1],
        PixelFormat.RGBA8: np.dstack([QUARTERS, np.full(QUARTERS.shape[:2], 255, np.uint8)]),
        PixelFormat.GREY8: QUARTERS[:, :, 0],
    }[layout]
    data = (sent[::-1] if bottom_up else sent).tobytes()
    found = raw_image(data, 40, 24, layout, bottom_up=bottom_up)
    close(found, expected)
    assert found.flags.writeable
    for wrong in (data[:-1], data + b"\0", b""):
        with pytest.raises(MediaError, match="bytes"):
            raw_image(wrong, 40, 24, layout)
    with pytest.raises(MediaError, match="pixels"):
        raw_image(b"", 0, 24, layout)
    with pytest.raises(MediaError, match="pixels"):
        raw_image(b"", 20_000, 24, layout)
