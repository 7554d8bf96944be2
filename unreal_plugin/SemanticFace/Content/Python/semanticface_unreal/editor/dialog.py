"""The dialogs: what is offered in them, and what the user chose, checked when they close.

A bad value is named, and the dialog opens again with all that was typed. For clicks alone: a window inside a tick
crashes the editor. Knows no backend and no queue.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from semanticface.errors import InputError
from semanticface.provision.order import Work
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.curve_set import Unsolved
from semanticface_unreal.editor.dialog_objects import (
    SemanticFaceCsv,
    SemanticFaceExisting,
    SemanticFaceFootage,
    SemanticFaceInstallation,
    SemanticFaceNames,
    SemanticFaceSettings,
    SemanticFaceUnsolved,
)
from semanticface_unreal.editor.notices import TITLE, Notices, lines_of
from semanticface_unreal.editor.queueing import Wanted
from semanticface_unreal.editor.selection import Face, face_of
from semanticface_unreal.engine import unreal
from semanticface_unreal.installing import Wish
from semanticface_unreal.ports import Existing
from semanticface_unreal.settings import Settings

T = TypeVar("T")
K = TypeVar("K", bound=StrEnum)

_PLAIN = (
    "naming", "level_sequence", "control_rig", "head", "head_factor", "smoothing", "reduce_keys", "tolerance",
    "engine", "rate", "backend", "ahead", "budget", "livelink", "subject",
)  # fmt: skip
"""Settings that the dialog's object holds as they are."""
_NAMES = {
    CurveNames.METAHUMAN: SemanticFaceNames.METAHUMAN,
    CurveNames.ARKIT: SemanticFaceNames.ARKIT,
    CurveNames.PROFILE: SemanticFaceNames.PROFILE,
}
_UNSOLVED = {
    Unsolved.OMIT: SemanticFaceUnsolved.OMIT,
    Unsolved.HOLD: SemanticFaceUnsolved.HOLD,
    Unsolved.NEUTRAL: SemanticFaceUnsolved.NEUTRAL,
}
_EXISTING = {
    Existing.OVERWRITE: SemanticFaceExisting.OVERWRITE,
    Existing.UNIQUE: SemanticFaceExisting.UNIQUE,
}


def edit_settings(settings: Settings, forced: tuple[str, ...], notices: Notices) -> Settings | None:
    """Let the user change them; None when the user cancels. `forced` are lines on what the environment sets."""
    shown = unreal.new_object(SemanticFaceSettings)
    _fill(shown, settings)
    title = f"{TITLE} – Settings" + (f" ({'; '.join(forced)})" if forced else "")
    return _until_good(title, shown, lambda: _settings_of(shown, settings), notices)


def ask_footage(settings: Settings, face: Face | None, notices: Notices) -> tuple[Wanted, bool] | None:
    """What to queue, and whether to run it now; None when the user cancels. `face` is offered."""
    shown = unreal.new_object(SemanticFaceFootage)
    path = settings.preview_mesh or settings.skeleton if face is None else face.mesh or face.skeleton
    shown.set_editor_property("target", _asset(path))
    shown.set_editor_property("assets", unreal.DirectoryPath(settings.folder))
    shown.set_editor_property("run_now", True)
    return _until_good(f"{TITLE} – Queue Footage", shown, lambda: _wanted_of(shown), notices)


def ask_csv(folder: str, notices: Notices) -> tuple[Path, str] | None:
    """A Live Link Face CSV and the content folder it goes to; None when the user cancels."""
    shown = unreal.new_object(SemanticFaceCsv)
    shown.set_editor_property("assets", unreal.DirectoryPath(folder))

    def read() -> tuple[Path, str]:
        file = shown.get_editor_property("file").file_path.strip()
        if not file:
            raise InputError("no file is chosen", "choose a CSV of Live Link Face")
        return Path(file), Settings(folder=shown.get_editor_property("assets").path).folder

    return _until_good(f"{TITLE} – Import Live Link CSV", shown, read, notices)


