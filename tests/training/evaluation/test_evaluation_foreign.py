"""Other people's predictions: read by name, whole or refused with file, line and reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semanticface.actions import CSV_ORDER, UDP_ORDER
from semanticface.errors import InputError, OptionsError
from semanticface.results import FrameResult, Status
from semanticface_training.dataset.table import Dataset
from semanticface_training.evaluation.predict_foreign import ForeignPredictor
from semanticface_training.evaluation.store import Method, PredictionWriter

VALUES = {name: place / 100 for place, name in enumerate(CSV_ORDER)}


@pytest.fixture
def dataset(echoed: Dataset) -> Dataset:
    return echoed


def read(path: Path, dataset: Dataset, **options: object) -> dict[str, FrameResult]:
    found = ForeignPredictor.read("theirs", path, dataset, options)
    return {dataset.rows[index].id: answer for index, answer in found.predict(dataset, dataset.indices("test"))}


def lines(path: Path, *objects: object) -> Path:
    path.write_text("".join(f"{json.dumps(one)}\n" for one in objects), encoding="utf-8")
    return path


def table(path: Path, header: list[str], *rows: list[object]) -> Path:
    path.write_text("\n".join(",".join(map(str, row)) for row in (header, *rows)) + "\n", encoding="utf-8")
    return path


def test_columns_are_read_by_name_in_any_order_and_spelling(tmp_path: Path, dataset: Dataset) -> None:
    names = [name[0].lower() + name[1:] for name in UDP_ORDER]  # this order has left and right exchanged
    file = table(tmp_path / "x.csv", ["image", *names], ["t0/000002.png", *(VALUES[name] for name in UDP_ORDER)])
    found = read(file, dataset)
    assert list(found) == ["t0/2"] and found["t0/2"].coefficients == VALUES


@pytest.mark.parametrize("picture", ["images/t1/000003.png", "t1/000003.png", "/data/set/images/t1/000003.png"])
def test_a_picture_is_found_by_its_path_in_the_dataset(tmp_path: Path, dataset: Dataset, picture: str) -> None:
    file = lines(tmp_path / "x.jsonl", {"image": picture, "coefficients": VALUES})
    assert list(read(file, dataset)) == ["t1/3"]


def test_json_lines_tell_why_a_picture_has_no_answer(tmp_path: Path, dataset: Dataset) -> None:
    file = lines(
        tmp_path / "x.jsonl",
        {"id": "t0/0", "values": VALUES, "confidence": 0.5},
        {"id": "t0/1", "values": None, "status": "no_face", "message": "nobody"},
        {"id": "t0/3", "values": None},
        {"id": "train/0", "values": VALUES},
    )
    found = read(file, dataset)
    assert [one.status for one in found.values()] == [Status.OK, Status.NO_FACE, Status.FAILED]
    assert (found["t0/0"].confidence, found["t0/1"].message) == (0.5, "nobody")


def test_a_language_models_whole_answers_are_read_as_the_backend_reads_them(tmp_path: Path, dataset: Dataset) -> None:
    answer = "1. **Facial Expression Category**: a smile\n\n" + json.dumps(VALUES)
    file = lines(
        tmp_path / "x.jsonl",
        {"images": ["t0/000000.png"], "response": answer},
        {"images": [{"path": "t0/000001.png"}], "response": "I see a face."},
    )
    found = read(file, dataset)
    assert found["t0/0"].coefficients == VALUES
    assert found["t0/1"].status is Status.UNPARSEABLE and "no JSON object" in found["t0/1"].message


def test_the_folder_of_an_evaluation_is_read_as_it_is(tmp_path: Path, dataset: Dataset) -> None:
    method = Method.of("theirs", "Theirs", "echo", {"dataset": dataset.digest})
    with PredictionWriter.open(tmp_path / "p", method) as writer:
        writer.add("t0/1", FrameResult(1, None, Status.OK, VALUES), 0.5)
    assert read(tmp_path / "p", dataset)["t0/1"].coefficients == VALUES
    PredictionWriter.open(tmp_path / "q", Method.of("q", "Q", "echo", {"dataset": "another"})).close()
    with pytest.raises(InputError, match="predictions of another dataset"):
        read(tmp_path / "q", dataset)


def test_missing_actions_are_filled_only_on_demand(tmp_path: Path, dataset: Dataset) -> None:
    file = table(tmp_path / "x.csv", ["id", "JawOpen"], ["t0/0", 0.25])
    with pytest.raises(InputError, match="60 of 61 actions") as refused:
        read(file, dataset)
    assert "fill=0" in refused.value.hint
    assert read(file, dataset, fill=0)["t0/0"].coefficients == dict.fromkeys(CSV_ORDER, 0.0) | {"JawOpen": 0.25}
    with pytest.raises(OptionsError, match="not a number"):
        read(file, dataset, fill="zero")


@pytest.mark.parametrize(
    ("objects", "complaint"),
    [
        ([{"id": "t9/0", "values": VALUES}], "line 1: 't9/0' is no row of set"),
        ([{"values": VALUES}], "line 1: neither `id` nor `image`"),
        ([{"image": "000001.png", "values": VALUES}], "'000001.png' is no picture of set, or the name of several"),
        ([{"id": "t0/0", "values": VALUES}] * 2, "line 2: the picture t0/0 is there twice"),
        ([{"id": "t0/0", "values": VALUES | {"JawOpen": None}}], "JawOpen is 'None', not a finite number"),
        ([{"id": "t0/0", "values": VALUES | {"Jaw_Open": 0.1}}], "'Jaw_Open' is no action"),
        ([{"id": "t0/0", "values": [0.1] * 61}], "no object of names and numbers"),
        ([{"id": "t0/0", "values": VALUES, "status": "no_face"}], "contradict each other"),
        ([], "holds no predictions"),
    ],
)
def test_what_is_wrong_is_refused_by_line(
    tmp_path: Path, dataset: Dataset, objects: list[object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read(lines(tmp_path / "x.jsonl", *objects), dataset)


@pytest.mark.parametrize(
    ("header", "row", "complaint"),
    [
        (["Timecode", *CSV_ORDER], ["00:00:00:00", *VALUES.values()], "line 1: no column `id` or `image`"),
        (["id", *CSV_ORDER, "JawOpen"], ["t0/0", *VALUES.values(), 1], "the column JawOpen is there twice"),
        (["id", *CSV_ORDER], ["t0/0", "nan", *list(VALUES.values())[1:]], "line 2: EyeBlinkLeft is 'nan'"),
        (["id", *CSV_ORDER], ["t0/0", "", *list(VALUES.values())[1:]], "line 2: EyeBlinkLeft is ''"),
        (["id", *CSV_ORDER], ["t0/0"], "line 2: 1 cells, the header has 62"),
        (["id", "ArmUp"], ["t0/0", 1], "61 of 61 actions"),
    ],
)
def test_a_table_that_is_wrong_is_refused(
    tmp_path: Path, dataset: Dataset, header: list[str], row: list[object], complaint: str
) -> None:
    with pytest.raises(InputError, match=complaint):
        read(table(tmp_path / "x.csv", header, row), dataset)


def test_a_path_without_files_is_refused(tmp_path: Path, dataset: Dataset) -> None:
    with pytest.raises(InputError, match="does not exist"):
        read(tmp_path / "nowhere.csv", dataset)
    with pytest.raises(InputError, match="holds no CSV or JSON lines"):
        read(tmp_path, dataset)


def test_released_answers_are_read_from_the_authors_own_file(tmp_path: Path, dataset: Dataset, shared: Path) -> None:
    released = (shared / "data" / "semanticface" / "released_outputs.jsonl").read_text(encoding="utf-8").splitlines()
    answers = [json.loads(line)["response"] for line in released[:8]]
    names = [dataset.rows[index].id for index in dataset.indices("test")]
    pairs = list(zip(names, answers, strict=False))
    found = read(lines(tmp_path / "x.jsonl", *({"id": name, "response": one} for name, one in pairs)), dataset)
    assert len(found) == len(pairs) >= 3 and all(one.status is Status.OK and one.analysis for one in found.values())
