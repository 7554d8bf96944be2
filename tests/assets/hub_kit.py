"""Two model hubs, their storage host and the prompt's host, as real servers on this machine, with faults on demand.

Hugging Face sends large files on to another host, as the real one does. Everything served is counted.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import struct
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from semanticface.actions import ACTIONS

BASE, ADAPTER = "Qwen/Qwen3-VL-4B-Instruct", "kangzejian/SemanticFace"
COMMIT = "c0ffee" + 34 * "0"
SYSTEM, USER = "You read faces.", "Name all of " + ", ".join(f'"{action.name}"' for action in ACTIONS)
LARGE = 4096
"""From this size on a file is kept as a large one: SHA-256 in the list, served by the storage host."""


def tensor_file(*sizes: int, seed: int = 0) -> bytes:
    """A safetensors file of U8 tensors with bytes that no other seed has."""
    header, data = {}, b""
    for number, size in enumerate(sizes):
        header[f"t{number}"] = {"dtype": "U8", "shape": [size], "data_offsets": [len(data), len(data) + size]}
        block = hashlib.sha256(b"%d %d" % (seed, number)).digest()
        data += (block * (size // 32 + 1))[:size]
    head = json.dumps(header).encode()
    return struct.pack("<Q", len(head)) + head + data


def base_files(shards: int = 2, size: int = 300_000) -> dict[str, bytes]:
    names = [f"model-{n + 1:05}-of-{shards:05}.safetensors" for n in range(shards)]
    index = {"metadata": {}, "weight_map": {f"t{n}": name for n, name in enumerate(names)}}
    return {
        "config.json": json.dumps({"model_type": "qwen3_vl"}).encode(),
        "generation_config.json": b"{}",
        "tokenizer.json": b'{"version": "1.0"}',
        "preprocessor_config.json": b"{}",
        "model.safetensors.index.json": json.dumps(index).encode(),
        **{name: tensor_file(size, seed=n) for n, name in enumerate(names)},
        "README.md": b"a model",
        "images/face.png": b"\x89PNG" * 3000,
        "pytorch_model.bin": b"\x80\x02pickle" * 900,
    }


def adapter_files() -> dict[str, bytes]:
    settings = {"peft_type": "LORA", "r": 8, "lora_alpha": 32, "base_model_name_or_path": BASE}
    return {
        "adapter_config.json": json.dumps(settings).encode(),
        "adapter_model.safetensors": tensor_file(40_000, seed=99),
        "additional_config.json": b'{"lora_dtype": null}',
        "README.md": b"an adapter",
        "optimizer.pt": b"\x80\x02" * 4000,
    }


def example_jsonl() -> bytes:
    chat = {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": f"<image>{USER}"}]}
    return (json.dumps(chat) + "\n").encode() * 2


@dataclass
class Site:
    """What the hosts have, what they do wrong, and what they were asked."""

    hf: dict[str, dict[str, bytes]] = field(default_factory=dict)
    ms: dict[str, dict[str, bytes]] = field(default_factory=dict)
    prompt: bytes = b""
    break_after: dict[str, list[int]] = field(default_factory=dict)
    """For a path, how many bytes the next answers send before the connection ends."""
    corrupt: Counter[str] = field(default_factory=Counter)
    """For a path, how many of the next answers have a wrong last byte."""
    hang: set[str] = field(default_factory=set)
    """Beginnings of request paths that are never answered."""
    sdk_address: bool = True
    """Whether ModelScope gives files at the address that its SDK uses, besides that of its pages."""
    page: int = 1000
    """Entries on one page of Hugging Face's list."""
    pace: float = 0.0
    """Seconds before each block of 64 KiB."""
    listed: dict[str, object] = field(default_factory=dict)
    """Hub name to a list of entries that is given instead of the true one."""
    lock: threading.Lock = field(default_factory=threading.Lock)
    requests: list[tuple[str, str, Mapping[str, str]]] = field(default_factory=list)
    served: Counter[str] = field(default_factory=Counter)
    """Bytes sent, by the file's path in its repository."""
    sending: int = 0
    """Files that are being sent."""
    hub: str = ""
    storage: str = ""

    def asked(self, part: str) -> int:
        """How many requests had this in their address."""
        return sum(part in address for _, address, _ in self.requests)

    def set_environment(self, environment) -> None:
        environment("HF_ENDPOINT", f"{self.hub}/hf")
        environment("MODELSCOPE_DOMAIN", f"{self.hub}/ms")
        environment("SEMANTICFACE_PROMPT_URL", f"{self.hub}/prompt/example.jsonl")


