"""The whole chain with a trained model, picture to result, equal to the answers that it was taught."""

from __future__ import annotations

import json
import shutil
import time
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from semanticface.actions import CSV_ORDER
from semanticface.analysis.parse import parse_answer
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.engine import SemanticFaceEngine
from semanticface.engines.mllm.loading import Settings
from semanticface.results import FrameResult, Status

PROFILES = ("released", "paper")


class Desk:
    """One checkpoint's engine with the pictures that it was taught and the answers to them."""

    def __init__(self, folder: Path, profile: str) -> None:
        from PIL import Image

        rows = json.loads((folder / "examples" / "examples.json").read_text(encoding="utf-8"))
        rows = [row for row in rows if row["profile"] == profile]
        pictures = [Image.open(folder / "examples" / row["image"]).convert("RGB") for row in rows]
        self.frames = [FrameInput(i, i / 25, np.asarray(picture)) for i, picture in enumerate(pictures)]
        self.answers = [row["answer"] for row in rows]
        self.told: list[tuple[FrameInput, str]] = []
        self.engine = SemanticFaceEngine(Checkpoint.at(folder / profile), Settings(device="cpu", batch=4))

    def run(self, frames=None, cancelled=lambda: False, **options) -> list[FrameResult]:
        self.told = []
        run = RunOptions({"draft": "none", **options}, cancelled, lambda frame, text: self.told.append((frame, text)))
        session = self.engine.session(run, video=True)
        try:
            return list(session.analyze(self.frames if frames is None else frames))
        finally:
            session.close()

    @property
    def model(self):
        return self.engine._runner._desk.loaded.model


@pytest.fixture(scope="module", params=PROFILES)
def desk(request, small_model):
    made = Desk(small_model, request.param)
    yield made
    made.engine.close()


@pytest.fixture(scope="module")
def released(small_model):
    """For what does not depend on the dialect."""
    made = Desk(small_model, "released")
    yield made
    made.engine.close()


@pytest.fixture(scope="module")
def first_run(desk) -> tuple[list[FrameResult], list[tuple[FrameInput, str]]]:
    """All pictures at once, without drafts: the results, and what was told on the way."""
    return desk.run(), desk.told


@pytest.fixture(scope="module")
def results(first_run) -> list[FrameResult]:
    return first_run[0]


def test_every_picture_gets_the_answer_it_was_taught(desk, results):
    assert [result.raw_text for result in results] == desk.answers
    for frame, answer, result in zip(desk.frames, desk.answers, results, strict=True):
        taught = parse_answer(answer)
        assert (result.frame, result.time, result.status) == (frame.frame, frame.time, Status.OK)
        assert result.coefficients == taught.coefficients
        assert result.analysis == taught.analysis
        assert result.analysis is not None
        assert result.message == ""


def test_estimates_and_confidence_are_those_of_a_model_that_is_sure(results):
    for result in results:
        assert tuple(result.estimates) == CSV_ORDER
        assert {name: one.argmax for name, one in result.estimates.items()} == result.coefficients
        assert 0.5 < result.confidence <= 1
        assert max(abs(one.expectation - one.argmax) for one in result.estimates.values()) < 0.1


def test_the_text_is_what_plain_generate_writes(desk, results):
    loaded = desk.engine._runner._desk.loaded
    prompt = desk.engine._runner._desk.prompter.build(desk.frames[-1].image)
    ids = torch.tensor([prompt.ids])
    desk.model.model.rope_deltas = None
    out = desk.model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        mm_token_type_ids=(ids == desk.model.config.image_token_id).int(),
        pixel_values=prompt.patches,
        image_grid_thw=torch.tensor([prompt.grid]),
        max_new_tokens=1500,
        do_sample=False,
        eos_token_id=list(loaded.stop_ids),
        pad_token_id=loaded.stop_ids[0],
    )
    written = out[0, ids.shape[1] :].tolist()
    assert written[-1] in loaded.stop_ids
    assert loaded.tokenizer.decode(written[:-1]) == results[-1].raw_text


def test_how_many_run_at_once_changes_nothing(desk, results):
    again = desk.run(desk.frames[:2], batch=1)
    assert [one.raw_text for one in again] == [one.raw_text for one in results[:2]]
    assert [one.coefficients for one in again] == [one.coefficients for one in results[:2]]


