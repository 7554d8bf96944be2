"""Fetch a checkpoint or a base model: list, check the disk, bring what is missing, and only then give it its name.

One process at a time fills a folder; a second one waits and then finds it done. A pull that was killed goes on where
it stopped. Pieces that are here already, a base in Hugging Face's own cache too, are not fetched again. No torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from semanticface import paths
from semanticface.assets import MODELS_VARIABLE
from semanticface.assets.fetch import Progress
from semanticface.assets.haul import Haul, Hauled, Repository, check_ours, check_space, free_bytes, settle
from semanticface.assets.hub import HuggingFace, ModelScope
from semanticface.assets.lock import locked
from semanticface.assets.manifest import make_manifest, write_manifest
from semanticface.assets.transfer import PATIENT, Limits
from semanticface.engines.mllm import bases, checkpoint, released
from semanticface.engines.mllm.checkpoint import Checkpoint
from semanticface.engines.mllm.choosing import choose_adapter, choose_base
from semanticface.engines.mllm.profile import Profile, load_profile
from semanticface.errors import AssetError

_HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]{0,95}/[A-Za-z0-9][\w.-]{0,95}")


@dataclass(frozen=True)
class Ways:
    """What a pull tells and how it is bounded.

    `say`: remarks for people. `progress`: bytes here and in all, over everything that is fetched.
    """

    progress: Progress = lambda done, total: None
    say: Callable[[str], None] = lambda text: None
    limits: Limits = PATIENT
    free: Callable[[Path], int] = free_bytes


def pull_base(name: str, ways: Ways) -> Path:
    """The folder of a base model by its hub name, fetched unless it is here. Raises AssetError."""
    if not _HUB_NAME.fullmatch(name) or ".." in name:
        raise AssetError(f"{name!r} is no model's name", f"a name looks like {bases.RELEASED}")
    here = bases.find_base(name)
    if here is not None:
        ways.say(f"{name} is here: {here}")
        return here
    target = _home_of_base(name)
    with _alone(target, ways):
        here = bases.find_base(name)  # the one who held the lock before may have just brought it
        return here if here is not None else _bring_base(_haul_of_base(name, ways), target, ways)


def pull_checkpoint(name: str, ways: Ways, prompt: Path | None = None) -> Checkpoint:
    """The published checkpoint of that name, with its base, fetched unless it is here.

    `prompt`: an example.jsonl on this machine instead of the one at its host. Raises AssetError.
    """
    if name != released.NAME:
        raise AssetError(f"there is no published checkpoint named {name!r}", f"known is: {released.NAME}")
    target = paths.models_dir() / checkpoint.FOLDER / name
    with _alone(target, ways):
        folder = checkpoint.checkpoint_folders().get(name)
        if folder is None or _is_broken(folder):
            return _pull_released(target, prompt, ways)
        ways.say(f"{name} is here: {folder}")
        profile = load_profile(folder)
        if profile.base:
            pull_base(profile.base, ways)
        return Checkpoint.at(folder, name)


def _pull_released(target: Path, prompt: Path | None, ways: Ways) -> Checkpoint:
    """The prompt and the adapter's list first: small things that may be missing are missed before gigabytes come."""
    check_ours(target)
    profile = released.read_prompt(prompt) if prompt else released.fetch_prompt(ways.limits)
    staging = _staging(target)
    adapter = Haul(
        [Repository(ModelScope.from_environment(), released.ADAPTER)], staging / "adapter", choose_adapter, ways.limits
    )
    choice = adapter.plan()
    ways.say(f"adapter {released.ADAPTER}: {choice.size / 1e6:,.1f} MB{f'; {choice.remark}' if choice.remark else ''}")
    home = _home_of_base(profile.base)
    with _alone(home, ways):
        here = bases.find_base(profile.base)
        base = _haul_of_base(profile.base, ways) if here is None else None
        total = choice.size + (base.plan().size if base else 0)
        _check_room(target, [adapter, *([base] if base else [])], ways)
        hauled = adapter.run(lambda done, _: ways.progress(done, total))
        checkpoint.check_adapter_files(staging / "adapter")
        if base:
            moved = replace(ways, progress=lambda done, _: ways.progress(choice.size + done, total))
            _bring_base(base, home, moved)
        else:
            ways.say(f"base {profile.base} is here: {here}")
    return _finish_checkpoint(target, profile, hauled)


def _finish_checkpoint(target: Path, profile: Profile, hauled: Hauled) -> Checkpoint:
    staging = _staging(target)
    _drop_others(staging / "adapter", hauled)
    profile.save(staging)
    digests = {f"adapter/{path}": digest for path, digest in hauled.digests.items()}
    write_manifest(staging, make_manifest(staging, digests, hauled.source, hauled.revision))
    settle(staging, target)
    return Checkpoint.at(target)


def _bring_base(haul: Haul, target: Path, ways: Ways) -> Path:
    ways.say(f"base {haul.sources[0].name}: {haul.plan().size / 1e9:,.2f} GB")
    _check_room(target, [haul], ways)
    hauled = haul.run(ways.progress)
    _drop_others(haul.staging, hauled)
    bases.check_base(haul.staging)
    write_manifest(haul.staging, make_manifest(haul.staging, hauled.digests, hauled.source, hauled.revision))
    settle(haul.staging, target)
    return target


def _haul_of_base(name: str, ways: Ways) -> Haul:
    """The base's way here; what is whole of a damaged one is kept."""
    target = _home_of_base(name)
    check_ours(target)
    if target.exists() and not _staging(target).exists():
        target.rename(_staging(target))
    sources = [Repository(hub, name) for hub in (HuggingFace.from_environment(), ModelScope.from_environment())]

    def early(path: Path) -> None:
        if path.name == "config.json":
            bases.check_kind(path)  # small files come first: another kind of model is refused before its weights come

    return Haul(sources, _staging(target), choose_base, ways.limits, early)


def _home_of_base(name: str) -> Path:
    return paths.models_dir() / bases.FOLDER / bases.folder_name(name)


def _staging(target: Path) -> Path:
    return target.with_name(f".{target.name}.part")


def _alone(target: Path, ways: Ways) -> AbstractContextManager[None]:
    lock = target.with_name(f".{target.name}.lock")
    return locked(lock, lambda: ways.say(f"another process is fetching {target.name}; waiting for it"))


def _is_broken(folder: Path) -> bool:
    """Whether profile or adapter must be fetched again. Raises AssetError when they lie in a folder for reading."""
    try:
        load_profile(folder)
        checkpoint.check_adapter_files(folder / "adapter")
    except AssetError as error:
        if folder.parent.parent != paths.models_dir():
            hint = f"it is searched first ({MODELS_VARIABLE}): repair or remove {folder}, then pull again"
            raise AssetError(error.message, hint) from error
        return True
    return False


def _check_room(target: Path, hauls: list[Haul], ways: Ways) -> None:
    check_space(target.parent, sum(haul.plan().size - haul.here() for haul in hauls), ways.free)


def _drop_others(folder: Path, hauled: Hauled) -> None:
    """Remove what an earlier attempt left of another revision."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.relative_to(folder).as_posix() not in hauled.digests:
            path.unlink()
