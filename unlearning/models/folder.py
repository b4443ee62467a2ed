"""What a model folder holds, read without torch: configuration, weight files, chat template."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unlearning.errors import UserError

PICKLED = (".bin", ".pt", ".pth", ".ckpt", ".h5", ".msgpack")
CAUSAL = ("ForCausalLM", "LMHeadModel")
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"
TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
)
LONGEST_HEADER = 100 * 2**20


@dataclass(frozen=True, slots=True)
class Weights:
    """What the headers of the weight files say."""

    files: tuple[Path, ...]
    parameters: int
    bytes: int


def read_config(folder: Path, name: str) -> dict[str, Any]:
    """The configuration of a causal language model.

    Raises:
        UserError: there is none, it is broken, or it is of another kind of model.
    """
    file = folder / "config.json"
    if not file.is_file():
        if (folder / "adapter_config.json").is_file():
            raise UserError(
                f"{name} holds an adapter, not a whole model.",
                "Merge it into its model first, or name the run it came from as run:ID.",
            )
        raise UserError(
            f"{name} has no config.json, so it is not a model folder.",
            "Name a folder that save_pretrained wrote.",
        )
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(
            f"The config.json of {name} is broken: {error}.", "Download or save the model again."
        ) from error
    check_config(config, name)
    return config


def check_config(config: Any, name: str) -> None:
    """Refuse everything but the configuration of a causal language model.

    Raises:
        UserError: says what it is instead.
    """
    if not isinstance(config, dict) or not isinstance(config.get("model_type"), str):
        raise UserError(
            f"The config.json of {name} names no model_type.", "Download or save the model again."
        )
    made = _architectures(config)
    if config.get("is_encoder_decoder") or (made and not any(a.endswith(CAUSAL) for a in made)):
        kind = ", ".join(made) or config["model_type"]
        raise UserError(
            f"{name} is a {kind}, but Lethe needs a model that continues text (a causal language "
            "model).",
            "Choose a model such as Llama, Qwen, Gemma, GPT-2, Pythia or OPT.",
        )
    if config.get("quantization_config"):
        raise UserError(
            f"{name} is stored in quantised form, which cannot be trained.",
            "Choose the unquantised model of the same name.",
        )


def doubt(config: dict[str, Any]) -> str:
    """Why only loading can tell whether the model is one for Lethe; empty where this suffices."""
    if "auto_map" in config:
        return (
            "It brings Python code of its own, which Lethe never runs: it loads only if its "
            "family is built into transformers."
        )
    if not _architectures(config):
        return "Its config.json names no architecture: only loading tells what kind of model it is."
    return ""


def _architectures(config: dict[str, Any]) -> list[str]:
    named = config.get("architectures")
    return [str(item) for item in named] if isinstance(named, list) else []


def read_weights(folder: Path, name: str) -> Weights:
    """Weight files with their sizes; every header is read, so that damage shows early.

    Raises:
        UserError: only pickled weights, none at all, a shard missing, or a file cut short.
    """
    files = _weight_files(folder, name)
    parameters = size = 0
    for file in files:
        counted = _count(file, name)
        parameters += counted
        size += file.stat().st_size
    return Weights(tuple(files), parameters, size)


def refuse_pickled(names: list[str], name: str) -> None:
    """Look for safetensors in a list of file names.

    Raises:
        UserError: there are pickled weights only, or no weights at all.
    """
    if any(file in (SINGLE, INDEX) for file in names):
        return
    if any(file.endswith(PICKLED) for file in names):
        raise UserError(
            f"{name} has pickled weights only, and unpickling can run any code.",
            "Choose a model with model.safetensors, or convert it on a machine of your own.",
        )
    raise UserError(
        f"{name} has no model.safetensors.", "Choose a folder or model with weights in that form."
    )


def context_length(config: dict[str, Any]) -> int | None:
    """Longest sequence that the model reads, in tokens; None where the config does not say."""
    for key in ("max_position_embeddings", "n_positions", "n_ctx", "seq_length", "max_seq_len"):
        if isinstance(config.get(key), int) and config[key] > 0:
            return config[key]
    return None


def has_tokenizer(folder: Path) -> bool:
    """Whether there is any tokenizer file."""
    return any((folder / file).is_file() for file in TOKENIZER_FILES)


def has_chat_template(folder: Path) -> bool:
    """Whether the tokenizer comes with a chat template."""
    if (folder / "chat_template.jinja").is_file() or (folder / "chat_template.json").is_file():
        return True
    try:
        content = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return isinstance(content, dict) and bool(content.get("chat_template"))


def _weight_files(folder: Path, name: str) -> list[Path]:
    refuse_pickled([file.name for file in folder.iterdir()], name)
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
        parts = sorted(set(index["weight_map"].values()))
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise UserError(f"The {INDEX} of {name} is broken.", "Download the model again.") from error
    for part in parts:
        # The index is a stranger's text: a name with a path in it would lead out of the folder.
        if Path(part).name != part or not (folder / part).is_file():
            raise UserError(f"{name} lacks the weight file {part}.", "Download the model again.")
    return [folder / part for part in parts]


def _count(file: Path, name: str) -> int:
    """Numbers in a safetensors file, from its header: length, JSON, then the data."""
    try:
        with file.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 0 < length <= LONGEST_HEADER:
                raise ValueError("no header")
            header = json.loads(stream.read(length))
        tensors = [entry for key, entry in header.items() if key != "__metadata__"]
        end = max((entry["data_offsets"][1] for entry in tensors), default=0)
        if file.stat().st_size != 8 + length + end:
            raise ValueError("cut short")
        return sum(math.prod(entry["shape"]) for entry in tensors)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
        raise UserError(
            f"The weights of {name} ({file.name}) are damaged or cut short.",
            "Download or save the model again.",
        ) from error
