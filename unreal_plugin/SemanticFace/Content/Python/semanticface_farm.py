"""Runs a batch manifest in `UnrealEditor-Cmd`: see `semanticface_unreal.batch.headless` for its arguments."""

from semanticface_unreal.farm import main

main()
