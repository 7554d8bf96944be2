"""A run that goes on is the run that was never stopped: weights, optimiser, random numbers and order, bit for bit."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import fit_kit as kit
import pytest
import torch

from semanticface.errors import InputError
from semanticface_training.stage2 import resume
from semanticface_training.stage2.config import FitConfig
from semanticface_training.stage2.fit import fit
from semanticface_training.stage2.log import read_log


@pytest.fixture(scope="module")
def root(tmp_path_factory, qwen_tokenizer):
    folder = tmp_path_factory.mktemp("runs")
    kit.make_dataset(folder / "data")
    kit.make_base(folder / "base", qwen_tokenizer)
    return folder


@pytest.fixture(scope="module")
def whole(root):
    """The run that nobody stops."""
    fit(kit.settings(root, "whole"))
    return root / "whole"


def losses(run):
    """By step, of the last time that it was made."""
    return {line["step"]: line["loss"] for line in read_log(run) if line["event"] == "step"}


class Killed(BaseException):
    """As a signal would end it: nothing of ours catches it."""


@pytest.mark.slow
def test_six_steps_are_four_and_two(root, whole):
    """An epoch has three steps, so step 4 is the first of the second one, whose lots of mirroring are others."""

    def stop(event):
        if event.name == "step" and event.step == 5:
            raise Killed

    config = kit.settings(root, "stopped")
    with pytest.raises(Killed):
        fit(config, tell=stop)
    assert list(resume.checkpoints(config.out)) == [2, 4]
    torch.rand(7)  # what random numbers were drawn in between doesn't matter
    fit(config, resume_run=True)
    kit.assert_same_end(whole, config.out)
    assert losses(config.out) == losses(whole)
    assert [line["step"] for line in read_log(config.out) if line["event"] == "resume"] == [4]


@pytest.mark.slow
def test_a_run_goes_on_from_an_earlier_checkpoint(root, whole):
    again = root / "again"
    shutil.copytree(whole, again)
    fit(kit.settings(root, "again"), resume_step=2)
    kit.assert_same_end(whole, again)
    assert sum(line["event"] == "step" for line in read_log(again)) == 6 + 4


@pytest.mark.slow
def test_a_finished_run_is_exported_again_and_not_trained_on(root, whole):
    before = len(read_log(whole))
    shutil.rmtree(whole / "last")
    fit(kit.settings(root, "whole"), resume_run=True)
    assert not any(line["event"] == "step" for line in read_log(whole)[before:])
    kit.assert_same_end(whole, whole)


def test_a_checkpoint_that_a_kill_left_half_written_is_passed_over(tmp_path):
    for step in (3, 6, 12):
        folder = tmp_path / "checkpoints" / f"checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "optimizer.pt").write_bytes(b"state")
        resume.mark_whole(folder)
    (tmp_path / "checkpoints" / "checkpoint-12" / "optimizer.pt").write_bytes(b"stat")
    assert list(resume.checkpoints(tmp_path)) == [3, 6]
    assert resume.choose(tmp_path).name == "checkpoint-6"
    with pytest.raises(InputError, match=r"no whole checkpoint of step 12 \(there are: 3, 6\)"):
        resume.choose(tmp_path, 12)
    for step in (3, 6):
        (tmp_path / "checkpoints" / f"checkpoint-{step}" / "whole.json").unlink()
    assert resume.choose(tmp_path) is None


def test_a_run_goes_on_only_as_it_was_begun(tmp_path):
    config, facts = kit.settings(tmp_path), {"digest": "abc"}
    resume.begin(config, facts)
    resume.check_same(kit.settings(tmp_path, save_every=1, workers=3), facts)
    for change in ({"flips": 0.25}, {"schedule": {"learning_rate": 1e-3}}, {"seed": 1}):
        with pytest.raises(InputError, match=f"was begun with another {next(iter(change))}"):
            resume.check_same(kit.settings(tmp_path, **change), facts)
    with pytest.raises(InputError, match="was begun with another digest"):
        resume.check_same(config, {"digest": "abd"})
    with pytest.raises(InputError, match="holds a training run already"):
        resume.begin(config, facts)
    settings = json.loads((config.out / "fit.json").read_text())
    assert FitConfig.from_dict(settings["config"]) == config
    (config.out / "fit.json").write_text("{")
    with pytest.raises(InputError, match=r"fit\.json can't be read"):
        resume.check_same(config, facts)


@pytest.mark.slow
def test_a_killed_process_goes_on(root, whole):
    """A real kill, by SIGKILL, at a moment between two checkpoints; with a process that loads pictures."""
    config = kit.settings(root, "killed", save_every=1)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import fit_kit as kit; from pathlib import Path\n"
        "from semanticface_training.stage2.fit import fit\n"
        "fit(kit.settings(Path(sys.argv[2]), 'killed', save_every=1, workers=1), resume_run=True)\n"
    )
    command = [sys.executable, "-c", code, str(Path(kit.__file__).parent), str(root)]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 120
    while 2 not in resume.checkpoints(config.out) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    there = resume.checkpoints(config.out)
    assert 2 in there
    assert 6 not in there
    subprocess.run(command, check=True, capture_output=True)
    kit.assert_same_end(whole, config.out)
