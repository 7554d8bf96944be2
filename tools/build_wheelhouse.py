"""Fill a folder that the backend can be installed from without a network: `python tools/build_wheelhouse.py FOLDER`.

It gets the wheel of `semanticface`, those of all that it needs, pip's, and the face model. Carry the folder over and
choose it in Blender (*Install Backend*, *Folder of Wheels*), or run `python -m semanticface.provision --wheels FOLDER`.

    --platform    linux-x64, macos-arm64, macos-x64, windows-x64 or host, the default
    --python      the version that the environment will be made with there; default: this one's
    --extra       mllm, quant or remote beside backend

pip judges conditions such as `sys_platform == "win32"` by the computer that it runs on. What that leaves out for the
extra `backend` is added here; for `mllm`, whose PyTorch differs by system, run this on a computer of that system.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from _wheels import PLATFORMS, BuildError, host_platform, own_wheel, pip_command, run

MODEL_FILE = "face_landmarker.task"
ONLY_THERE = {"windows-x64": ("colorama",)}
"""What typer's and tqdm's conditions ask for on that system alone."""

NEWER = {
    "linux-x64": [f"manylinux_2_{minor}_x86_64" for minor in (35, 34, 31, 27, 24, 17)],
    "macos-arm64": [f"macosx_{major}_0_arm64" for major in (15, 14, 13, 12)],
    "macos-x64": [f"macosx_{major}_0_x86_64" for major in (15, 14, 13, 12, 11)],
}
"""Systems of later years, on top of those that the extension's own wheels allow: OpenCV's and others ask for them."""


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("build_wheelhouse", description="Fill a folder for installing without a network.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--platform", choices=["host", *PLATFORMS], default="host")
    parser.add_argument("--python", default=f"{sys.version_info[0]}.{sys.version_info[1]}")
    parser.add_argument("--extra", action="append", default=[], choices=["mllm", "quant", "remote"])
    parser.add_argument("--model", type=Path, help=f"{MODEL_FILE}, if it is here; default: fetch it")
    parser.add_argument("--no-model", action="store_true", help="leave the face model out")
    chosen = parser.parse_args(arguments)
    platform = host_platform() if chosen.platform == "host" else chosen.platform
    try:
        fill(chosen.folder, platform, chosen.python, ("backend", *chosen.extra))
        if not chosen.no_model:
            add_model(chosen.folder, chosen.model)
    except BuildError as error:
        print(f"build_wheelhouse: {error}", file=sys.stderr)
        return 1
    size = sum(file.stat().st_size for file in chosen.folder.iterdir())
    print(f"{chosen.folder}: {len(list(chosen.folder.glob('*.whl')))} wheels, {size / 1e6:.0f} MB")
    return 0


def fill(folder: Path, platform: str, python: str, extras: Sequence[str]) -> None:
    """Put the wheels there; those that are there already are kept. Raises BuildError."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="semanticface-wheelhouse-") as temporary:
        own = own_wheel(Path(temporary))
        for old in folder.glob("semanticface-*.whl"):
            old.unlink()
        shutil.copy2(own, folder)
    requirement = f"semanticface[{','.join(extras)}] @ {(folder / own.name).absolute().as_uri()}"
    command = [*pip_command(), "download", "--quiet", "--only-binary", ":all:", "--dest", str(folder)]
    if platform != host_platform() or python != f"{sys.version_info[0]}.{sys.version_info[1]}":
        command += ["--python-version", python, "--implementation", "cp"]
        command += [word for tag in (*NEWER.get(platform, ()), *PLATFORMS[platform]) for word in ("--platform", tag)]
    run([*command, requirement, "pip", *ONLY_THERE.get(platform, ())])


def add_model(folder: Path, model: Path | None) -> None:
    """Put the face model beside the wheels, checked. Raises BuildError."""
    from semanticface import assets
    from semanticface.assets.store import problem_with
    from semanticface.errors import AssetError

    target = folder / MODEL_FILE
    try:
        if model is None:
            model = assets.pull(assets.FACE_LANDMARKER)
        if model.resolve() != target.resolve():
            shutil.copy2(model, target)
    except (AssetError, OSError) as error:
        raise BuildError(f"the face model: {error}") from error
    problem = problem_with(assets.FACE_LANDMARKER, target)
    if problem:
        target.unlink()
        raise BuildError(f"the face model is wrong: {problem}")


if __name__ == "__main__":
    sys.exit(main())
