"""From a take to named curves at whole frames: recipe, gaps, names, places in the sequence, fewer keys.

Raw results go in and stay as they are. All numbers are made for all frames at once. Knows the product's library and
no Unreal; what a MetaHuman's face reads stands in `semanticface.retarget.metahuman`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from semanticface.curves.recipe import KeyKind, Recipe, Reduction
from semanticface.curves.reduction import reduce
from semanticface.curves.replay import apply
from semanticface.curves.samples import Mark, Samples, samples_of
from semanticface.errors import InputError, TakeError
from semanticface.media.frames import MAX_FRAMES, format_frames, parse_frames
from semanticface.protocol import expand_runs
from semanticface.results import FrameResult, Status
from semanticface.retarget.metahuman import HEAD, FaceOptions, arkit_curves, metahuman_curves, profile_curves
from semanticface.retarget.profile import Profile
from semanticface.steps import Work, finished
from semanticface.take import Take, TakeHeader
from semanticface_unreal.batch.job import RADIANS_TO_DEGREES, CurveNames, Job
from semanticface_unreal.curve_set import Curve, CurveSet, Unsolved

Floats = NDArray[np.float64]
Indices = NDArray[np.int64]

ZERO = 1e-4
"""Curves that stay below are zero throughout, where the recipe has no tolerance of its own."""
ROWS_A_STEP = 200
CURVES_A_STEP = 4
MOST_TERM = 2**31 - 1
"""Numerator and denominator of a rate are such whole numbers in Unreal."""
LARGEST = float(np.finfo(np.float32).max)
"""Unreal keeps values in single precision."""
NOT_ANALYZED = "not analyzed"

_OUTCOME = {
    Unsolved.OMIT: "they have no keys",
    Unsolved.HOLD: "the frame before is held there",
    Unsolved.NEUTRAL: "the face is at rest there",
}


@dataclass(frozen=True, slots=True)
class BakeOptions:
    """`rate` is for footage whose take has none, and holds against the take's own; frames then follow one by one.
    `frames` as in `Job`: "" for all that the take was asked for. The others as in `Job`, read."""

    names: CurveNames = CurveNames.METAHUMAN
    profile: Profile | None = None
    recipe: Recipe = field(default_factory=Recipe)
    head: bool = False
    head_factor: float = RADIANS_TO_DEGREES
    unsolved: Unsolved = Unsolved.OMIT
    rate: Fraction | None = None
    frames: str = ""


def options_of(job: Job) -> BakeOptions:
    """What a job asks for. Raises InputError for a recipe or profile that is none, and where the profile is missing."""
    profile = None if job.profile is None else Profile.from_dict(job.profile)
    if job.names is CurveNames.PROFILE and profile is None:
        raise InputError("curves by a profile need one", "give the job a `profile`, or other `names`")
    return BakeOptions(
        names=job.names,
        profile=profile,
        recipe=Recipe() if job.recipe is None else Recipe.from_dict(job.recipe),
        head=job.head,
        head_factor=job.head_factor,
        unsolved=job.unsolved,
        rate=job.rate,
        frames=job.frames,
    )


def bake(take: Take, options: BakeOptions) -> CurveSet:
    """The take's curves, all at once. Raises as `baking` does."""
    return finished(baking(take, options))


def baking(take: Take, options: BakeOptions) -> Work[CurveSet]:
    """The take's curves, in steps.

    The recipe runs over the raw results; frames that are still without values after its own gap policy go by
    `options.unsolved`. Frame 0 of the sequence is the first source frame that was asked for, and source frames follow
    one by one; those of footage with a variable rate go to the nearest frame of its mean rate, made whole, and of
    several on one frame the last that has a result stands. Keys are joined by straight lines: one for each source
    frame, or fewer with the recipe's `reduction`. Its tolerance is in each curve's unit; for the head of a MetaHuman,
    whose curves are in degrees, in radians as everywhere else.

    Raises InputError without a rate, without any result, where a profile moves nothing, and for times or frames that
    no sequence can hold; TakeError for a header that is damaged.
    """
    rows = _asked(take, options)
    rate, times, spacing = _timing(take.header, rows, options)
    samples = replace((yield from _sampled(rows, rate)), times=times)
    samples = apply(options.recipe, samples)
    yield
    if not samples.present.any():
        raise InputError(
            f"none of the {len(rows)} frames of {take.path.name} has a result ({_counted(rows)})",
            "check that a face is to be seen in them, and what the take says of each",
        )
    frames = _frames(samples, rate, variable=bool(spacing))
    standing = _standing(frames, samples.present)
    merged = len(frames) - len(standing)
    dense = _named(_filled(samples, options.unsolved)[standing], options)
    yield
    if not dense:
        raise InputError("the profile has no links, so there is nothing to write", "add links to it")
    wanted, reduction, notes = _economies(dense, options)
    curves = yield from _keyed({name: dense[name] for name in wanted}, frames[standing], reduction, options)
    return CurveSet(
        rate=rate,
        length=max(1, int(frames[-1])),
        first=rows[0].frame,
        curves=curves,
        policy=options.unsolved,
        unsolved=tuple(samples.frames[~samples.present].tolist()),
        remarks=(*spacing, *_merging(merged), *_told(take, rows, samples, options.unsolved), *notes),
    )


