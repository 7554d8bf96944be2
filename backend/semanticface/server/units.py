"""Units of work on their way to a worker's lanes: what they hold, which jobs may share one, how one is written down.

This module knows nothing of when a unit is made; `pool` decides that.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from semanticface.server.feeds import Feed, Item, follows
from semanticface.server.jobs import Job


@dataclass(slots=True)
class Unit:
    """Work on its way: `waiting` are the items without a result, by their place in the order."""

    number: int
    lane: int
    waiting: dict[int, Item]


@dataclass(slots=True)
class Lane:
    """A worker's lane as the front sees it. `places`: per job, the worker (its incarnation) and the item it is at."""

    number: int
    units: list[Unit] = field(default_factory=list)
    places: dict[str, tuple[int, Item | None]] = field(default_factory=dict)


def has_own_session(feed: Feed | None) -> bool:
    return feed is not None and follows(feed.prepared)


def together(first: Job, second: Job) -> bool:
    """Whether frames of the two jobs may share a unit. An artist's picture never waits for a farm's beside it."""
    one, other = first.feed, second.feed
    if one is None or other is None or first.spec.priority is not second.spec.priority:
        return False
    if has_own_session(one) or has_own_session(other):
        return False
    a, b = one.prepared, other.prepared
    return a.fingerprint == b.fingerprint and a.options == b.options and a.video == b.video


def order(
    unit: Unit, rows: Sequence[tuple[Item, bool]], feed: Feed, owner: str, fresh: bool
) -> tuple[dict[str, Any], list[Any]]:
    """The `unit` order and its pictures.

    A row is [wanted, job's place, frame, time, picture's place or -1, format, width, height, bottom_up]. `owner` names
    the job whose own session it is, "" for one that jobs of these options share.
    """
    jobs: list[Job] = []
    table: list[list[Any]] = []
    pictures: list[Any] = []
    for item, wanted in rows:
        if item.job not in jobs:
            jobs.append(item.job)
        row: list[Any] = [wanted, jobs.index(item.job), item.frame, item.time]
        picture = item.picture
        if picture is None:
            table.append([*row, -1, "", None, None, False])
        else:
            table.append([*row, len(pictures), picture.format, picture.width, picture.height, picture.bottom_up])
            pictures.append(picture.payload)
    fields = {
        "unit": unit.number,
        "lane": unit.lane,
        "owner": owner,
        "fresh": fresh,
        "options": dict(feed.prepared.options),
        "video": feed.prepared.video,
        "jobs": [job.id for job in jobs],
        "partials": [job.spec.partials for job in jobs],
        "media": [None if job.spec.media is None else dict(job.spec.media) for job in jobs],
        "rows": table,
    }
    return fields, pictures
