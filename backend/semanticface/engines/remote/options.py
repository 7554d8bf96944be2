"""The remote engine's options: their names, defaults and limits. Plain JSON types in and out; light to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from semanticface.engines.mllm.options import ASKED, ASKED_CHECKS, complete_with, flag, one_of
from semanticface.engines.mllm.profile import Profile

DRAFTS = ("none", "previous")

DEFAULTS: Mapping[str, Any] = {**ASKED, "estimates": True, "draft": "none"}
"""`mllm.options.ASKED`, and `estimates`: ask for the digits' probabilities. `draft`: "previous" proposes the last
answer to servers that know predicted outputs."""


def complete(values: Mapping[str, Any], profile: Profile) -> dict[str, Any]:
    """`values` checked and completed, with everything that the profile decides written out. Raises OptionsError."""
    checks = {**ASKED_CHECKS, "estimates": flag, "draft": one_of(*DRAFTS)}
    return complete_with("the remote engine", values, DEFAULTS, checks, profile)
