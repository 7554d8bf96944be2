"""`servers.json`: what is written down is read back; what is wrong is named; keys never get in."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from semanticface.engines.mllm.profile import Profile
from semanticface.engines.remote.options import complete
from semanticface.engines.remote.profiles import profile_of
from semanticface.engines.remote.settings import (
    GrammarStyle,
    add_server,
    file,
    find_server,
    is_loopback,
    list_servers,
    parse_server,
    remove_server,
)
from semanticface.errors import AssetError, OptionsError

GOOD = {"url": "http://127.0.0.1:8000/v1", "model": "m", "profile": "ours"}


def test_servers_are_read_back_as_written(home: Path) -> None:
    assert list_servers() == []
    one = parse_server("one", {**GOOD, "grammar": "regex", "concurrency": 64, "key_variable": "STUDIO_KEY"})
    add_server(one)
    add_server(parse_server("two", {**GOOD, "profile": {"version": 1, "name": "p", "system": "", "user": "u"}}))
    assert list_servers() == [one, find_server("two")]
    assert find_server("one").grammar is GrammarStyle.REGEX
    add_server(parse_server("one", GOOD))
    assert find_server("one").concurrency == 8 and len(list_servers()) == 2
    remove_server("two")
    assert find_server() == find_server("one")


def test_which_server_is_meant_is_asked_when_there_are_several(home: Path) -> None:
    with pytest.raises(OptionsError, match="no server is set up"):
        find_server()
    for name in ("one", "two"):
        add_server(parse_server(name, GOOD))
    with pytest.raises(OptionsError, match="several") as caught:
        find_server()
    assert "remote:one" in caught.value.hint
    with pytest.raises(OptionsError, match="'three'"):
        find_server("three")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "ftp://host"),
        ("url", "http://user:secret@host"),
        ("url", "http://host/v1?key=1"),
        ("url", "http://host:99999"),
        ("url", "host:8000"),
        ("model", ""),
        ("profile", "../../etc"),
        ("key_variable", "sk-12345"),
        ("concurrency", 0),
        ("concurrency", True),
        ("timeout", float("nan")),
        ("patience", -1),
        ("grammar", "ebnf"),
        ("jpeg", 101),
        ("stream", "yes"),
        ("api_key", "sk-12345"),
    ],
)
def test_a_wrong_field_is_named(field: str, value: Any) -> None:
    with pytest.raises(OptionsError, match=field) as caught:
        parse_server("one", {**GOOD, field: value})
    assert "sk-12345" not in str(caught.value)


def test_an_address_gets_its_v1_and_loses_its_last_slash() -> None:
    shown = {
        url: parse_server("one", {**GOOD, "url": url}).url for url in ("http://h:1", "http://h:1/", "https://h/api/")
    }
    assert list(shown.values()) == ["http://h:1/v1", "http://h:1/v1", "https://h/api"]


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1/v1", True),
        ("http://127.9.9.9/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://localhost/v1", True),
        ("http://localhost.studio.example/v1", False),
        ("http://127.0.0.1.studio.example/v1", False),
        ("http://10.0.0.5/v1", False),
    ],
)
def test_only_this_machine_counts_as_local(url: str, local: bool) -> None:
    assert is_loopback(url) is local


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": 2, "servers": {}}', '{"version": 1, "servers": {"a": 1}}']
)
def test_a_broken_file_is_named(home: Path, text: str) -> None:
    file().write_text(text)
    with pytest.raises(OptionsError, match=r"servers\.json"):
        list_servers()


def test_the_file_holds_no_key(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_KEY", "sk-12345")
    server = parse_server("one", {**GOOD, "key_variable": "STUDIO_KEY"})
    path = add_server(server)
    assert server.key() == "sk-12345" and "sk-12345" not in path.read_text() + repr(server)
    assert json.loads(path.read_text())["servers"]["one"]["key_variable"] == "STUDIO_KEY"


def test_a_kept_profile_is_checked_when_it_is_used(home: Path) -> None:
    with pytest.raises(AssetError, match=r"server one: .*`decimals`"):
        profile_of(parse_server("one", {**GOOD, "profile": {**_profile(), "decimals": 9}}))
    assert profile_of(parse_server("one", {**GOOD, "profile": _profile()})).name == "p"
    with pytest.raises(AssetError, match="no checkpoint 'ours'"):
        profile_of(parse_server("one", GOOD))


def _profile() -> dict[str, Any]:
    return {"version": 1, "name": "p", "system": "s", "user": "u"}


def test_options_are_completed_from_the_profile() -> None:
    profile = Profile("p", "s", "u", image_tokens=(4, 512), face_crop=0.25)
    done = complete({}, profile)
    assert (done["value"], done["image_tokens"], done["face_crop"], done["mode"]) == ("argmax", 512, 0.25, "full")
    assert complete(done, profile) == done  # completing twice changes nothing
    assert complete({"face_crop": None}, profile)["face_crop"] is None


WRONG = {
    "mode": "quick",
    "dead_zone": None,
    "value": "mode",
    "draft": "landmarks",
    "face_crop": 9,
    "image_tokens": 2,
    "batch": 4,
}


@pytest.mark.parametrize(("name", "value"), list(WRONG.items()))
def test_a_wrong_option_is_named(name: str, value: Any) -> None:
    with pytest.raises(OptionsError, match=name):
        complete({name: value}, Profile("p", "s", "u"))
