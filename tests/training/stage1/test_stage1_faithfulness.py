"""What a description may say, and what keeps it from teaching."""

from __future__ import annotations

import pytest
from stage1_kit import SMILE, face, faces, text

from semanticface.analysis.describe import describe
from semanticface_training.stage1.faithfulness import REFUSED, FaultKind, faults_of, read_description
from semanticface_training.stage1.teacher import markdown


def kinds(said: str, complete: bool = True, **values: float) -> set[FaultKind]:
    return {fault.kind for fault in faults_of(said, read_description(said), complete, face(**(values or SMILE)))}


def test_a_true_description_has_no_fault_that_refuses_it():
    assert not kinds(text()) & REFUSED


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("", FaultKind.EMPTY),
        ("I can't help with that.", FaultKind.PARTS),
        (text().split("\n4.")[0], FaultKind.PARTS),
        (
            text(moves="- Mouth: lip corners strongly pulled up.\n   - Brows: brows strongly lowered."),
            FaultKind.INACTIVE,
        ),
        (text(moves="- Mouth: lip corners strongly pulled up on the left only."), FaultKind.SYMMETRY),
        (text(symmetry="asymmetric: the left side of the smile is stronger"), FaultKind.SYMMETRY),
        (text(moves="- Mouth: corners up 0.6 and 0.6, cheeks 0.3 and 0.3"), FaultKind.NUMBERS),
        (text(emotion="happiness " * 600), FaultKind.LONG),
        (text(moves="- Cheeks: slightly raised."), FaultKind.OMITTED),
        (text(emotion="anger"), FaultKind.EMOTION),
    ],
)
def test_each_kind_of_fault_is_found(said: str, kind: FaultKind):
    assert kind in kinds(said)


def test_symmetry_that_the_sides_deny_is_refused():
    uneven = {"MouthSmileLeft": 0.9, "MouthSmileRight": 0.1}
    said = text(moves="- Mouth: left lip corner strongly pulled up.")
    assert FaultKind.SYMMETRY in kinds(said, **uneven)
    assert FaultKind.SYMMETRY not in kinds(said.replace("mostly symmetric", "asymmetric: left corner higher"), **uneven)


def test_a_text_that_breaks_off_is_refused():
    assert FaultKind.CUT in kinds(text(), complete=False)


def test_an_answer_in_json_is_read_too():
    said = (
        '{"analysis": {"expression_category": "a smile", "muscle_movements": {"mouth": "corners strongly pulled up"}, '
        '"emotional_implication": "happiness", "symmetry": "mostly symmetric"}}'
    )
    assert not kinds(said) & REFUSED


def test_the_rules_never_say_what_they_refuse_in_others():
    for name, values in faces(300):
        analysis = describe(values)
        said = markdown(analysis)
        assert read_description(said) == analysis, name
        assert not {fault.kind for fault in faults_of(said, analysis, True, values)} & REFUSED, (name, said)
