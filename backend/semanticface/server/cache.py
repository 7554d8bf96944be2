"""Results by content: the same picture, the same engine and the same settings give the stored result at once.

A SQLite file in the user's cache folder that may be deleted at any time. A damaged one is moved aside and a new one
begun; one that can't be had at all means work without a cache, never an error of a job. Only what a picture surely
gives again is kept: NO_FACE, and OK without a remark (memory was short, the answer was repaired). The least recently
used results go when it grows over its bound. Keys are made by `feeds`; this module knows nothing of pictures or jobs.
"""

from __future__ import annotations

import json
import logging
import sqlite3
import time
import zlib
from dataclasses import dataclass
from pathlib import Path

from semanticface.errors import ProtocolError
from semanticface.results import FrameResult, Status

log = logging.getLogger(__name__)

FILE_NAME = "results-1.db"
COMMIT_EVERY = 0.25
"""Seconds of results that a killed front may lose from the cache; a take loses none."""
KEPT = frozenset({Status.OK, Status.NO_FACE})
_LEVEL = 1
_ROOM = 0.9
"""Eviction leaves this part of the bound, so that it doesn't happen at every result."""

_TABLES = """
CREATE TABLE IF NOT EXISTS results
    (key BLOB PRIMARY KEY, value BLOB NOT NULL, size INTEGER NOT NULL, used REAL NOT NULL, picture INTEGER NOT NULL)
    WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS results_used ON results (used);
"""


@dataclass(frozen=True, slots=True)
class CacheState:
    """For `status`: stored results, their bytes, and hits since the start."""

    entries: int
    bytes: int
    hits: int


class Cache:
    """The store. Belongs to one thread; `tick` now and then writes what has gathered."""

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._path = folder / FILE_NAME
        self._max_bytes = max_bytes
        self._hits = self._entries = self._bytes = 0
        self._used: set[bytes] = set()
        self._sizes: set[int] = set()
        self._written = 0.0
        self._database: sqlite3.Connection | None = None
        self._open(second=False)

    @property
    def state(self) -> CacheState:
        return CacheState(self._entries, self._bytes, self._hits)

    def get(self, key: bytes) -> FrameResult | None:
        """The stored result, as it was when it was stored (frame number and time included)."""
        if self._database is None:
            return None
        try:
            row = self._database.execute("SELECT value FROM results WHERE key = ?", (key,)).fetchone()
            found = None if row is None else FrameResult.from_dict(json.loads(zlib.decompress(row[0])))
        except sqlite3.Error as error:
            self._trouble(error)
            return None
        except (ValueError, zlib.error, ProtocolError) as error:
            log.warning("a stored result is damaged and is dropped: %s", error)
            self._forget(key)
            return None
        if found is not None:
            self._hits += 1
            self._used.add(key)
        return found

    def may_hold(self, size: int) -> bool:
        """Whether there may be a result for a sent picture of this many bytes; False spares hashing it at once."""
        return size in self._sizes

    def put(self, key: bytes, result: FrameResult, size: int = 0) -> None:
        """Store a result under its key; one whose status may change another time is not stored.

        `size` is the number of bytes of a picture that was sent, 0 for a frame of footage.
        """
        if self._database is None or result.status not in KEPT or (result.status is Status.OK and result.message):
            return
        value = zlib.compress(json.dumps(result.to_dict()).encode(), _LEVEL)
        try:
            self._begin(self._database)
            before = self._database.total_changes
            self._database.execute(
                "INSERT OR IGNORE INTO results VALUES (?, ?, ?, ?, ?)", (key, value, len(value), time.time(), size)
            )
            self._sizes.add(size)
            if self._database.total_changes > before:
                self._entries += 1
                self._bytes += len(value)
        except sqlite3.Error as error:
            self._trouble(error)

    def tick(self, now: float) -> None:
        """Write what has gathered, and let the oldest go when there is too much. `now` is monotonic."""
        if self._database is None or now - self._written < COMMIT_EVERY:
            return
        self._written = now
        try:
            if self._used:
                self._begin(self._database)
                stamp = time.time()
                rows = [(stamp, key) for key in self._used]
                self._database.executemany("UPDATE results SET used = ? WHERE key = ?", rows)
                self._used.clear()
            if self._bytes > self._max_bytes:
                self._evict(self._database)
            if self._database.in_transaction:
                self._database.execute("COMMIT")
        except sqlite3.Error as error:
            self._trouble(error)

    def close(self) -> None:
        if self._database is not None:
            self._written = -COMMIT_EVERY
            self.tick(0.0)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _begin(self, database: sqlite3.Connection) -> None:
        if not database.in_transaction:
            database.execute("BEGIN")

    def _evict(self, database: sqlite3.Connection) -> None:
        self._begin(database)
        excess = self._bytes - int(self._max_bytes * _ROOM)
        gone = []
        for key, size in database.execute("SELECT key, size FROM results ORDER BY used"):
            if excess <= 0:
                break
            excess -= size
            gone.append((key,))
            self._bytes -= size
        database.executemany("DELETE FROM results WHERE key = ?", gone)
        self._entries -= len(gone)

    def _forget(self, key: bytes) -> None:
        if self._database is None:
            return
        try:
            self._begin(self._database)
            self._database.execute("DELETE FROM results WHERE key = ?", (key,))
        except sqlite3.Error as error:
            self._trouble(error)

    def _open(self, second: bool) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._database = database = sqlite3.connect(self._path, timeout=0.05, isolation_level=None)
            database.execute("PRAGMA journal_mode = WAL")
            database.execute("PRAGMA synchronous = OFF")  # a power cut may cost the cache, which is then begun anew
            database.executescript(_TABLES)
            if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                raise sqlite3.DatabaseError("quick_check found damage")
            row = database.execute("SELECT count(*), coalesce(sum(size), 0) FROM results").fetchone()
            self._entries, self._bytes = row
            self._sizes = {size for (size,) in database.execute("SELECT DISTINCT picture FROM results")}
        except (sqlite3.Error, OSError) as error:
            self._drop()
            if second or not self._path.exists():
                log.warning("no result cache at %s: %s", self._path, error)
                return
            self._move_aside(error)

    def _trouble(self, error: sqlite3.Error) -> None:
        """A locked file is passed over; a damaged one is moved aside and begun anew."""
        if isinstance(error, sqlite3.OperationalError) and "locked" in str(error):
            log.debug("result cache: %s", error)
            return
        self._drop()
        self._move_aside(error)

    def _drop(self) -> None:
        database, self._database = self._database, None
        self._entries = self._bytes = 0
        self._used.clear()
        if database is not None:
            try:
                database.close()
            except sqlite3.Error as error:
                log.debug("closing a damaged cache: %s", error)

    def _move_aside(self, error: Exception) -> None:
        aside = self._path.with_suffix(".damaged.db")
        log.warning("the result cache %s is damaged (%s); it is moved to %s", self._path, error, aside.name)
        try:
            self._path.replace(aside)
            for tail in ("-wal", "-shm"):
                self._path.with_name(self._path.name + tail).unlink(missing_ok=True)
        except OSError as problem:
            log.warning("it can't be moved: %s", problem)
            return
        self._open(second=True)
