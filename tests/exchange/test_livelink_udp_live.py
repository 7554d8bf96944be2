"""A take that is still being written, played frame after frame in its own order."""

from __future__ import annotations

from fractions import Fraction

import pytest

from semanticface.curves.recipe import GapPolicy, Neutral, Recipe, Tuning
from semanticface.errors import ExchangeError, OptionsError, TakeError
from semanticface.exchange.livelink_clock import clock_of
from semanticface.exchange.livelink_csv import WithoutFace
from semanticface.exchange.livelink_live import Growing, Tail
from semanticface.exchange.livelink_player import POLL, Player, Voice
from semanticface.exchange.livelink_stream import StreamOptions, stream_growing
from semanticface.exchange.livelink_udp import parse
from semanticface.take import FRAMES_NAME, TakeHeader, TakeWriter

RATE = Fraction(25)


def header(frames=((0, 9, 1),), rate=RATE) -> TakeHeader:
    return TakeHeader({}, rate, {"name": "mock"}, {}, "k", frames=frames)


class Preview:
    """A writer, a player beside it, and a clock that is moved by hand."""

    def __init__(self, folder, frames=((0, 9, 1),), missing=WithoutFace.SKIP, recipe=None) -> None:
        self.writer = TakeWriter(folder, header(frames))
        self.folder, self.now, self.sent = folder, 0.0, []
        self.feed = Growing(folder, header(frames), clock_of(RATE, ""), missing, recipe)
        self.player = Player(self.feed, self._send, Voice("a", "b"), RATE, clock=lambda: self.now)

    def _send(self, data: bytes) -> bool:
        self.sent.append((round(self.now, 6), parse(data)))
        return True

    def wait(self, seconds: float = 0.0) -> list[int]:
        """Let time pass as a host does; the frames that went out meanwhile."""
        before, end = len(self.sent), self.now + seconds
        self.player.send_due()
        while self.now < end:
            self.now = min(end, self.now + (self.player.due() or POLL))
            self.player.send_due()
        return [seen.frame for _, seen in self.sent[before:]]


@pytest.fixture
def preview(tmp_path):
    return Preview(tmp_path / "take")


def test_frames_that_are_there_are_played_at_their_pace_and_the_next_ones_when_they_come(preview, frame):
    for number in range(3):
        preview.writer.append(frame(number, number / 25))
    assert preview.wait(0.1) == [0, 1, 2]
    assert [moment for moment, _ in preview.sent] == pytest.approx([0.0, 0.04, 0.08])
    assert preview.wait(5) == [] and preview.player.starved and preview.feed.waits_for == 3
    preview.writer.append(frame(3, 3 / 25))
    preview.writer.append(frame(4, 4 / 25))
    assert preview.wait(0.06) == [3, 4]
    assert preview.sent[-1][0] - preview.sent[-2][0] == pytest.approx(0.04)
    assert preview.player.played.stalls == 0


def test_after_a_short_wait_frames_do_not_come_in_a_burst(preview, frame):
    preview.writer.append(frame(0, 0.0))
    assert preview.wait(0.3) == [0]
    for number in (1, 2, 3):
        preview.writer.append(frame(number, number / 25))
    assert preview.wait(0.13) == [1, 2, 3]
    moments = [moment for moment, _ in preview.sent]
    assert [moments[2] - moments[1], moments[3] - moments[2]] == pytest.approx([0.04, 0.04])


def test_frames_that_arrive_out_of_order_are_played_in_order(preview, frame):
    for number in (2, 0, 3):
        preview.writer.append(frame(number, number / 25))
    assert preview.wait(1) == [0]
    preview.writer.append(frame(1, 1 / 25))
    assert preview.wait(1) == [1, 2, 3]


def test_it_is_over_with_the_last_frame_that_was_asked_for(tmp_path, frame):
    preview = Preview(tmp_path / "take", frames=((2, 6, 2), (9, 9, 1)))
    for number in (2, 4, 6):
        preview.writer.append(frame(number, number / 25, face=number != 4))
    preview.wait(1)
    assert not preview.player.done
    preview.writer.append(frame(9, 9 / 25))
    preview.wait(1)
    assert preview.player.done
    assert [(seen.frame, seen.coefficients is None) for _, seen in preview.sent] == [
        (2, False),
        (4, True),
        (6, False),
        (9, False),
    ]


