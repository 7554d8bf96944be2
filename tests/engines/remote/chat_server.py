"""A server that speaks the chat protocol as vLLM, SGLang or OpenAI do, on a real socket, with faults on order.

It looks at the picture that it gets: its answers carry the picture's mean brightness in JawOpen, so that a test sees
which answer belongs to which frame. Probabilities are laid over the digits as the test says.
"""

from __future__ import annotations

import base64
import json
import re
import socket
import ssl
import struct
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from chat_answers import bare_answer, entries, peaked, values_of

MODEL = "semanticface"
OPENAI_FIELDS = {
    "model", "messages", "temperature", "presence_penalty", "frequency_penalty", "max_tokens", "stream",
    "stream_options", "logprobs", "top_logprobs", "prediction",
}  # fmt: skip


class Flavour(StrEnum):
    VLLM = "structured_outputs"
    OLD_VLLM = "guided_regex"
    SGLANG = "regex"
    PLAIN = "plain"
    """Ignores every field that it doesn't know, grammars too."""
    STRICT = "strict"
    """Refuses every field that it doesn't know."""


@dataclass
class Script:
    """What the server is and does. `faults` are used up, one a picture; see `_Handler._misbehave`."""

    flavour: Flavour = Flavour.VLLM
    models: tuple[str, ...] = ("Qwen/Qwen3-VL-4B-Instruct", MODEL)
    key: str = ""
    answer: Callable[[Mapping[str, float]], str] = bare_answer
    faults: deque[str] = field(default_factory=deque)
    always: str = ""
    """A fault of every request with a picture."""
    delay: float = 0.0
    token_delay: float = 0.0
    logprobs: bool = True
    refuses: tuple[str, ...] = ()
    """Fields whose presence gives status 400."""
    distribution: Callable[[int, int], list[float]] = peaked
    ends_with_special_token: bool = True
    rather: str = ""
    """A token that the model would rather write, everywhere."""
    prompt_tokens: Callable[[int], int] = lambda tokens: 700 + (tokens + 2 if tokens else 0)


@dataclass
class Seen:
    """What came in."""

    bodies: list[dict[str, Any]] = field(default_factory=list)
    shapes: list[tuple[int, int]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    most_at_once: int = 0
    now: int = 0
    dropped: int = 0
    """Answers that the client did not wait for."""

    @property
    def pictures(self) -> list[dict[str, Any]]:
        """The requests with a picture."""
        return [body for body in self.bodies if picture_in(body)]


def picture_in(body: Mapping[str, Any]) -> str:
    for message in body.get("messages", ()):
        for part in message["content"] if isinstance(message["content"], list) else ():
            if part["type"] == "image_url":
                return str(part["image_url"]["url"])
    return ""


class ChatServer:
    """The running server; `url` with /v1. `stop` and `start` play a restart on the same port."""

    def __init__(self, script: Script, tls: Path | None = None, port: int = 0) -> None:
        self.script = script
        self.seen = Seen()
        self.lock = threading.Lock()
        self._tls = tls
        self._port = port
        self._http: _Http | None = None
        self.start()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}/v1"

    def start(self) -> None:
        http = _Http(("127.0.0.1", self._port), _Handler)
        http.chat = self
        if self._tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self._tls)
            http.socket = context.wrap_socket(http.socket, server_side=True)
        self._port = http.server_address[1]
        self._http = http
        threading.Thread(target=http.serve_forever, args=(0.01,), daemon=True).start()

    def stop(self) -> None:
        """Gone at once, connections in use included."""
        http, self._http = self._http, None
        if http is not None:
            http.shutdown()
            http.server_close()
            for connection in list(http.connections):
                _reset(connection)


