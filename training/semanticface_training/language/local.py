"""A language model in this process, through transformers: a folder, a .gguf file, or a hub name that is here already.

Nothing is fetched unless `online` says so. Questions are sorted by length and padded on the left, so that batches are
dense and each answer is what it would be alone. Chats are laid out by the tokenizer's own template, thinking off, or
plainly where it has none. This module knows nothing of faces.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from semanticface.errors import AssetError, EngineError
from semanticface_training.language.model import Chat, LabelScore, Sampling, Written

_SCORE_TOKENS = 16_384
"""Tokens of one batch that is scored: bounds the memory of its logits."""


class LocalModel:
    """`batch`: most questions at once; `device` "" takes the first GPU if there is one."""

    def __init__(self, model: str, batch: int = 16, device: str = "", online: bool = False) -> None:
        """Raises AssetError when the model is not here or is no language model, EngineError without the libraries."""
        try:
            import torch
        except ImportError as error:
            raise EngineError(
                "a language model needs torch and transformers", "pip install 'semanticface[mllm]'"
            ) from (error)
        self._device = device or ("cuda" if torch.cuda.is_available() else "cpu")
        self._batch = batch
        self._name = Path(model).name if Path(model).exists() else model
        self._tokenizer, self._model = _load(model, online, self._device)
        self._tokenizer.padding_side = "left"
        if self._tokenizer.pad_token_id is None:
            self._tokenizer.pad_token = self._tokenizer.eos_token

    @property
    def name(self) -> str:
        return self._name

    def close(self) -> None:
        """Let the weights go."""
        self._model = self._tokenizer = None

    def generate(self, chats: Sequence[Chat], sampling: Sampling) -> list[Written]:
        """One text a chat. With the same chats, sampling and batch the same texts come again."""
        import torch

        prompts = [self._prompt(chat) for chat in chats]
        out: list[Written] = [Written("", False)] * len(chats)
        with torch.inference_mode(), torch.random.fork_rng(devices=self._gpus()):
            torch.manual_seed(sampling.seed)
            for places in self._batches([len(prompt) for prompt in prompts]):
                ids, mask = self._padded([prompts[place] for place in places])
                made = self._model.generate(
                    input_ids=ids,
                    attention_mask=mask,
                    max_new_tokens=sampling.max_tokens,
                    pad_token_id=self._tokenizer.pad_token_id,
                    **_choice(sampling),
                )[:, ids.shape[1] :].tolist()
                for place, tokens in zip(places, made, strict=True):
                    out[place] = self._written(tokens)
        return out

    def score(self, chats: Sequence[Chat], labels: Sequence[str], begun: str = "") -> list[tuple[LabelScore, ...]]:
        """The exact log-probability of each label's tokens behind the question and `begun`."""
        prompts = [self._prompt(chat) + self._encode(begun) for chat in chats]
        space = " " if begun and not begun[-1].isspace() else ""
        answers = [self._encode(space + label) for label in labels]
        return [tuple(self._score_one(prompt, answers)) for prompt in prompts]

    def _score_one(self, prompt: list[int], answers: list[list[int]]) -> Iterator[LabelScore]:
        import torch

        step = max(1, _SCORE_TOKENS // (len(prompt) + max(len(answer) for answer in answers)))
        for start in range(0, len(answers), step):
            part = answers[start : start + step]
            ids, mask = self._padded([prompt + answer for answer in part])
            longest = max(len(answer) for answer in part)
            places = (mask.cumsum(1) - 1).clamp(min=0)
            with torch.inference_mode():
                logits = self._model(input_ids=ids, attention_mask=mask, position_ids=places,
                                     logits_to_keep=longest + 1).logits  # fmt: skip
            logs = logits[:, :-1].float().log_softmax(-1)  # (labels, longest, vocabulary), aligned at the right
            for row, answer in enumerate(part):
                picked = logs[row, -len(answer) :].gather(1, torch.tensor(answer, device=logs.device)[:, None])
                yield LabelScore(float(picked.sum()), len(answer))

    def _prompt(self, chat: Chat) -> list[int]:
        if getattr(self._tokenizer, "chat_template", None):
            text = self._tokenizer.apply_chat_template(
                chat.messages(), tokenize=False, add_generation_prompt=True, enable_thinking=False
            )
            return self._encode(text)
        told = f"{chat.system}\n\n" if chat.system else ""
        return self._encode(f"{told}{chat.user}\n\nAnswer:\n")

    def _encode(self, text: str) -> list[int]:
        return list(self._tokenizer(text, add_special_tokens=False)["input_ids"]) if text else []

    def _batches(self, lengths: Sequence[int]) -> Iterator[list[int]]:
        """Places by length, longest first: what doesn't fit into memory shows at once."""
        order = sorted(range(len(lengths)), key=lambda place: -lengths[place])
        for start in range(0, len(order), self._batch):
            yield order[start : start + self._batch]

    def _padded(self, rows: Sequence[list[int]]) -> tuple[Any, Any]:
        """(N, longest) int64 ids and mask, padded on the left."""
        import torch

        longest = max(len(row) for row in rows)
        pad = self._tokenizer.pad_token_id
        ids = [[pad] * (longest - len(row)) + row for row in rows]
        mask = [[0] * (longest - len(row)) + [1] * len(row) for row in rows]
        return torch.tensor(ids, device=self._device), torch.tensor(mask, device=self._device)

    def _written(self, tokens: list[int]) -> Written:
        """Up to the first token that ends an answer."""
        given = self._model.generation_config.eos_token_id
        ends = {self._tokenizer.eos_token_id, *(given if isinstance(given, list) else [given])}
        stop = next((place for place, token in enumerate(tokens) if token in ends), None)
        text = self._tokenizer.decode(tokens[:stop], skip_special_tokens=True).strip()
        return Written(text, stop is not None, "" if text else "an answer without text")

    def _gpus(self) -> list[int]:
        import torch

        return list(range(torch.cuda.device_count())) if self._device.startswith("cuda") else []


def _choice(sampling: Sampling) -> dict[str, Any]:
    if sampling.temperature == 0:
        return {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
    return {"do_sample": True, "temperature": sampling.temperature, "top_p": sampling.top_p, "top_k": sampling.top_k}


def _load(model: str, online: bool, device: str) -> tuple[Any, Any]:
    """Tokenizer and model, in evaluation mode on the device; bfloat16 on a GPU, float32 on a CPU."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    path = Path(model)
    dtype = torch.float32 if device == "cpu" else torch.bfloat16
    try:
        folder = str(path if path.exists() else _from_hub(model, online))
        source, more = (str(path.parent), {"gguf_file": path.name}) if path.suffix == ".gguf" else (folder, {})
        tokenizer = AutoTokenizer.from_pretrained(source, local_files_only=True, **more)
        loaded = AutoModelForCausalLM.from_pretrained(source, local_files_only=True, dtype=dtype, **more)
    except ImportError as error:
        hint = "pip install 'semanticface[train,mllm]'"
        raise EngineError(f"{model} needs another library: {str(error)[:300]}", hint) from error
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        hint = "name a folder that holds the model; a hub name is fetched with --online"
        raise AssetError(f"the language model {model} can't be loaded: {str(error)[:300]}", hint) from error
    return tokenizer, loaded.to(device).eval()


def _from_hub(name: str, online: bool) -> str:
    """The folder of the hub's cache. Loading by name would ask the hub even where only local files are allowed."""
    from huggingface_hub import snapshot_download

    wanted = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]
    return str(snapshot_download(name, local_files_only=not online, allow_patterns=wanted))
