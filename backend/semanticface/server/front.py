"""The front: one thread, one loop, and all that the backend's clients see.

It owns the client socket (ROUTER with CURVE), the socket to the workers, the jobs and their takes, and answers within
milliseconds: what takes longer happens in a worker, or, for a take's files, in a helper thread. This module moves
messages; `requests` says what they mean.
"""

from __future__ import annotations

import functools
import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgpack
import zmq

from semanticface import paths
from semanticface.errors import BackendError
from semanticface.server import channel
from semanticface.server.access import Doorkeeper, Keys
from semanticface.server.auto import Auto
from semanticface.server.cache import Cache
from semanticface.server.channel import ORDERS, REPORTS
from semanticface.server.clients import Client, Clients
from semanticface.server.engines import belongs, resolve
from semanticface.server.jobs import Job
from semanticface.server.options import Limits, ServeOptions
from semanticface.server.pool import Pool
from semanticface.server.post import BURST, Post
from semanticface.server.process import WorkerProcess
from semanticface.server.supervisor import Life, Supervisor

log = logging.getLogger(__name__)

TICK_MS = 100
SETTLE = 0.7
"""Seconds that a start waits at most for the graphics card's own tool: the first client is told of the engine then."""
MOST_POOLS = 32
"""Engines, variants counted, that may have work at once; a client could think up names without end."""


