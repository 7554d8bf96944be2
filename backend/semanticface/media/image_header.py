"""What an encoded image says of itself before anything is decoded: format, size, orientation, soundness.

Decoders trust their input and fill what is missing with grey; here a picture is refused while it is still bytes.
Layouts follow the published formats: JPEG (ITU-T T.81, Exif 2.3), PNG (W3C, third edition), WebP container, BMP,
Radiance HDR; TIFF and OpenEXR have their own modules. Standard library only.
"""

from __future__ import annotations

import re
import struct
import zlib
from dataclasses import dataclass
from enum import StrEnum

from semanticface.errors import MediaError
from semanticface.media import exr_header, tiff_header


class ImageFormat(StrEnum):
    JPEG = "JPEG"
    PNG = "PNG"
    TIFF = "TIFF"
    WEBP = "WebP"
    BMP = "BMP"
    EXR = "OpenEXR"
    HDR = "Radiance HDR"


@dataclass(frozen=True, slots=True)
class ImageHeader:
    """`width` and `height` are as stored; `orientation` is Exif's 1 to 8. `patch` is where a TIFF keeps that tag."""

    format: ImageFormat
    width: int
    height: int
    orientation: int = 1
    patch: int | None = None

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height once the orientation is applied."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)


_KNOWN_BUT_REFUSED = (
    (re.compile(rb"GIF8[79]a"), "a GIF", "convert it to PNG, or an animation to a video"),
    (
        re.compile(rb"....ftyp(heic|heix|hevc|mif1|msf1|avif|avis)", re.DOTALL),
        "a HEIF or AVIF image",
        "convert it to PNG or JPEG",
    ),
    (re.compile(rb"....ftyp", re.DOTALL), "a video", "open it as a video file, not as an image"),
    (re.compile(rb"\x1aE\xdf\xa3|RIFF....AVI ", re.DOTALL), "a video", "open it as a video file, not as an image"),
    (re.compile(rb"8BPS"), "a Photoshop document", "export it as PNG"),
    (re.compile(rb"%PDF"), "a PDF", "export the page as PNG"),
    (re.compile(rb"\x00\x00\x00\x0cjP|\xff\x4f\xff\x51"), "a JPEG 2000 image", "convert it to PNG or TIFF"),
    (re.compile(rb"SDPX|XPDS"), "a DPX image", "convert it to EXR or 16-bit PNG"),
    (
        re.compile(rb"\s*(<!doctype|<html|<\?xml|<svg)", re.IGNORECASE),
        "a text document (HTML or XML)",
        "was a web page saved in its place?",
    ),
)


def sniff(data: bytes) -> ImageFormat | None:
    """The format by the file's first bytes, None when it is none that we read."""
    starts = {
        b"\xff\xd8\xff": ImageFormat.JPEG,
        b"\x89PNG\r\n\x1a\n": ImageFormat.PNG,
        b"II*\0": ImageFormat.TIFF,
        b"MM\0*": ImageFormat.TIFF,
        b"v/1\x01": ImageFormat.EXR,
        b"#?R": ImageFormat.HDR,
    }
    for start, kind in starts.items():
        if data.startswith(start):
            return kind
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        return ImageFormat.WEBP
    if (
        data[:2] == b"BM"
        and len(data) >= 26
        and struct.unpack_from("<I", data, 14)[0] in {12, 40, 52, 56, 64, 108, 124}
    ):
        return ImageFormat.BMP
    return None


def read_header(data: bytes, where: str) -> ImageHeader:
    """Read and check the header of an encoded image; `where` names it in errors.

    Raises MediaError for what is no image, not supported, animated, or cut off.
    """
    if not data:
        raise MediaError(f"{where}: empty, 0 bytes", "was it still being written, or is the disk full?")
    kind = sniff(data)
    if kind is None:
        for expression, name, hint in _KNOWN_BUT_REFUSED:
            if expression.match(data[:64]):
                raise MediaError(f"{where}: this is {name}, which is not read as an image", hint)
        known = ", ".join(ImageFormat)
        raise MediaError(f"{where}: not an image that can be read (begins with {data[:8]!r})", f"formats: {known}")
    try:
        return _read(kind, data, where)
    except (struct.error, IndexError) as error:
        raise MediaError(f"{where}: {kind} is truncated within its header", "export or copy it again") from error


def _read(kind: ImageFormat, data: bytes, where: str) -> ImageHeader:
    if kind is ImageFormat.TIFF:
        tiff = tiff_header.read(data, where)
        return ImageHeader(kind, tiff.width, tiff.height, tiff.orientation, tiff.orientation_at)
    if kind is ImageFormat.EXR:
        return ImageHeader(kind, *exr_header.read_size(data, where))
    readers = {
        ImageFormat.JPEG: _jpeg,
        ImageFormat.PNG: _png,
        ImageFormat.WEBP: _webp,
        ImageFormat.BMP: _bmp,
        ImageFormat.HDR: _hdr,
    }
    return readers[kind](data, where)


def truncated(where: str, kind: ImageFormat, detail: str) -> MediaError:
    return MediaError(f"{where}: {kind} is truncated: {detail}", "export or copy it again")


def exif_orientation(block: bytes) -> int:
    """Orientation in a block of Exif data, which is a small TIFF; 1 when absent or damaged."""
    block = block.removeprefix(b"Exif\0\0")
    try:
        return tiff_header.orientation(block)
    except (struct.error, IndexError):
        return 1


