"""Which engine `auto` means on this machine at this moment, and why, in a sentence for the user.

SemanticFace where a checkpoint is installed and a graphics card can hold it; else the landmark engine, which runs
anywhere. Looks into small files and asks the system's tools; loads no model and no library of models. Takes a second or
so in the worst case, so it is asked beside the loop. This module knows nothing of processes or jobs.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from semanticface.engines.cards import Card, NoCard, find_card
from semanticface.errors import SemanticFaceError

if TYPE_CHECKING:
    from semanticface.engines.mllm.checkpoint import Checkpoint

SEMANTICFACE, LANDMARKS = "semanticface", "landmarks"
LIBRARIES = ("torch", "transformers", "peft")
"""What the SemanticFace engine can't do without."""
INSTALL = "pip install 'semanticface[mllm]'"
_GB = 10**9
_RANK = 8
"""Rank of the adapter that stays beside quantized weights, as the published one has it."""


@dataclass(frozen=True, slots=True)
class Choice:
    """`engine` is a name; `reason` a part of a sentence, with what to do in brackets where something can be done."""

    engine: str
    reason: str

    def describe(self) -> str:
        """One line, the same wherever it is shown."""
        return f"engine: {self.engine} — {self.reason}"


def version_of(library: str) -> str:
    """The installed version, "" where there is none. Nothing is imported."""
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return ""


def choose_engine(versions: Callable[[str], str] = version_of) -> Choice:
    """What `auto` takes now. What is wrong with the better engine is no error here but the reason for the other."""
    try:
        return _choose(versions)
    except NoCard as error:
        return Choice(LANDMARKS, str(error))
    except (SemanticFaceError, OSError) as error:
        text = error.message if isinstance(error, SemanticFaceError) else str(error)
        return Choice(LANDMARKS, f"the checkpoints can't be looked at: {text}"[:400])


def fit(choice: Choice, options: Mapping[str, Any]) -> Choice:
    """The same for a job with these options: those that only the landmark engine has ask for it."""
    from semanticface.engines.landmarks.options import DEFAULTS

    own = [name for name in options if name in DEFAULTS]
    if "face" in own and (options["face"] == DEFAULTS["face"] or "face_crop" in options):
        own.remove("face")  # a model that is shown a crop can be told of which face; the whole picture has them all
    if choice.engine == SEMANTICFACE and own:
        return Choice(LANDMARKS, f"only it has the option {own[0]}")
    return choice


def _choose(versions: Callable[[str], str]) -> Choice:
    from semanticface.engines.mllm.checkpoint import DEFAULT, list_checkpoints

    whole = list_checkpoints()
    if not whole:
        return Choice(LANDMARKS, f"no checkpoint is installed (semanticface models pull {DEFAULT})")
    missing = [library for library in LIBRARIES if not versions(library)]
    if missing:
        are = "are" if len(missing) > 1 else "is"
        return Choice(LANDMARKS, f"{', '.join(missing)} {are} not installed ({INSTALL})")
    card = find_card()
    if card.kind == "cuda" and versions("torch").endswith("+cpu"):
        return Choice(LANDMARKS, f"the installed torch can't use the {card.name} (install one with CUDA: pytorch.org)")
    need = least_need(whole[0], card, versions)
    if need > card.free:
        return Choice(LANDMARKS, f"the {card.name} has {card.free / _GB:.1f} GB free, {need / _GB:.1f} GB are needed")
    room = f"{need / _GB:.1f} GB of {card.free / _GB:.1f} GB free"
    return Choice(SEMANTICFACE, f"checkpoint {whole[0].name} fits the {card.name} ({room})")


def least_need(checkpoint: Checkpoint, card: Card, versions: Callable[[str], str]) -> int:
    """Bytes that the checkpoint needs in the smallest form in which it could be loaded here, one frame at a time."""
    from semanticface.engines.mllm.memory import Quantization, Shape, needs

    shape = Shape.read(checkpoint.base)
    coarse = card.kind == "cuda" and versions("bitsandbytes")
    forms = tuple(Quantization) if coarse else (Quantization.NONE,)
    most = checkpoint.profile.image_tokens[1]
    return min(needs(shape, quantization=form, image_tokens=most, adapter_rank=_RANK).total for form in forms)
