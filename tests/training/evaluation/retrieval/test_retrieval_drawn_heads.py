"""On rendered heads with exact labels, people never seen: true pairs far above chance, shuffled ones at chance."""

from __future__ import annotations

import importlib.util

import pytest

from semanticface_training.evaluation.retrieval import table
from semanticface_training.evaluation.retrieval.evaluator import RetrievalEvaluator
from semanticface_training.evaluation.retrieval.options import Options
from semanticface_training.synthetic.build import synthesize
from semanticface_training.synthetic.draw import Source
from semanticface_training.synthetic.plan import SetOptions

PICTURES = SetOptions(train=192, val=32, test=64, per_identity=4, size=128, occluded=0.0, toon=0.0, degrade=False)


@pytest.mark.slow
def test_expressions_of_new_people_are_told_apart(shared, tmp_path, monkeypatch):
    if importlib.util.find_spec("bpy") is None:
        pytest.skip("needs the bpy module")
    monkeypatch.setattr("semanticface_training.dataset.card.write_card", lambda *facts: None)
    source = Source(shared / "data" / "ict_facekit.npz", None, (shared / "data" / "livelink" / "alex_rom_3.csv",))
    heads = synthesize(tmp_path / "heads", PICTURES, source, processes=2)
    judge = RetrievalEvaluator.fit(heads, Options(size=64, epochs=20, patience=20, rate=2e-3, decay=2e-3))
    block = table(judge, heads, heads.indices("test"), {})["shuffle"]
    assert block["ground_truth"]["r1"] > 3 / 32
    assert block["ground_truth"]["r3"] > 7 / 32
    assert abs(block["shuffled"]["r1"] - 1 / 32) < 3 * block["shuffled"]["ci95"][0]
