"""docs/protocol.md names every message, field, kind and limit, and its example runs."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from semanticface import errors, protocol
from semanticface.actions import CSV_ORDER
from semanticface.mock_script import Fault, Script, media_info, motion
from semanticface.protocol import REPLIES, REQUESTS, JobState, PixelFormat, Priority, Shape, WorkerState, pack
from semanticface.results import Estimate, FrameResult, Status

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")


def chapter(title: str, level: int = 2, text: str = PAGE) -> str:
    mark = "#" * level
    found = re.search(rf"^{mark} {re.escape(title)}\n(.*?)(?=^#{{1,{level}}} |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"no chapter {title}"
    return found[1]


def block(kind: str) -> str:
    found = re.search(rf"^```{kind}\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL)
    assert found, f"no block {kind}"
    return found[1]


def rows(text: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(\w+)` \| ([RO]) \|", text, re.MULTILINE))


def shapes() -> list[tuple[str, str, Shape]]:
    tables = (("Requests", REQUESTS), ("Replies", REPLIES))
    return [(title, kind, shape) for title, table in tables for kind, shape in table.items()]


@pytest.mark.parametrize(
    ("title", "kind", "shape"), shapes(), ids=lambda value: value if isinstance(value, str) else ""
)
def test_each_message_is_described_with_its_fields_and_no_others(title: str, kind: str, shape: Shape) -> None:
    text = chapter(f"`{kind}`", 3, chapter(title))
    expected = dict.fromkeys(shape.required, "R") | dict.fromkeys(shape.optional, "O")
    assert rows(text) == expected
    assert ("payload" in text.split("|")[0]) == shape.payload


def test_no_message_is_described_that_is_not_there() -> None:
    for title, table in (("Requests", REQUESTS), ("Replies", REPLIES)):
        assert set(re.findall(r"^### `(\w+)`$", chapter(title), re.MULTILINE)) == set(table)


def test_each_kind_of_error_is_named() -> None:
    kinds = {errors.SemanticFaceError.kind}
    waiting = [errors.SemanticFaceError]
    while waiting:
        for child in waiting.pop().__subclasses__():
            kinds.add(child.kind)
            waiting.append(child)
    assert set(re.findall(r"^\| `(\w+)` \|", chapter("Errors"), re.MULTILINE)) == kinds


@pytest.mark.parametrize(
    "words", [JobState, WorkerState, PixelFormat, Priority, Status], ids=lambda words: words.__name__
)
def test_each_word_of_the_enumerations_is_named(words: type) -> None:
    for word in words:
        assert f"`{word}`" in PAGE


def test_the_limits_are_those_of_the_code() -> None:
    text = chapter("Limits")
    assert (protocol.MAX_HEADER, protocol.MAX_PAYLOAD) == (1 << 20, 64 << 20)
    assert "| header | 1 MiB |" in text
    assert "| payload | 64 MiB |" in text
    for number in (protocol.MAX_RUNS, protocol.MAX_FRAMES, protocol.MAX_FRAME_NUMBER, protocol.MAX_TEXT):
        assert f"{number:,}" in text
    assert f"protocol is {protocol.MAJOR}.{protocol.MINOR}." in PAGE


def test_each_key_of_a_result_and_of_the_media_info_is_named() -> None:
    text = chapter("A frame's result")
    estimates = dict.fromkeys(CSV_ORDER, Estimate(0.1, 0.12, 0.03))
    keys = FrameResult(0, 0.0, Status.OK, motion(0), None, 1.0, 1, (0, 0, 1, 1), "m", "r", estimates).to_dict()
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == set(keys)
    info = chapter("`media`", 3, chapter("Replies"))
    for key in media_info(Script()):
        assert f"`{key}`" in info


def test_the_mocks_keys_and_faults_are_named() -> None:
    text = chapter("The mock")
    for name in (*Script.__dataclass_fields__, *Fault):
        assert f"`{name}`" in text


def test_the_bytes_are_those_on_the_wire() -> None:
    assert bytes.fromhex(block("hex ping")) == pack(REQUESTS, "ping", id=7)[0]
    assert bytes.fromhex(block("hex pong")) == pack(REPLIES, "pong", re=7)[0]


def test_the_example_client_runs_as_printed(start_mock, home: Path, tmp_path: Path) -> None:
    start_mock(window=3, delay=0.01)
    example = tmp_path / "example.py"
    example.write_text(block("python"))
    assert set(CSV_ORDER) <= set(example.read_text().split('"""')[1].split())
    assert "semanticface" not in example.read_text()
    pictures = [tmp_path / f"{number}.jpg" for number in range(10)]
    for picture in pictures:
        picture.write_bytes(b"\xff\xd8")
    done = subprocess.run(
        [sys.executable, str(example), str(home / "run" / "backend.json"), *map(str, pictures)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:10] == [f"{number} ok {motion(number)['JawOpen']:.3f}" for number in range(10)]
    assert lines[10] == "done {'ok': 10}"
