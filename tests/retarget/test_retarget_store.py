"""Profiles as files: what is kept comes back, and rubbish is refused with its reason."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semanticface import paths
from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError
from semanticface.retarget import store
from semanticface.retarget.profile import Control, Link, Profile, TargetKind

PROFILE = Profile(
    "Kaya, face",
    (
        Link("JawOpen", "CTRL_expressions_jawOpen", gain=0.9, offset=-0.05, minimum=0.0, maximum=1.0),
        Link("HeadYaw", "yaw", TargetKind.PROPERTY, "Rig", "head", 57.29577951308232),
    ),
    (Control("Head", "Rig", "head", ("-Y", "X", "Z")),),
)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(paths.HOME_VARIABLE, str(tmp_path))
    return tmp_path


def test_a_profile_comes_back_as_it_was_kept() -> None:
    assert store.names() == ()
    store.save(PROFILE)
    assert store.names() == ("Kaya, face",)
    assert store.load("Kaya, face") == PROFILE


def test_saving_again_replaces_and_another_name_adds() -> None:
    store.save(PROFILE)
    store.save(Profile("Kaya, face"))
    assert store.load("Kaya, face") == Profile("Kaya, face")
    store.save(PROFILE, "Bob")
    assert store.names() == ("Bob", "Kaya, face")
    store.remove("Kaya, face")
    assert store.names() == ("Bob",)


def test_names_that_look_alike_in_a_file_system_are_kept_apart() -> None:
    for name in ("Face", "face", "face!", "фейс", "лицо", "../face"):
        store.save(Profile(name))
    assert sorted(store.names()) == sorted(["Face", "face", "face!", "фейс", "лицо", "../face"])
    assert {path.parent for path in store.folder().iterdir()} == {store.folder()}
    assert store.load("../face").name == "../face"


@pytest.mark.parametrize("name", ["", "  ", "a" * 101, "two\nlines"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(InputError, match="needs a name"):
        store.save(PROFILE, name or " ")


def test_what_is_not_there_is_said_so() -> None:
    for act in (store.load, store.remove):
        with pytest.raises(InputError, match='no retarget profile is stored as "nobody"'):
            act("nobody")


def test_a_damaged_file_is_passed_over_in_the_list_and_named_when_asked_for() -> None:
    store.save(PROFILE)
    store.save(Profile("Bob"))
    (damaged,) = store.folder().glob("bob-*.json")
    damaged.write_text("{")
    assert store.names() == ("Kaya, face",)
    with pytest.raises(InputError, match=rf"{damaged.name}: the profile is not valid JSON"):
        store.load("Bob")


def test_files_from_elsewhere_are_bounded_and_named(tmp_path: Path) -> None:
    huge = tmp_path / "huge.json"
    huge.write_bytes(b" " * (5 << 20))
    picture = tmp_path / "picture.json"
    picture.write_bytes(b"\x89PNG\xff\xfe")
    for path, reason in ((huge, "too many"), (picture, "not a text file"), (tmp_path / "none.json", "can't be read")):
        with pytest.raises(InputError, match=reason) as error:
            store.read_profile(path)
        assert path.name in str(error.value)


def test_a_file_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    blocked = tmp_path / "blocked"
    blocked.write_text("a file where a folder should be")
    with pytest.raises(InputError, match="can't be written"):
        store.write_profile(blocked / "x.json", PROFILE)
    store.write_profile(tmp_path / "x.json", PROFILE)
    assert [path.name for path in tmp_path.iterdir() if "tmp" in path.name] == []


def test_the_documentation_shows_profiles_that_are_read_and_every_field() -> None:
    text = (Path(__file__).parents[2] / "docs" / "retarget.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```json\n(.*?)```", text, re.DOTALL)
    assert Profile.from_json(example).links[0] == Link("JawOpen", "Jaw_Open", gain=0.9, maximum=1.0)
    for field in (*Link.__dataclass_fields__, *Control.__dataclass_fields__, *Profile.__dataclass_fields__):
        assert f"`{field}`" in text, field
    script, *_ = re.findall(r"```python\n(.*?)```", text, re.DOTALL)  # the others are of test_metahuman
    exec(script, {})
    assert len(store.load("Kaya").links) == 4


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    data = PROFILE.to_dict()
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not valid JSON"),
        ("[]", "not a SemanticFace retarget profile"),
        ('{"format": "semanticface-recipe", "version": 1}', "not a SemanticFace retarget profile"),
        (changed(lambda data: data.update(version=2)), "version 2, this program reads 1"),
        (changed(lambda data: data.update(links={})), "must be lists"),
        (changed(lambda data: data["links"][0].update(action="jawOpen")), "'jawOpen' is no facial action"),
        (changed(lambda data: data["links"][0].update(target="")), "link 0 of JawOpen has no target"),
        (changed(lambda data: data["links"][0].pop("target")), "damaged"),
        (changed(lambda data: data["links"][0].update(gain="1")), "'1' is not a finite number"),
        (changed(lambda data: data["links"][0].update(gain=True)), "True is not a finite number"),
        (changed(lambda data: data["links"][0].update(minimum=2)), "minimum is above its maximum"),
        (changed(lambda data: data["links"][0].update(kind="bone")), "'bone' is not a valid TargetKind"),
        (changed(lambda data: data.update(links=data["links"] * 3000)), "more than 4096 links"),
        (changed(lambda data: data["controls"][0].update(axes=["X", "X", "Z"])), "three different axes"),
        (changed(lambda data: data["controls"][0].update(axes=["X", "Y"])), "damaged"),
        (changed(lambda data: data["controls"][0].update(actions="Neck")), "'Neck' is none of Head"),
        ('{"format": "semanticface-profile", "version": 1, "links": [{"gain": NaN}]}', "damaged"),
        ("[" * 100_000, "not valid JSON"),
    ],
)
def test_rubbish_is_refused_with_its_reason(text: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        Profile.from_json(text)


NUMBERS = st.floats(-1e6, 1e6)
LINKS = st.builds(
    Link,
    action=st.sampled_from(CSV_ORDER),
    target=st.text(min_size=1, max_size=50),
    kind=st.sampled_from(TargetKind),
    owner=st.text(max_size=50),
    bone=st.text(max_size=50),
    gain=NUMBERS,
    offset=NUMBERS,
    minimum=st.none() | st.floats(-10, 0),
    maximum=st.none() | st.floats(0, 10),
)


@given(st.builds(Profile, name=st.text(max_size=50), links=st.lists(LINKS, max_size=10).map(tuple)))
def test_any_profile_goes_through_json(profile: Profile) -> None:
    assert Profile.from_json(profile.to_json()) == profile
