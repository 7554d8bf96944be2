"""A frame's result keeps its identity and its honesty through storage and wire."""

from __future__ import annotations

import math

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.errors import ProtocolError, SemanticFaceError, TakeError, from_wire, to_wire
from semanticface.results import Estimate, FrameResult, Status

FACE = {name: index / 100 for index, name in enumerate(CSV_ORDER)}
ESTIMATES = {name: Estimate(value, value + 0.01, 0.02) for name, value in FACE.items()}
READ = {name: [0.1, 0.12, 0.0] for name in FACE}


def test_a_frame_without_a_face_cannot_carry_coefficients() -> None:
    with pytest.raises(ValueError, match="contradict"):
        FrameResult(0, 0.0, Status.NO_FACE, FACE)
    with pytest.raises(ValueError, match="contradict"):
        FrameResult(0, 0.0, Status.OK)


@pytest.mark.parametrize(
    "change",
    [
        {"frame": -1},
        {"frame": True},
        {"frame": 1.5},
        {"status": "fine"},
        {"time": math.nan},
        {"coefficients": {**FACE, "JawOpen": math.inf}},
        {"coefficients": {**FACE, "Extra": 0.0}},
        {"coefficients": {name: 0.0 for name in CSV_ORDER[:60]}},
        {"coefficients": [0.0] * 61},
        {"coefficients": None},
        {"box": [1, 2, 3]},
        {"analysis": {"symmetry": "x"}},
        {"confidence": "high"},
        {"estimates": READ | {"Extra": [0.1, 0.1, 0.0]}},
        {"estimates": {"JawOpen": [0.1, 0.1, 0.0]}},
        {"estimates": READ | {"JawOpen": [0.1, math.nan, 0.0]}},
        {"estimates": READ | {"JawOpen": [0.1, 0.1]}},
        {"estimates": READ | {"JawOpen": [0.1, 0.1, -0.1]}},
        {"estimates": READ | {"JawOpen": 0.1}},
        {"estimates": READ, "status": "no_face", "coefficients": None},
    ],
    ids=str,
)
def test_rubbish_is_refused_with_a_protocol_error(change) -> None:
    good = FrameResult(4, 0.1, Status.OK, FACE).to_dict()
    assert FrameResult.from_dict(good).frame == 4
    with pytest.raises(ProtocolError, match=r"frame result|analysis needs"):
        FrameResult.from_dict({**good, **change})


def test_how_each_value_was_read_comes_back_as_it_was_and_is_left_out_where_nothing_is_known() -> None:
    told = FrameResult(4, 0.1, Status.OK, FACE, estimates=ESTIMATES)
    assert FrameResult.from_dict(told.to_dict()) == told
    assert told.to_dict()["estimates"]["JawOpen"] == ESTIMATES["JawOpen"].to_list()
    assert "estimates" not in FrameResult(4, 0.1, Status.OK, FACE).to_dict()


def test_fields_of_a_newer_writer_are_ignored() -> None:
    data = FrameResult(4, None, Status.NO_FACE, faces=2).to_dict() | {"mood": "new"}
    assert FrameResult.from_dict(data) == FrameResult(4, None, Status.NO_FACE, faces=2)


def test_an_error_keeps_its_class_over_the_wire() -> None:
    back = from_wire(to_wire(TakeError("no room", "free some")))
    assert (type(back), back.message, back.hint) == (TakeError, "no room", "free some")
    assert type(from_wire({"kind": "from the future", "message": "x"})) is SemanticFaceError
    assert "ZeroDivisionError" in from_wire(to_wire(ZeroDivisionError("1/0"))).message
