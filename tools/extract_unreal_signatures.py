"""Write down what Unreal's Python API says of the names we use: `python tools/extract_unreal_signatures.py [--check]`.

Reads wheels of `unreal-stub`, each the file that an Unreal Editor generates about its own Python module, takes the
names that tests/fakes/unreal_names.txt lists with their base classes, and writes beside it

- unreal_signatures.json: classes of Unreal 5.6 with properties, methods, arguments, defaults and members, no text;
- unreal_older.json: by which entries 5.5 and 5.4 differ from that (null: isn't there).

`--check` writes nothing and ends with 1 where a committed file differs. The wheels are kept in build/wheels, so that a
second run needs no index. The stub as a whole is no valid Python; so each class and function is parsed by itself. It
annotates with Python's types; where its text names the engine's own (`int32`, `double`), that is what goes into the
file. Knows nothing of the fake and nothing of the plugin.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WHEELS = ROOT / "build" / "wheels"
NEWEST = "5.6.0-43139311"
"""The engine that generated the stub of version 0.3, as its package description says; its Python is 3.11.8."""
STUBS = {NEWEST: "0.3", "5.5.4": "0.2.1", "5.4": "0.1"}
"""Engine -> version of `unreal-stub`. That of 5.4 doesn't say so: it was made in the week after its release, and holds
what came with it."""
NAMES = ROOT / "tests" / "fakes" / "unreal_names.txt"
SIGNATURES = ROOT / "tests" / "fakes" / "unreal_signatures.json"
OLDER = ROOT / "tests" / "fakes" / "unreal_older.json"

ROOTS = ("_WrapperBase", "_EnumEntry")
"""What every other class rests on; always taken."""
KINDS = {"_ObjectBase": "object", "StructBase": "struct", "EnumBase": "enum", "DelegateBase": "delegate"}
NATIVE = {"int32": "int", "int64": "int", "uint8": "int", "uint32": "int", "double": "float"}
"""The engine's numbers, and what the stub's annotations make of them."""


class ExtractError(Exception):
    """The stub isn't what this tool knows, or a name isn't in it."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("extract_unreal_signatures", description="Signatures of Unreal's Python API.")
    parser.add_argument("--check", action="store_true", help="write nothing; 1 where a committed file differs")
    chosen = parser.parse_args(arguments)
    names = wanted_names(NAMES.read_text("utf-8"))
    try:
        texts = {engine: stub_text(engine) for engine in STUBS}
        newest = extract(texts[NEWEST], names)
        older = {engine: difference(newest, extract(text, names, strict=False)) for engine, text in texts.items()}
    except ExtractError as error:
        print(f"extract_unreal_signatures: {error}", file=sys.stderr)
        return 1
    del older[NEWEST]
    same = True
    for file, text in ((SIGNATURES, dump({"engine": NEWEST, **newest})), (OLDER, dump(older))):
        differs = not file.is_file() or file.read_text("utf-8") != text
        same = same and not differs
        if differs and not chosen.check:
            file.write_text(text, "utf-8")
        verdict = "as the stubs say" if not differs else "differs from the stubs" if chosen.check else "written"
        print(f"{file.name}: {verdict}, {len(text) / 1000:.0f} kB")
    return 1 if chosen.check and not same else 0


