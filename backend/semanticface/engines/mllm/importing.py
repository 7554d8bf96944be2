"""Take checkpoints, adapters and base models that are on this machine: a studio without internet, own training.

Whatever is taken is copied (or hard-linked) into a folder of its own, each copy is read back and compared, an adapter
is held against its base, and only then the folder gets its name. Nothing pickled is read. Only the check of an
adapter needs torch.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from semanticface import assets, paths
from semanticface.assets.copying import copy_files, filling
from semanticface.assets.haul import settle
from semanticface.assets.manifest import make_manifest, write_manifest
from semanticface.engines.mllm import bases, checkpoint, released
from semanticface.engines.mllm.bases import RELEASED, Base, check_base, find_base
from semanticface.engines.mllm.checkpoint import ADAPTER_CONFIG, Checkpoint
from semanticface.engines.mllm.choosing import wanted_of_adapter, wanted_of_base
from semanticface.engines.mllm.profile import FILE_NAME, Profile, load_profile, parse_profile
from semanticface.engines.mllm.weights import PICKLES, read_json
from semanticface.errors import AssetError

Say = Callable[[str], None]
BESIDE = ("README.md", "training.json")
"""The card of a checkpoint in our form, and how it was trained. No answer hangs on them; they go along."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """What the user gave besides the folder.

    `base`: the base's hub name or folder. `profile`: a profile.json, or an example.jsonl for the released prompt.
    `link`: hard links instead of copies where source and target are on one disk.
    """

    name: str = ""
    base: str = ""
    profile: Path | None = None
    link: bool = False
    say: Say = lambda text: None


@dataclass(frozen=True, slots=True)
class Imported:
    """One thing that is installed now: `kind` is checkpoint, base or file."""

    kind: str
    name: str
    path: Path


def import_path(path: Path, wishes: Wishes) -> list[Imported]:
    """Install what a file or folder holds: a checkpoint, an adapter, a base, pinned files, or a whole models folder.

    Raises AssetError that says what the folder lacks or what should be given with it.
    """
    if path.is_dir():
        if (path / FILE_NAME).is_file() or _adapter_names(path):
            return [_of_checkpoint(import_checkpoint(path, wishes))]
        if (path / "config.json").is_file():
            return [_of_base(*import_base(path, wishes))]
        found = _import_tree(path, wishes)
        if found:
            return found
        pickled = [file.name for file in path.iterdir() if file.suffix in PICKLES]
        if pickled:
            hint = "save the model or adapter as safetensors (save_pretrained does) and try again"
            raise AssetError(f"{path} holds {pickled[0]}: pickled weights run code when read, so none is read", hint)
    return [Imported("file", file.name, file) for file in assets.import_file(path)]


def _of_checkpoint(made: Checkpoint) -> Imported:
    return Imported("checkpoint", made.name, made.folder)


def _of_base(name: str, folder: Path) -> Imported:
    return Imported("base", name, folder)


def _import_tree(path: Path, wishes: Wishes) -> list[Imported]:
    """All of a models folder that was brought over from another machine; bases before what needs them."""
    models = [(folder, folder.name.replace("--", "/", 1)) for folder in _folders(path / bases.FOLDER)]
    found = [_of_base(*import_base(folder, replace(wishes, name=name))) for folder, name in models]
    folders = _folders(path / checkpoint.FOLDER)
    found += [_of_checkpoint(import_checkpoint(folder, replace(wishes, name=folder.name))) for folder in folders]
    places = [path / place for asset in assets.list_assets() for place in (asset.name, asset.file_name)]
    if found and any(place.exists() for place in places):
        found += [Imported("file", file.name, file) for file in assets.import_file(path)]
    return found


def _folders(path: Path) -> list[Path]:
    return (
        [entry for entry in sorted(path.iterdir()) if entry.is_dir() and entry.name[0] != "."] if path.is_dir() else []
    )


def import_base(path: Path, wishes: Wishes) -> tuple[str, Path]:
    """Name and folder of the base model installed from this folder. Raises AssetError."""
    check_base(path)
    name = wishes.name or _base_name(path)
    if not name or ".." in name or not re.fullmatch(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?", name):
        hint = f"give it with --name, e.g. --name {RELEASED}"
        raise AssetError(f"{path} does not say which base model it holds", hint)
    target = paths.models_dir() / bases.FOLDER / bases.folder_name(name)
    if bases.is_whole(target):
        wishes.say(f"{name} is here: {target}")
        return name, target
    with filling(target) as staging:
        names = {file: file for file in wanted_of_base(entry.name for entry in path.iterdir() if entry.is_file())}
        digests = copy_files(path, staging, names, link=wishes.link)
        check_base(staging)
        write_manifest(staging, make_manifest(staging, digests, str(path)))
        settle(staging, target)
    return name, target


def _base_name(path: Path) -> str:
    """The hub name that a folder shows by its own name or, in Hugging Face's cache, by that of the one above."""
    for part in (path.absolute(), *path.absolute().parents):
        found = re.fullmatch(r"models--([^/]+?)--([^/]+)", part.name)
        if found:
            return f"{found[1]}/{found[2]}"
    own = path.absolute().name
    if own == RELEASED.rpartition("/")[2]:
        return RELEASED
    return own.replace("--", "/", 1) if "--" in own else ""


