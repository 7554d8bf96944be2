"""What comes out of a server that answers: values, order, streaming, probabilities, modes, every kind of server."""

from __future__ import annotations

import base64
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from chat_answers import paper_answer, peaked, values_of
from chat_server import Flavour, Script, picture_in
from remote_kit import Connect, frames, run, server_at

from semanticface.actions import CSV_ORDER
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.picture import to_patches
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.remote.engine import connect
from semanticface.errors import EngineError
from semanticface.results import Status


@pytest.mark.parametrize("stream", [True, False])
def test_each_frame_gets_its_own_answer_in_order(remote: Connect, stream: bool) -> None:
    server, engine = remote(Script(delay=0.01), stream=stream)
    levels = [round(number * 0.1, 1) for number in (7, 1, 9, 0, 4, 3, 8, 2, 5, 6)]
    results = run(engine, frames(levels))
    assert [result.frame for result in results] == list(range(10, 20))
    assert [result.coefficients["JawOpen"] for result in results] == levels
    assert [result.time for result in results] == [number / 24 for number in range(10)]
    first = results[0]
    assert first.status is Status.OK and first.message == ""
    assert first.coefficients == pytest.approx(values_of(0.7)) and list(first.coefficients) == list(CSV_ORDER)
    assert first.coefficients["MouthSmileLeft"] == 0.7 and first.coefficients["MouthSmileRight"] == 0.2
    assert str(first.coefficients["HeadRoll"]) == "-0.0"
    assert first.analysis is not None and first.analysis.symmetry
    assert "EyeBlinkLeft" in first.raw_text
    assert 1 < server.seen.most_at_once <= 4
    assert not any("prediction" in body for body in server.seen.pictures)


def test_the_request_says_what_was_trained_and_nothing_more(remote: Connect) -> None:
    server, engine = remote(concurrency=1)
    run(engine, frames([0.5, 0.6], size=(50, 100)))
    first, body = server.seen.pictures
    assert set(body) - set(first) == {"structured_outputs"}  # held back until the model has shown what it writes
    system, user = body["messages"]
    assert system == {"role": "system", "content": "Answer exactly."}
    assert [part["type"] for part in user["content"]] == ["image_url", "text"]
    assert user["content"][1]["text"] == "Describe the face."
    assert user["content"][0]["image_url"]["url"].startswith("data:image/png;base64,")
    assert server.seen.shapes == [(64, 96)] * 2  # multiples of 32: the server's own resizing has nothing to do
    assert (body["temperature"], body["presence_penalty"], body["logprobs"]) == (0, 0, True)
    assert body["structured_outputs"]["regex"].startswith("[^{]*")
    assert "guided_regex" not in body and "prediction" not in body


def test_the_picture_that_arrives_is_the_one_that_was_trained_on(remote: Connect, samples: Path) -> None:
    video = cv2.VideoCapture(str(samples / "rom_head.mp4"))
    image = np.ascontiguousarray(video.read()[1][:501, :333, ::-1])
    server, engine = remote()
    run(engine, [FrameInput(0, None, image)])
    data = base64.b64decode(picture_in(server.seen.pictures[0]).partition(",")[2])
    arrived = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]
    assert arrived.shape[:2] != image.shape[:2]
    assert np.array_equal(to_patches(arrived, (4, 1024)).values, to_patches(image, (4, 1024)).values)


def test_text_before_the_picture_stays_before_it(remote: Connect, profile: Profile) -> None:
    server, engine = remote(None, replace(profile, user="Look: <image> What do you see?", system=""))
    run(engine, frames([0.5]))
    (user,) = server.seen.pictures[0]["messages"]
    assert [part.get("text", "picture") for part in user["content"]] == ["Look: ", "picture", " What do you see?"]


