"""Who is trained on and who is kept for tests: subjects, never frames, so that a test shows faces never seen.

Pure functions over names. Raises InputError for lists that contradict each other or the data.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from semanticface.errors import InputError, OptionsError
from semanticface_training.dataset.table import Split


@dataclass(frozen=True, slots=True)
class SplitRule:
    """Explicit lists of subjects, or one subject left out as the test.

    Subjects in no list are for training when the list `train` is empty, and an error otherwise. With `leave_out` that
    subject is the test, the subjects of `val` (by default the next one in alphabetical order, after the last the
    first) validate, and all others train.
    """

    train: tuple[str, ...] = ()
    val: tuple[str, ...] = ()
    test: tuple[str, ...] = ()
    leave_out: str = ""

    def to_dict(self) -> dict[str, Any]:
        return {
            "train": list(self.train),
            "val": list(self.val),
            "test": list(self.test),
            "leave_out": self.leave_out,
        }


def assign(subjects: Iterable[str], rule: SplitRule) -> Mapping[str, Split]:
    """Subject -> split. Raises InputError for a subject in two lists, one that doesn't exist, or one in no list."""
    known = sorted(set(subjects))
    lists = {Split.TRAIN: rule.train, Split.VAL: rule.val, Split.TEST: rule.test}
    if rule.leave_out:
        lists = _left_out(known, rule)
    out: dict[str, Split] = {}
    for split, names in lists.items():
        for name in names:
            if out.get(name, split) is not split:
                raise InputError(f"subject {name!r} is in two splits: {out[name]} and {split}", "name it in one list")
            if name not in known:
                raise InputError(f"the list {split} names {name!r}, who is in no take", f"there are {_few(known)}")
            out[name] = split
    rest = [name for name in known if name not in out]
    if rest and lists[Split.TRAIN]:
        raise InputError(f"subjects in no split: {_few(rest)}", "name them, or leave the list for training out")
    return out | dict.fromkeys(rest, Split.TRAIN)


def _left_out(known: list[str], rule: SplitRule) -> dict[Split, tuple[str, ...]]:
    if rule.test or rule.train:
        raise OptionsError("leaving one subject out decides who trains and tests", "give no lists beside it, or val")
    if rule.leave_out not in known:
        raise InputError(f"there is no subject {rule.leave_out!r} to leave out", f"there are {_few(known)}")
    if len(known) < 3 - bool(rule.val):
        raise InputError(f"{len(known)} subjects are too few to leave one out and validate on another")
    following = known[(known.index(rule.leave_out) + 1) % len(known)]
    return {Split.TRAIN: (), Split.VAL: rule.val or (following,), Split.TEST: (rule.leave_out,)}


def _few(names: list[str]) -> str:
    return ", ".join(names[:12]) + (f" and {len(names) - 12} more" if len(names) > 12 else "")
