"""Parts of a run by themselves: settings, rows that judge, judgement, the log, the launchers' files."""

from __future__ import annotations

import json
import pickle
from dataclasses import replace
from pathlib import Path

import fit_kit as kit
import numpy as np
import pytest
import transformers
import yaml
from accelerate.commands.config.config_args import ClusterConfig

from semanticface.engines.mllm.crop import FaceCrop
from semanticface.engines.mllm.preparation import squared
from semanticface.engines.mllm.profile import Preparation, ValueChoice
from semanticface.errors import InputError, OptionsError
from semanticface_training.dataset.table import Dataset
from semanticface_training.stage2.config import FitConfig, LoraSettings, Schedule
from semanticface_training.stage2.launch import sharded
from semanticface_training.stage2.log import RunLog, read_log
from semanticface_training.stage2.prompts import Question
from semanticface_training.stage2.rows import Preparer, profile_of, spread
from semanticface_training.stage2.validate import Answered, Judge

LAUNCHERS = Path(__file__).resolve().parents[3] / "training" / "accelerate"


def test_settings_come_back_from_a_file_as_they_were(tmp_path):
    for config in (
        kit.settings(tmp_path),
        kit.settings(tmp_path, form=kit.WORDS, adapter=tmp_path / "a", question=Question("s", "u")),
        kit.settings(tmp_path, face_crop=0.3, preparation=Preparation.LEVELLED, value=ValueChoice.EXPECTATION),
    ):
        assert FitConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    with pytest.raises(InputError, match="not the settings of a training run"):
        FitConfig.from_dict({"dataset": "x"})


def test_settings_without_sense_are_refused(tmp_path):
    for wrong in ({"flips": 1.5}, {"image_tokens": (9, 4)}, {"keep": -1}, {"schedule": {"warmup": 1.0}}):
        with pytest.raises(OptionsError):
            kit.settings(tmp_path, **wrong)
    for wrong in ({"rank": 0}, {"dropout": 1.0}):
        with pytest.raises(OptionsError):
            LoraSettings(**wrong)


def test_a_step_has_the_same_rows_on_any_number_of_processes():
    schedule = Schedule(global_batch=32, batch=2)
    assert [schedule.accumulate(processes) for processes in (1, 2, 8, 16)] == [16, 8, 2, 1]
    with pytest.raises(OptionsError, match=r"32 rows a step.* on 3 processes \(take --global-batch 36\)"):
        schedule.accumulate(3)


def test_rows_that_judge_are_spread_over_all_of_them():
    assert spread(range(100), 4) == (0, 25, 50, 75)
    assert spread([3, 5], 4) == (3, 5)
    assert spread(range(9), 0) == ()


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    root = tmp_path_factory.mktemp("judge")
    dataset = kit.make_dataset(root / "data")
    config = kit.settings(root, value=ValueChoice.EXPECTATION)
    return Judge(dataset, dataset.indices("val"), profile_of(config, "", 0), None, kit.SOME)


def test_a_row_without_an_answer_counts_as_the_mean_and_is_named(judge):
    answers = [Answered("a", 0.04, 0.02, 0.08), Answered("b", None, None, 0.10, "unparseable: no values")]
    found = judge.judged(7, answers, 1.0)
    assert (found.rows, found.read, found.mse, found.expectation) == (2, 1, 0.04, 0.02)
    assert found.mean == pytest.approx(0.09)
    assert found.score == pytest.approx((0.02 + 0.10) / 2)
    assert found.unread == (("b", "unparseable: no values"),)


def test_an_answers_error_is_over_the_actions_that_are_written(judge):
    from semanticface.results import Estimate, FrameResult, Status

    dataset = judge._dataset
    number = dataset.indices("val")[0]
    truth = {name: float(value) for name, value in dataset.rows[number].coefficients.items()}
    said = truth | {"JawOpen": truth["JawOpen"] + 0.3, "TongueOut": 1.0}
    estimates = {name: Estimate(said[name], truth[name] + 0.1, 0.0) for name in kit.SOME}
    result = FrameResult(number, None, Status.OK, said, estimates=estimates)
    answer = judge._compare(number, result)
    assert answer.greedy == pytest.approx(0.09 / 3)
    assert answer.expectation == pytest.approx(0.01)
    mean = dataset.values[dataset.indices("train")].mean(axis=0)[[list(truth).index(name) for name in kit.SOME]]
    assert answer.missed == pytest.approx(float(((mean - [truth[name] for name in kit.SOME]) ** 2).mean()))


