"""How the editor reads its command line: what becomes of `-script="file.py args"` on the way to `sys.argv`.

Pure text. It is apart from the fake editor because the ways in which arguments get lost here cost farms real nights:
the quoting rules are the engine's own, neither a shell's nor Python's.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

ESCAPES = {"\\": "\\", '"': '"', "'": "'", "n": "\n", "r": "\r", "t": "\t"}


def joined(arguments: Sequence[str]) -> str:
    """The one string that the engine makes of `argv[1:]` on Linux: what has a space is quoted after its first `=`.

    Quotes inside are left as they are, so those must come as `\\"`.
    """
    return " ".join(_requoted(argument) if " " in argument else argument for argument in arguments)


def _requoted(argument: str) -> str:
    at = argument.find("=") + 1 if argument.startswith("-") else 0
    return f'{argument[:at]}"{argument[at:]}"'


def value(line: str, key: str) -> str | None:
    """What stands behind `-key=`, unquoted; None where it isn't there. Keys don't differ by letter case."""
    at = line.lower().find(f"-{key.lower()}=")
    if at < 0:
        return None
    rest = line[at + len(key) + 2 :]
    return quoted(rest) if rest.startswith('"') else (token(rest) or ("", ""))[0]


def switch(line: str, key: str) -> bool:
    """Whether `-key` stands there by itself."""
    return f"-{key.lower()}" in line.lower().split()


def quoted(text: str) -> str:
    """The text between the quotes that `text` starts with; backslashes escape quotes and themselves."""
    result, at = [], 1
    while at < len(text) and text[at] != '"':
        if text[at] == "\\" and text[at + 1 : at + 2] in ESCAPES:
            result.append(ESCAPES[text[at + 1]])
            at += 2
        else:
            result.append(text[at])
            at += 1
    return "".join(result)


def token(text: str) -> tuple[str, str] | None:
    """The first word and what is left; None at the end. `"a b"` is one word without its quotes, in `--key="a b"` the
    quotes stay; no escapes."""
    text = text.lstrip()
    if not text:
        return None
    if text[0] == '"':
        end = text.find('"', 1)
        return (text[1:], "") if end < 0 else (text[1:end], text[end + 1 :])
    inside = False
    for at, letter in enumerate(text):
        if letter.isspace() and not inside:
            return text[:at], text[at:]
        inside ^= letter == '"'
    return text, ""


def tokens(text: str) -> list[str]:
    """All words of it: what becomes `sys.argv`."""
    words = []
    found = token(text)
    while found is not None:
        words.append(found[0])
        found = token(found[1])
    return words


def python_file(command: str) -> tuple[str, list[str]] | None:
    """The file and the `sys.argv` of a Python command, None for one that is code and no file.

    The file ends at the first `.py`, wherever that is; only white space or the closing quote may follow.
    """
    at = command.find(".py")
    if at < 0:
        return None
    end = at + len(".py")
    path, rest = command[:end], command[end:]
    if path.startswith('"'):
        path = path[1:]
        if not rest.lstrip().startswith('"'):
            return None
        rest = rest.lstrip()[1:]
    elif rest and not rest[0].isspace():
        return None
    return path, tokens(f'"{path}"{rest}')


def script_argument(script: Path, arguments: Sequence[str]) -> str:
    """`-script=...` for a list of arguments of a process, so that `script` sees exactly `arguments`.

    Raises ValueError for what can't be said: words with quotes, and a `.py` before the end of the script's path.
    """
    words = [str(script), *arguments]
    if len(words) == 1 and " " not in words[0]:
        return f"-script={script}"
    if any('"' in word for word in words) or ".py" in str(script)[:-3]:
        raise ValueError(f"the editor's command line can't carry {words}")
    return "-script=" + " ".join(f'\\"{word.replace(chr(92), chr(92) * 2)}\\"' for word in words)
