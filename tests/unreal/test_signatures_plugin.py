"""What the plugin reaches of `unreal` exists in Epic's signatures: names by its syntax, calls by their types."""

from __future__ import annotations

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "unreal_plugin" / "SemanticFace" / "Content" / "Python"
ENGINE = PYTHON / "semanticface_unreal" / "engine.py"
SIGNATURES = json.loads((ROOT / "tests" / "fakes" / "unreal_signatures.json").read_text("utf-8"))
CLASSES: dict[str, Any] = SIGNATURES["classes"]
OURS = sorted(file for file in PYTHON.rglob("*.py") if "site-packages" not in file.parts)


def members(name: str) -> set[str]:
    """What can be reached on a class: its own and its bases' methods, attributes and enum members."""
    found: set[str] = {"__name__"}
    while name in CLASSES:
        entry = CLASSES[name]
        found |= {*entry.get("methods", ()), *entry.get("class_methods", ()), *entry.get("members", ())}
        found |= {text.rstrip("=") for text in entry.get("attributes", ())}
        name = entry["base"]
    return found


def strangers(tree: ast.AST) -> Iterator[str]:
    """`unreal.X` and `unreal.X.y` that the signatures don't have."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Attribute):
            continue
        if is_unreal(node.value) and node.attr not in {*CLASSES, *SIGNATURES["functions"]}:
            yield f"unreal.{node.attr}, line {node.lineno}"
        owner = node.value
        inside = isinstance(owner, ast.Attribute) and is_unreal(owner.value) and owner.attr in CLASSES
        if isinstance(owner, ast.Attribute) and inside and node.attr not in members(owner.attr):
            yield f"unreal.{owner.attr}.{node.attr}, line {node.lineno}"


def is_unreal(node: ast.AST) -> bool:
    return isinstance(node, ast.Name) and node.id == "unreal"


def detours(tree: ast.AST) -> Iterator[str]:
    """Ways to `unreal` that the other checks can't follow: by another name, or by a string."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import) and any(name.name.split(".")[0] == "unreal" for name in node.names):
            yield f"import unreal, line {node.lineno}"
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if module.split(".")[0] == "unreal":
                yield f"from unreal import, line {node.lineno}"
            if module.endswith("engine") and any(name.name == "unreal" and name.asname for name in node.names):
                yield f"unreal under another name, line {node.lineno}"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            named = node.args and isinstance(node.args[0], ast.Name) and node.args[0].id == "unreal"
            if node.func.id in ("getattr", "hasattr", "setattr", "vars") and named:
                yield f"{node.func.id}(unreal, ...), line {node.lineno}"
        elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name) and node.value.id == "unreal":
            yield f"unreal under another name, line {node.lineno}"


def optional_names(tree: ast.Module) -> Iterator[str]:
    """What is asked of `engine.optional`, by a text or a constant of the file; a variable is left to `optional`."""
    constants = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "optional":
            argument = node.args[0]
            if isinstance(argument, ast.Constant):
                yield argument.value
            elif isinstance(argument, ast.Name) and argument.id in constants:
                yield constants[argument.id]


