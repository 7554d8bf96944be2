"""Takes on their way through real sockets: an independent reader sees the same values, at the right moments."""

from __future__ import annotations

import socket
import statistics
import time
from collections.abc import Iterator
from fractions import Fraction
from itertools import pairwise

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.errors import ExchangeError, OptionsError, TakeError
from semanticface.exchange.livelink_clock import clock_of
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_player import LONGEST_STALL, Player, Recorded, Voice
from semanticface.exchange.livelink_sender import Address, Sender, parse_address
from semanticface.exchange.livelink_stream import StreamOptions, device_of, stream_take
from semanticface.exchange.livelink_udp import Packet, parse
from semanticface.take import Take, TakeHeader

VOICE = Voice("Hero", device_of("Hero"))


@pytest.fixture(params=["127.0.0.1", "::1"])
def listener(request) -> Iterator[socket.socket]:
    """A socket that receives, on both kinds of address."""
    family = socket.AF_INET6 if ":" in request.param else socket.AF_INET
    try:
        receiver = socket.socket(family, socket.SOCK_DGRAM)
        receiver.bind((request.param, 0))
    except OSError as error:
        pytest.skip(f"{request.param} is not on this machine: {error}")
    receiver.settimeout(5)
    with receiver:
        yield receiver


def address_of(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def take_of(tmp_path, results, rate=Fraction(24), timecode="", **source) -> Take:
    header = TakeHeader(source, rate, {"name": "mock"}, {}, "k", timecode=timecode)
    return Take(tmp_path / "take", header, tuple(results))


def play(stream) -> None:
    with stream:
        while not stream.done:
            time.sleep(stream.due())
            stream.send_due()


def received(listener: socket.socket, count: int) -> list[bytes]:
    return [listener.recv(65_536) for _ in range(count)]


class Hand:
    """A clock that is moved by hand, and the packets that went out with their moments."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.sent: list[tuple[float, Packet]] = []

    def send(self, data: bytes) -> bool:
        self.sent.append((round(self.now - 1000.0, 9), parse(data)))
        return True

    def player(self, results, rate=Fraction(25), missing=WithoutFace.SKIP, loop=False, variable=False, **other):
        clock = clock_of(rate, "", variable=variable)
        feed = Recorded(results, clock, missing, loop=loop)
        return Player(feed, self.send, VOICE, rate, clock=lambda: self.now, **other)

    def run(self, player: Player, seconds: float) -> None:
        end = self.now + seconds
        while not player.done and self.now + player.due() <= end:
            self.now += player.due()
            player.send_due()
        self.now = end


def test_an_independent_reader_sees_each_of_the_61_values_by_name(tmp_path, frame, listener):
    pylivelinkface = pytest.importorskip("pylivelinkface")
    faces = [
        frame(
            number,
            number / 24,
            **{name: round(0.01 * place + 0.001 * number, 4) for place, name in enumerate(CSV_ORDER)},
        )
        for number in range(5)
    ]
    options = StreamOptions(to=address_of(listener), subject="Hero", speed=20)
    play(stream_take(take_of(tmp_path, faces, Fraction(24000, 1001), "01:00:00:00"), options))
    for number, data in enumerate(received(listener, 5)):
        seen, face = pylivelinkface.PyLiveLinkFace.decode(data)
        assert seen and face.name == "Hero"
        assert (face._frames, face._sub_frame) == (86_400 + number, 0.0)
        assert (face.fps, face._denominator) == (24000, 1001)
        for shape in pylivelinkface.FaceBlendShape:
            expected = faces[number].coefficients[shape.name]
            assert face.get_blendshape(shape) == pytest.approx(expected, abs=1e-6), shape.name


def test_the_independent_reader_is_told_of_a_frame_without_a_face(tmp_path, frame, listener):
    pylivelinkface = pytest.importorskip("pylivelinkface")
    results = [frame(0, 0.0, JawLeft=0.25), frame(1, 1 / 24, face=False)]
    play(stream_take(take_of(tmp_path, results), StreamOptions(to=address_of(listener), speed=20)))
    assert [pylivelinkface.PyLiveLinkFace.decode(data)[0] for data in received(listener, 2)] == [True, False]


@pytest.mark.clock
@pytest.mark.parametrize("listener", ["127.0.0.1"], indirect=True)
def test_packets_come_at_the_sources_pace_and_no_delay_adds_up(tmp_path, frame, listener):
    """Three seconds at 60 frames a second. What a busy machine does to single packets is not the player's doing, so the
    run as a whole is held to 5 ms, and intervals to their median."""
    take = take_of(tmp_path, [frame(number, None) for number in range(181)], Fraction(60))
    for _ in range(3):
        stream, moments = stream_take(take, StreamOptions(to=address_of(listener))), []
        with stream:
            while not stream.done:
                time.sleep(stream.due())
                for _ in range(stream.send_due()):
                    listener.recv(65_536)
                    moments.append(time.perf_counter())
        if not stream.played.stalls:
            break
    assert len(moments) == 181
    intervals = [b - a for a, b in pairwise(moments)]
    # The least disturbed of the first and of the last 0.3 s:
    late = [moment - moments[0] - number / 60 for number, moment in enumerate(moments)]
    drift = min(late[-18:]) - min(late[:18])
    print(f"median interval {statistics.median(intervals) * 1000:.3f} ms, drift over 3 s {drift * 1000:.3f} ms")
    assert statistics.median(intervals) == pytest.approx(1 / 60, abs=0.001)
    assert abs(drift) < 0.005


@pytest.mark.parametrize(("speed", "last"), [(1.0, 0.16), (2.0, 0.08), (0.5, 0.32)])
def test_speed_changes_the_moments_and_never_the_stamps(frame, speed, last):
    hand = Hand()
    hand.run(hand.player([frame(number, number / 25) for number in range(5)], speed=speed), 10)
    assert [moment for moment, _ in hand.sent][-1] == pytest.approx(last)
    assert [seen.frame for _, seen in hand.sent] == [0, 1, 2, 3, 4]
    assert {seen.rate for _, seen in hand.sent} == {Fraction(25)}


def test_frames_of_variable_rate_come_at_their_own_moments_with_their_share_of_a_frame(frame):
    hand = Hand()
    times = [0.0, 0.02, 0.08, 0.09]
    hand.run(hand.player([frame(n, t) for n, t in enumerate(times)], variable=True), 10)
    assert [moment for moment, _ in hand.sent] == pytest.approx(times)
    assert [(seen.frame, round(seen.subframe, 4)) for _, seen in hand.sent] == [(0, 0.0), (0, 0.5), (2, 0.0), (2, 0.25)]


def test_a_choice_of_frames_is_played_from_its_first_with_its_own_distances(frame):
    hand = Hand()
    hand.run(hand.player([frame(n, n / 25) for n in (100, 101, 110)]), 10)
    assert [moment for moment, _ in hand.sent] == pytest.approx([0.0, 0.04, 0.4])
    assert [seen.frame for _, seen in hand.sent] == [100, 101, 110]


def test_a_loop_goes_on_in_time_and_in_its_stamps_without_a_seam(frame):
    hand = Hand()
    player = hand.player([frame(n, n / 25, JawOpen=n / 10) for n in (4, 5, 6)], loop=True)
    hand.run(player, 0.4)
    assert [moment for moment, _ in hand.sent] == pytest.approx([0.04 * n for n in range(len(hand.sent))], abs=1e-6)
    assert [seen.frame for _, seen in hand.sent] == list(range(4, 4 + len(hand.sent)))
    assert [round(seen.coefficients["JawOpen"], 3) for _, seen in hand.sent][:6] == [0.4, 0.5, 0.6] * 2
    assert len(hand.sent) >= 10 and not player.done


@pytest.mark.parametrize(
    ("missing", "expected"),
    [
        (WithoutFace.SKIP, [None, 0.5, None, 0.25]),
        (WithoutFace.HOLD, [None, 0.5, 0.5, 0.25]),
        (WithoutFace.NEUTRAL, [0.0, 0.5, 0.0, 0.25]),
    ],
)
def test_a_frame_without_a_face_never_shifts_the_others(frame, missing, expected):
    hand = Hand()
    results = [frame(0, 0.0, face=False), frame(1, 0.04, JawOpen=0.5), frame(2, 0.08, face=False)]
    player = hand.player([*results, frame(3, 0.12, JawOpen=0.25)], missing=missing)
    hand.run(player, 10)
    values = [None if seen.coefficients is None else seen.coefficients["JawOpen"] for _, seen in hand.sent]
    assert values == expected
    assert [seen.frame for _, seen in hand.sent] == [0, 1, 2, 3]
    assert player.played.faceless == expected.count(None)


def test_a_held_face_does_not_reach_over_a_loops_seam(frame):
    hand = Hand()
    results = [frame(0, 0.0, face=False), frame(1, 0.04, JawOpen=0.5)]
    hand.run(hand.player(results, missing=WithoutFace.HOLD, loop=True), 0.13)
    assert [seen.coefficients is None for _, seen in hand.sent] == [True, False, True, False]


def test_a_slow_host_catches_up_and_one_that_stood_still_goes_on_where_it_was(frame):
    hand = Hand()
    player = hand.player([frame(number, number / 25) for number in range(100)])
    player.send_due()
    hand.now += 0.2
    assert player.send_due() == 5  # frames 1 to 5 were due
    hand.now += LONGEST_STALL + 10
    assert player.send_due() == 1
    hand.now += 0.04
    assert player.send_due() == 1
    assert [seen.frame for _, seen in hand.sent] == list(range(8))
    assert player.played.stalls == 1


def test_a_player_asked_too_early_does_nothing(frame):
    hand = Hand()
    player = hand.player([frame(0, 0.0), frame(1, 0.04)])
    assert (player.due(), player.send_due(), player.send_due()) == (0.0, 1, 0)
    assert player.due() == pytest.approx(0.04)
    hand.now += 0.05
    assert (player.send_due(), player.done, player.due(), player.send_due()) == (1, True, 0.0, 0)


def test_one_call_never_takes_long(frame):
    hand = Hand()
    player = hand.player([frame(number, number / 10_000) for number in range(3000)], Fraction(10_000))
    player.send_due()
    hand.now += 0.25
    assert player.send_due() == 100


def test_the_variable_rate_that_the_analysis_found_is_heeded(tmp_path, frame, listener):
    results = [frame(0, 0.0), frame(1, 0.05)]
    options = StreamOptions(to=address_of(listener), speed=100)
    for variable, expected in ((True, (1, 0.25)), (False, (1, 0.0))):
        play(stream_take(take_of(tmp_path, results, Fraction(25), variable_rate=variable), options))
        last = parse(received(listener, 2)[1])
        assert (last.frame, last.subframe) == expected


def test_nobody_listening_is_counted_and_the_stream_goes_on(frame, tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    results = [frame(number, number / 24) for number in range(6)]
    stream = stream_take(take_of(tmp_path, results), StreamOptions(to=f"127.0.0.1:{port}"))
    play(stream)
    assert stream.played.packets == 6 and stream.played.lost == 0
    assert stream.sender.refused >= 1


def test_a_listener_that_comes_later_misses_only_what_went_before(frame):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reserved:
        reserved.bind(("127.0.0.1", 0))
        port = reserved.getsockname()[1]
    with Sender(Address("127.0.0.1", port)) as sender:
        assert sender.send(b"unheard")
        time.sleep(0.05)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as late:
            late.bind(("127.0.0.1", port))
            late.settimeout(5)
            assert sender.send(b"heard")
            assert late.recv(100) == b"heard"


def test_an_address_to_send_from_can_be_chosen(listener):
    host = listener.getsockname()[0]
    with Sender(parse_address(address_of(listener)), bind=host) as sender:
        sender.send(b"x")
    assert listener.recvfrom(100)[1][0] == host


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("localhost", Address("localhost", 11111)),
        ("127.0.0.1:5", Address("127.0.0.1", 5)),
        ("[::1]:65535", Address("::1", 65535)),
        ("[::1]", Address("::1", 11111)),
        (" fe80::1%eth0 ", Address("fe80::1%eth0", 11111)),
    ],
)
def test_addresses_are_read_as_people_write_them(text, address):
    assert parse_address(text) == address
    assert parse_address(str(address)) == address


@pytest.mark.parametrize(
    "text", ["", ":11111", "host:", "host:0", "host:65536", "host:-1", "host:udp", "[::1", "a b[c]:1"]
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(OptionsError, match="is not a"):
        parse_address(text)


@pytest.mark.parametrize(
    ("to", "bind", "kind", "message"),
    [
        ("127.0.0.1:9", "192.0.2.7", OptionsError, "can't send from 192.0.2.7"),
        ("127.0.0.1:9", "::1", OptionsError, "another kind"),
        ("255.255.255.255:9", "", ExchangeError, "no way to 255.255.255.255:9"),
        ("x" * 300, "", OptionsError, "isn't known"),
    ],
)
def test_an_address_without_a_way_is_refused_before_anything_is_sent(to, bind, kind, message):
    with pytest.raises(kind, match=message):
        Sender(parse_address(to), bind)


def test_what_cannot_be_played_is_refused(tmp_path, frame):
    two = [frame(0, 0.0), frame(1, 0.04)]
    refused = [
        (take_of(tmp_path, two, rate=None), StreamOptions(), TakeError, "has no frame rate"),
        (take_of(tmp_path, []), StreamOptions(), ExchangeError, "no frames yet"),
        (take_of(tmp_path, [frame(0, 0.1), frame(1, 0.1)]), StreamOptions(), ExchangeError, "frame 1 is not later"),
        (take_of(tmp_path, two), StreamOptions(speed=0), OptionsError, "speed of 0"),
        (take_of(tmp_path, two), StreamOptions(speed=float("nan")), OptionsError, "speed of nan"),
        (take_of(tmp_path, two), StreamOptions(subject=""), ExchangeError, "subject ''"),
        (take_of(tmp_path, two, rate=Fraction(2**40, 3)), StreamOptions(), ExchangeError, "a rate of"),
    ]
    for take, options, kind, message in refused:
        with pytest.raises(kind, match=message):
            stream_take(take, options)


def test_a_device_is_36_letters_the_same_for_a_subject_and_of_no_machine():
    assert device_of("Hero") == device_of("Hero") != device_of("Villain")
    assert len(device_of("Zoë 🎭")) == 36
