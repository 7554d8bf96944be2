"""Patience and back-off, by a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from semanticface.engines.remote.abilities import Abilities, without
from semanticface.engines.remote.settings import GrammarStyle
from semanticface.engines.remote.trouble import (
    AWAY_FAILURES,
    LONGEST_WAIT,
    Kind,
    Patience,
    Trouble,
    kind_of,
    retry_after,
    wait_before,
)
from semanticface.errors import EngineError

GONE = Trouble(Kind.AWAY, "connection refused")


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_waits_double_to_a_limit_and_spread() -> None:
    plain = [wait_before(ask, GONE, lambda: 1.0) for ask in range(1, 9)]
    assert plain == [0.5, 1, 2, 4, 8, 15, 15, 15]
    assert wait_before(3, GONE, lambda: 0.0) == 1.0
    assert wait_before(5000, GONE, lambda: 1.0) == LONGEST_WAIT
    assert wait_before(1, Trouble(Kind.BUSY, "", wait=7.0), lambda: 0.0) == 7.0


def test_retry_after_is_a_number_or_a_date() -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=30))
    assert 25 < retry_after({"retry-after": later}) <= 30
    assert retry_after({"retry-after": "12"}) == 12
    for nonsense in ("", "soon", "-3", "1e9", "\u0663"):
        assert retry_after({"retry-after": nonsense}) == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [(401, Kind.FORBIDDEN), (403, Kind.FORBIDDEN), (404, Kind.UNKNOWN), (307, Kind.UNKNOWN), (400, Kind.REFUSED),
     (422, Kind.REFUSED), (429, Kind.BUSY), (503, Kind.AWAY), (500, Kind.BROKEN), (408, Kind.BROKEN)],
)  # fmt: skip
def test_statuses_have_kinds(status: int, kind: Kind) -> None:
    assert kind_of(status) is kind


def test_a_server_may_be_away_for_as_long_as_one_is_patient() -> None:
    clock = Clock()
    patience = Patience("studio", "http://h/v1", 60, clock)
    for _ in range(AWAY_FAILURES * 3):
        patience.away(GONE)
        clock.now += 3
    clock.now += 60
    with pytest.raises(EngineError, match="connection refused"):
        patience.away(GONE)
    with pytest.raises(EngineError):
        patience.check()
    clock.now += LONGEST_WAIT + 1
    patience.check()  # somebody may try again
    with pytest.raises(EngineError):
        patience.away(GONE)


def test_an_answer_makes_everything_forgotten() -> None:
    clock = Clock()
    patience = Patience("studio", "http://h/v1", 60, clock)
    for _ in range(50):
        for _ in range(AWAY_FAILURES):
            patience.away(GONE)
        clock.now += 50
        patience.answered()
        for _ in range(3):
            patience.lost(Trouble(Kind.BROKEN, "500"))
        patience.answered()


def test_a_wait_longer_than_ones_patience_is_not_begun() -> None:
    patience = Patience("studio", "http://h/v1", 60, Clock())
    with pytest.raises(EngineError):
        patience.away(Trouble(Kind.BUSY, "too many requests", wait=3600))


@pytest.mark.parametrize(
    ("complaint", "lost"),
    [
        ("logprobs is not supported with speculative decoding", "logprobs"),
        ("Unrecognized request argument supplied: top_logprobs", "logprobs"),
        ("Failed to convert the grammar from Regex", "grammar"),
        ("structured_outputs: Extra inputs are not permitted", "grammar"),
        ("Unrecognized request argument supplied: continue_final_message", "continues"),
        ("Unknown parameter: prediction", "prediction"),
        ("stream_options can only be set if stream is true", "usage"),
    ],
)
def test_a_refusal_takes_away_what_it_is_about(complaint: str, lost: str) -> None:
    before = Abilities(grammar=GrammarStyle.REGEX)
    less = without(before, complaint)
    assert less is not None
    changed = [name for name in Abilities.__dataclass_fields__ if getattr(before, name) != getattr(less[0], name)]
    assert changed == [lost]
    assert without(less[0], complaint) is None


def test_a_refusal_about_something_else_takes_nothing_away() -> None:
    assert without(Abilities(grammar=GrammarStyle.REGEX), "maximum context length is 4096 tokens") is None
