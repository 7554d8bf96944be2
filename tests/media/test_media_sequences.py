"""Image sequences and single images: what a person may type, numbers, holes, fingerprints, the wire form."""

from __future__ import annotations

import shutil
import subprocess
import sys
from fractions import Fraction

import pytest

from semanticface.errors import MediaError, OptionsError
from semanticface.media.fingerprint import bytes_fingerprint
from semanticface.media.reader import open_media
from semanticface.media.source import MediaKind, MediaRef, parse_rate
from semanticface.results import Status


def test_holes_keep_their_place_and_are_named(tmp_path, make):
    folder = make.sequence(tmp_path / "shot", [11, 12, 15, 16])
    with open_media(MediaRef.from_user(str(folder), rate="23.976")) as reader:
        info, pictures = reader.info, list(reader.read(range(7)))
    assert (info.frame_count, info.first_number, info.missing) == (6, 11, (13, 14))
    assert (info.rate, info.rate_assumed, info.width, info.height) == (Fraction(24000, 1001), False, 64, 48)
    assert [p.status for p in pictures] == [Status.OK] * 2 + [Status.MISSING] * 2 + [Status.OK] * 2 + [Status.MISSING]
    assert "frame_0013.png" in pictures[2].message
    assert [make.number_in(p.image) for p in pictures if p.image is not None] == [11, 12, 15, 16]
    assert pictures[4].time == float(4 / Fraction(24000, 1001))
    assert pictures[6].time is None


def test_rate_that_nobody_gave_is_flagged(tmp_path, make):
    with open_media(MediaRef.from_user(str(make.sequence(tmp_path / "s", [1, 2])))) as reader:
        assert reader.info.rate == 24 and reader.info.rate_assumed


def test_first_moves_frame_0(tmp_path, make):
    folder = str(make.sequence(tmp_path / "s", range(5, 10)))
    for first, expected in ((3, [None, None, 5, 6]), (7, [7, 8, 9, None])):
        with open_media(MediaRef.from_user(folder, first=first)) as reader:
            found = [p.image if p.image is None else make.number_in(p.image) for p in reader.read(range(4))]
        assert found == expected
    with pytest.raises(MediaError, match="10 or higher"):
        open_media(MediaRef.from_user(folder, first=10))


@pytest.mark.parametrize("pattern", ["frame_####.png", "frame_%04d.png", "frame_*.png", "frame_%d.png"])
def test_patterns_of_every_kind(tmp_path, make, pattern):
    folder = make.sequence(tmp_path / "s", [9, 10])
    make.sequence(folder, [1, 2, 3], "other_%02d.png")
    with open_media(MediaRef.from_user(str(folder / pattern))) as reader:
        assert [make.number_in(p.image) for p in reader.read([0, 1])] == [9, 10]


def test_one_member_stands_for_its_sequence_only_when_asked(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [9, 10, 11])
    member = str(folder / "frame_0010.png")
    assert MediaRef.from_user(member).kind is MediaKind.IMAGE
    with open_media(MediaRef.from_user(member, sequence=True)) as reader:
        assert reader.info.frame_count == 3 and make.number_in(next(reader.read([0])).image) == 9


def test_several_sequences_in_one_folder_are_named(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [1, 2])
    make.sequence(folder, [1, 2, 3], "left.%03d.png")
    with pytest.raises(MediaError, match=r"frame_%04d\.png \(2 files\), left\.%03d\.png \(3 files\)"):
        MediaRef.from_user(str(folder))


def test_hidden_files_and_a_lone_still_beside_a_sequence_do_no_harm(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [1, 2])
    make.sequence(folder, [7], "thumb%d.png")
    (folder / "._frame_0003.png").write_bytes(b"x")
    (folder / "notes_0001.txt").write_text("x")
    assert MediaRef.from_user(str(folder)).pattern == "frame_%04d.png"


def test_numbers_in_shot_names_are_no_frame_numbers(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [998, 999, 1000, 1001], "shot#2_v03.%d.png")
    ref = MediaRef.from_user(str(folder))
    assert sorted(ref.files().names) == [998, 999, 1000, 1001]
    make.sequence(folder, [999], "shot#2_v03.%05d.png")
    with pytest.raises(MediaError, match="both frame 999"):
        MediaRef.from_user(str(folder / "shot#2_v03.%d.png"))


def test_numbers_that_are_dates_are_refused(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [20240101120000, 20241231120000], "cam_%d.png")
    with pytest.raises(MediaError, match="dates"):
        MediaRef.from_user(str(folder))


