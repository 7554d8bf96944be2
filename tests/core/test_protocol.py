"""Messages: what is legal passes unchanged, everything else is refused with the field's name."""

from __future__ import annotations

import random

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.errors import ProtocolError
from semanticface.protocol import MAX_HEADER, REPLIES, REQUESTS, Priority, expand_runs, pack, to_runs, unpack

SUBMIT = {"id": 7, "job": "take-1", "engine": "auto", "options": {"face": "largest"}, "priority": "batch"}


def test_a_message_comes_back_as_sent() -> None:
    message = unpack(REQUESTS, pack(REQUESTS, "submit", **SUBMIT, frames=[[0, 9, 2]], media={"path": "a.mp4"}))
    assert message.type == "submit"
    assert message["priority"] is Priority.BATCH
    assert message["frames"] == [(0, 9, 2)]
    assert message.get("take") is None


def test_a_picture_travels_unmodified_as_the_payload() -> None:
    frames = pack(REQUESTS, "frame", payload=b"\xff\xd8jpeg", job="a", frame=3, format="encoded")
    assert unpack(REQUESTS, frames).payload == b"\xff\xd8jpeg"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"job": "../../etc"}, "`job`"),
        ({"job": None}, "`job` is missing"),
        ({"id": "seven"}, "`id`"),
        ({"id": True}, "`id`"),
        ({"priority": "now"}, "`priority` needs one of interactive, batch"),
        ({"frames": [[5, 1, 1]]}, "ends at 1 before it starts"),
        ({"frames": [[0, 5, 0]]}, "`frames`"),
        ({"options": {"a": float("nan")}}, "`options`"),
        ({"options": {"a": {"b": {"c": {"d": {"e": {"f": {"g": {"h": {"i": 1}}}}}}}}}}, "nested"),
        ({"engine": "x" * 101}, "`engine`"),
        ({"type": "exec"}, "unknown message type"),
    ],
)
def test_a_wrong_field_is_named(change, complaint) -> None:
    header = {"type": "submit", **SUBMIT, **change}
    with pytest.raises(ProtocolError, match=complaint.replace("[", r"\[")):
        unpack(REQUESTS, [msgpack.packb(header)])


THUMBNAILS = {"id": 1, "media": {"path": "/a.mp4"}, "frames": [3, 1], "side": 96, "boxes": [[3, 1.5, -2, 10, 10]]}


def test_thumbnails_come_back_as_asked() -> None:
    message = unpack(REQUESTS, pack(REQUESTS, "thumbnails", **THUMBNAILS))
    assert (message["frames"], message["side"], message["boxes"]) == ([3, 1], 96, [(3, 1.5, -2.0, 10.0, 10.0)])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"frames": []}, "`frames` needs a list of 1 to 64"),
        ({"frames": list(range(65))}, "`frames` needs a list of 1 to 64"),
        ({"frames": [1, 1]}, "`frames` names a frame twice"),
        ({"frames": [-1]}, "`frames` needs a whole number"),
        ({"side": 8}, "`side`"),
        ({"side": 4096}, "`side`"),
        ({"boxes": [[1, 0, 0, 0, 5]]}, "`boxes` holds a box"),
        ({"boxes": [[1, 0, 0, 5]]}, "`boxes` needs .frame"),
        ({"boxes": [[1, 0, float("nan"), 5, 5]]}, "`boxes` needs a finite"),
        ({"boxes": [[1, 1e9, 0, 5, 5]]}, "`boxes` holds a box"),
        ({"media": None}, "`media` is missing"),
    ],
)
def test_wrong_wishes_for_thumbnails_are_named(change, complaint) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        unpack(REQUESTS, [msgpack.packb({"type": "thumbnails", **THUMBNAILS, **change})])


def test_payloads_stand_only_where_they_belong() -> None:
    with pytest.raises(ProtocolError, match="no payload may follow"):
        unpack(REQUESTS, [*pack(REQUESTS, "ping", id=1), b"x"])
    with pytest.raises(ProtocolError, match="a payload must follow"):
        unpack(REQUESTS, [msgpack.packb({"type": "frame", "job": "a", "frame": 0, "format": "encoded"})])


@given(st.binary(max_size=400))
def test_random_bytes_are_refused_and_never_crash(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        unpack(REQUESTS, [data])


def test_mutated_messages_either_pass_or_raise_a_protocol_error() -> None:
    generator = random.Random(1)
    (good,) = pack(REQUESTS, "submit", **SUBMIT, frames=[[0, 9, 1]])
    for _ in range(2000):
        data = bytearray(good)
        for _ in range(generator.randint(1, 4)):
            data[generator.randrange(len(data))] = generator.randrange(256)
        try:
            unpack(REQUESTS, [bytes(data)])
        except ProtocolError as error:
            assert error.message


def test_an_oversized_header_is_refused_before_it_is_parsed() -> None:
    with pytest.raises(ProtocolError, match="over the limit"):
        unpack(REPLIES, [b"\x00" * (MAX_HEADER + 1)])


@given(st.sets(st.integers(0, 500), max_size=80))
def test_runs_name_exactly_the_frames(numbers: set[int]) -> None:
    frames = sorted(numbers)
    assert expand_runs([(a, b, c) for a, b, c in to_runs(frames)]) == frames


def test_a_run_of_a_hundred_million_frames_is_refused_before_it_is_expanded() -> None:
    with pytest.raises(ProtocolError, match="at most"):
        expand_runs([(0, 100_000_000, 1)])
