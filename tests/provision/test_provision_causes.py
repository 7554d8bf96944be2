"""Every failure of pip and of the system is known by its name, and each says what to do: real pip, real wheels."""

from __future__ import annotations

import io
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from provision_kit import Index, index, libraries, package, wheel, wheels

from semanticface.provision import packages
from semanticface.provision.order import Order
from semanticface.provision.places import Environment
from semanticface.provision.report import Reporter
from semanticface.provision.trouble import HINTS, Cause, ProvisionError, diagnose, from_os_error


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("environment") / "0.1.0-1"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True, capture_output=True)
    return Environment(folder, False, "0.1.0", ("backend",))


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, plain_pip: None) -> Iterator[Index]:
    with index(wheels(tmp_path / "served")) as found:
        monkeypatch.setenv("PIP_INDEX_URL", f"{found.url}/simple")
        yield found


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """pip gives a dead connection up at once."""
    monkeypatch.setattr(packages, "RETRIES", "0")
    monkeypatch.setattr(packages, "ANSWER_SECONDS", "3")


def refused(environment: Environment, order: Order) -> ProvisionError:
    log = io.StringIO()
    with pytest.raises(ProvisionError) as caught:
        packages.install(environment, order, Reporter(order, log))
    assert caught.value.hint, "each failure says what to do"
    assert "# installing the packages" in log.getvalue()
    return caught.value


def from_folder(folder: Path) -> Order:
    return Order(wheels=folder, folder=folder.parent / "made")


def test_a_folder_without_a_dependency_names_the_package(home: Path, tmp_path: Path, environment: Environment) -> None:
    package(tmp_path / "wheels")
    error = refused(environment, from_folder(tmp_path / "wheels"))
    assert error.cause is Cause.WHEEL_MISSING
    assert "tinylibs" in error.message


def test_a_wheel_for_another_system_counts_as_missing(home: Path, tmp_path: Path, environment: Environment) -> None:
    package(tmp_path / "wheels")
    wheel(tmp_path / "wheels", "tinylibs", "1.0", {}, tag="cp27-cp27m-win32")
    assert refused(environment, from_folder(tmp_path / "wheels")).cause is Cause.WHEEL_MISSING


@pytest.mark.parametrize("damage", ["cut", "rubbish"])
def test_a_damaged_wheel_is_known_as_such(home: Path, tmp_path: Path, environment: Environment, damage: str) -> None:
    package(tmp_path / "wheels")
    file = libraries(tmp_path / "wheels")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if damage == "cut" else b"no zip at all")
    error = refused(environment, from_folder(tmp_path / "wheels"))
    assert error.cause is Cause.WHEEL_BROKEN, error
    assert "tinylibs" in error.message


def test_wheels_that_do_not_fit_together_are_a_conflict(home: Path, tmp_path: Path, environment: Environment) -> None:
    package(tmp_path / "wheels", needs="tinylibs>=1")
    libraries(tmp_path / "wheels")
    wheel(tmp_path / "wheels", "other", "1.0", {}, ["tinylibs<1"])
    both = wheel(tmp_path / "wheels", "semanticface", "0.1.0", {}, ["tinylibs>=1", "other"])
    assert both.exists()
    assert refused(environment, from_folder(tmp_path / "wheels")).cause is Cause.CONFLICT


def test_a_disk_that_fills_up_meanwhile_is_said(home: Path, tmp_path: Path, environment: Environment) -> None:
    package(tmp_path / "wheels")
    libraries(tmp_path / "wheels", extra={"numpy/large.bin": b"0" * 4_000_000})
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))  # no file may grow past it, as on a full disk
    try:
        error = refused(environment, from_folder(tmp_path / "wheels"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert error.cause is Cause.DISK_FULL, error


@pytest.mark.usefixtures("plain_pip", "quick")
def test_no_network_is_said_and_the_way_without_one(home: Path, tmp_path: Path, environment: Environment) -> None:
    error = refused(environment, Order(online=True, package=package(tmp_path)))
    assert error.cause is Cause.NO_NETWORK, error
    assert "folder of wheels" in error.hint


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("status", [401, 403])
def test_an_index_that_refuses_is_told_from_a_missing_package(
    home: Path, tmp_path: Path, environment: Environment, served: Index, status: int
) -> None:
    served.status = status
    assert refused(environment, Order(online=True, package=package(tmp_path))).cause is Cause.INDEX_REFUSED
    assert served.asked


@pytest.mark.usefixtures("quick")
def test_a_proxy_that_refuses_is_said(
    home: Path, tmp_path: Path, environment: Environment, served: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.status = 407
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.invalid/simple")
    monkeypatch.setenv("https_proxy", served.url)
    assert refused(environment, Order(online=True, package=package(tmp_path))).cause is Cause.PROXY


@pytest.mark.usefixtures("quick")
def test_a_download_that_is_cut_off_is_not_taken_for_a_missing_package(
    home: Path, tmp_path: Path, environment: Environment, served: Index
) -> None:
    served.cut = True
    error = refused(environment, Order(online=True, package=package(tmp_path)))
    assert error.cause in {Cause.WHEEL_BROKEN, Cause.NO_NETWORK}, error


PRINTED = (
    (Cause.DISK_FULL, "OSError: [WinError 112] There is not enough space on the disk"),
    (Cause.DISK_FULL, "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device"),
    (Cause.FILES_HELD, "[WinError 32] The process cannot access the file: it is being used by another process"),
    (Cause.NOT_WRITABLE, "ERROR: Could not install packages due to an OSError: [WinError 5] Access is denied"),
    (Cause.PATH_TOO_LONG, "HINT: This error might have occurred: no Windows Long Path support is enabled"),
    (Cause.CERTIFICATE, "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate'))"),
    (Cause.NO_VENV, "The virtual environment was not created successfully because ensurepip is not available."),
    (Cause.NO_PIP, "/x/bin/python: No module named pip"),
    (Cause.UNKNOWN, "something never seen"),
)


@pytest.mark.parametrize(("cause", "line"), PRINTED)
def test_what_other_systems_print_is_known_too(cause: Cause, line: str) -> None:
    error = diagnose(["Collecting numpy", line], "installing the packages")
    assert error.cause is cause
    assert line[:40] in error.message


def test_a_full_disk_is_seen_behind_what_it_broke() -> None:
    lines = [
        "ERROR: No matching distribution found for numpy",
        "zipfile.BadZipFile",
        "[Errno 28] No space left on device",
    ]
    assert diagnose(lines, "installing").cause is Cause.DISK_FULL


def test_every_cause_has_a_remedy() -> None:
    assert set(HINTS) == set(Cause)
    for cause in Cause:
        assert len(HINTS[cause].split()) >= 4
        assert str(ProvisionError(cause, "it failed")) == f"it failed ({HINTS[cause]})"


def test_file_errors_of_our_own_have_causes() -> None:
    assert from_os_error(PermissionError(13, "Permission denied", "/x"), "writing").cause is Cause.NOT_WRITABLE
    assert from_os_error(OSError(28, "No space left on device"), "writing").cause is Cause.DISK_FULL
    assert from_os_error(OSError(5, "Input/output error"), "writing").cause is Cause.UNKNOWN


def test_a_library_that_the_system_cannot_load_is_found_by_trying(
    home: Path, tmp_path: Path, environment: Environment
) -> None:
    package(tmp_path / "wheels")
    libraries(tmp_path / "wheels", broken="cv2")
    order = from_folder(tmp_path / "wheels")
    report = Reporter(order, io.StringIO())
    packages.install(environment, order, report)
    assert packages.faults(environment, report).startswith("cv2: ImportError: libGL.so.1")
