"""When memory is short something smaller is tried, in a fixed order, and said; at the bottom an error gives numbers."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from semanticface.engines.mllm.device import Device
from semanticface.engines.mllm.ladder import LEAST_IMAGE_TOKENS, Ladder, Rung, Task, is_memory_error, plan_load
from semanticface.engines.mllm.memory import GB, QWEN3_VL_4B, Quantization, Shape, needs
from semanticface.errors import EngineError

SHAPE = Shape.of(QWEN3_VL_4B)
TASK = Task(1024, 752, 1046, 8)
ALL = tuple(Quantization)


def card(free: float) -> Device:
    return Device("cuda", "cuda:0", "bfloat16", 80 * GB, round(free * GB), "a card")


def plan(free: float, rungs=ALL, batch: int = 0):
    return plan_load(SHAPE, card(free), rungs, TASK, batch)


def test_plenty_of_memory_takes_the_finest_format_and_many_pictures_at_once():
    chosen = plan(80)
    assert (chosen.quantization, chosen.batch, chosen.remark) == (Quantization.NONE, 16, "")


@pytest.mark.parametrize(("free", "expected"), [(11, "none"), (10, "int8"), (7.2, "int8"), (7, "nf4"), (5.4, "nf4")])
def test_less_memory_takes_a_coarser_format_and_says_so(free, expected):
    chosen = plan(free)
    assert chosen.quantization == expected
    assert chosen.need.total <= free * GB
    assert bool(chosen.remark) == (expected != "none")
    if chosen.remark:
        assert f"{free:.1f} GB are free" in chosen.remark
        assert "16 bit needs 10.9 GB" in chosen.remark


def test_too_little_memory_names_needed_and_free_bytes_and_ways_out():
    with pytest.raises(EngineError) as caught:
        plan(4)
    assert "4.0 GB free" in caught.value.message
    assert "4 bit needs 5.3 GB" in caught.value.message
    assert "remote" in caught.value.hint
    assert "landmark" in caught.value.hint


def test_without_bitsandbytes_the_error_says_what_to_install():
    with pytest.raises(EngineError) as caught:
        plan(9, rungs=(Quantization.NONE,))
    assert "semanticface[quant]" in caught.value.hint


def test_a_processor_is_told_of_the_format_that_needs_half():
    processor = Device("cpu", "cpu", "float32", 16 * GB, 12 * GB)
    with pytest.raises(EngineError) as caught:
        plan_load(SHAPE, processor, (Quantization.NONE,), TASK)
    assert "SEMANTICFACE_DTYPE=bfloat16" in caught.value.hint
    plan_load(SHAPE, replace(processor, dtype="bfloat16"), (Quantization.NONE,), TASK)


def test_pictures_at_once_are_as_many_as_fit_beside_the_weights():
    for free in (11.5, 13.7, 16, 20):
        chosen = plan(free)
        fits = needs(SHAPE, batch=chosen.batch).total <= free * GB
        one_more = needs(SHAPE, batch=chosen.batch + 1).total <= free * GB
        assert fits
        assert not one_more or chosen.batch == 16
    assert plan(80, batch=3).batch == 3
    assert plan(11, batch=3).batch == 1, "a wish for more than fits is not fulfilled"


def test_a_device_that_does_not_know_its_memory_is_tried():
    unknown = Device("cuda", "cuda:0", "bfloat16", 0, 0)
    assert plan_load(SHAPE, unknown, ALL, TASK).quantization is Quantization.NONE


def test_the_way_down_is_batch_then_picture_then_weights_then_an_error():
    ladder = Ladder(Rung(4, 1024, Quantization.NONE), (Quantization.INT8, Quantization.NF4))
    steps = []
    rows, tokens = 4, 1000
    with pytest.raises(EngineError, match="one picture of 128 tokens in 4 bit") as caught:
        while True:
            step = ladder.descend(rows, tokens, "3.1 GB free")
            steps.append((step.rung.batch, step.rung.image_tokens, str(step.rung.quantization)))
            rows = min(rows, step.rung.batch)
            tokens = min(1000, step.rung.image_tokens)
    small = [(1, 500), (1, 250), (1, LEAST_IMAGE_TOKENS)]
    assert steps == [
        (2, 1024, "none"),
        (1, 1024, "none"),
        *[(*rung, "none") for rung in small],
        (1, 1024, "int8"),
        *[(*rung, "int8") for rung in small],
        (1, 1024, "nf4"),
        *[(*rung, "nf4") for rung in small],
    ]
    assert "3.1 GB free" in caught.value.message


def test_every_step_is_said_and_only_smaller_pictures_count_as_another_answer():
    ladder = Ladder(Rung(2, 1024, Quantization.NONE), (Quantization.INT8,))
    fewer = ladder.descend(2, 400)
    smaller = ladder.descend(1, 400)
    least = ladder.descend(1, 200)
    coarser = ladder.descend(1, 128)
    assert [step.smaller for step in (fewer, smaller, least, coarser)] == [False, True, True, False]
    assert [step.reload for step in (fewer, smaller, least, coarser)] == [False, False, False, True]
    assert "1 at once instead of 2" in fewer.words
    assert "200 tokens at most instead of 400" in smaller.words
    assert "8 bit" in coarser.words


def test_later_pictures_may_be_large_again_and_weights_stay_coarse():
    ladder = Ladder(Rung(1, 1024, Quantization.NONE), (Quantization.INT8,))
    ladder.descend(1, 200)
    ladder.descend(1, 128)
    ladder.descend(1, 1000)
    ladder.recover()
    assert ladder.rung == Rung(1, 1024, Quantization.INT8)


@pytest.mark.parametrize(
    "error",
    [
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        RuntimeError("MPS backend out of memory (MPS allocated: 8.00 GB)"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:128] DefaultCPUAllocator: can't allocate memory: you tried"),
        RuntimeError("[enforce fail at alloc_cpu.cpp:83] data. DefaultCPUAllocator: not enough memory: you tried"),
        RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling cublasCreate(handle)"),
        RuntimeError("Invalid buffer size: 34.00 GB"),
        MemoryError(),
    ],
    ids=lambda error: str(error)[:24],
)
def test_want_of_memory_is_recognised_on_every_device(error):
    assert is_memory_error(error)


def test_a_real_allocation_that_is_too_large_is_recognised():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(1 << 60, dtype=torch.uint8)
    assert is_memory_error(caught.value)


def test_other_errors_are_not_taken_for_want_of_memory():
    assert not is_memory_error(RuntimeError("mat1 and mat2 shapes cannot be multiplied"))
    assert not is_memory_error(ValueError("out of memory"))
