"""Who writes for one run: the writer of assets, with the actor that is selected as the run begins.

The user goes on selecting things while the queue runs, and may open another level; so the actor is known by its path
and looked for at each asset. None is meant where it is gone.
"""

from __future__ import annotations

from semanticface_unreal.editor.selection import selected_actor
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing.writer import AssetWriter


def writer() -> AssetWriter:
    """Whose Level Sequences show the face of the actor that is selected now, if one is."""
    actor = selected_actor()
    path = "" if actor is None else actor.get_path_name()

    def found() -> unreal.Actor | None:
        here = unreal.find_object(None, path) if path else None
        return here if isinstance(here, unreal.Actor) else None

    return AssetWriter(actor=found)
