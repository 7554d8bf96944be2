"""Several processes are one run: the same steps as a single one, the same judgement, one log."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import fit_kit as kit
import pytest

from semanticface_training.stage2 import resume
from semanticface_training.stage2.config import LoraSettings
from semanticface_training.stage2.fit import fit
from semanticface_training.stage2.launch import Place
from semanticface_training.stage2.log import read_log

CODE = """
import sys; sys.path.insert(0, sys.argv[1]); import test_fit_processes as test
from pathlib import Path
getattr(test, sys.argv[2])(Path(sys.argv[3]), sys.argv[4])
"""


def config(root: Path, name: str, batch: int):
    """Three steps without dropout, which each process draws for itself; four rows, since an odd one is filled up."""
    schedule = {"steps": 3, "global_batch": 2, "batch": batch}
    return kit.settings(root, name, schedule=schedule, lora=LoraSettings(4, dropout=0), validation_rows=2, flips=1.0)


def three_steps(root: Path, name: str) -> None:
    fit(config(root, name, 1))


def six_steps(root: Path, name: str) -> None:
    """With dropout, which each process draws for itself; goes on where it was."""
    fit(kit.settings(root, name), resume_run=True)


def four_steps_and_a_kill(root: Path, name: str) -> None:
    """One of the processes dies as a machine dies, a step after a checkpoint."""

    def die(event) -> None:
        if event.name == "step" and event.step == 5:
            os.kill(os.getpid(), signal.SIGKILL)

    fit(kit.settings(root, name), tell=die)


def run(root: Path, name: str, task: Callable[[Path, str], None]) -> int:
    """Two processes that meet on this machine, as `accelerate launch` starts them; the launcher's exit code."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    script = root / "fit.py"
    script.write_text(CODE)
    arguments = [str(Path(kit.__file__).parent), task.__name__, str(root), name]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [*command, str(script), *arguments], env=environment, capture_output=True, text=True, check=False
    )
    print(done.stderr[-3000:])
    return done.returncode


@pytest.mark.slow
def test_a_step_of_two_processes_is_the_step_of_one(tmp_path, qwen_tokenizer):
    kit.make_dataset(tmp_path / "data", train=4)
    kit.make_base(tmp_path / "base", qwen_tokenizer)
    assert run(tmp_path, "two", three_steps) == 0
    fit(config(tmp_path, "one", 2))
    logs = {name: read_log(tmp_path / name) for name in ("one", "two")}
    steps = {name: [line for line in log if line["event"] == "step"] for name, log in logs.items()}
    assert [line["step"] for line in steps["two"]] == [1, 2, 3]
    for mine, theirs in zip(steps["one"], steps["two"], strict=True):
        for fact in ("loss", "grad_norm", "cross_entropy", "learning_rate"):
            assert theirs[fact] == pytest.approx(mine[fact], rel=2e-3), fact
    judged = {name: [line for line in log if line["event"] == "validation"] for name, log in logs.items()}
    for one, two in zip(judged["one"], judged["two"], strict=True):
        assert (two["step"], two["rows"], two["score"]) == (one["step"], one["rows"], pytest.approx(one["score"]))


@pytest.mark.slow
def test_two_processes_of_which_one_was_killed_go_on_bit_for_bit(tmp_path, qwen_tokenizer):
    kit.make_dataset(tmp_path / "data")
    kit.make_base(tmp_path / "base", qwen_tokenizer)
    assert run(tmp_path, "whole", six_steps) == 0
    assert run(tmp_path, "stopped", four_steps_and_a_kill) != 0
    assert list(resume.checkpoints(tmp_path / "stopped")) == [2, 4]
    assert run(tmp_path, "stopped", six_steps) == 0
    assert [line["step"] for line in read_log(tmp_path / "stopped") if line["event"] == "resume"] == [4]
    kit.assert_same_end(tmp_path / "whole", tmp_path / "stopped", ("rng_state_0.pth", "rng_state_1.pth"))


def test_a_process_learns_its_place_from_the_environment():
    assert Place.of_environment({}) == Place(0, 1)
    place = Place.of_environment({"RANK": "3", "WORLD_SIZE": "8"})
    assert (place, place.main) == (Place(3, 8), False)
