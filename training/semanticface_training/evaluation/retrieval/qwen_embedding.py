"""Features of Qwen3-VL-Embedding (2B or 8B) from a folder on this machine; nothing is ever fetched.

The picture stands alone in the chat layout that the model was published with: its default instruction as the system's
part, the opening of an answer, and the last token's hidden state, made a unit vector, is the embedding. The layout is
that of Qwen3-VL itself, so the backend's own prompter and picture code make it. This module knows nothing of datasets.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semanticface.engines.mllm.profile import Profile
from semanticface.errors import AssetError, EngineError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from semanticface.engines.mllm.prompt import Prompt

INSTRUCTION = "Represent the user's input."
"""The model's default (Qwen3-VL-Embedding's model card)."""
IMAGE_TOKENS = (4, 256)
"""The published limit is 1,800 tokens of 32 x 32 pixels; a face needs no more than training gives it."""
_AGAIN = "copy the model's whole folder again"
_FILES = ("config.json", "tokenizer.json")


class QwenEmbedding:
    """A FeatureProvider. `batch`: pictures at once; `device` as `choose_device` takes it."""

    def __init__(
        self, folder: Path | str, batch: int = 8, device: str = "auto", image_tokens: tuple[int, int] = IMAGE_TOKENS
    ) -> None:
        """Reads the weights twice, once for their hash: a minute for 16 GB.

        Raises AssetError when the folder is not that of a Qwen3-VL, EngineError when its libraries are missing or the
        device doesn't work.
        """
        from semanticface.engines.mllm.device import choose_device
        from semanticface.engines.mllm.prompt import Prompter

        self._folder, self._batch = Path(folder), batch
        place = choose_device(device)
        self._key = _key(self._folder, image_tokens, place.dtype)
        self._model = _load(self._folder, place.name, place.dtype)
        profile = Profile("embedding", INSTRUCTION, "", image_tokens=image_tokens)
        self._prompter = Prompter(_tokenizer(self._folder), profile)

    @property
    def name(self) -> str:
        return self._folder.resolve().name

    @property
    def key(self) -> str:
        """Over the model's files, the instruction, the pictures' size and the number format."""
        return self._key

    @property
    def width(self) -> int:
        return int(self._model.config.text_config.hidden_size)

    def features(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """(N, width) float32 unit vectors. Raises MediaError for a picture that the model can't take."""
        out = np.empty((len(pictures), self.width), np.float32)
        for start in range(0, len(pictures), self._batch):
            part = [self._prompter.build(picture) for picture in pictures[start : start + self._batch]]
            out[start : start + len(part)] = self._embed(part)
        return out

    def _embed(self, prompts: Sequence[Prompt]) -> NDArray[np.float32]:
        """Padded on the left, so that the last token of each row is the last of its prompt."""
        import torch

        longest = max(len(prompt.ids) for prompt in prompts)
        ids = torch.tensor([[0] * (longest - len(prompt.ids)) + prompt.ids for prompt in prompts])
        mask = torch.tensor([[0] * (longest - len(prompt.ids)) + [1] * len(prompt.ids) for prompt in prompts])
        pictures = (ids == self._model.config.image_token_id) & (mask == 1)
        device = self._model.device
        self._model.rope_deltas = None  # what the model keeps of its last prompt
        with torch.inference_mode():
            states = self._model(
                input_ids=ids.to(device),
                attention_mask=mask.to(device),
                mm_token_type_ids=pictures.int().to(device),
                pixel_values=torch.cat([prompt.patches for prompt in prompts]).to(device),
                image_grid_thw=torch.tensor([prompt.grid for prompt in prompts]).to(device),
                use_cache=False,
            ).last_hidden_state[:, -1]
        found: NDArray[np.float32] = torch.nn.functional.normalize(states.float(), dim=1).cpu().numpy()
        return found


def _load(folder: Path, device: str, dtype: str) -> Any:
    """The Qwen3VLModel of the folder, whether it was saved alone or under a head. Raises AssetError, EngineError."""
    try:
        import torch
        from transformers import Qwen3VLModel
    except ImportError as error:
        raise EngineError("Qwen3-VL-Embedding needs torch and transformers", "pip install 'semanticface[mllm]'") from (
            error
        )
    try:
        model, info = Qwen3VLModel.from_pretrained(
            folder,
            dtype=getattr(torch, dtype),
            local_files_only=True,
            use_safetensors=True,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, TypeError) as error:
        raise AssetError(f"{folder} can't be loaded as a Qwen3-VL: {str(error)[:300]}", _AGAIN) from error
    missing = sorted(map(str, [*info["missing_keys"], *info["mismatched_keys"]]))
    if missing:  # transformers would make them up at random
        raise AssetError(f"{folder} lacks {len(missing)} of the model's weights, for example {missing[0]}", _AGAIN)
    return model.to(device).eval().requires_grad_(False)


def _tokenizer(folder: Path) -> Any:
    from tokenizers import Tokenizer

    path = folder / "tokenizer.json"
    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises a bare Exception for whatever is wrong with the file
        raise AssetError(f"{path} can't be read as a tokenizer: {error}", _AGAIN) from error


def _key(folder: Path, image_tokens: tuple[int, int], dtype: str) -> str:
    from semanticface.assets.store import sha256_of
    from semanticface.engines.mllm.weights import check_weights

    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        raise AssetError(f"{folder} is no folder of a Qwen3-VL: it has no {missing[0]}", _AGAIN)
    files = [folder / name for name in _FILES] + list(check_weights(folder))
    parts = [f"{file.name} {sha256_of(file)}" for file in files] + [INSTRUCTION, str(image_tokens), dtype]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
