"""What `semanticface analyze` shows while it runs: JSON lines, a bar, or the analysis as it is written.

Each takes the engine's line, the texts that grow, and the results. This module knows nothing of backends or options.
"""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from semanticface.cli.output import console, print_json
from semanticface.pump import Partial
from semanticface.results import FrameResult

if TYPE_CHECKING:
    from rich.console import RenderableType


class Screen(Protocol):
    """Open while the analysis runs."""

    def __enter__(self) -> Screen: ...
    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def say(self, sentence: str) -> None:
        """Something that the backend has to say: which engine was taken, whom the job waits for."""

    def partial(self, event: Partial) -> None: ...
    def result(self, result: FrameResult) -> None: ...


class JsonLines:
    """Results, one a line; with `follow` also lines with a `type`, `message` or `partial`, which results don't have."""

    def __init__(self, follow: bool) -> None:
        self._follow = follow

    def __enter__(self) -> JsonLines:
        return self

    def __exit__(self, *_: object) -> None:
        """Nothing is held."""

    def say(self, sentence: str) -> None:
        if self._follow:
            print_json({"type": "message", "message": sentence})

    def partial(self, event: Partial) -> None:
        if self._follow:
            print_json({"type": "partial", "frame": event.frame, "text": event.text})

    def result(self, result: FrameResult) -> None:
        print_json(result.to_dict())


class Bar:
    """A progress bar; with `follow` the text of the first frame in work above it, and each analysis once it is done."""

    def __init__(self, total: int, follow: bool, title: str = "analyzing") -> None:
        from rich.live import Live
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._follow = follow
        self._out = console()
        self._texts: dict[int, str] = {}
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[now]}"),
            console=self._out,
        )
        self._task = self._bar.add_task(title, total=total, now="")
        self._live = Live(get_renderable=self._draw, console=self._out, refresh_per_second=10)

    def __enter__(self) -> Bar:
        self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._texts.clear()
        self._live.stop()

    def say(self, sentence: str) -> None:
        self._out.print(sentence, markup=False)

    def partial(self, event: Partial) -> None:
        self._texts[event.frame] = event.text

    def result(self, result: FrameResult) -> None:
        self._texts.pop(result.frame, None)
        now = result.analysis.expression_category if result.analysis else result.status.value
        self._bar.update(self._task, advance=1, now=now[:40])
        if self._follow:
            text = result.analysis.to_text() if result.analysis else result.message
            self._out.print(f"frame {result.frame}: {result.status.value}\n{text}\n", markup=False)

    def _draw(self) -> RenderableType:
        """The bar, and above it the end of the text of the lowest frame in work, so that it fits on the screen."""
        from rich.console import Group
        from rich.text import Text

        if not self._texts:
            return self._bar.get_renderable()
        frame = min(self._texts)
        text = Text(f"frame {frame}: {self._texts[frame]}", style="dim")
        room = max(3, self._out.height - 4)
        lines = text.wrap(self._out, self._out.width)[-room:]
        return Group(*lines, self._bar.get_renderable())
