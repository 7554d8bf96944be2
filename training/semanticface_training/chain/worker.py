"""One of the three models, trained in a process of its own: `python -m semanticface_training.chain.worker JOB TARGET`.

Three models on two cores are done sooner side by side with a thread each than one after the other with two. Progress
goes to standard output as JSON lines; an error is the last line of standard error, in the form of the wire.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from semanticface.errors import SemanticFaceError, to_wire
from semanticface_training.chain.plan import Budget, Demo, Length
from semanticface_training.stage2.targets import Target
from semanticface_training.synthetic.draw import Source

_TOLD_EVERY = 10


def job_of(demo: Demo) -> dict[str, Any]:
    """What a worker has to know."""
    return {"out": str(demo.out), "length": demo.length.value, "budget": asdict(demo.budget)}


def teach(demo: Demo, target: Target) -> dict[str, Any]:
    """Train and save one model; returns what `training.json` says."""
    from transformers.utils import logging as libraries

    from semanticface_training.chain.checkpoint import profile_of, save
    from semanticface_training.chain.learn import LearnRecipe, Step, learn
    from semanticface_training.chain.teaching import classroom

    libraries.disable_progress_bar()
    room = classroom(demo, target)
    steps, began = demo.budget.learn_steps, time.monotonic()

    def tell(step: Step) -> None:
        if step.number % _TOLD_EVERY == 0 or step.number == steps:
            line = {"step": step.number, "cross_entropy": step.cross_entropy, "expectation": step.expectation}
            print(json.dumps(line), flush=True)

    taken = learn(
        room.model, room.shape.side, room.head, room.lessons, room.pictures, room.values, LearnRecipe(steps), tell
    )
    tenth = max(1, len(taken) // 10)
    facts = {
        "target": target.value,
        "steps": steps,
        "rows": len(room.pictures),
        "weights": sum(weight.numel() for weight in room.model.parameters()),
        "tokens": round(room.lessons.tokens, 1),
        "loss_first": round(sum(step.cross_entropy for step in taken[:tenth]) / tenth, 4),
        "loss_last": round(sum(step.cross_entropy for step in taken[-tenth:]) / tenth, 4),
        "seconds": round(time.monotonic() - began, 1),
    }
    save(demo.checkpoint(target.value), room.model, room.tokenizer, profile_of(target, room.shape), facts)
    return facts


def main() -> None:
    job = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    source = Source(None, None, ())  # everything is drawn by now
    demo = Demo(Path(job["out"]), Length(job["length"]), Budget(**job["budget"]), source, 1)
    try:
        teach(demo, Target(sys.argv[2]))
    except SemanticFaceError as error:
        print(json.dumps(to_wire(error)), file=sys.stderr)
        sys.exit(1)


if __name__ == "__main__":
    main()
