"""The question asks for all that the paper's does, in our own words, with the coefficients as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path

from stage1_kit import SMILE, face

from semanticface.actions import CSV_ORDER
from semanticface_training.stage1.prompt import Listing, question


def test_the_question_asks_point_by_point():
    words = question(face()).user.lower()
    found = [words.index(f"**{title}**") for title in
             ("expression category", "muscle movements", "emotional implication", "symmetry")]  # fmt: skip
    assert found == sorted(found)
    for rule in ("not clearly observable", "mostly symmetric", "asymmetric", "from these strengths", "how strongly"):
        assert rule in words


def test_the_full_listing_holds_all_61_values_as_json():
    shown = json.loads(question(face(**SMILE, HeadYaw=-0.2), Listing.FULL).user.rsplit("Strengths:\n", 1)[1])
    assert tuple(shown) == CSV_ORDER
    assert shown["HeadYaw"] == -0.2 and shown["MouthSmileLeft"] == 0.6


def test_the_sparse_listing_has_what_moves_strongest_first_with_both_sides():
    lines = question(face(JawOpen=0.2, MouthSmileRight=0.512, HeadYaw=-0.3, EyeWideLeft=0.04)).user.splitlines()
    listed = [line for line in lines if line.startswith("-")]
    assert [line.split(":")[0] for line in listed] == ["- MouthSmile", "- JawOpen", "- HeadYaw"]
    assert "left 0.000, right 0.512" in listed[0]
    assert "-0.300 rad" in listed[2]


def test_a_face_at_rest_is_said_to_be_at_rest():
    assert "everything is at rest" in question(face()).user


def test_the_question_copies_no_sentence_of_the_papers(shared: Path):
    """No six words in a row."""
    chat = question(face())
    theirs = _shingles((shared / "paper" / "semanticface.txt").read_text(encoding="utf-8"))
    assert len(theirs) > 1000
    assert _shingles(f"{chat.system}\n{chat.user}") & theirs == set()


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9_]+", text.lower())
    return {tuple(words[at : at + 6]) for at in range(len(words) - 5)}
