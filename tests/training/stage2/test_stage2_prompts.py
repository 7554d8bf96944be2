"""Questions that ask for what their answers hold, and for nothing else."""

from __future__ import annotations

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Layout
from semanticface.engines.mllm.prompt import OWN_SYSTEM, own_user_prompt
from semanticface_training.stage2.prompts import NUMBERS_SYSTEM, Question, Wording, question
from semanticface_training.stage2.targets import Form, Target

SOME = ("EyeLookDownLeft", "JawOpen", "HeadPitch")


@pytest.mark.parametrize("layout", [Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED])
def test_a2_of_all_actions_is_the_backends_own_question(layout):
    assert question(Form(Target.A2, layout, 3)) == Question(OWN_SYSTEM, own_user_prompt(layout, 3))


@pytest.mark.parametrize("target", [Target.A0, Target.A1])
def test_questions_for_numbers_ask_for_no_words(target):
    asked = question(Form(target, decimals=2))
    assert asked.system == NUMBERS_SYSTEM
    text = f"{asked.system} {asked.user}".lower()
    assert not any(word in text for word in ("describe", "words", "emotion", "symmetr", "analysis", "category"))
    assert ", ".join(CSV_ORDER) in asked.user
    assert "2 digits after the point, as in 0.00" in asked.user


@pytest.mark.parametrize("layout", [Layout.BARE, Layout.PAPER, Layout.PAPER_INDENTED])
@pytest.mark.parametrize("target", Target)
def test_a_question_about_some_actions_names_these_only(target, layout):
    text = question(Form(target, layout, 3, SOME)).user
    assert not [name for name in CSV_ORDER if name not in SOME and name in text]
    assert "list of 3" in text
    assert "EyeLookDownLeft, JawOpen, HeadPitch" in text
    assert "HeadPitch is an angle" in text
    assert "pitch grows downwards" in text
    assert "yaw" not in text


def test_a_question_without_angles_speaks_of_none():
    text = question(Form(Target.A2, Layout.BARE, 3, ("JawOpen", "MouthSmileLeft", "MouthSmileRight"))).user
    assert "radian" not in text
    assert '{"JawOpen": 0.000, "MouthSmileLeft": 0.000, and so on to "MouthSmileRight": 0.000}' in text


def test_short_questions_differ_by_target():
    asked = {target: question(Form(target, actions=SOME), Wording.SHORT) for target in Target}
    assert len({text.user for text in asked.values()}) == 3
    assert all("3 values" in text.user and len(text.user) < 70 for text in asked.values())
