"""The engine that the worker sees, with a random model that is fond of digits: its answers are valid and mean nothing.

What a trained model makes of pictures is tested in test_engine_small_model.py.
"""

from __future__ import annotations

import dataclasses
import re
from itertools import pairwise
from pathlib import Path

import loading_kit as kit
import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import parse_answer
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm import engine as engine_module
from semanticface.engines.mllm import session as session_module
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.loading import Settings
from semanticface.engines.mllm.profile import Profile
from semanticface.engines.mllm.reading import read_answer
from semanticface.engines.mllm.skeleton.decode import Answer, Ending, Mode, Request
from semanticface.errors import AssetError, EngineError, OptionsError
from semanticface.results import FrameResult, Status

PROFILE = Profile("tiny", "You look.", "What do you see?", image_tokens=(4, 64), analysis_tokens=16)
ONLY_VALUES = {"mode": "coefficients", "draft": "none"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return kit.save_checkpoint(tmp_path_factory.mktemp("engine") / "tiny", seed=38, profile=PROFILE, digits=True)


@pytest.fixture(scope="module")
def engine(folder):
    made = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu", batch=4))
    yield made
    made.close()


@pytest.fixture(scope="module")
def frames() -> list[FrameInput]:
    """Five pictures that differ in size and content."""
    random = np.random.default_rng(0)
    sizes = [(60, 90), (100, 90), (140, 90), (180, 90), (90, 160)]
    return [
        FrameInput(10 * i, i / 24, random.integers(0, 255, (*size, 3), dtype=np.uint8) // (i + 1))
        for i, size in enumerate(sizes)
    ]


def run(engine, frames, told=lambda frame, text: None, cancelled=lambda: False, **options) -> list[FrameResult]:
    session = engine.session(RunOptions({**ONLY_VALUES, **options}, cancelled, told), video=False)
    try:
        return list(session.analyze(frames))
    finally:
        session.close()


def forwards(engine, frames, **options) -> int:
    """How often the language model ran."""
    count = 0

    def note(*_):
        nonlocal count
        count += 1

    hook = engine._runner._desk.loaded.model.model.language_model.register_forward_hook(note)
    try:
        run(engine, frames, **options)
    finally:
        hook.remove()
    return count


def test_each_frame_has_its_result_with_everything_that_is_known(engine, frames):
    results = run(engine, frames)
    assert [(result.frame, result.time) for result in results] == [(frame.frame, frame.time) for frame in frames]
    for result in results:
        assert result.status is Status.OK, result.message
        assert tuple(result.coefficients) == CSV_ORDER
        assert result.coefficients == parse_answer(result.raw_text).coefficients
        assert {name: one.argmax for name, one in result.estimates.items()} == result.coefficients
        assert all(one.deviation >= 0 for one in result.estimates.values())
        assert 0 < result.confidence < 1
        assert result.analysis is None
        assert FrameResult.from_dict(result.to_dict()) == result
    assert len({result.raw_text for result in results}) > 1, "the pictures matter"


@pytest.mark.parametrize("batch", [1, 2, 3])
def test_how_many_run_at_once_changes_no_answer(engine, frames, batch):
    assert [one.raw_text for one in run(engine, frames, batch=batch)] == [one.raw_text for one in run(engine, frames)]


@pytest.mark.parametrize("draft", ["auto", "previous", "landmarks"])
def test_drafts_change_no_answer(engine, frames, draft):
    plain, drafted = run(engine, frames, batch=1), run(engine, frames, batch=1, draft=draft)
    assert [one.raw_text for one in drafted] == [one.raw_text for one in plain]
    assert [one.coefficients for one in drafted] == [one.coefficients for one in plain]


def test_the_last_answer_makes_the_next_one_quick_where_nothing_changes(engine, frames):
    still = [dataclasses.replace(frames[0], frame=number) for number in range(3)]
    assert forwards(engine, still, batch=1, draft="previous") < 0.6 * forwards(engine, still, batch=1)


def test_the_chosen_reading_of_the_digits_becomes_the_coefficient(engine, frames):
    means = run(engine, frames[:1], value="expectation", dead_zone=1)[0]
    argmax = run(engine, frames[:1])[0]
    assert means.coefficients == {name: one.expectation for name, one in means.estimates.items()}
    assert means.coefficients != argmax.coefficients
    assert means.estimates == argmax.estimates
    assert means.raw_text == argmax.raw_text
    silent = run(engine, frames[:1], value="expectation", dead_zone=0.001)[0]
    stilled = [name for name, value in silent.coefficients.items() if value != means.coefficients[name]]
    assert stilled
    assert all(silent.coefficients[name] == 0 for name in stilled)


def test_a_picture_that_the_model_cannot_take_fails_alone(engine, frames):
    long = FrameInput(7, None, np.zeros((3, 900, 3), np.uint8))
    grey = FrameInput(8, None, np.zeros((50, 50), np.uint8))
    results = run(engine, [frames[0], long, grey, frames[1]])
    assert [one.status for one in results] == [Status.OK, Status.UNREADABLE, Status.UNREADABLE, Status.OK]
    assert "900 x 3" in results[1].message
    assert "RGB" in results[2].message
    assert [results[0].raw_text, results[3].raw_text] == [one.raw_text for one in run(engine, frames[:2])]


def test_a_picture_without_a_face_is_not_asked_about_when_a_face_is_required(engine, face_landmarker):
    empty = FrameInput(3, 0.5, np.full((200, 200, 3), 90, np.uint8))
    assert forwards(engine, [empty], require_face=True) == 0
    (result,) = run(engine, [empty], require_face=True)
    assert (result.status, result.frame, result.time) == (Status.NO_FACE, 3, 0.5)
    assert "not asked" in result.message
    (result,) = run(engine, [empty])
    assert result.status is Status.OK, "without that wish the model is asked"


def test_a_crop_without_a_face_takes_the_whole_picture_and_says_so(engine, frames, face_landmarker):
    (cropped,) = run(engine, frames[:1], face_crop=0.5)
    assert "whole picture" in cropped.message
    assert cropped.raw_text == run(engine, frames[:1])[0].raw_text


def test_a_face_that_cannot_be_looked_for_is_an_error_only_when_it_is_needed(engine, frames, monkeypatch):
    def missing():
        raise AssetError("the landmark model is not here")

    monkeypatch.setattr("semanticface.engines.mllm.crop._landmarks", missing)
    monkeypatch.setattr(engine, "_faces", engine_module.FaceCrop(missing))
    with pytest.raises(AssetError):
        run(engine, frames[:1], require_face=True)
    assert run(engine, frames[:1], draft="landmarks")[0].status is Status.OK


def test_cancelling_ends_within_a_run_of_the_model_and_without_results(engine, frames):
    asked = 0

    def cancelled() -> bool:
        nonlocal asked
        asked += 1
        return asked > 5

    assert run(engine, frames, cancelled=cancelled) == []
    assert asked < 10
    assert run(engine, frames, cancelled=lambda: True) == []


def test_what_is_written_is_told_with_the_frame_it_belongs_to(engine, frames):
    told: list[tuple[FrameInput, str]] = []

    def enough() -> bool:
        return len(told) > 12

    run(engine, frames[:2], lambda frame, text: told.append((frame, text)), enough, mode="full")
    assert {id(frame) for frame, _ in told} == {id(frame) for frame in frames[:2]}
    for frame in frames[:2]:
        texts = [text for other, text in told if other is frame]
        assert texts[0] == "", "a sign of life before the model has read the picture"
        assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
        assert texts[-1]


def test_a_slow_processor_gives_signs_of_life_while_it_reads_the_prompt(engine, frames, monkeypatch):
    """One for each layer at most: a large model may need minutes for a prompt, and the backend must see it at work."""
    monkeypatch.setattr(session_module, "SIGN_OF_LIFE", 0.0)
    monkeypatch.setattr(session_module, "TELL_SECONDS", 0.0)
    told: list[str] = []
    run(engine, frames[:1], lambda frame, text: told.append(text), lambda: bool(told) and len(told) > 3, mode="full")
    layers = 2 + 2  # of the vision tower and the language model
    assert told[: 1 + layers] == [""] * (1 + layers)


def test_an_answer_in_no_known_form_is_unparseable_and_kept(engine, frames):
    """In full mode this model writes digits for ever."""
    (result,) = run(engine, frames[:1], mode="full")
    assert result.status is Status.UNPARSEABLE
    assert result.coefficients is None
    assert "longest" in result.message
    assert len(result.raw_text) > 100


def test_a_model_that_does_not_write_values_makes_none_up(frames, tmp_path):
    folder = kit.save_checkpoint(tmp_path / "other", seed=0, profile=PROFILE)
    other = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu"))
    (result,) = run(other, frames[:1])
    other.close()
    assert result.status is Status.UNPARSEABLE
    assert "does not write this format" in result.message
    assert result.raw_text.startswith('{"EyeBlinkLeft":')


def test_a_text_that_disagrees_with_its_digits_is_an_error_of_ours(engine, frames):
    desk = engine._runner._desk
    (answer,) = desk.decoder.decode([Request(desk.prompter.build(frames[0].image), Mode.COEFFICIENTS)])
    assert read_answer(frames[0], answer, engine.options({}), PROFILE, []).status is Status.OK
    tampered = dataclasses.replace(answer, text=re.sub(r'(?<="JawOpen": )[\d.]+', "0.9", answer.text))
    assert tampered.text != answer.text
    with pytest.raises(EngineError, match="JawOpen"):
        read_answer(frames[0], tampered, engine.options({}), PROFILE, [])


def test_a_freely_written_answer_is_read_as_text_without_estimates():
    values = ", ".join(f'"{name}": 0.1' for name in CSV_ORDER)
    answer = Answer(f"Here it is:\n{{{values}}}", "", Ending.STOPPED, {}, 1, 1, 1.0)
    frame = FrameInput(0, None, np.zeros((1, 1, 3), np.uint8))
    result = read_answer(frame, answer, {"value": "argmax", "dead_zone": 0.9}, PROFILE, ["a remark"])
    assert result.status is Status.OK
    assert set(result.coefficients.values()) == {0.1}
    assert result.estimates is None
    assert result.confidence is None
    assert result.message.startswith("a remark; ")


@pytest.mark.parametrize("ending", [Ending.STOPPED, Ending.LIMIT])
def test_an_answer_without_values_says_how_it_ended(ending):
    answer = Answer("I see a face.", "I see a face.", ending, {}, 1, 1, 1.0)
    frame = FrameInput(4, 1.0, np.zeros((1, 1, 3), np.uint8))
    result = read_answer(frame, answer, {"value": "argmax", "dead_zone": 0.9}, PROFILE, [], faces=2)
    assert (result.status, result.frame, result.time, result.faces) == (Status.UNPARSEABLE, 4, 1.0, 2)
    assert result.raw_text == "I see a face."
    assert "without values" in result.message


def test_the_engine_says_who_it_is_and_how_it_wants_to_be_fed(engine):
    assert engine.info.name == "semanticface"
    assert engine.info.model.startswith("tiny ")
    assert engine.info.device == "cpu float32"
    assert (engine.traits.sequential, engine.traits.lanes, engine.traits.batch) == (False, 1, 4)


def test_options_are_completed_from_the_profile_and_once_is_enough(engine):
    options = engine.options({"value": "median"})
    assert options["image_tokens"] == 64
    assert options["dead_zone"] == PROFILE.dead_zone
    assert options["face_crop"] is None
    assert engine.options(options) == options


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mode", "short"),
        ("value", "mode"),
        ("dead_zone", 1.5),
        ("dead_zone", None),
        ("draft", "next"),
        ("face_crop", -1),
        ("face_crop", True),
        ("require_face", "yes"),
        ("face", "smallest"),
        ("image_tokens", 0),
        ("image_tokens", 3),
        ("image_tokens", 2.5),
        ("batch", 65),
        ("batch", None),
        ("smoothing", True),
    ],
)
def test_a_wrong_option_is_refused_by_name(engine, name, value):
    with pytest.raises(OptionsError, match=name):
        engine.options({name: value})


