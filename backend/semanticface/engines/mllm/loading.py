"""A checkpoint from its folder into memory: base model, adapter, tokenizer, on the device and in the format that fit.

The base is read by transformers from local files alone, the adapter is put on by peft and merged into it, or left
beside the matrices where these are quantized. What transformers would mend silently (missing weights made up at
random, adapters of which nothing fits) is refused here. Only the worker imports this module; it opens no connection.
"""

from __future__ import annotations

import importlib.util
import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.device import Device, choose_device, free_caches, refreshed
from semanticface.engines.mllm.ladder import Plan, Task, is_memory_error, name_of, plan_load
from semanticface.engines.mllm.memory import Quantization, Shape
from semanticface.errors import AssetError, EngineError, OptionsError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

DEVICE_VARIABLE = "SEMANTICFACE_DEVICE"
DTYPE_VARIABLE = "SEMANTICFACE_DTYPE"
QUANTIZATION_VARIABLE = "SEMANTICFACE_QUANTIZATION"
BATCH_VARIABLE = "SEMANTICFACE_BATCH"
STOP_TOKENS = ("<|im_end|>", "<|endoftext|>")
_QUANTIZABLE = ("cuda", "cpu")
"""Devices on which bitsandbytes computes; on the processor it was tried here, on cards its makers test it."""
_KEPT = ["model.visual", "lm_head"]
"""Not quantized: the eyes are a tenth of the weights, and the head decides between digits that lie close together."""
_OFFLINE = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "HF_HUB_DISABLE_TELEMETRY": "1", "USE_HUB_KERNELS": "0"}
_OBJECT_TOKENS, _ACTIONS = 674, 61
"""An object with one decimal has 674 tokens of the Qwen tokenizer; each further decimal is a token a value. With fewer
actions, and in a list, there are fewer."""
_TEXT_PER_TOKEN, _LAYOUT_TOKENS = 3, 32
"""Characters of a prompt's text that make a token, at least (action names are short of them), and the chat's own."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How the user wants it loaded; "auto" and 0 leave it to what is there."""

    device: str = "auto"
    dtype: str = "auto"
    quantization: str = "auto"
    batch: int = 0

    @classmethod
    def of_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """From SEMANTICFACE_DEVICE, _DTYPE, _QUANTIZATION and _BATCH. Raises OptionsError."""
        batch = environment.get(BATCH_VARIABLE, "") or "0"
        if not batch.isdecimal() or int(batch) > 64:
            raise OptionsError(f"{BATCH_VARIABLE} is {batch!r}", "give a whole number from 1 to 64, or 0 for automatic")
        names = (DEVICE_VARIABLE, DTYPE_VARIABLE, QUANTIZATION_VARIABLE)
        device, dtype, quantization = (environment.get(name, "") or "auto" for name in names)
        return cls(device, dtype, quantization, int(batch))


@dataclass(frozen=True, slots=True, eq=False)
class Loaded:
    """A model ready to answer. `model` is a Qwen3VLForConditionalGeneration in inference mode."""

    model: Any
    tokenizer: Tokenizer
    device: Device
    quantization: Quantization
    batch: int
    stop_ids: tuple[int, ...]
    below: tuple[Quantization, ...] = ()
    """Coarser quantizations that could be loaded instead."""
    remarks: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.quantization is Quantization.NONE:
            return f"{self.device.name} {self.device.dtype}"
        return f"{self.device.name} {self.device.dtype} {name_of(self.quantization, self.device.width)}"


def load(
    checkpoint: Checkpoint, settings: Settings | None = None, among: Sequence[Quantization] | None = None
) -> Loaded:
    """The checkpoint on the best device that works, in the finest format that fits its free memory.

    `among`: the quantizations to try instead of those that the settings allow, finest first. Raises
    AssetError for files that are missing, broken or do not belong together, EngineError when memory does not suffice or
    the wanted device doesn't work.
    """
    settings = settings or Settings()
    device = choose_device(settings.device, settings.dtype)
    rungs = tuple(among or _rungs(settings.quantization, device))
    shape = Shape.read(checkpoint.base)
    task = _task(checkpoint)
    _check_adapter(checkpoint)
    while True:
        plan = plan_load(shape, device, rungs, task, settings.batch)
        below = tuple(rungs[rungs.index(plan.quantization) + 1 :])
        try:
            return _load(checkpoint, device, plan, below)
        except Exception as error:
            if not is_memory_error(error) or not below:
                raise _explained(error, checkpoint, device) from error
        # Outside of the handler: the exception held the half-loaded model.
        free_caches(device)
        device, rungs = refreshed(device), below


def _rungs(wanted: str, device: Device) -> tuple[Quantization, ...]:
    """The quantizations to try, finest first."""
    if wanted not in ("auto", *Quantization):
        raise OptionsError(f"there is no quantization {wanted!r}", f"choose auto, {', '.join(Quantization)}")
    if wanted == Quantization.NONE:
        return (Quantization.NONE,)
    able = device.kind in _QUANTIZABLE and importlib.util.find_spec("bitsandbytes") is not None
    if wanted == "auto":
        return tuple(Quantization) if able else (Quantization.NONE,)
    if device.kind not in _QUANTIZABLE:
        raise EngineError(f"{wanted} is not possible on {device}", "choose quantization none, or another device")
    if not able:
        raise EngineError(f"{wanted} needs bitsandbytes", "run pip install 'semanticface[quant]'")
    return (Quantization(wanted),)


