"""From the words after `--engine` to something that predicts: our engines, baselines, other people's files.

    [NAME=]KIND[:VALUE][,OPTION=VALUE ...]

    landmarks                          the embedded engine; also any other engine of the backend by its name
    checkpoint:ID   checkpoint:FOLDER  a SemanticFace checkpoint, installed or in a folder
    remote:NAME     remote:URL         a server of `semanticface remote`, or an address with model= and profile=
    baseline:NAME                      of `evaluation.baselines`, fitted on the training split
    predictions:PATH                   CSV or JSON lines that something else wrote

NAME names the row in the tables. This module knows nothing of metrics, and of each kind only who makes it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

from semanticface.errors import InputError, OptionsError
from semanticface.results import FrameResult
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.store import Method

KINDS = ("checkpoint", "remote", "baseline", "predictions")
"""Those with a value of their own after the colon; what is none of them is an engine of the backend."""
CACHE_NAME = "cache"
"""Under R: what baselines keep (features of pictures, fitted models)."""
_NAMED = re.compile(r"([A-Za-z0-9][A-Za-z0-9_.+-]*)=(.+)", re.DOTALL)
_OPTION = re.compile(r",(?=[a-z_]+=)")


class Predictor(Protocol):
    """Something that answers rows of a dataset. `method` says who; `close`, where it has one, gives memory back."""

    @property
    def method(self) -> Method: ...

    def predict(self, dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, FrameResult]]:
        """(row's number, answer) for each of `indices`, in any order, as soon as each is there.

        Rows that it knows nothing of may be left out: they count as absent.
        """


@dataclass(frozen=True, slots=True)
class Spec:
    """One `--engine` as it was written: `name` is "" where none was given."""

    kind: str
    value: str = ""
    name: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Option values are read as JSON where they are JSON (true, 0.5), else as text. Raises OptionsError."""
        named = _NAMED.fullmatch(text.strip())
        name, rest = (named[1], named[2]) if named else ("", text.strip())
        what, *wishes = _OPTION.split(rest)
        kind, _, value = what.partition(":")
        if not kind:
            raise OptionsError(f"--engine {text!r} names no engine", "such as landmarks, or a0=checkpoint:runs/a0")
        if kind in KINDS and not value:
            raise OptionsError(f"--engine {text!r}: {kind} needs a value", f"such as {kind}:{_EXAMPLES[kind]}")
        options = {key: _value(content) for key, _, content in (wish.partition("=") for wish in wishes)}
        return cls(kind, value, name, options)

    @property
    def default_name(self) -> str:
        """What the row is called where the user gave no name: made of what he wrote, fit for a folder."""
        last = Path(self.value).name if self.kind in ("checkpoint", "predictions") else self.value
        plain = re.sub(r"[^A-Za-z0-9_.+-]+", "-", last).strip("-.")[:60]
        if self.kind in ("checkpoint", "baseline", "predictions") and plain:
            return plain
        return f"{self.kind}-{plain}" if plain else self.kind


_EXAMPLES = {"checkpoint": "semanticface", "remote": "farm", "baseline": "mean", "predictions": "theirs.csv"}


def make(spec: Spec, dataset: Dataset, split: str, out: Path) -> Predictor:
    """The predictor for these words, loaded and ready. Raises InputError, OptionsError, AssetError or EngineError."""
    name = spec.name or spec.default_name
    if spec.kind == "baseline":
        return _baseline(spec, name, dataset, out)
    if spec.kind == "predictions":
        from semanticface_training.evaluation.predict_foreign import ForeignPredictor

        return ForeignPredictor.read(name, Path(spec.value), dataset, spec.options)
    from semanticface_training.evaluation.predict_backend import BackendPredictor, load_engine

    engine, options = load_engine(spec)
    return BackendPredictor(name, engine, options, dataset.digest, split)


def check(spec: Spec) -> None:
    """What can be known to be wrong before anything is loaded. Raises InputError, OptionsError or EngineError."""
    path = Path(spec.value)
    if spec.kind == "predictions":
        if not path.exists():
            raise InputError(f"{path} does not exist", "predictions:PATH names a CSV, JSON lines, or a folder of them")
    elif spec.kind == "baseline":
        from semanticface_training.evaluation import baselines

        if spec.value not in baselines.NAMES:
            raise OptionsError(f"there is no baseline {spec.value!r}", f"there are {', '.join(baselines.NAMES)}")
    elif spec.kind == "checkpoint":
        from semanticface.engines.mllm.checkpoint import Checkpoint, find_checkpoint

        _ = Checkpoint.at(path) if path.is_dir() else find_checkpoint(spec.value)
    else:
        from semanticface.server.engines import resolve

        resolve(spec.kind)


def _baseline(spec: Spec, name: str, dataset: Dataset, out: Path) -> Predictor:
    from semanticface_training.evaluation import baselines

    if spec.options:
        raise OptionsError(f"baseline {spec.value} takes no options", f"write baseline:{spec.value}")
    made: Predictor = baselines.make(spec.value, dataset, out / CACHE_NAME)
    return Renamed(made, name) if spec.name else made


class Renamed:
    """A predictor whose row carries the name that the user gave."""

    def __init__(self, inner: Predictor, name: str) -> None:
        self._inner = inner
        self.method = replace(inner.method, name=name, label=name)

    def predict(self, dataset: Dataset, indices: Sequence[int]) -> Iterator[tuple[int, FrameResult]]:
        return self._inner.predict(dataset, indices)


def parse_all(words: Sequence[str]) -> list[Spec]:
    """All of them. Raises OptionsError when two would have the same name."""
    specs = [Spec.parse(text) for text in words]
    names = [spec.name or spec.default_name for spec in specs]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise OptionsError(f"two engines are called {min(twice)}", "name them: --engine first=... --engine second=...")
    return specs


def check_has_pictures(dataset: Dataset, indices: Sequence[int], split: str) -> None:
    """Raises InputError for a split without rows."""
    if not indices:
        counts = {name: len(dataset.indices(name)) for name in ("train", "val", "test")}
        there = ", ".join(f"{name} {count}" for name, count in counts.items())
        raise InputError(f"{dataset.path}: the split {split} has no rows", f"rows by split: {there}")


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
