"""The connection to one server: requests out, replies or `Trouble` back, in a thread of its own.

One asyncio loop for all requests, so that any number can be in flight, each with a deadline, and be dropped at once.
Certificates are the system's or those of the studio's own file; proxies are the environment's, but never for this
machine; redirects are not followed, since only the address that the user wrote down is asked. The API key goes into
one header and is cut out of everything that the server says. This module knows nothing of frames or answers.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from concurrent.futures import Future
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar

from semanticface.engines.remote.settings import Server
from semanticface.engines.remote.trouble import Kind, Trouble, kind_of, retry_after
from semanticface.engines.remote.wire import MAX_REPLY, Gathered, Malformed, Reply, error_message, parse_reply
from semanticface.errors import EngineError

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
_LONGEST_COMPLAINT = 500
_CLOSING_SECONDS = 5.0

T = TypeVar("T")


class Link:
    """Requests to one server. `submit` may be called from any thread; the coroutines run in the link's own."""

    def __init__(self, server: Server) -> None:
        """Raises OptionsError when the key is not there, EngineError when the certificates can't be read."""
        self._server = server
        self._key = server.key()
        self._client = _client(server, self._key)
        self._loop = asyncio.new_event_loop()
        self._slots = asyncio.Semaphore(server.concurrency)
        self._lock = threading.Lock()
        self._closed = False
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True, name="semanticface-remote")
        self._thread.start()

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start a coroutine; cancelling the future drops its request and connection. Raises EngineError once closed."""
        with self._lock:
            if self._closed:
                work.close()
                raise EngineError("the remote engine is closed")
            return asyncio.run_coroutine_threadsafe(work, self._loop)

    def close(self) -> None:
        """Drop what is in flight and end the thread. Closing twice does no harm."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            asyncio.run_coroutine_threadsafe(self._end(), self._loop)
        self._thread.join(_CLOSING_SECONDS)
        if not self._thread.is_alive():
            self._loop.close()

    async def get(self, path: str) -> bytes:
        """The body at this path below the server's address. Raises Trouble."""
        try:
            return await self._limited(self._whole("GET", path, None))
        except Malformed as error:
            raise Trouble(Kind.BROKEN, f"it sent {error}") from None

    async def chat(self, body: Mapping[str, Any], told: Callable[[str], None] | None = None) -> Reply:
        """The reply to a chat request, as a stream when `told` wants the text as it grows. Raises Trouble.

        The server's `timeout` holds from the first byte sent to the last one received.
        """
        data = json.dumps({**body, "stream": told is not None}).encode()
        async with self._slots:
            try:
                if told is not None:
                    return await self._limited(self._stream(data, told))
                return parse_reply(await self._limited(self._whole("POST", "/chat/completions", data)))
            except Malformed as error:
                raise Trouble(Kind.BROKEN, self._clean(f"it sent {error}")) from None

    async def _limited(self, work: Coroutine[Any, Any, T]) -> T:
        import httpx2

        seconds = self._server.timeout
        try:
            async with asyncio.timeout(seconds):
                return await work
        except (TimeoutError, httpx2.ReadTimeout, httpx2.WriteTimeout):
            raise Trouble(Kind.SLOW, f"no whole answer within {seconds:g} s") from None
        except (httpx2.RemoteProtocolError, httpx2.ReadError) as error:
            raise Trouble(Kind.BROKEN, f"the connection broke while it answered ({_named(error)})") from None
        except httpx2.DecodingError as error:
            raise Trouble(Kind.BROKEN, f"an answer that can't be unpacked ({_named(error)})") from None
        except (httpx2.HTTPError, OSError) as error:
            raise Trouble(Kind.AWAY, f"no connection ({_named(error)})") from None

    @asynccontextmanager
    async def _open(self, method: str, path: str, data: bytes | None) -> AsyncIterator[httpx2.Response]:
        """The response once its head is here; a server that goes before that was never there."""
        import httpx2

        request = self._client.build_request(method, self._server.url + path, content=data)
        try:
            response = await self._client.send(request, stream=True)
        except (httpx2.RemoteProtocolError, httpx2.ReadError) as error:
            raise Trouble(Kind.AWAY, f"it hung up without an answer ({_named(error)})") from None
        try:
            yield response
        finally:
            await response.aclose()

    async def _whole(self, method: str, path: str, data: bytes | None) -> bytes:
        async with self._open(method, path, data) as response:
            body = await _body(response)
            self._expect_success(response, body)
            return body

    async def _stream(self, data: bytes, told: Callable[[str], None]) -> Reply:
        async with self._open("POST", "/chat/completions", data) as response:
            if not response.is_success:
                self._expect_success(response, await _body(response))
            if "text/event-stream" not in response.headers.get("content-type", ""):
                return parse_reply(await _body(response))  # a server that doesn't stream
            gathered = Gathered()
            async for event in _events(response):
                if event == "[DONE]":
                    break
                gathered.event(event)
                told(gathered.text)
            return gathered.reply()

    def _expect_success(self, response: httpx2.Response, body: bytes) -> None:
        """Raise Trouble for any status but 2xx."""
        if response.is_success:
            return
        status = response.status_code
        complaint = self._clean(error_message(body))
        text = f"it answered {status} {response.reason_phrase}".rstrip() + (f": {complaint}" if complaint else "")
        if response.is_redirect:
            text = f"it answered {status} and sends elsewhere, which is not followed: is the address complete?"
        raise Trouble(kind_of(status), text, retry_after(response.headers), complaint)

    def _clean(self, text: str) -> str:
        """A server's words on one line, without the key, should it repeat it."""
        words = " ".join(text.split())
        if self._key:
            words = words.replace(self._key, "***")
        return words[:_LONGEST_COMPLAINT]

    async def _end(self) -> None:
        running = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        await self._client.aclose()
        self._loop.call_soon(self._loop.stop)


async def _body(response: httpx2.Response) -> bytes:
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_REPLY:
            raise Malformed("an answer without end")
    return bytes(body)


async def _events(response: httpx2.Response) -> AsyncIterator[str]:
    """The `data` of each server-sent event; lines that are comments or other fields are passed over."""
    size = 0
    rest = b""
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > MAX_REPLY:
            raise Malformed("an answer without end")
        *lines, rest = (rest + piece).split(b"\n")
        for line in lines:
            if line.startswith(b"data:"):
                yield line[5:].strip().decode("utf-8", "replace")
    if rest.startswith(b"data:"):
        yield rest[5:].strip().decode("utf-8", "replace")


def _client(server: Server, key: str) -> httpx2.AsyncClient:
    try:
        import httpx2
    except ImportError:
        raise EngineError("the remote engine needs httpx2", "pip install 'semanticface[remote]'") from None

    verify: ssl.SSLContext | bool = True
    if server.ca:
        try:
            verify = ssl.create_default_context(cafile=server.ca)
        except (OSError, ssl.SSLError) as error:
            message = f"server {server.name}: the certificates in {server.ca} can't be read: {error}"
            raise EngineError(message, "name a PEM file: semanticface remote add ... --ca FILE") from None
    return httpx2.AsyncClient(
        headers={"Content-Type": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {}),
        verify=verify,
        trust_env=not server.local,
        follow_redirects=False,
        timeout=httpx2.Timeout(server.timeout, connect=min(CONNECT_SECONDS, server.timeout), pool=None),
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=server.concurrency),
    )


def _named(error: BaseException) -> str:
    return str(error) or type(error).__name__
