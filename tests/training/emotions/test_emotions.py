"""Emotion vectors sum to 1, what can't be read is flagged, and the map and tables show what the vectors say."""

from __future__ import annotations

import csv
import json
import math
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest

from semanticface.errors import InputError
from semanticface_training.commands.emotions import script_lines
from semanticface_training.emotions.report import write_report
from semanticface_training.emotions.statistics import map_of, spread
from semanticface_training.emotions.vectors import EMOTIONS, EmotionVector, Mode, emotion_vectors
from semanticface_training.language.model import Chat, LabelScore, Sampling, Written


class Reader:
    """A language model that finds the emotion whose name stands in the line."""

    name = "reader"

    def __init__(self, answer: str = "") -> None:
        self.answer = answer

    def generate(self, chats: Sequence[Chat], sampling: Sampling) -> list[Written]:
        return [Written(self.answer) for chat in chats]

    def score(self, chats: Sequence[Chat], labels: Sequence[str], begun: str = "") -> list[tuple[LabelScore, ...]]:
        """Label n has n tokens, each of log-probability -1 if the line names the label, else -3."""
        return [
            tuple(LabelScore(n * (-1.0 if name in _line(chat) else -3.0), n) for n, name in enumerate(labels, 1))
            for chat in chats
        ]

    def close(self) -> None:
        pass


def _line(chat: Chat) -> str:
    return chat.user.split('"')[1]


def clusters() -> list[EmotionVector]:
    chance = np.random.default_rng(4)
    out = []
    for emotion in ("anger", "sadness", "surprise"):
        for _ in range(12):
            weights = chance.uniform(0, 0.03, 7)
            weights[EMOTIONS.index(emotion)] += 1
            out.append(EmotionVector(emotion, tuple((weights / weights.sum()).tolist())))
    return out


def test_scores_are_normalised_by_length_and_sum_to_one():
    found = emotion_vectors(["full of anger", "full of fear"], Reader())
    assert [one.dominant for one in found] == ["anger", "fear"]
    for one in found:
        assert sum(one.weights) == pytest.approx(1)
        strong = max(one.weights)
        assert [w for w in one.weights if w < strong] == pytest.approx([strong / math.e**2] * 6)


def test_calibration_takes_away_what_a_model_says_to_an_empty_line():
    class Sad(Reader):
        def score(self, chats, labels, begun=""):
            likes = [0.0, 0.0, 5.0, 0.0, 0.0, 0.0, 0.0]
            named = super().score(chats, labels, begun)
            return [
                tuple(LabelScore(s.per_token + like, 1) for s, like in zip(row, likes, strict=True)) for row in named
            ]

    lines = ["full of anger", "full of fear"]
    assert [one.dominant for one in emotion_vectors(lines, Sad())] == ["sadness", "sadness"]
    found = emotion_vectors(lines, Sad(), calibrated=True)
    assert [one.dominant for one in found] == ["anger", "fear"]
    assert [one.weights for one in found] == [pytest.approx(one.weights) for one in emotion_vectors(lines, Reader())]


def test_the_json_that_a_model_writes_is_normalised():
    held = {**dict.fromkeys(EMOTIONS[1:], 0), "Happiness": 1, "neutral": 0.5, "surprise": 0.5}
    answer = f"<think>so</think>```json\n{json.dumps(held)}\n```"
    found = emotion_vectors(["a"], Reader(answer), Mode.JSON)[0]
    assert found.weights == pytest.approx((0.5, 0.25, 0, 0, 0, 0.25, 0)) and not found.problem


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        ("I feel happy", "no JSON object"),
        ('{"happiness": 1}', "neutral, sadness, anger"),
        (json.dumps(dict.fromkeys(EMOTIONS, 0.0)), "all seven are 0"),
        (json.dumps({**dict.fromkeys(EMOTIONS, 0.1), "fear": -0.2}), "for fear"),
        (json.dumps({**dict.fromkeys(EMOTIONS, 0.1), "fear": "a lot"}), "for fear"),
    ],
)
def test_what_cant_be_read_is_uniform_flagged_and_in_no_count(answer: str, problem: str):
    found = emotion_vectors(["a"], Reader(answer), Mode.JSON)
    assert problem in found[0].problem and found[0].dominant == ""
    assert found[0].weights == pytest.approx((1 / 7,) * 7)
    assert spread(found).unread == 1 and not any(share.lines for share in spread(found).shares)


def test_even_emotions_are_balanced_and_one_alone_is_not():
    even = spread([EmotionVector(n, tuple(float(n == m) for m in EMOTIONS)) for n in EMOTIONS])
    assert even.balance == pytest.approx(1) and even.entropy == 0 and even.silhouette is None
    one = spread([EmotionVector("a", (1 / 7,) * 7)] * 3)
    assert one.balance == 0 and one.entropy == pytest.approx(1)


def test_groups_that_lie_apart_have_a_high_silhouette_and_lie_apart_on_the_map():
    vectors = clusters()
    assert spread(vectors).silhouette > 0.6
    places = map_of(vectors)
    assert places.shape == (36, 2)
    centres = places.reshape(3, 12, 2).mean(axis=1)
    nearest = np.argmin(np.linalg.norm(places[:, None] - centres[None], axis=2), axis=1)
    assert nearest.tolist() == [group for group in range(3) for _ in range(12)]


def test_the_map_is_the_same_again_and_equal_vectors_share_a_point():
    vectors = [*clusters(), clusters()[0]]
    places = map_of(vectors)
    assert np.array_equal(places, map_of(vectors))
    assert np.array_equal(places[0], places[-1])


@pytest.mark.parametrize("count", [1, 2, 4])
def test_few_lines_have_a_map_too(count: int):
    places = map_of(clusters()[::12][:count] + clusters()[:1])
    assert np.isfinite(places).all() and len(places) == min(count, 3) + 1


def test_the_report_holds_every_line_and_its_pictures_can_be_opened(tmp_path: Path):
    vectors = [*clusters(), EmotionVector('odd, "line"', (1 / 7,) * 7, "no JSON object in the answer")]
    write_report(tmp_path / "out", vectors, {"model": "reader", "mode": "score"})
    with (tmp_path / "out" / "emotions.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["line"] for row in rows] == [one.line for one in vectors]
    assert [row["dominant"] for row in rows[::12]] == ["anger", "sadness", "surprise", ""]
    assert sum(float(rows[0][name]) for name in EMOTIONS) == pytest.approx(1, abs=1e-5)
    held = json.loads((tmp_path / "out" / "balance.json").read_text(encoding="utf-8"))
    assert held["emotions"]["anger"]["lines"] == 12 and held["unread"] == 1 and held["made"]["model"] == "reader"
    assert "| anger | 12 | 33.3% |" in (tmp_path / "out" / "README.md").read_text(encoding="utf-8")
    for name in ("map", "balance"):
        assert cv2.imread(str(tmp_path / "out" / f"{name}.png")).std() > 5
        ElementTree.parse(tmp_path / "out" / f"{name}.svg")


def test_lines_of_a_text_file_are_taken_once_each(tmp_path: Path):
    file = tmp_path / "script.txt"
    file.write_text("I won!\n\n  Go away. \nI won!\n", encoding="utf-8")
    assert script_lines(file) == ["I won!", "Go away."]
    file.write_text("\n", encoding="utf-8")
    with pytest.raises(InputError, match="no script line"):
        script_lines(file)
    with pytest.raises(InputError, match="can't be read"):
        script_lines(tmp_path / "none.txt")
