"""The evaluator: it learns which motion fits which picture, is saved whole, refused for other data; and its table."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from click.testing import Result
from retrieval_kit import part_of
from typer.testing import CliRunner

from semanticface.actions import CSV_ORDER
from semanticface.errors import EngineError, InputError, MediaError, OptionsError
from semanticface_training.cli import app
from semanticface_training.evaluation.metrics.retrieval import batches, r_precision
from semanticface_training.evaluation.retrieval import files, table
from semanticface_training.evaluation.retrieval.evaluator import JUDGE_REPETITIONS, RetrievalEvaluator
from semanticface_training.evaluation.retrieval.pictures import grey_pictures


def test_motions_are_z_scores_of_the_training_split_and_constant_ones_count_nothing(drawn_faces, judge):
    train = drawn_faces.values[drawn_faces.indices("train")].astype(np.float64)
    jaw, still = CSV_ORDER.index("JawOpen"), CSV_ORDER.index("TongueOut")
    assert float(judge.encoders.motion.mean[jaw]) == pytest.approx(train[:, jaw].mean(), rel=1e-5)
    assert float(judge.encoders.motion.scale[jaw]) == pytest.approx(1 / train[:, jaw].std(), rel=1e-5)
    other = drawn_faces.values[:4].copy()
    other[:, still] = 0.9
    assert "TongueOut" in judge.facts.constant
    assert np.array_equal(judge.embed_motions(other), judge.embed_motions(drawn_faces.values[:4]))
    other[:, jaw] += 0.2
    assert not np.allclose(judge.embed_motions(other), judge.embed_motions(drawn_faces.values[:4]), atol=1e-3)


def test_embeddings_are_unit_vectors_and_each_is_what_it_would_be_alone(drawn_faces, judge):
    together = judge.embed_images(drawn_faces, range(40))
    assert np.linalg.norm(together, axis=1) == pytest.approx(1, abs=1e-5)
    assert judge.embed_images(drawn_faces, [17])[0] == pytest.approx(together[17], abs=1e-5)
    motions = judge.embed_motions(drawn_faces.values[:40])
    assert np.linalg.norm(motions, axis=1) == pytest.approx(1, abs=1e-5)


def test_the_same_seed_trains_the_same_evaluator_and_another_one_another(few, quick):
    short = replace(quick, epochs=2)
    first, again, other = (RetrievalEvaluator.fit(few, options) for options in (short, short, replace(short, seed=7)))
    assert first.facts.key == again.facts.key != other.facts.key
    some = few.values[:8]
    assert np.array_equal(first.embed_motions(some), again.embed_motions(some))
    assert not np.allclose(first.embed_motions(some), other.embed_motions(some), atol=1e-2)


def test_training_ends_without_a_better_epoch_and_keeps_the_best_ones_weights(drawn_faces, judge):
    epochs, patience = judge.facts.epochs, judge.facts.options.patience
    best = judge.facts.best
    assert best.r1 == max(epoch.r1 for epoch in epochs)
    assert [epoch.number for epoch in epochs] == list(range(1, len(epochs) + 1))
    assert len(epochs) == min(best.number + patience, judge.facts.options.epochs)
    val = drawn_faces.indices("val")
    cut = batches(len(val), judge.facts.options.batch, JUDGE_REPETITIONS, judge.facts.options.seed)
    kept = r_precision(judge.embed_images(drawn_faces, val), judge.embed_motions(drawn_faces.values[val]), cut)
    assert kept.r1 == pytest.approx(best.r1, abs=1e-6)


def test_training_that_leads_nowhere_ends_early(few, quick):
    told = []
    RetrievalEvaluator.fit(few, replace(quick, rate=1e-9, epochs=50, patience=2), tell=told.append)
    assert len(told) == told[-1].best_epoch + 2 < 50


def test_a_saved_evaluator_comes_back_as_it_was(drawn_faces, judge, tmp_path):
    judge.save(tmp_path / "judge")
    again = RetrievalEvaluator.load(tmp_path / "judge", drawn_faces)
    assert again.facts == judge.facts
    assert np.array_equal(again.embed_images(drawn_faces, range(9)), judge.embed_images(drawn_faces, range(9)))
    assert np.array_equal(again.embed_motions(drawn_faces.values[:9]), judge.embed_motions(drawn_faces.values[:9]))
    assert sorted(file.name for file in (tmp_path / "judge").iterdir()) == ["evaluator.json", "weights.safetensors"]
    assert [entry.name for entry in tmp_path.iterdir()] == ["judge"]


def test_an_evaluator_of_other_data_is_refused_with_both_digests(drawn_faces, judge, tmp_path):
    judge.save(tmp_path / "judge")
    other = replace(drawn_faces, header={**drawn_faces.header, "digest": "0123456789abcdef" * 4})
    with pytest.raises(InputError) as refused:
        RetrievalEvaluator.load(tmp_path / "judge", other)
    assert judge.facts.digest[:16] in str(refused.value)
    assert other.digest[:16] in str(refused.value)


def test_damage_is_refused_by_the_files_name(judge, tmp_path):
    folder = tmp_path / "judge"
    judge.save(folder)
    weights, header = folder / files.WEIGHTS_NAME, folder / files.HEADER_NAME
    whole, text = weights.read_bytes(), header.read_text()
    weights.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(InputError, match=r"weights\.safetensors.*not the file"):
        RetrievalEvaluator.load(folder)
    weights.write_bytes(whole)
    bent = json.loads(text)
    for change, match in (
        ({"format": "else"}, "doesn't say"),
        ({"version": 99}, "version 99"),
        ({"schema": "00000000"}, "actions"),
        ({"options": bent["options"] | {"batch": "many"}}, "batch"),
        ({"options": bent["options"] | {"batch": 0}}, "batch"),
        ({"options": {}}, "options"),
        ({"epochs": []}, "epoch"),
        ({"images": {"kind": "tea"}}, "tea"),
        ({"options": bent["options"] | {"width": 7}}, "other encoders"),
    ):
        header.write_text(json.dumps(bent | change))
        with pytest.raises(InputError, match=match):
            RetrievalEvaluator.load(folder)
    header.write_text(text[:100])
    with pytest.raises(InputError, match=r"evaluator\.json"):
        RetrievalEvaluator.load(folder)
    with pytest.raises(InputError, match="is not a retrieval evaluator"):
        RetrievalEvaluator.load(tmp_path / "nowhere")


def test_nothing_is_written_over_and_a_failed_save_leaves_nothing(judge, tmp_path):
    folder = tmp_path / "judge"
    folder.mkdir()
    (folder / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match="holds something already"):
        judge.save(folder)
    assert [entry.name for entry in folder.iterdir()] == ["mine.txt"]
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="can't be written"):
        judge.save(tmp_path / "file" / "judge")


def test_a_split_smaller_than_a_batch_is_refused(drawn_faces, quick):
    few = part_of(drawn_faces, drawn_faces.indices("train") + drawn_faces.indices("val")[:31])
    with pytest.raises(InputError, match="val split has 31 rows, a batch has 32"):
        RetrievalEvaluator.fit(few, quick)


def test_a_picture_that_cannot_be_read_is_named(drawn_faces, tmp_path, judge):
    faces = replace(part_of(drawn_faces, range(4)), path=tmp_path)
    for number in range(4):
        faces.image_path(number).parent.mkdir(parents=True, exist_ok=True)
        faces.image_path(number).write_bytes(drawn_faces.image_bytes(number))
    faces.image_path(2).write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    with pytest.raises(MediaError, match="row test-0/2"):
        judge.embed_images(faces, range(4))
    faces.image_path(2).unlink()
    with pytest.raises(MediaError, match="row test-0/2"):
        grey_pictures(faces, range(4), 32)


def test_motions_without_an_answer_or_of_another_shape_are_refused(judge, drawn_faces):
    values = drawn_faces.values[:3].copy()
    values[1, 5] = np.nan
    with pytest.raises(InputError, match="motion 1"):
        judge.embed_motions(values)
    with pytest.raises(InputError, match="61"):
        judge.embed_motions(values[:, :52])


def test_a_rate_that_breaks_the_training_is_an_error_and_no_evaluator(few, quick):
    with pytest.raises(EngineError, match="smaller rate"):
        RetrievalEvaluator.fit(few, replace(quick, rate=1e30, decay=0.0, epochs=3))


def test_true_pairs_lie_well_above_chance_and_shuffled_ones_at_chance(drawn_faces, judge):
    test = drawn_faces.indices("test")
    found = table(judge, drawn_faces, test, {})
    assert (found["n"], found["common"], found["seen"], found["same_data"]) == (128, 128, 0, True)
    for forming in ("shuffle", "same_sequence"):
        block = found[forming]
        assert block["chance"] == {"r1": 1 / 32, "r2": 2 / 32, "r3": 3 / 32}
        for k in (1, 2, 3):
            true, shuffled, chance = (block[name][f"r{k}"] for name in ("ground_truth", "shuffled", "chance"))
            assert true - block["ground_truth"]["sampling95"][k - 1] > 5 * chance
            assert abs(shuffled - chance) < 2 * block["shuffled"]["ci95"][k - 1]
        assert block["ground_truth"]["mm_dist"] < 0.7 * block["shuffled"]["mm_dist"]


def test_a_perfect_predictor_scores_as_ground_truth_and_a_constant_one_at_chance(drawn_faces, judge):
    test = drawn_faces.indices("test")
    truth = drawn_faces.values[test].astype(np.float64)
    noisy = truth + np.random.default_rng(0).normal(0, 0.2, truth.shape)
    methods = {"perfect": truth, "noisy": noisy, "mean": np.broadcast_to(truth.mean(axis=0), truth.shape)}
    block = table(judge, drawn_faces, test, methods)["shuffle"]
    true, perfect, noisy, mean = block["ground_truth"], *(block["methods"][name] for name in methods)
    assert {name: perfect[name] for name in true} == true
    assert perfect["relative_distance"] == 1
    assert mean["r1"] == pytest.approx(1 / 32) and mean["r3"] == pytest.approx(3 / 32)
    assert mean["r1"] < noisy["r1"] < true["r1"]
    assert noisy["relative_distance"] > 1


def test_rows_without_an_answer_leave_all_methods_and_are_counted(drawn_faces, judge):
    test = drawn_faces.indices("test")
    truth = drawn_faces.values[test].astype(np.float64)
    holes = truth.copy()
    holes[:40] = np.nan
    found = table(judge, drawn_faces, test, {"whole": truth, "holes": holes})
    assert (found["n"], found["common"]) == (128, 88)
    assert found["rows_per_method"] == {
        "whole": {"asked": 128, "answered": 128},
        "holes": {"asked": 128, "answered": 88},
    }
    block = found["shuffle"]
    assert block["ground_truth"]["n"] == block["methods"]["whole"]["n"] == 88
    assert block["methods"]["holes"]["answered"] == 88
    assert block["methods"]["holes"]["r1"] == block["methods"]["whole"]["r1"] == block["ground_truth"]["r1"]
    assert json.loads(json.dumps(found, allow_nan=False)) == found


def test_what_cannot_be_measured_is_undefined_and_says_why(drawn_faces, judge):
    test = drawn_faces.indices("test")
    one = table(judge, drawn_faces, test[:32], {})
    assert one["shuffle"]["ground_truth"]["n_used"] == 32
    assert "one sequence 'test-0'" in one["same_sequence"]["undefined"]
    assert one["same_sequence"]["ground_truth"] is None
    spread = table(judge, drawn_faces, test[16:48], {})
    assert "no sequence has 32 rows; the longest of 2 has 16" in spread["same_sequence"]["undefined"]
    few = table(judge, drawn_faces, test[:31], {"m": drawn_faces.values[test[:31]]})
    assert "31 rows" in few["shuffle"]["undefined"] and few["shuffle"]["methods"] == {}
    with pytest.raises(InputError, match="no rows"):
        table(judge, drawn_faces, [], {})
    with pytest.raises(InputError, match="worse: values of shape"):
        table(judge, drawn_faces, test, {"worse": drawn_faces.values[test][:, :52]})


def test_rows_that_the_judge_has_seen_are_counted(drawn_faces, judge):
    mixed = [*drawn_faces.indices("train")[:20], *drawn_faces.indices("val")[:10], *drawn_faces.indices("test")[:40]]
    assert table(judge, drawn_faces, mixed, {})["seen"] == 30


def test_pictures_without_truth_have_no_true_row(drawn_faces, judge):
    test = drawn_faces.indices("test")
    block = table(judge, drawn_faces, test, {"m": drawn_faces.values[test]}, truth=False)["shuffle"]
    assert block["ground_truth"] is None and block["shuffled"] is None
    assert block["methods"]["m"]["r1"] > 0.2 and block["methods"]["m"]["relative_distance"] is None


def test_the_command_trains_keeps_and_shows_an_evaluator(drawn_faces, tmp_path):
    data, out = str(drawn_faces.path), str(tmp_path / "judge")

    def ask(*words: str) -> Result:
        return CliRunner().invoke(app, ["evaluator", *words])

    def events(result: Result) -> list[dict]:
        assert result.exit_code == 0, result.output
        return [json.loads(line) for line in result.stdout.splitlines()]

    fit = ("fit", data, "--out", out, "--size", "32", "--epochs", "2", "--json")
    first, again = events(ask(*fit)), events(ask(*fit))
    assert [line["event"] for line in first] == ["epoch", "epoch", "evaluator"]
    assert again == first[-1:]  # what is there and the same isn't trained again
    other = ask(*fit, "--seed", "7").exception
    assert isinstance(other, InputError) and "other data or options" in str(other)
    shown = events(ask("show", out, "--dataset", data, "--json"))
    assert [line["event"] for line in shown] == ["evaluator", "table"]
    assert shown[1]["n"] == 128 and shown[1]["shuffle"]["shuffled"]["n_used"] == 128
    people = ask("show", out, "--dataset", data, "--split", "val")
    assert "It has seen 64 of these rows" in people.output and "ground truth" in people.output
    assert isinstance(ask("show", str(tmp_path)).exception, InputError)
    assert isinstance(ask("fit", data, "--out", str(tmp_path / "x"), "--network", "no").exception, OptionsError)


@pytest.mark.slow
def test_a_killed_training_leaves_no_evaluator_and_the_next_one_succeeds(drawn_faces, tmp_path):
    out = tmp_path / "judge"
    command = [sys.executable, "-c", "from semanticface_training.cli import main; main()", "evaluator", "fit"]
    command += [str(drawn_faces.path), "--out", str(out), "--json", "--size", "32", "--patience", "500"]
    with subprocess.Popen([*command, "--epochs", "500"], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None and "epoch" in child.stdout.readline()
        child.kill()
    assert not out.exists()
    subprocess.run([*command, "--epochs", "2"], check=True, stdout=subprocess.DEVNULL)
    assert RetrievalEvaluator.load(out, drawn_faces).facts.rows == {"train": 128, "val": 64}
    assert [entry.name for entry in tmp_path.iterdir()] == ["judge"]
