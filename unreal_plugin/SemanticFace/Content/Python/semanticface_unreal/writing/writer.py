"""The editor as the batch sees it: checks an order, reads stamps, writes an animation and makes sure of it.

The order of things is what keeps a project whole: everything is checked before anything is created; all curves go in
within one bracket and one transaction, in one call; they are read back before the file is written; the stamp, by
which a later run takes the asset for done, is the last to be set. What fails or is cancelled on the way is taken back.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from semanticface.errors import EngineError, InputError
from semanticface.steps import Work, finished
from semanticface_unreal.curve_set import Curve, CurveSet
from semanticface_unreal.engine import unreal
from semanticface_unreal.ports import STAMP, AssetOrder, Existing, Written
from semanticface_unreal.writing import assets, level, sequence
from semanticface_unreal.writing.readback import comparing
from semanticface_unreal.writing.tags import REPLACED, ours, tags_of
from semanticface_unreal.writing.targets import Target, moves_faces, target_of

ANIMATION = "an AnimSequence"
RIG_CURVES = "ctrl_expressions"
"""How the curves begin that the face of a MetaHuman reads."""


def nobody() -> unreal.Actor | None:
    """No actor of the level is meant."""
    return None


@dataclass(frozen=True, slots=True)
class _Opened:
    """An animation to be written, and what it held; `before` is None for one that is new. `fingerprint` is that of
    the curves that an undo brings back."""

    asset: unreal.AnimSequence
    fingerprint: str
    before: sequence.Before | None
    tags: Mapping[str, str]
    remarks: tuple[str, ...] = ()


class AssetWriter:
    """Fills `ports.Editor`.

    With `transact` a write can be undone by the user, in one step; without, as on a farm, nothing is kept for that.
    `actor` gives the actor of the level that Level Sequences bind, if one is meant; None for a spawned one.
    """

    def __init__(self, *, transact: bool = True, actor: Callable[[], unreal.Actor | None] = nobody) -> None:
        self._transact = transact
        self._actor = actor

    def check(self, order: AssetOrder) -> None:
        """Raises InputError for an order that couldn't be written. Writes nothing, checks nothing out."""
        self._checked(order)

    def stamp(self, path: str) -> str:
        """The tag STAMP of the animation; "" where there is no such asset or tag, it is of another class, or the
        user undid the writing."""
        tags = read_tags(path)
        if REPLACED in tags:
            standing = assets.need(path, unreal.AnimSequence, ANIMATION)
            if sequence.fingerprint(standing) == tags[REPLACED]:
                return ""
        return tags.get(STAMP, "")

    def writing(self, curves: CurveSet, order: AssetOrder) -> Work[Written]:
        """Creates or replaces the animation, reads it back, saves it and what stands beside it; in steps.

        Raises InputError for what the user can put right, EngineError where the editor refused. After either, and
        where the generator is closed early, an animation that was there has its curves and tags as before in memory
        and on disk, and one that was new is gone; one that was saved already, as what stands beside it failed, has no
        stamp.
        """
        prepared = yield from sequence.preparing(curves)
        target = self._checked(order)
        opened = yield from _opening(order, target)
        saved = False
        try:
            self._commit(opened, curves, prepared, order, target)
            yield
            found = yield from comparing(opened.asset, curves)
            others: tuple[str, ...] = ()
            if level.wants_level(order):
                assets.save(opened.asset)
                saved = True
                yield
                scene = level.Scene(
                    opened.asset, curves.rate, curves.length, target, level.fitting(self._actor(), target)
                )
                with assets.refusals(order.path):
                    others = (level.write_level(scene, order),)
                yield
            _save_stamped(opened.asset, order.stamp)
            saved = True
        finally:
            if not saved:
                _take_back(opened)
        remarks = opened.remarks + _remarks(curves, target)
        return Written(assets.path_of(opened.asset), found[0], found[1], others, remarks)

    def _checked(self, order: AssetOrder) -> Target:
        assets.check_place(order.folder, order.name)
        target = target_of(order)
        if order.existing is Existing.OVERWRITE:
            _standing(order, target)
        level.check_level(order, target, self._actor())
        return target

    def _commit(
        self,
        opened: _Opened,
        curves: CurveSet,
        prepared: tuple[sequence.Prepared, ...],
        order: AssetOrder,
        target: Target,
    ) -> None:
        """Everything that changes the animation, in one call, so that no tick of the editor lies between."""
        title = f"SemanticFace: write {order.name}"
        transaction = unreal.ScopedEditorTransaction(title) if self._transact else nullcontext()
        with assets.refusals(order.path), transaction:
            if order.preview_mesh and target.mesh is not None and opened.before is not None:
                opened.asset.set_preview_skeletal_mesh(target.mesh)
            sequence.write(opened.asset, curves, prepared, self._transact)
        undone = opened.fingerprint
        undoable = undone != sequence.fingerprint(opened.asset)
        assets.set_tags(opened.asset, tags_of(curves, order) | ({REPLACED: undone} if undoable else {}))


