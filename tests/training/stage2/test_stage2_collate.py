"""Batches: N samples side by side are N samples one by one, and logits are made for answers only."""

from __future__ import annotations

import pickle
from dataclasses import replace

import pytest
import torch

from semanticface.engines.mllm.prompt import Prompt
from semanticface.errors import InputError
from semanticface_training.small_model.architecture import END, IMAGE, PAD
from semanticface_training.stage2.collate import IGNORED, PLAN, Collator, Side
from semanticface_training.stage2.encode import Encoder
from semanticface_training.stage2.losses import LossSettings, Soft, compute_loss
from semanticface_training.stage2.prompts import Wording, question
from semanticface_training.stage2.targets import Form, Target

SOME = ("HeadYaw", "JawOpen", "MouthSmileLeft")
FORM = Form(Target.A1, decimals=2, actions=SOME)
ALL_ON = LossSettings(template=0.1, soft=Soft.GAUSSIAN, distance=0.3, expectation=5)


@pytest.fixture(scope="module")
def rows(qwen, faces):
    """Three samples whose pictures have 6, 4 and 9 tokens; the second one's yaw is negative."""
    encoder = Encoder(qwen, question(FORM, Wording.SHORT), FORM)
    samples = [faces(seed, size) for seed, size in ((0, (64, 96)), (1, (64, 64)), (2, (96, 96)))]
    samples[1] = replace(samples[1], coefficients=dict(samples[1].coefficients) | {"HeadYaw": -0.31})
    return [encoder.encode(sample) for sample in samples]


@pytest.fixture(scope="module")
def collator(qwen):
    return Collator(PAD, IMAGE, Encoder(qwen, question(FORM), FORM).digit_ids)


def gradient(model, losses):
    model.zero_grad()
    sum(losses).backward()
    layer = model.model.language_model.layers[0]
    return torch.cat([layer.self_attn.q_proj.weight.grad.ravel(), model.lm_head.weight.grad[END]])


@pytest.mark.parametrize("settings", [LossSettings(), ALL_ON], ids=["plain", "all options"])
def test_a_batch_of_n_is_n_batches_of_one_in_loss_and_gradient(tiny, collator, rows, settings):
    whole, _ = compute_loss(tiny, collator(rows), settings)
    items = sum(len(row.answer) for row in rows)
    singles = [compute_loss(tiny, collator([row]), settings, items)[0].total for row in rows]
    assert whole.total.item() == pytest.approx(sum(single.item() for single in singles), rel=1e-4)
    together, apart = gradient(tiny, [whole.total]), gradient(tiny, singles)
    assert float(apart.norm()) > 0
    assert torch.allclose(together, apart, rtol=1e-3, atol=1e-4 * float(apart.abs().max()))


def test_without_a_mask_the_answers_get_the_same_logits(tiny, collator, rows):
    unmasked = Collator(PAD, IMAGE, collator.digits, mask=False)(rows)
    assert "attention_mask" not in unmasked
    with torch.inference_mode():
        one, _ = compute_loss(tiny, collator(rows), LossSettings())
        other, _ = compute_loss(tiny, unmasked, LossSettings())
    assert float(one.total) == pytest.approx(float(other.total), rel=1e-5)


def test_logits_are_those_of_the_whole_batch_and_made_for_few_columns(tiny, collator, rows):
    batch = collator(rows)
    labels = batch.pop("labels")
    batch.pop(PLAN)
    with torch.inference_mode():
        kept = tiny(**batch).logits
        keep = batch.pop("logits_to_keep")
        every = tiny(**batch).logits
    assert kept.shape[:2] == labels.shape
    assert torch.allclose(kept, every[:, keep], atol=1e-4)
    longest, spread = max(len(row.answer) for row in rows), 9 - 4
    assert labels.shape[1] <= longest + spread + 1


def test_labels_are_the_answer_and_its_end_and_nothing_else(collator, rows):
    batch = collator(rows)
    for number, row in enumerate(rows):
        labels = batch["labels"][number]
        assert labels[labels != IGNORED].tolist() == list(row.answer)
        assert labels[labels != IGNORED][-1] == END
        behind = batch["input_ids"][number, batch["logits_to_keep"] + 1]
        assert torch.equal(labels[labels != IGNORED], behind[labels != IGNORED])
    assert (batch["labels"] == IGNORED).any()


def test_no_label_stands_where_the_trainer_does_not_count(collator, rows):
    batch = collator(rows)
    assert (batch["labels"][:, 1:] != IGNORED).sum() == sum(len(row.answer) for row in rows)


def test_rows_end_on_the_right_to_learn_and_on_the_left_to_write(collator, rows):
    batch = collator(rows)
    for number, row in enumerate(rows):
        assert batch["input_ids"][number, : row.tokens].tolist() == [*row.prompt.ids, *row.answer]
        assert batch["attention_mask"][number].tolist() == [1] * row.tokens + [0] * (
            batch["input_ids"].shape[1] - row.tokens
        )
        assert (batch["input_ids"][number, row.tokens :] == PAD).all()
    asked = collator.prompts([row.prompt for row in rows])
    for number, row in enumerate(rows):
        assert asked["input_ids"][number, -len(row.prompt.ids) :].tolist() == row.prompt.ids
        assert int(asked["attention_mask"][number].sum()) == len(row.prompt.ids)
    assert collator.prompts([rows[0].prompt], Side.RIGHT)["input_ids"].tolist() == [rows[0].prompt.ids]


def test_pictures_lie_in_the_order_of_rows_and_have_their_tokens(collator, rows):
    batch = collator(rows)
    assert batch["image_grid_thw"].tolist() == [list(row.prompt.grid) for row in rows]
    assert torch.equal(batch["pixel_values"], torch.cat([row.prompt.patches for row in rows]))
    assert batch["mm_token_type_ids"].sum(1).tolist() == [6, 4, 9]
    assert torch.equal(batch["mm_token_type_ids"] == 1, batch["input_ids"] == IMAGE)


def test_a_row_with_another_number_of_picture_tokens_is_refused(collator, rows):
    short = Prompt(rows[1].prompt.ids[1:], rows[1].prompt.patches, rows[1].prompt.grid)
    wrong = Prompt([token for token in short.ids if token != IMAGE], short.patches, short.grid)
    with pytest.raises(InputError, match="row 1 of a batch has 0 picture tokens instead of 4"):
        collator.prompts([rows[0].prompt, wrong])


def test_the_plan_says_what_stands_at_each_label(collator, rows):
    batch = collator(rows)
    plan = batch[PLAN]
    labels = batch["labels"][batch["labels"] != IGNORED]
    assert torch.equal(labels[plan["digits"]], plan["digit_ids"][plan["written"]])
    assert torch.bincount(plan["row"]).tolist() == [len(row.answer) for row in rows]
    assert torch.equal(plan["row"][plan["digits"][:, 0]], plan["value_row"])
    assert plan["integers"].tolist() == [4, 2, 2] * 3
    written = (plan["written"] * torch.tensor([1, 0.1, 0.01])).sum(1)
    assert torch.allclose(written.double(), plan["exact"], atol=0.005001)
    assert (rows[1].exact[0], plan["exact"][3]) == (-0.31, 0.31)


def test_worker_processes_can_be_given_the_collator(collator, rows):
    again = pickle.loads(pickle.dumps(collator))
    assert torch.equal(again(rows)["labels"], collator(rows)["labels"])
