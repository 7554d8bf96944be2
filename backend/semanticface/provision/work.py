"""The steps of an installation, one after another, each of which may be done twice without harm.

    CHECK -> PYTHON -> VENV -> PIP -> PACKAGES -> VERIFY -> REGISTER -> MODEL -> TIDY

An environment is made beside the one in force, which stays in force until the new one has been tried out; so a failure
leaves what worked before. An interrupted one is marked as begun and is gone on with. What each step says goes
through the reporter; what it runs is in `packages`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from semanticface.errors import BackendError
from semanticface.provision import packages, places
from semanticface.provision.order import Order, Work
from semanticface.provision.places import Environment
from semanticface.provision.progress import Progress, Step
from semanticface.provision.pythons import Kind, choose_python
from semanticface.provision.report import Reporter
from semanticface.provision.trouble import Cause, ProvisionError, from_os_error

ROOM = {"backend": 900_000_000, "mllm": 2_500_000_000}
"""Bytes for an extra while it is installed. Measured on Linux, Python 3.11: the extra `backend` takes 446 MB when it
is there, and its wheels 140 MB on the way. PyTorch for a card brings CUDA's libraries along, except on a Mac."""
CUDA_ROOM = 8_000_000_000


def carry_out(order: Order, report: Reporter) -> Progress:
    """Do it; returns how it ended, which is written down as well. Raises nothing of ours."""
    steps: dict[Work, Callable[[Order, Reporter], None]] = {
        Work.INSTALL: _install,
        Work.REPAIR: _install,
        Work.MODEL: _model_alone,
        Work.REMOVE: _remove,
    }
    try:
        steps[order.work](order, report)
    except ProvisionError as error:
        return report.fail(error)
    except BackendError as error:  # a file of ours that can't be written
        return report.fail(ProvisionError(Cause.NOT_WRITABLE, error.message))
    except OSError as error:
        return report.fail(from_os_error(error, report.progress.step.label))
    except KeyboardInterrupt:
        return report.fail(ProvisionError(Cause.CANCELLED, "cancelled"))
    return report.done()


def room_for(order: Order) -> int:
    """Bytes that must be free."""
    if order.room is not None:
        return order.room
    cards = CUDA_ROOM if "mllm" in order.extras and sys.platform != "darwin" else 0
    return sum(ROOM.get(extra, 100_000_000) for extra in order.extras) + cards


def _install(order: Order, report: Reporter) -> None:
    report.step(Step.CHECK)
    base = _checked(order)
    begun = places.environments(base)
    current = places.in_force()
    if order.work is Work.INSTALL and current is not None and _serves(current, order, report):
        report.remark(f"the environment in {current.folder} is whole and right: nothing was installed")
        places.put_in_force(current)
        _model(order, report, current)
        return
    unfinished = [place for place in begun if _goes_on(place, order)]
    try:
        _make(order, report, unfinished[-1] if unfinished else None, base)
    except _StartOver:
        places.remove_tree(unfinished[-1].folder, "removing an environment that can't be gone on with")
        _make(order, report, None, base)


class _StartOver(Exception):
    """What was there of an interrupted environment is no good."""


def _checked(order: Order) -> Path:
    base = order.folder.expanduser().absolute()
    places.refuse_host_folders(base, order.keep_out)
    if order.wheels is None and not order.online:
        text = "packages would have to be fetched, and the network may not be used"
        raise ProvisionError(Cause.NOT_ALLOWED, text)
    if order.wheels is not None and not any(order.wheels.glob("*.whl")):
        raise ProvisionError(
            Cause.WHEEL_MISSING, f"{order.wheels} holds no wheels", "choose the folder that holds them"
        )
    if order.package is not None and not order.package.is_file():
        raise ProvisionError(Cause.WHEEL_MISSING, f"{order.package} is not there", "install the extension anew")
    places.require_writable(base)
    places.require_room(base, room_for(order))
    return base


