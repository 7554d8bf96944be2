"""The page of a take: what it flags and shows, what it says when footage is gone, and what it never runs."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from report_kit import ANALYSIS, EVIL, plain, sequence, values, write_take

from semanticface.actions import CSV_ORDER
from semanticface.cli.output import ExitCode
from semanticface.cli.report import ReportRequest, run_report
from semanticface.curves.recipe import Recipe
from semanticface.curves.samples import samples_of
from semanticface.errors import InputError, OptionsError, TakeError
from semanticface.report.flags import Reason, flags_of
from semanticface.report.pictures import choose_frames
from semanticface.report.take import TakeOptions, packed, take_page
from semanticface.results import FrameResult, Status
from semanticface.take import read_take


class Elements(HTMLParser):
    """Tags with their attributes, the text of scripts, and all text that a reader sees."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.scripts: list[str] = []
        self.styles: list[str] = []
        self.text = ""
        self._inside = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, data: str) -> None:
        if self._inside == "script":
            self.scripts.append(data)
        elif self._inside == "style":
            self.styles.append(data)
        else:
            self.text += data

    def data(self) -> dict[str, object]:
        return dict(json.loads(self.scripts[0]))

    def count(self, tag: str) -> int:
        return sum(name == tag for name, _ in self.tags)


@pytest.fixture
def footage(tmp_path: Path) -> Path:
    return sequence(tmp_path / "footage", 30)


def test_frames_without_a_result_are_flagged_as_one_stretch_each(tmp_path: Path) -> None:
    special = {n: FrameResult(n, n / 24, Status.NO_FACE) for n in (5, 6, 7, 20)}
    special[9] = FrameResult(9, 9 / 24, Status.UNPARSEABLE, message="no JSON in the answer")
    take = read_take(write_take(tmp_path / "take", None, 30, special))
    flags = flags_of(take.results, samples_of(take.results, Fraction(24)))
    found = [(flag.reason, flag.first, flag.last, flag.frames) for flag in flags]
    assert found == [(Reason.NO_FACE, 5, 7, 3), (Reason.UNPARSEABLE, 9, 9, 1), (Reason.NO_FACE, 20, 20, 1)]
    assert flags[1].detail == "no JSON in the answer"


def test_spikes_doubt_and_words_that_the_numbers_contradict_are_flagged() -> None:
    results = [plain(frame, 30) for frame in range(30)]
    results[8] = replace(results[8], coefficients=values(8, 30) | {"MouthPucker": 0.9}, analysis=None)
    results[12] = replace(results[12], confidence=0.2)
    results[14] = replace(results[14], coefficients=values(14, 30) | {"EyeBlinkLeft": 0.9}, analysis=None)
    results[17] = replace(results[17], coefficients=values(17, 30) | {"CheekPuff": 1.4}, analysis=None)
    results[22] = replace(results[22], analysis=ANALYSIS, faces=2)
    flags = {(flag.reason, flag.at): flag for flag in flags_of(results, samples_of(results, Fraction(24)))}
    assert "MouthPucker" in flags[Reason.SPIKE, 8].detail
    assert (Reason.SPIKE, 14) not in flags, "a blink closes the eye for one frame"
    assert flags[Reason.UNSURE, 12].detail == "confidence 0.20"
    assert "CheekPuff" in flags[Reason.RANGE, 17].detail
    assert (Reason.TEXT, 22) in flags and (Reason.FACES, 22) in flags


def test_a_calm_take_has_no_flags_and_says_so(tmp_path: Path) -> None:
    made = take_page(read_take(write_take(tmp_path / "take", None, 30)), TakeOptions())
    assert made.flags == () and "None: every frame has a result" in made.html


def test_with_fewer_pictures_than_frames_flagged_ones_come_first_and_the_page_says_so(
    tmp_path: Path, footage: Path
) -> None:
    special = {17: FrameResult(17, 17 / 24, Status.NO_FACE)}
    take = read_take(write_take(tmp_path / "take", footage, 30, special))
    made = take_page(take, TakeOptions(pictures=12))
    page = Elements(made.html)
    shown = {int(n) for n in page.data()["pictures"]} | set(page.data()["sheet"])
    assert len(shown) == made.pictures == 12 and 17 in shown
    assert max(np.diff(sorted({*shown, 0, 29}))) <= 6, "the rest stands at even steps"
    assert any(note.startswith("12 of 30 frames are shown as pictures") for note in made.notes)
    assert len(page.data()["frames"]) == 30, "numbers are of all frames"