def test_broken_member_is_unreadable_and_shifts_nothing(tmp_path, make):
    folder = make.sequence(tmp_path / "s", [0, 1, 2, 3])
    (folder / "frame_0001.png").write_bytes(b"")
    data = (folder / "frame_0002.png").read_bytes()
    (folder / "frame_0002.png").write_bytes(data[:-20])
    with open_media(MediaRef.from_user(str(folder))) as reader:
        (folder / "frame_0003.png").unlink()
        pictures = list(reader.read(range(4)))
    assert [p.status.value for p in pictures] == ["ok", "unreadable", "unreadable", "missing"]
    assert "frame_0001.png" in pictures[1].message and "truncated" in pictures[2].message


def test_single_image_has_no_time_and_no_rate(tmp_path, make):
    make.sequence(tmp_path, [5])
    with open_media(MediaRef.from_user(str(tmp_path / "frame_0005.png"))) as reader:
        picture, past = reader.read([0, 1])
    assert (reader.info.rate, reader.info.frame_count, picture.time) == (None, 1, None)
    assert make.number_in(picture.image) == 5 and past.status is Status.MISSING


@pytest.mark.parametrize("text", ["", "nowhere.mp4", "http://example.com/a.mp4", "no_####.png", "a\0b"])
def test_what_is_not_there_is_refused(tmp_path, monkeypatch, text):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(MediaError):
        MediaRef.from_user(text)


def test_empty_folder_is_refused(tmp_path):
    with pytest.raises(MediaError, match="no numbered image"):
        MediaRef.from_user(str(tmp_path))


def test_fingerprint_survives_copying_and_sees_every_change(tmp_path, make):
    folder = make.sequence(tmp_path / "a", [1, 2, 4])
    shutil.copytree(folder, tmp_path / "b")
    for number in (4, 2, 1):
        (tmp_path / "b" / f"frame_{number:04d}.png").rename(tmp_path / "b" / f"other_{number + 100}.png")
    memo = {}
    one, two = (MediaRef.from_user(str(tmp_path / name)) for name in "ab")
    assert one.fingerprint(memo) == two.fingerprint() and len(memo) == 3
    (tmp_path / "b" / "other_104.png").rename(tmp_path / "b" / "other_103.png")
    assert MediaRef.from_user(str(tmp_path / "b")).fingerprint() != one.fingerprint(memo)
    image = tmp_path / "a" / "frame_0001.png"
    assert MediaRef.from_user(str(image)).fingerprint(memo) == bytes_fingerprint(image.read_bytes())
    before = one.fingerprint(memo)
    image.write_bytes(image.read_bytes() + b"more")
    assert one.fingerprint(memo) != before


def test_references_travel_as_plain_values(tmp_path, make):
    folder = str(make.sequence(tmp_path / "s", [1, 2]))
    ref = MediaRef.from_user(folder, rate="29.97", first=0)
    wire = ref.to_dict()
    assert wire == {"kind": "sequence", "path": folder, "pattern": "frame_%04d.png", "rate": [30000, 1001], "first": 0}
    assert MediaRef.from_dict(wire) == ref


@pytest.mark.parametrize(
    "change",
    [
        {"kind": "stream"},
        {"kind": 3},
        {"path": 7},
        {"path": ""},
        {"path": "relative.mp4"},
        {"path": "/a\0b"},
        {"path": "/" + "x" * 5000},
        {"pattern": "../../etc/%d"},
        {"pattern": "plain.png"},
        {"kind": "video", "pattern": "a%d.png"},
        {"rate": 25},
        {"rate": [25]},
        {"rate": [25, 0]},
        {"rate": [-25, 1]},
        {"rate": [True, 1]},
        {"rate": [10**9, 1]},
        {"first": -1},
        {"first": 1.5},
    ],
)
def test_wrong_references_from_the_wire_are_refused(change):
    with pytest.raises(MediaError):
        MediaRef.from_dict({"kind": "sequence", "path": "/shots", "pattern": "a%d.png", "rate": [25, 1], **change})


@pytest.mark.parametrize(
    ("text", "rate"),
    [
        ("25", Fraction(25)),
        ("23.976", Fraction(24000, 1001)),
        ("23.98", Fraction(24000, 1001)),
        ("29,97", Fraction(30000, 1001)),
        ("59.94", Fraction(60000, 1001)),
        ("30000/1001", Fraction(30000, 1001)),
        ("12.5", Fraction(25, 2)),
        ("30.0", Fraction(30)),
    ],
)
def test_rates_as_people_write_them(text, rate):
    assert parse_rate(text) == rate


@pytest.mark.parametrize("text", ["", "fast", "0", "-25", "1/0", "1e999999999", "nan", "99999"])
def test_rates_that_are_none(text):
    with pytest.raises(OptionsError):
        parse_rate(text)


def test_naming_media_loads_no_decoder():
    code = (
        "import sys, semanticface.media.reader, semanticface.media.frames, semanticface.media.timecode\n"
        "print([m for m in ('numpy', 'cv2', 'av') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
