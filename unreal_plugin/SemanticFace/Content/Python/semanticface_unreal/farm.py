"""The farm's way in: `UnrealEditor-Cmd ... -run=pythonscript -script="semanticface_farm.py --manifest ..."`.

Gives `batch.headless` the editor and its log. The editor's exit code is 0 only where the script returns and nothing was
logged as an error; it knows no exit codes of scripts, and SystemExit of any code counts as a failure.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence

from semanticface_unreal.batch.headless import Level, run_headless
from semanticface_unreal.batch.progress import Outcome
from semanticface_unreal.engine import unreal
from semanticface_unreal.writing.writer import AssetWriter


def say(level: Level, text: str) -> None:
    """A line in the editor's log and on its standard output."""
    {Level.INFO: unreal.log, Level.WARNING: unreal.log_warning, Level.ERROR: unreal.log_error}[level](text)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the batch of these arguments, by default the script's. Raises SystemExit where it didn't end well."""
    chosen = sys.argv[1:] if arguments is None else arguments
    unreal.AssetRegistryHelpers.get_asset_registry().wait_for_completion()  # till then no asset seems to be there
    outcome = run_headless(chosen, AssetWriter(transact=False), say)
    if outcome is not Outcome.OK:
        raise SystemExit(1)
