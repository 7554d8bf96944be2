"""Which content paths and curve names Unreal takes. Plain strings; knows no Unreal.

The characters are those of INVALID_OBJECTNAME_CHARACTERS and INVALID_LONGPACKAGE_CHARACTERS in Epic's public headers.
"""

from __future__ import annotations

from semanticface.errors import InputError

ILLEGAL = frozenset("\"' ,/.:|&!~@#(){}[]=;^%$`\\*?<>")
"""Not in the name of an asset or folder; control characters neither."""
LONGEST_PATH = 200
"""Characters of a content path. Windows ends whole file paths at 260, and the project's own folder comes before."""
LONGEST_CURVE = 100
"""Characters of a curve's name: the rig's hierarchy, in which Unreal keeps curves, cuts off what is longer."""
CLOSED_ROOTS = frozenset({"engine", "script", "temp", "memory", "config", "extra", "verse"})
"""Mount points that hold no content of the user's."""


def check_content_path(folder: str, name: str) -> None:
    """Raises InputError for a folder or an asset name that Unreal would refuse or silently change."""
    if not folder.startswith("/") or "//" in folder or not folder.strip("/"):
        raise InputError(f"{folder!r} is no content folder", "content folders look like /Game/Faces")
    for part in folder.strip("/").split("/"):
        _check_part(part, f"content folder {folder}")
    if root_of(folder).strip("/").lower() in CLOSED_ROOTS:
        raise InputError(f"assets can't be kept under {root_of(folder)}", "use /Game or the folder of a plugin")
    _check_part(name, f"asset name {name!r}")
    path = f"{folder.rstrip('/')}/{name}"
    if len(path) > LONGEST_PATH:
        raise InputError(
            f"{path}: {len(path)} characters are too many for a content path",
            f"shorten folder or name to {LONGEST_PATH} characters together",
        )


def check_curve_name(name: str) -> None:
    """Raises InputError for a name that Unreal's hierarchy of curves would change."""
    if not name or name.lower() == "none" or name != name.strip() or any(ord(letter) < 32 for letter in name):
        raise InputError(f"{name!r} is no name for a curve", "change the target in the retarget profile")
    if len(name) > LONGEST_CURVE:
        raise InputError(
            f"curve name {name[:40]}... has {len(name)} characters", f"Unreal keeps {LONGEST_CURVE} of a curve's name"
        )


def root_of(path: str) -> str:
    """`/Game` of `/Game/Faces/AS_Shot`."""
    return "/" + path.strip("/").split("/", 1)[0]


def split(path: str) -> tuple[str, str]:
    """Folder and name of an asset's path, which may name the object too (`/Game/A.A`)."""
    folder, _, name = path.split(".", 1)[0].rpartition("/")
    return folder, name


def _check_part(part: str, what: str) -> None:
    bad = sorted({letter for letter in part if letter in ILLEGAL or ord(letter) < 32})
    if bad:
        shown = " ".join("space" if letter == " " else repr(letter)[1:-1] for letter in bad)
        raise InputError(f"{what} holds characters that Unreal refuses: {shown}", "use letters, digits, _ and -")
    if not part or part.lower() == "none":
        raise InputError(f"{what} is no name that Unreal takes", "give it a name of letters, digits, _ and -")
