"""Unreal runs this when the plugin loads. All that can go wrong is said in one line of the log.

Nothing here needs a newer Python than the oldest that Unreal 5 has, so that it can say so.
"""


def _start() -> None:
    try:
        _find_libraries()
        from semanticface_unreal.editor import startup

        startup.start()
    except Exception as error:
        _complain(error)


def _find_libraries() -> None:
    """Where the engine hasn't put the folder of this platform's libraries on the path: Epic's documentation and the
    engine's source differ on which folder that is."""
    import sys
    from importlib.util import find_spec
    from pathlib import Path

    if find_spec("zmq") is None:
        rooms = find_spec("semanticface_unreal")
        platform = {"win32": "Win64", "darwin": "Mac"}.get(sys.platform, "Linux")
        if rooms is not None and rooms.origin is not None:
            sys.path.append(str(Path(rooms.origin).parents[1] / "Lib" / platform / "site-packages"))


def _complain(error: Exception) -> None:
    import sys

    what = f"{type(error).__name__}: {error}"
    if sys.version_info < (3, 11):  # noqa: UP036 - what Unreal 5.0 to 5.3 have
        what = f"Unreal 5.4 or later is needed, with Python 3.11; this is {sys.version.split()[0]}"
    elif isinstance(error, ImportError):
        what += "; the plugin's files are not whole: install it again from its zip"
    sys.stderr.write(f"SemanticFace can't start: {what}\n")


_start()