class _Handler(BaseHTTPRequestHandler):
    site: Site
    role: str

    def do_GET(self) -> None:
        site, split = self.site, urlsplit(self.path)
        with site.lock:
            site.requests.append((self.role, self.path, dict(self.headers)))
        if any(self.path.startswith(start) for start in site.hang):
            time.sleep(20)
            return
        with contextlib.suppress(ConnectionError):
            self.route(unquote(split.path), {name: values[0] for name, values in parse_qs(split.query).items()})

    def route(self, path: str, query: Mapping[str, str]) -> None:
        site = self.site
        if path == "/prompt/example.jsonl":
            self.send_file("example.jsonl", site.prompt) if site.prompt else self.send_error(404)
        elif path.startswith("/storage/"):
            _, _, owner, name, file = path.split("/", 4)
            self.send_file(file, site.hf[f"{owner}/{name}"][file])
        elif path.startswith("/hf/"):
            self.hugging_face(path.removeprefix("/hf"), query)
        elif path.startswith("/ms/api/v1/models/"):
            self.model_scope(path.removeprefix("/ms/api/v1/models/"), query)
        elif path.startswith("/ms/models/"):
            repo, _, name = path.removeprefix("/ms/models/").partition("/resolve/master/")
            found = site.ms.get(repo, {}).get(name)
            self.send_error(404) if found is None else self.send_file(name, found)
        else:
            self.send_error(404)

    def hugging_face(self, path: str, query: Mapping[str, str]) -> None:
        for repo, files in self.site.hf.items():
            if path == f"/api/models/{repo}/revision/main":
                return self.send_json({"sha": COMMIT})
            if path == f"/api/models/{repo}/tree/{COMMIT}":
                return self.send_tree(files, int(query.get("cursor", 0)))
            lead = f"/{repo}/resolve/{COMMIT}/"
            name = path.removeprefix(lead)
            if path.startswith(lead) and name in files:
                if len(files[name]) < LARGE:
                    return self.send_file(name, files[name])
                self.send_response(302)
                self.send_header("Location", f"{self.site.storage}/storage/{repo}/{name}")
                self.send_header("Content-Length", "0")
                return self.end_headers()
        self.send_error(404)

    def model_scope(self, path: str, query: Mapping[str, str]) -> None:
        for repo, files in self.site.ms.items():
            if path == f"{repo}/repo/files":
                tree = [{"Path": "images", "Type": "tree", "Size": 0, "Sha256": ""}]
                listed = self.site.listed.get("ms") or tree + [_ms_entry(*item) for item in files.items()]
                return self.send_json({"Code": 200, "Data": {"Files": listed}})
            if self.site.sdk_address and path == f"{repo}/repo" and query.get("FilePath") in files:
                return self.send_file(query["FilePath"], files[query["FilePath"]])
        self.send_error(404)

    def send_tree(self, files: Mapping[str, bytes], cursor: int) -> None:
        entries = self.site.listed.get("hf") or [_hf_entry(*item) for item in files.items()]
        end = cursor + self.site.page
        address = f"{self.site.hub}{urlsplit(self.path).path}?recursive=true&cursor={end}"
        self.send_json(entries[cursor:end], {"Link": f'<{address}>; rel="next"'} if end < len(entries) else {})

    def send_json(self, data: object, headers: Mapping[str, str] | None = None) -> None:
        body = json.dumps(data).encode()
        self.send_response(200)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def send_file(self, name: str, body: bytes) -> None:
        site, total = self.site, len(body)
        wanted = self.headers.get("Range")
        start = int(wanted[6:-1]) if wanted else 0
        with site.lock:
            if site.corrupt[name] > 0:
                site.corrupt[name] -= 1
                body = body[:-1] + bytes([body[-1] ^ 1])
            breaks = site.break_after.get(name)
            most = breaks.pop(0) if breaks else total
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{total - 1}/{total}")
        self.send_header("Content-Length", str(total - start))
        self.end_headers()
        body = body[start:][:most]
        self.send_blocks(name, body)

    def send_blocks(self, name: str, body: bytes) -> None:
        site = self.site
        with site.lock:
            site.sending += 1
        try:
            for begin in range(0, len(body), 1 << 16):
                time.sleep(site.pace)
                block = body[begin : begin + (1 << 16)]
                with site.lock:  # before the last block arrives and the test goes on
                    site.served[name] += len(block)
                self.wfile.write(block)
        finally:
            self.close_connection = True
            with site.lock:
                site.sending -= 1

    def log_message(self, *args: object) -> None:
        pass


def _hf_entry(path: str, body: bytes) -> dict[str, object]:
    git = hashlib.sha1(b"blob %d\0" % len(body) + body).hexdigest()
    if len(body) < LARGE:
        return {"type": "file", "path": path, "size": len(body), "oid": git}
    lfs = {"oid": hashlib.sha256(body).hexdigest(), "size": len(body), "pointerSize": 134}
    return {"type": "file", "path": path, "size": len(body), "oid": 40 * "0", "lfs": lfs}


def _ms_entry(path: str, body: bytes) -> dict[str, object]:
    digest = hashlib.sha256(body).hexdigest().upper()
    return {"Path": path, "Type": "blob", "Size": len(body), "Sha256": digest, "Revision": COMMIT}


@contextlib.contextmanager
def serve(site: Site) -> Iterator[Site]:
    """The hub's host and the storage's host, each at a port of its own."""
    servers = []
    for role in ("hub", "storage"):
        handler = type("Handler", (_Handler,), {"site": site, "role": role})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        setattr(site, role, f"http://127.0.0.1:{server.server_address[1]}")
        servers.append(server)
    try:
        yield site
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()


def write_files(folder: Path, files: Mapping[str, bytes]) -> Path:
    for name, body in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return folder
