"""Claims about the parts of the small chain: what is trained is what the backend runs, and nothing teaches a mirror."""

from __future__ import annotations

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER, mirrored
from semanticface.analysis.describe import describe
from semanticface.engines.mllm.picture import to_patches
from semanticface.engines.mllm.skeleton.template import build_templates
from semanticface_training.chain.checkpoint import form_of, profile_of, question_of
from semanticface_training.chain.plan import ACTIONS
from semanticface_training.chain.tokenizer import train_tokenizer
from semanticface_training.stage2.targets import Target, write

torch = pytest.importorskip("torch")


def _coefficients(seed: int) -> dict[str, float]:
    draw = np.random.default_rng(seed)
    return {name: float(round(draw.uniform(), 3)) if name in ACTIONS else 0.0 for name in CSV_ORDER}


@pytest.fixture(scope="module")
def tokenizer():
    texts = []
    for target in Target:
        texts.append(question_of(target).user)
        for seed in range(20):
            face = _coefficients(seed)
            texts.append(write(face, describe(face), form_of(target)).text)
    return train_tokenizer(texts)


def test_the_batched_vision_part_gives_what_transformers_gives_for_the_backends_patches(tokenizer):
    from semanticface_training.chain.architecture import Shape, new_model
    from semanticface_training.chain.vision import BatchedVision

    shape = Shape(side=96, layers=1)
    visual = new_model(shape, tokenizer.get_vocab(), 3).model.visual.eval()
    draw = np.random.default_rng(1)
    images = [draw.integers(0, 256, (96, 96, 3), np.uint8) for _ in range(3)]
    cut = [to_patches(image, (9, 9)) for image in images]
    with torch.no_grad():
        theirs = visual(
            torch.cat([torch.from_numpy(one.values) for one in cut]), torch.tensor([one.grid for one in cut])
        )
        pictures = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
        tokens, deep = BatchedVision(visual, 96)(pictures)
    assert tokens.flatten(0, 1) == pytest.approx(theirs.pooler_output, abs=2e-5)
    assert deep[0].flatten(0, 1) == pytest.approx(theirs.deepstack_features[0], abs=2e-5)


@pytest.mark.parametrize("target", list(Target))
def test_the_small_tokenizer_fits_the_backends_decoder_and_loses_no_letter(tokenizer, target):
    from semanticface_training.chain.architecture import Shape

    def encode(text):
        found = tokenizer.encode(text, add_special_tokens=False)
        return found.ids, found.offsets

    templates = build_templates(encode, profile_of(target, Shape()))
    assert len(templates[0].firsts) == len(ACTIONS)
    face = _coefficients(99)
    text = write(face, describe(face), form_of(target)).text + " ein Wort, das nie gelernt wurde: Grüße"
    assert tokenizer.decode(encode(text)[0]) == text


def test_the_mirror_of_a_batch_is_the_products_mirror():
    from semanticface_training.chain.augment import mirrored_values

    draw = np.random.default_rng(4)
    row = dict(zip(CSV_ORDER, draw.normal(size=61).tolist(), strict=True))
    turned = mirrored_values(torch.tensor([[row[name] for name in CSV_ORDER]]))[0]
    assert turned.tolist() == pytest.approx([mirrored(row)[name] for name in CSV_ORDER])
    picture = torch.zeros(2, 3, 32, 32)
    picture[:, :, :, :8] = 1.0
    from semanticface_training.chain.augment import varied

    torch.manual_seed(0)
    plain, mirror = varied(picture, torch.tensor([False, True]))
    assert plain[:, :, :4].mean() > 0.5 > plain[:, :, -4:].mean()
    assert mirror[:, :, -4:].mean() > 0.5 > mirror[:, :, :4].mean()


@pytest.fixture(scope="module")
def lessons(tokenizer):
    from semanticface_training.chain.lessons import make_lessons
    from semanticface_training.stage2.encode import Encoder

    encoder = Encoder(tokenizer, question_of(Target.A2), form_of(Target.A2), (9, 9))
    faces = [_coefficients(seed) for seed in range(6)]
    rows = [(f"row/{k}", face, describe(face)) for k, face in enumerate(faces)]
    return make_lessons(encoder, tokenizer, rows, describe, 96)


def test_wrong_values_are_shown_at_digits_alone_and_never_asked_for(lessons):
    from semanticface_training.chain.lessons import with_other_values

    batch = lessons.batch([0, 1, 2, 3, 4, 5], [False, True, False, True, False, False], [False] * 6)
    torch.manual_seed(1)
    labels = batch["labels"].clone()
    shown = with_other_values(batch, 1.0)
    changed = (shown != batch["input_ids"]).nonzero().tolist()
    digits = {(row, int(at)) for row in range(6) for at in batch["places"][row].flatten()}
    assert changed and {tuple(one) for one in changed} <= digits
    assert torch.equal(labels, batch["labels"])
    assert torch.equal(with_other_values(batch, 0.0), batch["input_ids"])


def test_other_rows_words_stand_before_true_values_and_are_not_taught(lessons):
    from semanticface_training.chain.learn import LOSS
    from semanticface_training.stage2.encode import Kind

    right, others = (*lessons.plain, *lessons.mirror), (*lessons.misled, *lessons.misled_mirror)
    for true, wrong in zip(right, others, strict=True):
        assert true.text.split("{")[1] == wrong.text.split("{")[1]
        assert true.text.split("{")[0] != wrong.text.split("{")[0]
        taught = np.array(LOSS.weights)[wrong.kinds] > 0
        begin = int(wrong.digits.min()) - 4
        assert not taught[: begin - 2].any() and taught[wrong.digits].all()
        assert (np.array(LOSS.weights)[true.kinds] > 0).all() and Kind.SIGN not in true.kinds


def test_a_mirrored_lesson_says_the_other_side(lessons):
    plain = lessons.plain[0].text
    turned = lessons.mirror[0].text
    left = plain.split('"MouthSmileLeft": ')[1][:3]
    right = turned.split('"MouthSmileRight": ')[1][:3]
    assert left == right
    assert plain.split("{")[0] != turned.split("{")[0]


def test_a_model_learns_what_it_is_shown(tokenizer, lessons):
    """Six faces as flat pictures of six colours: the loss has to fall far in a few steps."""
    from semanticface_training.chain.architecture import Shape, new_model, whiten_patches
    from semanticface_training.chain.learn import LearnRecipe, learn
    from semanticface_training.chain.schedule import Rates
    from semanticface_training.chain.tower import Head

    shape = Shape(layers=1, vision_layers=1)
    model = new_model(shape, tokenizer.get_vocab(), 1)
    draw = torch.Generator().manual_seed(2)
    pictures = torch.rand(6, 3, 96, 96, generator=draw) * 2 - 1
    whiten_patches(model.model.visual, pictures, 0)
    values = torch.rand(6, 61, generator=draw)
    head = Head(shape.tokens, shape.hidden, 61)
    recipe = LearnRecipe(12, batch=6, rates=Rates(adam=3e-3, warmup=2))
    taken = learn(model, 96, head, lessons, pictures, values, recipe)
    assert [step.number for step in taken] == list(range(1, 13))
    assert taken[-1].cross_entropy < 0.7 * taken[0].cross_entropy