def test_no_draft_changes_anything(desk, results, face_landmarker):
    """The first picture is guessed from its landmarks, the next one from the answer before."""
    again = desk.run(desk.frames[:2], draft="auto", batch=1)
    assert [one.raw_text for one in again] == [one.raw_text for one in results[:2]]
    assert [one.coefficients for one in again] == [one.coefficients for one in results[:2]]


def test_a_shot_that_stands_still_costs_a_fraction(released):
    runs = 0

    def note(*_):
        nonlocal runs
        runs += 1

    still = [FrameInput(number, None, released.frames[0].image) for number in range(2)]
    session = released.engine.session(RunOptions({"draft": "previous", "batch": 1}), video=True)
    hook = released.model.model.language_model.register_forward_hook(note)
    spent = [runs for _ in session.analyze(still)]
    hook.remove()
    assert spent[1] - spent[0] < spent[0] / 4, "runs of the model for the second frame, against the first"


def test_values_alone_come_without_an_analysis(desk, results):
    """The small model never learnt to answer without one, so its values may be others; they are whole or refused."""
    for result in desk.run(mode="coefficients"):
        assert result.analysis is None
        assert result.raw_text.startswith("{")
        assert result.status in (Status.OK, Status.UNPARSEABLE)
        assert len(result.raw_text) < len(results[0].raw_text)


def test_the_analysis_grows_before_the_eyes_and_ends_as_the_final_one(desk, first_run):
    results, told = first_run
    for frame, result in zip(desk.frames, results, strict=True):
        texts = [text for other, text in told if other is frame]
        assert all(later.startswith(earlier) for earlier, later in pairwise(texts))
        assert len(set(texts)) > 3
        assert result.raw_text.startswith(texts[-1])
        assert texts[-1].rstrip() in result.raw_text.split("EyeBlinkLeft")[0]
        assert result.analysis.symmetry in texts[-1], "the last one told holds the whole analysis"


@pytest.mark.clock
def test_cancelling_in_the_middle_returns_soon(released):
    since, runs = time.monotonic(), []

    def cancelled() -> bool:
        runs.append(time.monotonic())
        return len(runs) > 40

    assert released.run(cancelled=cancelled) == []
    assert runs[-1] - since < 60
    assert time.monotonic() - runs[40] < 2


def test_a_picture_without_a_face_is_left_out_when_a_face_is_required(released, face_landmarker):
    empty = FrameInput(100, None, np.full((320, 320, 3), 90, np.uint8))
    answered = released.run([empty, released.frames[0]], require_face=True)
    assert [one.status for one in answered] == [Status.NO_FACE, Status.OK]
    assert answered[1].raw_text == released.answers[0]
    assert answered[1].faces == 1
    assert answered[1].box is not None


@pytest.mark.parametrize(("dtype", "quantization"), [("bfloat16", "none"), ("float32", "int8"), ("float32", "nf4")])
def test_coarser_formats_still_give_the_taught_answer(small_model, released, dtype, quantization):
    if quantization != "none":
        pytest.importorskip("bitsandbytes", reason="bitsandbytes is not installed (extra `quant`)")
    settings = Settings(device="cpu", dtype=dtype, quantization=quantization)
    coarse = SemanticFaceEngine(Checkpoint.at(small_model / "released"), settings)
    session = coarse.session(RunOptions({"draft": "none"}), video=False)
    (result,) = session.analyze(released.frames[:1])
    coarse.close()
    assert result.raw_text == released.answers[0]
    assert result.coefficients == parse_answer(released.answers[0]).coefficients


def test_the_base_alone_does_not_know_the_answers(small_model, released, tmp_path):
    def link(source: str, target: str) -> None:
        Path(target).symlink_to(Path(source).resolve())

    folder = tmp_path / "bare"
    folder.mkdir()
    profile = json.loads((small_model / "released" / "profile.json").read_text())
    (folder / "profile.json").write_text(json.dumps({**profile, "adapter": False, "analysis_tokens": 16}))
    shutil.copytree(
        small_model / "released" / "base", folder / "base", copy_function=lambda a, b: Path(b).hardlink_to(a)
    )
    bare = SemanticFaceEngine(Checkpoint.at(folder), Settings(device="cpu"))
    session = bare.session(RunOptions({"mode": "coefficients"}), video=False)
    (result,) = session.analyze(released.frames[:1])
    assert result.coefficients != parse_answer(released.answers[0]).coefficients
    bare.close()
