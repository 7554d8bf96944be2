"""A device is taken when it computes, and what was passed over is said."""

from __future__ import annotations

import psutil
import pytest
import torch

from semanticface.engines.mllm.device import Device, Unfit, choose_device, cuda_dtype, free_caches, refreshed
from semanticface.engines.mllm.device import _run as run_something
from semanticface.errors import EngineError, OptionsError

CARD = Device("cuda", "cuda:0", "bfloat16", 24 << 30, 20 << 30, "a card")
PROCESSOR = Device("cpu", "cpu", "float32", 64 << 30, 32 << 30)


def works(device):
    return lambda index: device


def broken(reason):
    def probe(index):
        raise Unfit(reason)

    return probe


def test_a_card_that_computes_is_preferred():
    probes = {"cuda": works(CARD), "mps": broken("no Mac"), "cpu": works(PROCESSOR)}
    assert choose_device("auto", probes=probes) == CARD


def test_a_card_that_fails_at_its_first_computation_is_passed_over_and_named():
    probes = {"cuda": broken("no kernel image for this card"), "mps": broken("no Mac"), "cpu": works(PROCESSOR)}
    chosen = choose_device("auto", probes=probes)
    assert chosen.kind == "cpu"
    assert "no kernel image for this card" in chosen.remark
    assert "no Mac" in chosen.remark


def test_a_wanted_device_that_does_not_work_is_an_error_and_not_another_device():
    with pytest.raises(EngineError, match="driver is too old"):
        choose_device("cuda", probes={"cuda": broken("driver is too old"), "cpu": works(PROCESSOR)})


def test_the_wanted_card_is_asked_for_by_its_number():
    asked = []

    def probe(index):
        asked.append(index)
        return CARD

    choose_device("cuda:3", probes={"cuda": probe})
    assert asked == [3]


@pytest.mark.parametrize("word", ["gpu", "cuda:", "cuda:x", "cpu:1", "cuda:-1", "", "cuda:1:2"])
def test_words_that_are_no_device_are_refused(word):
    if word == "cuda:":
        assert choose_device(word, probes={"cuda": works(CARD)}) == CARD
        return
    with pytest.raises(OptionsError):
        choose_device(word)


def test_the_number_format_can_be_chosen_and_a_wrong_one_is_refused():
    assert choose_device("cpu", "bfloat16", {"cpu": works(PROCESSOR)}).width == 2
    with pytest.raises(OptionsError, match="int8"):
        choose_device("cpu", "int8")


def test_cards_without_bfloat16_get_float16():
    assert cuda_dtype((7, 5)) == "float16"
    assert cuda_dtype((8, 0)) == "bfloat16"
    assert cuda_dtype((12, 0)) == "bfloat16"


def test_a_computation_that_raises_or_gives_nonsense_makes_a_device_unfit(monkeypatch):
    run_something("cpu", "float32")
    with pytest.raises(Unfit, match="first computation fails"):
        run_something("cuda:99", "float16")
    monkeypatch.setattr(torch, "ones", torch.zeros)
    with pytest.raises(Unfit, match="wrong result"):
        run_something("cpu", "float32")


def test_the_processor_says_how_much_memory_is_free():
    device = refreshed(choose_device("cpu"))
    assert device.dtype == "float32"
    assert device.total == psutil.virtual_memory().total
    assert 0 < device.free <= device.total
    free_caches(device)
