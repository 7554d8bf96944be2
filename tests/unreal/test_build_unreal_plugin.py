"""The plugin as a studio gets it: built for Linux, unpacked into a project, imported as Unreal's Python would."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = pytest.mark.plugin

ROOT = Path(__file__).resolve().parents[2]
TOOL = ROOT / "tools" / "build_unreal_plugin.py"
PYTHON = shutil.which("python3.11") or sys.executable
DESCRIPTOR = "SemanticFace/SemanticFace.uplugin"
CONTENT = "SemanticFace/Content/Python"
linux = pytest.mark.skipif(sys.platform != "linux", reason="runs the wheels for Linux")

# As the engine does for each enabled plugin; -I -S leave nothing else but the standard library.
CHILD = """
import importlib, json, pkgutil, sys
content = sys.argv[1]
sys.path += [content, f"{content}/Lib/Linux/site-packages", f"{content}/Lib/site-packages"]
import msgpack, numpy, semanticface.pump, semanticface_unreal.batch, zmq
for room in ("curve_set", "ports", "baking", "settings", "installing"):
    importlib.import_module(f"semanticface_unreal.{room}")
for room in pkgutil.iter_modules(semanticface_unreal.batch.__path__, "semanticface_unreal.batch."):
    importlib.import_module(room.name)
brought = ("numpy", "zmq", "msgpack", "semanticface", "semanticface_unreal")
heavy = [name for name in ("cv2", "av", "typer", "rich", "semanticface.server") if name in sys.modules]
print(json.dumps({"places": {name: sys.modules[name].__file__ for name in brought}, "heavy": heavy,
                  "path": sys.path, "compiled": msgpack.Packer.__module__, "unreal": "unreal" in sys.modules}))
"""


def build(folder: Path, *arguments: str) -> Path:
    command = [sys.executable, str(TOOL), "--output", str(folder), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    return Path(done.stdout.rpartition(" (")[0])


@pytest.fixture(scope="module")
def linux_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("dist"), "--platform", "Linux")


@pytest.fixture(scope="module")
def pip_zip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("pip"), "--requirements")


@pytest.fixture(scope="module")
def project(linux_zip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project's file, the zip unpacked into its plugins."""
    folder = tmp_path_factory.mktemp("film")
    with zipfile.ZipFile(linux_zip) as archive:
        archive.extractall(folder / "Plugins")
    (folder / "Content").mkdir()
    file = folder / "Film.uproject"
    file.write_text(json.dumps({"FileVersion": 3, "Plugins": [{"Name": "SemanticFace", "Enabled": True}]}))
    return file