@pytest.mark.parametrize("flavour", [Flavour.VLLM, Flavour.OLD_VLLM, Flavour.SGLANG])
def test_the_field_for_the_grammar_is_found_by_its_effect(remote: Connect, flavour: Flavour) -> None:
    server, engine = remote(Script(flavour), concurrency=1)
    results = run(engine, frames([0.2, 0.4]))
    assert [result.status for result in results] == [Status.OK, Status.OK]
    used = {Flavour.VLLM, Flavour.OLD_VLLM, Flavour.SGLANG} & set(server.seen.pictures[1])
    assert used == {flavour}
    assert all(result.message == "" for result in results)


@pytest.mark.parametrize("flavour", [Flavour.PLAIN, Flavour.STRICT])
def test_a_server_without_grammar_is_asked_without(remote: Connect, flavour: Flavour) -> None:
    server, engine = remote(Script(flavour))
    assert [result.status for result in run(engine, frames([0.2, 0.4]))] == [Status.OK, Status.OK]
    assert not {"structured_outputs", "guided_regex", "regex"} & set(server.seen.pictures[1])


def test_a_model_that_only_a_grammar_makes_write_values_is_found_out(remote: Connect) -> None:
    server, engine = remote(Script(answer=lambda values: "A man smiles at the camera."), concurrency=1)
    with pytest.raises(EngineError, match="does not write the answers") as caught:
        run(engine, frames([0.1] * 50))
    assert "adapter" in caught.value.hint and len(server.seen.pictures) == 4


def test_values_that_the_grammar_chose_are_no_result(remote: Connect) -> None:
    """Seen where a server reports what the model would have written before the grammar had its say."""
    _, engine = remote(Script(rather="Sorry"))
    (result,) = run(engine, frames([0.5]))
    assert result.status is Status.UNPARSEABLE and "model's own choice" in result.message and result.raw_text


def test_one_odd_picture_at_the_start_proves_nothing(remote: Connect) -> None:
    server, engine = remote(concurrency=1)
    server.script.faults.append("answer:There is nobody in this picture.")
    odd, *good = run(engine, frames([0.1] * 6))
    assert odd.status is Status.UNPARSEABLE and odd.raw_text == "There is nobody in this picture."
    assert {result.status for result in good} == {Status.OK}
    assert ["structured_outputs" in body for body in server.seen.pictures] == [False, False, True, True, True, True]


def test_a_grammar_that_is_refused_later_is_dropped_and_said_once(remote: Connect) -> None:
    server, engine = remote(concurrency=1)
    server.script.refuses = ("structured_outputs",)
    results = run(engine, frames([0.2, 0.4, 0.6]))
    assert [result.status for result in results] == [Status.OK] * 3
    assert "grammar" in results[1].message and results[0].message == results[2].message == ""
    assert len(server.seen.pictures) == 4


def test_estimates_are_the_digits_distribution(remote: Connect) -> None:
    _, engine = remote()
    (result,) = run(engine, frames([0.5]))
    jaw = result.estimates["JawOpen"]
    weights = np.array(peaked(5, 10))
    assert jaw.argmax == 0.5
    at_one = peaked(0, 10)[1] / sum(peaked(0, 10)[:2])  # the first digit is 0 or 1
    mean = (1 - at_one) * float(weights @ np.arange(10)) / 10 + at_one * 1.0
    assert jaw.expectation == pytest.approx(mean, abs=0.02)
    assert 0.01 < jaw.deviation < 0.2
    assert set(result.estimates) == set(CSV_ORDER)
    assert 0.3 < result.confidence < 1
    assert result.estimates["HeadYaw"].argmax == -0.3 and result.estimates["HeadYaw"].expectation < -0.2


def skewed(digit: int, count: int) -> list[float]:
    """A third of the weight one digit higher."""
    out = [0.0] * count
    out[digit], out[(digit + 1) % count] = 2 / 3, 1 / 3
    return out if count > 9 or digit else [1.0] + [0.0] * (count - 1)


