"""What each message of a client means: the handlers behind the protocol's request types.

A message that can't be read, comes before hello or asks for what can't be done is answered with an `error` and changes
nothing. This module knows the front's parts and nothing of sockets.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import zmq

from semanticface import __version__
from semanticface.actions import SCHEMA_ID
from semanticface.engines.choose import Choice, fit
from semanticface.errors import BackendError, OptionsError, ProtocolError, SemanticFaceError, to_wire
from semanticface.protocol import (
    MAJOR,
    MAX_PAYLOAD,
    MINOR,
    REQUESTS,
    JobState,
    Message,
    Priority,
    WorkerState,
    expand_runs,
    unpack,
)
from semanticface.server.channel import Envelope
from semanticface.server.clients import Client
from semanticface.server.engines import AUTO, belongs, offered, reader, resolve
from semanticface.server.feeds import Picture
from semanticface.server.front import Front
from semanticface.server.intake import Intake
from semanticface.server.jobs import Job, JobSpec, Outlet
from semanticface.server.pool import Pool

log = logging.getLogger(__name__)


def handle(front: Front, identity: bytes, frames: Sequence[zmq.Frame]) -> None:
    """Answer one message. Whatever is in it, the front goes on."""
    try:
        message = unpack(REQUESTS, [frame.buffer for frame in frames[:3]])
    except ProtocolError as error:
        front.clients.renew(identity, time.monotonic())
        front.reply(identity, "error", error=to_wire(error))
        return
    try:
        client = front.clients.get(identity)
        if message.type == "hello":
            _hello(front, identity, message)
        elif client is None:
            raise ProtocolError(f"{message.type} came before hello", "say hello first, and again after a lapse")
        else:
            front.clients.renew(identity, time.monotonic())
            HANDLERS[message.type](front, client, message, frames)
    except SemanticFaceError as error:
        front.reply(identity, "error", error=to_wire(error), re=message.get("id"), job=message.get("job"))
    except Exception as error:  # the boundary to the network: a fault of ours costs one request, not the backend
        log.exception("%s could not be handled", message.type)
        front.reply(identity, "error", error=to_wire(error), re=message.get("id"), job=message.get("job"))


def _hello(front: Front, identity: bytes, message: Message) -> None:
    if front.clients.get(identity) is not None:
        raise ProtocolError("hello was said before on this connection")
    client = front.clients.admit(identity, message, time.monotonic())
    log.info("client %s (%s) is admitted", client.name, client.app)
    front.reply(
        identity,
        "welcome",
        re=message["id"],
        protocol=(MAJOR, MINOR),
        backend=f"semanticface {__version__}",
        instance=front.instance,
        schema=SCHEMA_ID,
        engines=offered(front.auto.choice),
        window=front.limits.window,
        max_payload=MAX_PAYLOAD,
        lease=front.limits.lease,
    )


def _ping(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    front.reply(client.identity, "pong", re=message["id"])


def _bye(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    front.drop(client.identity, "it said bye")
    front.reply(client.identity, "done", re=message["id"])


def _probe(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    number = message["id"]

    def answer(reply: Envelope | SemanticFaceError) -> None:
        if isinstance(reply, SemanticFaceError):
            front.reply(client.identity, "error", error=to_wire(reply), re=number)
        else:
            front.reply(client.identity, "media", re=number, info=reply["info"])

    _reading_pool(front).ask("probe", {"media": message["media"]}, answer, needs_engine=False)


def _thumbnails(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    if client.thumbnails >= front.limits.client_thumbnails:
        text = f"{client.thumbnails} requests for thumbnails of this client wait already"
        raise BackendError(text, "wait for their answers")
    number = message["id"]

    def answer(reply: Envelope | SemanticFaceError) -> None:
        client.thumbnails -= 1
        if isinstance(reply, SemanticFaceError):
            front.reply(client.identity, "error", error=to_wire(reply), re=number)
            return
        sizes = [(frame, len(data)) for frame, data in reply["pictures"]]
        payload = b"".join(data for _, data in reply["pictures"])
        fields = {"re": number, "pictures": sizes, "problems": reply["problems"]}
        front.reply(client.identity, "thumbnails", payload=payload, **fields)

    fields = {"media": message["media"], "frames": message["frames"], "side": message["side"]}
    client.thumbnails += 1
    fields["boxes"] = message.get("boxes", [])
    _reading_pool(front).ask("thumbnails", fields, answer, needs_engine=False)


def _reading_pool(front: Front) -> Pool:
    """A pool whose worker looks into footage: one that runs, a light one if there is one, else the light reader's."""
    connected = [pool for pool in front.pools.values() if pool.supervisor.connected]
    connected.sort(key=lambda pool: resolve(pool.supervisor.engine).entry.heavy)
    pool = connected[0] if connected else front.pool(reader())
    pool.want(time.monotonic(), again=not connected)
    return pool


