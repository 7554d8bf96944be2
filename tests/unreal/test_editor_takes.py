"""What an animator does with an animation that was written: bake it again, read its analysis, play it on a face."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import unreal
from batch_kit import backend, footage
from editor_kit import FACE, plugin, queue, tick_until
from semanticface_unreal.editor.session import Session
from semanticface_unreal.settings import Settings
from unreal_testing import FakeEditor

from semanticface.client import Client
from semanticface.exchange.livelink_udp import parse
from semanticface.launch import live_run_file, stop
from semanticface.take import read_take

SHOT = "/Game/SemanticFace/AS_shot_010"
RAW = Settings(engine="echo", rate="24", smoothing=0.0, reduce_keys=False)


@pytest.fixture(scope="module", autouse=True)
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with backend(tmp_path_factory.mktemp("home")):
        yield


@pytest.fixture
def written(tmp_path: Path) -> Iterator[tuple[FakeEditor, Session]]:
    """A shot of twelve frames that was analyzed and written raw, and is selected."""
    footage(tmp_path / "shots", "shot_010", frames=12)
    with plugin(tmp_path / "project", RAW) as (editor, session):
        queue(editor, tmp_path / "shots", run_now=True)
        tick_until(editor, lambda: session.run is None)
        editor.select_assets([SHOT])
        yield editor, session


def test_bake_again_makes_new_curves_with_the_present_settings(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    before = editor.sequence(SHOT).curves
    session.accept(session.settings.changed(head=True, smoothing=1.0))
    editor.answer("OK")
    editor.click("Rebake")
    after = editor.sequence(SHOT).curves
    assert {"headroll", "headcontrolswitch"} <= {name.lower() for name in set(after) - set(before)}
    assert "keys" in editor.dialogs[-1].message
    assert session.run is None and editor.open_slow_tasks == editor.open_brackets == 0


def test_baking_again_is_undone_in_one_step(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    before = editor.sequence(SHOT).curves
    session.accept(session.settings.changed(names="arkit"))
    editor.answer("OK")
    editor.click("Rebake")
    assert editor.sequence(SHOT).curves != before
    editor.undo()
    assert editor.sequence(SHOT).curves == before


def test_what_is_made_so_already_is_not_written_again(written: tuple[FakeEditor, Session]) -> None:
    editor, _session = written
    editor.answer("OK")
    editor.click("Rebake")
    assert "is made so already" in editor.dialogs[-1].message


def test_the_queue_agrees_with_what_was_baked_again(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    session.accept(session.settings.changed(smoothing=0.75))
    editor.answer("OK")
    editor.click("Rebake")
    editor.click("RunQueue")
    tick_until(editor, lambda: session.run is None)
    assert session.last is not None
    assert [job.kept for job in session.last.jobs] == [True]


def test_an_animation_of_somebody_else_is_left_alone(written: tuple[FakeEditor, Session]) -> None:
    editor, _session = written
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = unreal.load_asset(f"{FACE}/Face_Archetype_Skeleton")
    unreal.AssetToolsHelpers.get_asset_tools().create_asset("AS_Mine", "/Game", unreal.AnimSequence, factory)
    editor.select_assets(["/Game/AS_Mine"])
    for entry in ("Rebake", "ShowAnalysis", "PreviewThis"):
        editor.answer("OK")
        editor.click(entry)
        assert "AS_Mine wasn't made by SemanticFace" in editor.dialogs[-1].message


def test_a_take_that_is_gone_is_named(written: tuple[FakeEditor, Session], tmp_path: Path) -> None:
    editor, session = written
    take = session.places.data / "queue.takes" / "shot_010"
    take.rename(tmp_path / "moved")
    editor.answer("OK")
    editor.click("Rebake")
    assert f"is not in {take} any more" in editor.dialogs[-1].message


def test_the_analysis_of_every_frame_goes_into_a_file(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    editor.answer("OK")
    editor.click("ShowAnalysis")
    assert "12 frames (12 ok), engine echo" in editor.dialogs[-1].message
    text = (session.places.data / "analysis" / "AS_shot_010.txt").read_text()
    assert text.count("Frame ") == 12


def test_the_take_plays_over_live_link_from_ticks(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as unreal_side:
        unreal_side.bind(("127.0.0.1", 0))
        unreal_side.settimeout(5)
        port = unreal_side.getsockname()[1]
        session.accept(session.settings.changed(livelink=f"127.0.0.1:{port}", subject="Hero"))
        editor.click("Preview")
        assert editor.label("Preview") == "Stop Preview of AS_shot_010"
        until = time.monotonic() + 1.0
        while time.monotonic() < until:
            editor.tick()
            time.sleep(0.005)
        packets = [parse(unreal_side.recv(2048)) for _ in range(12)]
        editor.click("Preview")
    take = read_take(session.places.data / "queue.takes" / "shot_010")
    first = take.results[0].coefficients
    assert first is not None and packets[0].coefficients is not None
    assert packets[0].subject == "Hero"
    assert packets[0].coefficients["JawLeft"] == pytest.approx(first["JawLeft"])
    assert packets[0].coefficients["JawRight"] == pytest.approx(first["JawRight"])
    assert [packet.frame for packet in packets] == list(range(packets[0].frame, packets[0].frame + 12))
    assert session.preview is None and editor.label("Preview") == "Preview on Live Link"


def test_a_preview_that_nobody_hears_says_so_once(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as nobody:
        nobody.bind(("127.0.0.1", 0))
        port = nobody.getsockname()[1]
    session.accept(session.settings.changed(livelink=f"127.0.0.1:{port}"))
    editor.click("Preview")
    for _ in range(60):
        editor.tick()
        time.sleep(0.005)
    assert len([text for text in editor.logged("log") if "nothing listens at" in text]) == 1


def test_an_address_that_isnt_known_is_shown_and_nothing_plays(written: tuple[FakeEditor, Session]) -> None:
    editor, session = written
    session.accept(session.settings.changed(livelink="256.256.256.256:11111"))
    editor.answer("OK")
    editor.click("Preview")
    assert "isn't known" in editor.dialogs[-1].message
    assert session.preview is None


def test_a_csv_is_imported_where_epics_plugin_is_on(tmp_path: Path) -> None:
    from semanticface.actions import CSV_ORDER

    file = tmp_path / "MySlate_1_iPhone.csv"
    rows = [",".join(("Timecode", "BlendshapeCount", *CSV_ORDER))]
    rows += [",".join((f"00:00:00:{frame:02d}.000", "61", *["0.25"] * 61)) for frame in range(3)]
    file.write_text("\n".join(rows) + "\n")
    with plugin(tmp_path / "off") as (editor, _session):
        editor.answer("OK", {"file": unreal.FilePath(str(file))})
        editor.answer("OK")
        editor.click("ImportCsv")
        assert "enable the plugin Live Link Face Importer" in editor.dialogs[-1].message.replace("Enable", "enable")
    with plugin(tmp_path / "on", optional_plugins={"LiveLinkFaceImporterFactory"}) as (editor, _session):
        editor.answer("OK", {"file": unreal.FilePath(str(file)), "assets": unreal.DirectoryPath("/Game/Recordings")})
        editor.click("ImportCsv")
        assert unreal.EditorAssetLibrary.does_asset_exist("/Game/Recordings/MySlate_1_iPhone"), editor.log[-5:]


def test_an_editor_that_closes_leaves_its_backend_without_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It was started with a lease, so a minute later it ends; what it was asked for ends at once."""
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    footage(tmp_path / "many", " ".join(f"s{number}" for number in range(6)))
    with plugin(tmp_path / "project") as (editor, session):
        assert live_run_file() is None
        queue(editor, tmp_path / "many", run_now=True)
        tick_until(editor, lambda: bool(session.run and session.run.progress.count("analyzed", "done")))
        editor.desk.end()
    try:
        with Client.connect(start=False) as client:
            until = time.monotonic() + 10
            while client.status()["clients"] > 1 or client.status()["jobs"]:
                assert time.monotonic() < until, client.status()
                time.sleep(0.05)
    finally:
        stop()


def test_the_queue_file_is_one_that_a_farm_can_run(written: tuple[FakeEditor, Session]) -> None:
    _editor, session = written
    data = json.loads(session.places.queue.read_text())
    assert data["format"] == "semanticface-batch"
    assert data["jobs"][0]["asset"] == "AS_shot_010"