def test_a_torn_line_of_the_log_costs_that_line_only(tmp_path):
    log = RunLog(tmp_path)
    log.write("step", 1, loss=2.0)
    log.close()
    with (tmp_path / "log.jsonl").open("ab") as file:
        file.write(b'{"event": "st')
    heard = []
    log = RunLog(tmp_path, heard.append)
    log.write("step", 2, loss=1.0)
    log.close()
    assert [(line["step"], line["loss"]) for line in read_log(tmp_path)] == [(1, 2.0), (2, 1.0)]
    assert [(event.name, event.step, event.facts) for event in heard] == [("step", 2, {"loss": 1.0})]


def test_pictures_are_prepared_as_the_backend_prepares_them(samples, face_landmarker):
    import cv2

    from semanticface.media import MediaRef, open_media

    with open_media(MediaRef.from_user(str(samples / "rom_head.mp4"))) as clip:
        image = next(iter(clip.read([113]))).image
    cut = Preparer(0.2, Preparation.NONE, 96)
    faces = FaceCrop()
    assert np.array_equal(cut(image), faces.crop(image, 0.2)[0])
    assert cut(image).shape < image.shape
    again = pickle.loads(pickle.dumps(cut))
    assert np.array_equal(again(image), cut(image))
    level = Preparer(None, Preparation.LEVELLED, 96)
    assert level(image).shape == (96, 96, 3)
    empty = cv2.resize(np.zeros((8, 8, 3), np.uint8), (200, 120))
    assert np.array_equal(level(empty), squared(empty, 96))
    faces.close()


def test_a_checkpoint_is_asked_as_it_was_taught(tmp_path):
    config = kit.settings(tmp_path, form=kit.WORDS, face_crop=0.25, name="mine")
    profile = profile_of(config, "Qwen/Qwen3-VL-4B-Instruct", 210)
    assert (profile.system, profile.user) == (config.asked.system, config.asked.user)
    assert profile.layouts[0] == "paper"
    assert profile.actions == kit.SOME
    assert profile.analysis_tokens >= 210 * 1.4
    assert (profile.face_crop, profile.adapter, profile.base) == (0.25, True, "Qwen/Qwen3-VL-4B-Instruct")
    other = profile_of(replace(config, question=Question("own", "words")), "", 0)
    assert (other.system, other.user) == ("own", "words")


def test_the_launchers_files_are_accelerates_and_name_layers_that_exist():
    """That accelerate reads them, and that what FSDP wraps is there: more can't be seen without cards."""
    names = sorted(path.name for path in LAUNCHERS.glob("*.yaml"))
    assert names == ["ddp.yaml", "deepspeed_zero2.yaml", "fsdp.yaml"]
    for name in names:
        assert ClusterConfig.from_yaml_file(str(LAUNCHERS / name)).mixed_precision == "bf16"
    wrapped = yaml.safe_load((LAUNCHERS / "fsdp.yaml").read_text())["fsdp_config"]["fsdp_transformer_layer_cls_to_wrap"]
    assert all(hasattr(transformers.models.qwen3_vl.modeling_qwen3_vl, layer) for layer in wrapped.split(","))


def test_where_no_process_holds_the_model_nothing_is_judged():
    assert not sharded({})
    assert sharded({"ACCELERATE_USE_FSDP": "true"})
    assert sharded({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "3"})
    assert not sharded({"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "2"})


def test_every_row_is_read_back_before_a_run_begins(tmp_path, qwen):
    from semanticface_training.stage2.cost import survey
    from semanticface_training.stage2.encode import Encoder
    from semanticface_training.stage2.examples import Examples

    dataset: Dataset = kit.make_dataset(tmp_path / "data")
    config = kit.settings(tmp_path)
    examples = Examples(dataset, dataset.indices("train"), Encoder(qwen, config.asked, config.form, (4, 4)))
    found = survey(examples, range(5))
    assert (found.rows, found.picture, found.words) == (5, 4, 0)
    assert found.tokens <= 5 * found.longest
    dataset.image_path(3).write_bytes(b"no picture")
    with pytest.raises(InputError, match=f"row {dataset.rows[3].id}"):
        survey(examples, range(5))
