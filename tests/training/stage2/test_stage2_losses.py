"""Losses against numbers worked out by hand, against finite differences, and against the reading side."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from semanticface.engines.mllm.skeleton.choices import Choice
from semanticface.engines.mllm.values import readings
from semanticface.errors import OptionsError
from semanticface_training.small_model.architecture import IMAGE, PAD
from semanticface_training.stage2.collate import IGNORED, PLAN, Collator
from semanticface_training.stage2.encode import Encoder, Kind
from semanticface_training.stage2.losses import (
    LossSettings,
    Soft,
    answer_loss,
    digit_labels,
    digit_odds,
    expected_value,
    place_distance,
)
from semanticface_training.stage2.prompts import Wording, question
from semanticface_training.stage2.targets import Form, Target

VOCABULARY = 14
"""Tokens 0 to 9 are the digits, 10 a word, 11 a bracket, 12 a sign, 13 the end."""
TEXT = [10, 11, 12, 3, 0, 1, 13]
"""Word, bracket, sign, then 3.01 without its point, and the end."""
GAUSSIAN, TWO_HOT = LossSettings(soft=Soft.GAUSSIAN, sigma=0.015), LossSettings(soft=Soft.TWO_HOT)


def plan(rows=1, exact=3.01):
    kinds = [Kind.WORDS, Kind.TEMPLATE, Kind.SIGN, Kind.DIGIT, Kind.DIGIT, Kind.DIGIT, Kind.END]
    return {
        "row": torch.arange(rows).repeat_interleave(len(TEXT)),
        "kind": torch.tensor([int(kind) for kind in kinds] * rows),
        "digits": torch.tensor([[3, 4, 5]]) + len(TEXT) * torch.arange(rows)[:, None],
        "written": torch.tensor([[3, 0, 1]] * rows),
        "exact": torch.tensor([exact] * rows, dtype=torch.float64),
        "integers": torch.tensor([4] * rows),
        "value_row": torch.arange(rows),
        "digit_ids": torch.arange(10),
    }


def drawn(seed=0, rows=1):
    return torch.randn(rows * len(TEXT), VOCABULARY, generator=torch.Generator().manual_seed(seed))


def labels(rows=1):
    return torch.tensor(TEXT * rows)


def test_with_all_options_off_it_is_plain_cross_entropy():
    loss = answer_loss(drawn(), labels(), plan(), LossSettings())
    assert loss.total.item() == pytest.approx(torch.nn.functional.cross_entropy(drawn(), labels()).item())
    assert loss.distance.item() == loss.expectation.item() == 0


def test_weights_are_those_of_the_kinds():
    settings = LossSettings(words=0.5, template=0.05, sign=2, digit=1, end=3)
    each = torch.nn.functional.cross_entropy(drawn(), labels(), reduction="none")
    weights = torch.tensor([0.5, 0.05, 2, 1, 1, 1, 3])
    expected = ((each * weights).sum() / weights.sum()).item()
    assert answer_loss(drawn(), labels(), plan(), settings).total.item() == pytest.approx(expected)


def test_the_steps_number_of_tokens_divides_the_loss():
    settings = LossSettings(template=0.1, soft=Soft.TWO_HOT, distance=0.3, expectation=2)
    alone = answer_loss(drawn(), labels(), plan(), settings)
    shared = answer_loss(drawn(), labels(), plan(), settings, torch.tensor(4 * len(TEXT)))
    for name in ("total", "cross_entropy", "distance", "expectation"):
        assert getattr(shared, name).item() == pytest.approx(getattr(alone, name).item() / 4)


@pytest.mark.parametrize("settings", [LossSettings(), LossSettings(words=0.2, distance=0.3, expectation=2)])
def test_rows_of_other_lengths_weigh_as_much_together_as_alone(settings):
    """A second answer with three words more: the batch's loss is the sum of both, by the tokens of both."""
    more, both = 3, drawn(5, rows=2)
    both = torch.cat([both[:7], drawn(6)[:more], both[7:]])
    asked = torch.tensor([*TEXT, *[10] * more, *TEXT])
    long, pair = plan(), plan(rows=2)
    words = torch.zeros(more, dtype=torch.long)
    for one in (long, pair):
        at = 7 * (len(one["value_row"]) - 1)
        one["kind"] = torch.cat([one["kind"][:at], words, one["kind"][at:]])
        one["row"] = torch.cat([one["row"][:at], words + len(one["value_row"]) - 1, one["row"][at:]])
        one["digits"][-1] += more
    items = len(asked)
    alone = [
        answer_loss(both[:7], asked[:7], plan(), settings, items),
        answer_loss(both[7:], asked[7:], long, settings, items),
    ]
    together = answer_loss(both, asked, pair, settings).total.item()
    assert together == pytest.approx(sum(loss.total.item() for loss in alone), rel=1e-5)
    if settings == LossSettings():
        assert together == pytest.approx(torch.nn.functional.cross_entropy(both, asked).item(), rel=1e-5)


