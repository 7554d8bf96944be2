"""The guide says what is so: settings, fields, arguments, menu entries, tags, and an example that can be run."""

from __future__ import annotations

import json
import re
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PYTHON = ROOT / "unreal_plugin" / "SemanticFace" / "Content" / "Python"
GUIDE = (ROOT / "docs" / "unreal.md").read_text("utf-8")


@pytest.fixture(autouse=True, scope="module")
def rooms() -> None:
    if str(PYTHON) not in sys.path:
        sys.path.append(str(PYTHON))


def section(title: str) -> str:
    """From a heading to the next one."""
    found = re.search(rf"^##+ {title}\n(.*?)(?=^## )", GUIDE, re.MULTILINE | re.DOTALL)
    assert found, title
    return found[1]


def first_cells(text: str) -> set[str]:
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    return {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])}


def test_every_setting_stands_in_the_table_with_its_default() -> None:
    from semanticface_unreal.settings import PREFIX, Settings

    text = section("Settings")
    assert first_cells(text) == {field.name for field in fields(Settings)}
    for value in (Settings().folder, Settings().naming, Settings().livelink, Settings().subject, PREFIX):
        assert f"`{value}`" in text
    assert f"{Settings().head_factor:.5f}" in text and f"| {Settings().budget:g} |" in text


def test_every_field_of_a_job_stands_in_the_table() -> None:
    from semanticface_unreal.batch.fields import READERS

    assert first_cells(section("The manifest")) == set(READERS)


def test_the_example_of_a_manifest_is_one(tmp_path: Path) -> None:
    from semanticface_unreal.batch.manifest import manifest_of

    example = re.search(r"```json\n(.*?)```", section("The manifest"), re.DOTALL)
    assert example
    (tmp_path / "calm.json").write_text(json.dumps({"format": "semanticface-recipe", "version": 1}))
    jobs = manifest_of(json.loads(example[1]), tmp_path / "shots.json").jobs
    assert [job.asset_name for job in jobs] == ["AS_sh010", "AS_sh020", "AS_sh030"]
    assert str(jobs[0].rate) == "24000/1001" and jobs[2].rate is None and jobs[2].head


def test_every_argument_of_the_farm_and_what_its_lines_look_like() -> None:
    from semanticface_unreal.batch.headless import parse
    from semanticface_unreal.batch.job import Stage
    from semanticface_unreal.batch.progress import JobProgress
    from semanticface_unreal.batch.summary import job_line

    from semanticface.errors import OptionsError

    text = section("On a farm")
    with pytest.raises(OptionsError) as refused:
        parse([])
    known = set(re.findall(r"--[a-z-]+", refused.value.hint)) - {"--help"}
    assert {name.split()[0] for name in first_cells(text) if name.startswith("--")} == known
    probed: Any = JobProgress("sh010", stage=Stage.PROBED, total=120)
    assert f"    {job_line(probed)}\n" in text


def test_every_entry_of_the_menu_is_explained() -> None:
    source = (PYTHON / "semanticface_unreal" / "editor" / "entries.py").read_text("utf-8")
    labels = set(re.findall(r'Item\("\w+", "([^"]+)"', source)) | {"Preview on Live Link"}
    text = section("The menu")
    assert len(labels) > 12
    assert {label for label in labels if label not in text} == set()


def test_every_tag_is_named() -> None:
    text = section("What is written")
    for room in ("writing/tags.py", "batch/stages.py", "ports.py"):
        source = (PYTHON / "semanticface_unreal" / room).read_text("utf-8")
        for name in re.findall(r'^[A-Z_]+ = (?:PREFIX \+ "|"SemanticFace\.)(\w+)"', source, re.MULTILINE):
            assert f".{name}`" in text, name


def test_links_lead_somewhere() -> None:
    for file, anchor in re.findall(r"\]\(([\w.-]*)(?:#([\w-]+))?\)", GUIDE):
        place = ROOT / "docs" / file if file else ROOT / "docs" / "unreal.md"
        assert place.is_file(), file
        heads = re.findall(r"^#+ (.*)$", place.read_text("utf-8"), re.MULTILINE)
        anchors = {re.sub(r"[^\w -]", "", head).lower().replace(" ", "-") for head in heads}
        assert not anchor or anchor in anchors, f"{file}#{anchor}"