@contextmanager
def chat_server(script: Script | None = None, tls: Path | None = None) -> Iterator[ChatServer]:
    server = ChatServer(script or Script(), tls)
    try:
        yield server
    finally:
        server.stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 256
    chat: ChatServer

    def __init__(self, *arguments: Any) -> None:
        self.connections: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, address: Any) -> None:
        self.connections.add(request)
        super().process_request(request, address)

    def shutdown_request(self, request: Any) -> None:
        self.connections.discard(request)
        super().shutdown_request(request)

    def handle_error(self, request: Any, address: Any) -> None:
        """A client that went away is no news."""


def _reset(connection: socket.socket) -> None:
    try:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def log_message(self, *arguments: Any) -> None:
        """Silence."""

    @property
    def script(self) -> Script:
        return self.server.chat.script

    @property
    def seen(self) -> Seen:
        return self.server.chat.seen

    def do_GET(self) -> None:
        self.seen.paths.append(self.path)
        if self._allowed():
            data = [{"id": name, "object": "model", "root": f"/models/{name}"} for name in self.script.models]
            self._json(200, {"object": "list", "data": data})

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with self.server.chat.lock:
            self.seen.paths.append(self.path)
            self.seen.bodies.append(body)
            self.seen.headers.append(dict(self.headers))
            self.seen.now += 1
            self.seen.most_at_once = max(self.seen.most_at_once, self.seen.now)
        try:
            if self._allowed() and self._accepted(body):
                self._answer(body)
        except (BrokenPipeError, ConnectionResetError):
            self.seen.dropped += 1
            self.close_connection = True
        finally:
            with self.server.chat.lock:
                self.seen.now -= 1

    def _allowed(self) -> bool:
        if self.script.key and self.headers.get("Authorization") != f"Bearer {self.script.key}":
            told = self.headers.get("Authorization", "").removeprefix("Bearer ")
            self._error(401, f"Incorrect API key provided: {told}")
            return False
        return True

    def _accepted(self, body: dict[str, Any]) -> bool:
        unknown = set(body) - OPENAI_FIELDS if self.script.flavour is Flavour.STRICT else set()
        refused = sorted(unknown | (set(body) & set(self.script.refuses)))
        if refused:
            self._error(400, f"Unrecognized request argument supplied: {refused[0]}")
        elif body["model"] not in self.script.models:
            self._error(404, f"The model `{body['model']}` does not exist.")
        return not refused and body["model"] in self.script.models

    def _answer(self, body: dict[str, Any]) -> None:
        url = picture_in(body)
        if not url:
            return self._reply(body, self._constrained(body, "Hello! How can I help you today?"), 0)
        picture = cv2.imdecode(np.frombuffer(base64.b64decode(url.partition(",")[2]), np.uint8), cv2.IMREAD_COLOR)
        self.seen.shapes.append(picture.shape[:2])
        tokens = picture.shape[0] * picture.shape[1] // 1024
        with self.server.chat.lock:
            fault = self.script.always or (self.script.faults.popleft() if self.script.faults else "")
        time.sleep(self.script.delay)
        values = values_of(round(float(picture.mean()) / 255, 3))
        text = self.script.answer(values)
        if body["messages"][-1]["role"] == "assistant":
            assert body["continue_final_message"] and not body["add_generation_prompt"]
            begun = body["messages"][-1]["content"]
            text = (text[text.index('{"EyeBlinkLeft"') :] if "arkit" not in begun else text).partition(
                '"EyeBlinkLeft":'
            )[2]
        return (
            None
            if fault and self._misbehave(fault, body, text)
            else self._reply(body, self._constrained(body, text), tokens)
        )

    def _constrained(self, body: Mapping[str, Any], text: str) -> str:
        """What a grammar makes of an answer: a text that fits it, if this server follows grammars in this field."""
        name = self.script.flavour.value
        regex = body.get(name, {}).get("regex", "") if name == "structured_outputs" else body.get(name, "")
        if not regex or re.fullmatch(regex, text):
            return text
        return "SF-123" if "SF" in regex else bare_answer(values_of(0.5))

    def _misbehave(self, fault: str, body: Mapping[str, Any], text: str) -> bool:
        """Do what the fault says; False where an answer follows all the same."""
        name, _, detail = fault.partition(":")
        match name:
            case "status":
                status, _, wait = detail.partition(",")
                self._error(int(status), "as the test says", {"Retry-After": wait} if wait else {})
            case "reset":
                _reset(self.connection)
                self.close_connection = True
            case "hang":
                time.sleep(float(detail))
                raise BrokenPipeError
            case "refuse":
                self._error(400, detail)
            case "raw":
                self._send(200, "application/json", detail.encode())
            case "half":
                self._half(body, text)
            case "silent":
                self._reply(body, "", 0)
            case "length":
                self._reply(body, text[: int(detail)], 0, "length")
            case "answer":
                self._reply(body, detail, 0)
            case "error-event":
                self._events([json.dumps({"error": {"message": detail, "code": 500}})])
            case "redirect":
                self._send(307, "text/plain", b"", {"Location": "http://127.0.0.1:9/v1/chat/completions"})
            case _:
                return False
        return True

    def _half(self, body: Mapping[str, Any], text: str) -> None:
        """An answer that breaks off in the middle."""
        if body["stream"]:
            self._events([json.dumps(self._chunk(text[:40]))])
        else:
            data = json.dumps(self._whole(body, text, 0, "stop")).encode()
            self._send(200, "application/json", data[: len(data) // 2], {"Content-Length": str(len(data))})
        _reset(self.connection)
        self.close_connection = True

    def _reply(self, body: Mapping[str, Any], text: str, tokens: int, finish: str = "stop") -> None:
        if not body.get("stream"):
            return self._json(200, self._whole(body, text, tokens, finish))
        events = []
        for entry in self._entries(text):
            wanted = body.get("logprobs") and self.script.logprobs
            events.append(json.dumps(self._chunk(entry["shown"], {"content": [entry["lp"]]} if wanted else None)))
        events.append(json.dumps(self._chunk("", None, finish)))
        if body.get("stream_options"):
            events.append(json.dumps({"choices": [], "usage": {"prompt_tokens": self.script.prompt_tokens(tokens)}}))
        return self._events([*events, "[DONE]"], self.script.token_delay)

    def _whole(self, body: Mapping[str, Any], text: str, tokens: int, finish: str) -> dict[str, Any]:
        logprobs = None
        if body.get("logprobs") and self.script.logprobs:
            logprobs = {"content": [entry["lp"] for entry in self._entries(text)]}
        message = {"role": "assistant", "content": text}
        choice = {"index": 0, "message": message, "finish_reason": finish, "logprobs": logprobs}
        return {"choices": [choice], "usage": {"prompt_tokens": self.script.prompt_tokens(tokens)}}

    def _chunk(self, text: str, logprobs: Any = None, finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": {"content": text}, "logprobs": logprobs, "finish_reason": finish}
        return {"object": "chat.completion.chunk", "choices": [choice]}

    def _entries(self, text: str) -> tuple[dict[str, Any], ...]:
        return entries(text, self.script.distribution, self.script.ends_with_special_token, self.script.rather)

    def _events(self, events: list[str], delay: float = 0.0) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        step = 1 if delay else 64
        for start in range(0, len(events), step):
            data = "".join(f"data: {event}\n\n" for event in events[start : start + step]).encode()
            self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
            self.wfile.flush()
            time.sleep(delay)
        self.wfile.write(b"0\r\n\r\n")

    def _json(self, status: int, body: Mapping[str, Any]) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _error(self, status: int, message: str, headers: Mapping[str, str] | None = None) -> None:
        data = json.dumps({"error": {"message": message, "type": "Error", "code": status}}).encode()
        self._send(status, "application/json", data, headers or {})

    def _send(self, status: int, kind: str, data: bytes, headers: Mapping[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(data)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)