def _asked(take: Take, options: BakeOptions) -> list[FrameResult]:
    """A result for each frame that was asked for, ascending; frames without one are MISSING, and say why."""
    found = take.by_frame()
    runs = take.header.frames or ()
    if any(step < 1 or first < 0 or last < first for first, last, step in runs):
        raise TakeError(f"{take.path}: its header names frames that can't be", "analyze the footage again")
    asked = sorted(found.keys() | set(expand_runs(runs)))
    if options.frames.strip().lower() not in {"", "all"}:
        count = take.header.source.get("frame_count")
        last = max(asked, default=0) + 1
        asked = parse_frames(options.frames, count if isinstance(count, int) and count > 0 else last)
    if not asked:
        raise InputError(f"{take.path.name} holds no frames", "analyze the footage first")
    return [
        found[frame] if frame in found else FrameResult(frame, None, Status.MISSING, message=NOT_ANALYZED)
        for frame in asked
    ]


def _timing(
    header: TakeHeader, rows: Sequence[FrameResult], options: BakeOptions
) -> tuple[Fraction, Floats, tuple[str, ...]]:
    """Rate of the sequence, seconds (F,) of each row from the start of the source, and a remark on variable rates."""
    numbers = np.array([row.frame for row in rows], np.float64)
    rate = header.rate if options.rate is None else options.rate
    if rate is None:
        raise InputError("the footage has no frame rate, and a sequence needs one", "give the job a `rate`, such as 24")
    if rate <= 0 or max(rate.numerator, rate.denominator) > MOST_TERM:
        raise InputError(f"{rate} is no frame rate that a sequence can have", "give the job a `rate`, such as 24")
    if options.rate is not None or header.source.get("variable_rate") is not True:
        return rate, numbers / float(rate), ()
    times = _times(rows, numbers, float(rate))
    back = np.flatnonzero(np.diff(times) < 0)
    if len(back):
        frame = rows[int(back[0]) + 1].frame
        raise InputError(f"frame {frame} is shown before the frame before it", "analyze the footage again")
    whole = Fraction(max(1, round(rate)))
    remark = f"the footage has a variable rate, {float(rate):.2f} on average: its frames went to the nearest of {whole}"
    return whole, times, (f"{remark} a second",)


def _times(rows: Sequence[FrameResult], numbers: Floats, rate: float) -> Floats:
    """(F,) the rows' own times; those without lie between their neighbours, or go on at the mean rate."""
    at = np.array([index for index, row in enumerate(rows) if row.time is not None], np.int64)
    if not len(at):
        return numbers / rate
    known = np.array([row.time for row in rows if row.time is not None], np.float64)
    times: Floats = np.interp(numbers, numbers[at], known)
    outside = np.minimum(numbers - numbers[at[0]], 0.0) + np.maximum(numbers - numbers[at[-1]], 0.0)
    times += outside / rate
    return times


def _sampled(rows: Sequence[FrameResult], rate: Fraction) -> Work[Samples]:
    parts = []
    for start in range(0, len(rows), ROWS_A_STEP):
        parts.append(samples_of(rows[start : start + ROWS_A_STEP], rate))
        yield
    names = Samples.__dataclass_fields__
    return Samples(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in names})


def _frames(samples: Samples, rate: Fraction, variable: bool) -> Indices:
    """(F,) the sequence's frame of each row, from 0, ascending; several rows may share one where `variable`."""
    frames = samples.frames - samples.frames[0]
    places = np.rint((samples.times - samples.times[0]) * float(rate)) if variable else frames.astype(np.float64)
    if places[-1] >= MAX_FRAMES:
        raise InputError(f"a sequence of {places[-1]:.0f} frames is too long", f"at most {MAX_FRAMES:,}; choose fewer")
    out: Indices = places.astype(np.int64)
    return out


def _standing(frames: Indices, present: NDArray[np.bool_]) -> Indices:
    """The row that stands on each frame, ascending: the last of those with values, else the last."""
    order = np.lexsort((np.arange(len(frames)), present, frames))
    standing: Indices = order[np.append(np.diff(frames[order]) != 0, True)]
    return standing


def _filled(samples: Samples, policy: Unsolved) -> Floats:
    """(F, 61) the values, with the policy's in rows that are absent; NaN there with OMIT."""
    values, present = samples.values, samples.present
    if policy is Unsolved.OMIT or present.all():
        return values
    if policy is Unsolved.NEUTRAL:
        return np.where(present[:, None], values, 0.0)
    before = np.maximum.accumulate(np.where(present, np.arange(len(present)), -1))
    held: Floats = values[np.where(before < 0, int(np.argmax(present)), before)]
    return held


