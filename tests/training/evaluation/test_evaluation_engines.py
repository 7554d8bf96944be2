"""The product's own engines as methods: a server, the landmark engine and a checkpoint, each by its word."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

pytest.importorskip("httpx2")
sys.path.append(str(Path(__file__).parents[2] / "engines" / "remote"))

from chat_server import MODEL, chat_server

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import Layout, Profile
from semanticface.errors import AssetError
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.evaluation.results import EvaluationResults, Protocol, predictions_of
from semanticface_training.evaluation.run import Request, evaluate


def run(dataset: Dataset, out: Path, *engines: str, **more: object) -> EvaluationResults:
    return evaluate(Request(out, dataset.path, engines, report=False, **more))


def test_a_server_is_asked_by_its_address_once_a_picture_and_again_for_none(tmp_path: Path, singles: Dataset) -> None:
    dataset = singles
    asked = Profile("test", "Answer exactly.", "<image>Describe the face.", layouts=(Layout.BARE,), decimals=1)
    asked.save(tmp_path)
    with chat_server() as server:
        words = f"studio=remote:{server.url},model={MODEL},profile={tmp_path / 'profile.json'}"
        results = run(dataset, tmp_path / "r", words)
        count = len(server.seen.pictures)
        run(dataset, tmp_path / "r", words)
        assert len(server.seen.pictures) - count <= 1  # what the engine tries when it connects
    row = results.method("studio")
    assert (row.engine, row.coverage.answered) == ("remote", 3) and MODEL in row.facts["model"]
    found = predictions_of(tmp_path / "r", row, dataset, dataset.indices("test"))
    jaw = CSV_ORDER.index("JawOpen")
    np.testing.assert_allclose(found.values[:, jaw], dataset.values[dataset.indices("test")][:, jaw], atol=0.06)


@pytest.mark.usefixtures("face_landmarker")
def test_the_landmark_engine_says_which_pictures_have_no_face(tmp_path: Path, samples: Path) -> None:
    _, face = cv2.VideoCapture(str(samples / "rom_head.mp4")).read()
    pictures = [face, np.full((64, 64, 3), 90, np.uint8)]
    with DatasetWriter(tmp_path / "set", Meta("test")) as writer:
        for number, picture in enumerate(pictures):
            values = dict.fromkeys(CSV_ORDER, 0.0)
            encoded = cv2.imencode(".png", picture)[1].tobytes()
            writer.add(Row("take", number, "anna", Split.TEST, values), bytes(encoded))
        dataset = writer.finish()
    row = run(dataset, tmp_path / "r", "landmarks", protocol=Protocol.DOMAIN).method("landmarks")
    assert dict(row.coverage.statuses) == {"ok": 1, "no_face": 1}
    assert row.tables["mse"]["n"] == 1
    assert "derived from its values" in row.undefined["agreement"]


def test_a_checkpoint_is_read_from_its_folder(tmp_path: Path, small_model: Path) -> None:
    picture = next((small_model / "examples").glob("*.png"))
    with DatasetWriter(tmp_path / "set", Meta("test")) as writer:
        writer.add(Row("take", 0, "anna", Split.TEST, dict.fromkeys(CSV_ORDER, 0.0)), picture.read_bytes())
        dataset = writer.finish()
    row = run(dataset, tmp_path / "r", f"checkpoint:{small_model / 'released'}").methods[0]
    assert (row.name, row.engine, row.coverage.answered) == ("released", "semanticface", 1)
    assert row.facts["model"].startswith("released ")


def test_a_checkpoint_that_is_not_there_is_refused_before_others_work(tmp_path: Path, singles: Dataset) -> None:
    with pytest.raises(AssetError, match="'nobody' is not on this machine"):
        run(singles, tmp_path / "r", "echo", "checkpoint:nobody")
    assert not (tmp_path / "r").exists()
