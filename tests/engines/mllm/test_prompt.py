"""The prompt is the chat that training wrote, token for token, and our own question is in our own words."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semanticface.actions import CSV_ORDER
from semanticface.engines.mllm.profile import WORDED, Layout, Profile
from semanticface.engines.mllm.prompt import OWN_SYSTEM, Prompter, chat_text, own_user_prompt, split_user
from semanticface.errors import AssetError, MediaError

pytest.importorskip("torch", reason="the mllm extra is not installed")
tokenizers = pytest.importorskip("tokenizers", reason="the mllm extra is not installed")

OWN = Profile(name="own", system=OWN_SYSTEM, user=own_user_prompt(Layout.BARE, 1))
FIELDS = ("expression_category", "muscle_movements", "emotional_implication", "symmetry")
EVERY = [(layout, decimals) for layout in WORDED for decimals in (1, 3)]


@pytest.fixture(scope="module")
def tokenizer(qwen_tokenizer: Path) -> Any:
    return tokenizers.Tokenizer.from_file(str(qwen_tokenizer))


def picture(height: int = 100, width: int = 150) -> np.ndarray:
    return np.random.default_rng(3).integers(0, 256, (height, width, 3), np.uint8)


def test_the_chat_is_laid_out_as_in_training():
    profile = replace(OWN, system="Be brief.", user="What is it?")
    assert chat_text(profile, 3) == (
        "<|im_start|>system\nBe brief.<|im_end|>\n"
        "<|im_start|>user\n<|vision_start|><|image_pad|><|image_pad|><|image_pad|><|vision_end|>What is it?<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_a_profile_without_a_system_text_has_no_system_part():
    assert chat_text(replace(OWN, system="", user="Who?"), 1).startswith("<|im_start|>user\n<|vision_start|>")


@pytest.mark.parametrize(
    ("user", "parts"),
    [
        ("What?", ("", "What?")),
        ("<image>What?", ("", "What?")),
        ("Before <image> after", ("Before ", " after")),
        ("What?<image>", ("What?", "")),
    ],
)
def test_the_picture_goes_where_its_tag_stands(tokenizer, user: str, parts: tuple[str, str]):
    assert split_user(user) == parts
    profile = replace(OWN, user=user)
    around = f"<|im_start|>user\n{parts[0]}<|vision_start|><|image_pad|><|vision_end|>{parts[1]}<|im_end|>"
    assert around in chat_text(profile, 1)
    prompt = Prompter(tokenizer, profile).build(picture(64, 64))
    assert tokenizer.decode(prompt.ids, skip_special_tokens=False) == chat_text(profile, 4)


def test_a_user_text_with_two_pictures_is_refused(tokenizer):
    with pytest.raises(AssetError, match="2 places for a picture"):
        Prompter(tokenizer, replace(OWN, user="<image> and <image>"))


@pytest.mark.parametrize("layout", WORDED)
@pytest.mark.parametrize("size", [(64, 64), (100, 150), (504, 896), (1080, 1920)])
def test_tokens_put_together_equal_those_of_the_whole_text(tokenizer, layout: Layout, size: tuple[int, int]):
    profile = replace(OWN, user=own_user_prompt(layout, 3))
    prompter = Prompter(tokenizer, profile)
    prompt = prompter.build(picture(*size))
    tokens = prompt.grid[1] * prompt.grid[2] // 4
    assert prompt.ids == tokenizer.encode(chat_text(profile, tokens), add_special_tokens=False).ids
    assert len(prompt.ids) == prompter.text_tokens + tokens
    assert tuple(prompt.patches.shape) == (4 * tokens, 1536)
    assert str(prompt.patches.dtype) == "torch.float32"


def test_texts_with_odd_characters_stay_whole_at_the_seams(tokenizer):
    for system, user in (("s \n", "\n\n  u "), ("e\u0301", "\u0301e"), ("", "<image>"), ("<|im_", "end|>")):
        profile = replace(OWN, system=system, user=user)
        prompt = Prompter(tokenizer, profile).build(picture(64, 64))
        assert prompt.ids == tokenizer.encode(chat_text(profile, 4), add_special_tokens=False).ids


def test_the_released_prompt_has_the_measured_length(tokenizer, shared: Path):
    """752 tokens and the picture's: 41 up to it, 711 from there."""
    messages = _released(shared)
    profile = replace(OWN, system=messages["system"], user=messages["user"])
    prompt = Prompter(tokenizer, profile).build(picture(504, 896))
    assert len(prompt.ids) == 752 + 448
    assert prompt.ids.index(tokenizer.token_to_id("<|image_pad|>")) == 41
    assert (
        Prompter(tokenizer, replace(profile, user=messages["user"].removeprefix("<image>")))
        .build(picture(504, 896))
        .ids
        == prompt.ids
    )


def test_the_picture_keeps_to_the_profiles_limits_or_to_the_ones_given(tokenizer):
    prompter = Prompter(tokenizer, replace(OWN, image_tokens=(16, 32)))
    for image, limits, tokens in (
        (picture(504, 896), None, 28),
        (picture(40, 40), None, 16),
        (picture(504, 896), (4, 60), 50),
    ):
        prompt = prompter.build(image, limits)
        assert prompt.grid[1] * prompt.grid[2] // 4 == tokens
        assert prompt.ids.count(tokenizer.token_to_id("<|image_pad|>")) == tokens


