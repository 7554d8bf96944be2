"""A model that was trained from nothing as a folder that `semanticface models import` takes: profile and whole base.

Also the form, question and profile of each of the three answers, which training and backend share. Knows nothing of
pictures.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semanticface.engines.mllm.profile import Layout, Preparation, Profile, ValueChoice
from semanticface_training.chain.architecture import Shape
from semanticface_training.chain.plan import ACTIONS, DECIMALS
from semanticface_training.stage2.prompts import Question, Wording, question
from semanticface_training.stage2.targets import Form, Target

if TYPE_CHECKING:
    from tokenizers import Tokenizer

LONGEST_WORDS = 320
"""Tokens of a description, at most; the rules' longest about these actions has about 200."""


def form_of(target: Target) -> Form:
    """The sixteen actions with one decimal; A2 in the released checkpoint's layout, whose words are the shortest."""
    return Form(target, Layout.BARE, DECIMALS, ACTIONS)


def question_of(target: Target) -> Question:
    return question(form_of(target), Wording.SHORT)


def profile_of(target: Target, shape: Shape) -> Profile:
    """How the backend asks and reads this model: by expectation, which the demo's report measures as it is."""
    form, asked = form_of(target), question_of(target)
    return Profile(
        name=f"demo-{target.value}",
        system=asked.system,
        user=asked.user,
        adapter=False,
        layouts=(Layout(form.layout_name),),
        decimals=form.decimals,
        actions=form.actions,
        signed=form.signed,
        image_tokens=(shape.tokens, shape.tokens),
        analysis_tokens=LONGEST_WORDS,
        value=ValueChoice.EXPECTATION,
        dead_zone=1.0,
        preparation=Preparation.LEVELLED,
    )


def save(folder: Path, model: Any, tokenizer: Tokenizer, profile: Profile, facts: Mapping[str, Any]) -> None:
    """Write the folder beside its place, then let it take it."""
    part = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    profile.save(part)
    model.save_pretrained(str(part / "base"), max_shard_size="100GB")
    tokenizer.save(str(part / "base" / "tokenizer.json"))
    for file in (part / "base").iterdir():
        file.chmod(0o644)  # safetensors writes files for their owner alone
    (part / "training.json").write_text(json.dumps(dict(facts), indent=1) + "\n", encoding="utf-8")
    (part / "README.md").write_text(_card(profile, facts), encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


def _card(profile: Profile, facts: Mapping[str, Any]) -> str:
    return (
        f"# {profile.name}\n\nA Qwen3-VL architecture with {facts['weights']:,} weights, trained from nothing in "
        f"{facts['steps']:,} steps on {facts['rows']:,} drawn faces by `semanticface-train demo`. It writes "
        f"{len(profile.actions)} of 61 actions (layout {profile.layouts[0].value}). It shows that the chain works; "
        "it is not for work: it has never seen a photograph.\n"
    )
