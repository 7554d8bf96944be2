"""The real thing, once: a folder of wheels filled from the index, an environment made from it, its backend at work."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from semanticface import launch
from semanticface.assets import MODELS_VARIABLE
from semanticface.client import Client
from semanticface.installation import Verdict, find_backend
from semanticface.provision import places
from semanticface.provision.overview import InstallState, look
from semanticface.provision.progress import log_tail

ROOT = Path(__file__).resolve().parents[2]
UNREACHABLE = ("NewConnectionError", "name resolution", "Name or service not known", "from versions: none")


@pytest.fixture(scope="module")
def wheelhouse(tmp_path_factory: pytest.TempPathFactory, face_landmarker: Path) -> Path:
    folder = tmp_path_factory.mktemp("wheelhouse")
    command = [sys.executable, str(ROOT / "tools" / "build_wheelhouse.py"), str(folder)]
    done = subprocess.run([*command, "--model", str(face_landmarker)], capture_output=True, text=True, check=False)
    if done.returncode and any(sign in done.stderr for sign in UNREACHABLE):
        pytest.skip("no package index can be reached from here")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_backend_installed_from_a_folder_of_wheels_analyzes(
    home: Path, wheelhouse: Path, samples: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(MODELS_VARIABLE, raising=False)
    command = [sys.executable, "-m", "semanticface.provision", "--wheels", str(wheelhouse)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, (done.stderr, log_tail())
    (made,) = places.environments(home / "environment")
    assert made.whole
    found = find_backend(str(made.python), verify=True)
    assert (found.verdict, found.model) == (Verdict.OK, True), found
    assert look(found, home / "environment").state is InstallState.OK
    run = launch.start(found, timeout=120.0)
    try:
        with Client.connect(start=False) as client:
            rows = {row["name"]: row for row in client.welcome["engines"]}
            assert rows["landmarks"]["installed"] and not rows["semanticface"]["installed"]
            results = list(client.analyze(samples / "rom_head.mp4", frames=range(3), engine="landmarks"))
    finally:
        assert launch.stop(timeout=30.0)
    assert [result.status for result in results] == ["ok"] * 3
    assert str(made.folder) in (home / "backend-install.json").read_text(), "it is the one that ran"
    assert run.program == made.version
    subprocess.run([sys.executable, "-m", "semanticface.provision", "--work", "remove"], check=True)
    assert not (home / "environment").exists(), "half a gigabyte that nobody needs any more"
