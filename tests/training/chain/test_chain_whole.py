"""The whole chain at its smallest: killed while it trains, run again, and every part's product used by the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semanticface_training.chain.plan import ACTIONS, Budget, Demo, Length
from semanticface_training.chain.run import run
from semanticface_training.synthetic.build import default_demo_head
from semanticface_training.synthetic.draw import Source

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

BUDGET = Budget(train=24, test=4, per_identity=6, tower_steps=6, learn_steps=90, told=0)


def demo(out: Path) -> Demo:
    return Demo(out, Length.SHORT, BUDGET, Source(None, default_demo_head(), ()), 2)


CODE = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from test_chain_whole import demo
from semanticface_training.chain.run import run
run(demo(Path(sys.argv[1])), lambda words: print(words, flush=True))
"""


def start(out: Path) -> subprocess.Popen[str]:
    here = str(Path(__file__).parent)
    command = [sys.executable, "-c", CODE, str(out), here]
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True
    )


@pytest.fixture(scope="module")
def killed(tmp_path_factory, face_landmarker) -> Path:
    """A run that was killed, with all its processes, when the first of three models was there."""
    pytest.importorskip("bpy")
    out = tmp_path_factory.mktemp("chain") / "run"
    process = start(out)
    try:
        deadline = time.monotonic() + 800
        while not any((out / "checkpoints").glob("a?")):
            assert process.poll() is None, process.stdout.read()
            assert time.monotonic() < deadline
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
    return out


def test_a_killed_run_goes_on_and_the_backend_reads_what_was_trained(killed: Path):
    notes = json.loads((killed / "stages.json").read_text())["stages"]
    assert set(notes) == {"draw", "describe", "tell", "look", "see"}
    first = {path: path.stat().st_mtime_ns for path in (killed / "checkpoints").glob("a?/base/*.safetensors")}
    said: list[str] = []
    done = run(demo(killed), said.append)
    assert [words for words in said if words.endswith("done before")] == [
        f"{stage}: done before" for stage in ("draw", "describe", "tell", "look", "see")
    ]
    assert all(path.stat().st_mtime_ns == then for path, then in first.items()), "what was trained is not trained again"

    stages = json.loads((killed / "stages.json").read_text())["stages"]
    assert stages["tell"]["facts"] == {"left_out": "a short run asks no language model"}
    taught = stages["teach"]["facts"]
    assert set(taught) == {"a0", "a1", "a2"}
    assert all(one["loss_last"] < 0.5 * one["loss_first"] for one in taught.values())
    assert stages["import"]["facts"]["names"] == ["demo-a0", "demo-a1", "demo-a2"]
    assert all(sum(one["status"].values()) == 4 for one in stages["read"]["facts"].values())

    assert done.results.answered["a0"] == done.results.answered["a1"] == 4, "a form is learnt in half of these steps"
    lines = [json.loads(line) for line in (killed / "predictions" / "a0" / "frames.jsonl").read_text().splitlines()]
    assert all("reads 16 of 61 actions" in line["message"] for line in lines)
    assert all(0 <= line["values"][name] <= 2 for line in lines for name in ACTIONS)
    saved = json.loads((killed / "results.json").read_text())
    assert saved["results"]["readings"] and saved["seconds"].keys() == stages.keys()
    assert (killed / "report.md").read_text() == done.text
    assert "| A0, greedy |" in done.text and "left out" in done.text
