"""Where the model runs: an NVIDIA or AMD card, Apple's graphics or the processor, and in which number format.

A device is taken only after a small product of matrices has really run on it: a driver that is too old for the
installed torch, or a card that is too new, is there and fails at the first kernel. This module knows nothing of models.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from semanticface.errors import EngineError, OptionsError

DTYPES = ("bfloat16", "float16", "float32")
KINDS = ("cuda", "mps", "cpu")
"""In the order of preference."""
_BFLOAT16_CAPABILITY = (8, 0)
"""CUDA compute capability (Ampere) from which on bfloat16 has hardware of its own."""


@dataclass(frozen=True, slots=True)
class Device:
    """One place to compute: `kind` of KINDS, `name` as torch has it, `dtype` the format of weights and activations.

    `label` is what the user knows it by. `total` and `free` are bytes. `remark` says why nothing better was taken.
    """

    kind: str
    name: str
    dtype: str
    total: int
    free: int
    label: str = ""
    remark: str = ""

    @property
    def width(self) -> int:
        """Bytes of one value in `dtype`."""
        return 4 if self.dtype == "float32" else 2

    def __str__(self) -> str:
        return f"{self.name} ({self.label})" if self.label else self.name


class Unfit(Exception):
    """A device can't be used; the text says why. Never leaves this module."""


Probe = Callable[[int], Device]
"""Gives the device with this index after having used it; raises Unfit."""


def choose_device(wanted: str = "auto", dtype: str = "auto", probes: Mapping[str, Probe] | None = None) -> Device:
    """The best device that works, or the one that is wanted: "auto", "cuda", "cuda:1", "mps", "cpu".

    `dtype` is one of DTYPES or "auto": bfloat16 on cards that have it, else float16, and float32 on the processor.
    Raises OptionsError for other words, EngineError when the wanted device doesn't work.
    """
    kind, index = _parse(wanted)
    if dtype not in ("auto", *DTYPES):
        raise OptionsError(f"there is no number format {dtype!r}", f"choose auto, {', '.join(DTYPES)}")
    known = _PROBES if probes is None else probes
    said = []
    for candidate in KINDS if kind == "auto" else (kind,):
        try:
            found = known[candidate](index)
        except Unfit as reason:
            said.append(f"{candidate}: {reason}")
            continue
        chosen = found if dtype == "auto" else replace(found, dtype=dtype)
        return replace(chosen, remark="; ".join(said))
    raise EngineError(f"device {wanted} can't be used ({'; '.join(said)})", "choose another device, or auto")


def refreshed(device: Device) -> Device:
    """The same device with the memory that is free now."""
    total, free = _memory(device.kind, device.name)
    return replace(device, total=total, free=free)


def free_caches(device: Device) -> None:
    """Give back to the system what torch keeps for later. Harmless when nothing is kept."""
    import gc

    import torch

    gc.collect()
    if device.kind == "cuda":
        torch.cuda.empty_cache()
    elif device.kind == "mps":
        torch.mps.empty_cache()


def _parse(wanted: str) -> tuple[str, int]:
    kind, _, index = wanted.partition(":")
    if kind not in ("auto", *KINDS) or (index and (kind != "cuda" or not index.isdecimal() or len(index) > 3)):
        raise OptionsError(f"there is no device {wanted!r}", "choose auto, cuda, cuda:N, mps or cpu")
    return kind, int(index or 0)


def _run(name: str, dtype: str) -> None:
    """Compute something small there and look at the result."""
    import torch

    try:
        ones = torch.ones(64, 64, device=name, dtype=getattr(torch, dtype))
        good = float((ones @ ones).sum()) == 64.0**3
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise Unfit(f"a first computation fails: {str(error).splitlines()[0] if str(error) else error!r}") from error
    if not good:
        raise Unfit("a first computation gives a wrong result")


def _memory(kind: str, name: str) -> tuple[int, int]:
    """(total, free) bytes."""
    import torch

    if kind == "cuda":
        free, total = torch.cuda.mem_get_info(name)
        return int(total), int(free)
    if kind == "mps":
        total = int(torch.mps.recommended_max_memory())
        return total, max(0, total - int(torch.mps.driver_allocated_memory()))
    return _system_memory()


def _cuda(index: int) -> Device:
    import torch

    if not torch.cuda.is_available():
        raise Unfit("torch sees no NVIDIA or AMD card, or was installed without support for it")
    if index >= torch.cuda.device_count():
        raise Unfit(f"there are {torch.cuda.device_count()} cards")
    name = f"cuda:{index}"
    dtype = cuda_dtype(torch.cuda.get_device_capability(index))
    _run(name, dtype)
    total, free = _memory("cuda", name)
    return Device("cuda", name, dtype, total, free, torch.cuda.get_device_name(index))


def cuda_dtype(capability: tuple[int, int]) -> str:
    """bfloat16 where the card computes it natively, else float16."""
    return "bfloat16" if tuple(capability) >= _BFLOAT16_CAPABILITY else "float16"


def _mps(index: int) -> Device:
    import torch

    if not torch.backends.mps.is_available():
        raise Unfit("this is no Mac with Apple's graphics, or torch was installed without support for it")
    dtype = "bfloat16"
    try:
        _run("mps", dtype)
    except Unfit:
        dtype = "float16"
        _run("mps", dtype)
    total, free = _memory("mps", "mps")
    return Device("mps", "mps", dtype, total, free, "Apple")


def _cpu(index: int) -> Device:
    total, free = _system_memory()
    return Device("cpu", "cpu", "float32", total, free, f"{os.cpu_count() or 1} cores")


def _system_memory() -> tuple[int, int]:
    """(total, free) bytes of main memory; free counts what the system would give up for us."""
    import psutil  # type: ignore[import-untyped,unused-ignore]  # accelerate brings it

    memory = psutil.virtual_memory()
    return int(memory.total), int(memory.available)


_PROBES: Mapping[str, Probe] = {"cuda": _cuda, "mps": _mps, "cpu": _cpu}
