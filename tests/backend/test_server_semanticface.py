"""The whole way with a real model: a picture goes in, its text is seen as it is written, the take holds the answer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from server_kit import Backend, backend

from semanticface.assets import MODELS_VARIABLE
from semanticface.client import Client, ImageFrame, Partial
from semanticface.results import Status
from semanticface.take import read_take


@pytest.fixture(scope="module")
def live(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Backend]:
    folder = tmp_path_factory.mktemp("semanticface")
    (folder / "models" / "checkpoints").mkdir(parents=True)
    (folder / "models" / "checkpoints" / "released").symlink_to(small_model / "released")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(MODELS_VARIABLE, str(folder / "models"))
        patch.setenv("OMP_NUM_THREADS", "1")
        with backend(folder / "home") as running:
            yield running


def test_a_picture_becomes_a_text_that_grows_and_a_frame_of_a_take(
    live: Backend, small_model: Path, tmp_path: Path
) -> None:
    examples = json.loads((small_model / "examples" / "examples.json").read_text())
    example = next(one for one in examples if one["profile"] == "released")
    picture = ImageFrame(7, (small_model / "examples" / example["image"]).read_bytes(), time=0.5)
    texts: list[Partial] = []
    with Client.connect(start=False, run=live.run) as client:
        results = client.analyze(
            iter([picture]), engine="semanticface:released", take=tmp_path / "take", on_partial=texts.append
        )
        (result,) = results
        assert result.status is Status.OK and result.raw_text == example["answer"]
        assert len(texts) >= 3 and all(event.frame == 7 for event in texts)
        assert all(result.raw_text.startswith(event.text.rstrip()) for event in texts)
        assert client.release("semanticface") == ["semanticface:released"]
    (kept,) = read_take(tmp_path / "take").results
    assert kept == result
    assert kept.estimates is not None and len(kept.estimates) == 61
    assert read_take(tmp_path / "take").header.engine["name"] == "semanticface"
