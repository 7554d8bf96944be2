"""Who a process is: its number together with its start time, and how a child is cut loose from its parent.

A process number alone is recycled by the system, so nothing here or above it ever acts on a bare number.
Standard library only, because add-ons load it inside their host. This module knows nothing of run files,
sockets or the backend.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

# Set by a host for its own Python and its own plug-ins; in a child they would load the wrong modules.
_HOST_VARIABLES = frozenset({"PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "PYTHONEXECUTABLE", "PYTHONNOUSERSITE"})
_HOST_PREFIXES = ("BLENDER_", "UE_", "__PYVENV_LAUNCHER__")


def start_time(pid: int) -> float | None:
    """Seconds at which this living process started, counted from an origin that is fixed until the next boot.

    Compare it only with another value of this function. None when there is no such process, when it has ended
    and only waits for its parent (a zombie), or when the system doesn't tell. Sources: field 22 of
    /proc/PID/stat (proc(5)), GetProcessTimes on Windows, proc_pidinfo(PROC_PIDTBSDINFO) on macOS.
    """
    if pid <= 0:
        return None
    if sys.platform == "win32":
        return _windows_start(pid)
    if sys.platform == "darwin":
        return _mac_start(pid)
    return _linux_start(pid)


def is_alive(pid: int, started: float | None) -> bool:
    """True when this process lives and is the one that started then. Without a start time only the number counts."""
    now = start_time(pid)
    if started is None:
        return now is not None or _answers_signal_zero(pid)
    return now is not None and abs(now - started) < 0.05


def host_name() -> str:
    """This machine's name, for telling a home folder that several machines share."""
    return os.environ.get("COMPUTERNAME", "") if sys.platform == "win32" else os.uname().nodename


def terminate(pid: int, started: float) -> bool:
    """Ask this very process to end; False, and nothing done, when number and start time don't belong together."""
    if not is_alive(pid, started):
        return False
    try:
        os.kill(pid, signal.SIGTERM)
    except OSError:
        return False
    return True


def child_environment(parent: Mapping[str, str]) -> dict[str, str]:
    """The parent's environment without what its host set for the Python inside it."""
    return {
        name: value
        for name, value in parent.items()
        if name.upper() not in _HOST_VARIABLES and not name.upper().startswith(_HOST_PREFIXES)
    }


def detached() -> dict[str, Any]:
    """Arguments of `subprocess.Popen` for a child that outlives its parent, its console and its Ctrl-C."""
    if sys.platform == "win32":
        # CREATE_NO_WINDOW | CREATE_NEW_PROCESS_GROUP; numbers, because other systems lack the names.
        return {"creationflags": 0x08000000 | 0x00000200}
    return {"start_new_session": True}


def try_lock(file: IO[bytes]) -> bool:
    """Take the system's lock on an open file, without waiting; it is free again when the file closes or we end."""
    try:
        if sys.platform == "win32":
            import msvcrt

            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _answers_signal_zero(pid: int) -> bool:
    if sys.platform == "win32" or pid <= 0:  # signal 0 would end a process there
        return False
    try:
        os.kill(pid, 0)
    except PermissionError:
        return True
    except OSError:
        return False
    return True


def _linux_start(pid: int) -> float | None:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", "replace")
        fields = stat[stat.rindex(")") + 2 :].split()  # the name before it may hold spaces and brackets
        if fields[0] in "ZX":
            return None
        return int(fields[19]) / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError):
        return None


def _windows_start(pid: int) -> float | None:
    import ctypes
    from ctypes import wintypes

    kernel: Any = ctypes.WinDLL("kernel32", use_last_error=True)  # type: ignore[attr-defined,unused-ignore]
    kernel.OpenProcess.restype = wintypes.HANDLE
    kernel.GetExitCodeProcess.argtypes = (wintypes.HANDLE, ctypes.POINTER(wintypes.DWORD))
    kernel.GetProcessTimes.argtypes = (wintypes.HANDLE, *[ctypes.POINTER(wintypes.FILETIME)] * 4)
    kernel.CloseHandle.argtypes = (wintypes.HANDLE,)
    handle = kernel.OpenProcess(0x1000, False, wintypes.DWORD(pid))  # PROCESS_QUERY_LIMITED_INFORMATION
    if not handle:
        return None
    try:
        code, times = wintypes.DWORD(), [wintypes.FILETIME() for _ in range(4)]
        if not kernel.GetExitCodeProcess(handle, ctypes.byref(code)) or code.value != 259:  # STILL_ACTIVE
            return None
        if not kernel.GetProcessTimes(handle, *map(ctypes.byref, times)):
            return None
        return float((times[0].dwHighDateTime << 32) | times[0].dwLowDateTime) / 1e7
    finally:
        kernel.CloseHandle(handle)


def _mac_start(pid: int) -> float | None:
    import ctypes
    import struct

    buffer = ctypes.create_string_buffer(136)  # struct proc_bsdinfo of <sys/proc_info.h>
    library = ctypes.CDLL("/usr/lib/libproc.dylib")
    if library.proc_pidinfo(pid, 3, ctypes.c_uint64(0), buffer, 136) != 136:
        return None
    if struct.unpack_from("=I", buffer.raw, 4)[0] == 5:  # pbi_status SZOMB
        return None
    seconds, micros = struct.unpack_from("=QQ", buffer.raw, 120)
    return float(seconds) + float(micros) / 1e6
