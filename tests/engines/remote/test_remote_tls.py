"""HTTPS with a studio's own certificates: trusted when the file is named, refused otherwise."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from chat_server import chat_server
from remote_kit import frames, run, server_at

from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.engine import connect
from semanticface.errors import EngineError
from semanticface.results import Status


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that nobody signed but itself, with its key in the same file."""
    if shutil.which("openssl") is None:
        pytest.skip("the openssl command is not here to make a certificate")
    folder = tmp_path_factory.mktemp("tls")
    made = subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
         "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "cert.pem"],
        cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert made.returncode == 0, made.stderr
    (folder / "both.pem").write_text((folder / "key.pem").read_text() + (folder / "cert.pem").read_text())
    return folder / "both.pem"


def test_the_studios_own_certificates_are_trusted_when_named(certificate: Path, profile: Profile) -> None:
    with chat_server(tls=certificate) as server:
        engine = connect(server_at(server.url, profile, ca=str(certificate.with_name("cert.pem"))))
        assert run(engine, frames([0.5]))[0].status is Status.OK
        engine.close()


def test_a_certificate_that_nobody_vouches_for_is_refused(certificate: Path, profile: Profile) -> None:
    with chat_server(tls=certificate) as server:
        with pytest.raises(EngineError, match=r"(?i)certificate"):
            connect(server_at(server.url, profile))
        assert server.seen.paths == []


def test_a_file_that_holds_no_certificates_is_named(profile: Profile, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    for name in ("ca.pem", "missing.pem"):
        with pytest.raises(EngineError, match=name):
            connect(server_at("https://127.0.0.1:1/v1", profile, ca=str(tmp_path / name)))
