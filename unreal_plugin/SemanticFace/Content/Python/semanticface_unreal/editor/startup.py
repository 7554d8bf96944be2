"""The plugin begins and ends: a session and its menus in an editor with a user at it, nothing at all anywhere else.

A farm's commandlet, an unattended editor and a game get no menus, no ticks and no dialogs; they call `farm`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from semanticface_unreal.engine import unreal

if TYPE_CHECKING:
    from semanticface_unreal.editor.session import Session

_COMMANDLET = re.compile(r"(?:^|\s)[-/]run=", re.IGNORECASE)


class _State:
    """What must outlive a call: the session, the entries that Unreal doesn't hold, and the wish to hear of the end."""

    session: Session | None = None
    entries: Sequence[object] = ()
    handle: object | None = None


def current() -> Session | None:
    """The session of this editor, None where the plugin hasn't started: for scripts of the user's own."""
    return _State.session


def attended() -> bool:
    """Whether a user sits at an editor with windows."""
    library = unreal.SystemLibrary
    return unreal.is_editor() and not library.is_unattended() and not _COMMANDLET.search(library.get_command_line())


def start() -> bool:
    """Build the menus; whether there are any now. What an earlier start has built is taken away first."""
    if not attended():
        return False
    from semanticface_unreal.editor import entries, menus
    from semanticface_unreal.editor.places import places
    from semanticface_unreal.editor.session import Session
    from semanticface_unreal.editor.writers import writer

    stop()
    menus.remove_all()
    session = Session(places(), writer)
    _State.session = session
    _State.entries = entries.build(session)
    unreal.ToolMenus.get().refresh_all_widgets()
    _State.handle = unreal.register_python_shutdown_callback(stop)
    return True


def stop() -> None:
    """Take everything away: menus, tick, backend, preview. The editor calls it as it closes."""
    session, _State.session = _State.session, None
    handle, _State.handle = _State.handle, None
    _State.entries = ()
    if handle is not None:
        unreal.unregister_python_shutdown_callback(handle)
    if session is not None:
        from semanticface_unreal.editor import menus

        menus.remove_all()
        session.close()
