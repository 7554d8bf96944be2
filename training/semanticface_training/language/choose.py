"""One place that opens a language model by name: on this machine, or on a server. Knows what each of them needs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from semanticface.errors import OptionsError
from semanticface_training.language.model import LanguageModel


@contextmanager
def open_model(
    kind: str, model: str, url: str = "", key_variable: str = "", concurrency: int = 32, online: bool = False
) -> Iterator[LanguageModel]:
    """`kind` is transformers or server. Raises OptionsError, AssetError for a model that isn't here, EngineError."""
    opened: LanguageModel
    if kind == "transformers":
        from semanticface_training.language.local import LocalModel

        opened = LocalModel(model, online=online)
    elif kind == "server":
        from semanticface_training.language.server import ServerModel

        if not url:
            raise OptionsError("a server needs its address", "--url http://127.0.0.1:8000/v1")
        opened = ServerModel(url, model, key_variable, concurrency)
    else:
        raise OptionsError(f"there is no language model of kind {kind!r}", "transformers or server")
    try:
        yield opened
    finally:
        opened.close()
