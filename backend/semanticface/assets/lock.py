"""One process at a time in a folder that is being filled. The operating system frees the lock when its holder ends.

Knows nothing of what is guarded.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from semanticface.errors import AssetError
from semanticface.processes import try_lock

_EVERY = 0.25


@contextlib.contextmanager
def locked(path: Path, waiting: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold the lock file while inside; `waiting` is called once when somebody else has it.

    The file stays: removing it would let a third process lock another file of the same name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("ab")
    except OSError as error:
        raise AssetError(f"can't write {path}: {error.strerror or error}", "check the folder's rights") from error
    with file:
        if not try_lock(file):
            waiting()
            while not try_lock(file):
                time.sleep(_EVERY)
        yield
