"""A checkpoint arrives whole, from whichever hub has it, or not at all: against real servers on this machine."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hub_kit import ADAPTER, BASE, COMMIT, SYSTEM, USER, Site, tensor_file, write_files

from semanticface import paths
from semanticface.assets.manifest import problems, read_manifest
from semanticface.engines.mllm.checkpoint import find_checkpoint, list_checkpoints
from semanticface.engines.mllm.profile import Layout, ValueChoice
from semanticface.engines.mllm.pulling import Ways, pull_base, pull_checkpoint
from semanticface.errors import AssetError

SHARD = "model-00001-of-00002.safetensors"
LATER = "model-00002-of-00002.safetensors"


def home_of_base() -> Path:
    return paths.models_dir() / "bases" / "Qwen--Qwen3-VL-4B-Instruct"


def names_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def test_a_pull_brings_base_adapter_and_prompt_and_nothing_that_no_run_needs(hubs: Site, ways: Ways):
    seen: list[tuple[int, int]] = []
    found = pull_checkpoint("semanticface", replace(ways, progress=lambda done, total: seen.append((done, total))))
    assert found == find_checkpoint() == list_checkpoints()[0]
    assert (found.profile.system, found.profile.user) == (SYSTEM, USER)
    assert found.profile.layouts[0] is Layout.BARE
    assert (found.profile.decimals, found.profile.image_tokens, found.profile.face_crop) == (1, (4, 1024), None)
    assert found.profile.value is ValueChoice.ARGMAX
    assert names_below(found.folder) == {
        "profile.json",
        "manifest.json",
        "adapter/adapter_config.json",
        "adapter/adapter_model.safetensors",
        "adapter/additional_config.json",
    }
    assert not {name for name in names_below(found.base) if name.endswith((".bin", ".md", ".png"))}
    assert (found.base / SHARD).read_bytes() == hubs.hf[BASE][SHARD]
    assert seen[-1][0] == seen[-1][1] == sum(size for name, size in hubs.served.items() if name != "example.jsonl")
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_the_manifest_records_source_revision_and_right_digests(hubs: Site, ways: Ways):
    found = pull_checkpoint("semanticface", ways)
    base, own = read_manifest(found.base), read_manifest(found.folder)
    assert base is not None and own is not None
    assert (base.source, base.revision) == (f"{hubs.hub}/hf/{BASE}", COMMIT)
    assert own.source.endswith(ADAPTER)
    assert problems(found.base, base.files) == problems(found.folder, own.files) == []
    assert {entry.path for entry in base.files} == names_below(found.base) - {"manifest.json"}


def test_a_second_pull_asks_nobody(hubs: Site, ways: Ways):
    first = pull_checkpoint("semanticface", ways)
    count = len(hubs.requests)
    assert pull_checkpoint("semanticface", ways) == first
    assert len(hubs.requests) == count


def test_only_a_missing_base_is_fetched_when_the_checkpoint_is_here(hubs: Site, ways: Ways):
    found = pull_checkpoint("semanticface", ways)
    found.base.rename(found.base.with_name("elsewhere"))
    hubs.served.clear()
    assert pull_checkpoint("semanticface", ways).base == found.base
    assert not {"adapter_model.safetensors", "example.jsonl"} & set(hubs.served)


def test_a_connection_that_breaks_is_taken_up_where_it_broke(hubs: Site, ways: Ways):
    hubs.ms.pop(BASE)
    hubs.break_after = {SHARD: [60_000, 50_000, 40_000, 30_000, 20_000]}
    found = pull_checkpoint("semanticface", ways)
    assert (found.base / SHARD).read_bytes() == hubs.hf[BASE][SHARD]
    assert hubs.served[SHARD] == len(hubs.hf[BASE][SHARD]), "no byte was sent twice"


def test_a_pull_that_gave_up_goes_on_later_and_keeps_whole_files(hubs: Site, ways: Ways):
    hubs.ms.pop(BASE)
    hubs.break_after = {LATER: [120_000] + [0] * 9}
    with pytest.raises(AssetError, match="120,000"):
        pull_checkpoint("semanticface", ways)
    assert list_checkpoints() == []
    assert not home_of_base().exists()
    hubs.break_after.clear()
    found = pull_checkpoint("semanticface", ways)
    assert (found.base / LATER).read_bytes() == hubs.hf[BASE][LATER]
    assert {hubs.served[name] for name in (SHARD, LATER)} == {len(hubs.hf[BASE][SHARD])}
    assert hubs.served["adapter_model.safetensors"] == len(hubs.ms[ADAPTER]["adapter_model.safetensors"])


def test_a_corrupt_file_is_refused_and_fetched_once_more(hubs: Site, ways: Ways):
    hubs.ms.pop(BASE)
    hubs.corrupt[SHARD] = 1
    found = pull_checkpoint("semanticface", ways)
    assert (found.base / SHARD).read_bytes() == hubs.hf[BASE][SHARD]
    assert hubs.served[SHARD] == 2 * len(hubs.hf[BASE][SHARD])


@pytest.mark.parametrize(("name", "hashed"), [(SHARD, "SHA-256"), ("tokenizer.json", "git hash")])
def test_a_file_that_stays_wrong_is_never_installed(hubs: Site, ways: Ways, name: str, hashed: str):
    """Large files are checked by SHA-256, small ones of Hugging Face by git's own hash."""
    hubs.corrupt[name] = 99
    with pytest.raises(AssetError, match=hashed):
        pull_checkpoint("semanticface", ways)
    assert not home_of_base().exists()
    assert not [path for path in paths.models_dir().rglob(f"{name}*") if path.is_file()]


