"""What a click on each entry of the menu does. Each may open windows; none is called from a tick.

A SemanticFaceError that is raised here is shown by whoever called.
"""

from __future__ import annotations

from semanticface.errors import InputError
from semanticface.provision.order import Work
from semanticface_unreal.editor import diagnostics, dialog, queueing, takes
from semanticface_unreal.editor.places import package_of
from semanticface_unreal.editor.progress import run_and_wait
from semanticface_unreal.editor.running import assets, check_ready, rows, unready
from semanticface_unreal.editor.selection import face_of, selected_face, selected_sequences, show_assets
from semanticface_unreal.editor.session import Session
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing.csv_import import import_csv


def queue_footage(session: Session) -> None:
    """Ask for footage, make jobs of it for the selected face, and run them if that is wished."""
    notices = session.notices
    asked = dialog.ask_footage(session.settings, selected_face(), notices)
    if asked is None:
        return
    wanted, now = asked
    made = queueing.add(session.places.queue, wanted, session.settings)
    notices.tell([f"queued: {', '.join(made)}"])
    if now and session.run is not None:
        session.run_again()
        notices.tell(["they run when the present run has ended"])
    elif now:
        session.begin()


def run_queue(session: Session) -> None:
    """Run it in ticks, while the editor stays usable."""
    session.begin()


def retry_failed(session: Session) -> None:
    """Run the jobs that failed, and those of which frames failed."""
    session.begin(retry_failed=True)


def run_waiting(session: Session) -> None:
    """Run it behind a window with Cancel, then show what it came to. Takes over a run that is on."""
    check_ready()
    lines = run_and_wait(session, session.run or session.begin())
    if session.last is not None:
        show_assets(assets(session.last))
        session.notices.show("Queue", lines, failed=session.failed)


def cancel(session: Session) -> None:
    session.cancel()


def clear_queue(session: Session) -> None:
    """Forget all jobs, once the user has agreed."""
    if session.run is not None:
        raise InputError("the queue is running", "cancel it first")
    count = len(queueing.queued(session.places.queue))
    question = f"Forget the {count} jobs of the queue? Their assets and takes stay."
    if count and session.notices.ask("Clear Queue", question):
        queueing.clear(session.places.queue)
        session.last = None


def show_status(session: Session) -> None:
    """Every job and where it stands."""
    progress = session.run.progress if session.run is not None else session.last
    lines = [session.describe(), *(rows(progress) if progress is not None else session.notices.last)]
    session.notices.show("Status", lines)


def show_results(session: Session) -> None:
    """The last run's outcome, and its assets selected in the content browser."""
    if session.last is None:
        raise InputError("no queue has ended since the editor started", "choose Run Queue")
    if not unready():
        show_assets(assets(session.last))
    session.notices.show("Last Run", session.summary, failed=session.failed)


def import_recording(session: Session) -> None:
    """A Live Link Face CSV through Epic's importer."""
    check_ready()
    asked = dialog.ask_csv(session.settings.folder, session.notices)
    if asked is not None:
        made = import_csv(str(asked[0]), asked[1])
        show_assets([made])
        session.notices.tell([f"imported: {made}"])


def toggle_preview(session: Session) -> None:
    """Play the selected animation's take over Live Link, or stop."""
    if session.preview is not None:
        session.play(None)
        return
    chosen = _chosen()[0]
    session.play(takes.preview_of(session, chosen))
    session.notices.tell([f"playing {chosen.get_name()} to {session.settings.livelink}"])


def edit_settings(session: Session) -> None:
    """The dialog; what the environment sets is named in its title and holds whatever is chosen there."""
    forced = tuple(f"{field} is set by {variable}" for field, variable in session.loaded.forced.items())
    chosen = dialog.edit_settings(session.loaded.own, forced, session.notices)
    if chosen is not None:
        session.accept(chosen)


def install_backend(session: Session) -> None:
    """Make or mend the backend's own environment; it goes on in ticks."""
    found = session.installer.look()
    if found.busy:
        raise InputError("an installation is running", "see the status entry, or cancel it")
    wish = dialog.ask_installation(found.lines, session.notices)
    if wish is None:
        return
    if wish.work is Work.REPAIR and session.run is not None:
        raise InputError("the queue is running", "cancel it before the backend is made anew")
    session.installer.begin(wish)
    session.notices.tell(["the backend is being installed; the status entry says how far it is"])
    session.wake()


def diagnose(session: Session) -> None:
    """Write the text of a bug report to a file and into the log."""
    file, lines = diagnostics.write(session)
    session.notices.show("Diagnostics", [*lines[:8], f"The whole is in {file}"])


def use_as_target(session: Session) -> None:
    """Write for the selected skeleton or mesh from now on."""
    face = next(filter(None, map(face_of, unreal.EditorUtilityLibrary.get_selected_assets())), None)
    if face is None:
        raise InputError("nothing with a skeleton is selected", "select a Skeleton, a Skeletal Mesh or an AnimSequence")
    session.accept(session.loaded.own.changed(skeleton=face.skeleton, preview_mesh=face.mesh))
    session.notices.show("Target", [f"Animations are written for {face.label} ({face.mesh or face.skeleton})"])


def rebake(session: Session) -> None:
    """The selected animations again from their takes, with the present settings."""
    if session.run is not None:
        raise InputError("the queue is running", "wait for its end, or cancel it")
    lines = []
    for sequence in _chosen():
        made = takes.rebake(session, sequence)
        what = "is made so already" if made.kept else f"{made.written.curves} curves, {made.written.keys} keys"
        lines += [f"{package_of(sequence.get_path_name())}: {what}", *made.remarks]
    session.notices.show("Bake Again", lines)


def show_analysis(session: Session) -> None:
    """What was read from the face that the selected animation was made from."""
    session.notices.show("Analysis", takes.report(session, _chosen()[0]))


def _chosen() -> tuple[unreal.AnimSequence, ...]:
    """Raises InputError for none, and while their tags can't be read."""
    check_ready()
    chosen = selected_sequences()
    if not chosen:
        raise InputError("no AnimSequence is selected", "select one that the queue has written")
    return chosen