def test_hard_labels_are_one_hot():
    found = digit_labels(torch.tensor([0.301]), torch.tensor([[0, 3, 0, 1]]), LossSettings())
    assert found.shape == (1, 4, 10)
    assert found.argmax(-1).tolist() == [[0, 3, 0, 1]]
    assert found.sum().item() == 4


def by_counting(exact, written, sigma):
    """The Gaussian labels from the whole list of numbers that can be written, by summing their probabilities."""
    places = len(written)
    step = 10.0 ** (1 - places)
    numbers = np.arange(10**places)
    cdf = np.array([0.5 * math.erfc((exact - (n + 0.5) * step) / (sigma * math.sqrt(2))) for n in numbers])
    odds = np.diff(cdf, prepend=0.0)
    spelled = [f"{n:0{places}d}" for n in numbers]
    out = []
    for place in range(places):
        prefix = "".join(map(str, written[:place]))
        mass = [sum(odds[n] for n in numbers if spelled[n].startswith(prefix + str(j))) for j in range(10)]
        out.append(np.array(mass) / sum(mass))
    return np.array(out)


@pytest.mark.parametrize(
    ("exact", "written"), [(0.3, [0, 3, 0]), (0.296, [0, 3, 0]), (0.0, [0, 0, 0]), (0.99, [0, 9, 9])]
)
def test_gaussian_labels_are_the_odds_of_the_numbers_that_noise_makes(exact, written):
    found = digit_labels(torch.tensor([exact]), torch.tensor([written]), GAUSSIAN)[0].numpy()
    assert found == pytest.approx(by_counting(exact, written, GAUSSIAN.sigma), abs=1e-6)
    assert np.argmax(found[0]) == written[0]


def test_gaussian_labels_do_not_break_at_a_carry():
    """0.299 and 0.300 share no decimal, yet the first decimal's labels are nearly alike: half 2, half 3."""
    below = digit_labels(torch.tensor([0.299]).double(), torch.tensor([[0, 2, 9, 9]]), GAUSSIAN)[0, 1]
    above = digit_labels(torch.tensor([0.300]).double(), torch.tensor([[0, 3, 0, 0]]), GAUSSIAN)[0, 1]
    assert (below - above).abs().max() < 0.04
    assert above[2].item() == pytest.approx(0.4867, abs=1e-3)  # the normal below -0.5 steps of sigma 15 steps


def test_narrow_gaussian_labels_are_hard_ones():
    settings = replace(GAUSSIAN, sigma=1e-4)
    exact, written = torch.tensor([0.302]).double(), torch.tensor([[0, 3, 0]])
    assert digit_labels(exact, written, settings) == pytest.approx(
        digit_labels(exact, written, LossSettings()), abs=1e-6
    )


