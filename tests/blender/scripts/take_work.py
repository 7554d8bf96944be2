"""Scripts of test_blender_take.py: a take made by hand, keyed, and worked with."""

from __future__ import annotations

import gc
import json
import os
import shutil
import time
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
from panels_drawn import Layout, draw_all
from scene import attempt, ready, shape_keys_on, tick_until

from blender_addon import session
from blender_addon.keying.plan import KeyMode
from blender_addon.take import listing, state
from blender_addon.take.panel_frames import SEMANTICFACE_UL_frames
from blender_addon.take.reading import overlaid
from semanticface.mock_script import Script, make_result
from semanticface.results import Analysis, FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter, read_take

FAILED, LOW, AT_ODDS = 7, 12, 20


def result(frame: int, category: str = "smile", confidence: float = 0.9, **values: float) -> FrameResult:
    """A result that is at peace with itself: a little of everything, and a text that claims nothing."""
    made = make_result(Script(), frame, frame / 24)
    coefficients = dict.fromkeys(made.coefficients, 0.0) | {"MouthSmileLeft": 0.5, "MouthSmileRight": 0.5} | values
    analysis = Analysis(category, {"mouth": "Both mouth corners rise moderately."}, "none", "symmetric")
    return replace(made, coefficients=coefficients, analysis=analysis, confidence=confidence)


def sample_results(count: int = 40) -> list[FrameResult]:
    """Frame 7 has no face, 12 is uncertain, 20 speaks of an open jaw that is shut; from 30 on it strikes a pose."""
    results = [result(frame, "smile" if frame < 30 else "odd pose", JawOpen=frame / 100) for frame in range(count)]
    results[FAILED] = FrameResult(FAILED, FAILED / 24, Status.NO_FACE, message="nobody is there")
    results[LOW] = result(LOW, confidence=0.2)
    wrong = Analysis("smile", {"jaw": "The jaw drops extremely wide open."}, "none", "symmetric")
    results[AT_ODDS] = replace(result(AT_ODDS), analysis=wrong)
    return results


def make_take(folder: Path, results: list[FrameResult], footage: str = "clip.mp4", engine: str = "other") -> Path:
    source = {"kind": "video", "path": str(folder.parent / footage)}
    header = TakeHeader(source, Fraction(24), {"name": engine}, {"face": "largest"}, "key")
    with TakeWriter(folder, header) as writer:
        for one in results:
            writer.append(one)
    return folder


def keyed(folder: str, results: list[FrameResult] | None = None, name: str = "take-a", **settings_: Any) -> Any:
    """A scene whose face is keyed from a take of its own; returns the settings."""
    settings = ready(folder)
    for key, value in settings_.items():
        setattr(settings, key, value)
    take = make_take(Path(folder) / name, sample_results() if results is None else results)
    assert attempt(bpy.ops.semanticface.key_take, directory=str(take)) == ""
    settle()
    return settings


def settle(timeout: float = 30.0) -> float:
    """Tick until nothing goes on in the background; seconds of the longest tick."""
    return tick_until(lambda: not session.current().tasks and session.current().job is None, timeout)


def listed() -> list[int]:
    """Source frames of the rows that the list shows, from top to bottom."""
    work, data = state.current(), listing.frames_list()
    flags, places = SEMANTICFACE_UL_frames.filter_items(
        SimpleNamespace(bitflag_filter_item=1), bpy.context, data, "rows"
    )
    order = sorted(range(len(places)), key=lambda index: places[index])
    return [int(work.table.sources[row]) for row in order if flags[row]]


def list_of_frames(folder: str) -> dict[str, Any]:
    """What the list shows by each filter and order, and how it goes with the playhead."""
    settings = keyed(folder)
    scene, seen = bpy.context.scene, {}
    for show in ("ALL", "REVIEW", "FAILED", "DISAGREE"):
        settings.list_show = show
        seen[show] = listed()
    settings.list_show, settings.list_sort = "ALL", "CONFIDENCE"
    seen["sorted"] = listed()
    settings.list_sort, settings.list_search = "FRAME", "ODD P"
    seen["search"] = listed()
    settings.list_search = "12"
    seen["number"] = listed()
    settings.list_search = ""
    listing.frames_list().active = 25
    seen["clicked"] = scene.frame_current_final
    scene.frame_set(16)
    seen["followed"] = listing.frames_list().active
    settings.follow_playhead = False
    scene.frame_set(30)
    seen["left"] = listing.frames_list().active
    lines: list[str] = []
    settings.list_show = "REVIEW"
    seen["drawn"] = draw_all()
    return seen | {"rows": len(listing.frames_list().rows), "lines": lines}


