"""What Unreal's Live Link Face Importer will make of a CSV file: its subject's name, and the times it will misread.

The importer (an experimental plugin of Unreal) turns a CSV into a Level Sequence with a Live Link track. It takes the
subject from the file's name, and since some version before 5.8 guesses whether the timecode counts in thirtieths or
sixtieths of a second: where no row's last field exceeds 30, it takes thirtieths, although 60 is what the field counts
in. Rules as in Unreal's own source. This module knows nothing of takes and only of files that `livelink_csv` wrote.
"""

from __future__ import annotations

import re
from pathlib import Path

from semanticface.exchange.files import bounded_lines
from semanticface.exchange.livelink_csv import LONGEST_LINE, MOST_ROWS, TICKS_PER_SECOND, parse_timecode

_NO_OBJECT_NAME = re.compile(r"""["' ,/.:|&!~\n\r\t@#(){}\[\]=;^%$`\\*?<>]""")
"""What Unreal replaces by an underscore where a file becomes an asset."""
_SUFFIXES = ("_cal", "_raw", "_neutral")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)", re.ASCII)


def subject_of(path: Path) -> str:
    """The Live Link subject that the importer takes from a file named `<slate>_<take>_<subject>[_cal].csv`.

    Of a name with more than three parts it leaves out the first and all others up to the first number.
    """
    asset = subject = _NO_OBJECT_NAME.sub("_", path.stem)
    for suffix in _SUFFIXES:
        if subject.lower().endswith(suffix):
            subject = subject[: -len(suffix)]
    parts = subject.split("_")
    if len(parts) > 3:
        number = next((place for place, part in enumerate(parts) if place and _NUMBER.fullmatch(part)), len(parts))
        subject = "_".join(parts[number + 1 :]) or subject
    return subject or asset


def remarks_on(path: Path) -> tuple[str, ...]:
    """What somebody who imports the file should know. Raises ExchangeError when it can't be read."""
    rows = largest = 0
    last = -1
    back = False
    for number, line in bounded_lines(path, LONGEST_LINE, MOST_ROWS + 1):
        if number == 1:
            continue
        ticks = parse_timecode(line.split(",", 1)[0])
        rows, largest, back, last = rows + 1, max(largest, ticks % TICKS_PER_SECOND), back or ticks < last, ticks
    remarks = []
    if not rows:
        remarks.append("no row was written: Unreal imports such a file as an empty sequence")
    if 0 < largest <= TICKS_PER_SECOND // 2:
        remarks.append(
            "no row lies in the second half of a second: Unreal 5.8 and some versions before it take such a file for "
            "one that counts in thirtieths, and play it at half its speed; export with a --start in the second half"
        )
    if back:
        remarks.append(
            "the rows pass midnight: Unreal puts those after it at the beginning of the day; export with an earlier "
            "--start"
        )
    return tuple(remarks)