def test_important_frames_take_at_most_half_of_the_pictures() -> None:
    frames = list(range(1000))
    chosen = choose_frames(frames, list(range(500, 900)), 40)
    assert len(chosen) == 40 and sum(500 <= frame < 900 for frame in chosen) < 35
    assert choose_frames(frames[:30], [3], 40) == frames[:30]
    assert choose_frames(frames, [3], 0) == []


def test_footage_that_is_gone_is_said_and_the_page_goes_on_without_pictures(tmp_path: Path, footage: Path) -> None:
    take = write_take(tmp_path / "take", footage, 30)
    shutil.move(footage, tmp_path / "elsewhere")
    made = take_page(read_take(take), TakeOptions())
    assert made.pictures == 0 and "footage/shot_####.png can't be read where the take has it" in made.notes[0]
    assert str(tmp_path) not in made.html, "a page that is passed on names no folders"
    assert Elements(made.html).count("img") == 0
    again = take_page(read_take(take), TakeOptions(footage=str(tmp_path / "elsewhere")))
    assert again.pictures == 30
    with pytest.raises(InputError, match="no such"):
        take_page(read_take(take), TakeOptions(footage=str(tmp_path / "nowhere")))


def test_messages_name_files_and_no_folders(tmp_path: Path) -> None:
    secret = sequence(tmp_path / "a secret show", 30)
    lost = {4: FrameResult(4, 0.1, Status.UNREADABLE, message=f"{secret}/shot_0004.png: can't be decoded"),
            6: FrameResult(6, 0.2, Status.FAILED, message="/home/ann.smith/cache/model.bin is gone")}  # fmt: skip
    made = take_page(read_take(write_take(tmp_path / "take", secret, 30, lost)), TakeOptions())
    assert [flag.detail for flag in made.flags] == [
        "a secret show/shot_0004.png: can't be decoded",
        "…/model.bin is gone",
    ]
    assert str(tmp_path) not in made.html and "ann.smith" not in made.html


def test_a_hole_in_the_footage_costs_its_picture_alone(tmp_path: Path, footage: Path) -> None:
    (footage / "shot_0004.png").unlink()
    (footage / "shot_0011.png").write_bytes(b"no picture")
    made = take_page(read_take(write_take(tmp_path / "take", footage, 30)), TakeOptions())
    assert made.pictures == 28
    assert "2 of 30 pictures can't be read from the footage (frames 4, 11)." in made.notes


def test_pictures_of_other_footage_are_told_apart_by_content(tmp_path: Path, footage: Path) -> None:
    take = read_take(write_take(tmp_path / "take", footage, 30))
    other = replace(take, header=replace(take.header, source={**take.header.source, "content": "0" * 64}))
    made = take_page(other, TakeOptions(footage=str(footage)))
    assert any("other footage" in note for note in made.notes)


def test_what_models_and_names_say_is_shown_and_never_markup(tmp_path: Path) -> None:
    analysis = replace(ANALYSIS, expression_category=EVIL, muscle_movements={EVIL: EVIL}, symmetry=EVIL)
    special = {
        3: replace(plain(3, 30), analysis=analysis, message=EVIL),
        4: FrameResult(4, 0.1, Status.FAILED, message=EVIL),
    }
    name = EVIL.replace("/", "")
    take = read_take(write_take(tmp_path / name, None, 30, special))
    header = replace(take.header, engine={"name": EVIL, "model": EVIL}, timecode=EVIL, created=EVIL)
    source = {"kind": "video", "path": f"/x/{EVIL}", "width": EVIL, "height": EVIL}
    made = take_page(
        replace(take, header=replace(header, source=source)), TakeOptions(recipe=Recipe(), recipe_name=EVIL)
    )
    plain_page = take_page(read_take(write_take(tmp_path / "calm", None, 30)), TakeOptions())
    page, calm = Elements(made.html), Elements(plain_page.html)
    assert page.count("script") == calm.count("script") == 2
    assert page.count("img") == 0
    assert not any(key.startswith("on") for _, attributes in page.tags for key in attributes)
    assert EVIL in page.text and page.data()["messages"][3] == EVIL


