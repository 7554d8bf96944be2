"""Scripts of test_blender_picking.py: what is picked from where, and the two passes of the frames that matter."""

from __future__ import annotations

import os
import struct
import time
import zlib
from pathlib import Path
from typing import Any

import bpy
from scene import attempt, ready, shape_keys_on, tick_until

from blender_addon import session
from blender_addon.analysis.job import Phase
from blender_addon.analysis.operators import begin, begin_analysis
from blender_addon.footage.panel import describe_footage
from blender_addon.footage.source import footage_of
from blender_addon.footage.strips import strips_of
from semanticface.errors import SemanticFaceError
from semanticface.take import read_take


def _png() -> bytes:
    """One grey pixel."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0\x80\x80\x80")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def _set(settings: Any, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(settings, name, value)


def _lines(settings: Any) -> dict[str, Any]:
    """What the panel says of the choice."""
    scene = bpy.context.scene
    try:
        footage = footage_of(settings, scene)
    except SemanticFaceError as error:
        return {"plain": [], "warnings": [], "refusal": str(error)}
    lines = describe_footage(footage, settings, scene)
    return {"plain": list(lines.plain), "warnings": list(lines.warnings), "refusal": lines.refusal}


def _keyed(settings: Any) -> dict[str, Any]:
    now = session.current()
    take = settings.last_take
    return {
        "keys": shape_keys_on(settings.mesh).get("jawOpen", []),
        "notes": list(now.notes),
        "failed": now.failed,
        "frames": [result.frame for result in read_take(Path(take)).results] if take else [],
    }


def _analyzed(settings: Any) -> dict[str, Any]:
    lines = _lines(settings)
    return {"lines": lines, "error": attempt(bpy.ops.semanticface.analyze_footage), **_keyed(settings)}


def markers(folder: str, places: list[tuple[str, int, bool]], fps: int = 24, **values: Any) -> dict[str, Any]:
    """Keys at the selected timeline markers."""
    settings = ready(folder, fps)
    for name, frame, selected in places:
        bpy.context.scene.timeline_markers.new(name, frame=frame).select = selected
    _set(settings, {"frames": "MARKERS"} | values)
    return _analyzed(settings)


def scene_range(folder: str, preview: list[int] | None, **values: Any) -> dict[str, Any]:
    """Keys within the scene's range, or within the preview range."""
    settings = ready(folder)
    scene = bpy.context.scene
    scene.frame_start, scene.frame_end = 11, 20
    if preview is not None:
        scene.use_preview_range, (scene.frame_preview_start, scene.frame_preview_end) = True, preview
    _set(settings, {"frames": "SCENE", "timing": "PER_FRAME", "scene_start": 5.0} | values)
    return _analyzed(settings)


def listed(folder: str) -> dict[str, Any]:
    """An order for any frames, with places of their own and an engine."""
    from dataclasses import replace

    from blender_addon.footage.selection import Selection
    from blender_addon.footage.timing import TimeMap

    settings = ready(folder)
    settings.frames = "CURRENT"
    job = begin_analysis(bpy.context)
    tick_until(lambda: session.current().job is None)
    time_map = TimeMap(0, 1.0, job.plan.time.source_rate, job.plan.time.scene_rate).pinned({7: 50.5, 30: 12.0})
    order = replace(
        job.order,
        selection=Selection.of_frames((30, 7, 13), time_map),
        options={"engine": "landmarks"},
        take=job.order.take.with_name("again"),
    )
    again = begin(order)
    tick_until(lambda: session.current().job is None)
    return {"engine": again.engine, **_keyed(settings)}


def _images(folder: str, numbers: list[int]) -> Path:
    images = Path(folder) / "images"
    images.mkdir(exist_ok=True)
    for number in numbers:
        (images / f"face_{number:04d}.png").write_bytes(_png())
    return images


def _strips() -> Any:
    editor = bpy.context.scene.sequence_editor_create()
    return editor, getattr(editor, strips_of(editor)[0].removesuffix("_all"))


