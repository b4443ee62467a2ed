"""Loading: every family comes in whole, and every way to fail is one clear sentence."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest
import torch
from huggingface_hub import HfApi
from transformers import BertConfig, BertForMaskedLM, T5Config, T5ForConditionalGeneration

from tests.models import tiny
from unlearning.errors import UserError
from unlearning.models import hub, locate
from unlearning.models import load as loading
from unlearning.models.load import load
from unlearning.models.memory import describe

ALL_FAMILIES = [*tiny.FAMILIES, "mistral", "qwen3", "gemma", "gemma3_text", "gpt_neo"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny.write_folder(tmp_path / "model")


@pytest.mark.parametrize("family", ALL_FAMILIES)
def test_families_come_in_whole(family: str, tmp_path: Path) -> None:
    expected = tiny.build_loaded(family)
    loaded = load(str(tiny.write_folder(tmp_path / "m", family)), device="cpu")
    assert loaded.sha256 == expected.sha256
    assert loaded.parameters == expected.parameters
    assert loaded.context_length == tiny.CONTEXT
    assert not loaded.model.training
    assert not any(parameter.requires_grad for parameter in loaded.model.parameters())
    assert (loaded.device.type, loaded.dtype) == ("cpu", torch.float32)
    assert loaded.tokenizer("café 東京", add_special_tokens=False) == tiny.build_tokenizer()(
        "café 東京", add_special_tokens=False
    )


def test_number_formats(folder: Path) -> None:
    half = load(str(folder), device="cpu", dtype="bfloat16")
    assert half.dtype == torch.bfloat16 == next(half.model.parameters()).dtype
    assert load(str(folder), device="cpu", dtype="bfloat16", full=True).dtype == torch.float32
    assert half.sha256 != load(str(folder), device="cpu").sha256
    with pytest.raises(UserError, match="int3"):
        load(str(folder), dtype="int3")


@pytest.mark.parametrize("device", ["cuda:99", "tpu", "meta", "nonsense"])
def test_a_device_that_is_not_there(folder: Path, device: str) -> None:
    with pytest.raises(UserError, match=device):
        load(str(folder), device=device)


def test_chat_and_padding(tmp_path: Path) -> None:
    folder = tiny.write_folder(tmp_path / "m", "gpt2", chat=True, pad=False)
    loaded = load(str(folder), device="cpu")
    assert loaded.chat and describe(str(folder))["chat"]
    assert loaded.tokenizer.pad_token == "</s>"
    assert any("padding" in notice for notice in loaded.notices)
    assert loaded.model.get_input_embeddings().weight.shape[0] == len(tiny.build_tokenizer())


def test_a_tokenizer_from_elsewhere(folder: Path, tmp_path: Path) -> None:
    bare = tmp_path / "weights"
    tiny.build_model(seed=1).save_pretrained(bare)
    with pytest.raises(UserError, match="no tokenizer"):
        load(str(bare), device="cpu")
    assert load(str(bare), device="cpu", tokenizer=str(folder)).tokenizer.eos_token == "</s>"


def rewrite(**changes: object) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        file = folder / "config.json"
        content = json.loads(file.read_text()) | changes
        file.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))

    return act


def delete(*patterns: str) -> Callable[[Path], None]:
    def act(folder: Path) -> None:
        for pattern in patterns:
            for file in folder.glob(pattern):
                file.unlink()

    return act


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content)


def cut_short(folder: Path) -> None:
    file = folder / "model.safetensors"
    file.write_bytes(file.read_bytes()[:-100])


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def sharded(folder: Path) -> None:
    delete("model.safetensors")(folder)
    index = {"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def leads_out(folder: Path) -> None:
    shutil.copy(folder / "model.safetensors", folder.parent / "other.safetensors")
    delete("model.safetensors")(folder)
    index = {"weight_map": {"model.norm.weight": "../other.safetensors"}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index))


def adapter_only(folder: Path) -> None:
    delete("config.json")(folder)
    (folder / "adapter_config.json").write_text("{}")


DAMAGES: dict[str, tuple[Callable[[Path], None], str]] = {
    "no config": (delete("config.json"), "no config.json"),
    "adapter": (adapter_only, "an adapter"),
    "config is no JSON": (write("config.json", b"{"), "config.json .* is broken"),
    "config is a list": (write("config.json", b"[]"), "names no model_type"),
    "no model type": (rewrite(model_type=None), "names no model_type"),
    "wrong value": (rewrite(num_hidden_layers="many"), "broken|sizes"),
    "unknown family": (rewrite(model_type="zzz", architectures=None), "unknown family 'zzz'"),
    "own code": (
        rewrite(model_type="zzz", auto_map={"AutoModelForCausalLM": "m.M"}),
        "code of its own",
    ),
    "quantised": (rewrite(quantization_config={"quant_method": "gptq"}), "quantised"),
    "sizes differ": (rewrite(hidden_size=64), "cannot be read|do not belong"),
    "layers missing": (rewrite(num_hidden_layers=3, layer_types=None), "do not belong"),
    "only pickled": (pickled, "pickled"),
    "no weights": (delete("*.safetensors"), "no model.safetensors"),
    "cut short": (cut_short, "damaged or cut short"),
    "no safetensors": (write("model.safetensors", b"x" * 400), "damaged or cut short"),
    "shard missing": (sharded, "lacks the weight file"),
    "index leads out": (leads_out, "lacks the weight file"),
    "no tokenizer": (delete("tokenizer*"), "no tokenizer"),
    "broken tokenizer": (write("tokenizer.json", b"{}"), "tokenizer .* cannot be read"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damaged_folders(damage: str, folder: Path) -> None:
    act, message = DAMAGES[damage]
    act(folder)
    with pytest.raises(UserError, match=message) as caught:
        load(str(folder), device="cpu")
    assert caught.value.hint and "\n" not in caught.value.message


SEEN_ONLY_IN_LOADING = {
    "wrong value",
    "unknown family",
    "own code",
    "sizes differ",
    "layers missing",
    "broken tokenizer",
}


@pytest.mark.parametrize("damage", sorted(set(DAMAGES) - SEEN_ONLY_IN_LOADING))
def test_the_description_tells_the_rest_beforehand(damage: str, folder: Path) -> None:
    act, message = DAMAGES[damage]
    act(folder)
    with pytest.raises(UserError, match=message):
        describe(str(folder))


def test_other_kinds_of_models(tmp_path: Path) -> None:
    sizes = {"vocab_size": 50, "num_hidden_layers": 1, "num_attention_heads": 2}
    bert = BertForMaskedLM(BertConfig(hidden_size=8, intermediate_size=8, **sizes))
    t5 = T5ForConditionalGeneration(
        T5Config(vocab_size=50, d_model=8, d_kv=4, num_layers=1, d_ff=8)
    )
    for model in (bert, t5):
        name = type(model).__name__
        model.save_pretrained(tmp_path / name)
        tiny.build_tokenizer().save_pretrained(tmp_path / name)
        for look in (load, describe):
            with pytest.raises(UserError, match="continues text"):
                look(str(tmp_path / name))


def test_what_does_not_fit_is_said_with_numbers(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "free_memory", lambda device: 100_000)
    with pytest.raises(UserError, match=r"0 MB .*but only 0 MB are free"):
        load(str(folder), device="cpu")


@pytest.mark.parametrize(
    "name", ["", " ", "../x", "a/b/c", "/no/such/folder", "x" * 5000, "a\0b", "a--b", "run:7"]
)
def test_names_that_mean_nothing(name: str) -> None:
    with pytest.raises(UserError, match="no folder"):
        load(name)


def test_a_public_page_takes_its_list_only(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (str(folder), "someone/else", "../demo", "/etc"):
        with pytest.raises(UserError, match="public page"):
            load(name, public=True)
    monkeypatch.setenv(locate.ALLOWED_VARIABLE, "someone/else, ../evil")
    assert locate.locate("someone/else", public=True).source == "hub"
    assert "../evil" not in locate.allowed_models()
    monkeypatch.chdir(folder.parent)
    (folder.parent / "someone").mkdir()
    folder.rename(folder.parent / "someone" / "else")
    # A local folder of an allowed name is still a local folder.
    assert locate.locate("someone/else", public=True).folder is None


def test_an_embedded_model_that_is_not_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locate, "EMBEDDED_FOLDER", tmp_path)
    with pytest.raises(UserError, match="embedded model 'demo'"):
        load("demo")
    tiny.write_folder(tmp_path / "demo")
    assert load("demo", device="cpu", public=True).name == "demo"


ANSWERS = {
    "gated": (403, "GatedRepo", "gated"),
    "missing": (404, "RepoNotFound", "no model some/model"),
    "private": (401, "", "private"),
    "broken": (500, "", "answered 500"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_answers_of_the_hub(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    status, code, message = ANSWERS[case]

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("X-Error-Code", code)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with HTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        monkeypatch.setattr(hub, "HfApi", partial(HfApi, endpoint=endpoint))
        for look in (load, describe):
            with pytest.raises(UserError, match=message) as caught:
                look("some/model")
            assert caught.value.hint
        server.shutdown()


def test_no_hub_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        endpoint = f"http://127.0.0.1:{server.server_port}"
    monkeypatch.setattr(hub, "HfApi", partial(HfApi, endpoint=endpoint))
    for look in (load, describe):
        with pytest.raises(UserError, match="cannot be reached"):
            look("some/model")


class Listing:
    """What the hub tells of a model."""

    class File:
        def __init__(self, name: str, size: int) -> None:
            self.rfilename, self.size = name, size

    def __init__(self, files: dict[str, int]) -> None:
        self.siblings = [self.File(*pair) for pair in files.items()]


def test_the_hub_is_asked_before_anything_large_is_fetched(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {"config.json": 500, "pytorch_model.bin": 10**9}
    monkeypatch.setattr(hub, "cached", lambda model: None)
    monkeypatch.setattr(hub.HfApi, "model_info", lambda *args, **kwargs: Listing(files))
    monkeypatch.setattr(hub, "hf_hub_download", lambda *args, **kw: str(folder / "config.json"))
    monkeypatch.setattr(hub, "snapshot_download", lambda *args, **kwargs: str(folder))
    for look in (load, describe):
        with pytest.raises(UserError, match="pickled"):
            look("some/model")
    files["model.safetensors"] = 12345
    card = describe("some/model")
    assert (card["source"], card["bytes"], card["chat"]) == ("hub", 12345, None)
    assert card["parameters"] == tiny.build_loaded().parameters
    assert load("some/model", device="cpu").sha256 == tiny.build_loaded().sha256
    del files["config.json"]
    with pytest.raises(UserError, match="no config.json"):
        describe("some/model")


def test_sharded_weights(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    tiny.build_model().save_pretrained(folder, max_shard_size="20KB")
    tiny.build_tokenizer().save_pretrained(folder)
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert load(str(folder), device="cpu").sha256 == tiny.build_loaded().sha256
    assert describe(str(folder))["parameters"] == tiny.build_loaded().parameters


def test_a_real_checkpoint(shared_dir: Path) -> None:
    loaded = load(str(shared_dir / "models" / "stories260k"), device="cpu")
    assert loaded.parameters == describe(loaded.name)["parameters"]
    ids = loaded.tokenizer("Once upon a time", return_tensors="pt")["input_ids"]
    for _ in range(40):
        ids = torch.cat([ids, loaded.model(ids).logits[:, -1:].argmax(-1)], dim=1)
    text = loaded.tokenizer.decode(ids[0], skip_special_tokens=True)
    assert text.startswith("Once upon a time, there was a little girl named Lily.")