def _task(checkpoint: Checkpoint) -> Task:
    """The largest thing that this checkpoint may be asked."""
    profile, rank = checkpoint.profile, 0
    if checkpoint.adapter is not None:
        rank = int(json.loads((checkpoint.adapter / "adapter_config.json").read_text(encoding="utf-8")).get("r", 8))
    text = len(profile.system + profile.user) // _TEXT_PER_TOKEN + _LAYOUT_TOKENS
    words = 0 if profile.layouts[0].wordless else profile.analysis_tokens
    answer = words + _OBJECT_TOKENS + _ACTIONS * (profile.decimals - 1)
    return Task(profile.image_tokens[1], text, answer, rank)


def _load(checkpoint: Checkpoint, device: Device, plan: Plan, below: Sequence[Quantization]) -> Loaded:
    model = _base(checkpoint.base, device, plan.quantization)
    if checkpoint.adapter is not None:
        model = _adapted(model, checkpoint.adapter, merge=plan.quantization is Quantization.NONE)
    model.eval().requires_grad_(False)
    tokenizer = _tokenizer(checkpoint.base)
    remarks = tuple(filter(None, (device.remark, plan.remark)))
    stop = _stop_ids(model, tokenizer)
    return Loaded(model, tokenizer, device, plan.quantization, plan.batch, stop, tuple(below), remarks)


@contextmanager
def _offline() -> Iterator[None]:
    """Let the libraries start with the network switched off; they read these variables when they are imported."""
    before = {name: os.environ.get(name) for name in _OFFLINE}
    os.environ.update(_OFFLINE)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _base(folder: Path, device: Device, quantization: Quantization) -> Any:
    """The base model on the device. Raises AssetError when weights are missing or do not fit."""
    with _offline():
        import torch
        from transformers import Qwen3VLForConditionalGeneration
        from transformers.utils import logging as libraries

        # Bars would fill the worker's log with one line an update, and 8 bit with one line a product of matrices.
        libraries.disable_progress_bar()
        logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
        model, info = Qwen3VLForConditionalGeneration.from_pretrained(
            folder,
            dtype=getattr(torch, device.dtype),
            device_map={"": device.name},
            attn_implementation="sdpa",
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
            quantization_config=_quantization_config(quantization, device),
        )
    missing = sorted(map(str, info["missing_keys"])) + sorted(map(str, info["mismatched_keys"]))
    if missing:
        message = f"{folder} lacks {len(missing)} of the model's weights, for example {missing[0]}"
        raise AssetError(message, "fetch or copy the base model again")
    return model


def _quantization_config(quantization: Quantization, device: Device) -> Any:
    if quantization is Quantization.NONE:
        return None
    import torch
    from transformers import BitsAndBytesConfig

    if quantization is Quantization.INT8:
        return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=_KEPT)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=getattr(torch, device.dtype),
        llm_int8_skip_modules=_KEPT,
    )


def _check_adapter(checkpoint: Checkpoint) -> None:
    """Refuse an adapter that does not fit, before gigabytes are read."""
    if checkpoint.adapter is not None:
        with _offline():
            from semanticface.engines.mllm.adapter import check_adapter

            check_adapter(checkpoint.base, checkpoint.adapter)


def _adapted(model: Any, folder: Path, merge: bool) -> Any:
    """The model with its adapter, merged or beside. Raises AssetError when the adapter changes nothing."""
    with _offline():
        from peft import PeftModel

        wrapped = PeftModel.from_pretrained(model, folder, is_trainable=False)
    changing = [name for name, weight in wrapped.named_parameters() if "lora_B" in name and bool(weight.any())]
    if not changing:
        message = f"the adapter in {folder} changes nothing: all of its matrices are zero or unused"
        raise AssetError(message, "take the folder of a finished training")
    return wrapped.merge_and_unload() if merge else wrapped.get_base_model()


def _tokenizer(base: Path) -> Tokenizer:
    from tokenizers import Tokenizer

    path = base / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception for whatever is wrong with the file
        raise AssetError(
            f"{path} can't be read as a tokenizer: {error}", "fetch or copy the base model again"
        ) from error


def _stop_ids(model: Any, tokenizer: Tokenizer) -> tuple[int, ...]:
    """The tokens that end an answer: the chat's own, and those of the model's generation_config.json."""
    named = getattr(model.generation_config, "eos_token_id", None)
    ids = set(named if isinstance(named, (list, tuple)) else [named]) | set(map(tokenizer.token_to_id, STOP_TOKENS))
    found = tuple(sorted(int(number) for number in ids if number is not None))
    if not found:
        raise AssetError(f"neither the tokenizer nor the model names a token that ends an answer ({STOP_TOKENS[0]})")
    return found


def _explained(error: Exception, checkpoint: Checkpoint, device: Device) -> Exception:
    """What a library raised, as one of our errors that names the folder."""
    if isinstance(error, (AssetError, EngineError)):
        return error
    if is_memory_error(error):
        return EngineError(
            f"{device} has not enough memory for {checkpoint.name}: {error}", "see `semanticface doctor`"
        )
    where = f"{checkpoint.base} with {checkpoint.adapter}" if checkpoint.adapter else str(checkpoint.base)
    text = str(error).strip().splitlines()[0] if str(error).strip() else ""
    hint = "run `semanticface models verify`, then fetch or copy what is broken"
    return AssetError(f"the model in {where} can't be loaded: {type(error).__name__}: {text}", hint)