def panels(folder: str) -> dict[str, list[str]]:
    """The analysis of a failed frame, and of one at odds with its numbers."""
    keyed(folder)
    seen = {}
    for name, frame in (("failed", FAILED), ("odds", AT_ODDS), ("fine", 25)):
        bpy.context.scene.frame_set(1 + frame)
        seen[name] = draw_all()
    return seen


def review(folder: str) -> dict[str, Any]:
    """From one frame to be reviewed to the next, each marked."""
    settings = keyed(folder)
    take = Path(folder) / "take-a"
    raw = (take / "frames.jsonl").read_bytes()
    scene, visited, counters = bpy.context.scene, [], []
    scene.frame_set(1)
    while attempt(bpy.ops.semanticface.go_to_frame, want="REVIEW") == "":
        visited.append(scene.frame_current - 1)
        counters.append(list(state.current().table.progress(settings.review_threshold)))
    back = attempt(bpy.ops.semanticface.go_to_frame, want="LOW", back=True)
    marked = attempt(bpy.ops.semanticface.mark_reviewed)
    counters.append(list(state.current().table.progress(settings.review_threshold)))
    stored = json.loads((take / "reviewed.json").read_text())
    session.current().reading = None
    attempt(bpy.ops.semanticface.load_analysis)
    settle()
    again = list(state.current().table.progress(settings.review_threshold))
    scene.frame_set(1)
    rest = []
    while attempt(bpy.ops.semanticface.go_to_frame, want="REVIEW") == "":
        rest.append(scene.frame_current - 1)
    scene.frame_set(1 + LOW)
    attempt(bpy.ops.semanticface.mark_reviewed)
    gone = list(state.current().table.progress(settings.review_threshold))
    unchanged = raw == (take / "frames.jsonl").read_bytes()
    shutil.rmtree(take)
    refused = attempt(bpy.ops.semanticface.mark_reviewed)
    return {
        "visited": visited, "counters": counters, "back": back, "marked": marked, "stored": stored, "again": again,
        "rest": rest, "gone": gone, "unchanged": unchanged, "refused": refused,
        "left": sorted(path.name for path in Path(folder).glob("take-a/*")),
    }  # fmt: skip


def again(folder: str) -> dict[str, Any]:
    """Frame 10 is analyzed again, by the mock, whose values differ from the take's; then it is undone."""
    settings = keyed(folder)
    bpy.ops.ed.undo_push(message="before")
    bpy.context.scene.frame_set(1 + 10)
    before = shape_keys_on(settings.mesh)["jawOpen"]
    error = attempt(bpy.ops.semanticface.reanalyze_frame, engine="mock")
    settle()
    now = session.current()
    seen = {
        "error": error, "notes": list(now.notes), "before": before, "after": shape_keys_on(settings.mesh)["jawOpen"],
        "actions": len(bpy.data.actions), "frames": len(now.reading.frames),
        "takes": [origin.take.name for origin in now.reading.origins],
        "shown": now.reading.at(11.0)[1].coefficients["JawOpen"],
        "kept": read_take(Path(folder) / "take-a").by_frame()[10].coefficients["JawOpen"],
        "category": state.current().table.categories[10],
    }  # fmt: skip
    bpy.ops.ed.undo()
    settle()
    face = bpy.data.objects["Face"]
    seen["undone"] = shape_keys_on(face)["jawOpen"]
    seen["reading"] = session.current().reading.at(11.0)[1].coefficients["JawOpen"]
    Path(folder, "clip.mp4").unlink()
    bpy.context.scene.frame_set(1 + 10)
    seen["moved"] = attempt(bpy.ops.semanticface.reanalyze_frame, engine="mock")
    return seen


def overlays(folder: str) -> dict[str, list[list[Any]]]:
    """Frames 4, 6 and 8 laid over frames 0 to 9 in each mode of keying; of the three the last one failed."""
    below = [(float(n), result(n), 0) for n in range(10)]
    lost = FrameResult(8, None, Status.NO_FACE)
    above = [(4.0, result(4), 1), (6.0, result(6), 1), (8.0, lost, 1)]
    return {
        mode.value: [[where, number] for where, _, number in overlaid(below, above, mode)] for mode in KeyMode
    }  # fmt: skip


def markers(folder: str) -> dict[str, Any]:
    """Markers made three times beside two of the user's, one of ours renamed in between."""
    settings = keyed(folder)
    scene = bpy.context.scene
    scene.timeline_markers.new("smile", frame=200)
    scene.timeline_markers.new("mine", frame=1)
    bpy.ops.ed.undo_push(message="own markers")
    seen = {}
    for which in ("CHANGES", "REVIEW", "ALL", "CHANGES"):
        settings.markers_of = which
        assert attempt(bpy.ops.semanticface.add_markers) == ""
        seen.setdefault(which, _markers())
    ours = next(marker for marker in bpy.context.scene.timeline_markers if marker.name == "odd pose")
    ours.name = "the turn"
    attempt(bpy.ops.semanticface.add_markers)
    seen["renamed"] = _markers()
    bpy.ops.ed.undo()
    bpy.ops.ed.undo()
    return seen | {"undone": _markers()}