def import_checkpoint(path: Path, wishes: Wishes) -> Checkpoint:
    """The checkpoint installed from this folder: one in our form, or a bare adapter as training tools write it.

    A bare adapter needs a profile: `profile.json` in its folder, or `wishes.profile`. Its base is `wishes.base`, the
    profile's, or the one that its settings name. Raises AssetError that says what to give.
    """
    names = _adapter_names(path, wishes.say)
    profile = _profile(path, wishes)
    if profile.adapter and not names:
        raise AssetError(f"{path} lacks its adapter: there is no {ADAPTER_CONFIG} in it", "bring over the whole folder")
    target = paths.models_dir() / checkpoint.FOLDER / profile.name
    if target.exists():
        hint = f"give another one with --name, or run `semanticface models remove {profile.name}` first"
        raise AssetError(f"a checkpoint named {profile.name} is here already: {target}", hint)
    base = _base_of(path, names, profile, wishes)
    with filling(target) as staging:
        wanted = {**(names if profile.adapter else {}), **_beside(path)}
        digests = copy_files(path, staging, wanted, link=wishes.link)
        if not base.name:
            files = {f"base/{name}": name for name in wanted_of_base(entry.name for entry in base.folder.iterdir())}
            digests |= copy_files(base.folder, staging, files, link=wishes.link)
        if profile.adapter:
            _check_fit(base.folder, staging / "adapter", wishes.say)
        replace(profile, base=base.name).save(staging)
        write_manifest(staging, make_manifest(staging, digests, str(path)))
        Checkpoint.at(staging, profile.name)
        settle(staging, target)
    return Checkpoint.at(target)


def _beside(path: Path) -> dict[str, str]:
    own = (path / FILE_NAME).is_file()
    return {name: name for name in BESIDE if own and (path / name).is_file()}


def _base_of(path: Path, names: Mapping[str, str], profile: Profile, wishes: Wishes) -> Base:
    """The base to run on; without a name it is one to copy along. Raises AssetError that says what to give."""
    given = Path(wishes.base).expanduser() if wishes.base else path / "base"
    if given.is_dir() and (wishes.base or not profile.base):
        check_base(given)
        return Base("", given)
    trained_on = "" if not names else _trained_on(path / names[f"adapter/{ADAPTER_CONFIG}"])
    for name in (wishes.base,) if wishes.base else (profile.base, trained_on, _known_as(trained_on)):
        folder = find_base(name)
        if folder is not None:
            return Base(name, folder)
    if not profile.adapter and not (wishes.base or profile.base):
        hint = "put all of the model there (config.json, safetensors, tokenizer.json), or name its base in the profile"
        raise AssetError(f"{path} lacks its model: its profile speaks of no adapter, and there is no base/ in it", hint)
    wanted = wishes.base or profile.base or trained_on or RELEASED
    hint = "bring it first (`semanticface models pull NAME`, `models import DIR`), or give its folder with --base DIR"
    raise AssetError(f"the base model {wanted} of {path} is not here", hint)


def _trained_on(settings: Path) -> str:
    data = read_json(settings)
    name = data.get("base_model_name_or_path") if isinstance(data, Mapping) else None
    return name if isinstance(name, str) else ""


def _known_as(place: str) -> str:
    """The hub name of a base that was named by the folder it lay in on the machine that trained."""
    last = PurePosixPath(place.replace("\\", "/")).name
    names = [base.name for base in bases.installed_bases()] + [RELEASED]
    return next((name for name in names if last and name.rpartition("/")[2] == last), "")


def _check_fit(base: Path, adapter: Path, say: Say) -> None:
    from semanticface.engines.mllm.adapter import check_adapter

    report = check_adapter(base, adapter)
    say(f"the adapter fits: {report.matched} tensors for {report.modules} modules, rank {report.rank}")


def _adapter_names(path: Path, say: Say = lambda text: None) -> dict[str, str]:
    """The adapter's files below a folder, place in the checkpoint to place there; empty when there is none."""
    found = (file for pattern in ("*", "*/*") for file in path.glob(pattern))
    names = [file.relative_to(path).as_posix() for file in found if file.is_file()]
    if not any(PurePosixPath(name).name == ADAPTER_CONFIG for name in names):
        return {}
    chosen, remark = wanted_of_adapter(names)
    if remark and not remark.endswith("in adapter/"):
        say(remark)
    return {f"adapter/{here}": there for here, there in chosen.items()}


def _profile(path: Path, wishes: Wishes) -> Profile:
    """The profile that was given, else the one in the folder, under the name that the checkpoint gets."""
    given = wishes.profile
    if given is not None and given.suffix == ".jsonl":
        profile = released.read_prompt(given)
    elif given is not None:
        profile = _read(given)
    elif (path / FILE_NAME).is_file():
        profile = load_profile(path)
    else:
        hint = (
            "give --profile FILE: the profile.json that it was trained with, or, for the released adapter, the "
            "example.jsonl of its official repository, which holds its prompt"
        )
        raise AssetError(f"{path} is an adapter without {FILE_NAME}, which says how to ask it and read it", hint)
    return parse_profile({**json.loads(profile.to_json()), "name": wishes.name or profile.name})


def _read(path: Path) -> Profile:
    try:
        return parse_profile(read_json(path))
    except AssetError as error:
        raise AssetError(f"{path}: {error.message}", error.hint) from None