def test_half_a_line_is_left_until_its_rest_is_there(preview, frame):
    preview.writer.append(frame(0, 0.0))
    preview.writer.append(frame(1, 0.04))
    preview.writer.close()
    path = preview.folder / FRAMES_NAME
    whole = path.read_bytes()
    path.write_bytes(whole[:-100])
    assert preview.wait(1) == [0]
    with path.open("ab") as file:
        file.write(whole[-100:])
    assert preview.wait(1) == [1]
    assert preview.feed.tail.damaged == 0


def test_a_line_that_can_not_be_read_is_counted_and_passed_over(preview, frame):
    preview.writer.append(frame(0, 0.0))
    with (preview.folder / FRAMES_NAME).open("ab") as file:
        file.write(b'{"frame": \n' + b"[" * 5000 + b"\n")
    preview.writer.append(frame(1, 0.04))
    assert preview.wait(1) == [0, 1]
    assert preview.feed.tail.damaged == 2


def test_without_a_list_of_frames_they_go_as_they_come_and_never_back(tmp_path, frame):
    preview = Preview(tmp_path / "take", frames=None)
    for number in (5, 7):
        preview.writer.append(frame(number, number / 25))
    assert preview.wait(1) == [5, 7]
    preview.writer.append(frame(6, 6 / 25))
    preview.writer.append(frame(8, 8 / 25))
    assert preview.wait(1) == [8]
    assert not preview.player.done


def test_a_tail_reads_a_bounded_number_of_lines_a_call(tmp_path, frame):
    with TakeWriter(tmp_path / "take", header()) as writer:
        for number in range(120):
            writer.append(frame(number, number / 25))
    tail = Tail(tmp_path / "take")
    assert [len(tail.read()) for _ in range(4)] == [50, 50, 20, 0]


def test_what_a_recipe_does_to_one_frame_is_done_on_the_way(tmp_path, frame):
    recipe = Recipe(neutral=Neutral("rest", {"HeadYaw": 0.25}), gain=2.0, tunings={"JawOpen": Tuning(maximum=0.5)})
    preview = Preview(tmp_path / "take", recipe=recipe, missing=WithoutFace.HOLD)
    preview.writer.append(frame(0, 0.0, HeadYaw=0.5, MouthSmileLeft=0.25, JawOpen=0.5))
    preview.writer.append(frame(1, 0.04, face=False))
    preview.wait(1)
    for _, seen in preview.sent:
        values = {name: value for name, value in seen.coefficients.items() if value}
        assert values == {"HeadYaw": 0.25, "MouthSmileLeft": 0.5, "JawOpen": 0.5}
    assert len(preview.sent) == 2


@pytest.mark.parametrize(
    ("recipe", "words"),
    [
        (Recipe(smoothing=0.1), "recipe's smoothing can't"),
        (Recipe(gaps=GapPolicy.HOLD), "recipe's gaps can't"),
        (Recipe(smoothing=1, gaps=GapPolicy.INTERPOLATE), "smoothing and gaps"),
    ],
)
def test_a_recipe_that_needs_later_frames_is_refused_with_the_reason(tmp_path, recipe, words):
    TakeWriter(tmp_path / "take", header()).close()
    with pytest.raises(OptionsError, match=words):
        stream_growing(tmp_path / "take", StreamOptions(to="127.0.0.1:9"), recipe)


def test_a_growing_take_has_no_end_to_loop_from_and_needs_a_rate(tmp_path):
    TakeWriter(tmp_path / "take", header(rate=None)).close()
    with pytest.raises(OptionsError, match="no end to loop from"):
        stream_growing(tmp_path / "take", StreamOptions(loop=True))
    with pytest.raises(TakeError, match="has no frame rate"):
        stream_growing(tmp_path / "take", StreamOptions())


def test_time_that_goes_back_is_named(preview, frame):
    preview.writer.append(frame(0, 0.5))
    preview.writer.append(frame(1, 0.1))
    with pytest.raises(ExchangeError, match="frame 1 is not later"):
        preview.wait(1)
