"""Model files on disk: found where they should be, refused when they are wrong, imported without a network."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys

import pytest

from semanticface import assets
from semanticface.assets import registry, store
from semanticface.errors import AssetError

CONTENT = b"model" * 1000
TINY = assets.Asset("tiny", "1", "tiny.bin", 5000, hashlib.sha256(CONTENT).hexdigest(), "CC0-1.0", "a test", ())


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMANTICFACE_HOME", str(tmp_path / "home"))
    monkeypatch.delenv(assets.MODELS_VARIABLE, raising=False)
    monkeypatch.setattr(registry, "_ASSETS", (TINY,))


def test_the_landmark_bundle_is_pinned():
    asset = assets.FACE_LANDMARKER
    assert (asset.size, asset.sha256[:8], asset.licence) == (3_758_596, "64184e22", "Apache-2.0")
    assert [type(source) for source in asset.sources] == [assets.UrlSource, assets.WheelSource]


def test_an_unknown_name_lists_the_known_ones():
    assert assets.find_asset("tiny.bin") is TINY
    with pytest.raises(AssetError, match="tiny"):
        assets.find_asset("large")


def test_a_missing_file_names_the_two_ways_to_get_it():
    assert assets.locate(TINY) is None
    with pytest.raises(AssetError) as caught:
        assets.verify(TINY)
    assert "pull tiny" in caught.value.hint
    assert "import" in caught.value.hint


def test_a_studio_folder_is_searched_first_and_not_written(tmp_path, monkeypatch):
    assets_home = store.home_of(TINY)
    assets_home.parent.mkdir(parents=True)
    assets_home.write_bytes(CONTENT)
    studio = tmp_path / "studio"
    studio.mkdir()
    (studio / "tiny.bin").write_bytes(CONTENT)
    monkeypatch.setenv(assets.MODELS_VARIABLE, os.pathsep.join([str(tmp_path / "absent"), str(studio)]))
    assert assets.locate(TINY) == studio / "tiny.bin"
    assert sorted(file.name for file in studio.iterdir()) == ["tiny.bin"]


def test_a_damaged_copy_is_named_and_a_later_good_one_is_used(tmp_path, monkeypatch):
    (tmp_path / "tiny.bin").write_bytes(b"?" + CONTENT[1:])
    monkeypatch.setenv(assets.MODELS_VARIABLE, str(tmp_path))
    with pytest.raises(AssetError, match="SHA-256"):
        assets.verify(TINY)
    good = store.home_of(TINY)
    good.parent.mkdir(parents=True)
    good.write_bytes(CONTENT)
    assert assets.verify(TINY) == good
    assert [bool(copy.problem) for copy in assets.copies(TINY)] == [True, False]


@pytest.mark.parametrize("named", ["folder", "file"])
def test_import_recognises_a_file_by_its_content(tmp_path, named):
    folder = tmp_path / "stick"
    folder.mkdir()
    (folder / "renamed.bin").write_bytes(CONTENT)
    (folder / "other.txt").write_text("no model")
    source = folder if named == "folder" else folder / "renamed.bin"
    assert assets.import_file(source) == [store.home_of(TINY)]
    assert assets.verify(TINY).read_bytes() == CONTENT


def test_importing_the_installed_file_itself_keeps_it():
    target = store.home_of(TINY)
    target.parent.mkdir(parents=True)
    target.write_bytes(CONTENT)
    assert assets.import_file(target) == [target]
    assert target.read_bytes() == CONTENT


def test_import_refuses_what_is_no_model_and_says_what_would_be(tmp_path):
    wrong = tmp_path / "tiny.bin"
    wrong.write_bytes(CONTENT[:-1])
    with pytest.raises(AssetError, match="none of the known") as caught:
        assets.import_file(wrong)
    assert "5,000 bytes" in caught.value.hint
    with pytest.raises(AssetError, match="does not exist"):
        assets.import_file(tmp_path / "absent.bin")


def test_the_room_loads_nothing_heavy():
    code = "import sys, semanticface.assets; print(sorted({'numpy', 'cv2', 'ai_edge_litert'} & set(sys.modules)))"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"
