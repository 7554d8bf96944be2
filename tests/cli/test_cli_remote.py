"""`semanticface remote`: servers are written down, shown, tried and forgotten; what leaves the machine is said."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "engines" / "remote"))

from chat_server import Flavour, Script, chat_server

from semanticface.cli.output import ExitCode
from semanticface.engines.mllm.profile import Layout, Profile

Run = Callable[..., subprocess.CompletedProcess[str]]
PROFILE = Profile("test", "Answer exactly.", "Describe the face.", layouts=(Layout.BARE,))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """The command in a home of its own."""

    def command(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        code = "from semanticface.cli import main; main()"
        environment = {**os.environ, "SEMANTICFACE_HOME": str(tmp_path / "home"), **variables}
        return subprocess.run(
            [sys.executable, "-c", code, "remote", *arguments],
            capture_output=True, text=True, timeout=60, env=environment, check=False,
        )  # fmt: skip

    return command


@pytest.fixture
def profile_file(tmp_path: Path) -> str:
    PROFILE.save(tmp_path)
    return str(tmp_path / "profile.json")


def add(run: Run, name: str, url: str, profile: str, *options: str) -> subprocess.CompletedProcess[str]:
    return run("add", name, url, "--model", "semanticface", "--profile", profile, *options)


def test_a_server_is_added_listed_and_removed(run: Run, profile_file: str, tmp_path: Path) -> None:
    done = add(run, "farm", "http://127.0.0.1:8000", profile_file, "--concurrency", "32", "--json")
    assert done.returncode == ExitCode.OK, done.stderr
    added = json.loads(done.stdout)
    assert (added["url"], added["concurrency"], added["local"]) == ("http://127.0.0.1:8000/v1", 32, True)
    assert added["remarks"] == []
    (shown,) = map(json.loads, run("list", "--json").stdout.splitlines())
    assert shown["name"] == "farm" and shown["profile"] == {"name": "test"}
    Path(profile_file).unlink()  # its content was kept
    assert "test (in file)" in run("list").stdout
    assert run("remove", "farm").returncode == ExitCode.OK
    assert run("list", "--json").stdout == ""
    assert run("remove", "farm").returncode == ExitCode.USAGE


def test_pictures_that_leave_the_machine_are_announced(run: Run, profile_file: str) -> None:
    done = add(run, "farm", "https://gpu.studio.example", profile_file)
    assert "leaves this machine and goes to gpu.studio.example" in done.stderr and "unencrypted" not in done.stderr
    plain = add(run, "farm", "http://gpu.studio.example:8000", profile_file)
    assert "pictures and answers travel unencrypted" in plain.stderr


def test_a_key_does_not_travel_without_tls_unless_told(run: Run, profile_file: str) -> None:
    where = "http://gpu.studio.example:8000"
    refused = add(run, "farm", where, profile_file, "--key-variable", "STUDIO_KEY")
    assert refused.returncode == ExitCode.USAGE and "--insecure" in refused.stderr
    assert run("list", "--json").stdout == ""
    told = add(run, "farm", where, profile_file, "--key-variable", "STUDIO_KEY", "--insecure")
    assert told.returncode == ExitCode.OK and "API key travel unencrypted" in told.stderr
    tunnel = add(run, "farm", "http://localhost:8000", profile_file, "--key-variable", "STUDIO_KEY")
    assert tunnel.returncode == ExitCode.OK


def test_a_key_given_instead_of_its_variable_is_refused_and_not_repeated(run: Run, profile_file: str) -> None:
    done = add(run, "farm", "http://127.0.0.1:8000", profile_file, "--key-variable", "sk-abc123")
    assert done.returncode == ExitCode.USAGE and "sk-abc123" not in done.stderr + done.stdout


def test_keys_are_shown_as_set_or_not(run: Run, profile_file: str) -> None:
    add(run, "farm", "http://127.0.0.1:8000", profile_file, "--key-variable", "STUDIO_KEY")
    (unset,) = map(json.loads, run("list", "--json").stdout.splitlines())
    done = run("list", "--json", STUDIO_KEY="sk-abc123")
    assert (unset["key"], json.loads(done.stdout)["key"]) == ("not set here", "set")
    assert "sk-abc123" not in done.stdout


def test_a_checkpoint_that_is_not_here_is_refused(run: Run) -> None:
    done = add(run, "farm", "http://127.0.0.1:8000", "nobodys-checkpoint")
    assert done.returncode == ExitCode.ASSET and "nobodys-checkpoint" in done.stderr


def test_an_installed_checkpoints_profile_needs_no_weights(run: Run, tmp_path: Path) -> None:
    folder = tmp_path / "home" / "models" / "checkpoints" / "ours"
    folder.mkdir(parents=True)
    replace(PROFILE, name="ours").save(folder)
    assert add(run, "farm", "http://127.0.0.1:8000", "ours").returncode == ExitCode.OK
    (shown,) = map(json.loads, run("list", "--json").stdout.splitlines())
    assert shown["profile"] == "ours"


@pytest.mark.parametrize(("flavour", "grammar"), [(Flavour.SGLANG, "regex"), (Flavour.STRICT, "none")])
def test_trying_a_server_tells_what_it_understands(run: Run, profile_file: str, flavour: Flavour, grammar: str) -> None:
    with chat_server(Script(flavour)) as server:
        add(run, "farm", server.url, profile_file)
        done = run("test", "farm", "--json")
        words = run("test", "farm")
    assert done.returncode == ExitCode.OK, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["grammar"], report["logprobs"], report["status"]) == (grammar, True, "ok")
    assert report["picture_tokens"] == {"expected": 196, "counted": 196}
    assert "semanticface" in report["models"] and report["seconds"] > 0
    assert f"grammar: {grammar}" in words.stderr and "resizes" not in words.stderr


def test_a_server_that_resizes_pictures_is_found_out(run: Run, profile_file: str, samples: Path) -> None:
    with chat_server(Script(prompt_tokens=lambda tokens: 700 + (258 if tokens else 0))) as server:
        add(run, "farm", server.url, profile_file)
        done = run("test", "farm")
    assert "196 meant, 256 counted" in done.stderr and "resizes" in done.stderr


def test_an_answer_that_cant_be_read_has_its_exit_code(run: Run, profile_file: str) -> None:
    with chat_server(Script(answer=lambda values: "What a nice face.", flavour=Flavour.PLAIN)) as server:
        add(run, "farm", server.url, profile_file)
        done = run("test", "farm")
    assert done.returncode == ExitCode.FRAMES and "unparseable" in done.stderr


def test_a_server_that_is_not_there_has_its_exit_code(run: Run, profile_file: str) -> None:
    with chat_server() as server:
        add(run, "farm", server.url, profile_file)
    done = run("test", "farm", "--json")
    assert done.returncode == ExitCode.BACKEND
    assert json.loads(done.stdout)["error"]["kind"] == "engine"
