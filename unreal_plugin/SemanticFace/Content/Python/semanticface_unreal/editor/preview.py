"""A take that plays on a face at once, over Live Link: from tick to tick, without a thread and without a key.

The face must listen to the Live Link subject that the settings name. Knows no asset: whoever starts it found the take.
"""

from __future__ import annotations

from pathlib import Path

from semanticface.curves.recipe import Recipe
from semanticface.curves.replay import apply
from semanticface.curves.samples import results_of, samples_of
from semanticface.errors import TakeError
from semanticface.exchange.livelink_stream import StreamOptions, stream_take
from semanticface.take import read_take


class Preview:
    """Loops until it is closed. `name` is what plays."""

    def __init__(self, name: str, folder: Path, recipe: Recipe, options: StreamOptions) -> None:
        """Raises TakeError for what is no take, ExchangeError and OptionsError for what can't be sent there."""
        take = read_take(folder)
        if take.header.rate is None:
            raise TakeError(f"{folder.name} has no frame rate", "analyze the footage again with its rate")
        cleaned = results_of(apply(recipe, samples_of(take.results, take.header.rate)), take.results)
        self.name = name
        self._stream = stream_take(take, options, cleaned)
        self._unheard = False

    def step(self) -> str:
        """Send what is due, in a millisecond or two; a line for the user when there is something to say, else ""."""
        self._stream.send_due()
        sender = self._stream.sender
        if sender.refused and not self._unheard:
            self._unheard = True
            return f"nothing listens at {sender.to} yet: add the source Live Link Face in the Live Link window"
        return ""

    def describe(self) -> str:
        """For a menu's label."""
        return f"{self.name} as {self._stream.voice.subject}, {self._stream.played.packets} frames sent"

    def close(self) -> None:
        self._stream.close()
