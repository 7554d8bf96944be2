"""Rows of a dataset on disk as the trainer takes them, up to a step of transformers' own Trainer."""

from __future__ import annotations

import shutil

import cv2
import numpy as np
import pytest
import torch

from semanticface.analysis.describe import describe
from semanticface.engines.mllm.profile import Layout
from semanticface.errors import InputError, MediaError
from semanticface.results import Analysis
from semanticface_training.dataset.table import Dataset, Row, Split
from semanticface_training.dataset.writer import DatasetWriter, Meta
from semanticface_training.small_model.architecture import IMAGE, PAD
from semanticface_training.stage2.collate import Collator
from semanticface_training.stage2.encode import Encoder
from semanticface_training.stage2.examples import Examples
from semanticface_training.stage2.flip import flip
from semanticface_training.stage2.losses import LossSettings, Soft, compute_loss
from semanticface_training.stage2.prompts import Wording, question
from semanticface_training.stage2.targets import Form, Target

A1 = Form(Target.A1, decimals=2, actions=("HeadYaw", "JawOpen", "MouthSmileLeft"))
A2 = Form(Target.A2, Layout.BARE)
COUNT = 8


@pytest.fixture(scope="module")
def dataset(tmp_path_factory, faces):
    folder = tmp_path_factory.mktemp("stage2") / "set"
    writer = DatasetWriter(folder, Meta("synthetic"))
    for number in range(COUNT):
        face = faces(number)
        picture = cv2.imencode(".png", face.image[:, :, ::-1])[1].tobytes()
        writer.add(Row("take", number, "anna", Split.TRAIN, face.coefficients), picture)
    writer.finish()
    return Dataset.open(folder)


@pytest.fixture
def words(dataset):
    return {row.id: describe(row.coefficients) for row in dataset.rows}


def examples(qwen, dataset, form, words=None, **options):
    encoder = Encoder(qwen, question(form, Wording.SHORT), form)
    return Examples(dataset, dataset.indices("train"), encoder, words, **options)


def test_a_row_is_taught_with_its_own_picture_numbers_and_words(qwen, dataset, words, faces):
    learned = examples(qwen, dataset, A2, words)
    assert (len(learned), learned.check()) == (COUNT, 0)
    for place in range(COUNT):
        sample, face = learned.sample(place), faces(place)
        assert np.array_equal(sample.image, face.image)
        assert sample.coefficients["JawOpen"] == np.float32(face.coefficients["JawOpen"])
        assert learned[place].id == sample.id == f"take/{place}"
        assert f"**Symmetry**: {words[sample.id].symmetry}" in learned[place].text


def test_the_lot_of_mirroring_depends_on_seed_epoch_and_row_alone(qwen, dataset):
    def lots(seed, epoch, share=0.5):
        learned = examples(qwen, dataset, A1, flips=share, seed=seed)
        learned.set_epoch(epoch)
        return [learned.flipped(place) for place in range(COUNT)]

    assert lots(1, 3) == lots(1, 3)
    drawn = {(seed, epoch): tuple(lots(seed, epoch)) for seed in (1, 2) for epoch in range(4)}
    assert len({drawn[1, epoch] for epoch in range(4)}) > 2
    assert sum(drawn[1, epoch] != drawn[2, epoch] for epoch in range(4)) > 2
    assert 20 < sum(map(sum, drawn.values())) < 44  # of 64
    assert (any(lots(1, 1, 0)), all(lots(1, 1, 1))) == (False, True)


def test_mirrored_rows_are_taught_mirrored(qwen, dataset, words):
    plain, turned = examples(qwen, dataset, A2, words), examples(qwen, dataset, A2, words, flips=1)
    for place in range(3):
        assert turned[place].text == plain.encoder.encode(flip(plain.sample(place))).text
        assert not torch.equal(turned[place].prompt.patches, plain[place].prompt.patches)


def test_words_that_cannot_be_mirrored_leave_their_row_as_it_is(qwen, dataset, words):
    words["take/2"] = Analysis("smile", {"mouth": "The mouth is left open."}, "none", "mostly symmetric")
    kept = examples(qwen, dataset, A2, words, flips=1)
    assert [kept.flipped(place) for place in range(4)] == [True, True, False, True]
    assert kept.check() == 1
    assert examples(qwen, dataset, A2, words, flips=1, describe=describe).flipped(2)
    assert examples(qwen, dataset, A1, words, flips=1).flipped(2)


def test_a2_without_a_description_is_refused_by_row_before_anything_is_trained(qwen, dataset, words):
    del words["take/5"]
    with pytest.raises(InputError, match="1 of 8 rows have no description, take/5 first"):
        examples(qwen, dataset, A2, words)
    assert len(examples(qwen, dataset, A1)) == COUNT


def test_an_answer_that_is_not_read_back_is_found_before_training(qwen, dataset, words):
    words["take/4"] = Analysis("smile", {"mouth": '{"JawOpen": 0.5}'}, "none", "mostly symmetric")
    with pytest.raises(InputError, match="row take/4: its answer"):
        examples(qwen, dataset, A2, words).check()


def test_a_picture_that_is_gone_is_named_with_its_row(qwen, dataset, tmp_path):
    torn = Dataset.open(shutil.copytree(dataset.path, tmp_path / "torn"))
    torn.image_path(6).unlink()
    with pytest.raises(MediaError, match=r"row take/6: .*000006.png"):
        examples(qwen, torn, A1)[6]


def test_transformers_trainer_takes_examples_batches_and_loss(qwen, dataset, tiny, tmp_path):
    """Two batches a step: the Trainer's own count of labels is the number of answer tokens in both."""
    from transformers import Trainer, TrainingArguments

    seen = []

    class Run(Trainer):
        def __init__(self, *arguments, **options):
            super().__init__(*arguments, **options)
            self.model_accepts_loss_kwargs = True  # without it the Trainer counts no labels of a Qwen3-VL

        def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
            settings = LossSettings(template=0.1, soft=Soft.TWO_HOT, expectation=5)
            loss, outputs = compute_loss(model, inputs, settings, num_items_in_batch)
            seen.append((int(num_items_in_batch), int((inputs["labels"] != -100).sum()), loss.total.item()))
            return (loss.total, outputs) if return_outputs else loss.total

    learned = examples(qwen, dataset, A1, flips=0.5)
    tiny.requires_grad_(False).model.language_model.layers.requires_grad_(True)
    before = [weight.detach().clone() for weight in tiny.model.language_model.layers.parameters()]
    arguments = TrainingArguments(
        str(tmp_path / "run"), per_device_train_batch_size=2, gradient_accumulation_steps=2, max_steps=1,
        learning_rate=1e-3, remove_unused_columns=False, report_to=[], save_strategy="no", use_cpu=True,
        disable_tqdm=True,
    )  # fmt: skip
    collator = Collator(PAD, IMAGE, learned.encoder.digit_ids)
    Run(tiny, arguments, data_collator=collator, train_dataset=learned).train()
    (items, one, _), (same, other, _) = seen
    assert items == same == one + other
    assert all(np.isfinite(loss) for _, _, loss in seen)
    after = list(tiny.model.language_model.layers.parameters())
    assert any(not torch.equal(old, new) for old, new in zip(before, after, strict=True))


def test_an_answer_that_is_read_with_repairs_is_no_answer_to_learn(qwen, dataset, words):
    words["take/4"] = Analysis("smile", {"mouth": "Up.\n```\nDown."}, "none", "mostly symmetric")
    with pytest.raises(InputError, match="row take/4: its answer is read with repairs: removed code fences"):
        examples(qwen, dataset, A2, words).check()
