"""Live Link packets: byte for byte, in Unreal's order, and refused when they are none."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface.actions import CSV_ORDER
from semanticface.errors import ExchangeError
from semanticface.exchange.livelink_csv import read_livelink_csv, write_livelink_csv
from semanticface.exchange.livelink_udp import packet, parse

# Unreal's EARFaceBlendShape; typed here and not taken from `actions`, so that a slip there shows.
_ENUMERATION = (
    "EyeBlinkLeft EyeLookDownLeft EyeLookInLeft EyeLookOutLeft EyeLookUpLeft EyeSquintLeft EyeWideLeft EyeBlinkRight "
    "EyeLookDownRight EyeLookInRight EyeLookOutRight EyeLookUpRight EyeSquintRight EyeWideRight JawForward JawLeft "
    "JawRight JawOpen MouthClose MouthFunnel MouthPucker MouthLeft MouthRight MouthSmileLeft MouthSmileRight "
    "MouthFrownLeft MouthFrownRight MouthDimpleLeft MouthDimpleRight MouthStretchLeft MouthStretchRight MouthRollLower "
    "MouthRollUpper MouthShrugLower MouthShrugUpper MouthPressLeft MouthPressRight MouthLowerDownLeft "
    "MouthLowerDownRight MouthUpperUpLeft MouthUpperUpRight BrowDownLeft BrowDownRight BrowInnerUp BrowOuterUpLeft "
    "BrowOuterUpRight CheekPuff CheekSquintLeft CheekSquintRight NoseSneerLeft NoseSneerRight TongueOut HeadYaw "
    "HeadPitch HeadRoll LeftEyeYaw LeftEyePitch LeftEyeRoll RightEyeYaw RightEyePitch RightEyeRoll"
)
ENUMERATION = _ENUMERATION.split()
DEVICE = "11111111-2222-3333-4444-555555555555"
# Of a face that is at rest but for five values, written out by hand from the published layout:
BY_HAND = bytes.fromhex(
    "06"  # version
    "00000024"  # 36 letters:
    "31313131313131312d323232322d333333332d343434342d353535353535353535353535"
    "00000006"  # 6 letters: iPhone
    "6950686f6e65"
    "00054600"  # 345600: 04:00:00:00 at 24
    "3f000000"  # half a frame
    "00005dc0"  # 24000
    "000003e9"  # 1001
    "3d"  # 61 values
    + "00000000" * 15
    + "3e800000"  # 15 JawLeft 0.25
    + "3f400000"  # 16 JawRight 0.75
    + "00000000" * 4
    + "3f000000"  # 21 MouthLeft 0.5
    + "3f800000"  # 22 MouthRight 1
    + "00000000" * 29
    + "be800000"  # 52 HeadYaw -0.25
    + "00000000" * 8
)
FACE = dict.fromkeys(CSV_ORDER, 0.0) | {
    "JawLeft": 0.25,
    "JawRight": 0.75,
    "MouthLeft": 0.5,
    "MouthRight": 1.0,
    "HeadYaw": -0.25,
}
TIME = {"frame": 345600, "subframe": 0.5, "rate": Fraction(24000, 1001)}


def made(coefficients=FACE, **other):
    return packet(coefficients, **({"device": DEVICE, "subject": "iPhone", **TIME} | other))


def test_a_packet_is_what_the_layout_says_byte_for_byte():
    assert made() == BY_HAND
    assert len(BY_HAND) == 312  # as the app's are with this name


def test_each_of_the_61_values_stands_where_unreals_enumeration_has_it():
    for place, name in enumerate(ENUMERATION):
        data = made(dict.fromkeys(CSV_ORDER, 0.0) | {name: 1.0})
        values = data[-244:]
        assert [at for at in range(61) if values[4 * at : 4 * at + 4] != bytes(4)] == [place], name


def test_the_frame_number_is_that_of_four_hours():
    assert 4 * 3600 * 24 == 0x54600


def test_a_packet_without_a_face_ends_after_the_rate():
    data = made(None)
    assert data == BY_HAND[: -1 - 244]
    assert parse(data).coefficients is None


def test_what_was_packed_comes_back_by_name():
    back = parse(BY_HAND)
    assert (back.device, back.subject, back.frame, back.subframe, back.rate) == (DEVICE, "iPhone", *TIME.values())
    assert back.coefficients == FACE


@given(
    st.lists(st.floats(-1e6, 1e6, width=32), min_size=61, max_size=61),
    st.integers(0, 2**31 - 1),
    st.floats(0, 1, exclude_max=True, width=32),
    st.text(st.characters(categories=["L", "N"]), min_size=1, max_size=50),
)
def test_any_face_time_and_name_comes_back(values, frame, subframe, subject):
    face = dict(zip(CSV_ORDER, values, strict=True))
    back = parse(made(face, frame=frame, subframe=subframe, subject=subject))
    assert back.coefficients == face
    assert (back.frame, back.subframe, back.subject) == (frame, subframe, subject)


def test_the_same_face_through_csv_and_udp_keeps_its_sides(tmp_path, frame):
    values = {name: round(0.013 * place, 3) for place, name in enumerate(CSV_ORDER, 1)}
    write_livelink_csv(tmp_path / "face.csv", [frame(0, 0.0, **values)])
    (row,) = read_livelink_csv(tmp_path / "face.csv").rows
    back = parse(made(row.coefficients)).coefficients
    assert back is not None
    for name in CSV_ORDER:
        assert back[name] == pytest.approx(values[name], abs=1e-7), name
    # By position the two would have been mixed up:
    in_file = (tmp_path / "face.csv").read_text().splitlines()[1].split(",")[2:]
    assert [ENUMERATION[i] for i in range(61) if float(in_file[i]) != values[ENUMERATION[i]]] == [
        "JawLeft",
        "JawRight",
        "MouthLeft",
        "MouthRight",
    ]


def test_names_are_counted_in_bytes_so_that_any_alphabet_arrives():
    data = made(subject="Zoë 🎭")
    assert data[41:45] == (9).to_bytes(4, "big")
    assert parse(data).subject == "Zoë 🎭"


def test_a_share_of_a_frame_that_float32_would_round_up_stays_below_the_next_frame():
    assert parse(made(subframe=1 - 1e-12)).subframe < 1


@pytest.mark.parametrize(
    ("other", "message"),
    [
        ({"subject": ""}, "subject ''"),
        ({"subject": "x" * 251}, "subject 'xxx"),
        ({"subject": "a\nb"}, "subject 'a"),
        ({"subject": " a"}, "subject ' a'"),
        ({"subject": "\ud800"}, "not Unicode"),
        ({"device": ""}, "device ''"),
        ({"frame": -1}, "frame -1"),
        ({"frame": 2**31}, "frame 2147483648"),
        ({"subframe": 1.0}, "sub-frame 1.0"),
        ({"subframe": math.nan}, "sub-frame nan"),
        ({"rate": Fraction(0)}, "a rate of 0"),
        ({"rate": Fraction(2**31, 3)}, "a rate of"),
        ({"coefficients": {"JawOpen": 1.0}}, "frame 345600: EyeBlinkLeft is absent"),
        ({"coefficients": FACE | {"JawOpen": math.inf}}, "frame 345600: JawOpen is absent or not a finite number"),
        ({"coefficients": FACE | {"JawOpen": 1e39}}, "1e.39 is too large"),
    ],
)
def test_what_no_packet_can_hold_is_refused(other, message):
    with pytest.raises(ExchangeError, match=message):
        made(**other)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no byte"),
        (b"\x05" + BY_HAND[1:], "version 5"),
        (BY_HAND + b"\x00", "cut short or too long"),
        (b"\x06" + bytes(2000), "2001 bytes"),
        (b"\x06\x7f\xff\xff\xff", "device has 2147483647 bytes"),
        (b"\x06\xff\xff\xff\xff", "device has -1 bytes"),
        (b"\x06\x00\x00\x00\x02\xff\xfe" + BY_HAND[41:], "not UTF-8"),
        (BY_HAND[:51] + b"\xff" + BY_HAND[52:], "time is none"),
        (BY_HAND[:59] + bytes(8) + BY_HAND[67:], "time is none"),
        (BY_HAND[:67] + b"\x34" + BY_HAND[68:], "has 52 values, 61 are known"),
        (BY_HAND[:-4] + b"\x7f\x80\x00\x00", "RightEyeRoll is not a finite number"),
    ],
)
def test_what_is_no_packet_is_refused_in_words(data, message):
    with pytest.raises(ExchangeError, match=message):
        parse(data)


def test_a_packet_cut_anywhere_is_refused_but_at_the_end_of_its_head():
    whole = [length for length in range(len(BY_HAND)) if _readable(BY_HAND[:length])]
    assert whole == [67]


def _readable(data: bytes) -> bool:
    try:
        parse(data)
    except ExchangeError:
        return False
    return True


@given(st.binary(max_size=400))
def test_noise_raises_nothing_but_our_error(data):
    _readable(b"\x06" + data)
    _readable(BY_HAND[:41] + data)