def test_two_hot_labels_keep_what_rounding_takes():
    """0.34 with one decimal: 0.3 with 0.6, 0.4 with 0.4, whose mean is 0.34."""
    found = digit_labels(torch.tensor([0.34], dtype=torch.float64), torch.tensor([[0, 3]]), TWO_HOT)[0]
    assert found[0].tolist() == [1.0] + [0.0] * 9
    assert found[1].tolist() == pytest.approx([0, 0, 0, 0.6, 0.4, 0, 0, 0, 0, 0])
    assert digit_labels(torch.tensor([0.5]), torch.tensor([[0, 5]]), TWO_HOT)[0, 1, 5].item() == pytest.approx(1)


def test_two_hot_labels_carry():
    """0.197: 0.19 with 0.3 and 0.20 with 0.7. Written is 0.20: first decimal 2 with 0.7, then 0 for certain."""
    found = digit_labels(torch.tensor([0.197], dtype=torch.float64), torch.tensor([[0, 2, 0]]), TWO_HOT)[0]
    assert found[1].tolist() == pytest.approx([0, 0.3, 0.7, 0, 0, 0, 0, 0, 0, 0])
    assert found[2].tolist() == pytest.approx([1, 0, 0, 0, 0, 0, 0, 0, 0, 0])


def test_soft_cross_entropy_is_over_the_whole_vocabulary():
    logits, exact = drawn(1), 3.014
    loss = answer_loss(logits, labels(), plan(exact=exact), TWO_HOT)
    each = -logits.log_softmax(-1)
    hard = sum(each[place, TEXT[place]] for place in (0, 1, 2, 3, 4, 6))
    expected = (hard + 0.6 * each[5, 1] + 0.4 * each[5, 2]) / len(TEXT)
    assert loss.total.item() == pytest.approx(expected.item(), rel=1e-5)


def test_distance_is_how_many_digits_off_by_what_they_are_worth():
    certain = torch.nn.functional.one_hot(torch.tensor([[1, 4, 7]]), 10).float()
    hard = digit_labels(torch.tensor([0.52]), torch.tensor([[0, 5, 2]]), LossSettings()).float()
    assert place_distance(certain, hard).item() == pytest.approx(1 + 0.1 + 0.05)
    even = torch.full((1, 1, 10), 0.1)
    four = torch.nn.functional.one_hot(torch.tensor([[4]]), 10).float()
    assert place_distance(even, four).item() == pytest.approx(np.mean([abs(j - 4) for j in range(10)]))


def test_terms_are_means_over_values_times_their_factor():
    settings = LossSettings(distance=0.3, expectation=5)
    loss = answer_loss(drawn(2), labels(), plan(exact=3.014), settings)
    odds = digit_odds(drawn(2)[3:6, :10][None], torch.tensor([4]))
    hard = torch.nn.functional.one_hot(torch.tensor([[3, 0, 1]]), 10).float()
    assert loss.distance.item() == pytest.approx(0.3 * place_distance(odds, hard).item())
    error = expected_value(odds, torch.tensor([[3, 0, 1]])).item() - 3.014
    assert loss.expectation.item() == pytest.approx(5 * error**2, rel=1e-4)
    assert loss.total.item() == pytest.approx((loss.cross_entropy + loss.distance + loss.expectation).item())


@pytest.mark.parametrize(("text", "integers"), [("0.3", 2), ("1.05", 2), ("0.127", 2), ("2.999", 4), ("0.000", 4)])
def test_the_expectation_in_training_is_the_one_that_the_backend_reads(text, integers):
    written = [int(letter) for letter in text.replace(".", "")]
    logits = torch.randn(1, len(written), 10, generator=torch.Generator().manual_seed(len(text)))
    found = expected_value(digit_odds(logits.double(), torch.tensor([integers])), torch.tensor([written])).item()
    digits = logits[0].numpy()
    choice = Choice(text, None, digits[0, :integers], tuple(digits[1:]))
    assert found == pytest.approx(readings({"JawOpen": choice}, len(written) - 1)["JawOpen"].expectation, abs=1e-6)