def _serves(current: Environment, order: Order, report: Reporter) -> bool:
    """Whether what is in force is what is wanted, and runs."""
    if not current.whole or current.version != order.version or not set(order.extras) <= set(current.extras):
        return False
    if current.folder.parent != order.folder.expanduser().absolute():
        return False
    report.step(Step.VERIFY)
    return not packages.faults(current, report)


def _goes_on(place: Environment, order: Order) -> bool:
    return not place.whole and place.version == order.version and place.extras == order.extras


def _make(order: Order, report: Reporter, begun: Environment | None, base: Path) -> None:
    """A whole environment, put in force. Raises _StartOver when `begun` is no good."""
    if begun is None or not packages.runs(begun, report):
        if begun is not None:
            raise _StartOver
        begun = _new_environment(order, report, base)
    else:
        report.remark(f"went on with the interrupted environment in {begun.folder}")
    report.step(Step.PIP)
    packages.prepare_pip(begun, order, report)
    report.step(Step.PACKAGES)
    packages.install(begun, order, report)
    report.step(Step.VERIFY)
    fault = packages.faults(begun, report)
    if fault:
        raise ProvisionError(Cause.UNUSABLE, f"the packages are there and don't work: {fault}")
    report.step(Step.REGISTER)
    whole = replace(begun, whole=True)
    places.write_mark(whole)
    places.put_in_force(whole)
    _model(order, report, whole)
    _tidy(base, whole, report)


def _new_environment(order: Order, report: Reporter, base: Path) -> Environment:
    report.step(Step.PYTHON)
    python = choose_python(order.python, order.keep_out, order.online and order.wheels is None, report.watch)
    if python.kind is Kind.HOST:
        report.remark(f"made with the host's own {python.name}: it works as long as that program stays where it is")
    folder = places.new_folder(base, order.version)
    report.step(Step.VENV, f"{python.name} in {folder}")
    folder.mkdir()
    begun = Environment(folder, False, order.version, order.extras)
    places.write_mark(begun)
    packages.make_venv(python.path, folder, report)
    return begun


def _model(order: Order, report: Reporter, environment: Environment) -> None:
    """Without the model the environment is whole all the same; so a failure is a remark."""
    report.step(Step.MODEL)
    try:
        packages.get_model(environment.python, order, report)
    except ProvisionError as error:
        if error.cause is Cause.CANCELLED:
            raise
        report.remark(str(error))


def _model_alone(order: Order, report: Reporter) -> None:
    report.step(Step.MODEL)
    python = Path(order.python) if order.python else None
    current = places.in_force()
    if python is None and current is not None:
        python = current.python
    if python is None:
        raise ProvisionError(Cause.MODEL, "there is no environment of the backend yet", "install the backend first")
    packages.get_model(python, order, report)


def _tidy(base: Path, keep: Environment, report: Reporter) -> None:
    """Remove older environments, unless a backend may still run from one."""
    report.step(Step.TIDY)
    others = [place for place in places.environments(base) if place.folder != keep.folder]
    if others and places.backend_lives():
        report.remark("a backend still runs from the old environment, which is removed next time: restart the backend")
        return
    for place in others:
        report.step(Step.TIDY, f"removing {place.folder.name}")
        try:
            places.remove_tree(place.folder, f"removing {place.folder}")
        except ProvisionError as error:
            report.remark(f"{error.message}: it is removed next time")


def _remove(order: Order, report: Reporter) -> None:
    report.step(Step.CHECK)
    pid = places.backend_lives()
    if pid:
        raise ProvisionError(Cause.BACKEND_RUNS, f"a backend runs, process {pid}")
    base = order.folder.expanduser().absolute()
    found = places.environments(base)
    report.step(Step.TIDY)
    places.forget([place.folder for place in found])
    for place in found:
        report.step(Step.TIDY, f"removing {place.folder.name}")
        places.remove_tree(place.folder, f"removing {place.folder}")
    if base.is_dir() and not any(base.iterdir()):
        base.rmdir()