def test_a_wrong_half_from_before_is_noticed(hubs: Site, ways: Ways):
    half = home_of_base().with_name(".Qwen--Qwen3-VL-4B-Instruct.part") / f"{SHARD}.part"
    half.parent.mkdir(parents=True)
    half.write_bytes(b"x" * 1000)
    assert (pull_base(BASE, ways) / SHARD).read_bytes() == hubs.hf[BASE][SHARD]


def test_the_second_hub_gives_the_base_when_the_first_does_not_answer(hubs: Site, ways: Ways):
    hubs.hang = {"/hf/"}
    found = pull_checkpoint("semanticface", ways)
    manifest = read_manifest(found.base)
    assert manifest is not None and "/ms/models/" in manifest.source
    assert (found.base / SHARD).read_bytes() == hubs.ms[BASE][SHARD]


def test_the_second_hub_finishes_what_the_first_began(hubs: Site, ways: Ways):
    hubs.break_after = {LATER: [90_000] + [0] * 4}
    found = pull_base(BASE, ways)
    assert (found / LATER).read_bytes() == hubs.ms[BASE][LATER]
    assert hubs.served[LATER] == len(hubs.ms[BASE][LATER])
    assert hubs.asked("/ms/api/v1/models/Qwen") > 1


def test_a_list_of_several_pages_is_read_to_its_end(hubs: Site, ways: Ways):
    hubs.page = 4
    assert (pull_base(BASE, ways) / LATER).is_file()
    assert hubs.asked("cursor=") == 2


def test_the_other_address_of_modelscopes_files_is_tried(hubs: Site, ways: Ways):
    hubs.sdk_address = False
    assert pull_checkpoint("semanticface", ways).name == "semanticface"


def test_of_a_damaged_base_only_the_damaged_file_is_fetched_again(hubs: Site, ways: Ways):
    shard = pull_base(BASE, ways) / SHARD
    shard.write_bytes(shard.read_bytes()[:-7])
    hubs.served.clear()
    pull_base(BASE, ways)
    assert shard.read_bytes() == hubs.hf[BASE][SHARD]
    assert set(hubs.served) == {SHARD}


def test_a_server_that_trickles_is_left(hubs: Site, ways: Ways):
    hubs.ms.pop(BASE)
    hubs.pace = 0.25
    limits = replace(ways.limits, stall=0.6, least=1 << 20, retries=0)
    with pytest.raises(AssetError, match=r"bytes in 0\.6 s"):
        pull_base(BASE, replace(ways, limits=limits))


def test_a_missing_adapter_is_said_before_gigabytes_come(hubs: Site, ways: Ways):
    hubs.ms.pop(ADAPTER)
    with pytest.raises(AssetError, match="404") as caught:
        pull_checkpoint("semanticface", ways)
    assert ADAPTER in caught.value.message
    assert "models import DIR" in caught.value.hint
    assert not {name for name in hubs.served if name.endswith(".safetensors")}


def test_of_several_adapters_the_one_of_the_highest_step_is_taken_and_that_is_said(hubs, ways, said):
    files = hubs.ms[ADAPTER]
    hubs.ms[ADAPTER] = {f"v0/checkpoint-{step}/{name}": body for step in (90, 1200) for name, body in files.items()}
    hubs.ms[ADAPTER]["v0/checkpoint-1200/adapter_model.safetensors"] = tensor_file(9000, seed=1200)
    found = pull_checkpoint("semanticface", ways)
    assert (found.folder / "adapter" / "adapter_model.safetensors").read_bytes() == tensor_file(9000, seed=1200)
    assert any("checkpoint-1200" in text for text in said)