def ask_installation(lines: Sequence[str], notices: Notices) -> Wish | None:
    """How to make the backend's environment; None when the user cancels. `lines` say what is there."""
    shown = unreal.new_object(SemanticFaceInstallation)
    shown.set_editor_property("online", True)

    def read() -> Wish:
        get = shown.get_editor_property
        wheels, model = get("wheels").path.strip(), get("model").file_path.strip()
        return Wish(
            work=Work.REPAIR if get("anew") else Work.INSTALL,
            online=bool(get("online")),
            wheels=Path(wheels) if wheels else None,
            model_file=Path(model) if model else None,
            mllm=bool(get("large")),
            python=get("python").strip(),
        )

    return _until_good(f"{TITLE} – Install Backend ({'; '.join(lines)})"[:200], shown, read, notices)


def _until_good(title: str, shown: unreal.Object, read: Callable[[], T], notices: Notices) -> T | None:
    options = unreal.EditorDialogLibraryObjectDetailsViewOptions(
        show_object_name=False, allow_search=True, allow_resizing=True, min_width=560, min_height=420,
        value_column_width_ratio=0.6,
    )  # fmt: skip
    while unreal.EditorDialog.show_object_details_view(title, shown, options):
        try:
            return read()
        except InputError as error:
            notices.show("Please Correct", lines_of(error), failed=True)
    return None


def _fill(shown: unreal.Object, settings: Settings) -> None:
    values: dict[str, object] = {name: getattr(settings, name) for name in _PLAIN}
    values |= {
        "folder": unreal.DirectoryPath(settings.folder),
        "takes": unreal.DirectoryPath(settings.takes),
        "profile": unreal.FilePath(settings.profile),
        "recipe": unreal.FilePath(settings.recipe),
        "names": _NAMES[settings.names],
        "unsolved": _UNSOLVED[settings.unsolved],
        "existing": _EXISTING[settings.existing],
        "target": _asset(settings.preview_mesh or settings.skeleton),
    }
    for name, value in values.items():
        shown.set_editor_property(name, value)


def _settings_of(shown: unreal.Object, before: Settings) -> Settings:
    """Raises InputError that names the setting."""
    get = shown.get_editor_property
    face = face_of(get("target"))
    return before.changed(
        **{name: _typed(get(name), getattr(before, name)) for name in _PLAIN},
        folder=get("folder").path,
        takes=get("takes").path,
        profile=get("profile").file_path,
        recipe=get("recipe").file_path,
        names=_key(_NAMES, get("names")),
        unsolved=_key(_UNSOLVED, get("unsolved")),
        existing=_key(_EXISTING, get("existing")),
        skeleton="" if face is None else face.skeleton,
        preview_mesh="" if face is None else face.mesh,
    )


def _typed(shown: object, before: object) -> object:
    """What the user typed. A float went through 32 bits: one that wasn't touched stays as it was, so that nothing is
    made anew for its last digits; of another the digits that 32 bits hold are taken."""
    if not isinstance(shown, float) or not isinstance(before, float):
        return shown
    return before if math.isclose(shown, before, rel_tol=1e-6) else float(f"{shown:.7g}")


def _wanted_of(shown: unreal.Object) -> tuple[Wanted, bool]:
    """Raises InputError that says what is missing."""
    get = shown.get_editor_property
    folder, file = get("folder").path.strip(), get("file").file_path.strip()
    if bool(folder) == bool(file):
        raise InputError("choose a folder of footage, or one file", "not both, and not neither")
    face = face_of(get("target"))
    wanted = Wanted(
        source=Path(folder or file),
        frames=get("frames").strip(),
        rate=get("rate").strip(),
        skeleton="" if face is None else face.skeleton,
        preview_mesh="" if face is None else face.mesh,
        folder=get("assets").path,
    )
    return wanted, bool(get("run_now"))


def _asset(path: str) -> unreal.Object | None:
    """The loaded asset, None where there is none: it may have been deleted since it was chosen."""
    if not path or not unreal.EditorAssetLibrary.does_asset_exist(path):
        return None
    found: unreal.Object | None = unreal.EditorAssetLibrary.load_asset(path)
    return found


def _key(table: Mapping[K, unreal.EnumBase], shown: unreal.EnumBase) -> K:
    return next(key for key, member in table.items() if member == shown)