# --- JPEG ---------------------------------------------------------------------------------------------

_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_NEXT_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)  # stuffed zeros, restarts and fill bytes are data


def _jpeg(data: bytes, where: str) -> ImageHeader:
    at, size, orientation, components, adobe = 2, None, 1, 0, False
    while True:
        marker = _NEXT_MARKER.search(data, at)
        if marker is None:
            raise truncated(where, ImageFormat.JPEG, "it has no end-of-image marker")
        code, at = data[marker.end() - 1], marker.end()
        if code == 0xD9:
            break
        if code == 0x01:
            continue
        (length,) = struct.unpack_from(">H", data, at)
        body = data[at + 2 : at + length]
        if length < 2 or at + length > len(data):
            raise truncated(where, ImageFormat.JPEG, "a segment runs past the end")
        if code in _SOF and size is None:
            height, width, components = struct.unpack_from(">HHB", body, 1)
            size = width, height
        elif code == 0xE1 and body.startswith(b"Exif\0\0") and orientation == 1:
            orientation = exif_orientation(body)
        elif code == 0xEE and body.startswith(b"Adobe"):
            adobe = True
        at += length
    if size is None:
        raise truncated(where, ImageFormat.JPEG, "it has no frame header")
    if components == 4 and not adobe:
        hint = "its inks may be inverted or not; convert it to RGB"
        raise MediaError(f"{where}: CMYK JPEG without Adobe marker: its colours are ambiguous", hint)
    return ImageHeader(ImageFormat.JPEG, *size, orientation)


# --- PNG ----------------------------------------------------------------------------------------------


def _png(data: bytes, where: str) -> ImageHeader:
    at, orientation = 8, 1
    width, height = struct.unpack_from(">II", data, 16)
    while True:
        if at + 12 > len(data):
            raise truncated(where, ImageFormat.PNG, "its last chunk is missing")
        (length,) = struct.unpack_from(">I", data, at)
        name, end = data[at + 4 : at + 8], at + 12 + length
        if end > len(data):
            raise truncated(where, ImageFormat.PNG, f"chunk {name!r} runs past the end")
        if name == b"acTL":
            raise MediaError(f"{where}: an animated PNG, which is not read as an image", "export it as a sequence")
        if name in {b"IHDR", b"PLTE", b"IDAT"} and zlib.crc32(data[at + 4 : end - 4]) != _u32(data, end - 4):
            raise MediaError(f"{where}: PNG is damaged: checksum of chunk {name!r} is wrong", "export or copy it again")
        if name == b"eXIf":
            orientation = exif_orientation(data[at + 8 : end - 4])
        if name == b"IEND":
            return ImageHeader(ImageFormat.PNG, width, height, orientation)
        at = end


def _u32(data: bytes, at: int) -> int:
    return int.from_bytes(data[at : at + 4], "big")


# --- WebP, BMP, Radiance ----------------------------------------------------------------------------------


def _webp(data: bytes, where: str) -> ImageHeader:
    (riff,) = struct.unpack_from("<I", data, 4)
    if riff + 8 > len(data):
        raise truncated(where, ImageFormat.WEBP, f"{riff + 8} bytes are promised, {len(data)} are there")
    size, orientation, at = None, 1, 12
    while at + 8 <= riff + 8:
        name, (length,) = data[at : at + 4], struct.unpack_from("<I", data, at + 4)
        body = at + 8
        if name == b"ANIM":
            raise MediaError(f"{where}: an animated WebP, which is not read as an image", "export it as a sequence")
        if name == b"VP8X":
            size = (
                1 + int.from_bytes(data[body + 4 : body + 7], "little"),
                1 + int.from_bytes(data[body + 7 : body + 10], "little"),
            )
        elif name == b"VP8 " and size is None:
            width, height = struct.unpack_from("<HH", data, body + 6)
            size = width & 0x3FFF, height & 0x3FFF
        elif name == b"VP8L" and size is None:
            (bits,) = struct.unpack_from("<I", data, body + 1)
            size = 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
        elif name == b"EXIF":
            orientation = exif_orientation(data[body : body + length])
        at = body + length + (length & 1)
    if size is None:
        raise truncated(where, ImageFormat.WEBP, "it has no picture")
    return ImageHeader(ImageFormat.WEBP, *size, orientation)


def _bmp(data: bytes, where: str) -> ImageHeader:
    pixels, header = struct.unpack_from("<II", data, 10)
    width, height, _, depth, packing = (
        struct.unpack_from("<iiHHI", data, 18) if header > 12 else (*struct.unpack_from("<HHHH", data, 18), 0)
    )
    width, height = abs(width), abs(height)  # a negative height says that rows run downwards
    if packing in {0, 3} and pixels + (width * depth + 31) // 32 * 4 * height > len(data):
        raise truncated(where, ImageFormat.BMP, f"{len(data)} bytes are too few for {width} x {height} pixels")
    return ImageHeader(ImageFormat.BMP, width, height)


_HDR_SIZE = re.compile(rb"\n\n-Y (\d{1,6}) \+X (\d{1,6})\n")


def _hdr(data: bytes, where: str) -> ImageHeader:
    match = _HDR_SIZE.search(data[:65536])
    if match is None:
        raise MediaError(f"{where}: Radiance HDR without a size line, or with unusual axes", "convert it to EXR")
    return ImageHeader(ImageFormat.HDR, int(match[2]), int(match[1]))
