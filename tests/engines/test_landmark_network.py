"""The engine opens no connection, and nothing of it is loaded before it is wanted."""

from __future__ import annotations

import shutil
import subprocess
import sys

import pytest

RUN = """
import sys
from pathlib import Path
import numpy as np
from semanticface.engines.base import FrameInput, RunOptions
from semanticface.engines.landmarks.engine import LandmarkEngine
image = np.load(sys.argv[2])
engine = LandmarkEngine(Path(sys.argv[1]), lanes=1)
session = engine.session(RunOptions(), True)
print([result.status.value for result in session.analyze(FrameInput(i, i / 30, image) for i in range(5))])
session.close()
engine.close()
"""


def test_no_network_call_at_all_while_it_runs(face_landmarker, head, tmp_path):
    strace = shutil.which("strace")
    if not strace:
        pytest.skip("strace is not installed")
    log, picture, script = tmp_path / "calls", tmp_path / "picture.npy", tmp_path / "run.py"
    import numpy as np

    np.save(picture, head[0].image)
    script.write_text(RUN)
    command = [strace, "-f", "-e", "trace=network", "-o", str(log), sys.executable, str(script)]
    done = subprocess.run([*command, str(face_landmarker), str(picture)], capture_output=True, text=True, timeout=120)
    if "PTRACE" in done.stderr:
        pytest.skip("this machine does not let strace attach")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("ok") == 5
    calls = [line for line in log.read_text().splitlines() if "(" in line]
    assert calls == []


def test_naming_the_engine_loads_nothing_heavy():
    code = (
        "import sys, semanticface.engines.base, semanticface.engines.landmarks, semanticface.engines.stretches, "
        "semanticface.engines.landmarks.options; "
        "print(sorted({'numpy', 'cv2', 'ai_edge_litert', 'av'} & set(sys.modules)))"
    )
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
