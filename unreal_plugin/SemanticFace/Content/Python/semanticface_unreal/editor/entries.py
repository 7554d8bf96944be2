"""Which entries stand where: the plugin's own menu, and the content browser's menus of assets."""

from __future__ import annotations

from semanticface_unreal.editor import actions
from semanticface_unreal.editor.menus import Item, SemanticFaceMenuEntry, add_menu, extend_menu
from semanticface_unreal.editor.notices import TITLE
from semanticface_unreal.editor.session import Session

MAIN_MENU = "LevelEditor.MainMenu"
ASSET_MENU = "ContentBrowser.AssetContextMenu"


def _idle(session: Session) -> bool:
    return session.run is None


def _busy(session: Session) -> bool:
    return session.run is not None or session.installer.progress.busy


def _playing(session: Session) -> str:
    return "Preview on Live Link" if session.preview is None else f"Stop Preview of {session.preview.name}"


_STATUS = Item(
    "Status", lambda session: f"{TITLE}: {session.describe()}", "Every job and where it stands", actions.show_status
)
_QUEUE = (
    _STATUS,
    Item("QueueFootage", "Queue Footage...", "Videos and image sequences for the selected face", actions.queue_footage),
    Item("RunQueue", "Run Queue", "While the editor stays usable", actions.run_queue, _idle),
    Item("RunAndWait", "Run and Wait", "With a progress window that can be cancelled", actions.run_waiting),
    Item("RetryFailed", "Retry Failed", "The jobs that failed, and frames that failed", actions.retry_failed, _idle),
    Item("Cancel", "Cancel", "End the run or the installation; what is done stays", actions.cancel, _busy),
    Item("ClearQueue", "Clear Queue", "Forget all jobs; assets and takes stay", actions.clear_queue, _idle),
    Item("OpenLastSummary", "Open Last Summary", "What the last run came to", actions.show_results),
)
_LIVE = (
    Item("ImportCsv", "Import Live Link CSV...", "A recording of Live Link Face", actions.import_recording),
    Item("Preview", _playing, "Play the selected AnimSequence's take on a face", actions.toggle_preview),
)
_SETUP = (
    Item("Settings", "Settings...", "Of this project", actions.edit_settings),
    Item("InstallBackend", "Install Backend...", "Its own environment; Unreal stays as it is", actions.install_backend),
    Item("Diagnostics", "Diagnostics", "A text for a bug report", actions.diagnose),
)
_TARGET = Item("UseAsTarget", "Use as SemanticFace Target", "Write animations for this face", actions.use_as_target)
_ANIMATION = (
    Item("Rebake", "Bake Again from Its Take", "With the present settings, without analysis", actions.rebake),
    Item("ShowAnalysis", "Show Its Analysis", "What was read from the face", actions.show_analysis),
    Item("PreviewThis", _playing, "Play its take over Live Link", actions.toggle_preview),
)


def build(session: Session) -> list[SemanticFaceMenuEntry]:
    """All entries; they must be held for as long as they are to work."""
    sections = (("Queue", "Queue", _QUEUE), ("LiveLink", "Live Link", _LIVE), ("Setup", "Setup", _SETUP))
    entries = add_menu(MAIN_MENU, TITLE, "Facial animation from footage", sections, session)
    for kind, items in (
        ("AnimSequence", (*_ANIMATION, _TARGET)),
        ("SkeletalMesh", (_TARGET,)),
        ("Skeleton", (_TARGET,)),
    ):
        entries += extend_menu(f"{ASSET_MENU}.{kind}", "SemanticFace", items, session)
    return entries
