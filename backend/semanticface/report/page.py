"""The skeleton of every page: one file, no network, nothing in it that a file name or a model could turn into code.

Jinja2 escapes whatever is put into a template. The page's policy (CSP) allows pictures that stand in the page, and only
the very style and script that it was made with, by their hashes: a text that slipped through would still not run. Data
for the script is a block of JSON. This module knows nothing of what a page is about.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from semanticface import __version__
from semanticface.errors import InputError
from semanticface.take import write_atomic

PARTS = Path(__file__).with_name("parts")
"""The folder of the templates, styles and scripts that all pages share."""


def render(
    template: str,
    title: str,
    context: Mapping[str, Any],
    *,
    folders: Sequence[Path] = (),
    styles: Iterable[str] = (),
    scripts: Iterable[str] = (),
) -> str:
    """A whole page as text.

    `template`, `styles` and `scripts` are names of files in `folders` or in the shared parts; the template extends
    `base.html`. What `context` holds is escaped, other than `Markup`.
    """
    places = [*folders, PARTS]
    style = "\n".join(_part(places, name) for name in ("base.css", *styles))
    script = "\n".join(_part(places, name) for name in ("base.js", *scripts))
    environment = Environment(
        loader=FileSystemLoader([str(place) for place in places]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    skeleton = {
        "title": title,
        "style": Markup(style),
        "script": Markup(script),
        "policy": policy(style, script),
        "made": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "program": f"SemanticFace {__version__}",
    }
    return environment.get_template(template).render({**skeleton, **context})


def policy(style: str, script: str) -> str:
    """The page's Content-Security-Policy: nothing but pictures in the page, this style and this script."""
    return (
        f"default-src 'none'; img-src data:; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"


def _part(places: Sequence[Path], name: str) -> str:
    file = next(place / name for place in places if (place / name).is_file())
    text = file.read_text(encoding="utf-8")
    if "</s" in text.lower():
        raise ValueError(f"{name} would end the element that holds it")
    return text


def data_block(data: Any) -> Markup:
    """JSON for a `<script type="application/json">`: no `<` of it can end the element. Raises ValueError for NaN."""
    text = json.dumps(data, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)


def picture_uri(data: bytes, kind: str = "jpeg") -> str:
    """Encoded picture bytes as an address that holds them."""
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def write_page(path: Path, text: str) -> None:
    """Write a page, whole or not at all. Raises InputError that names the file."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomic(path, text)
    except OSError as error:
        raise InputError(f"{path} can't be written: {error.strerror or error}", "choose another --out") from error
