"""The plugin's settings: what a project's file says, what the environment says over it, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from semanticface_unreal.batch.job import CurveNames
from semanticface_unreal.curve_set import Unsolved
from semanticface_unreal.settings import FILE_NAME, Settings, load, save

from semanticface.curves.recipe import Recipe
from semanticface.errors import InputError


def test_saved_settings_come_back(tmp_path: Path) -> None:
    chosen = Settings(folder="/Game/Shots", head=True, head_factor=50.0, unsolved=Unsolved.HOLD, rate="24000/1001")
    save(chosen, tmp_path / "SemanticFace")
    assert load(tmp_path / "SemanticFace", {}).settings == chosen


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load(tmp_path, {})
    assert loaded.settings == Settings()
    assert not loaded.troubles


def test_the_environment_holds_over_the_file_and_is_named(tmp_path: Path) -> None:
    save(Settings(folder="/Game/Mine", head=False), tmp_path)
    environment = {
        "SEMANTICFACE_UNREAL_FOLDER": "/Game/Studio", "SEMANTICFACE_UNREAL_HEAD": "yes",
        "SEMANTICFACE_BACKEND": "/opt/python",
    }  # fmt: skip
    loaded = load(tmp_path, environment)
    assert (loaded.settings.folder, loaded.settings.head, loaded.settings.backend) == (
        "/Game/Studio", True, "/opt/python",
    )  # fmt: skip
    assert loaded.own.folder == "/Game/Mine"
    assert loaded.forced == {
        "folder": "SEMANTICFACE_UNREAL_FOLDER", "head": "SEMANTICFACE_UNREAL_HEAD", "backend": "SEMANTICFACE_BACKEND",
    }  # fmt: skip


def test_one_bad_value_is_named_and_the_others_hold(tmp_path: Path) -> None:
    save(Settings(folder="/Game/Mine", smoothing=0.25), tmp_path)
    loaded = load(tmp_path, {"SEMANTICFACE_UNREAL_UNSOLVED": "guess", "SEMANTICFACE_UNREAL_AHEAD": "3"})
    assert (loaded.settings.folder, loaded.settings.smoothing, loaded.settings.ahead) == ("/Game/Mine", 0.25, 3)
    assert loaded.settings.unsolved is Unsolved.OMIT
    assert len(loaded.troubles) == 1
    assert "`unsolved` needs one of omit, hold, neutral" in loaded.troubles[0]


def test_a_damaged_file_is_named_and_the_defaults_hold(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_text('{"format": ')
    loaded = load(tmp_path, {})
    assert loaded.settings == Settings()
    assert FILE_NAME in loaded.troubles[0]


def test_fields_of_a_newer_version_are_left_out(tmp_path: Path) -> None:
    save(Settings(engine="landmarks"), tmp_path)
    data = json.loads((tmp_path / FILE_NAME).read_text())
    data["settings"]["invented_later"] = 7
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    loaded = load(tmp_path, {})
    assert loaded.settings.engine == "landmarks"
    assert not loaded.troubles


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("folder", "Game/Shots", "content path"),
        ("folder", "/Game/My Shots", "content path"),
        ("naming", "AS_shot", "{id}"),
        ("naming", "AS {id}", "can't"),
        ("rate", "fast", "frame rate"),
        ("tolerance", 0.0, "from 1e-05 to 1"),
        ("smoothing", "high", "from 0 to 1"),
        ("livelink", "", "address"),
        ("livelink", "127.0.0.1:99999", "port"),
        ("head", "perhaps", "true or false"),
        ("subject", " ", "name"),
    ],
)
def test_a_bad_value_is_refused_by_name(field: str, value: object, said: str) -> None:
    with pytest.raises(InputError, match=f"`{field}`") as refused:
        Settings(**{field: value})  # type: ignore[arg-type]
    assert said in str(refused.value)


def test_profile_names_need_a_profile() -> None:
    with pytest.raises(InputError, match="no `profile`"):
        Settings(names=CurveNames.PROFILE)


def test_a_profile_in_the_file_survives_another_bad_value(tmp_path: Path) -> None:
    save(Settings(names=CurveNames.PROFILE, profile="/rigs/hero.json"), tmp_path)
    data = json.loads((tmp_path / FILE_NAME).read_text())
    data["settings"]["ahead"] = "many"
    (tmp_path / FILE_NAME).write_text(json.dumps(data))
    loaded = load(tmp_path, {})
    assert loaded.settings.names is CurveNames.PROFILE
    assert len(loaded.troubles) == 1


def test_the_sliders_make_a_recipe_and_a_file_takes_their_place() -> None:
    recipe = Recipe.from_dict(Settings(smoothing=0.3, tolerance=0.02).recipe_data())
    assert (recipe.smoothing, recipe.reduction and recipe.reduction.tolerance) == (0.3, 0.02)
    assert Recipe.from_dict(Settings(reduce_keys=False).recipe_data()).reduction is None
    assert Settings(recipe="/a/recipe.json").recipe_data() == "/a/recipe.json"


def test_asset_names_hold_only_what_a_name_may() -> None:
    assert Settings(naming="AS_{id}_Face").asset_name("shot-010.v2") == "AS_shot_010_v2_Face"


def test_a_folder_that_cant_be_written_says_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "Saved").write_text("a file where the folder should be")
    with pytest.raises(InputError, match="Saved folder writable"):
        save(Settings(), tmp_path / "Saved" / "SemanticFace")


@pytest.mark.parametrize(("text", "address"), [("10.0.0.7", "10.0.0.7:11111"), ("[::1]:54", "[::1]:54")])
def test_the_preview_goes_to_host_and_port(text: str, address: str) -> None:
    assert Settings(livelink=text).livelink == address