def test_the_expectation_becomes_the_coefficient_when_asked_for(remote: Connect) -> None:
    _, engine = remote(Script(distribution=lambda digit, count: skewed(digit, count) if digit else [1.0] + [0.0] * 9))
    (result,) = run(engine, frames([0.5]), RunOptions({"value": "expectation"}))
    assert result.coefficients["MouthSmileLeft"] == pytest.approx(0.7 + 0.1 / 3, abs=1e-6)
    assert result.coefficients["MouthSmileRight"] == pytest.approx(0.2 + 0.1 / 3, abs=1e-6)
    assert result.coefficients["HeadYaw"] == pytest.approx(-(0.3 + 0.1 / 3), abs=0.01)
    assert result.coefficients["EyeBlinkLeft"] == 0.0
    (plain,) = run(engine, frames([0.5]))
    assert plain.coefficients["MouthSmileLeft"] == 0.7


def test_without_probabilities_there_are_no_estimates_and_values_as_written(remote: Connect) -> None:
    for script in (Script(logprobs=False), Script(refuses=("logprobs",))):
        _, engine = remote(script)
        first, second = run(engine, frames([0.5, 0.6]), RunOptions({"value": "median"}))
        assert first.estimates is None and first.confidence is None
        assert first.coefficients["MouthSmileLeft"] == 0.7
        assert "as written" in second.message


def test_estimates_can_be_left_out(remote: Connect) -> None:
    server, engine = remote()
    (result,) = run(engine, frames([0.5]), RunOptions({"estimates": False}))
    assert result.estimates is None and "logprobs" not in server.seen.pictures[0]


@pytest.mark.parametrize("flavour", [Flavour.VLLM, Flavour.STRICT])
def test_coefficients_mode_begins_with_the_object(remote: Connect, flavour: Flavour) -> None:
    server, engine = remote(Script(flavour), concurrency=1)
    if flavour is Flavour.STRICT:
        with pytest.raises(Exception, match="can't leave the analysis out"):
            run(engine, frames([0.5]), RunOptions({"mode": "coefficients"}))
        return
    result, _ = run(engine, frames([0.5, 0.5]), RunOptions({"mode": "coefficients"}))
    assert result.status is Status.OK and result.analysis is None
    assert result.coefficients == pytest.approx(values_of(0.5))
    assert result.estimates["EyeBlinkLeft"].argmax == 0.0  # its key was begun for the model
    body = server.seen.pictures[1]
    assert body["messages"][-1] == {"role": "assistant", "content": '{"EyeBlinkLeft":'}
    assert body["structured_outputs"]["regex"].startswith(" [01]")
    assert body["max_tokens"] < 1000


def test_the_papers_layout_with_three_decimals(remote: Connect, profile: Profile) -> None:
    paper = replace(profile, layouts=(Layout.PAPER,), decimals=3)
    server, engine = remote(Script(answer=paper_answer), paper)
    full, short = (run(engine, frames([0.25]), RunOptions({"mode": mode}))[0] for mode in ("full", "coefficients"))
    assert full.status is Status.OK and full.coefficients == pytest.approx(values_of(0.251))
    assert full.analysis is not None and set(full.estimates) == set(CSV_ORDER)
    assert short.status is Status.OK and short.coefficients == full.coefficients and short.analysis is None
    assert server.seen.pictures[1]["messages"][-1]["content"] == '{"arkit": {"EyeBlinkLeft":'


def test_an_analysis_grows_before_the_eyes(remote: Connect) -> None:
    _, engine = remote(Script(token_delay=0.002), concurrency=2)
    heard: list[tuple[FrameInput, str]] = []
    inputs = frames([0.3, 0.9])
    results = run(engine, inputs, RunOptions(partial=lambda frame, text: heard.append((frame, text))))
    for frame, result in zip(inputs, results, strict=True):
        texts = [text for one, text in heard if one is frame]
        assert len(set(texts)) > 3
        assert all(result.raw_text.startswith(text) for text in texts)
        assert all(len(a) <= len(b) for a, b in pairwise(texts))
        assert texts[-1].rstrip().endswith(result.analysis.symmetry) and "EyeBlink" not in texts[-1]


