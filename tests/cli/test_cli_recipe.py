"""`semanticface export --recipe`: the same take, cleaned, in either format, with gaps as the recipe says."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.cli.export import run_export
from semanticface.cli.output import ExitCode
from semanticface.curves.recipe import GapPolicy, Neutral, Recipe
from semanticface.errors import InputError
from semanticface.exchange.jsonl import read_jsonl
from semanticface.exchange.livelink_csv import read_livelink_csv
from semanticface.results import FrameResult, Status
from semanticface.take import TakeHeader, TakeWriter


@pytest.fixture
def take(tmp_path: Path) -> Path:
    """40 frames at 30 a second, of which 20 and 21 have no face; JawOpen counts up in steps of 0.1."""
    folder = tmp_path / "take"
    header = TakeHeader(source={}, rate=Fraction(30), engine={"name": "mock"}, options={}, key="k")
    with TakeWriter(folder, header) as writer:
        for frame in range(40):
            if frame in (20, 21):
                writer.append(FrameResult(frame, frame / 30, Status.NO_FACE))
                continue
            face = dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": round(frame / 40, 1), "HeadYaw": 0.25}
            writer.append(FrameResult(frame, frame / 30, Status.OK, face))
    return folder


def written(path: Path, recipe: Recipe) -> Path:
    file = path / "recipe.json"
    file.write_text(recipe.to_json(), encoding="utf-8")
    return file


def export(take: Path, to: str, out: Path, recipe: Path | None) -> None:
    assert run_export(take, to, out, "skip", "", True, recipe) is ExitCode.OK


def test_a_csv_is_cleaned_and_its_gaps_are_filled_as_the_recipe_says(take, tmp_path):
    recipe = Recipe(smoothing=0.5, gaps=GapPolicy.INTERPOLATE, neutral=Neutral("A", {"HeadYaw": 0.25}))
    export(take, "livelink-csv", tmp_path / "out.csv", written(tmp_path, recipe))
    rows = read_livelink_csv(tmp_path / "out.csv").rows
    jaw = np.array([row.coefficients["JawOpen"] for row in rows])
    assert len(rows) == 40
    assert 0 < np.abs(np.diff(jaw)).max() < 0.06, "steps of 0.1 are gone"
    assert all(abs(row.coefficients["HeadYaw"]) < 1e-9 for row in rows)


def test_gaps_that_the_recipe_leaves_are_missing_rows(take, tmp_path, capsys):
    export(take, "livelink-csv", tmp_path / "out.csv", written(tmp_path, Recipe(gain=0.5)))
    assert len(read_livelink_csv(tmp_path / "out.csv").rows) == 38
    assert json.loads(capsys.readouterr().out)["gaps"] == [20, 21]


def test_json_lines_say_by_which_recipe_and_which_frames_were_filled(take, tmp_path):
    recipe = Recipe(gaps=GapPolicy.HOLD)
    export(take, "json", tmp_path / "out.jsonl", written(tmp_path, recipe))
    found = read_jsonl(tmp_path / "out.jsonl")
    assert Recipe.from_dict(found.meta["recipe"]) == recipe
    assert [r.message for r in found.results if r.message] == ["held: no_face", "held: no_face"]
    assert found.results[21].coefficients == found.results[19].coefficients


def test_without_a_recipe_the_raw_values_are_written(take, tmp_path):
    export(take, "json", tmp_path / "out.jsonl", None)
    found = read_jsonl(tmp_path / "out.jsonl")
    assert "recipe" not in found.meta
    assert found.results[20].coefficients is None and found.results[19].coefficients["JawOpen"] == 0.5


@pytest.mark.parametrize("text", ["{}", "nonsense", "\x00"])
def test_a_file_that_is_no_recipe_is_named_and_nothing_is_written(take, tmp_path, text):
    file = tmp_path / "rubbish.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=r"rubbish\.json"):
        run_export(take, "json", tmp_path / "out.jsonl", "skip", "", False, file)
    with pytest.raises(InputError, match="absent"):
        run_export(take, "json", tmp_path / "out.jsonl", "skip", "", False, tmp_path / "absent.json")
    assert not (tmp_path / "out.jsonl").exists()
