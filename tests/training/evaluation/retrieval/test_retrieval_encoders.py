"""What goes into the encoders, the loss between them, and options: worked out by hand where that can be."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from semanticface.actions import CSV_ORDER, mirrored
from semanticface.errors import OptionsError
from semanticface_training.commands.evaluator import fit
from semanticface_training.evaluation.retrieval.encoders import LocalNormalisation, MotionEncoder
from semanticface_training.evaluation.retrieval.options import Options
from semanticface_training.evaluation.retrieval.pictures import augmented, mirror_rule, small_grey
from semanticface_training.evaluation.retrieval.training import symmetric_info_nce


def test_loss_is_the_mean_of_both_directions_worked_out_by_hand():
    images, motions = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 0.0], [1.0, 0.0]])
    scores = np.array([[1.0, 1.0], [0.0, 0.0]]) / 0.5
    logs = scores - np.log(np.exp(scores).sum(1, keepdims=True))
    other = scores.T - np.log(np.exp(scores.T).sum(1, keepdims=True))
    by_hand = -(np.diag(logs).mean() + np.diag(other).mean()) / 2
    assert float(symmetric_info_nce(images, motions, 0.5)) == pytest.approx(by_hand, abs=1e-6)


def test_mirrored_pictures_have_mirrored_motions():
    values = np.random.default_rng(0).random((1, 61)).astype(np.float32)
    places, signs = mirror_rule()
    named = mirrored(dict(zip(CSV_ORDER, values[0].tolist(), strict=True)))
    assert (values[:, places] * signs)[0] == pytest.approx([named[name] for name in CSV_ORDER])
    picture = torch.zeros(64, 32, 32)
    picture[:, :, :16] = 1.0  # bright on the viewer's left
    moved, motions = augmented(picture, torch.from_numpy(values).repeat(64, 1), torch.Generator().manual_seed(0))
    turned = moved[:, :, :12].mean((1, 2)) < moved[:, :, 20:].mean((1, 2))
    assert 0 < int(turned.sum()) < 64
    for row in range(64):
        wanted = (values[:, places] * signs)[0] if turned[row] else values[0]
        assert motions[row].numpy() == pytest.approx(wanted)


def test_light_goes_and_edges_stay():
    draw = torch.rand(1, 48, 48, generator=torch.Generator().manual_seed(1)) * 0.5
    look = LocalNormalisation(48)
    assert look(draw + 0.3)[0] == pytest.approx(look(draw)[0], abs=1e-3)
    flat = look(torch.full((1, 48, 48), 0.7))
    assert float(flat.abs().max()) < 0.05
    window = draw[0, 10 - 3 : 10 + 4, 20 - 3 : 20 + 4]  # 48 // 8 | 1 = 7 points
    by_hand = (draw[0, 10, 20] - window.mean()) / (window.var(unbiased=False) + 4e-4).sqrt()
    assert float(look(draw)[0, 0, 10, 20]) == pytest.approx(float(by_hand), abs=1e-4)


def test_a_picture_of_any_shape_is_seen_whole():
    tall = np.zeros((200, 50, 3), np.uint8)
    tall[:20] = tall[-20:] = 255
    seen = small_grey(tall, 40)
    assert seen.shape == (40, 40)
    assert seen[:3].min() == seen[-3:].min() == 255
    assert seen[10:30].max() == 0
    assert small_grey(np.full((7, 9, 3), 80, np.uint8), 32).shape == (32, 32)


def test_options_that_make_no_training_are_refused():
    for name, value in (("batch", 1), ("size", 8), ("temperature", 0.0), ("rate", -1.0), ("patience", 0)):
        with pytest.raises(OptionsError):
            Options(**{name: value})


def test_extreme_predictions_stay_unit_vectors():
    encoder = MotionEncoder(np.zeros(61), np.full(61, 0.01), 16, 8).eval()
    with torch.inference_mode():
        out = encoder(torch.full((2, 61), 1e4))
    assert out.norm(dim=1).numpy() == pytest.approx(1, abs=1e-4)


def test_the_commands_defaults_are_the_options_own():
    given = {name: parameter.default for name, parameter in inspect.signature(fit).parameters.items()}
    own = Options().to_dict()
    named = ("batch", "size", "temperature", "rate", "epochs", "patience", "augment", "seed")
    assert {name: given[name] for name in named} == {name: own[name] for name in named}
    assert own["decay"] == own["rate"]
