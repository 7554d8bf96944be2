"""Tiny wheels that stand for the real packages, and a package index on this machine that misbehaves on order."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

ASSETS = """
from pathlib import Path
from semanticface import paths
from semanticface.errors import SemanticFaceError
FACE_LANDMARKER = "face_landmarker"
def locate(asset):
    file = paths.models_dir() / "model.task"
    return file if file.exists() else None
def import_file(path):
    paths.models_dir().mkdir(parents=True, exist_ok=True)
    (paths.models_dir() / "model.task").write_bytes(Path(path).read_bytes())
def pull(asset, progress):
    progress(1, 2)
    here = locate(asset)
    if here is None:
        raise SemanticFaceError("it can't be fetched (bring the file)")
    return here
"""
PATHS = """
import os
from pathlib import Path
def models_dir():
    return Path(os.environ["SEMANTICFACE_HOME"]) / "models"
"""
ERRORS = "class SemanticFaceError(Exception): pass\n"
LIBRARIES = ("zmq", "msgpack", "numpy", "cv2", "av", "typer", "rich")


def wheel(
    folder: Path, name: str, version: str, files: Mapping[str, str | bytes], requires: Sequence[str] = (), tag: str = ""
) -> Path:
    """A wheel with these files, in the form that pip checks."""
    tag = tag or "py3-none-any"
    info = f"{name}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"]
    metadata += [f"Provides-Extra: {extra}\n" for extra in ("backend", "mllm")] if name == "semanticface" else []
    metadata += [f"Requires-Dist: {text}\n" for text in requires]
    content = {
        **files,
        f"{info}/METADATA": "".join(metadata),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{version}-{tag}.whl"
    lines = []
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for file, text in content.items():
            data = text if isinstance(text, bytes) else text.encode()
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            lines.append(f"{file},sha256={digest},{len(data)}\n")
            archive.writestr(file, data)
        archive.writestr(f"{info}/RECORD", "".join(lines) + f"{info}/RECORD,,\n")
    return path


def libraries(folder: Path, broken: str = "", extra: Mapping[str, str | bytes] | None = None) -> Path:
    """One wheel with everything that the extra `backend` needs; `broken` is a module that can't be imported."""
    files: dict[str, str | bytes] = {f"{name}/__init__.py": "" for name in LIBRARIES}
    files |= {"ai_edge_litert/__init__.py": "", "ai_edge_litert/interpreter.py": ""}
    if broken:
        files[f"{broken}/__init__.py"] = "raise ImportError('libGL.so.1: cannot open shared object file')"
    return wheel(folder, "tinylibs", "1.0", files | dict(extra or {}))


def package(folder: Path, version: str = "0.1.0", needs: str = "tinylibs") -> Path:
    """The wheel of a semanticface without content."""
    files = {
        "semanticface/__init__.py": f"__version__ = '{version}'",
        "semanticface/client.py": "",
        "semanticface/protocol.py": "MAJOR = 1",
        "semanticface/server/__init__.py": "",
        "semanticface/server/front.py": "",
        "semanticface/assets.py": ASSETS,
        "semanticface/paths.py": PATHS,
        "semanticface/errors.py": ERRORS,
    }
    return wheel(folder, "semanticface", version, files, [f"{needs}; extra == 'backend'"])


def wheels(folder: Path, version: str = "0.1.0") -> Path:
    """A whole folder."""
    libraries(folder)
    package(folder, version)
    return folder


@dataclass
class Index:
    """A package index: `status` is its answer to everything, `stall` seconds before a wheel comes, `cut` halves it."""

    url: str
    folder: Path
    status: int = 200
    stall: float = 0.0
    cut: bool = False
    asked: list[str] = field(default_factory=list)
    stalled: threading.Event = field(default_factory=threading.Event)


@contextmanager
def index(folder: Path) -> Iterator[Index]:
    """The wheels of a folder by HTTP, on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found.asked.append(self.path)
            if found.status != 200:
                self.send_error(found.status)
                return
            name = self.path.strip("/").rpartition("/")[2]
            if self.path.startswith("/files/"):
                self._file(folder / name)
                return
            links = [f'<a href="/files/{file.name}">{file.name}</a>' for file in sorted(folder.glob(f"{name}-*.whl"))]
            if not links:
                self.send_error(404)
                return
            self._answer("text/html", f"<!DOCTYPE html><html><body>{''.join(links)}</body></html>".encode())

        def _file(self, file: Path) -> None:
            if found.stall:
                found.stalled.set()
                time.sleep(found.stall)
            self._answer("application/octet-stream", file.read_bytes())

        def _answer(self, kind: str, data: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data[: len(data) // 2] if found.cut and kind != "text/html" else data)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Index(f"http://127.0.0.1:{server.server_address[1]}", folder)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