@pytest.mark.parametrize("soft", Soft)
def test_gradients_are_those_of_finite_differences(soft):
    settings = LossSettings(template=0.1, soft=soft, distance=0.3, expectation=5)
    logits = drawn(3).requires_grad_()
    answer_loss(logits, labels(), plan(exact=3.013), settings).total.backward()
    for place, token in ((0, 10), (3, 3), (4, 0), (4, 7), (5, 1), (5, 2), (5, 12), (6, 13)):
        ends = []
        for change in (1e-2, -1e-2):
            moved = logits.detach().clone()
            moved[place, token] += change
            ends.append(answer_loss(moved, labels(), plan(exact=3.013), settings).total.item())
        assert logits.grad[place, token].item() == pytest.approx((ends[0] - ends[1]) / 2e-2, abs=3e-4, rel=1e-2)


@pytest.mark.parametrize("soft", Soft)
@pytest.mark.parametrize("scale", [0, 80, 1e4])
def test_gradients_are_finite_for_any_certainty(soft, scale):
    settings = LossSettings(soft=soft, distance=0.3, expectation=5)
    for exact, wrong in ((3.01, 1), (3.01, -1)):
        logits = (wrong * scale * torch.nn.functional.one_hot(labels(), VOCABULARY).float()).requires_grad_()
        loss = answer_loss(logits, labels(), plan(exact=exact), settings).total
        loss.backward()
        assert torch.isfinite(loss)
        assert torch.isfinite(logits.grad).all()


def test_numbers_in_a_half_precision_are_compared_in_full():
    loss = answer_loss(drawn().bfloat16(), labels(), plan(), LossSettings(distance=1))
    assert loss.total.dtype is torch.float32


def test_a_better_number_is_a_smaller_loss_only_where_numbers_count():
    """Of two wrong answers cross-entropy prefers none; the others prefer 0.4 to 0.9 where 0.3 is right."""
    truth = {**plan(), "written": torch.tensor([[0, 3, 0]]), "exact": torch.tensor([0.3]).double()}
    right = torch.tensor([10, 11, 12, 0, 3, 0, 13])
    losses = {}
    for digit in (4, 9):
        logits = 5 * torch.nn.functional.one_hot(right, VOCABULARY).float()
        logits[4] = 5 * torch.nn.functional.one_hot(torch.tensor(digit), VOCABULARY)
        losses[digit] = [
            answer_loss(logits, right, truth, settings).total.item()
            for settings in (LossSettings(), LossSettings(distance=1), LossSettings(expectation=1))
        ]
    assert losses[4][0] == pytest.approx(losses[9][0])
    assert losses[4][1] < losses[9][1] - 0.1
    assert losses[4][2] < losses[9][2] - 0.1


@pytest.mark.parametrize("wrong", [{"digit": 0}, {"sigma": 0}, {"template": -1}, {"distance": math.nan}])
def test_settings_without_sense_are_refused(wrong):
    with pytest.raises(OptionsError):
        LossSettings(**wrong)


def test_a_value_that_is_wholly_learned_costs_nothing(qwen, faces):
    """A collated batch of the real tokenizer: with all its mass on the right tokens, each hard term is 0."""
    form = Form(Target.A1, actions=("HeadYaw", "JawOpen", "MouthSmileLeft"))
    encoder = Encoder(qwen, question(form, Wording.SHORT), form)
    batch = Collator(PAD, IMAGE, encoder.digit_ids)([encoder.encode(faces(seed)) for seed in (1, 2)])
    right = batch["labels"][batch["labels"] != IGNORED]
    logits = 60 * torch.nn.functional.one_hot(right, 151_936).float()
    loss = answer_loss(logits, right, batch[PLAN], LossSettings(distance=1, expectation=1))
    assert loss.cross_entropy.item() == pytest.approx(0, abs=1e-6)
    assert loss.distance.item() == pytest.approx(0, abs=1e-6)
    assert loss.expectation.item() == pytest.approx(0, abs=1e-6)  # what rounding takes, squared