def _named(values: Floats, options: BakeOptions) -> dict[str, Floats]:
    """Name -> (K,) values on each frame that stands."""
    if options.names is CurveNames.ARKIT:
        named = arkit_curves(values, options.head)
    elif options.names is CurveNames.PROFILE:
        named = profile_curves(options.profile or Profile(""), values)
    else:
        named = metahuman_curves(values, FaceOptions(options.head, options.head_factor))
    for name, series in named.items():
        if (np.abs(series) > LARGEST).any():  # not so with NaN, which is a frame without a face
            raise InputError(f"curve {name} leaves all bounds", "look at the gains of the recipe and of the profile")
    return named


def _unit(name: str, options: BakeOptions) -> float:
    """What stands for 1 in a curve's unit when it is compared with a tolerance."""
    turns = options.names is CurveNames.METAHUMAN and options.head and name in HEAD
    return abs(options.head_factor) or 1.0 if turns else 1.0


def _economies(dense: dict[str, Floats], options: BakeOptions) -> tuple[list[str], Reduction | None, list[str]]:
    """Names of the curves to be written, the reduction to straight lines, and remarks on both."""
    notes, wanted, reduction = [], list(dense), options.recipe.reduction
    if options.recipe.prune:
        least = ZERO if reduction is None else reduction.tolerance
        wanted = [
            name for name, series in dense.items() if np.nanmax(np.abs(series)) > least * _unit(name, options)
        ]  # fmt: skip
        if len(wanted) < len(dense):
            notes.append(f"{_several(len(dense) - len(wanted), 'curve')} that stay at zero were left out")
    if reduction is not None and reduction.kind is not KeyKind.LINEAR:
        reduction = replace(reduction, kind=KeyKind.LINEAR)
        notes.append(
            "keys are joined by straight lines of the same tolerance, since slopes can't be set from Python in Unreal"
        )
    return wanted, reduction, notes


def _keyed(
    dense: dict[str, Floats], frames: Indices, reduction: Reduction | None, options: BakeOptions
) -> Work[tuple[Curve, ...]]:
    """A key wherever there is a value, or fewer. Equal curves, as those of the mouth's corners, are reduced once."""
    keys: dict[tuple[bytes, float], tuple[Indices, Floats]] = {}
    alike = {name: (series.tobytes(), _unit(name, options)) for name, series in dense.items()}
    distinct = {content: name for name, content in alike.items()}
    contents = list(distinct)
    for start in range(0, len(contents), CURVES_A_STEP):
        group = contents[start : start + CURVES_A_STEP]
        table = np.stack([dense[distinct[content]] for content in group], axis=1)  # (K, a few)
        rows_of = _key_rows(table, frames, reduction, [unit for _, unit in group])
        keys |= {
            content: (frames[rows], dense[distinct[content]][rows])
            for content, rows in zip(group, rows_of, strict=True)
        }
        yield
    return tuple(Curve(name, *keys[content]) for name, content in alike.items())


def _key_rows(table: Floats, frames: Indices, reduction: Reduction | None, units: Sequence[float]) -> list[Indices]:
    """For each column of `table` the rows that become keys."""
    if reduction is None:
        return [np.flatnonzero(np.isfinite(column)) for column in table.T]
    reduced = reduce(frames.astype(np.float64), table / np.array(units), reduction)
    return [np.searchsorted(frames, np.rint(curve.frames).astype(np.int64)) for curve in reduced]


def _told(take: Take, rows: Sequence[FrameResult], samples: Samples, policy: Unsolved) -> list[str]:
    """Sentences about what the user may not expect of this take."""
    out = []
    if take.header.source.get("rate_assumed") is True:
        out.append("the footage doesn't say its frame rate, so one was assumed: give the job a `rate` if it is another")
    if take.damaged:
        out.append(f"{_several(len(take.damaged), 'line')} of the take can't be read, and their frames are missing")
    for mark in (Mark.HELD, Mark.INTERPOLATED):
        filled = samples.frames[samples.marks == mark].tolist()
        if filled:
            out.append(
                f"{_several(len(filled), 'frame')} without a result were {mark.name.lower()} by the recipe: "
                f"{format_frames(filled, 8)}"
            )
    absent = np.flatnonzero(~samples.present)
    if len(absent):
        numbers = format_frames(samples.frames[absent].tolist(), 8)
        reasons = _counted([rows[index] for index in absent.tolist()])
        out.append(f"{_several(len(absent), 'frame')} have no result ({reasons}), {_OUTCOME[policy]}: {numbers}")
    return out


def _merging(merged: int) -> list[str]:
    return [f"{_several(merged, 'frame')} gave way to others that are shown at the same frame"] if merged else []


def _counted(rows: Sequence[FrameResult]) -> str:
    """`3 no face, 1 not analyzed`."""
    reasons = [row.message if row.message == NOT_ANALYZED else row.status.value.replace("_", " ") for row in rows]
    return ", ".join(f"{reasons.count(reason)} {reason}" for reason in dict.fromkeys(reasons))


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