def test_pickled_weights_are_never_fetched(hubs: Site, ways: Ways):
    hubs.ms[ADAPTER] = {"adapter_config.json": b"{}", "adapter_model.bin": b"\x80\x02"}
    with pytest.raises(AssetError, match="pickled"):
        pull_checkpoint("semanticface", ways)
    assert "adapter_model.bin" not in hubs.served


def test_the_token_stays_with_the_hub(hubs: Site, ways: Ways, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    pull_base(BASE, ways)
    told = {
        role: {headers.get("Authorization") for r, _, headers in hubs.requests if r == role}
        for role in ("hub", "storage")
    }
    assert told == {"hub": {"Bearer hf_secret"}, "storage": {None}}


@pytest.mark.parametrize(
    "path", ["../evil.json", "/etc/evil.json", "a/../../evil.json", "c:\\evil.json", "..\\evil.json"]
)
@pytest.mark.parametrize("hub", ["hf", "ms"])
def test_a_path_that_leaves_the_folder_is_refused(hubs: Site, ways: Ways, hub: str, path: str):
    digest = 64 * "a"
    hubs.listed["hf"] = [{"type": "file", "path": path, "size": 4, "oid": 40 * "a"}]
    hubs.listed["ms"] = [{"Type": "blob", "Path": path, "Size": 4, "Sha256": digest}]
    with pytest.raises(AssetError, match="outside of its folder"):
        pull_base(BASE, ways)
    assert not [name for name in hubs.served if "evil" in name]


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        ({"size": -4}, "size"),
        ({"size": 1 << 60}, "size"),
        ({"size": "4"}, "size"),
        ({"oid": "short"}, "git hash"),
        ({"oid": None}, "git hash"),
    ],
)
def test_a_listing_that_cannot_be_checked_is_refused(hubs: Site, ways: Ways, entry: dict, words: str):
    hubs.ms.pop(BASE)
    hubs.listed["hf"] = [{"type": "file", "path": "config.json", "size": 4, "oid": 40 * "a", **entry}]
    with pytest.raises(AssetError, match=words):
        pull_base(BASE, ways)


def test_too_small_a_disk_is_said_before_the_first_file(hubs: Site, ways: Ways):
    with pytest.raises(AssetError, match="GB free") as caught:
        pull_checkpoint("semanticface", replace(ways, free=lambda folder: 1 << 20))
    assert "SEMANTICFACE_HOME" in caught.value.hint
    assert set(hubs.served) == {"example.jsonl"}


@pytest.mark.parametrize("variable", ["SEMANTICFACE_OFFLINE", "HF_HUB_OFFLINE"])
def test_offline_means_that_no_server_hears_of_it(hubs: Site, ways: Ways, monkeypatch, variable: str):
    monkeypatch.setenv(variable, "1")
    for pull in (lambda: pull_checkpoint("semanticface", ways), lambda: pull_base(BASE, ways)):
        with pytest.raises(AssetError, match=variable):
            pull()
    assert hubs.requests == []


def test_a_base_in_the_cache_of_hugging_faces_tools_is_used_in_place(hubs: Site, ways: Ways, tmp_path: Path):
    """Snapshots there are links into a folder of blobs."""
    repository = tmp_path / "hf" / "hub" / "models--Qwen--Qwen3-VL-4B-Instruct"
    write_files(repository / "blobs", {name.replace("/", "_"): body for name, body in hubs.hf[BASE].items()})
    snapshot = repository / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    for name in hubs.hf[BASE]:
        (snapshot / name.replace("/", "_")).symlink_to(repository / "blobs" / name.replace("/", "_"))
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(COMMIT)
    found = pull_checkpoint("semanticface", ways)
    assert found.base == snapshot
    assert not [address for _, address, _ in hubs.requests if "Qwen" in address]


def test_an_incomplete_base_in_that_cache_is_not_used(hubs: Site, ways: Ways, tmp_path: Path):
    snapshot = tmp_path / "hf" / "hub" / "models--Qwen--Qwen3-VL-4B-Instruct" / "snapshots" / COMMIT
    write_files(snapshot, {name: body for name, body in hubs.hf[BASE].items() if name != SHARD})
    assert pull_base(BASE, ways) == home_of_base()


