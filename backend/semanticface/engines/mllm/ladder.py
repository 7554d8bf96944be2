"""What to do when memory is short: before loading, and when it runs out in the middle of the work.

    loading   16 bit (32 on a processor) -> 8 bit -> 4 bit -> EngineError
    working   fewer pictures at once -> smaller pictures -> a coarser quantization -> EngineError

Each step down is said in words for the user. This module decides; it loads, frees and decodes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from semanticface.engines.mllm.device import Device
from semanticface.engines.mllm.memory import GB, Need, Quantization, Shape, needs
from semanticface.errors import EngineError

LEAST_IMAGE_TOKENS = 128
"""Pictures are not made smaller than this for want of memory: about 360 x 360 pixels, on which a face still shows."""
MOST_AT_ONCE = {"cuda": 16, "mps": 4, "cpu": 2}
"""Pictures at once where memory is plenty. A processor is busy with two already."""
_NAMES = {Quantization.INT8: "8 bit", Quantization.NF4: "4 bit"}
_OUT_OF_MEMORY = (
    "out of memory",
    "not enough memory",
    "can't allocate memory",
    "cannot allocate memory",
    "allocation failed",
    "alloc_failed",
    "invalid buffer size",
)
HINT = (
    "close what holds the memory (a viewport's render, other programs; `semanticface unload` ends another checkpoint), "
    "use the remote engine, or the landmark engine"
)


@dataclass(frozen=True, slots=True)
class Task:
    """What one row is made of, in tokens: the largest picture, the prompt's text and the longest answer."""

    image_tokens: int
    text_tokens: int
    answer_tokens: int
    adapter_rank: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """How to load: the quantization, how many pictures at once fit beside it, what one needs, and what to tell."""

    quantization: Quantization
    batch: int
    need: Need
    remark: str = ""


def name_of(quantization: Quantization, width: int) -> str:
    """In words: "16 bit", "8 bit", "4 bit"."""
    return _NAMES.get(quantization, f"{8 * width} bit")


def plan_load(shape: Shape, device: Device, rungs: Sequence[Quantization], task: Task, batch: int = 0) -> Plan:
    """The first of `rungs` that fits into the device's free memory. A device that doesn't know its memory fits all.

    `batch` is how many pictures at once are wanted, 0 for as many as are useful and fit. Raises EngineError with
    needed and free bytes when not even the last rung fits.
    """
    said: list[str] = []
    for quantization in rungs:
        need = _need(shape, device, quantization, task, 1)
        if not device.total or need.total <= device.free:
            most = batch or MOST_AT_ONCE[device.kind]
            fitting = (n for n in range(most, 1, -1) if _fits(shape, device, quantization, task, n))
            return Plan(quantization, next(fitting, 1), need, _loaded(quantization, device, said))
        said.append(f"{name_of(quantization, device.width)} needs {need.total / GB:.1f} GB")
    hint = HINT
    if device.kind != "cpu" and Quantization.NF4 not in rungs:
        hint = f"install bitsandbytes for 8 and 4 bit (`pip install 'semanticface[quant]'`), {HINT}"
    elif device.width == 4:
        hint = f"set SEMANTICFACE_DTYPE=bfloat16, which needs half of it, {HINT}"
    raise EngineError(f"{device} has {device.free / GB:.1f} GB free, and the model in {', in '.join(said)}", hint)


def _need(shape: Shape, device: Device, quantization: Quantization, task: Task, batch: int) -> Need:
    return needs(
        shape,
        width=device.width,
        quantization=quantization,
        batch=batch,
        image_tokens=task.image_tokens,
        text_tokens=task.text_tokens,
        answer_tokens=task.answer_tokens,
        adapter_rank=task.adapter_rank,
    )


def _fits(shape: Shape, device: Device, quantization: Quantization, task: Task, batch: int) -> bool:
    return not device.total or _need(shape, device, quantization, task, batch).total <= device.free


def _loaded(quantization: Quantization, device: Device, said: Sequence[str]) -> str:
    if not said:
        return ""
    return f"loaded in {name_of(quantization, device.width)}: {', '.join(said)}, {device.free / GB:.1f} GB are free"


def is_memory_error(error: BaseException) -> bool:
    """Whether this is a want of memory, on whichever device: CUDA, MPS and the processor's allocator word it apart."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(words in text for words in _OUT_OF_MEMORY)


@dataclass(frozen=True, slots=True)
class Rung:
    """Where the work stands: pictures at once, most tokens of a picture, and how the weights are kept."""

    batch: int
    image_tokens: int
    quantization: Quantization


@dataclass(frozen=True, slots=True)
class Step:
    """One step down: the new rung, what to tell the user, and whether it changes the answer of the frames in hand."""

    rung: Rung
    words: str
    reload: bool = False
    smaller: bool = False


class Ladder:
    """The state while working: which rung, and which quantizations are still below."""

    def __init__(self, rung: Rung, below: Sequence[Quantization] = (), width: int = 2) -> None:
        self._top = rung
        self._below = list(below)
        self._width = width
        self.rung = rung

    def descend(self, rows: int, tokens: int, room: str = "") -> Step:
        """The next step after memory ran out with `rows` pictures at once, the largest of `tokens`.

        Raises EngineError at the bottom; `room` says there what the device has.
        """
        step = self._next(rows, tokens)
        if step is None:
            what = f"one picture of {tokens} tokens in {name_of(self.rung.quantization, self._width)}"
            raise EngineError(f"the memory does not even suffice for {what}{room and f': {room}'}", HINT)
        if step.reload:
            self._below.remove(step.rung.quantization)
            self._top = step.rung
        self.rung = step.rung
        return step

    def recover(self) -> None:
        """Allow full-sized pictures again: somebody else may have had the memory."""
        self.rung = replace(self.rung, image_tokens=self._top.image_tokens)

    def _next(self, rows: int, tokens: int) -> Step | None:
        if rows > 1:
            batch = rows // 2
            return Step(replace(self.rung, batch=batch), f"memory ran out: now {batch} at once instead of {rows}")
        if tokens > LEAST_IMAGE_TOKENS:
            fewer = max(LEAST_IMAGE_TOKENS, tokens // 2)
            words = f"memory ran out: the picture was made smaller, {fewer} tokens at most instead of {tokens}"
            return Step(replace(self.rung, batch=1, image_tokens=fewer), words, smaller=True)
        if self._below:
            coarser = self._below[0]
            words = f"memory ran out: the model was loaded again in {name_of(coarser, self._width)}"
            return Step(Rung(1, self._top.image_tokens, coarser), words, reload=True)
        return None