def test_the_fingerprint_holds_what_results_depend_on_and_nothing_else(engine, frames):
    def print_of(**options):
        return engine.fingerprint(engine.options(options), video=False)

    plain = print_of()
    assert plain == print_of(batch=3) == print_of(draft="none") == print_of(dead_zone=0.5) == print_of(face=1)
    assert plain == print_of(image_tokens=64, value="argmax")
    others = [
        print_of(mode="coefficients"),
        print_of(value="median"),
        print_of(value="median", dead_zone=0.5),
        print_of(image_tokens=32),
        print_of(face_crop=0.3),
        print_of(face_crop=0.3, face=1),
        print_of(require_face=True),
    ]
    assert len({plain, *others}) == 8
    assert engine.info.model in plain
    assert "cpu float32 none" in plain


def test_a_closed_session_or_engine_answers_no_more(folder, frames):
    made = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu"))
    session = made.session(RunOptions(ONLY_VALUES), video=True)
    session.close()
    session.close()
    with pytest.raises(EngineError, match="closed"):
        list(session.analyze(frames[:1]))
    later = made.session(RunOptions(ONLY_VALUES), video=True)
    made.close()
    made.close()
    with pytest.raises(EngineError, match="not in memory"):
        list(later.analyze(frames[:1]))
    with pytest.raises(EngineError, match="closed"):
        made.session(RunOptions(ONLY_VALUES), video=True)


def test_closing_gives_the_weights_back(folder):
    import weakref

    made = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu"))
    model = weakref.ref(made._runner._desk.loaded.model)
    made.close()
    assert model() is None


def test_load_takes_the_named_checkpoint_and_the_environments_settings(folder, tmp_path, monkeypatch):
    import shutil

    shutil.copytree(folder, tmp_path / "checkpoints" / "mine")
    monkeypatch.setenv("SEMANTICFACE_MODELS", str(tmp_path))
    monkeypatch.setenv("SEMANTICFACE_DEVICE", "cpu")
    monkeypatch.setenv("SEMANTICFACE_DTYPE", "bfloat16")
    made = engine_module.load("mine")
    assert made.info.model.startswith("mine ")
    assert made.info.device == "cpu bfloat16"
    made.close()
    with pytest.raises(AssetError, match="other"):
        engine_module.load("other")
