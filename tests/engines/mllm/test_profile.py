"""A checkpoint's profile is input like any other: what it says is checked, and what it misspells is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import FILE_NAME, Layout, Profile, ValueChoice, load_profile, parse_profile
from semanticface.errors import AssetError

GOOD = Profile(name="test", system="s", user="u", layouts=(Layout.PAPER,), decimals=3, value=ValueChoice.EXPECTATION)


def test_a_profile_comes_back_from_its_file_as_it_was(tmp_path: Path):
    GOOD.save(tmp_path)
    assert load_profile(tmp_path) == GOOD


@pytest.mark.parametrize("layout", [Layout.VALUES, Layout.VECTOR])
def test_a_form_without_words_and_with_some_actions_comes_back_in_its_order(tmp_path: Path, layout: Layout):
    some = replace(GOOD, layouts=(layout,), actions=("HeadYaw", "JawOpen", "MouthSmileLeft"))
    some.save(tmp_path)
    assert load_profile(tmp_path) == some


def test_a_profile_of_all_actions_is_written_as_it_always_was():
    """Identities of checkpoints, and with them stored results, hang on these bytes."""
    fields = json.loads(GOOD.to_json())
    old = ["name", "system", "user", "base", "adapter", "layouts", "decimals", "signed", "image_tokens"]
    assert list(fields) == [*old, "analysis_tokens", "value", "dead_zone", "face_crop", "version"]
    assert parse_profile(fields).actions == CSV_ORDER
    assert parse_profile({**fields, "actions": list(CSV_ORDER)}).to_json() == GOOD.to_json()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "../escape"),
        ("name", ".hidden"),
        ("decimals", 9),
        ("decimals", True),
        ("layouts", ["prose"]),
        ("layouts", []),
        ("layouts", ["bare", "values"]),
        ("layouts", ["vector", "values"]),
        ("actions", ["JawOpen", "JawOpenn", "HeadYaw"]),
        ("actions", ["JawOpen", "HeadYaw"]),
        ("actions", ["JawOpen", "HeadYaw", "JawOpen"]),
        ("actions", []),
        ("actions", "JawOpen"),
        ("actions", None),
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