def test_another_kind_of_model_is_refused_before_its_weights_come(hubs: Site, ways: Ways):
    hubs.hf["Qwen/Qwen3-8B"] = {**hubs.hf[BASE], "config.json": json.dumps({"model_type": "qwen3"}).encode()}
    with pytest.raises(AssetError, match="qwen3_vl"):
        pull_base("Qwen/Qwen3-8B", ways)
    assert not {name for name in hubs.served if name.endswith(".safetensors")}


@pytest.mark.parametrize(
    ("prompt", "words"),
    [
        (b"", "404"),
        (b"<html>", "no such chat"),
        (b'{"messages": [{"role": "user", "content": "x"}]}', "no such chat"),
        (
            b'{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "<image>x"}]}',
            "EyeBlinkLeft",
        ),
    ],
)
def test_what_is_not_the_prompt_is_not_taken_for_it(hubs: Site, ways: Ways, prompt: bytes, words: str):
    hubs.prompt = prompt
    with pytest.raises(AssetError, match=words) as caught:
        pull_checkpoint("semanticface", ways)
    assert "--prompt FILE" in caught.value.hint


def test_the_prompt_may_come_from_a_file(hubs: Site, ways: Ways, tmp_path: Path):
    hubs.prompt, local = b"", tmp_path / "example.jsonl"
    local.write_bytes(b"\xef\xbb\xbf" + (json.dumps(_chat("<image>" + USER)) + "\n").encode())
    assert pull_checkpoint("semanticface", ways, local).profile.user == USER


def test_the_published_prompt_is_read(hubs: Site, ways: Ways, shared: Path):
    found = pull_checkpoint("semanticface", ways, shared / "data" / "semanticface" / "released_prompt.jsonl")
    assert "RightEyeRoll" in found.profile.user
    assert "<image>" not in found.profile.user


def _chat(user: str) -> dict[str, object]:
    return {"messages": [{"role": "system", "content": SYSTEM}, {"role": "user", "content": user}]}


def test_a_folder_of_the_users_own_is_not_replaced(hubs: Site, ways: Ways):
    mine = paths.models_dir() / "checkpoints" / "semanticface"
    mine.mkdir(parents=True)
    (mine / "profile.json").write_text("{")
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(AssetError, match="so it stays"):
        pull_checkpoint("semanticface", ways)
    assert (mine / "notes.txt").read_text() == "mine"


@pytest.mark.parametrize("place", ["checkpoints/semanticface", "bases/Qwen--Qwen3-VL-4B-Instruct"])
def test_a_folder_without_a_manifest_stops_the_pull_before_weights_come(hubs: Site, ways: Ways, place: str):
    mine = paths.models_dir() / place
    mine.mkdir(parents=True)
    (mine / "notes.txt").write_text("mine")
    with pytest.raises(AssetError, match="so it stays"):
        pull_checkpoint("semanticface", ways)
    assert (mine / "notes.txt").read_text() == "mine"
    assert not {name for name in hubs.served if name.endswith(".safetensors")}


def test_a_broken_checkpoint_in_a_studios_folder_is_named_and_not_touched(hubs, ways, tmp_path, monkeypatch):
    """It is searched first, so that one fetched elsewhere would not be found."""
    broken = tmp_path / "studio" / "checkpoints" / "semanticface"
    write_files(broken, {"profile.json": b"{", "manifest.json": b"{}"})
    monkeypatch.setenv("SEMANTICFACE_MODELS", str(tmp_path / "studio"))
    with pytest.raises(AssetError, match="studio") as caught:
        pull_checkpoint("semanticface", ways)
    assert "SEMANTICFACE_MODELS" in caught.value.hint
    assert hubs.requests == []


def test_a_damaged_pull_is_replaced(hubs: Site, ways: Ways):
    weights = pull_checkpoint("semanticface", ways).folder / "adapter" / "adapter_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    assert list_checkpoints() == []
    pull_checkpoint("semanticface", ways)
    assert weights.read_bytes() == hubs.ms[ADAPTER]["adapter_model.safetensors"]


@pytest.mark.parametrize("name", ["nobody", "../x", "Qwen/../x", "a/b/c"])
def test_a_name_that_is_none_is_refused_without_asking_anybody(hubs: Site, ways: Ways, name: str):
    with pytest.raises(AssetError):
        pull_checkpoint(name, ways)
    with pytest.raises(AssetError):
        pull_base(name, ways)
    assert hubs.requests == []
