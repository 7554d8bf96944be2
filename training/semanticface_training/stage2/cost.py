"""What a run will cost, said before it starts: rows, steps, tokens, memory of a card, arithmetic.

The arithmetic of a step is counted, not measured: twice the weights that a token meets for the way forth; the same
for the way back through frozen weights, twice the same where they learn; once more the way forth with checkpointing.
Knows nothing of running models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from semanticface.engines.mllm.memory import GB, Shape, parameters
from semanticface_training.stage2.config import FitConfig, Trainable
from semanticface_training.stage2.encode import Kind
from semanticface_training.stage2.examples import Examples
from semanticface_training.stage2.memory import Load, TrainingNeed, Way, lora_parameters, training_needs

PEAK_SHARE = 0.4
"""Of a card's peak that training reaches in practice; assumed."""
CARDS = {"A100": 312e12, "RTX 4090": 165e12}
"""Peak 16-bit operations a second with sums in float32, from the makers' data sheets."""


@dataclass(frozen=True, slots=True)
class Lengths:
    """Tokens of the longest of some rows, and their sums; `words` of the longest description."""

    rows: int
    longest: int
    answer: int
    picture: int
    words: int
    tokens: int
    answers: int
    fixed: int
    """Rows whose words can't be mirrored."""

    @classmethod
    def joined(cls, parts: Sequence[Lengths]) -> Lengths:
        sums = {name: sum(getattr(part, name) for part in parts) for name in ("rows", "tokens", "answers", "fixed")}
        most = {name: max(getattr(part, name) for part in parts) for name in ("longest", "answer", "picture", "words")}
        return cls(**sums, **most)


def survey(examples: Examples, places: Sequence[int]) -> Lengths:
    """Encode and read back these rows. Raises InputError or MediaError that names the first that can't be taught."""
    found = [Lengths(0, 0, 0, 0, 0, 0, 0, 0)]
    for place in places:
        one = examples.checked(place)
        grid = one.prompt.grid
        words = int((one.kinds == Kind.WORDS).sum())
        picture, answer = grid[0] * grid[1] * grid[2] // 4, len(one.answer)
        fixed = int(not examples.mirrorable(place))
        found.append(Lengths(1, one.tokens, answer, picture, words, one.tokens, answer, fixed))
        if len(found) > 1000:
            found = [Lengths.joined(found)]
    return Lengths.joined(found)


@dataclass(frozen=True, slots=True)
class Plan:
    """A run before it starts. `memory` is one process's; `work` in operations over the whole run."""

    rows: int
    validation: int
    processes: int
    steps: int
    steps_per_epoch: int
    longest: int
    tokens_per_row: float
    learning: int
    parameters: int
    memory: TrainingNeed
    work: float
    unmirrorable: int

    def days(self, card: str, count: int = 1) -> float:
        """At `PEAK_SHARE` of so many cards' peak."""
        return self.work / (CARDS[card] * PEAK_SHARE * count) / 86_400

    def to_dict(self) -> dict[str, Any]:
        out = asdict(self)
        out["memory"] = {**out["memory"], "total": self.memory.total}
        return out

    def lines(self) -> list[tuple[str, str]]:
        """For people."""
        need = self.memory
        parts = f"weights {need.weights / GB:.1f}, learning {need.learning / GB:.1f}, kept {need.kept / GB:.1f}"
        places = "1 process" if self.processes == 1 else f"{self.processes} processes"
        rows = [
            ("rows", f"{self.rows:,} to learn from, {self.validation:,} to be judged by"),
            ("steps", f"{self.steps:,} ({self.steps_per_epoch:,} an epoch) on {places}"),
            ("tokens", f"{self.tokens_per_row:,.0f} a row, {self.longest:,} in the longest"),
            ("learning", f"{self.learning:,} of {self.parameters:,} numbers"),
            ("memory", f"{need.total / GB:.1f} GB a card: {parts}, working {need.working / GB:.1f} GB"),
            ("arithmetic", f"{self.work:.2g} operations; " + self._hours()),
        ]
        if self.unmirrorable:
            rows.append(("not mirrored", f"{self.unmirrorable:,} rows, whose words name sides in other ways"))
        return rows

    def _hours(self) -> str:
        each = [f"{24 * self.days(name, self.processes):.1f} h on {self.processes} x {name}" for name in CARDS]
        return f"{' or '.join(each)} at {PEAK_SHARE:.0%} of their peak"


def plan(config: FitConfig, shape: Shape, lengths: Lengths, rows: int, validation: int, processes: int,
         steps: int, per_epoch: int, half: bool) -> Plan:  # fmt: skip
    """The run's cost, from the lengths of the rows that were looked at."""
    lora = config.trainable is Trainable.LORA
    rank = config.lora.rank if lora else 0
    way = Way(rank, config.lora.dropout > 0, half, config.gradient_checkpointing)
    load = Load(config.schedule.batch, lengths.longest, lengths.picture, lengths.answer)
    mean = lengths.tokens / lengths.rows
    each = row_work(shape, mean, lengths.answers / lengths.rows, lengths.picture, way)
    total = parameters(shape).total
    return Plan(
        rows=rows,
        validation=validation,
        processes=processes,
        steps=steps,
        steps_per_epoch=per_epoch,
        longest=lengths.longest,
        tokens_per_row=mean,
        learning=lora_parameters(shape, rank) if lora else total,
        parameters=total + (lora_parameters(shape, rank) if lora else 0),
        memory=training_needs(shape, load, way),
        work=each * config.schedule.global_batch * steps,
        unmirrorable=lengths.fixed * rows // lengths.rows,
    )


def row_work(shape: Shape, tokens: float, labels: float, image_tokens: float, way: Way) -> float:
    """Operations of one row of a step.

    Per token 2 for each weight of the layers and 2 x tokens x heads x head for attention's two products (causal: half
    of 4); the head for labels only; the vision tower forth alone where it is frozen.
    """
    layers = 2.0 * shape.layers * sum(rows * columns for rows, columns in shape.matrices())
    layers += 2.0 * shape.layers * tokens * shape.heads * shape.head
    head = 2.0 * shape.vocabulary * shape.hidden
    vision = 2.0 * parameters(shape).vision * image_tokens * shape.merge
    back = 1.0 if way.rank else 2.0
    again = 1.0 if way.checkpointing else 0.0
    return (1 + back + again) * layers * tokens + (1 + back) * head * labels + vision * (1 if way.rank else 3 + again)
