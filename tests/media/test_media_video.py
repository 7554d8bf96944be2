"""Frame numbers, times and facts of video files, against a full decode of the same file."""

from __future__ import annotations

import random
from fractions import Fraction

import av
import numpy as np
import pytest

from semanticface.errors import MediaError
from semanticface.media.index import build_index
from semanticface.media.reader import open_media
from semanticface.media.source import MediaKind, MediaRef
from semanticface.results import Status

NTSC = Fraction(30000, 1001)
FILM = Fraction(24000, 1001)
B_FRAMES = {"bf": "3", "g": "12"}
FILES = {
    "h264 with B-frames": ("a.mp4", "libx264", "yuv420p", B_FRAMES),
    "h264 with open groups": ("a.mp4", "libx264", "yuv420p", {**B_FRAMES, "x264-params": "open-gop=1"}),
    "h264 with intra refresh": ("a.mp4", "libx264", "yuv420p", {"x264-params": "intra-refresh=1", "g": "12"}),
    "h264 all intra": ("a.mov", "libx264", "yuv420p", {"g": "1"}),
    "h264 in mkv": ("a.mkv", "libx264", "yuv420p", B_FRAMES),
    "h264 in ts, not from 0": ("a.ts", "libx264", "yuv420p", B_FRAMES),
    "h264 in avi, made-up times": ("a.avi", "libx264", "yuv420p", B_FRAMES),
    "h264 raw, no times": ("a.h264", "libx264", "yuv420p", B_FRAMES),
    "hevc": ("a.mp4", "libx265", "yuv420p", {"g": "12", "x265-params": "log-level=none"}),
    "mpeg4 with B-frames": ("a.mp4", "mpeg4", "yuv420p", {"bf": "2", "g": "12"}),
    "mpeg4 in avi": ("a.avi", "mpeg4", "yuv420p", {"bf": "2", "g": "12"}),
    "mpeg2 program stream": ("a.mpg", "mpeg2video", "yuv420p", {"bf": "2", "g": "12"}),
    "mjpeg": ("a.mov", "mjpeg", "yuvj420p", {}),
    "prores, 10 bits": ("a.mov", "prores_ks", "yuv422p10le", {}),
    "vp8 with hidden frames": ("a.webm", "libvpx", "yuv420p", {"auto-alt-ref": "1", "lag-in-frames": "16", "g": "20"}),
    "vp9": ("a.webm", "libvpx-vp9", "yuv420p", {"lag-in-frames": "16", "g": "20", "cpu-used": "8"}),
}


def numbers(reader, frames, make):
    return [(p.frame, None if p.image is None else make.number_in(p.image)) for p in reader.read(frames)]


