"""What Stage I costs with the teacher of rules: many different faces described, checked and written down, then again.

Knows nothing of datasets: the faces are drawn, about half of their actions at rest, as in recordings.
"""

from __future__ import annotations

import random
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from semanticface.actions import BY_NAME, CSV_ORDER, Kind
from semanticface_training.stage1.run import Progress, describe_all
from semanticface_training.stage1.store import Store, read_descriptions
from semanticface_training.stage1.teacher import RuleTeacher

FACES = 10_000
ASKED_SECONDS = 60.0
SEED = 42


@dataclass(frozen=True, slots=True)
class Cost:
    """`seconds` by the clock for `faces` different ones, of which `accepted` have a text; `lines` are in the file.

    `again_seconds` and `again_texts`: a second run over the same file, which finds everything done.
    """

    faces: int
    accepted: int
    lines: int
    seconds: float
    again_seconds: float
    again_texts: int

    @property
    def met(self) -> bool:
        return self.seconds < ASKED_SECONDS and self.accepted == self.lines == self.faces and not self.again_texts

    def to_dict(self) -> dict[str, Any]:
        return {**asdict(self), "asked_seconds": ASKED_SECONDS, "met": self.met}


def measure(faces: int = FACES) -> Cost:
    """Describe so many faces by rules in a folder that is removed afterwards."""
    frames = [(f"face/{number}", face) for number, face in enumerate(drawn(faces))]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "rules.jsonl"
        seconds, _ = _run(path, frames)
        lines = path.read_bytes().count(b"\n")
        again_seconds, again = _run(path, frames)
        accepted = len(read_descriptions(path))
    return Cost(faces, accepted, lines, seconds, again_seconds, again.texts)


def _run(path: Path, frames: list[tuple[str, dict[str, float]]]) -> tuple[float, Progress]:
    begin = time.perf_counter()
    with Store(path) as store:
        done = describe_all(frames, store, RuleTeacher())
    return time.perf_counter() - begin, done


def drawn(faces: int) -> list[dict[str, float]]:
    """So many faces of 61 actions, the same each time: shapes in [0, 1], angles within half a radian."""
    chance = random.Random(SEED)
    least = {name: 0.0 if BY_NAME[name].kind is Kind.SHAPE else -0.5 for name in CSV_ORDER}
    return [
        {name: chance.uniform(low, low + 1.0) if chance.random() < 0.5 else 0.0 for name, low in least.items()}
        for _ in range(faces)
    ]