def wanted_names(text: str) -> list[str]:
    """The names of the list, without comments and empty lines."""
    return sorted({line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")})


def wheel(engine: str) -> Path:
    """Where the wheel of an engine's stub is kept."""
    return WHEELS / f"unreal_stub-{STUBS[engine]}-py3-none-any.whl"


def stub_text(engine: str) -> str:
    """The generated module's text. Fetches the wheel with pip where it isn't there."""
    file, wanted = wheel(engine), f"unreal-stub=={STUBS[engine]}"
    if not file.is_file():
        file.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "--disable-pip-version-check", "--quiet", "--no-deps"]
        command += ["--dest", str(file.parent), wanted]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not file.is_file():
            raise ExtractError(f"can't fetch {wanted}: {done.stderr.strip()}")
    with zipfile.ZipFile(file) as archive:
        return archive.read("unreal/unreal.py").decode("utf-8-sig")


def blocks(text: str) -> dict[str, str]:
    """Name -> source text of each class and function of the module."""
    starts = [(found.start(), found.group(2)) for found in re.finditer(r"^(class|def) (\w+)", text, re.MULTILINE)]
    ends = [start for start, _ in starts[1:]] + [len(text)]
    taken: dict[str, str] = {}
    for (start, name), end in zip(starts, ends, strict=True):
        block = text[start:end]
        # What follows the last definition of a part is module code without indentation.
        tail = re.search(r"\n(?=[^\s])", block)
        taken[name] = block[: tail.start()] if tail else block
    return taken


def extract(text: str, names: Iterable[str], strict: bool = True) -> dict[str, Any]:
    """`{"classes": {name: ...}, "functions": {name: signature}}` of these names and their bases.

    Raises ExtractError for a name that the stub lacks; without `strict` it is left out.

    A class is `{"kind", "base", "init"?, "editor"?, "attributes"?, "methods"?, "class_methods"?, "members"?}`:
    `editor` maps editor properties to `rw type` or `r type`, without the base's; `attributes` lists those that are
    Python attributes too, with `=` after what may be set; signatures are text such as `(time: float) -> bool`.
    """
    source = blocks(text)
    classes: dict[str, Any] = {}
    functions: dict[str, str] = {}
    waiting = [*ROOTS, *KINDS, *names]
    while waiting:
        name = waiting.pop()
        if name in classes or name in functions:
            continue
        if name not in source and not strict:
            continue
        if name not in source:
            raise ExtractError(f"{name} isn't in the stub")
        node = ast.parse(source[name]).body[0]
        if isinstance(node, ast.ClassDef):
            classes[name] = described(node, source[name])
            waiting += [base for base in [classes[name]["base"]] if base in source]
        elif isinstance(node, ast.FunctionDef):
            functions[name] = signature(node, {}, bound=False)
    for name, entry in classes.items():
        entry["kind"] = kind(name, classes)
    for entry in classes.values():
        leave_out_inherited(entry, classes)
    return {"classes": classes, "functions": functions}


def difference(newer: Any, older: Any) -> Any:
    """What turns the one into the other (`patched`): by entry, null where the older lacks it."""
    changed: dict[str, Any] = {key: None for key in newer if key not in older}
    for key, value in older.items():
        if isinstance(value, dict) and isinstance(newer.get(key), dict):
            inner = difference(newer[key], value)
            if inner:
                changed[key] = inner
        elif newer.get(key) != value:
            changed[key] = value
    return changed


def patched(newer: dict[str, Any], changed: dict[str, Any]) -> dict[str, Any]:
    """The older signatures again."""
    made = {key: value for key, value in newer.items() if not (key in changed and changed[key] is None)}
    for key, value in changed.items():
        if isinstance(value, dict):
            made[key] = patched(newer.get(key) or {}, value)
        elif value is not None:
            made[key] = value
    return made


def described(node: ast.ClassDef, source: str) -> dict[str, Any]:
    """One class, with all the editor properties that its text names."""
    document = ast.get_docstring(node) or ""
    entry: dict[str, Any] = {"kind": "", "base": ast.unparse(node.bases[0])}
    found = re.findall(r"^- ``(\w+)`` \((.*?)\):  \[Read-(Write|Only)\]", document, re.MULTILINE)
    entry["editor"] = {name: f"{'rw' if access == 'Write' else 'r'} {native(said)}" for name, said, access in found}
    attributes: dict[str, bool] = {}
    methods: dict[str, str] = {}
    class_methods: dict[str, str] = {}
    for member in node.body:
        if not isinstance(member, ast.FunctionDef):
            continue
        decorators = [ast.unparse(decorator) for decorator in member.decorator_list]
        if "property" in decorators:
            attributes.setdefault(member.name, False)
        elif any(decorator.endswith(".setter") for decorator in decorators):
            attributes[member.name] = True
        elif member.name == "__init__":
            entry["init"] = signature(member, {name: said.split(" ", 1)[1] for name, said in entry["editor"].items()})
        elif "classmethod" in decorators or "staticmethod" in decorators:
            class_methods[member.name] = signature(member, documented(member))
        else:
            methods[member.name] = signature(member, documented(member))
    entry["attributes"] = [
        f"{name}=" if settable else name for name, settable in attributes.items() if name[:2] != "__"
    ]
    entry["methods"], entry["class_methods"] = methods, class_methods
    members = re.findall(rf"^    (\w+): {node.name}(?: = \.\.\.)? #: (-?\d+)", source, re.MULTILINE)
    entry["members"] = {name: int(value) for name, value in members}
    return entry


def signature(node: ast.FunctionDef, types: dict[str, str], bound: bool = True) -> str:
    """`(name: type = default, ...) -> type` without self or cls; `types` are the engine's own, where they are known."""
    arguments = node.args
    if bound and arguments.args:
        arguments.args = arguments.args[1:]
    for argument in arguments.args:
        said = types.get(argument.arg, "")
        if argument.annotation is not None and plain(said) == ast.unparse(argument.annotation):
            argument.annotation = ast.parse(said, mode="eval").body
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    return f"({ast.unparse(arguments)}){returns}"


def documented(node: ast.FunctionDef) -> dict[str, str]:
    """Argument -> type, as the method's text says it."""
    section = re.search(r"^Args:\n((?:[ \t]+.*\n?|\n)*)", ast.get_docstring(node) or "", re.MULTILINE)
    if section is None:
        return {}
    return {name: native(said) for name, said in re.findall(r"^\s+(\w+) \(([^)\n]*\)?[^)\n]*)\):", section[1], re.M)}


def native(said: str) -> str:
    """`type(Class)` and `Array[type(Class)]` are written `Class`."""
    return said.replace("type(Class)", "Class")


def plain(said: str) -> str:
    """The engine's type as the annotations have it: `Array[int32]` -> `Array[int]`."""
    return re.sub(r"\w+", lambda word: NATIVE.get(word[0], word[0]), said)


def kind(name: str, classes: dict[str, Any]) -> str:
    """object, struct, enum or delegate by the class it rests on; else python."""
    while name in classes:
        if name in KINDS:
            return KINDS[name]
        name = classes[name]["base"]
    return "python"


def leave_out_inherited(entry: dict[str, Any], classes: dict[str, Any]) -> None:
    """Keep an editor property where it first stands, as the stub repeats it in derived classes; drop what's empty."""
    base = classes.get(entry["base"])
    while base is not None:
        for name, value in base.get("editor", {}).items():
            if entry.get("editor", {}).get(name) == value:
                del entry["editor"][name]
        base = classes.get(base["base"])
    for part in [part for part, value in entry.items() if value in ({}, [])]:
        del entry[part]


def dump(signatures: dict[str, Any]) -> str:
    """Sorted, one member a line, so that a change of engine reads well as a difference."""
    text = json.dumps(signatures, indent=0, sort_keys=True, ensure_ascii=False)
    return re.sub(r"\[[^\[\]{}]*?\n\]", lambda part: part[0].replace("\n", " "), text) + "\n"


if __name__ == "__main__":
    raise SystemExit(main())