def on_bare_python(*arguments: str, home: Path) -> str:
    """What a Python without site-packages prints."""
    environment = {name: text for name, text in os.environ.items() if not name.startswith("PYTHON")}
    environment["SEMANTICFACE_HOME"] = str(home)
    done = subprocess.run(
        [PYTHON, "-S", *arguments], capture_output=True, text=True, env=environment, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    return done.stdout


@linux
def test_unpacked_its_rooms_load_on_unreal_s_python_alone(project: Path, tmp_path: Path) -> None:
    content = project.parent / "Plugins" / CONTENT
    seen = json.loads(on_bare_python("-I", "-c", CHILD, str(content), home=tmp_path))
    assert all(Path(place).is_relative_to(content) for place in seen["places"].values()), seen["places"]
    assert seen["compiled"] == "msgpack._cmsgpack", "and not the slow one in Python"
    assert seen["heavy"] == [] and not seen["unreal"]
    assert not [place for place in seen["path"] if "site-packages" in place and not place.startswith(str(content))]


@linux
def test_it_finds_its_compiled_libraries_where_the_engine_has_not(project: Path, tmp_path: Path) -> None:
    content = project.parent / "Plugins" / CONTENT
    script = "import runpy, sys; sys.path += sys.argv[1:]; runpy.run_path(f'{sys.argv[1]}/init_unreal.py')"
    script += "; import zmq; print(zmq.__file__)"
    seen = on_bare_python("-I", "-c", script, str(content), str(content / "Lib" / "site-packages"), home=tmp_path)
    assert Path(seen.strip()).is_relative_to(content / "Lib" / "Linux")


@linux
def test_unpacked_it_runs_a_batch_in_the_fake_editor_with_nothing_but_its_own_libraries(
    project: Path, tmp_path: Path
) -> None:
    from batch_kit import backend, footage

    footage(tmp_path / "in", "a b")
    manifest = tmp_path / "shots.json"
    rows = [{"id": name, "source": f"in/{name}"} for name in "ab"]
    common = {"engine": "echo", "rate": 24, "folder": "/Game/Shots"}
    manifest.write_text(json.dumps({"format": "semanticface-batch", "version": 1, "defaults": common, "jobs": rows}))
    script = f"{project.parent / 'Plugins' / CONTENT / 'semanticface_farm.py'} --manifest {manifest}"
    editor = str(ROOT / "tests" / "fakes" / "unreal_editor_cmd.py")
    with backend(tmp_path / "home"):
        log = on_bare_python(
            editor, str(project), "-run=pythonscript", f"-script={script}", "-unattended", home=tmp_path / "home"
        )
    assert "SEMANTICFACE-BATCH RESULT=OK done=2 failed=0 skipped=0 cancelled=0" in log
    assert len(list((project.parent / "Content" / "Shots").glob("*.uasset"))) == 2


def test_the_backend_s_wheel_is_whole_and_where_the_installer_looks(linux_zip: Path, tmp_path: Path) -> None:
    sys.path.append(str(ROOT / "unreal_plugin" / "SemanticFace" / "Content" / "Python"))
    from semanticface_unreal.installing import BACKEND_WHEEL

    from semanticface.provision.order import bundled_package

    with zipfile.ZipFile(linux_zip) as archive:
        archive.extractall(tmp_path, [name for name in archive.namelist() if "/Resources/" in name])
    wheel = bundled_package(tmp_path / "SemanticFace" / BACKEND_WHEEL)
    assert wheel is not None
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()
    assert {"semanticface/server/front.py", "semanticface/engines/landmarks/engine.py"} <= set(names)
    assert not [name for name in names if name.startswith("semanticface_training")]


def test_nothing_of_tests_and_nothing_of_this_computer_is_in_it(linux_zip: Path) -> None:
    with zipfile.ZipFile(linux_zip) as archive:
        names = archive.namelist()
        texts = {name: archive.read(name) for name in names if "/Linux/" not in name}
    assert not [name for name in names if {"tests", "__pycache__", "fakes"} & set(name.split("/"))]
    assert not [name for name, data in texts.items() if str(ROOT).encode() in data or b"/tmp/semanticface" in data]
    assert {name.split("/")[0] for name in names} == {"SemanticFace"}
    licences = [
        name.split("/")[2] for name in names if name.startswith("SemanticFace/Licenses/") and name.count("/") > 2
    ]
    assert {name.split("-")[0] for name in licences} == {"SemanticFace", "msgpack", "numpy", "pyzmq"}
    for name in names:
        assert len(name) <= 150, "room for a project's folder within the 259 characters of Windows"
    recorded = next(data for name, data in _linux(linux_zip) if name.startswith("numpy-") and name.endswith("/RECORD"))
    listed = {line.rsplit(",", 2)[0] for line in recorded.decode().splitlines()}
    there = {name for name, _ in _linux(linux_zip) if name.startswith("numpy")}
    assert listed == there, "what was left out is not on record"


def _linux(path: Path) -> list[tuple[str, bytes]]:
    prefix = f"{CONTENT}/Lib/Linux/site-packages/"
    with zipfile.ZipFile(path) as archive:
        names = [name for name in archive.namelist() if name.startswith(prefix)]
        return [(name.removeprefix(prefix), archive.read(name)) for name in names]


def test_pip_gets_pinned_and_hashed_lines_for_every_platform(pip_zip: Path) -> None:
    with zipfile.ZipFile(pip_zip) as archive:
        names = archive.namelist()
        data = json.loads(archive.read(DESCRIPTOR))
    assert not [name for name in names if name.startswith((f"{CONTENT}/Linux", f"{CONTENT}/Win64", f"{CONTENT}/Mac"))]
    lists = {entry["Platform"]: entry["Requirements"] for entry in data["PythonRequirements"]}
    assert set(lists) == {"Win64", "Linux", "Mac"}
    for platform, lines in lists.items():
        assert [line.partition("==")[0] for line in lines] == ["msgpack", "numpy", "pyzmq"]
        many = 2 if platform == "Mac" else 1
        assert lines[1].count(" --hash=sha256:") == many, "both kinds of Mac may fetch theirs"
    assert any(name.startswith(f"{CONTENT}/Lib/site-packages/semanticface/") for name in names)


def test_the_same_sources_give_the_same_bytes(pip_zip: Path, tmp_path: Path) -> None:
    again = build(tmp_path, "--requirements")
    assert hashlib.sha256(again.read_bytes()).digest() == hashlib.sha256(pip_zip.read_bytes()).digest()


def test_one_zip_is_for_one_kind_of_mac(tmp_path: Path) -> None:
    command = [sys.executable, str(TOOL), "--output", str(tmp_path), "--platform", "Mac", "--platform", "MacIntel"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1 and "build a zip for each" in done.stderr
    assert list(tmp_path.iterdir()) == []


def _without(part: str) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        gone = [name for name in files if part in name]
        assert gone, part
        for name in gone:
            del files[name]

    return change


def _descriptor(**fields: object) -> Callable[[dict[str, bytes]], None]:
    def change(files: dict[str, bytes]) -> None:
        data = json.loads(files[DESCRIPTOR]) | fields
        files[DESCRIPTOR] = json.dumps({name: value for name, value in data.items() if value is not None}).encode()

    return change


def _with(name: str, data: bytes = b"") -> Callable[[dict[str, bytes]], None]:
    return lambda files: files.update({name: files.get(name, b"") + data})


FAULTS = {
    "no library": (_without("site-packages/semanticface/curves/"), "imports semanticface.curves"),
    "no room": (_without("semanticface_unreal/ports.py"), "imports semanticface_unreal.ports, which is not in it"),
    "no start": (_without("/init_unreal.py"), "lacks SemanticFace/Content/Python/init_unreal.py"),
    "no backend": (_without("Resources/Backend/"), "0 wheels of the backend"),
    "no icon": (_without("Icon128"), "lacks SemanticFace/Resources/Icon128.png"),
    "no licence": (_without("Licenses/"), "lacks the licence of"),
    "no list": (_descriptor(PythonRequirements=None), "has to bring the wheels of others or to list them"),
    "no hash": (
        _descriptor(PythonRequirements=[{"Platform": "All", "Requirements": ["numpy==1.26.4"]}]),
        "All does not list numpy with version and hash",
    ),
    "another field": (_descriptor(PlatformAllowList=["Win64"]), "there is no field PlatformAllowList"),
    "another kind": (_descriptor(Version="1"), "Version is no int"),
    "another version": (_descriptor(VersionName="9.9.9"), "have different versions"),
    "a test": (_with(f"{CONTENT}/semanticface_unreal/tests/test_it.py"), "does not belong into it"),
    "a long name": (_with(f"{CONTENT}/{'n' * 150}.py"), "too long for Windows"),
    "a path": (_with(f"{CONTENT}/init_unreal.py", f"\n# {ROOT}\n".encode()), f"init_unreal.py names {ROOT}"),
    "outside": (_with("Elsewhere/file.py"), "outside of the folder"),
    "numpy's other half": (_with(f"{CONTENT}/Lib/Linux/site-packages/numpy/__init__.py"), "Linux lacks numpy/core"),
}


@pytest.fixture(scope="module")
def sound(pip_zip: Path) -> dict[str, bytes]:
    """The files of a zip with which nothing is wrong."""
    sys.path.append(str(TOOL.parent))
    from _plugin_check import problems

    assert problems(pip_zip) == []
    with zipfile.ZipFile(pip_zip) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_zip_with_a_fault_is_refused_by_name(fault: str, sound: dict[str, bytes], tmp_path: Path) -> None:
    from _plugin_check import problems

    change, said = FAULTS[fault]
    files = dict(sound)
    change(files)
    faulty = tmp_path / "faulty.zip"
    with zipfile.ZipFile(faulty, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    assert any(said in problem for problem in problems(faulty)), problems(faulty)
