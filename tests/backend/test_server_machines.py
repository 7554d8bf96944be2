"""The backend's parts by themselves: the states of a job and of a worker, who is admitted, what a key depends on."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from semanticface.actions import CSV_ORDER, SCHEMA_ID
from semanticface.engines.base import Traits
from semanticface.errors import BackendError, EngineError, OptionsError, ProtocolError, VersionMismatch
from semanticface.protocol import MAJOR, JobState, Message, Priority, WorkerState
from semanticface.results import FrameResult, Status
from semanticface.server import jobs, supervisor
from semanticface.server.access import is_loopback, load_keys
from semanticface.server.cache import FILE_NAME, Cache
from semanticface.server.clients import Clients
from semanticface.server.feeds import ByteFeed, MediaFeed, Picture, Prepared, split
from semanticface.server.jobs import Job, JobSpec, Outlet
from semanticface.server.options import Limits
from semanticface.server.supervisor import Life, Supervisor
from semanticface.server.units import together

INFO = {"name": "test", "version": "1", "model": "none", "device": "cpu"}
TRAITS = {"sequential": True, "warmup": 3, "lanes": 2, "batch": 1}


class NoCache:
    def get(self, key: bytes) -> FrameResult | None:
        return None

    def may_hold(self, size: int) -> bool:
        return False


def make_job(sent: list[tuple[str, dict[str, Any]]] | None = None) -> Job:
    def send(kind: str, **fields: Any) -> None:
        if sent is not None:
            sent.append((kind, fields))

    spec = JobSpec("echo", {}, Priority.BATCH, {"path": "/x"}, None, True, None)
    return Job("job", b"client", spec, Outlet(send, lambda: True), lambda job: None)


def prepared(**traits: Any) -> Prepared:
    return Prepared(INFO, Traits(**(TRAITS | traits)), {}, "print", True, {}, "content")


def ok(frame: int) -> FrameResult:
    return FrameResult(frame, None, Status.OK, dict.fromkeys(CSV_ORDER, 0.5))


# Jobs.


@pytest.mark.parametrize(("old", "new"), list(itertools.product(JobState, JobState)))
def test_a_job_takes_only_the_steps_that_are_drawn(old: JobState, new: JobState) -> None:
    job = make_job()
    job.state = old
    allowed = new in jobs.TRANSITIONS[old]
    assert not (old.ended and allowed), "an ended job stays as it is"
    if allowed:
        job._go(new)
        assert job.state is new
    else:
        with pytest.raises(RuntimeError, match="can't go"):
            job._go(new)


def test_results_of_footage_leave_in_frame_order_and_the_end_comes_last() -> None:
    sent: list[tuple[str, dict[str, Any]]] = []
    job = make_job(sent)
    job.begin(MediaFeed(job, [4, 5, 9], set(), prepared(), NoCache()), None, INFO, {})
    for index in (2, 0, 1):
        job.deliver(index, ok([4, 5, 9][index]), stored=False)
    assert [fields["result"]["frame"] for kind, fields in sent if kind == "result"] == [4, 5, 9]
    assert sent[-1][0] == "finished"
    assert sent[-1][1]["counts"] == {"ok": 3}
    job.deliver(1, ok(5), stored=False)
    assert sent[-1][0] == "finished", "nothing follows the end"


def test_a_client_that_does_not_read_pauses_its_job_without_losing_results() -> None:
    sent: list[str] = []
    room = False
    spec = JobSpec("echo", {}, Priority.BATCH, {"path": "/x"}, None, True, None)
    job = Job("j", b"c", spec, Outlet(lambda kind, **_: sent.append(kind), lambda: room), lambda job: None)
    job.begin(MediaFeed(job, [0, 1], set(), prepared(), NoCache()), None, INFO, {})
    job.deliver(0, ok(0), stored=False)
    assert not sent and not job.runnable
    room = True
    job.flush()
    assert sent == ["result"] and job.runnable


@pytest.mark.parametrize("lost_at", [1, 2, 3])
def test_a_client_that_is_gone_when_a_result_is_sent_ends_its_job_and_no_more(lost_at: int) -> None:
    sent: list[str] = []

    def send(kind: str, **fields: Any) -> None:
        sent.append(kind)
        if sent.count("result") == lost_at and kind == "result":
            job.cancel()  # what the front does with the jobs of a connection that is gone

    spec = JobSpec("echo", {}, Priority.BATCH, {"path": "/x"}, None, True, None)
    job = Job("j", b"c", spec, Outlet(send, lambda: True), lambda job: None)
    job.begin(MediaFeed(job, [0, 1, 2], set(), prepared(), NoCache()), None, INFO, {})
    for index in (2, 1, 0):
        job.deliver(index, ok(index), stored=False)
    assert job.state is JobState.CANCELLED
    assert sent == ["result"] * lost_at + ["finished"]


def test_a_text_goes_only_to_a_client_that_asked_for_texts_and_only_while_the_job_runs() -> None:
    for asked in (False, True):
        offered: list[str] = []

        def offer(kind: str, *, text: str, to: list[str] = offered, **_: Any) -> None:
            to.append(text)

        spec = JobSpec("echo", {}, Priority.BATCH, {"path": "/x"}, None, True, None, asked)
        outlet = Outlet(lambda kind, **_: None, lambda: True, offer)
        job = Job("j", b"c", spec, outlet, lambda job: None)
        job.partial(0, "too early")
        job.begin(MediaFeed(job, [0], set(), prepared(), NoCache()), None, INFO, {})
        job.partial(0, "in time")
        job.cancel()
        job.partial(0, "too late")
        assert offered == (["in time"] if asked else [])


# The worker's life.


class FakeProcess:
    pid = 4242

    def __init__(self) -> None:
        self.code: int | None = None

    def poll(self) -> int | None:
        return self.code

    def kill(self) -> None:
        self.code = -9 if self.code is None else self.code

    def tail(self) -> str:
        return "last words"


@pytest.mark.parametrize(("old", "new"), list(itertools.product(Life, Life)))
def test_a_worker_takes_only_the_steps_that_are_drawn(old: Life, new: Life) -> None:
    one = Supervisor("echo", lambda secret: FakeProcess(), Limits())
    one.life = old
    if new in supervisor.TRANSITIONS[old]:
        one._go(new)
        assert one.life is new
    else:
        with pytest.raises(RuntimeError, match="can't go"):
            one._go(new)


def ready_supervisor(limits: Limits = Limits()) -> tuple[Supervisor, list[FakeProcess]]:  # noqa: B008
    made: list[FakeProcess] = []

    def spawn(secret: bytes) -> FakeProcess:
        made.append(FakeProcess())
        return made[-1]

    one = Supervisor("echo", spawn, limits)
    one.want(0.0)
    one.up(0.0)
    one.ready(INFO, TRAITS, 0.0)
    return one, made


def test_a_worker_that_dies_with_work_is_started_again_after_a_pause_that_grows() -> None:
    one, made = ready_supervisor(Limits(backoff=1.0))
    assert one.life.shown is WorkerState.READY
    now = 0.0
    for pause in (1.0, 2.0, 4.0):
        made[-1].code = -11
        death = one.tick(now, working=True)
        assert death is not None and "SIGSEGV" in death.message and "last words" in death.message
        assert one.life is Life.BACKOFF
        assert one.tick(now + pause - 0.1, working=True) is None and one.life is Life.BACKOFF
        now += pause
        one.tick(now, working=True)
        assert one.life is Life.STARTING
        one.up(now)
        one.ready(INFO, TRAITS, now)
    one.progressed(now)
    made[-1].code = 1
    one.tick(now, working=True)
    one.tick(now + 1.0, working=True)
    assert one.life is Life.STARTING, "a result in between makes the pause short again"


def test_each_process_has_a_name_of_its_own_so_that_late_reports_are_known_as_such() -> None:
    one, made = ready_supervisor()
    first = one.secret
    made[-1].code = 1
    one.tick(0.0, working=True)
    one.tick(99.0, working=True)
    assert one.secret and one.secret != first


def test_an_engine_that_dies_while_it_loads_is_given_up_and_tried_anew_for_a_new_job() -> None:
    made: list[FakeProcess] = []

    def spawn(secret: bytes) -> FakeProcess:
        made.append(FakeProcess())
        return made[-1]

    one = Supervisor("echo", spawn, Limits(start_attempts=3))
    one.want(0.0)
    for now in (0.0, 100.0, 200.0):
        one.tick(now, working=True)
        made[-1].code = 1
        one.tick(now, working=True)
    assert one.life is Life.UNFIT and len(made) == 3
    assert isinstance(one.error, EngineError) and "last words" in one.error.message
    one.want(300.0)
    assert one.life is Life.UNFIT
    one.want(300.0, again=True)
    assert one.life is Life.STARTING


def test_a_silent_worker_and_one_that_hangs_at_work_are_killed_but_not_an_idle_one() -> None:
    for beats, working, killed in ((False, False, True), (True, True, True), (True, False, False)):
        one, made = ready_supervisor(Limits(silence=10, stall=50))
        for now in range(0, 100, 5):
            if beats:
                one.heard(float(now))
            one.tick(float(now), working)
        assert (made[0].code == -9) is killed


def test_release_ends_the_process_and_is_no_death() -> None:
    one, made = ready_supervisor()
    one.stop()
    assert made[0].code == -9 and one.life is Life.STOPPING
    assert one.tick(0.0, working=False) is None
    assert one.life is Life.ABSENT and one.pid is None


# Who is admitted.


def hello(**changes: Any) -> Message:
    fields = {"protocol": (MAJOR, 7), "client": "c", "schema": SCHEMA_ID, "token": "secret"}
    return Message("hello", fields | changes)


def test_a_version_that_differs_is_refused_with_the_side_to_update() -> None:
    clients = Clients("secret", Limits(), 0.0)
    for protocol, side in (((MAJOR + 1, 0), "the backend"), ((MAJOR - 1, 0), "add-on")):
        with pytest.raises(VersionMismatch) as caught:
            clients.admit(b"a", hello(protocol=protocol), 0.0)
        assert side in caught.value.hint
    with pytest.raises(VersionMismatch, match="facial actions"):
        clients.admit(b"a", hello(schema="other"), 0.0)
    assert clients.admit(b"a", hello(), 0.0).name == "c", "a higher minor is welcome"


def test_a_wrong_token_and_too_many_clients_are_refused() -> None:
    clients = Clients("secret", Limits(clients=1), 0.0)
    with pytest.raises(ProtocolError, match="token"):
        clients.admit(b"a", hello(token="sécret"), 0.0)
    clients.admit(b"a", hello(), 0.0)
    with pytest.raises(BackendError, match="connected already"):
        clients.admit(b"b", hello(), 0.0)


def test_a_lease_lapses_and_grace_counts_from_the_last_one() -> None:
    clients = Clients("secret", Limits(lease=10, grace=60), 0.0)
    clients.admit(b"a", hello(), 0.0)
    clients.renew(b"a", 8.0)
    assert not clients.lapsed(17.0) and len(clients.lapsed(18.1)) == 1
    clients.drop(b"a", 18.1)
    assert not clients.deserted(78.0) and clients.deserted(78.2)


def test_listening_beyond_loopback_needs_client_keys(tmp_path: Path) -> None:
    assert is_loopback("tcp://127.0.0.1:*") and is_loopback("tcp://[::1]:5000")
    for bind in ("tcp://0.0.0.0:5000", "tcp://*:5000", "tcp://eth0:5000", "tcp://192.168.1.2:*"):
        assert not is_loopback(bind)
        with pytest.raises(OptionsError):
            load_keys(bind, None)
        with pytest.raises(OptionsError, match="no client's public key"):
            load_keys(bind, tmp_path)
    with pytest.raises(OptionsError, match="not an address"):
        is_loopback("ipc:///tmp/x")


# Feeds.


def test_pieces_hold_each_missing_frame_once_and_give_every_lane_work() -> None:
    done = {3, 4, 50, 51, *range(100, 300)}
    pieces = split([(0, 5000, 1)], done, lanes=2, warmup=3)
    covered = [index for piece in pieces for index in range(piece.cursor, piece.stop) if index not in done]
    assert covered == [index for index in range(5000) if index not in done]
    assert max(piece.stop - piece.cursor for piece in pieces) <= 1000
    assert len(split([(0, 100, 1)], set(), 2, 3)) == 2


def test_frames_that_the_take_holds_are_shown_to_the_tracker_but_not_computed_again() -> None:
    job = make_job()
    feed = MediaFeed(job, list(range(8)), {1, 2, 7}, prepared(), NoCache())
    job.begin(feed, None, INFO, {})
    items = feed.cut(0, 16)
    assert [item.frame for item in items] == [0, 3, 4, 5, 6]
    assert [item.frame for item in feed.lead(items[1], items[0], 0)[1]] == [1, 2]


def test_a_tracker_is_led_up_to_a_frame_by_the_source_frames_before_it() -> None:
    job = make_job()
    feed = MediaFeed(job, [0, 1, 2, 40, 41, 42], set(), prepared(), NoCache())
    job.begin(feed, None, INFO, {})
    items = [item for _ in range(4) for item in feed.cut(0, 16)]
    assert [item.frame for item in items] == [0, 1, 2, 40, 41, 42]
    assert feed.lead(items[0], None, 0) == (True, [])
    assert feed.lead(items[1], items[0], 0) == (False, [])
    fresh, lead = feed.lead(items[3], items[2], 0)
    assert fresh and [item.frame for item in lead] == [37, 38, 39]
    feed.answered(3, failed=True)
    _, lead = feed.lead(items[4], None, 0)
    assert [item.frame for item in lead] == [38, 39], "a frame that kills the worker warms nobody up"


def test_the_key_of_a_sent_still_is_its_content_and_of_a_performance_also_what_came_before() -> None:
    def keys(video: bool, levels: list[int]) -> list[bytes]:
        job = make_job()
        how = Prepared(INFO, Traits(**TRAITS), {}, "print", video, {}, "")
        feed = ByteFeed(job, how, NoCache())
        job.begin(feed, None, INFO, {})
        for number, level in enumerate(levels):
            feed.add(number, None, Picture(bytes([level]), 1, "encoded", None, None, False))
        return [feed.key(item) for item in feed.cut(0, 100)]

    assert keys(False, [1, 2])[1] == keys(False, [3, 2])[1]
    assert keys(True, [1, 2])[1] != keys(True, [3, 2])[1]
    assert keys(True, [9, 1, 2, 3, 4])[4] == keys(True, [8, 1, 2, 3, 4])[4], "only the warm-up before it counts"


def test_sent_pictures_are_let_go_once_nobody_needs_them() -> None:
    job = make_job()
    feed = ByteFeed(job, prepared(), NoCache())
    job.begin(feed, None, INFO, {})
    for number in range(10):
        feed.add(number, None, Picture(bytes(100), 100, "encoded", None, None, False))
    assert feed.held == 1000
    for number in range(10):
        job.deliver(number, ok(number), stored=False)
    assert feed.held == 0 and sorted(feed._past) == [7, 8, 9]


# Units.


def test_stills_of_several_jobs_share_a_unit_but_an_artists_picture_waits_for_no_farms() -> None:
    def job(priority: Priority, fingerprint: str = "print") -> Job:
        one = Job("job", b"client", JobSpec("echo", {}, priority, None, None, False, None), Outlet(print, bool), print)
        how = Prepared(INFO, Traits(False, 0, 1, 8), {}, fingerprint, False, {}, "")
        one.begin(ByteFeed(one, how, NoCache()), None, INFO, {})
        return one

    farm, artist = job(Priority.BATCH), job(Priority.INTERACTIVE)
    assert together(farm, job(Priority.BATCH)) and together(artist, job(Priority.INTERACTIVE))
    assert not together(artist, farm) and not together(farm, job(Priority.BATCH, "another prompt"))


# The cache.


def test_a_result_comes_back_as_it_was_and_survives_a_restart(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1 << 20)
    cache.put(b"a", ok(7), 100)
    cache.put(b"b", FrameResult(1, 0.5, Status.NO_FACE))
    assert cache.get(b"a") == ok(7) and cache.may_hold(100) and not cache.may_hold(101)
    cache.close()
    again = Cache(tmp_path, 1 << 20)
    assert again.get(b"a") == ok(7) and again.state.entries == 2 and again.may_hold(100)
    assert again.get(b"nothing") is None


@pytest.mark.parametrize("status", [Status.MISSING, Status.UNREADABLE, Status.UNPARSEABLE, Status.FAILED])
def test_what_may_end_otherwise_another_time_is_not_kept(tmp_path: Path, status: Status) -> None:
    cache = Cache(tmp_path, 1 << 20)
    cache.put(b"a", FrameResult(1, None, status))
    assert cache.get(b"a") is None


def test_a_result_with_a_remark_is_not_kept_for_next_time_nothing_may_be_in_the_way(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 1 << 20)
    cache.put(b"a", replace(ok(1), message="memory was short: a smaller picture was looked at"))
    cache.put(b"b", FrameResult(1, None, Status.NO_FACE, message="the chosen face is not in it"))
    assert cache.get(b"a") is None and cache.get(b"b") is not None


def test_the_least_recently_used_go_when_the_bound_is_reached(tmp_path: Path) -> None:
    cache = Cache(tmp_path, 6000)
    for number in range(40):
        cache.put(bytes([number]), ok(number))
        cache.tick(float(number))
        cache.get(bytes([0]))
    cache.tick(100.0)
    assert cache.state.bytes <= 6000
    assert cache.get(bytes([0])) is not None, "it is used all the time"
    assert cache.get(bytes([1])) is None and cache.get(bytes([39])) is not None


@pytest.mark.parametrize("damage", [b"this is no database at all" * 100, b""])
def test_a_damaged_cache_is_moved_aside_and_work_goes_on(tmp_path: Path, damage: bytes) -> None:
    cache = Cache(tmp_path, 1 << 20)
    for number in range(50):
        cache.put(bytes([number]), ok(number))
    cache.close()
    file = tmp_path / FILE_NAME
    whole = file.read_bytes()
    file.write_bytes(damage or whole[:4096] + bytes(8192) + whole[12288:])
    again = Cache(tmp_path, 1 << 20)
    again.get(b"\x01")
    again.put(b"new", ok(1))
    assert again.get(b"new") == ok(1)
    assert any(path.name.endswith(".damaged.db") for path in tmp_path.iterdir())


def test_a_cache_that_cannot_be_had_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    cache = Cache(tmp_path / "file", 1 << 20)
    cache.put(b"a", ok(1))
    assert cache.get(b"a") is None