def _submit(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    spec = _spec(message)
    name = message["job"]
    if name in front.jobs:
        raise ProtocolError(f"there is a job {name} already", "choose a new id for each job")
    if sum(job.client == client.identity for job in front.jobs.values()) >= front.limits.client_jobs:
        raise BackendError(f"this client has {front.limits.client_jobs} jobs already", "wait for one to end")
    if spec.take is not None and any(job.spec.take == spec.take for job in front.jobs.values()):
        raise BackendError(f"another job writes to {spec.take}", "choose another folder, or wait")
    if spec.engine != AUTO:
        front.pool(spec.engine)
    identity = client.identity

    def send(kind: str, **fields: Any) -> None:
        front.reply(identity, kind, **fields)

    def closed(job: Job) -> None:
        del front.jobs[job.id]
        client.ended.append(job.id)
        for pool in front.pools.values():
            if job in pool.jobs:
                pool.forget(job)

    def offer(kind: str, **fields: Any) -> None:
        if time.monotonic() - client.heard < front.limits.looking:
            front.post.offer(identity, kind, **fields)

    outlet = Outlet(send, lambda: front.post.waiting(identity) < front.limits.outbox, offer)
    job = Job(name, identity, spec, outlet, closed)
    front.jobs[name] = job
    job.intake = Intake(front, job)
    total = None if spec.frames is None else len(spec.frames)
    front.reply(identity, "accepted", re=message["id"], job=name, window=front.limits.window, total=total)
    if spec.engine == AUTO:
        front.auto.ask(time.monotonic(), lambda choice: _place_freely(front, job, fit(choice, spec.options)))
    else:
        _place(front, job)


def _place_freely(front: Front, job: Job, choice: Choice) -> None:
    """Give a job that left it open the engine that was chosen, and tell its client which and why."""
    job.spec = replace(job.spec, engine=choice.engine)
    job.reason = choice.reason
    job.tell(WorkerState.NONE, time.monotonic(), choice.describe())
    try:
        _place(front, job)
    except SemanticFaceError as error:
        job.fail(error)


def _place(front: Front, job: Job) -> None:
    """Hand the job over to its engine, unless it has ended: its client may have turned out to be gone."""
    if job.state.ended or job.intake is None:
        return
    pool = front.pool(job.spec.engine)
    pool.jobs.append(job)
    pool.want(time.monotonic(), again=len(pool.jobs) == 1)
    job.intake.start(pool)


def _spec(message: Message) -> JobSpec:
    media, runs, take = message.get("media"), message.get("frames"), message.get("take")
    if media is None and runs is not None:
        raise OptionsError("`frames` chooses among the frames of `media`", "leave it out for pictures that are sent")
    if take is not None and not Path(take).is_absolute():
        raise OptionsError(f"take '{take}' is not an absolute path", "the backend has another working folder")
    return JobSpec(
        engine=AUTO if message["engine"] == AUTO else resolve(message["engine"]).name,
        options=message["options"],
        priority=Priority(message["priority"]),
        media=media,
        frames=None if runs is None else tuple(expand_runs(runs)),
        video=message.get("video", False),
        take=None if take is None else Path(take),
        partials=message.get("partials", False),
    )


def _frame(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    job = _job(front, client, message)
    if job is None:
        return
    if job.intake is None or job.spec.media is not None:
        raise ProtocolError(f"job {job.id} reads its own media and takes no pictures")
    waiting = sum(
        other.intake.held
        for other in front.jobs.values()
        if other.client == client.identity and other.intake is not None
    )
    if waiting + len(frames[1]) > front.limits.client_bytes:
        raise ProtocolError(
            f"frame {message['frame']} is refused: {waiting:,} bytes of this client's pictures wait already",
            "wait for results before sending more",
        )
    shape = (message.get("width"), message.get("height"), message.get("bottom_up", False))
    picture = Picture(frames[1], len(frames[1]), message["format"].value, *shape)
    job.intake.add(message["frame"], message.get("time"), picture)


def _end(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    job = _job(front, client, message)
    if job is None:
        return
    if job.intake is None or job.spec.media is not None:
        raise ProtocolError(f"job {job.id} has no pictures to end")
    job.intake.end()


def _cancel(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    job = _job(front, client, message)
    if job is not None:
        job.cancel()


def _job(front: Front, client: Client, message: Message) -> Job | None:
    """The client's own job; None for one of its jobs that has just ended, whose messages were on their way."""
    name = message["job"]
    job = front.jobs.get(name)
    if job is not None and job.client == client.identity:
        return job
    if name in client.ended:
        return None
    raise ProtocolError(f"this client has no job {name}")


def _status(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    workers = [
        {
            "state": pool.supervisor.life.shown.value,
            "pid": pool.supervisor.pid,
            "engine": name,
            "starts": pool.supervisor.incarnation,
            "computed": pool.computed,
        }
        for name, pool in front.pools.items()
    ]
    busy = any(job.state is JobState.RUNNING for job in front.jobs.values())
    cache, choice = front.cache.state, front.auto.choice
    status = {
        "state": "busy" if busy else "ready",
        "uptime": time.monotonic() - front.started,
        "jobs": [job.to_dict() for job in front.jobs.values()],
        "worker": next(
            (one for one in workers if one["pid"] is not None),
            {"state": WorkerState.NONE.value, "pid": None, "engine": None},
        ),
        "workers": workers,
        "auto": None if choice is None else {"engine": choice.engine, "reason": choice.reason},
        "clients": len(front.clients),
        "cache": {"entries": cache.entries, "bytes": cache.bytes, "hits": cache.hits},
    }
    front.reply(client.identity, "status", re=message["id"], status=status)


def _release(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    engine = message.get("engine", "")
    if engine:
        resolve(engine)
    running = [job for job in front.jobs.values() if not engine or belongs(job.spec.engine, engine)]
    if running:
        raise BackendError(f"{len(running)} jobs are running", "cancel them first, or wait for them")
    front.release(client, message["id"], engine)


def _shutdown(front: Front, client: Client, message: Message, frames: Sequence[zmq.Frame]) -> None:
    log.info("client %s asks the backend to end", client.name)
    front.reply(client.identity, "done", re=message["id"])
    front.stop()


Handler = Callable[[Front, Client, Message, Sequence[zmq.Frame]], None]

HANDLERS: Mapping[str, Handler] = {
    "ping": _ping,
    "bye": _bye,
    "probe": _probe,
    "thumbnails": _thumbnails,
    "submit": _submit,
    "frame": _frame,
    "end": _end,
    "cancel": _cancel,
    "status": _status,
    "release": _release,
    "shutdown": _shutdown,
}