def read_tags(path: str) -> dict[str, str]:
    """The product's tags of an animation, by their whole names; empty where there is no such asset, or one of another
    class."""
    if not path or not unreal.EditorAssetLibrary.does_asset_exist(path):
        return {}
    asset = unreal.EditorAssetLibrary.load_asset(path)
    return ours(assets.tags(asset)) if isinstance(asset, unreal.AnimSequence) else {}


def read_curves(path: str) -> dict[str, Curve]:
    """Every float curve of an animation as it stands.

    Raises InputError where there is none, EngineError for two keys on one frame.
    """
    return sequence.curves_of(assets.need(path, unreal.AnimSequence, ANIMATION))


def compare(path: str, curves: CurveSet) -> str:
    """The first difference of an animation from `curves`; "" where it holds just them.

    Raises InputError where there is no such animation.
    """
    animation = assets.need(path, unreal.AnimSequence, ANIMATION)
    try:
        finished(comparing(animation, curves))
    except EngineError as difference:
        return difference.message
    return ""


def _standing(order: AssetOrder, target: Target) -> unreal.AnimSequence | None:
    """The animation that an order replaces. Raises InputError for one that it must not."""
    asset = assets.find_here(order.path, unreal.AnimSequence, ANIMATION)
    if asset is None:
        return None
    skeleton = asset.get_skeleton()
    if skeleton is None or assets.path_of(skeleton) != assets.path_of(target.skeleton):
        whose = "no skeleton" if skeleton is None else f"skeleton {assets.path_of(skeleton)}"
        raise InputError(
            f"{order.path} has {whose}, not {assets.path_of(target.skeleton)}",
            "write under another name, or for that skeleton",
        )
    assets.check_writable(asset)
    return asset


def _opening(order: AssetOrder, target: Target) -> Work[_Opened]:
    """The animation to be written: the one that is there, checked out, or a new one in memory. Nothing of it is changed
    yet, and no step follows the making of a new one."""
    asset = _standing(order, target) if order.existing is Existing.OVERWRITE else None
    if asset is not None:
        assets.check_out(asset)
        tags = ours(assets.tags(asset))
        remarks = []
        if not tags:
            remarks.append(f"{order.path} wasn't made by SemanticFace; its facial curves were replaced")
        if sequence.has_bones(asset):
            remarks.append(f"{order.path} moves bones too; they stay, cut or held to the new length")
        before = yield from sequence.remembering(asset)
        return _Opened(asset, sequence.fingerprint(asset), before, tags, tuple(remarks))
    factory = unreal.AnimSequenceFactory()
    factory.target_skeleton = target.skeleton
    if target.mesh is not None:
        factory.preview_skeletal_mesh = target.mesh
    name = order.name if order.existing is Existing.OVERWRITE else assets.unique(order.folder, order.name)
    made = assets.create(order.folder.rstrip("/"), name, unreal.AnimSequence, factory)
    return _Opened(made, sequence.fingerprint(made), None, {})


def _save_stamped(asset: unreal.AnimSequence, stamp: str) -> None:
    """With the stamp, unless saving fails: nobody must take the asset for done then."""
    tags = ours(assets.tags(asset))
    assets.set_tags(asset, {**tags, STAMP: stamp} if stamp else tags)
    try:
        assets.save(asset)
    except InputError:
        assets.set_tags(asset, tags)
        raise


def _take_back(opened: _Opened) -> None:
    """As it was before, in memory; nothing was saved. What fails here is logged, so that the first error is the one
    that is raised."""
    try:
        if opened.before is None:
            assets.forget(opened.asset)
        else:
            assets.set_tags(opened.asset, opened.tags)
            sequence.restore(opened.asset, opened.before, transact=False)
    except Exception as error:
        unreal.log_warning(f"SemanticFace: {opened.asset.get_name()} couldn't be put back: {error}")


def _remarks(curves: CurveSet, target: Target) -> tuple[str, ...]:
    said = []
    empty = sum(not len(curve.frames) for curve in curves.curves)
    if empty:
        said.append(f"{empty} curves have no keys and were left out")
    rig = any(curve.name.lower().startswith(RIG_CURVES) for curve in curves.curves)
    if rig and not moves_faces(target.skeleton):
        said.append(
            f"skeleton {assets.path_of(target.skeleton)} has no bones of a MetaHuman's face, so these curves may move "
            "nothing"
        )
    return tuple(said)