def test_the_page_names_no_address_and_allows_only_its_own_script(tmp_path: Path, footage: Path) -> None:
    page = Elements(take_page(read_take(write_take(tmp_path / "take", footage, 30)), TakeOptions()).html)
    for _, attributes in page.tags:
        for key in ("src", "href", "action", "poster", "data", "srcset"):
            assert (attributes.get(key) or "data:").startswith(("data:", "#")), attributes
    names = set(re.findall(r"https?://[^\"' ]+", "".join(page.scripts[1:] + page.styles)))
    assert names == {"http://www.w3.org/2000/svg"}, "the name of a language, which nothing fetches"
    assert not re.search(r"url\((?!#|`?#)", "".join(page.styles)) and "@import" not in "".join(page.styles)
    policy = next(
        attributes["content"] for tag, attributes in page.tags if tag == "meta" and "http-equiv" in attributes
    )
    assert policy is not None and policy.startswith("default-src 'none'; img-src data:;") and "unsafe" not in policy
    for text in (page.scripts[-1], page.styles[0]):
        assert f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" in policy


def test_packed_values_come_back_to_a_part_in_thirty_thousand_and_gaps_stay_gaps() -> None:
    given = np.random.default_rng(1).normal(size=(50, len(CSV_ORDER)))
    given[7] = np.nan
    sent = packed(given)
    whole = np.frombuffer(base64.b64decode(sent["data"]), "<i2").reshape(given.shape)
    back = np.where(whole == -32768, np.nan, whole * sent["step"])
    np.testing.assert_allclose(back, given, atol=np.nanmax(np.abs(given)) / 60_000)
    assert np.isnan(back[7]).all() and np.isfinite(back[:7]).all()


def test_a_recipe_draws_a_second_line_and_leaves_the_flags_to_the_raw_values(tmp_path: Path) -> None:
    special = {8: replace(plain(8, 30), coefficients=values(8, 30) | {"MouthPucker": 0.9}, analysis=None)}
    take = read_take(write_take(tmp_path / "take", None, 30, special))
    raw = take_page(take, TakeOptions())
    clean = take_page(take, TakeOptions(recipe=Recipe(smoothing=0.5, gain=0.5), recipe_name="calm.json"))
    assert "clean left" not in raw.html and "clean left" in clean.html and "calm.json" in clean.html
    assert raw.flags == clean.flags and raw.flags[0].reason is Reason.SPIKE
    assert Elements(raw.html).data()["clean"] is None and Elements(clean.html).data()["clean"] is not None


def test_stills_and_single_frames_have_a_page(tmp_path: Path) -> None:
    take = read_take(write_take(tmp_path / "take", None, 1))
    assert take_page(take, TakeOptions()).frames == 1
    stills = replace(
        take, header=replace(take.header, rate=None, timecode=""), results=(replace(plain(0, 2), time=None),)
    )
    assert "stills" in take_page(stills, TakeOptions()).html
    with pytest.raises(TakeError, match="no answer yet"):
        take_page(replace(take, results=()), TakeOptions())
    with pytest.raises(TakeError, match="none of the frames"):
        take_page(replace(take, results=(plain(5, 9),)), TakeOptions(frames="0-3"))


def test_an_unfinished_take_says_how_much_is_open(tmp_path: Path) -> None:
    take = read_take(write_take(tmp_path / "take", None, 30))
    open_ = replace(take, header=replace(take.header, frames=((0, 99, 1),)), damaged=(4,))
    notes = take_page(open_, TakeOptions()).notes
    assert "70 frames that were asked for have no answer yet: 30-99." in notes
    assert "1 damaged lines of the take were left out." in notes
    wrong = replace(take, header=replace(take.header, frames=((0, 99, 0),)))
    assert take_page(wrong, TakeOptions()).notes == (
        "The host sent its pictures one by one, so the take knows no footage to show.",
    )


def test_the_command_writes_the_page_beside_the_take(tmp_path: Path, footage: Path) -> None:
    take = write_take(tmp_path / "take", footage, 30, {3: FrameResult(3, 0.1, Status.NO_FACE)})
    command = [sys.executable, "-c", "from semanticface.cli import main; main()", "report", str(take)]
    done = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120)
    assert done.returncode == ExitCode.OK, done.stderr
    told = json.loads(done.stdout)
    page = tmp_path / "take.html"
    assert told["page"] == str(page) and told["bytes"] == page.stat().st_size
    assert (told["frames"], told["pictures"]) == (30, 30)
    assert told["flags"] == [{"reason": "no face", "first": 3, "last": 3, "worst": 3, "detail": ""}]
    with pytest.raises(OptionsError, match="outside 0 to 1000"):
        run_report(ReportRequest(take, None, "", "", None, 5000, False))