def _markers() -> list[list[Any]]:
    return sorted([marker.frame, marker.name] for marker in bpy.context.scene.timeline_markers)


def comparison(folder: str) -> dict[str, Any]:
    """Take B is another reading of the same frames; first from its folder, then from its Action, with a switch."""
    others = [result(n, "grin", JawOpen=n / 50, HeadYaw=-0.25 if n == 33 else 0.0) for n in range(5, 50)]
    settings = keyed(folder, others, "take-b", scene_start=6.0)
    settings.scene_start = 1.0  # take B begins with source frame 5, on scene frame 6
    action_b = _action(settings)
    make_take(Path(folder) / "take-a", sample_results())
    assert attempt(bpy.ops.semanticface.key_take, directory=str(Path(folder) / "take-a")) == ""
    settle()
    action_a = _action(settings)
    seen: dict[str, Any] = {"names": [action_a, action_b]}
    settings.compare_with, settings.compare_folder = "FOLDER", str(Path(folder) / "take-b")
    for kind in ("FOLDER", "ACTION"):
        settings.compare_with, settings.compare_action = kind, bpy.data.actions[action_b]
        assert attempt(bpy.ops.semanticface.compare_takes) == ""
        settle()
        numbers = state.current().compared.numbers
        seen[kind] = {
            "frames": numbers.frames.tolist(), "actions": numbers.worst_actions(),
            "there": numbers.largest_at(numbers.row(34.0)), "rows": numbers.difference.tolist(),
        }  # fmt: skip
    bpy.context.scene.frame_set(1)
    seen["went"] = attempt(bpy.ops.semanticface.go_to_difference)
    seen["frame"] = bpy.context.scene.frame_current_final
    bpy.context.scene.frame_set(34)
    seen["drawn"] = draw_all()
    seen["jaw"] = [_jaw(settings)]
    for name in (action_b, action_a):
        bpy.ops.ed.undo_push(message="before")
        assert attempt(bpy.ops.semanticface.show_action, action=name) == ""
        settle()
        settings = bpy.context.scene.semanticface
        seen["jaw"].append(_jaw(settings))
        seen.setdefault("shown", []).append(session.current().reading.at(34.0)[1].analysis.expression_category)
        seen.setdefault("b", []).append(settings.compare_action.name)
    bpy.ops.ed.undo()
    settle()
    settings = bpy.context.scene.semanticface
    return seen | {"undone": _jaw(settings), "still": len(bpy.data.actions)}


def _action(settings: Any) -> str:
    return str(settings.mesh.data.shape_keys.animation_data.action.name)


def _jaw(settings: Any) -> list[float]:
    """What animates the jaw, and how many keys the head's yaw has: value at scene frame 34, number of keys."""
    keys = shape_keys_on(settings.mesh)["jawOpen"]
    return [next(value for frame, value in keys if frame == 34), len(keys)]


