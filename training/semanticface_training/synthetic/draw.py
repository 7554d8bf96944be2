"""One process that draws: takes its share of a set's identities and writes pictures and rows into the dataset.

Run by `build` as `python -m semanticface_training.synthetic.draw JOB`. Each identity is a part of its own of the
dataset being made, so a killed build goes on with any number of processes. Writes one line a picture on standard
output, and ends by itself when the process that started it is gone.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path
from typing import IO, Any

from semanticface.errors import AssetError, SemanticFaceError, to_wire
from semanticface_training.dataset.table import Coefficients, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.synthetic.plan import Material, Picture, SetOptions, picture, slots

OVERSAMPLING = 2
"""Pictures are drawn so much larger and averaged down."""


@dataclass(frozen=True)
class Source:
    """Where heads and expressions come from: `ict` a packed ICT-FaceKit, or `demo_head` the add-on's folder."""

    ict: Path | None
    demo_head: Path | None
    recordings: tuple[Path, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """Paths as text, for the job file."""
        ict, demo = (str(path.resolve()) if path else None for path in (self.ict, self.demo_head))
        return {"ict": ict, "demo": demo, "recordings": [str(path.resolve()) for path in self.recordings]}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Source:
        """The reverse of `to_dict`."""
        ict, demo = (Path(data[name]) if data[name] else None for name in ("ict", "demo"))
        return cls(ict, demo, tuple(Path(path) for path in data["recordings"]))


def heads_abilities(source: Source) -> tuple[int, frozenset[str]]:
    """Number of identity modes and the actions that the head can't show, without loading it."""
    if source.ict is not None:
        return 100, frozenset({"TongueOut"})
    from semanticface_training.synthetic.demo_identity import MODES

    return len(MODES), frozenset()


def material(source: Source) -> Material:
    """The recordings' rows and what the head can do."""
    from semanticface_training.synthetic.expressions import read_pools

    return Material(*read_pools(source.recordings), *heads_abilities(source))


class Painter:
    """Draws pictures of one source, at one size. Owns the process's Blender scene."""

    def __init__(self, source: Source, size: int, scratch: Path) -> None:
        from semanticface_training.synthetic.stage import Stage

        self._figure = _figure(source)
        self._size = size
        self._stage = Stage(self._figure.faces, self._figure.count, size * OVERSAMPLING, scratch)
        self._dressed: tuple[str, Any] = ("", None)

    def draw(self, shown: Picture) -> bytes:
        """The JPEG file of a picture."""
        from semanticface_training.synthetic.figure import aim
        from semanticface_training.synthetic.finish import finished
        from semanticface_training.synthetic.props import build_prop
        from semanticface_training.synthetic.stage import viewpoint
        from semanticface_training.synthetic.variation import Prop

        if self._dressed[0] != shown.slot.subject:
            self._dressed = (shown.slot.subject, self._figure.dress(shown.person))
        varied, centre = shown.variation, aim(self._figure, shown.values)
        viewer = viewpoint(varied.camera, centre)
        drawn = self._figure.draw(self._dressed[1], shown.values, varied.room, viewer)
        self._stage.clear_prop()
        if varied.prop is not Prop.NONE:
            prop = build_prop(varied.prop, drawn.anchors, shown.person.look, varied.room, varied.seed, varied.flipped)
            self._stage.place_prop(prop.positions, prop.faces, prop.colours)
        image = self._stage.render(drawn.positions, drawn.colours, varied.camera, centre)
        return finished(image, varied, self._size)


def _figure(source: Source) -> Any:
    if source.ict is not None:
        from semanticface_training.synthetic.ict import load_head
        from semanticface_training.synthetic.ict_figure import IctFigure

        return IctFigure(load_head(source.ict))
    if source.demo_head is None:
        raise AssetError("no head to draw", "give --ict or --demo-head")
    from semanticface_training.synthetic.demo_figure import DemoFigure

    return DemoFigure(source.demo_head)


def part_name(subject: str) -> str:
    """The dataset's part that an identity's rows are written into."""
    return f"part-{subject}"


def write_job(
    path: Path, options: SetOptions, source: Source, meta: Meta, dataset: Path, share: tuple[int, int]
) -> None:
    """Write the job of process `share` = (number, of how many)."""
    data = {"options": asdict(options), "source": source.to_dict(), "meta": meta.to_dict(), "parent": os.getpid()}
    path.write_text(json.dumps({**data, "dataset": str(dataset.resolve()), "share": share}), encoding="utf-8")


def row_of(shown: Picture) -> Row:
    """The row of a picture in the dataset, exact as it is drawn."""
    slot = shown.slot
    return Row(
        take=slot.take,
        frame=slot.frame,
        subject=slot.subject,
        split=Split(slot.split),
        coefficients=Coefficients(shown.values),
        sequence=slot.subject,
        tags=shown.tags,
    )


def run(job: Path, say: IO[str]) -> None:
    """Draw what isn't in the dataset yet of the job's share; whole identities go to one process."""
    import cv2

    cv2.setNumThreads(1)
    data = json.loads(job.read_text(encoding="utf-8"))
    options = SetOptions.from_dict(data["options"])
    source, meta = Source.from_dict(data["source"]), Meta(**data["meta"])
    number, count = data["share"]
    stuff = material(source)
    painter = None
    ordered = sorted(slots(options, stuff.missing), key=lambda slot: slot.subject)
    for place, (subject, mine) in enumerate(groupby(ordered, key=lambda slot: slot.subject)):
        if place % count != number:
            continue
        with DatasetWriter(Path(data["dataset"]), meta, part_name(subject)) as writer:
            for slot in mine:
                if slot.id in writer.stored:
                    continue
                if os.getppid() != data["parent"]:
                    return
                painter = painter or Painter(source, options.size, job.with_suffix(".png"))
                _draw_one(painter, picture(options, stuff, slot), writer)
                say.write(f"{slot.id}\n")
                say.flush()


def _draw_one(painter: Painter, shown: Picture, writer: DatasetWriter) -> None:
    writer.add(row_of(shown), painter.draw(shown))


def main(arguments: Sequence[str] | None = None) -> None:
    """Entry: JOB. Always ends the process itself; an error of ours is one JSON line on standard error."""
    job = Path((arguments or sys.argv[1:])[0])
    say = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # Blender tells of each picture that it saves
    status = 1
    try:
        run(job, say)
        status = 0
    except SemanticFaceError as error:
        sys.stderr.write(json.dumps(to_wire(error)) + "\n")
    except BaseException:  # whatever it is: bpy can't be trusted to let this process end
        import traceback

        traceback.print_exc()
    finally:
        say.flush()
        sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