def movie_strip(folder: str, movie: str, offset: int, skipped: int, end: int, **values: Any) -> dict[str, Any]:
    """A movie strip at scene frame 11 with its trims, as the active strip."""
    settings = ready(folder)
    editor, strips = _strips()
    strip = strips.new_movie("Face", movie, channel=1, frame_start=11)
    strip.frame_offset_start, strip.frame_offset_end, strip.animation_offset_start = offset, end, skipped
    editor.active_strip = strip
    _set(settings, {"source": "STRIP"} | values)
    return _analyzed(settings)


def stretched_strip(folder: str, movie: str) -> dict[str, Any] | None:
    """A movie strip that was added so that it keeps its length; None where that needs a window."""
    settings = ready(folder)
    windows = bpy.context.window_manager.windows
    if not windows or hasattr(bpy.context, "sequencer_scene"):
        return None
    area = windows[0].screen.areas[0]
    area.type = "SEQUENCE_EDITOR"
    context = {"window": windows[0], "screen": windows[0].screen, "area": area, "region": area.regions[-1]}
    with bpy.context.temp_override(**context):
        bpy.ops.sequencer.movie_strip_add(
            filepath=movie, frame_start=11, channel=1, use_framerate=False, adjust_playback_rate=True, sound=False
        )
    settings.source, settings.strip = "STRIP", Path(movie).name
    strip = strips_of(bpy.context.scene.sequence_editor)[1][settings.strip]
    strip.frame_offset_start = 12
    return _analyzed(settings) | {"length": strip.frame_final_duration}


def image_strip(folder: str, names: list[int], lost: list[int], skipped: int = 0, **values: Any) -> dict[str, Any]:
    """A strip of these images, of which some are lost afterwards."""
    settings = ready(folder)
    images = _images(folder, names)
    _, strips = _strips()
    strip = strips.new_image("Faces", str(images / f"face_{names[0]:04d}.png"), channel=1, frame_start=21)
    for number in names[1:]:
        strip.elements.append(f"face_{number:04d}.png")
    strip.animation_offset_start = skipped
    for number in lost:
        (images / f"face_{number:04d}.png").unlink()
    _set(settings, {"source": "STRIP", "strip": "Faces"} | values)
    media = dict(footage_of(settings, bpy.context.scene).media)
    return _analyzed(settings) | {"media": {name: media.get(name) for name in ("kind", "pattern", "first", "rate")}}


def refused(folder: str, movie: str) -> dict[str, str]:
    """What the panel says when the footage can't be used."""
    settings = ready(folder)
    seen = {}
    settings.source = "STRIP"
    seen["no editor"] = _lines(settings)["refusal"]
    _, strips = _strips()
    seen["no strip"] = _lines(settings)["refusal"]
    strips.new_effect("Grey", "COLOR", 1, frame_start=1, **_end_of_effect(strips, 10))
    settings.strip = "Grey"
    seen["colour"] = _lines(settings)["refusal"]
    strip = strips.new_movie("Gone", movie, channel=2, frame_start=1)
    strip.use_reverse_frames, settings.strip = True, "Gone"
    seen["backwards"] = _lines(settings)["refusal"]
    strip.use_reverse_frames = False
    clip = Path(folder) / "moved.mp4"
    clip.write_bytes(Path(movie).read_bytes())
    settings.source, settings.clip = "CLIP", bpy.data.movieclips.load(str(clip))
    strip.filepath = str(clip)
    clip.unlink()
    seen["clip gone"] = _lines(settings)["refusal"]
    seen["clip gone, operator"] = attempt(bpy.ops.semanticface.analyze_footage)
    settings.source = "STRIP"
    seen["strip gone"] = _lines(settings)["refusal"]
    return seen


def _end_of_effect(strips: Any, last: int) -> dict[str, int]:
    parameters = strips.bl_rna.functions["new_effect"].parameters
    return {"length": last} if "length" in parameters else {"frame_end": last}


def holes(folder: str) -> dict[str, Any]:
    """A sequence with holes, as a clip whose first file is gone and as a file."""
    settings = ready(folder)
    images = _images(folder, [1, 2, 3, 6, 7, 10])
    settings.source = "CLIP"
    settings.clip = bpy.data.movieclips.load(str(images / "face_0001.png"))
    (images / "face_0001.png").unlink()
    seen = {"clip": _lines(settings)}
    settings.source, settings.filepath, settings.sequence = "FILE", str(images / "face_0002.png"), True
    return seen | {"file": _lines(settings)}