class Front:
    """The backend's state. `run` serves until `stop` or until a lease-bound backend is deserted."""

    def __init__(self, options: ServeOptions, keys: Keys, instance: str, worker_log: Callable[[str], Path]) -> None:
        self.options = options
        self.limits: Limits = options.limits
        self.instance = instance
        self.started = time.monotonic()
        self.jobs: dict[str, Job] = {}
        self.pools: dict[str, Pool] = {}
        self.ending = False
        self._worker_log = worker_log
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._door = None if keys.clients is None else Doorkeeper(self._context, keys.clients)
        self.post = Post(self._context, options.bind, keys)
        self._workers = self._context.socket(zmq.ROUTER)
        channel.tune(self._workers)
        self._workers.bind("tcp://127.0.0.1:*")
        self._workers_endpoint = self._workers.getsockopt_string(zmq.LAST_ENDPOINT)
        self.clients = Clients(keys.token, self.limits, self.started)
        self.cache = Cache(paths.cache_dir(), self.limits.cache_bytes)
        self._files = ThreadPoolExecutor(1, "takes")
        self._filed: list[tuple[Future[Any], Callable[[Future[Any]], None]]] = []
        self._releases: list[tuple[bytes, int, list[str]]] = []
        self.auto = Auto(self.in_files_thread, lambda: any(self._heavy(name) for name in self.pools))

    # The loop.

    def settle(self) -> None:
        """Find out which engine `auto` means, as far as that is quick; the rest comes while the loop runs."""
        begun = time.monotonic()
        self.auto.ask(begun, lambda choice: None)
        while self.auto.choice is None and time.monotonic() - begun < SETTLE:
            time.sleep(0.002)
            self._collect_files()

    def run(self, handle: Callable[[Front, bytes, Sequence[zmq.Frame]], None]) -> None:
        """Serve. `handle` gets each client message: the connection's identity and the message's frames."""
        poller = zmq.Poller()
        for socket in (self.post.socket, self._workers, *([] if self._door is None else [self._door.socket])):
            poller.register(socket, zmq.POLLIN)
        again = False
        ticked = 0.0
        while not self.ending:
            events = dict(poller.poll(0 if again else 5 if self._filed else TICK_MS))
            if self._door is not None and self._door.socket in events:
                self._door.answer()
            if self._workers in events:
                self._hear_workers()
            if self.post.socket in events:
                self._hear_clients(handle)
            now = time.monotonic()
            self._collect_files()
            again = any([pool.pump(now) for pool in list(self.pools.values())])
            if 1000 * (now - ticked) >= TICK_MS / 2:
                ticked = now
                self._tick(now)

    def stop(self) -> None:
        """End the loop after the message that is being handled."""
        self.ending = True

    def close(self) -> None:
        """End the workers, close takes, cache and sockets. Jobs that run are told that they failed by the loss."""
        for pool in self.pools.values():
            pool.supervisor.stop()
        for job in list(self.jobs.values()):
            job.cancel()
        self._files.shutdown(wait=True)
        self.cache.close()
        self._workers.close(0)
        self.post.socket.close()
        if self._door is not None:
            self._door.socket.close(0)
        self._context.term()

    def _hear_clients(self, handle: Callable[[Front, bytes, Sequence[zmq.Frame]], None]) -> None:
        for _ in range(BURST):
            try:
                identity, *frames = self.post.socket.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return
            handle(self, identity.bytes, frames)

    def _hear_workers(self) -> None:
        now = time.monotonic()
        names = {pool.supervisor.secret: pool for pool in self.pools.values() if pool.supervisor.secret}
        for _ in range(4 * BURST):
            try:
                identity, *frames = self._workers.recv_multipart(zmq.DONTWAIT, copy=False)
            except zmq.Again:
                return
            name = identity.bytes
            pool = names.get(name[:-1]) if name[-1:] in {ORDERS, REPORTS} else None
            if pool is None:
                continue  # a stranger, or a worker that was given up
            try:
                pool.hear(channel.decode(frames), now)
            except (ValueError, KeyError, TypeError, msgpack.UnpackException):
                log.exception("the worker of %s reports nonsense; killing it", pool.supervisor.engine)
                pool.supervisor.kill()

    def _tick(self, now: float) -> None:
        for identity in self.post.retry():
            self.drop(identity, "its connection is gone")
        for client in self.clients.lapsed(now):
            self.drop(client.identity, "its lease has lapsed")
            self.post.forget(client.identity)
        for pool in self.pools.values():
            pool.tick(now, self.options.idle)
            for job in list(pool.jobs):
                job.tell(pool.supervisor.life.shown, now, pool.hindered)
        self._answer_releases()
        self.cache.tick(now)
        if self.options.lease_bound and self.clients.deserted(now):
            log.info("no client for %.0f s: ending", self.limits.grace)
            self.stop()

    # What the requests need.

    def pool(self, engine: str) -> Pool:
        """The pool of this engine, made when it is first asked for. Raises EngineError, BackendError."""
        if engine not in self.pools:
            heavy = resolve(engine).entry.heavy
            limits = replace(self.limits, stall=self.limits.stall_heavy) if heavy else self.limits
            self._clear_pools()

            def spawn(secret: bytes) -> WorkerProcess:
                return WorkerProcess(self._workers_endpoint, engine, secret, self._worker_log(engine))

            supervisor = Supervisor(engine, spawn, limits)
            hindrance = functools.partial(self._hindrance, engine)
            self.pools[engine] = Pool(supervisor, self._send_worker, self.cache.put, limits, hindrance)
        return self.pools[engine]

    def _clear_pools(self) -> None:
        """Make room for one more. Raises BackendError when there is none."""
        for name in [name for name, pool in self.pools.items() if not pool.busy and not pool.holds]:
            del self.pools[name]
        if len(self.pools) >= MOST_POOLS:
            raise BackendError(f"{len(self.pools)} engines are in use already", "wait for their jobs, or unload some")

    def _heavy(self, name: str) -> bool:
        """Whether this engine's worker fills a graphics card now."""
        return resolve(name).entry.heavy and self.pools[name].holds

    def _hindrance(self, engine: str) -> str:
        """Why this engine's worker may not start yet: a heavy one waits for another's end, which it brings about."""
        if not resolve(engine).entry.heavy:
            return ""
        waits = ""
        for name in [name for name in self.pools if name != engine and self._heavy(name)]:
            other = self.pools[name]
            if other.busy:
                return f"waiting for the jobs of engine {name}: the graphics card has room for one"
            if other.supervisor.life is not Life.STOPPING:
                log.info("ending the worker of %s for one of %s", name, engine)
                other.supervisor.stop()
            waits = f"waiting for the memory of engine {name}" if other.holds else waits
        return waits

    def reply(self, identity: bytes, kind: str, **fields: Any) -> None:
        """Send to a client; one whose connection is gone loses its lease at once."""
        send = self.post.send_result if kind == "result" else functools.partial(self.post.send, kind=kind)
        if not send(identity, **fields) and self.clients.get(identity) is not None:
            self.drop(identity, "its connection is gone")

    def drop(self, identity: bytes, why: str) -> None:
        """A client is gone: its jobs are cancelled; what they have finished stays in takes and cache."""
        client = self.clients.get(identity)
        if client is None:
            return
        log.info("client %s (%s) leaves: %s", client.name, client.app, why)
        self.clients.drop(identity, time.monotonic())
        for job in [job for job in self.jobs.values() if job.client == identity]:
            job.cancel()

    def in_files_thread(self, work: Callable[[], Any], then: Callable[[Future[Any]], None]) -> None:
        """Run `work` beside the loop; `then` gets its future, back in the loop."""
        self._filed.append((self._files.submit(work), then))

    def release(self, client: Client, number: int, engine: str) -> None:
        """End all workers, or this engine's and its variants'; the client is answered when they are gone."""
        chosen = {name: pool for name, pool in self.pools.items() if not engine or belongs(name, engine)}
        ended = [name for name, pool in chosen.items() if pool.supervisor.pid is not None]
        for pool in chosen.values():
            if pool.supervisor.life is not Life.STOPPING:
                pool.supervisor.stop()
        self._releases.append((client.identity, number, ended))

    def _collect_files(self) -> None:
        done = [pair for pair in self._filed if pair[0].done()]
        self._filed = [pair for pair in self._filed if pair not in done]
        for future, then in done:
            then(future)

    def _answer_releases(self) -> None:
        stopping = {name for name, pool in self.pools.items() if pool.supervisor.life is Life.STOPPING}
        ready = [release for release in self._releases if stopping.isdisjoint(release[2])]
        self._releases = [release for release in self._releases if release not in ready]
        for identity, number, ended in ready:
            self.reply(identity, "done", re=number, ended=ended)

    def _send_worker(self, secret: bytes, kind: str, fields: dict[str, Any], pictures: Sequence[Any]) -> None:
        self._workers.send_multipart([secret + ORDERS, *channel.encode(kind, fields, pictures)], copy=False)
