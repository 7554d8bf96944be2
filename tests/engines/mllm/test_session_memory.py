"""When memory runs out in the middle, each frame still has one answer, and what was given up is said.

The model is real; a hook in front of its language model plays a card that holds only so many tokens of a prompt.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

import loading_kit as kit
import numpy as np
import pytest
import torch

from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm import engine as engine_module
from semanticface.engines.mllm import loading
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.loading import Settings
from semanticface.engines.mllm.memory import Quantization
from semanticface.engines.mllm.profile import Profile
from semanticface.errors import EngineError
from semanticface.results import Status

PROFILE = Profile("tiny", "You look.", "What do you see?", image_tokens=(4, 600), analysis_tokens=16)
PICTURE = 400
"""Tokens of the pictures below, 640 x 640."""
TEXT = 90
"""At most, of the prompt besides the picture."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return kit.save_checkpoint(tmp_path_factory.mktemp("memory") / "tiny", seed=38, profile=PROFILE, digits=True)


@pytest.fixture
def engine(folder):
    made = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu", quantization="none", batch=4))
    yield made
    made.close()


@pytest.fixture(scope="module")
def frames() -> list[FrameInput]:
    random = np.random.default_rng(3)
    return [FrameInput(i, None, random.integers(0, 255, (640, 640, 3), dtype=np.uint8) // (i + 1)) for i in range(5)]


class Card:
    """Holds `room` tokens of prompts; counts how often that was too little and what fitted."""

    def __init__(self, model, room: int) -> None:
        self.room = room
        self.full = 0
        self.fitted: list[tuple[int, int]] = []
        model.model.language_model.register_forward_pre_hook(self, with_kwargs=True)

    def __call__(self, module, args, kwargs) -> None:
        rows, length = kwargs["inputs_embeds"].shape[:2]
        if length < 100:  # no prompt, but a few tokens of an answer
            return
        if rows * length > self.room:
            self.full += 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        self.fitted.append((rows, length))


def card_in(engine, room: int) -> Card:
    return Card(engine._runner._desk.loaded.model, room)


def run(engine, frames, **options):
    session = engine.session(RunOptions({"mode": "coefficients", "draft": "none", **options}), video=False)
    return list(session.analyze(frames))


def test_fewer_pictures_at_once_are_tried_first_and_no_answer_changes(engine, frames):
    expected = [(one.frame, one.raw_text) for one in run(engine, frames)]
    card = card_in(engine, PICTURE + TEXT)
    results = run(engine, frames)
    assert [(one.frame, one.raw_text) for one in results] == expected
    assert all(one.status is Status.OK and not one.message for one in results)
    assert card.full == 2, "four at once, two at once; then it is remembered"
    assert [rows for rows, _ in card.fitted] == [1] * len(frames), "each frame was answered once"


def test_then_pictures_become_smaller_and_their_frames_say_so(engine, frames):
    card = card_in(engine, 200 + TEXT)
    results = run(engine, frames)
    assert [one.frame for one in results] == [frame.frame for frame in frames]
    assert all(one.status is Status.OK for one in results)
    assert all("smaller, 196 tokens instead of 400" in one.message for one in results)
    assert len(card.fitted) == len(frames)
    same = run(engine, [frames[0]], image_tokens=200)[0]
    assert results[0].raw_text == same.raw_text, "as if the smaller picture had been asked for"


def test_the_next_session_tries_full_sized_pictures_again(engine, frames):
    card = card_in(engine, 200 + TEXT)
    assert "smaller" in run(engine, frames[:1])[0].message
    card.room = 10_000
    assert run(engine, frames[:1])[0].message == ""


def test_small_pictures_are_not_said_to_be_smaller(engine, frames):
    card_in(engine, 200 + TEXT)
    small = FrameInput(9, None, frames[0].image[:256, :256])
    messages = [one.message for one in run(engine, [frames[0], small], batch=1)]
    assert "smaller" in messages[0]
    assert messages[1] == ""


def test_then_the_model_is_loaded_in_a_coarser_format(engine, frames, monkeypatch):
    """The coarser model is the same one here, under another name and with room: bitsandbytes need not be installed."""
    wanted = []

    def again(checkpoint, settings, rungs):
        wanted.append(tuple(rungs))
        fresh = load(checkpoint, settings)
        return dataclasses.replace(fresh, quantization=Quantization.INT8, below=(Quantization.NF4,))

    load = loading.load
    monkeypatch.setattr(engine_module.loading, "load", again)
    desk = engine._runner._desk
    engine._runner._desk = dataclasses.replace(
        desk, loaded=dataclasses.replace(desk.loaded, below=(Quantization.INT8, Quantization.NF4))
    )
    engine._runner.ladder._below = [Quantization.INT8, Quantization.NF4]
    before = engine.fingerprint(engine.options({}), False)
    expected = [one.raw_text for one in run(engine, frames)]
    card = card_in(engine, 100)
    del desk
    results = run(engine, frames)
    assert wanted == [(Quantization.INT8, Quantization.NF4)]
    assert [one.raw_text for one in results] == expected, "at full size again"
    assert all(one.message == "memory was short: answered in 8 bit" for one in results)
    assert card.fitted == []
    assert engine.info.device == "cpu float32 8 bit"
    assert engine.fingerprint(engine.options({}), False) != before


def test_with_bitsandbytes_it_really_is_loaded_again_in_8_bit(engine, frames):
    pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed (extra `quant`)")
    engine._settings = Settings(device="cpu", batch=4)
    desk = engine._runner._desk
    below = (Quantization.INT8, Quantization.NF4)
    engine._runner._desk = dataclasses.replace(desk, loaded=dataclasses.replace(desk.loaded, below=below))
    engine._runner.ladder._below = list(below)
    del desk
    card_in(engine, 100)
    results = run(engine, frames[:2])
    assert [one.frame for one in results] == [0, 1]
    assert all("memory was short: answered in 8 bit" in one.message for one in results)


def test_at_the_bottom_there_is_an_error_with_numbers_and_ways_out(engine, frames):
    card_in(engine, 100)
    with pytest.raises(EngineError, match=r"one picture of 1\d\d tokens in 32 bit") as caught:
        run(engine, frames)
    assert "GB free" in caught.value.message
    assert "landmark" in caught.value.hint


def test_memory_that_runs_out_while_values_are_written_loses_nothing(engine, frames):
    """The prompt fits, and the cache grows beyond what is there after a while."""
    expected = [one.raw_text for one in run(engine, frames[:4])]
    seen = []

    def grown(module, args, kwargs):
        rows = len(kwargs["inputs_embeds"])
        held = kwargs["past_key_values"].get_seq_length()
        if rows > 1 and held > PICTURE + TEXT + 300:
            seen.append(rows)
            raise torch.OutOfMemoryError("CUDA out of memory")

    engine._runner._desk.loaded.model.model.language_model.register_forward_pre_hook(grown, with_kwargs=True)
    assert [one.raw_text for one in run(engine, frames[:4])] == expected
    assert seen == [4, 2]


def test_another_error_of_the_model_is_an_engine_error_and_no_want_of_memory(engine, frames):
    def broken(module, args, kwargs):
        raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")

    engine._runner._desk.loaded.model.model.language_model.register_forward_pre_hook(broken, with_kwargs=True)
    with pytest.raises(EngineError, match="mat1"):
        run(engine, frames)


def test_what_was_cancelled_between_two_parts_of_a_batch_is_not_asked_any_more(engine, frames):
    card = card_in(engine, 2 * (PICTURE + TEXT))
    run(engine, frames[:1])
    engine._runner.ladder.rung = dataclasses.replace(engine._runner.ladder.rung, batch=4)
    card.fitted.clear()
    session = engine.session(
        RunOptions({"mode": "coefficients", "draft": "none"}, lambda: len(card.fitted) > 0), video=False
    )
    assert list(session.analyze(frames[:4])) == []
    assert card.fitted == [(2, card.fitted[0][1])], "two fitted; the other two were never read"


def test_nonsense_from_the_model_is_an_engine_error_with_a_hint(engine, frames):
    model = engine._runner._desk.loaded.model
    with torch.no_grad():
        model.model.language_model.norm.weight.fill_(float("nan"))
    with pytest.raises(EngineError, match="not finite") as caught:
        run(engine, frames[:1])
    assert "SEMANTICFACE_DTYPE" in caught.value.hint
