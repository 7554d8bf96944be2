"""Drawing a set: the same bytes whatever the number of processes, and after a kill in the middle."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semanticface.errors import AssetError, InputError, OptionsError
from semanticface_training.dataset.table import Dataset
from semanticface_training.synthetic.build import synthesize
from semanticface_training.synthetic.draw import Source
from semanticface_training.synthetic.plan import SetOptions
from semanticface_training.synthetic.sheet import write_sheet

ADDON = Path(__file__).parents[3] / "blender_addon"
SOURCE = Source(None, ADDON)
OPTIONS = SetOptions(
    train=6, val=2, test=2, per_identity=2, size=96, occluded=0.4, toon=0.3, mirror_pairs=1, favoured=("JawOpen",)
)
COMMAND = (
    "synthesize --train 6 --val 2 --test 2 --per-identity 2 --size 96 --occluded 0.4 --toon 0.3 --mirror-pairs 1"
    " --favour JawOpen --json"
)


def need_bpy():
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy module")


@pytest.fixture(scope="module")
def drawn(tmp_path_factory):
    need_bpy()
    with pytest.MonkeyPatch.context() as patch:
        without_card(patch)
        return synthesize(tmp_path_factory.mktemp("sets") / "one", OPTIONS, SOURCE)


def without_card(patch):
    """The dataset's card, which has tests of its own, takes longer than drawing so few pictures."""
    patch.setattr("semanticface_training.dataset.card.write_card", lambda *facts: None)


@pytest.mark.blender
def test_every_picture_of_the_set_is_there_with_its_row(drawn):
    drawn.check()
    assert [len(drawn.indices(split)) for split in ("train", "val", "test")] == [6, 2, 4]
    assert {(row.width, row.height) for row in drawn.rows} == {(96, 96)}
    assert all(row.sequence == row.subject for row in drawn.rows)
    assert len({row.image_sha256 for row in drawn.rows}) == 12
    assert drawn.header["made_from"]["sources"][0]["head"] == "demo"


@pytest.mark.slow
@pytest.mark.blender
def test_killed_in_the_middle_and_gone_on_with_two_processes_it_gives_the_same_bytes(drawn, tmp_path, monkeypatch):
    without_card(monkeypatch)
    out = tmp_path / "two"
    main = "from semanticface_training.cli import main; main()"
    run = subprocess.Popen([sys.executable, "-c", main, *COMMAND.split(), str(out)], stdout=subprocess.PIPE)
    try:
        wait_for_pictures(out, 2)
        run.send_signal(signal.SIGKILL)
    finally:
        run.kill()
        run.wait()
        run.stdout.close()
    left = settled_count(out)
    assert 2 <= left < 12
    seen = []
    again = synthesize(out, OPTIONS, SOURCE, processes=2, on_progress=seen.append)
    assert seen[0].done == left  # nothing that was there is drawn again
    assert (seen[-1].done, seen[-1].drawn) == (12, 12 - left)
    assert again.digest == drawn.digest
    assert {row.id: picture_digest(again, n) for n, row in enumerate(again.rows)} == {
        row.id: picture_digest(drawn, n) for n, row in enumerate(drawn.rows)
    }


def picture_digest(dataset, number):
    return hashlib.sha256(dataset.image_bytes(number)).hexdigest()


def wait_for_pictures(out, count):
    end = time.monotonic() + 100
    while len(list(out.glob("images/*/*.jpg"))) < count:
        assert time.monotonic() < end, "no pictures are drawn"
        time.sleep(0.01)


def settled_count(out):
    """Rows in the half-made set, once the drawing process has noticed that nobody waits for it."""
    counts = [-1, -2]
    end = time.monotonic() + 20
    while counts[-1] != counts[-2] and time.monotonic() < end:
        time.sleep(1.0)
        counts.append(sum(len(part.read_bytes().splitlines()) for part in out.glob("building/*.jsonl")))
    return counts[-1]


@pytest.mark.blender
def test_a_finished_set_is_not_drawn_again_and_not_mixed_with_another(drawn, tmp_path):
    seen = []
    assert synthesize(drawn.path, OPTIONS, SOURCE, on_progress=seen.append).digest == drawn.digest
    assert seen == []
    with pytest.raises(InputError, match="other sources or settings"):
        synthesize(drawn.path, SetOptions(train=1, val=0, test=0), SOURCE)


@pytest.mark.blender
def test_a_contact_sheet_shows_the_set(drawn, tmp_path):
    import cv2

    assert write_sheet(drawn, tmp_path / "sheet.png", tile=64) == 12
    assert cv2.imread(str(tmp_path / "sheet.png")).shape == (128, 512, 3)


@pytest.mark.blender
def test_a_head_file_that_is_none_is_told_by_name(tmp_path):
    need_bpy()
    wrong = tmp_path / "wrong.npz"
    wrong.write_bytes(b"not a head")
    with pytest.raises(AssetError, match=r"wrong\.npz"):
        synthesize(tmp_path / "set", SetOptions(train=1, val=0, test=0, size=64), Source(wrong, None))


def test_what_can_not_be_drawn_is_refused_before_anything_starts(tmp_path):
    with pytest.raises(OptionsError, match="nothing to draw"):
        synthesize(tmp_path / "a", SetOptions(train=0, val=0, test=0), SOURCE)
    with pytest.raises(AssetError, match="no head"):
        synthesize(tmp_path / "b", SetOptions(train=1), Source(None, tmp_path))
    with pytest.raises(AssetError, match=r"there is no file .*gone\.csv"):
        synthesize(tmp_path / "c", SetOptions(train=1), Source(None, ADDON, (tmp_path / "gone.csv",)))
    assert not list(tmp_path.iterdir())


def test_the_command_tells_of_its_errors_in_json(tmp_path):
    main = "from semanticface_training.cli import main; main()"
    arguments = ["synthesize", str(tmp_path / "set"), "--demo-head", str(tmp_path), "--json"]
    done = subprocess.run([sys.executable, "-c", main, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 5
    assert "no head" in json.loads(done.stdout.splitlines()[-1])["error"]["message"]


def test_a_half_made_set_can_not_be_opened_as_a_dataset(tmp_path):
    with pytest.raises(InputError, match="not a finished dataset"):
        Dataset.open(tmp_path)