def opened_file(folder: str) -> dict[str, Any]:
    """A file with keys of a take is opened: its analysis comes by itself; once the folder is gone that is said."""
    settings = keyed(folder)
    count = len(session.current().reading.frames)
    path = str(Path(folder) / "shot.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    bpy.ops.wm.read_homefile()
    empty = session.current().reading is None
    bpy.ops.wm.open_mainfile(filepath=path)
    longest = settle()
    loaded = len(session.current().reading.frames)
    rows = len(listing.frames_list().rows)
    (Path(folder) / "take-a").rename(Path(folder) / "moved")
    bpy.ops.wm.open_mainfile(filepath=path)
    settle()
    drawn = draw_all()
    (Path(folder) / "moved").rename(Path(folder) / "take-a")
    retried = attempt(bpy.ops.semanticface.load_analysis)
    settle()
    return {
        "count": count, "empty": empty, "loaded": loaded, "rows": rows, "longest": longest, "drawn": drawn,
        "retried": retried, "back": len(session.current().reading.frames), "settings": settings is not None,
    }  # fmt: skip


class Collecting:
    """Adds up the seconds that Python's garbage collector takes."""

    def __init__(self) -> None:
        self.seconds = self._start = 0.0
        gc.callbacks.append(self._tell)

    def _tell(self, phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            self._start = time.thread_time()
        else:
            self.seconds += time.thread_time() - self._start


def ten_thousand(folder: str) -> dict[str, Any]:
    """A take of 10,000 frames comes with the file: no tick is long, nor is drawing the list or moving the playhead.

    Python's own collections are not counted: a full one looks through every object of every add-on and library, takes
    20 to 30 ms in a bare Blender (measured), and comes with whichever allocation is the next.
    """
    collecting = Collecting()
    results = [result(frame, ("smile", "odd pose", "grin")[frame // 7 % 3]) for frame in range(50)]
    many = [replace(results[frame % 50], frame=frame, time=frame / 24) for frame in range(10_000)]
    ready(folder)
    settings = keyed(folder, many[:30])
    with (Path(folder) / "take-a" / "frames.jsonl").open("ab") as stream:
        for one in many[30:]:
            stream.write(json.dumps(one.to_dict()).encode() + b"\n")
    session.current().reading = None
    start = time.perf_counter()
    from blender_addon.take.handlers import look_again

    look_again()
    asked = time.perf_counter() - start
    ticks: list[float] = []
    busy: list[float] = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        begin, worked = time.perf_counter(), time.thread_time()
        collecting.seconds = 0.0
        session.current().tick()
        ticks.append(time.perf_counter() - begin - collecting.seconds)
        busy.append(time.thread_time() - worked - collecting.seconds)
        time.sleep(0.005)
        work = state.current()
        if work.table is not None and work.rows == 10_000 and int((work.table.disagreements < 0).sum()) < 9_000:
            break
    settings.list_show, settings.list_search = "REVIEW", "smi"
    filtering = _seconds(listed)
    scene = bpy.context.scene
    moving = sorted(_seconds(lambda frame=frame: _follow(scene, frame)) for frame in (5000, 9999, 17, 5100, 30))
    return {
        "rows": state.current().rows, "asked": asked, "longest": max(ticks), "ticks": len(ticks),
        "over": sum(tick > 0.01 for tick in ticks), "busiest": max(busy), "filtering": filtering,
        "again": _seconds(listed), "moving": moving[2],
        "checked": int((state.current().table.disagreements >= 0).sum()),
    }  # fmt: skip


def _follow(scene: Any, frame: int) -> None:
    scene.frame_current = frame
    listing.follow_playhead()


def _seconds(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def pictures(folder: str, footage: str = "", backend: str = "") -> dict[str, Any]:
    """Thumbnails of the mock, or of a real backend for real footage, and those of a second look from disk."""
    if backend:
        os.environ["SEMANTICFACE_BACKEND"] = backend
    settings = ready(folder)
    if footage:
        shutil.copy(footage, Path(folder) / "clip.mp4")
    take = make_take(Path(folder) / "take-a", [replace(one, box=None) for one in sample_results()])
    assert attempt(bpy.ops.semanticface.key_take, directory=str(take)) == ""
    settle()
    without = _thumbnails(folder)
    session.current().connect(None, True)
    tick_until(lambda: session.current().link.pump is not None and session.current().link.pump.welcome is not None)
    listing.frames_list().active = 20
    longest = settle()
    made = _thumbnails(folder)
    known = [state.current().pictures.known(state.current().key(row)) for row in range(40)]
    lost = len(state.current().pictures.failed)
    session.current().disconnect()
    state.current().pictures.free()
    free = state.current().pictures.known(state.current().key(0))
    listing.frames_list().active = 3
    settle()
    from_disk = [state.current().pictures.known(state.current().key(row)) for row in range(40)]
    files = [Path(path).read_bytes()[:3].hex() for path in made]
    return {
        "without": len(without), "made": len(made), "known": sum(known), "failed": lost, "longest": longest,
        "free": free, "from_disk": sum(from_disk), "jpeg": set(files) == {"ffd8ff"}, "mesh": settings.mesh is not None,
        "first": made[0] if made else "",
    }  # fmt: skip


def _thumbnails(folder: str) -> list[str]:
    return sorted(str(path) for path in Path(folder).rglob("thumbnails/*.jpg"))


def old_backend(folder: str) -> dict[str, Any]:
    """A backend of protocol 1.1 is asked for no thumbnails; the list goes without."""
    keyed(folder)
    session.current().connect(None, True)
    tick_until(lambda: session.current().link.pump is not None and session.current().link.pump.welcome is not None)
    listing.frames_list().active = 20
    settle()
    return {"made": len(_thumbnails(folder)), "tasks": len(session.current().tasks), "drawn": draw_all()}


def drawn_rows(folder: str) -> list[str]:
    """One row of each kind as the list draws it."""
    keyed(folder)
    lines: list[str] = []
    data = listing.frames_list()
    for row in (FAILED, LOW, AT_ODDS, 25):
        SEMANTICFACE_UL_frames.draw_item(None, bpy.context, Layout(lines), data, data.rows[row], 0, data, "active", row)
    return lines
