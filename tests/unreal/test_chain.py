"""One asymmetric take, three ways into Unreal: the same 61 values arrive by name on each of them."""

from __future__ import annotations

import socket
import struct
from pathlib import Path

import pytest
from asymmetric import ASYMMETRIC, asymmetric_take
from unreal_livelink_csv import parsed

from semanticface.exchange.livelink_csv import read_livelink_csv, write_livelink_csv
from semanticface.exchange.livelink_stream import StreamOptions, stream_take
from semanticface.exchange.livelink_udp import Packet, parse
from semanticface.take import Take, read_take


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Three frames, each weaker than the one before."""
    return read_take(asymmetric_take(tmp_path / "take"))


def faces() -> list[dict[str, float]]:
    """What the take's frames hold."""
    return [{name: value * (1 - frame / 10) for name, value in ASYMMETRIC.items()} for frame in range(3)]


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
    assert [packet.coefficients for _, packet in packets] == [pytest.approx(face, rel=1e-6) for face in faces()]
    assert [packet.frame - packets[0][1].frame for _, packet in packets] == [0, 1, 2]


def test_jaw_and_mouth_stand_in_a_packet_as_unreal_numbers_them(take: Take) -> None:
    """Its enumeration has left before right, the recording's columns have right before left."""
    data, _ = received(take)[0]
    values = struct.unpack(">61f", data[-244:])
    places = {14: "JawForward", 15: "JawLeft", 16: "JawRight", 21: "MouthLeft", 22: "MouthRight", 52: "HeadYaw"}
    assert {index: values[index] for index in places} == {
        index: pytest.approx(ASYMMETRIC[name], rel=1e-6) for index, name in places.items()
    }
