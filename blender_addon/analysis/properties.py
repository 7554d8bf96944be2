# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of the Analyze panel, as a part of `scene.semanticface`."""

from __future__ import annotations

from typing import Any

import bpy

from .engines import names_offered
from .order import AUTO


def _offered(settings: Any, context: Any, typed: str) -> list[str]:
    from .. import session

    return [name for name in names_offered(session.current().offered) if typed.lower() in name]


class AnalysisSettings:
    """Mixed into the scene's settings. The engine is a text, so that a file opens the same with any backend."""

    engine: bpy.props.StringProperty(
        name="Engine",
        description=(
            "auto leaves it to the backend; landmarks runs on any computer; semanticface, or semanticface:CHECKPOINT, "
            "needs a graphics card; remote:NAME is a server"
        ),
        default=AUTO,
        search=_offered,
        search_options={"SUGGESTION"},
    )