@pytest.mark.parametrize("token", ["<|im_end|>", "<|im_start|>", "<|image_pad|>", "<|vision_start|>", "<|endoftext|>"])
def test_a_text_that_would_break_the_chat_is_refused(tokenizer, token: str):
    for field in ("system", "user"):
        with pytest.raises(AssetError, match=rf"{field} text holds {re.escape(token)}"):
            Prompter(tokenizer, replace(OWN, **{field: f"so {token} then"}))
    with pytest.raises(AssetError, match="system text holds <image>"):
        Prompter(tokenizer, replace(OWN, system="<image>"))


def test_a_picture_that_the_model_cant_take_is_refused(tokenizer):
    with pytest.raises(MediaError, match="too narrow"):
        Prompter(tokenizer, OWN).build(np.zeros((1, 500, 3), np.uint8))


def test_a_tokenizer_that_is_not_qwens_is_refused():
    other = tokenizers.Tokenizer(tokenizers.models.WordLevel({"a": 0, "[UNK]": 1}, unk_token="[UNK]"))
    with pytest.raises(AssetError, match=r"no token <\|vision_start\|>"):
        Prompter(other, OWN)


def test_a_tokenizer_that_lost_its_special_tokens_is_refused():
    words = {
        "[UNK]": 0,
        **{
            f"<|{name}|>": n
            for n, name in enumerate(("vision_start", "image_pad", "vision_end", "im_start", "im_end"), start=1)
        },
    }
    other = tokenizers.Tokenizer(tokenizers.models.WordLevel(words, unk_token="[UNK]"))
    with pytest.raises(AssetError, match=r"doesn't read <\|image_pad\|> as one token"):
        Prompter(other, OWN)


def test_truncation_that_a_tokenizer_was_saved_with_takes_nothing_away(qwen_tokenizer: Path):
    cut = tokenizers.Tokenizer.from_file(str(qwen_tokenizer))
    expected = Prompter(cut, OWN).build(picture()).ids
    cut.enable_truncation(50)
    cut.enable_padding(length=4000)
    assert Prompter(cut, OWN).build(picture()).ids == expected


@pytest.mark.parametrize(("layout", "decimals"), EVERY)
def test_our_question_asks_for_everything_point_by_point(layout: Layout, decimals: int):
    text = own_user_prompt(layout, decimals)
    assert ", ".join(CSV_ORDER) in text
    titles = FIELDS if layout is not Layout.BARE else [name.replace("_", " ") for name in FIELDS]
    found = [text.lower().index(title) for title in titles]
    assert found == sorted(found)
    for region in ("brows", "eyes", "cheeks", "mouth", "jaw"):
        assert region in text
    for rule in ("how strongly", "not clearly observable", "mostly symmetric", "one side moves more"):
        assert rule in text
    assert "0 is at rest" in text and "radians" in text and "may be negative" in text
    assert f"0.{'0' * decimals}," in text.replace("}", ",")
    assert f"{decimals} digit" in text
    assert "61" in text and "52" in text


def test_the_question_can_be_read_without_the_model_libraries():
    """The command line and the remote engine take the words from here; neither waits for torch or numpy."""
    code = (
        "import sys; from semanticface.engines.mllm.prompt import own_user_prompt as ask; "
        "from semanticface.engines.mllm.profile import Layout; ask(Layout.BARE, 1); "
        "print(sorted({'torch', 'numpy', 'tokenizers', 'PIL'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_layouts_and_decimals_are_told_apart():
    texts = {own_user_prompt(layout, decimals) for layout, decimals in EVERY}
    assert len(texts) == len(EVERY)
    for decimals in (1, 3):
        outline = {layout: own_user_prompt(layout, decimals).split("\n\n")[-1] for layout in WORDED}
        assert '"arkit"' not in outline[Layout.BARE] and "**" not in outline[Layout.PAPER]
        assert "**Symmetry**" in own_user_prompt(Layout.BARE, decimals)
        assert outline[Layout.PAPER].count("\n") == 1 and outline[Layout.PAPER_INDENTED].count("\n") > 10
        for layout in (Layout.PAPER, Layout.PAPER_INDENTED):
            held = json.loads(outline[layout].split("\n", 1)[1].replace("...,", ""))
            assert tuple(held["analysis"]) == FIELDS
            assert set(held["arkit"]) == {CSV_ORDER[0], CSV_ORDER[-1]}


@pytest.mark.parametrize(("layout", "decimals"), EVERY)
def test_our_question_copies_no_sentence_of_the_papers_or_the_released_one(shared: Path, layout: Layout, decimals: int):
    """No six words in a row. Lists of names, and the zeros beside them in an outline, are the format itself."""
    names = {name.lower() for name in CSV_ORDER} | set(FIELDS) | {"analysis", "arkit", "0", "000"}
    ours = _shingles(f"{OWN_SYSTEM}\n{own_user_prompt(layout, decimals)}")
    paper = shared / "paper" / "semanticface.txt"
    theirs = _shingles(paper.read_text(encoding="utf-8"))
    if (shared / "data" / "semanticface").is_dir():
        theirs |= _shingles("\n".join(_released(shared).values()))
    assert len(theirs) > 1000
    copied = {run for run in ours & theirs if not set(run) <= names}
    assert copied == set()


def _shingles(text: str) -> set[tuple[str, ...]]:
    words = re.findall(r"[a-z0-9_]+", text.lower())
    return {tuple(words[at : at + 6]) for at in range(len(words) - 5)}


def _released(shared: Path) -> dict[str, str]:
    path = shared / "data" / "semanticface" / "released_prompt.jsonl"
    if not path.is_file():
        pytest.skip("the released prompt is not among the development data")
    record = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
    return {message["role"]: message["content"] for message in record["messages"]}
