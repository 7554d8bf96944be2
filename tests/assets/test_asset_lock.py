"""Two processes that fill one folder take turns."""

from __future__ import annotations

import threading
from pathlib import Path

from semanticface.assets.lock import locked


def test_a_second_holder_waits_until_the_first_is_done_and_says_so(tmp_path: Path) -> None:
    entered, waiting = threading.Event(), threading.Event()

    def other() -> None:
        with locked(tmp_path / "lock", waiting.set):
            entered.set()

    with locked(tmp_path / "lock"):
        thread = threading.Thread(target=other)
        thread.start()
        assert waiting.wait(10)
        assert not entered.wait(0.5)
    assert entered.wait(10)
    thread.join()
