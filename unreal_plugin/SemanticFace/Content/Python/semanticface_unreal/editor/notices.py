"""What the plugin tells the user: always in the log, and in a window when the user has just clicked.

A window inside a tick crashes the editor, so whoever runs in a tick uses `tell` alone; the last lines stay for the
status entry and for diagnostics.
"""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime

from semanticface.errors import SemanticFaceError
from semanticface_unreal.engine import unreal

TITLE = "SemanticFace"
KEPT = 50
MOST_LINES = 30
"""Lines of a window; more would not fit a screen."""


class Notices:
    """`last` holds the lines of the latest notice; `history` those before, with their time."""

    def __init__(self) -> None:
        self.last: tuple[str, ...] = ()
        self.history: deque[str] = deque(maxlen=KEPT)

    def tell(self, lines: Sequence[str], failed: bool = False) -> None:
        """Into the log and the history; what failed as a warning. Safe anywhere on the game thread."""
        self.last = tuple(lines)
        for line in lines:
            self.history.append(f"{datetime.now().astimezone():%H:%M:%S} {line}")
            (unreal.log_warning if failed else unreal.log)(f"{TITLE}: {line}")

    def show(self, title: str, lines: Sequence[str], failed: bool = False) -> None:
        """The same, and a window over it that the user closes. From a click alone."""
        self.tell(lines, failed)
        shown = [
            *lines[:MOST_LINES],
            *([f"… and {len(lines) - MOST_LINES} lines more, see the log"][: len(lines) > MOST_LINES]),
        ]
        category = unreal.AppMsgCategory.ERROR if failed else unreal.AppMsgCategory.INFO
        unreal.EditorDialog.show_message(
            f"{TITLE} – {title}", "\n".join(shown), unreal.AppMsgType.OK, unreal.AppReturnType.OK, category
        )

    def ask(self, title: str, question: str) -> bool:
        """Whether the user says yes; no where nobody is there. From a click alone."""
        answer = unreal.EditorDialog.show_message(
            f"{TITLE} – {title}", question, unreal.AppMsgType.YES_NO, unreal.AppReturnType.NO,
            unreal.AppMsgCategory.INFO,
        )  # fmt: skip
        return answer == unreal.AppReturnType.YES

    def guard(self, title: str, action: Callable[[], object]) -> None:
        """Do what was clicked; whatever goes wrong is shown, and nothing is raised into the editor."""
        try:
            action()
        except SemanticFaceError as error:
            self.show(title, lines_of(error), failed=True)
        except Exception as error:  # the boundary to the editor, which would print a bare traceback
            self.show(title, self.fault(error), failed=True)

    def fault(self, error: BaseException) -> list[str]:
        """Lines about a fault of our own; where it happened goes into the log and the history, for diagnostics."""
        unreal.log_error(f"{TITLE}: " + "".join(traceback.format_exception(error)))
        self.history.extend("".join(traceback.format_exception(error)).splitlines()[-12:])
        return [f"Internal fault: {type(error).__name__}: {error}", "Please report it with the text of Diagnostics"]


def lines_of(error: SemanticFaceError) -> list[str]:
    """What happened, then what to do."""
    hint = error.hint[:1].upper() + error.hint[1:]
    return [error.message, hint] if hint else [error.message]