def listed_optional() -> tuple[str, ...]:
    """OPTIONAL of engine.py, without importing it."""
    for node in ast.parse(ENGINE.read_text("utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "OPTIONAL":
            return tuple(ast.literal_eval(node.value))
    raise AssertionError("engine.py lists no OPTIONAL")


def parsed(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"))


def name_of(file: Path) -> str:
    return file.relative_to(PYTHON).as_posix()


@pytest.mark.parametrize("file", OURS, ids=name_of)
def test_every_name_of_unreal_exists_in_the_signatures(file: Path) -> None:
    assert list(strangers(parsed(file))) == []


def test_one_module_imports_unreal() -> None:
    found = {name_of(file): list(detours(parsed(file))) for file in OURS if file != ENGINE}
    assert {name: ways for name, ways in found.items() if ways} == {}
    assert "import unreal\n" in ENGINE.read_text("utf-8")


def test_names_of_plugins_that_may_be_off_are_listed_and_asked_for() -> None:
    asked = {name for file in OURS if file != ENGINE for name in optional_names(parsed(file))}
    listed = listed_optional()
    assert asked == set(listed)
    assert not set(listed) & set(CLASSES), "these are always there: use them without `optional`"


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("unreal.AnimationBlueprintLibrary.add_curve(a)", "unreal.AnimationBlueprintLibrary, line 1"),
        ("unreal.AnimationLibrary.add_curves(a)", "unreal.AnimationLibrary.add_curves, line 1"),
        ("x = unreal.RichCurveInterpMode.LINEAR", "unreal.RichCurveInterpMode.LINEAR, line 1"),
        ("unreal.LevelSequence.add_master_track(t)", "unreal.LevelSequence.add_master_track, line 1"),
        ("unreal.logs('x')", "unreal.logs, line 1"),
    ],
)
def test_a_name_that_is_wrong_is_found(source: str, found: str) -> None:
    assert list(strangers(ast.parse(source))) == [found]


@pytest.mark.parametrize(
    "source",
    [
        "import unreal",
        "import unreal as ue",
        "from unreal import log",
        "from semanticface_unreal.engine import unreal as ue",
        "getattr(unreal, name)",
        "ue = unreal",
    ],
)
def test_a_detour_is_found(source: str) -> None:
    assert len(list(detours(ast.parse(source)))) == 1


WRONG = {
    "unreal.AnimationLibrary.get_num_frames(skeleton)": "arg-type",
    "controller.add_curve('jaw')": "arg-type",
    "controller.add_curves(identifier)": "attr-defined",
    "controller.set_number_of_frames(10)": "arg-type",
    "controller.set_curve_keys(identifier, keys, transact=True)": "call-arg",
    "controller.set_curve_keys(identifier, [1.0])": "list-item",
    "unreal.RichCurveKey(0.0, 1.0)": "arg-type",
    "unreal.RichCurveKey(time='0')": "arg-type",
    "unreal.RichCurveInterpMode.LINEAR": "attr-defined",
    "sequence.get_editor_property('skeletons')": "call-overload|arg-type",
    "sequence.set_editor_property('sequence_length', 1.0)": "call-overload|arg-type",
    "factory.set_editor_property('target_skeleton', sequence)": "call-overload",
    "factory.target_skeleton = sequence": "assignment",
    "unreal.EditorAssetLibrary.save_loaded_asset('/Game/A')": "arg-type",
    "unreal.get_editor_subsystem(unreal.EditorAssetSubsystem).load_asset('/Game/A')": "union-attr",
    "frames: str = unreal.AnimationLibrary.get_num_frames(sequence)": "assignment",
}
"""What mypy must find, and by which of its codes."""

RIGHT = [
    "controller.open_bracket('Write')",
    "controller.set_curve_keys(identifier, [key])",
    "unreal.AnimationLibrary.add_float_curve_keys(sequence, 'jaw', [0.0], (1, 2))",
    "unreal.AssetToolsHelpers.get_asset_tools().create_asset('A', '/Game', unreal.AnimSequence, factory)",
    "factory.set_editor_property('target_skeleton', skeleton)",
    "rate: float = sequence.get_editor_property('rate_scale')",
    "if unreal.EditorAssetLibrary.load_asset('/Game/A') is None: print()",
]
"""What the editor takes, and mypy must let pass."""

PREAMBLE = """import unreal
sequence: unreal.AnimSequence
skeleton: unreal.Skeleton
controller: unreal.AnimationDataController
identifier: unreal.AnimationCurveIdentifier
key: unreal.RichCurveKey
keys: unreal.Array[unreal.RichCurveKey]
factory: unreal.AnimSequenceFactory
"""


@pytest.fixture(scope="module")
def stub() -> Path:
    """Type information made of the committed signatures, where the configuration of mypy looks for it."""
    made = ROOT / "build" / "unreal-stub" / "unreal.pyi"
    subprocess.run([sys.executable, ROOT / "tools" / "make_unreal_stub.py"], check=True, capture_output=True)
    return made


def mypy(*arguments: object) -> str:
    command = [sys.executable, "-m", "mypy", "--no-pretty", *map(str, arguments)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout


def test_every_call_into_unreal_fits_epics_signatures(stub: Path) -> None:
    said = mypy("-p", "semanticface_unreal")
    assert said.startswith("Success: no issues found"), said


@pytest.mark.plugin
@pytest.mark.parametrize("engine", ["5.5", "5.4"])
def test_every_call_into_unreal_fits_the_older_engines_too(stub: Path, tmp_path: Path, engine: str) -> None:
    """With what mypy worked out for 5.6 as a start, as only the plugin is looked at anew."""
    mypy("-p", "semanticface_unreal")
    shutil.copytree(ROOT / ".mypy_cache", tmp_path / "cache")
    made = tmp_path / "stub" / "unreal.pyi"
    command = [sys.executable, ROOT / "tools" / "make_unreal_stub.py", "--engine", engine, "--out", made]
    subprocess.run(command, check=True, capture_output=True)
    settings = (ROOT / "pyproject.toml").read_text("utf-8").replace("build/unreal-stub", str(made.parent))
    (tmp_path / "mypy.toml").write_text(settings, "utf-8")
    said = mypy("--config-file", tmp_path / "mypy.toml", "--cache-dir", tmp_path / "cache", "-p", "semanticface_unreal")
    assert said.startswith("Success: no issues found"), said


def test_mypy_finds_calls_that_unreal_does_not_have(stub: Path, tmp_path: Path) -> None:
    lines = [f"{line}\n" for line in [*WRONG, *RIGHT]]
    (tmp_path / "calls.py").write_text(PREAMBLE + "".join(lines), "utf-8")
    said = mypy("--cache-dir", tmp_path / "cache", tmp_path / "calls.py")
    first = PREAMBLE.count("\n") + 1
    found: dict[int, str] = {}
    for line in said.splitlines():
        if ": error: " in line:
            found[int(line.split(":")[1])] = line.rpartition("[")[2].rstrip("]")
    expected = dict(enumerate(WRONG.values(), first))
    assert {n: code for n, code in found.items() if code not in expected.get(n, "").split("|")} == {}, said
    assert set(found) == set(expected), said
