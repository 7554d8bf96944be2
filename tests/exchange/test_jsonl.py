"""JSON lines hold results as they are, and name the place of what they can't read."""

from __future__ import annotations

import json

import pytest

from semanticface.errors import ExchangeError
from semanticface.exchange.jsonl import read_jsonl, write_jsonl
from semanticface.results import Analysis, FrameResult, Status


def test_results_and_meta_come_back_as_they_went(tmp_path, frame):
    path = tmp_path / "take.jsonl"
    analysis = Analysis("surprise 😮", {"brows": "inner brows raised"}, "not clearly observable", "mostly symmetric")
    results = [
        frame(3, 0.1, JawLeft=0.1, JawRight=0.2),
        FrameResult(4, None, Status.UNPARSEABLE, message="no JSON", raw_text="lone \ud83d surrogate\u2028"),
        FrameResult(5, 0.2, Status.OK, results_coefficients(frame), analysis, 0.5, 2, (1.0, 2.0, 3.0, 4.0)),
    ]
    assert write_jsonl(path, results, {"source": "clip.mp4", "rate": "30000/1001"}) == 3
    assert len(path.read_text().splitlines()) == 4
    back = read_jsonl(path)
    assert back.meta == {"source": "clip.mp4", "rate": "30000/1001"}
    assert list(back.results) == results


def results_coefficients(frame):
    return frame(0, 0.0, HeadYaw=-0.5).coefficients


def test_meta_is_optional_and_each_line_is_one_frame(tmp_path, frame):
    path = tmp_path / "take.jsonl"
    write_jsonl(path, [frame(0, 0.0), frame(1, 0.04, face=False)])
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["frame"] for line in lines] == [0, 1]
    assert lines[1]["coefficients"] is None
    assert read_jsonl(path).meta == {}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("{", "line 2: "),
        ("[]", "line 2: not a frame result"),
        ('{"frame": -1, "status": "ok"}', "line 2: not a frame result"),
        ('{"frame": 1, "status": "no_face", "confidence": NaN}', "line 2: NaN is not a number that JSON has"),
        ("[" * 100_000, "line 2: "),
        ('"' + "x" * 1_000_001 + '"', "line 2: longer than"),
    ],
)
def test_a_bad_line_is_named(tmp_path, frame, line, message):
    path = tmp_path / "bad.jsonl"
    write_jsonl(path, [frame(0, 0.0)])
    with path.open("a") as out:
        out.write(line + "\n")
    with pytest.raises(ExchangeError, match=r"bad\.jsonl") as caught:
        read_jsonl(path)
    assert message in str(caught.value)


def test_a_newer_format_is_refused(tmp_path):
    (tmp_path / "new.jsonl").write_text('{"semanticface": 2, "meta": {}}\n')
    with pytest.raises(ExchangeError, match="version 2"):
        read_jsonl(tmp_path / "new.jsonl")


def test_what_json_can_not_hold_leaves_no_file(tmp_path, frame):
    for results, meta in (([frame(0, 0.0, JawOpen=float("inf"))], None), ([], {"rate": object()})):
        with pytest.raises(ExchangeError, match="can't be written as JSON"):
            write_jsonl(tmp_path / "out.jsonl", results, meta)
    assert list(tmp_path.iterdir()) == []
