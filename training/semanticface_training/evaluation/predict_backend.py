"""An engine of the backend answers a dataset's pictures: loaded once, in batches and lanes as it likes them.

Pictures are unrelated stills, as in the paper: nothing is smoothed over time, and a run that goes on after a kill gives
what an uninterrupted one gives. This module knows nothing of what becomes of the answers.
"""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

from semanticface.engines.base import Engine, FrameInput, RunOptions
from semanticface.errors import EngineError, InputError, MediaError, OptionsError
from semanticface.results import FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.predict import Spec
from semanticface_training.evaluation.store import BESIDE_THE_KEY, Method

_IN_THE_FINGERPRINT = ("options", "model", "engine_version")
"""Of the engine's facts; its fingerprint has what decides an answer, and leaves out what only decides its speed."""
_STRETCH = 8
"""Batches that a lane takes at a time: enough to keep a batch full, few enough that lanes end together."""


def load_engine(spec: Spec) -> tuple[Engine, dict[str, Any]]:
    """The engine for these words and its completed options. Raises OptionsError, AssetError or EngineError."""
    options = dict(spec.options)
    if spec.kind == "checkpoint":
        engine = _checkpoint(spec.value)
    elif spec.kind == "remote" and "://" in spec.value:
        engine = _server(spec, options)
    else:
        engine = _named(f"{spec.kind}:{spec.value}" if spec.value else spec.kind)
    try:
        return engine, engine.options(options)
    except BaseException:
        engine.close()
        raise


def _named(name: str) -> Engine:
    from semanticface.server.engines import resolve

    found = resolve(name)
    if not found.entry.decodes:
        raise OptionsError(f"engine {name} reads no pictures")
    return found.entry.build(found.variant)


def _checkpoint(value: str) -> Engine:
    """Of a folder where there is one of this name, else an installed one."""
    folder = Path(value)
    if not folder.is_dir():
        return _named(f"semanticface:{value}")
    from semanticface.engines.mllm.checkpoint import Checkpoint
    from semanticface.engines.mllm.engine import SemanticFaceEngine
    from semanticface.engines.mllm.loading import Settings

    return SemanticFaceEngine(Checkpoint.at(folder), Settings.of_environment())


def _server(spec: Spec, options: dict[str, Any]) -> Engine:
    """Of an address: one that is written down, or with its model and profile beside it, which are taken out."""
    from semanticface.engines.remote.engine import connect
    from semanticface.engines.remote.profiles import profile_argument
    from semanticface.engines.remote.settings import list_servers, parse_server

    model, profile = options.pop("model", ""), options.pop("profile", "")
    if not model and not profile:
        url = spec.value.rstrip("/")
        for server in list_servers():
            if server.url.rstrip("/") in (url, f"{url}/v1"):
                return connect(server)
    if not model or not profile:
        raise OptionsError(
            f"remote:{spec.value} needs to know the model and how it is asked",
            "add ,model=NAME,profile=FILE_OR_CHECKPOINT, or use a name of `semanticface remote list`",
        )
    fields = {"url": spec.value, "model": str(model), "profile": profile_argument(str(profile))}
    return connect(parse_server(spec.name or "evaluated", fields))


class BackendPredictor:
    """Implements `predict.Predictor`."""

    def __init__(self, name: str, engine: Engine, options: Mapping[str, Any], digest: str, split: str) -> None:
        """`digest`: of the dataset. The engine is this predictor's from now on."""
        self._engine = engine
        self._options = dict(options)
        info = engine.info
        facts = {
            "options": self._options,
            "model": info.model,
            "engine_version": info.version,
            "fingerprint": engine.fingerprint(self._options, False),
            "dataset": digest,
            "split": split,
            "device": info.device,
        }
        self.method = Method.of(name, name, info.name, facts, (*BESIDE_THE_KEY, *_IN_THE_FINGERPRINT))

    def close(self) -> None:
        self._engine.close()

    def predict(self, dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, FrameResult]]:
        """Each row's answer as soon as it is there. Raises EngineError when the engine gives up."""
        stretch = max(1, self._engine.traits.batch) * _STRETCH
        parts = [indices[start : start + stretch] for start in range(0, len(indices), stretch)]
        lanes = min(self._engine.traits.lanes, len(parts))
        if lanes <= 1:
            yield from self._run(dataset, indices, lambda: False)
        else:
            yield from self._side_by_side(dataset, parts, lanes)

    def _run(
        self, dataset: Dataset, indices: Sequence[int], cancelled: Callable[[], bool]
    ) -> Iterator[tuple[int, FrameResult]]:
        """One session over these rows."""
        desk = _Desk(dataset, indices)
        session = self._engine.session(RunOptions(self._options, cancelled), False)
        try:
            for result in session.analyze(desk.inputs()):
                yield from desk.aside()
                yield desk.fed.popleft(), result
        finally:
            session.close()
        yield from desk.aside()
        if desk.fed and not cancelled():
            raise EngineError(f"{self.method.name} gave no answer for {len(desk.fed)} of its pictures")

    def _side_by_side(
        self, dataset: Dataset, parts: Sequence[Sequence[int]], lanes: int
    ) -> Iterator[tuple[int, FrameResult]]:
        """The parts on several threads, each with sessions of its own. The first error of any of them is raised."""
        waiting = deque(parts)
        answers: Queue[tuple[int, FrameResult] | BaseException | None] = Queue(maxsize=4 * lanes)
        stop = threading.Event()

        def lane() -> None:
            try:
                while not stop.is_set() and (part := _next(waiting)) is not None:
                    for answer in self._run(dataset, part, stop.is_set):
                        answers.put(answer)
            except BaseException as error:  # handed over to the thread that reads the answers
                answers.put(error)
            answers.put(None)

        threads = [threading.Thread(target=lane, daemon=True) for _ in range(lanes)]
        for thread in threads:
            thread.start()
        ended = 0
        try:
            while ended < lanes:
                answer = answers.get()
                if answer is None:
                    ended += 1
                elif isinstance(answer, BaseException):
                    raise answer
                else:
                    yield answer
        finally:
            stop.set()
            while ended < lanes:
                ended += answers.get() is None
            for thread in threads:
                thread.join()


class _Desk:
    """Pictures on their way to a session: `fed` are the rows that it has, `aside` those that it can't be given."""

    def __init__(self, dataset: Dataset, indices: Sequence[int]) -> None:
        self._dataset, self._indices = dataset, indices
        self.fed: deque[int] = deque()
        self._unread: deque[tuple[int, FrameResult]] = deque()

    def inputs(self) -> Iterator[FrameInput]:
        """The pictures that can be read; a frame's number is its row's place in the dataset."""
        from semanticface.media.images import FILE_LIMITS, decode_image

        for index in self._indices:
            row = self._dataset.rows[index]
            where = f"row {row.id}"
            try:
                data = self._dataset.image_bytes(index)
                if hashlib.sha256(data).hexdigest() != row.image_sha256:
                    raise InputError(f"{where}: {row.image} is not the picture that the dataset was built with")
                image = decode_image(data, FILE_LIMITS, where)
            except MediaError as error:
                self._unread.append((index, FrameResult(index, None, Status.UNREADABLE, message=error.message)))
                continue
            self.fed.append(index)
            yield FrameInput(index, None, image)

    def aside(self) -> Iterator[tuple[int, FrameResult]]:
        while self._unread:
            yield self._unread.popleft()


def _next(parts: deque[Sequence[int]]) -> Sequence[int] | None:
    try:
        return parts.popleft()
    except IndexError:  # another lane took the last one
        return None
