"""The SemanticFace engine as the product sees it: pictures in; analysis, coefficients and their certainty out.

It belongs in the engine worker: it holds gigabytes, and ending the process is the sure way to give a card back.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from semanticface.engines.base import EngineInfo, RunOptions, Traits
from semanticface.engines.mllm import loading
from semanticface.engines.mllm.checkpoint import Checkpoint, find_checkpoint
from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.loading import Loaded, Settings
from semanticface.engines.mllm.memory import Quantization
from semanticface.engines.mllm.options import complete, decisive
from semanticface.engines.mllm.profile import Preparation
from semanticface.engines.mllm.runner import Runner
from semanticface.engines.mllm.session import SemanticFaceSession
from semanticface.errors import EngineError

log = logging.getLogger(__name__)

VERSION = "1"
"""Goes up when the same picture would give another result: stored results of an older version are not reused."""


class SemanticFaceEngine:
    """Implements `engines.base.Engine`. Sessions share one model, so they run one after the other: one lane."""

    def __init__(self, checkpoint: Checkpoint, settings: Settings | None = None) -> None:
        """Load the checkpoint, which takes from seconds to minutes. Raises what `loading.load` raises."""
        self._checkpoint = checkpoint
        self._settings = settings or Settings()
        self._identity = checkpoint.identity()
        loaded = loading.load(checkpoint, self._settings)
        for remark in loaded.remarks:
            log.warning("%s", remark)
        self._runner: Runner | None = Runner(loaded, checkpoint.profile, self._again)
        self._faces = FaceCrop()
        self._format = (loaded.device.kind, loaded.device.dtype, str(loaded.quantization))
        self.info = EngineInfo("semanticface", VERSION, self._identity, str(loaded))
        self.traits = Traits(sequential=False, warmup=0, lanes=1, batch=loaded.batch)

    def options(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The options completed from `options.DEFAULTS` and the profile; raises OptionsError that names a wrong one."""
        return complete(values, self._checkpoint.profile)

    def fingerprint(self, options: Mapping[str, Any], video: bool) -> str:
        """Checkpoint, engine version, number format, kind of device, and the options that change results.

        Drafts and how many pictures run at once are left out: they change no answer.
        """
        profile = self._checkpoint.profile
        levelled = profile.preparation is not Preparation.NONE
        shown = json.dumps(decisive(complete(options, profile), levelled), sort_keys=True)
        return f"semanticface/{VERSION} {self._identity} {' '.join(self._format)} {shown}"

    def session(self, options: RunOptions, video: bool) -> SemanticFaceSession:
        """A fresh session. A video's frames are asked about one by one, like stills."""
        if self._runner is None:
            raise EngineError("the SemanticFace engine is closed")
        profile = self._checkpoint.profile
        values = complete(options.values, profile)
        self._runner.recover()
        return SemanticFaceSession(self._runner, self._faces, profile, options, values)

    def close(self) -> None:
        """Give the memory back. Closing twice does no harm."""
        runner, self._runner = self._runner, None
        if runner is not None:
            runner.close()
        self._faces.close()

    def _again(self, rungs: Sequence[Quantization]) -> Loaded:
        """The checkpoint once more, in the first of these quantizations that fits."""
        loaded = loading.load(self._checkpoint, self._settings, rungs)
        self._format = (loaded.device.kind, loaded.device.dtype, str(loaded.quantization))
        self.info = replace(self.info, device=str(loaded))
        return loaded


def load(variant: str = "") -> SemanticFaceEngine:
    """The engine as the backend runs it: the named checkpoint, or the one that is installed, on the best device."""
    return SemanticFaceEngine(find_checkpoint(variant), Settings.of_environment())
