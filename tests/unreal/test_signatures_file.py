"""The committed signatures are what Epic's stub says, and the tool that writes them reads it right."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]


def tool(name: str) -> Any:
    """A script of tools/ as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


EXTRACT = tool("extract_unreal_signatures")
SIGNATURES = json.loads(EXTRACT.SIGNATURES.read_text("utf-8"))

STUB = '''
class _WrapperBase(object):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        ...

class _EnumEntry(object):
    ...

class _ObjectBase(_WrapperBase):
    ...

class StructBase(_WrapperBase):
    ...

class EnumBase(_WrapperBase):
    ...

class DelegateBase(_WrapperBase):
    ...

class Mode(EnumBase):
    r"""
    A mode
    """

    FIRST: Mode = ... #: 0: the first
    THIRD: Mode = ... #: 3

class Asset(_ObjectBase):
    r"""
    **Editor Properties:** (see get_editor_property/set_editor_property)

    - ``frames`` (int32):  [Read-Only] How many
    - ``parent`` (type(Class)):  [Read-Write]
    """
    @property
    def frames(self) -> int:
        ...

class Clip(Asset):
    r"""
    **Editor Properties:** (see get_editor_property/set_editor_property)

    - ``frames`` (int32):  [Read-Only] How many
    - ``parent`` (type(Class)):  [Read-Write]
    - ``rate`` (float):  [Read-Write]
    """
    @property
    def rate(self) -> float:
        ...
    @rate.setter
    def rate(self, value: float) -> None:
        ...
    @classmethod
    def find(cls, name: Name, mode: Mode = Mode.FIRST) -> Clip:
        ...
    def cut(self, start: int, seconds: float = 1.5) -> bool:
        r"""
        x.cut(start, seconds=1.5) -> bool

        Args:
            start (int32): the first frame
            seconds (double): how long

        Returns:
            bool: whether
        """
        ...

class Broken(Asset):
    def nonsense(self, x = [[[ -> None:
        ...

def log(arg: Any) -> None:
    ...
'''


def test_the_committed_files_are_what_the_stubs_of_the_engines_say() -> None:
    if not all(EXTRACT.wheel(engine).is_file() for engine in EXTRACT.STUBS):
        pytest.skip("the stubs' wheels aren't in build/wheels; tools/extract_unreal_signatures.py fetches them")
    assert EXTRACT.main(["--check"]) == 0


def test_a_class_comes_with_its_bases_and_only_with_what_is_its_own() -> None:
    found = EXTRACT.extract(STUB, ["Clip"])["classes"]
    assert found["Clip"]["base"] == "Asset" and found["Asset"]["base"] == "_ObjectBase"
    assert found["Asset"]["editor"] == {"frames": "r int32", "parent": "rw Class"}
    assert found["Asset"]["attributes"] == ["frames"]
    assert found["Clip"]["editor"] == {"rate": "rw float"}
    assert found["Clip"]["attributes"] == ["rate="]


def test_signatures_hold_the_engines_own_types_and_the_defaults() -> None:
    clip = EXTRACT.extract(STUB, ["Clip"])["classes"]["Clip"]
    assert clip["methods"] == {"cut": "(start: int32, seconds: double=1.5) -> bool"}
    assert clip["class_methods"] == {"find": "(name: Name, mode: Mode=Mode.FIRST) -> Clip"}


def test_members_of_enums_hold_their_values() -> None:
    assert EXTRACT.extract(STUB, ["Mode"])["classes"]["Mode"] == {
        "kind": "enum",
        "base": "EnumBase",
        "members": {"FIRST": 0, "THIRD": 3},
    }


def test_what_is_broken_elsewhere_in_the_stub_does_no_harm() -> None:
    assert EXTRACT.extract(STUB, ["Clip", "log"])["functions"] == {"log": "(arg: Any) -> None"}


def test_a_name_that_the_stub_lacks_is_refused() -> None:
    with pytest.raises(EXTRACT.ExtractError, match="Clips isn't in the stub"):
        EXTRACT.extract(STUB, ["Clips"])


def test_what_an_older_engine_lacks_or_has_otherwise_is_kept_apart_and_put_back() -> None:
    newer = {"classes": {"A": {"methods": {"f": "()", "g": "(x: int)", "h": "()"}, "kind": "object"}, "B": {}}}
    older = {"classes": {"A": {"methods": {"g": "(x: float)", "h": "()", "k": "()"}, "kind": "object", "init": "()"}}}
    changed = EXTRACT.difference(newer, older)
    methods = {"f": None, "g": "(x: float)", "k": "()"}
    assert changed == {"classes": {"A": {"methods": methods, "init": "()"}, "B": None}}
    assert EXTRACT.patched(newer, changed) == older


@pytest.mark.parametrize(
    ("engine", "owner", "method", "there"),
    [
        ("5.4", "LevelSequenceEditorBlueprintLibrary", "force_update", False),
        ("5.5.4", "LevelSequenceEditorBlueprintLibrary", "force_update", True),
        ("5.4", "AnimationLibrary", "get_float_keys", True),
    ],
)
def test_older_engines_are_told_apart(engine: str, owner: str, method: str, there: bool) -> None:
    older = EXTRACT.patched(SIGNATURES, json.loads(EXTRACT.OLDER.read_text("utf-8"))[engine])
    assert (method in older["classes"][owner]["class_methods"]) is there


def test_the_list_of_names_is_sorted_and_whole() -> None:
    text = EXTRACT.NAMES.read_text("utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines == sorted(set(lines))
    assert set(lines) <= {*SIGNATURES["classes"], *SIGNATURES["functions"]}


@pytest.mark.parametrize(
    ("owner", "part", "name", "signature"),
    [
        (
            "AnimationDataController",
            "methods",
            "set_curve_keys",
            "(curve_id: AnimationCurveIdentifier, curve_keys: Array[RichCurveKey], should_transact: bool=True) -> bool",
        ),
        (
            "AnimationDataController",
            "methods",
            "set_number_of_frames",
            "(new_length_in_frames: FrameNumber, should_transact: bool=True) -> None",
        ),
        (
            "AnimationLibrary",
            "class_methods",
            "get_float_keys",
            "(animation_sequence_base: AnimSequenceBase, curve_name: Name) -> Tuple[Array[float], Array[float]]",
        ),
        ("ScopedSlowTask", "methods", "should_cancel", "() -> bool"),
    ],
)
def test_what_epic_documents_is_in_the_file(owner: str, part: str, name: str, signature: str) -> None:
    assert SIGNATURES["classes"][owner][part][name] == signature


@pytest.mark.parametrize(
    "name", ["AnimationBlueprintLibrary", "LiveLinkFaceImporterFactory", "MovieSceneLiveLinkTrack"]
)
def test_what_the_engine_lacks_is_not_in_the_file(name: str) -> None:
    assert name not in SIGNATURES["classes"]


def test_the_file_stays_small_enough_to_be_read_in_a_review() -> None:
    assert EXTRACT.SIGNATURES.stat().st_size < 600_000
