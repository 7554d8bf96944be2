"""The dataset on disk keeps what it was given, says when it was changed, and survives a kill."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pyarrow.parquet as pq
import pytest
from take_kit import coefficients, picture

from semanticface.actions import CSV_ORDER
from semanticface.errors import InputError, MediaError
from semanticface_training.dataset.table import Dataset, Row, Split, digest_of
from semanticface_training.dataset.writer import DatasetWriter, Meta, safe_name

META = Meta("synthetic", [{"seed": 7}], {"size": 64})


def png(number: int) -> bytes:
    return bytes(cv2.imencode(".png", picture(number))[1].tobytes())


def row(number: int, subject: str = "anna", **more: object) -> Row:
    split = more.pop("split", Split.TRAIN)
    return Row(take=subject, frame=number, subject=subject, split=split, coefficients=coefficients(number), **more)


def written(path: Path, count: int = 6) -> Dataset:
    with DatasetWriter(path, META) as writer:
        for number in range(count):
            writer.add(row(number), png(number))
        writer.skip("anna", 99, "no face in it")
        return writer.finish()


def test_values_come_back_to_the_last_bit_beyond_the_nominal_range(tmp_path: Path) -> None:
    given = coefficients(1) | {"JawOpen": 1.0432178974151611, "HeadYaw": -0.31415927410125732, "TongueOut": -1e-12}
    with DatasetWriter(tmp_path / "d", META) as writer:
        writer.add(Row("t", 3, "anna", Split.VAL, given, tags=("toon", "sweep:JawOpen"), script="Hello."), png(3))
        found = writer.finish()
    assert found.values.dtype == np.float32 and found.values.shape == (1, 61)
    assert found.values[0].tolist() == [float(np.float32(given[name])) for name in CSV_ORDER]
    assert dict(found.rows[0].coefficients) == {name: float(np.float32(given[name])) for name in CSV_ORDER}
    assert (found.rows[0].id, found.rows[0].tags, found.rows[0].script) == ("t/3", ("toon", "sweep:JawOpen"), "Hello.")
    assert (found.rows[0].width, found.rows[0].height, found.rows[0].sequence) == (192, 64, "t")
    assert found.indices("val") == [0] and found.indices(Split.TRAIN) == []


def test_the_table_has_the_promised_columns(tmp_path: Path) -> None:
    written(tmp_path / "d")
    schema = pq.read_schema(tmp_path / "d" / "frames.parquet")
    assert schema.names[-61:] == list(CSV_ORDER)
    assert {str(schema.field(name).type) for name in CSV_ORDER} == {"float"}
    assert {"id", "image", "image_sha256", "subject", "take", "frame", "time", "split"} <= set(schema.names[:-61])


def test_a_whole_dataset_passes_its_check(tmp_path: Path) -> None:
    found = written(tmp_path / "d")
    found.check()
    assert found.header["counts"]["dropped_because"] == {"no face in it": 1}
    assert not (tmp_path / "d" / "building").exists()


def test_the_digest_depends_on_values_pictures_ids_and_splits(tmp_path: Path) -> None:
    def digest(name: str, one: Row, image: bytes) -> str:
        with DatasetWriter(tmp_path / name, META) as writer:
            return digest_of([writer.add(one, image)])

    base = digest("a", row(1), png(1))
    assert digest("b", row(1), png(1)) == base
    others = [(row(2), png(1)), (row(1), png(2)), (row(1, split=Split.TEST), png(1)), (row(1, "ben"), png(1))]
    assert len({digest(f"c{n}", *other) for n, other in enumerate(others)} | {base}) == 5


def test_a_picture_that_went_is_named_with_its_row(tmp_path: Path) -> None:
    found = written(tmp_path / "d")
    found.image_path(4).unlink()
    with pytest.raises(MediaError, match=r"row anna/4: .*000004\.png can't be read"):
        found.check()


def test_a_picture_that_was_changed_is_named_with_its_row(tmp_path: Path) -> None:
    found = written(tmp_path / "d")
    found.image_path(2).write_bytes(png(3))
    with pytest.raises(MediaError, match=r"row anna/2: .*000002\.png is not the picture"):
        found.check()


def test_a_table_of_another_header_is_refused(tmp_path: Path) -> None:
    written(tmp_path / "d", 6)
    written(tmp_path / "e", 5)
    (tmp_path / "d" / "frames.parquet").write_bytes((tmp_path / "e" / "frames.parquet").read_bytes())
    with pytest.raises(InputError, match="has 5 rows"):
        Dataset.open(tmp_path / "d")


def test_a_subject_in_two_splits_is_never_finished(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", META) as writer:
        writer.add(row(1), png(1))
        writer.add(row(2, split=Split.TEST), png(2))
        with pytest.raises(
            InputError, match="subject 'anna' is in two splits: row anna/1 in train, row anna/2 in test"
        ):
            writer.finish()


def test_rows_of_a_killed_writer_are_there_when_it_goes_on(tmp_path: Path) -> None:
    """The last line is torn, as a kill in the middle of a write leaves it: that row is made again."""
    with DatasetWriter(tmp_path / "d", META) as writer:
        for number in range(4):
            writer.add(row(number), png(number))
    part = tmp_path / "d" / "building" / "all.jsonl"
    part.write_bytes(part.read_bytes()[:-50])
    with DatasetWriter(tmp_path / "d", META) as writer:
        assert sorted(writer.stored) == ["anna/0", "anna/1", "anna/2"]
        for number in (3, 4, 5):
            writer.add(row(number), png(number))
        writer.skip("anna", 99, "no face in it")
        resumed = writer.finish()
    assert resumed.digest == written(tmp_path / "whole").digest


def test_parts_of_several_writers_come_together_in_the_order_of_ids(tmp_path: Path) -> None:
    for part, subject in (("02", "ben"), ("01", "cleo"), ("03", "anna")):
        with DatasetWriter(tmp_path / "d", META, part) as writer:
            writer.add(row(11, subject), png(11))
            writer.add(row(2, subject), png(2))
    found = DatasetWriter(tmp_path / "d", META, "last").finish()
    assert [one.id for one in found.rows] == ["anna/2", "anna/11", "ben/2", "ben/11", "cleo/2", "cleo/11"]


def test_another_build_is_not_mixed_in(tmp_path: Path) -> None:
    with DatasetWriter(tmp_path / "d", META) as writer:
        writer.add(row(1), png(1))
    with pytest.raises(InputError, match="holds a dataset of other sources or settings"):
        DatasetWriter(tmp_path / "d", Meta("synthetic", [{"seed": 8}]))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("!")
    with pytest.raises(InputError, match="exists and is not a dataset"):
        DatasetWriter(tmp_path / "mine", META)


@pytest.mark.parametrize("name", ["../up", "a/b", "", "nul\0", "dot."])
def test_a_take_cant_name_a_place_outside(tmp_path: Path, name: str) -> None:
    with DatasetWriter(tmp_path / "d", META) as writer, pytest.raises(InputError, match="can't be a name on disk"):
        writer.add(Row(name, 1, "anna", Split.TRAIN, coefficients(1)), png(1))
    assert safe_name("../Ünder the/bridge") == "nder-the-bridge"


def test_a_table_that_points_outside_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa

    written(tmp_path / "d", 1)
    file = tmp_path / "d" / "frames.parquet"
    table = pq.read_table(file)
    place = table.schema.get_field_index("image")
    pq.write_table(table.set_column(place, "image", pa.array(["../secret.png"])), file)
    with pytest.raises(InputError, match="not a path inside the dataset"):
        Dataset.open(tmp_path / "d")


def test_the_card_tells_of_constant_channels(tmp_path: Path) -> None:
    written(tmp_path / "d")
    text = (tmp_path / "d" / "README.md").read_text()
    assert "Constant channels (they say nothing, and correlations over them don't exist): TongueOut, HeadYaw." in text
    assert "anna: no face in it: frames 99" in text and "| JawOpen | 0.000 |" in text
    assert cv2.imread(str(tmp_path / "d" / "card" / "histograms.png")).shape == (960, 1680, 3)
    assert json.loads((tmp_path / "d" / "dataset.json").read_text())["counts"]["splits"]["train"] == 6
