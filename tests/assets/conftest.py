"""Hubs on this machine, and an environment in which nothing else can be reached."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import hub_kit
import pytest

from semanticface.assets.transfer import Limits
from semanticface.engines.mllm.pulling import Ways

QUICK = Limits(answer=1.0, stall=1.0, retries=3, pause=0.01)
"""Limits for a server that is on this machine and loses its connection often."""


@pytest.fixture
def own_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home and caches of this test alone; whatever the developer has set is unset."""
    for name in ("HF_TOKEN", "HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE", "HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("SEMANTICFACE_MODELS", "SEMANTICFACE_OFFLINE", "MODELSCOPE_ENDPOINT", "MODELSCOPE_API_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "ms"))
    return tmp_path / "home"


@pytest.fixture
def hubs(own_place: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[hub_kit.Site]:
    """Both hubs with base and adapter, and the prompt's host."""
    files = hub_kit.base_files()
    site = hub_kit.Site(
        hf={hub_kit.BASE: dict(files)},
        ms={hub_kit.BASE: dict(files), hub_kit.ADAPTER: hub_kit.adapter_files()},
        prompt=hub_kit.example_jsonl(),
    )
    with hub_kit.serve(site):
        site.set_environment(monkeypatch.setenv)
        yield site


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def ways(said: list[str]) -> Ways:
    """Quick limits; remarks go to `said`."""
    return Ways(say=said.append, limits=QUICK)
