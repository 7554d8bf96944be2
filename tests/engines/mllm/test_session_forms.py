"""What an animator gets of checkpoints that write no words, or some of the 61 actions: whole results that say so."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("transformers", reason="the mllm extra is not installed")

import skeleton_kit as kit

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import parse_answer
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.device import choose_device
from semanticface.engines.mllm.loading import Loaded
from semanticface.engines.mllm.memory import Quantization
from semanticface.engines.mllm.options import complete
from semanticface.engines.mllm.outcome import DERIVED, UNREAD
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.engines.mllm.runner import Runner
from semanticface.engines.mllm.session import SemanticFaceSession
from semanticface.results import FrameResult, Status

pytestmark = pytest.mark.usefixtures("one_thread")
SIX = ("HeadYaw", "JawOpen", "MouthSmileRight", "MouthSmileLeft", "EyeBlinkLeft", "HeadPitch")
PARTLY = "this checkpoint reads 6 of 61 actions"


class Desk:
    """A random model that writes plausible values in one form, and pictures to ask it about."""

    def __init__(self, layout: Layout, decimals: int, actions: tuple[str, ...], seed: int = 0) -> None:
        words = kit.tiny_tokenizer(lists=True)
        model = kit.eager_model(words, layout, seed, first=actions[0])
        model.lm_head.bias.data[[kit.token(words, digit) for digit in "123"]] -= 40.0
        self.profile: Profile = kit.profile(layout, decimals, actions=actions, analysis_tokens=60, image_tokens=(1, 4))
        device = choose_device("cpu", "float32")
        loaded = Loaded(model, words, device, Quantization.NONE, 2, (words.token_to_id("<|im_end|>"),))
        self.runner = Runner(loaded, self.profile, lambda among: loaded)
        random = np.random.default_rng(3)
        shapes = ((64, 64, 3), (32, 96, 3), (64, 32, 3))
        pictures = [random.integers(0, 255, shape, dtype=np.uint8) for shape in shapes]
        self.frames = [FrameInput(7 + number, None, picture) for number, picture in enumerate(pictures)]

    def run(self, **options: Any) -> list[FrameResult]:
        values = complete({"draft": "previous", **options}, self.profile)
        session = SemanticFaceSession(self.runner, FaceCrop(), self.profile, RunOptions(), values)
        try:
            return list(session.analyze(self.frames))
        finally:
            session.close()


FORMS = {
    "list of all": (Layout.VECTOR, 1, CSV_ORDER),
    "list of six": (Layout.VECTOR, 3, SIX),
    "object of six": (Layout.VALUES, 2, SIX),
}


@pytest.fixture(scope="module", params=FORMS)
def desk(request: pytest.FixtureRequest) -> Desk:
    return Desk(*FORMS[request.param])


def test_results_have_all_61_and_say_which_part_was_read(desk: Desk):
    actions = desk.profile.actions
    results = desk.run()
    assert [one.frame for one in results] == [7, 8, 9]
    for one in results:
        assert one.status is Status.OK, one.message
        assert tuple(one.coefficients) == CSV_ORDER
        read = parse_answer(one.raw_text, actions).coefficients
        assert one.coefficients == dict.fromkeys(CSV_ORDER, 0.0) | dict(read)
        assert any(read.values())
        assert {name for name, how in one.estimates.items() if how == UNREAD} == set(CSV_ORDER) - set(actions)
        assert 0 < one.confidence < 1
        assert (PARTLY in one.message) == (len(actions) == 6)
        assert FrameResult.from_dict(one.to_dict()) == one
    assert len({one.raw_text for one in results}) > 1, "the pictures matter"


def test_words_are_derived_from_the_values_and_marked(desk: Desk):
    for one in desk.run():
        assert one.analysis == describe(one.coefficients)
        assert DERIVED in one.message.split("; ")


def test_asked_for_values_alone_there_are_no_words_and_the_same_values(desk: Desk):
    full, alone = desk.run(), desk.run(mode="coefficients")
    assert [one.raw_text for one in alone] == [one.raw_text for one in full]
    assert [one.coefficients for one in alone] == [one.coefficients for one in full]
    assert all(one.analysis is None and DERIVED not in one.message for one in alone)


def test_expectations_are_taken_of_what_was_read_and_of_nothing_else(desk: Desk):
    actions = desk.profile.actions
    for one in desk.run(value="expectation", dead_zone=1):
        assert {n: v for n, v in one.coefficients.items() if v} == {n: one.estimates[n].expectation for n in actions}


def test_words_that_a_checkpoint_with_words_left_out_are_not_derived():
    """Its answer is not what it was taught: the result says so instead of filling in."""
    results = Desk(Layout.BARE, 1, SIX, seed=5).run()
    found = [one for one in results if one.status is Status.OK]
    assert found
    for one in found:
        assert one.analysis is None
        assert DERIVED not in one.message
        assert "which is no analysis" in one.message
        assert PARTLY in one.message


def test_what_is_no_list_is_kept_as_text_and_has_no_values():
    desk = Desk(Layout.VECTOR, 1, SIX)
    words = kit.tiny_tokenizer(lists=True)
    desk.runner._desk.loaded.model.lm_head.bias.data[kit.token(words, " brows")] += 90.0
    for one in desk.run():
        assert one.status is Status.UNPARSEABLE
        assert one.coefficients is None
        assert one.raw_text.startswith(" brows brows")
