"""The bench's figures, from the command as a user runs it."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest


def run(frames: int, *more: str) -> dict:
    script = "from semanticface_training.cli import main; main()"
    command = [sys.executable, "-c", script, "bench", "metrics", "--json", "--frames", str(frames), *more]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode in (0, 1), done.stderr
    return json.loads(done.stdout)


def test_bench_metrics_says_what_each_metric_took_and_the_peak_of_memory() -> None:
    found = run(1_200, "--width", "16")
    assert found["frames"] == 1_200 and found["seconds"].keys() == found["processor"].keys()
    assert found["total"] == pytest.approx(sum(found["seconds"].values()))
    if sys.platform == "linux":
        assert 30 << 20 < found["peak_bytes"] < 1 << 30


@pytest.mark.slow
def test_a_hundred_thousand_frames_stay_within_ten_seconds_of_the_processor_and_two_gigabytes() -> None:
    """By the processor's clock: the machine may be busy with other tests."""
    found = run(100_000)
    assert sum(found["processor"].values()) < 2 * found["asked_seconds"]
    assert found["peak_bytes"] is None or found["peak_bytes"] < found["asked_bytes"]
