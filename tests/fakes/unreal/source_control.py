"""Source control: whether it is connected, and who has a file. Off, as it is in a new project.

`FakeEditor.source_control` is None, or maps names of files to who has them checked out; "" for nobody. What nobody has
can be checked out, which makes the file writable, as Perforce does.
"""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

from unreal_process import editor

from unreal.checking import faked, known


@faked
class SourceControl(known("Object")):  # type: ignore[misc]
    @classmethod
    def is_enabled(cls) -> bool:
        return editor().source_control is not None

    @classmethod
    def is_available(cls) -> bool:
        return editor().source_control is not None

    @classmethod
    def query_file_state(cls, file: str, silent: bool) -> Any:
        """Invalid where source control is off or doesn't know the file."""
        state = known("SourceControlState")()
        owner = (editor().source_control or {}).get(Path(file).name)
        if owner is not None:
            said = {"filename": file, "is_valid": True, "is_source_controlled": True, "checked_out_other": owner}
            state._values.update(said, is_checked_out_other=bool(owner), can_check_out=not owner)
        return state

    @classmethod
    def check_out_file(cls, file: str, silent: bool) -> bool:
        return check_out(Path(file))


def check_out(file: Path) -> bool:
    """False, with a line in the log, where it isn't to be had."""
    if (editor().source_control or {}).get(file.name) != "":
        editor().log_file.write("error", f"LogSourceControl: {file.name} can't be checked out")
        return False
    file.chmod(file.stat().st_mode | stat.S_IWUSR)
    return True
