"""One asymmetric take, three ways into Unreal: the same 61 values arrive by name on each of them."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from asymmetric import ASYMMETRIC, asymmetric_take, expected_controls, expected_head
from semanticface_unreal.baking import BakeOptions, baking
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.ports import AssetOrder
from semanticface_unreal.writing.writer import AssetWriter
from unreal.animation import SequenceState
from unreal_livelink_csv import parsed
from unreal_testing import FakeEditor

from semanticface.exchange.livelink_csv import read_livelink_csv, write_livelink_csv
from semanticface.exchange.livelink_stream import StreamOptions, stream_take
from semanticface.exchange.livelink_udp import Packet, parse
from semanticface.retarget.profile import Link, Profile
from semanticface.steps import finished
from semanticface.take import Take, read_take

SINGLE = 1e-6
"""What is left of a value that went through single precision, relative."""


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Three frames, each weaker than the one before."""
    return read_take(asymmetric_take(tmp_path / "take"))


@pytest.fixture
def editor(tmp_path: Path) -> Iterator[FakeEditor]:
    with FakeEditor(tmp_path / "project") as editor:
        yield editor


def faces() -> list[dict[str, float]]:
    """What the take's frames hold."""
    return [{name: value * (1 - frame / 10) for name, value in ASYMMETRIC.items()} for frame in range(3)]


def written(editor: FakeEditor, take: Take, options: BakeOptions) -> SequenceState:
    """The animation in the editor, after it was baked, written, read back and saved."""
    order = AssetOrder("/Game/Shots", f"AS_{options.names}")
    done = finished(AssetWriter().writing(finished(baking(take, options)), order))
    assert editor.saved(done.asset)
    return editor.sequence(done.asset)


def received(take: Take) -> list[tuple[bytes, Packet]]:
    """What a socket on this machine gets of the take."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
        ear.bind(("127.0.0.1", 0))
        ear.settimeout(5)
        port = ear.getsockname()[1]
        with stream_take(take, StreamOptions(to=f"127.0.0.1:{port}", subject="Face", speed=100.0)) as stream:
            while not stream.done:
                stream.send_due()
        return [(data, parse(data)) for data in (ear.recv(2048) for _ in take.results)]


def test_an_animation_on_a_metahuman_holds_the_published_controls(editor: FakeEditor, take: Take) -> None:
    state = written(editor, take, BakeOptions(head=True))
    expected = [expected_controls(face) | expected_head(face) for face in faces()]
    assert (state.rate, state.frames) == (Fraction(30), 2)
    assert state.curves.keys() == expected[0].keys()
    for name, keys in state.curves.items():
        wanted = [(frame, pytest.approx(face[name], rel=SINGLE)) for frame, face in enumerate(expected)]
        assert keys == wanted, name


def test_an_animation_by_arkits_names_holds_all_61_by_name(editor: FakeEditor, take: Take) -> None:
    state = written(editor, take, BakeOptions(CurveNames.ARKIT, head=True))
    assert state.curves == {
        name: [(frame, pytest.approx(face[name], rel=SINGLE)) for frame, face in enumerate(faces())]
        for name in ASYMMETRIC
    }


def test_an_animation_by_a_profile_holds_all_61_at_its_targets(editor: FakeEditor, take: Take) -> None:
    profile = Profile("Rig", tuple(Link(action, f"rig_{action}", gain=0.5) for action in ASYMMETRIC))
    state = written(editor, take, BakeOptions(CurveNames.PROFILE, profile))
    assert state.curves == {
        f"rig_{name}": [(frame, pytest.approx(0.5 * face[name], rel=SINGLE)) for frame, face in enumerate(faces())]
        for name in ASYMMETRIC
    }


def test_a_recording_for_the_importer_holds_all_61_by_name(take: Take, tmp_path: Path) -> None:
    file = tmp_path / "Slate_1_Face.csv"
    write_livelink_csv(file, take.results, rate=take.header.rate)
    assert [row.coefficients for row in read_livelink_csv(file).rows] == [pytest.approx(face) for face in faces()]
    imported = parsed(file.read_text())
    assert not imported.errors and set(imported.keys) == set(ASYMMETRIC)
    for name in ASYMMETRIC:
        assert [value for _, value in imported.keys[name]] == pytest.approx([face[name] for face in faces()])


def test_packets_over_a_real_socket_hold_all_61_by_name(take: Take) -> None:
    packets = received(take)
    assert [packet.coefficients for _, packet in packets] == [pytest.approx(face, rel=SINGLE) for face in faces()]
    assert [packet.frame - packets[0][1].frame for _, packet in packets] == [0, 1, 2]


def test_jaw_and_mouth_stand_in_a_packet_as_unreal_numbers_them(take: Take) -> None:
    """Its enumeration has left before right, the recording's columns have right before left."""
    data, _ = received(take)[0]
    values = struct.unpack(">61f", data[-244:])
    places = {14: "JawForward", 15: "JawLeft", 16: "JawRight", 21: "MouthLeft", 22: "MouthRight", 52: "HeadYaw"}
    assert {index: values[index] for index in places} == {
        index: pytest.approx(ASYMMETRIC[name], rel=SINGLE) for index, name in places.items()
    }