def probed(folder: str) -> dict[str, Any]:
    """The rate of a file is asked for before the analysis."""
    settings = ready(folder, 24)
    settings.timing = "PER_FRAME"
    before = _lines(settings)
    error = attempt(bpy.ops.semanticface.probe_footage)
    tick_until(lambda: not session.current().tasks)
    return {"before": before, "after": _lines(settings), "error": error}


def matter(folder: str, **values: Any) -> dict[str, Any]:
    """The two passes; every phase that was seen, in order, with the frames asked for in it."""
    settings = ready(folder)
    _set(settings, {"frames": "MATTER"} | values)
    lines = _lines(settings)
    job = begin_analysis(bpy.context)
    phases: list[list[Any]] = []

    def note() -> bool:
        if not phases or phases[-1][0] != job.phase.value:
            phases.append([job.phase.value, job.total])
        return session.current().job is None

    longest = tick_until(note)
    return {
        "phases": phases, "lines": lines, "longest": longest, "scanned": len(job.scanned), **_keyed(settings)
    }  # fmt: skip


def stopped(folder: str, during: str) -> dict[str, Any]:
    """Cancelled in this phase of the frames that matter."""
    settings = ready(folder)
    settings.frames = "MATTER"
    job = begin_analysis(bpy.context)
    deadline = time.monotonic() + 20
    while job.phase is not Phase(during) or (job.phase.counts and job.done < 2):
        assert time.monotonic() < deadline, job.phase
        session.current().tick()
        time.sleep(0.002)
    attempt(bpy.ops.semanticface.cancel_analysis)
    tick_until(lambda: session.current().job is None)
    animated = settings.mesh.data.shape_keys.animation_data is not None
    return {"phase": job.phase.value, "animated": animated, "notes": list(session.current().notes)}


def long_job(folder: str, count: int) -> dict[str, Any]:
    """CPU seconds of each tick of a job of thousands of frames, whose take is ours to write, up to the keying."""
    settings = ready(folder)
    settings.frames, settings.last, settings.engine = "RANGE", count - 1, "mock"
    for name in ("use_head", "use_eyes"):
        setattr(settings, name, False)
    job = begin_analysis(bpy.context)
    ticks: list[float] = []
    ended = 0
    while session.current().job is not None:
        ended += job.phase.ended
        start = time.thread_time()
        session.current().tick()
        ticks.append(time.thread_time() - start)
        time.sleep(0.001)
    ordinary = sorted(ticks[:-1])
    return {
        "ticks": len(ticks), "longest": ordinary[-1], "middle": ordinary[len(ordinary) // 2], "keying": ticks[-1],
        "writing": ended, "frames": len(read_take(Path(settings.last_take)).results), "phase": job.phase.value,
    }  # fmt: skip


def unusable_engine(folder: str) -> dict[str, Any]:
    """An engine that the backend doesn't have, once it has said what it has."""
    settings = ready(folder)
    first = attempt(bpy.ops.semanticface.analyze_footage)
    settings.engine = "semanticface:mine"
    refusal = attempt(bpy.ops.semanticface.analyze_footage)
    settings.engine = "mock"
    return {"first": first, "refusal": refusal, "mock": attempt(bpy.ops.semanticface.analyze_footage)}


def real(folder: str, backend: str, source: str, **values: Any) -> dict[str, Any]:
    """Against a real backend with the landmark engine."""
    os.environ["SEMANTICFACE_BACKEND"] = backend
    settings = ready(folder, 30)
    _set(settings, {"source": "FILE", "filepath": source, "engine": "landmarks"} | values)
    job = begin_analysis(bpy.context)
    tick_until(lambda: session.current().job is None, timeout=80)
    seen = _keyed(settings)
    header = read_take(Path(settings.last_take)).header
    first = job.order.first_pass
    seen |= {"engine": header.engine.get("name"), "scanned": len(read_take(first).results) if first.exists() else 0}
    session.current().link.pump.request("shutdown")
    tick_until(lambda: session.current().link.state.value == "off", timeout=10)
    return seen