@pytest.mark.parametrize("name", FILES)
def test_every_number_gives_its_own_frame_in_any_order(tmp_path, make, name):
    file, codec, pix_fmt, options = FILES[name]
    path = make.video(tmp_path / file, codec, 60, NTSC, pix_fmt, options)
    with av.open(str(path)) as container:
        full = [make.number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert full == list(range(60))
    shuffled = list(range(60))
    random.Random(7).shuffle(shuffled)
    with open_media(MediaRef.from_user(str(path))) as reader:
        assert reader.info.frame_count == 60
        assert reader.info.rate == NTSC and not reader.info.variable_rate
        assert numbers(reader, range(60), make) == [(n, n) for n in range(60)]
        assert numbers(reader, shuffled, make) == [(n, n) for n in shuffled]
        assert numbers(reader, [5, 5, 40, 4], make) == [(5, 5), (5, 5), (40, 40), (4, 4)]


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov", "ts"])
@pytest.mark.parametrize("rate", [FILM, NTSC, Fraction(60000, 1001), Fraction(25), Fraction(30), Fraction(24)])
def test_constant_rates_are_exact_fractions_in_every_container(tmp_path, make, suffix, rate):
    path = make.video(tmp_path / f"a.{suffix}", count=30, rate=rate, options=B_FRAMES)
    with open_media(MediaRef.from_user(str(path))) as reader:
        assert (reader.info.rate, reader.info.variable_rate) == (rate, False)
        times = [p.time for p in reader.read([0, 1, 29])]
    assert times == pytest.approx([0, 1 / float(rate), 29 / float(rate)], abs=0.0011)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_variable_rate_keeps_each_frames_own_time(tmp_path, make, suffix):
    gaps = [33, 33, 50, 17, 33, 100, 41, 42]
    ticks = [sum((gaps * 8)[:n]) for n in range(40)]
    path = make.video(tmp_path / f"a.{suffix}", count=40, options=B_FRAMES, ticks=ticks, tick=Fraction(1, 1000))
    with open_media(MediaRef.from_user(str(path))) as reader:
        assert reader.info.variable_rate
        pictures = list(reader.read(range(40)))
    assert [make.number_in(p.image) for p in pictures] == list(range(40))
    assert [p.time for p in pictures] == pytest.approx([t / 1000 for t in ticks], abs=1e-9)


def test_edit_list_hides_frames_and_numbering_begins_at_the_first_shown(tmp_path, make):
    source = make.video(tmp_path / "a.mp4", count=48, options=B_FRAMES)
    cut = tmp_path / "cut.mp4"
    with av.open(str(source)) as before, av.open(str(cut), "w", options={"avoid_negative_ts": "disabled"}) as after:
        stream = after.add_stream_from_template(before.streams.video[0])
        start = None
        for packet in before.demux(video=0):
            if packet.size == 0 or packet.pts < 12 * 512:
                continue
            start = 15 * 512 if start is None else start
            packet.pts, packet.dts, packet.stream = packet.pts - start, packet.dts - start, stream
            after.mux(packet)
    with av.open(str(cut)) as container:
        full = [make.number_in(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert full[0] > 12, "the file must hide frames for this test to mean something"
    with open_media(MediaRef.from_user(str(cut))) as reader:
        assert numbers(reader, range(len(full)), make) == list(enumerate(full))
        assert numbers(reader, [20, 3], make) == [(20, full[20]), (3, full[3])]
        assert next(reader.read([0])).time == 0.0
        assert reader.info.frame_count == len(full) and reader.info.note == ""


def test_frames_past_the_end_are_missing_and_shift_nothing(tmp_path, make):
    path = make.video(tmp_path / "a.mp4", count=10)
    with open_media(MediaRef.from_user(str(path))) as reader:
        pictures = list(reader.read([8, 10, -1, 9]))
    assert [p.status for p in pictures] == [Status.OK, Status.MISSING, Status.MISSING, Status.OK]
    assert make.number_in(pictures[3].image) == 9
    assert "0 to 9" in pictures[1].message


@pytest.mark.parametrize("codec", ["libx264", "mjpeg"])
def test_damaged_frames_are_unreadable_and_all_others_keep_their_numbers(tmp_path, make, codec):
    options = B_FRAMES if codec == "libx264" else {}
    path = make.video(tmp_path / "a.mov", codec, 48, pix_fmt="yuv420p" if options else "yuvj420p", options=options)
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    for hurt in (17, 18):
        at, size = packets[hurt]
        data[at : at + size] = bytes(size)
    path.write_bytes(data)
    order = list(range(48))
    with open_media(MediaRef.from_user(str(path))) as reader:
        first = list(reader.read(order))
        random.Random(3).shuffle(order)
        again = sorted(reader.read(order), key=lambda p: p.frame)
    bad = [p for p in first if p.status is Status.UNREADABLE]
    assert 2 <= len(bad) <= 12 and all(12 <= p.frame < 24 and p.image is None and p.message for p in bad)
    assert all(make.number_in(p.image) == p.frame for p in first if p.image is not None)
    assert [p.status for p in again] == [p.status for p in first]


@pytest.mark.parametrize("lost", range(300, 1000, 50))
def test_file_that_was_cut_off_gives_what_is_there_and_says_so(tmp_path, make, lost):
    path = make.video(tmp_path / "a.mp4", count=48, options=B_FRAMES, muxing={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[:-lost])
    with open_media(MediaRef.from_user(str(path))) as reader:
        assert "48" in reader.info.note and 0 < reader.info.frame_count < 48
        pictures = list(reader.read(range(48)))
    assert all(make.number_in(p.image) == p.frame for p in pictures if p.image is not None)
    assert pictures[47].status is Status.MISSING and "cut off" in pictures[47].message
    assert sum(p.status is Status.OK for p in pictures) >= reader.info.frame_count - 2


@pytest.mark.parametrize("degrees", [90, 180, 270])
def test_rotated_video_comes_out_upright(tmp_path, make, degrees):
    path = make.video(tmp_path / "a.mp4", rotation=degrees, count=20)
    with open_media(MediaRef.from_user(str(path))) as reader:
        image = next(reader.read([9])).image
        assert image.shape == (reader.info.height, reader.info.width, 3)
        assert image.shape[:2] == ((48, 64) if degrees == 180 else (64, 48))
    with av.open(str(path)) as container:
        shown = next(container.decode(video=0)).rotation
    assert make.number_in(np.rot90(image, -(shown // 90))) == 9  # `rotation` counts counter-clockwise


@pytest.mark.parametrize("matrix", [1, 6, 2])
@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("pix_fmt", ["yuv444p", "yuv444p10le"])
def test_colours_follow_the_streams_matrix_and_range(tmp_path, matrix, full, pix_fmt):
    colour = np.array([200, 60, 30])
    red, blue = (0.2126, 0.0722) if matrix == 1 else (0.299, 0.114)  # unspecified and small: BT.601
    scale = 4 if "10" in pix_fmt else 1
    y = colour @ np.array([red, 1 - red - blue, blue]) / 255
    cb, cr = (colour[2] / 255 - y) / (2 - 2 * blue), (colour[0] / 255 - y) / (2 - 2 * red)
    planes = (255 * y, 128 + 255 * cb, 128 + 255 * cr) if full else (16 + 219 * y, 128 + 224 * cb, 128 + 224 * cr)
    kind = np.uint16 if scale == 4 else np.uint8
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        stream = container.add_stream("ffv1", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pix_fmt
        stream.codec_context.colorspace, stream.codec_context.color_range = matrix, 2 if full else 1
        frame = av.VideoFrame(64, 48, pix_fmt)
        for plane, value in zip(frame.planes, planes, strict=True):
            plane.update(np.full(plane.buffer_size // np.dtype(kind).itemsize, round(value * scale), kind).tobytes())
        frame.colorspace, frame.color_range, frame.pts = matrix, 2 if full else 1, 0
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with open_media(MediaRef.from_user(str(tmp_path / "a.mkv"))) as reader:
        image = next(reader.read([0])).image
    assert np.abs(image[24, 32].astype(int) - colour).max() <= 3


def test_transparent_video_lies_over_mid_grey(tmp_path, make):
    with av.open(str(tmp_path / "a.mov"), "w") as container:
        stream = container.add_stream("qtrle", rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "argb"
        pixels = np.zeros((48, 64, 4), np.uint8)
        pixels[:, :, 0] = 100  # alpha
        pixels[:, :, 1] = 255
        frame = av.VideoFrame.from_ndarray(pixels, format="argb")
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with open_media(MediaRef.from_user(str(tmp_path / "a.mov"))) as reader:
        image = next(reader.read([0])).image
    assert np.abs(image[10, 10].astype(int) - [178, 78, 78]).max() <= 1


def test_start_timecode_is_read(tmp_path, make):
    path = make.video(tmp_path / "a.mov", rate=NTSC, timecode="01:02:03;04")
    with open_media(MediaRef.from_user(str(path))) as reader:
        assert reader.info.timecode == "01:02:03;04"


def test_given_rate_overrides_the_files_times(tmp_path, make):
    path = make.video(tmp_path / "a.mp4", count=10)
    with open_media(MediaRef.from_user(str(path), rate="23.976")) as reader:
        assert reader.info.rate == FILM
        assert next(reader.read([9])).time == float(9 / FILM)


def test_clone_reads_independently_without_another_scan(tmp_path, make):
    path = make.video(tmp_path / "a.mp4", options=B_FRAMES)
    with open_media(MediaRef.from_user(str(path))) as reader, reader.clone() as other:
        one, two = reader.read(range(50)), other.read(range(49, -1, -1))
        for n in range(50):
            assert make.number_in(next(one).image) == n
            assert make.number_in(next(two).image) == 49 - n
        assert other.index is reader.index


def test_closed_reader_refuses_instead_of_crashing(tmp_path, make):
    reader = open_media(MediaRef.from_user(str(make.video(tmp_path / "a.mp4"))))
    reader.close()
    reader.close()
    with pytest.raises(MediaError, match="closed"):
        next(reader.read([0]))


@pytest.mark.parametrize(
    "content", [b"", b"<html>not a video</html>", b"\0" * 4096, b"#EXTM3U\nhttp://127.0.0.1/x.ts\n"]
)
def test_files_that_are_no_video_are_refused_by_name(tmp_path, content):
    path = tmp_path / "clip.mp4"
    path.write_bytes(content)
    with pytest.raises(MediaError, match=r"clip\.mp4"):
        open_media(MediaRef(MediaKind.VIDEO, str(path)))


def test_playlists_that_name_other_files_are_not_followed(tmp_path, make):
    make.video(tmp_path / "secret.ts")
    for name, text in {
        "a.m3u8": "#EXTM3U\n#EXTINF:1,\nsecret.ts\n",
        "a.ffconcat": "ffconcat version 1.0\nfile secret.ts\n",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(MediaError):
            open_media(MediaRef(MediaKind.VIDEO, str(tmp_path / name)))


def test_sound_without_picture_is_refused(tmp_path):
    with av.open(str(tmp_path / "a.mp4"), "w") as container:
        stream = container.add_stream("aac", rate=44100)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 44100
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(MediaError, match="no video track"):
        open_media(MediaRef.from_user(str(tmp_path / "a.mp4")))


def test_index_maps_times_to_numbers_and_back(tmp_path, make):
    path = make.video(tmp_path / "a.mp4", options=B_FRAMES)
    index = build_index(str(path))
    assert not index.counted and len(index) == 50 and index.duration == 2
    assert [index.number_of(index.pts[n]) for n in range(50)] == list(range(50))
    assert index.time_of(25) == 1
