"""Pulls by the command itself: killed half-way, two at once, through a proxy; and what it tells programs."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from hub_kit import BASE, Site, tensor_file

from semanticface.assets.transfer import ONCE, SourceFailed, ask
from semanticface.engines.mllm.checkpoint import find_checkpoint

SHARD = "model-00001-of-00002.safetensors"
LATER = "model-00002-of-00002.safetensors"
COMMAND = [sys.executable, "-c", "from semanticface.cli import main; main()", "models"]


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command in a process of its own; its lines are read by the test."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen([*COMMAND, *arguments], text=True, **pipes)


def finish(process: subprocess.Popen[str]) -> list[dict]:
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, (out, err)
    return [json.loads(line) for line in out.splitlines()]


def enlarge(hubs: Site, size: int = 4 << 20) -> int:
    for hub in (hubs.hf, hubs.ms):
        hub[BASE][SHARD], hub[BASE][LATER] = tensor_file(size, seed=1), tensor_file(size, seed=2)
    return len(hubs.hf[BASE][SHARD])


def until(condition, seconds: float = 30.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not come to that"
        time.sleep(0.01)


def test_a_killed_pull_is_finished_by_the_next_with_the_missing_bytes_alone(hubs: Site):
    size = enlarge(hubs)
    hubs.pace = 0.02
    first = start("pull", "semanticface", "--json")
    until(lambda: hubs.served[LATER] > 1 << 20)
    first.send_signal(signal.SIGKILL)
    first.communicate()
    until(lambda: hubs.sending == 0)
    left = sum(path.stat().st_size for path in Path(os.environ["SEMANTICFACE_HOME"]).rglob(f"{LATER}.part"))
    assert 0 < left < size
    assert hubs.served[SHARD] == size
    hubs.served.clear()
    hubs.pace = 0.0
    lines = finish(start("pull", "semanticface", "--json"))
    assert lines[-1]["name"] == "semanticface"
    assert hubs.served[LATER] == size - left
    assert hubs.served[SHARD] == 0
    assert (find_checkpoint().base / LATER).read_bytes() == hubs.hf[BASE][LATER]


def test_two_pulls_at_once_fetch_everything_once(hubs: Site):
    size = enlarge(hubs)
    hubs.pace = 0.2
    first = start("pull", "semanticface", "--json")
    until(lambda: hubs.served["adapter_model.safetensors"] > 0)
    second = start("pull", "semanticface", "--json")
    assert second.stdout is not None
    assert "waiting" in json.loads(second.stdout.readline())["remark"]
    hubs.pace = 0.0
    assert finish(first)[-1] == finish(second)[-1]
    assert (hubs.served[SHARD], hubs.served[LATER]) == (size, size)


def test_json_output_tells_progress_and_ends_with_the_place(hubs: Site):
    enlarge(hubs)
    hubs.pace = 0.04
    lines = finish(start("pull", "semanticface", "--json"))
    steps = [line for line in lines if "progress" in line]
    assert len(steps) > 2
    assert all(0 <= line["bytes"] <= line["total"] for line in steps)
    assert Path(lines[-1]["path"]) == find_checkpoint().folder


def test_a_pull_for_people_shows_no_traceback_when_it_fails(hubs: Site):
    hubs.ms.clear()
    process = start("pull", "semanticface")
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (5, "")
    assert "404" in err
    assert "Traceback" not in err


def test_pulling_and_listing_load_no_torch(hubs: Site):
    code = (
        "import sys; from semanticface.cli.models import run_list, run_pull\n"
        "run_pull('semanticface', None, True); run_list(True)\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'zmq'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1]) == (0, "[]"), done.stderr


class _Forward(BaseHTTPRequestHandler):
    """A plain forwarding proxy: fetches the absolute address that it is asked for."""

    asked: list[str]

    def do_GET(self) -> None:
        self.asked.append(self.path)
        names = ("Range", "Authorization", "User-Agent")
        headers = {name: self.headers[name] for name in names if self.headers[name]}
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}), _Stay)
        try:
            answer = direct.open(urllib.request.Request(self.path, headers=headers))
        except urllib.error.HTTPError as error:
            answer = error
        with answer:
            body = answer.read()
            self.send_response(answer.status)
            for name in ("Location", "Content-Range"):
                if answer.headers[name]:
                    self.send_header(name, answer.headers[name])
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: object) -> None:
        return None


@pytest.fixture
def proxy() -> Iterator[tuple[str, list[str]]]:
    asked: list[str] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Forward,), {"asked": asked}))
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}", asked
    server.shutdown()
    server.server_close()


def test_everything_goes_through_the_environments_proxy(hubs: Site, proxy, monkeypatch: pytest.MonkeyPatch):
    """The proxy and the hubs count the same requests: none came another way."""
    address, asked = proxy
    monkeypatch.setenv("http_proxy", address)
    finish(start("pull", "semanticface", "--json"))
    assert len(asked) == len(hubs.requests)
    assert find_checkpoint().name == "semanticface"


def test_hosts_of_no_proxy_are_asked_directly(hubs: Site, proxy, monkeypatch: pytest.MonkeyPatch):
    address, asked = proxy
    monkeypatch.setenv("http_proxy", address)
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    finish(start("pull", BASE, "--json"))
    assert asked == []
    assert hubs.requests


@pytest.mark.parametrize("address", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x"])
def test_only_web_addresses_are_asked_even_when_a_server_sends_on_to_others(address: str):
    class Elsewhere(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", address)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        for url in (address, f"http://127.0.0.1:{server.server_address[1]}/"):
            with pytest.raises(SourceFailed, match=r"no http or https|not followed|answered 302"):
                ask(url, {}, ONCE)
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.skipif(not shutil.which("openssl"), reason="makes a certificate with openssl")
def test_a_server_cannot_lead_from_https_to_http(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real TLS server whose certificate the client trusts."""
    import ssl

    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *names]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    plain: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            plain.append(self.path)
            self.send_response(302)
            self.send_header("Location", f"http://localhost:{self.server.server_address[1]}/plain")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        with pytest.raises(SourceFailed, match="not followed"):
            ask(f"https://localhost:{server.server_address[1]}/", {}, ONCE)
    finally:
        server.shutdown()
        server.server_close()
    assert plain == ["/"]
