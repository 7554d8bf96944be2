"""A checkpoint's profile is input like any other: what it says is checked, and what it misspells is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semanticface.engines.mllm.profile import FILE_NAME, Layout, Profile, ValueChoice, load_profile, parse_profile
from semanticface.errors import AssetError

GOOD = Profile(name="test", system="s", user="u", layouts=(Layout.PAPER,), decimals=3, value=ValueChoice.EXPECTATION)


def test_a_profile_comes_back_from_its_file_as_it_was(tmp_path: Path):
    GOOD.save(tmp_path)
    assert load_profile(tmp_path) == GOOD


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../escape"),
        ("name", ".hidden"),
        ("decimals", 9),
        ("decimals", True),
        ("layouts", ["prose"]),
        ("layouts", []),
        ("signed", ["JawOpenn"]),
        ("image_tokens", [64, 4]),
        ("value", "mode"),
        ("dead_zone", 1.5),
        ("face_crop", -1),
        ("analysis_tokens", 10**9),
        ("system", None),
    ],
)
def test_a_wrong_field_is_named(field: str, value: object):
    with pytest.raises(AssetError, match=field):
        parse_profile({**json.loads(GOOD.to_json()), field: value})


def test_a_misspelt_field_is_refused_instead_of_having_no_effect():
    with pytest.raises(AssetError, match="decimal_places"):
        parse_profile({**json.loads(GOOD.to_json()), "decimal_places": 3})


def test_a_newer_profile_asks_for_an_update():
    with pytest.raises(AssetError) as caught:
        parse_profile({**json.loads(GOOD.to_json()), "version": 99})
    assert "update" in caught.value.hint


@pytest.mark.parametrize("text", ["", "[]", "{", '{"version": 1}', "[" * 100_000])
def test_rubbish_is_refused_with_the_file_named(tmp_path: Path, text: str):
    (tmp_path / FILE_NAME).write_text(text)
    with pytest.raises(AssetError, match=FILE_NAME):
        load_profile(tmp_path)