def test_a_silent_server_is_no_hanging_engine(remote: Connect, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("semanticface.engines.remote.session.SIGN_OF_LIFE", 0.1)
    _, engine = remote(Script(delay=0.6))
    heard: list[str] = []
    run(engine, frames([0.3]), RunOptions(partial=lambda frame, text: heard.append(text)))
    assert heard[:4] == [""] * 4


def test_the_window_stays_full_and_frames_are_not_hoarded(remote: Connect) -> None:
    server, engine = remote(Script(delay=0.02), concurrency=3)
    taken: list[int] = []

    def source() -> Any:
        for frame in frames([0.5] * 12):
            taken.append(frame.frame)
            yield frame

    for count, _ in enumerate(engine.session(RunOptions(), True).analyze(source()), 1):
        assert len(taken) <= count + 3
    assert server.seen.most_at_once == 3


def test_lanes_share_the_bound_on_requests(remote: Connect) -> None:
    from concurrent.futures import ThreadPoolExecutor

    server, engine = remote(Script(delay=0.02), concurrency=3)
    with ThreadPoolExecutor(engine.traits.lanes) as pool:
        both = list(pool.map(lambda levels: run(engine, frames(levels)), [[0.1] * 8, [0.9] * 8]))
    assert [{result.coefficients["JawOpen"] for result in lane} for lane in both] == [{0.1}, {0.9}]
    assert server.seen.most_at_once == 3


def test_the_previous_answer_is_sent_as_a_draft_on_request(remote: Connect) -> None:
    server, engine = remote(Script(Flavour.STRICT), concurrency=1)
    first, _ = run(engine, frames([0.1, 0.2]), RunOptions({"draft": "previous"}))
    assert "prediction" not in server.seen.pictures[0]
    assert server.seen.pictures[1]["prediction"] == {"type": "content", "content": first.raw_text}


def test_a_frame_without_a_face_is_not_sent_when_a_face_is_required(remote: Connect, face_landmarker: Any) -> None:
    server, engine = remote()
    (result,) = run(engine, frames([0.5]), RunOptions({"require_face": True}))
    assert result.status is Status.NO_FACE and result.coefficients is None
    assert server.seen.pictures == []


def test_a_picture_that_no_model_takes_is_answered_here(remote: Connect) -> None:
    server, engine = remote()
    thin = FrameInput(3, None, np.zeros((4, 4000, 3), np.uint8))
    (result, good) = run(engine, [thin, *frames([0.5])])
    assert result.status is Status.UNREADABLE and "narrow" in result.message
    assert good.status is Status.OK and len(server.seen.pictures) == 1


def test_jpeg_when_the_user_wants_it(remote: Connect) -> None:
    server, engine = remote(jpeg=90)
    run(engine, frames([0.5]))
    assert "data:image/jpeg;base64," in str(server.seen.pictures[0])


def test_fingerprints_tell_apart_what_gives_other_answers(remote: Connect, profile: Profile) -> None:
    _, engine = remote()
    same = engine.fingerprint(engine.options({}), True)
    assert same == engine.fingerprint({}, False)
    assert "127.0.0.1" not in same
    others = {same}
    for options in ({"mode": "coefficients"}, {"value": "median"}, {"image_tokens": 100}, {"face_crop": 0.3}):
        others.add(engine.fingerprint(engine.options(options), True))
    _, other = remote(None, replace(profile, user="Something else."))
    others.add(other.fingerprint({}, True))
    assert len(others) == 6
    server, _ = remote()
    renamed = connect(replace(server_at(server.url, profile), name="other"))
    assert renamed.fingerprint({}, True) != same  # another server, though it serves the same name
    renamed.close()
    _, moved = remote(concurrency=2, timeout=33.0)
    assert moved.fingerprint({}, True) == same  # another port, other limits, the same name and model
