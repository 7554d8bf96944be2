"""The header of an OpenEXR file: its data window, and whether it holds plain R, G, B (and A) or Y channels.

The decoder that we have reads one part of unnamed layers; anything else is refused here by name, because it would
come out black. Layout: OpenEXR technical introduction (openexr.com). Standard library only.
"""

from __future__ import annotations

import struct

from semanticface.errors import MediaError

_TILED, _DEEP, _MULTIPART = 0x200, 0x800, 0x1000


def _text(data: bytes, at: int) -> tuple[str, int]:
    end = data.find(b"\0", at, at + 256)
    if end < 0:
        raise struct.error("name without an end")
    return data[at:end].decode("latin-1"), end + 1


def _attributes(data: bytes) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    at = 8
    while True:
        name, at = _text(data, at)
        if not name:
            return found
        _, at = _text(data, at)
        (size,) = struct.unpack_from("<i", data, at)
        at += 4
        if size < 0 or at + size > len(data):
            raise struct.error("attribute past the end")
        found[name] = data[at : at + size]
        at += size


def _channels(block: bytes) -> list[str]:
    names, at = [], 0
    while block[at] != 0:
        name, at = _text(block, at)
        names.append(name)
        at += 16  # pixel type, linearity, sampling
    return names


def read_size(data: bytes, where: str) -> tuple[int, int]:
    """Width and height of the data window. Raises MediaError for deep, multi-part or layered files."""
    (flags,) = struct.unpack_from("<I", data, 4)
    if flags & (_DEEP | _MULTIPART):
        kind = "deep" if flags & _DEEP else "multi-part"
        raise MediaError(f"{where}: a {kind} OpenEXR, which is not read", "export one flat RGB layer")
    attributes = _attributes(data)
    names = _channels(attributes.get("channels", b"\0"))
    if not {"R", "G", "B"} <= set(names) and "Y" not in names:
        listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
        raise MediaError(
            f"{where}: OpenEXR without plain R, G, B channels (it has {listed or 'none'})", "export one flat RGB layer"
        )
    left, top, right, bottom = struct.unpack("<4i", attributes.get("dataWindow", b""))
    return right - left + 1, bottom - top + 1
