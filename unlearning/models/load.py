"""Load a causal language model: safetensors only, never a stranger's code, every refusal clear."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.models.auto.configuration_auto import CONFIG_MAPPING
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING
from transformers.utils import logging as transformers_logging

from unlearning.errors import UserError
from unlearning.models import hub
from unlearning.models.device import choose_device, choose_dtype
from unlearning.models.fingerprint import hash_weights
from unlearning.models.folder import context_length, has_tokenizer, read_config, read_weights
from unlearning.models.locate import locate
from unlearning.models.memory import check_fit, free_memory, weights_only

UNSAID_CONTEXT = 2048
"""Context length where the config does not state one."""


@dataclass
class Loaded:
    """A model ready to be looked at: evaluation mode, no parameter requires gradients."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    name: str
    device: torch.device
    dtype: torch.dtype
    context_length: int
    """Tokens that the model reads at most."""
    parameters: int
    sha256: str
    """Hash over names, types and bytes of the weights as they are in memory."""
    chat: bool
    """Whether the tokenizer has a chat template."""
    notices: list[str] = field(default_factory=list)
    """Sentences about what was decided on the way."""


def load(
    name: str,
    *,
    device: str = "auto",
    dtype: str = "auto",
    public: bool = False,
    full: bool = False,
    tokenizer: str | None = None,
) -> Loaded:
    """Load 'demo', 'demo-retain', a local folder or a hub id.

    `full` asks for float32, which training all parameters needs. `tokenizer` names another model
    whose tokenizer belongs to these weights.

    Raises:
        UserError: one sentence for each way in which this can fail, and what to do.
    """
    transformers_logging.disable_progress_bar()
    place = locate(name, public=public)
    chosen = choose_device(device)
    folder = place.folder or hub.fetch(name)
    raw = read_config(folder, name)
    weights = read_weights(folder, name)
    precision = choose_dtype(dtype, chosen, full)
    needed = weights_only(raw, weights.parameters, str(precision).removeprefix("torch."))
    spread = _spread(chosen, needed.total)
    places = range(torch.cuda.device_count()) if spread else ()
    free = sum(free_memory(f"cuda:{i}") for i in places) if spread else free_memory(str(chosen))
    check_fit(needed, free)
    config = _config(folder, raw, name)
    notices: list[str] = []
    words = _tokenizer(_tokenizer_folder(tokenizer, public) or folder, name)
    model = _model(folder, config, precision, name, "auto" if spread else None)
    if not spread:
        model = model.to(chosen)
    model.eval().requires_grad_(False)
    _pad(words, model, notices)
    context = context_length(model.config.get_text_config().to_dict())
    if context is None:
        context = UNSAID_CONTEXT
        notices.append(f"The model states no context length; {context} tokens are assumed.")
    return Loaded(
        model=model,
        tokenizer=words,
        name=name,
        device=next(model.parameters()).device,
        dtype=precision,
        context_length=context,
        parameters=sum(parameter.numel() for parameter in model.parameters()),
        sha256=hash_weights(model.named_parameters()),
        chat=bool(words.chat_template),
        notices=notices,
    )


def _spread(device: torch.device, size: int) -> bool:
    """Whether a model is to be laid out over several GPUs, being too large for one."""
    several = device.type == "cuda" and torch.cuda.device_count() > 1
    return several and size > 0.85 * free_memory(str(device))


def _tokenizer_folder(tokenizer: str | None, public: bool) -> Path | None:
    if tokenizer is None:
        return None
    return locate(tokenizer, public=public).folder or hub.fetch(tokenizer)


def _config(folder: Path, raw: dict[str, Any], name: str) -> Any:
    family = raw["model_type"]
    if family not in CONFIG_MAPPING:
        if "auto_map" in raw:
            raise UserError(
                f"{name} needs Python code of its own ({family}), which Lethe never runs.",
                "Choose a model whose family is built into transformers.",
            )
        raise UserError(
            f"{name} is of the unknown family {family!r}.",
            "Choose a model whose family is built into transformers, or upgrade transformers.",
        )
    try:
        config = AutoConfig.from_pretrained(folder, trust_remote_code=False)
    except Exception as error:  # any field may be wrong, and each class checks in its own way
        raise UserError(
            f"The config.json of {name} is broken: {_line(error)}.",
            "Download or save the model again.",
        ) from error
    if type(config) not in MODEL_FOR_CAUSAL_LM_MAPPING:
        raise UserError(
            f"{name} is a {family}, but Lethe needs a model that continues text (a causal language "
            "model).",
            "Choose a model such as Llama, Qwen, Gemma, GPT-2, Pythia or OPT.",
        )
    return config


def _tokenizer(folder: Path, name: str) -> PreTrainedTokenizerBase:
    if not has_tokenizer(folder):
        raise UserError(f"{name} has no tokenizer.", "Save its tokenizer into the same folder.")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False)
        if not tokenizer("a b", add_special_tokens=False)["input_ids"]:
            raise ValueError("it makes no tokens")
    except Exception as error:  # parsers of many formats, each with errors of its own
        raise UserError(
            f"The tokenizer of {name} cannot be read: {_line(error)}.",
            "Download or save the tokenizer again.",
        ) from error
    return tokenizer


def _model(
    folder: Path, config: Any, dtype: torch.dtype, name: str, device_map: str | None
) -> PreTrainedModel:
    try:
        model, info = AutoModelForCausalLM.from_pretrained(
            folder,
            config=config,
            dtype=dtype,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            device_map=device_map,
        )
    except (SafetensorError, OSError, RuntimeError, ValueError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise UserError(
            f"The weights of {name} cannot be read: {_line(error)}.", "Download the model again."
        ) from error
    if info["missing_keys"] or info["mismatched_keys"]:
        first = sorted(map(str, info["missing_keys"] or info["mismatched_keys"]))[0]
        raise UserError(
            f"The weights of {name} do not belong to its config.json: {first} is missing or of "
            "another shape.",
            "Download or save the model again.",
        )
    return model


def _pad(tokenizer: PreTrainedTokenizerBase, model: PreTrainedModel, notices: list[str]) -> None:
    """Padding is masked everywhere, so any known token will do; nothing is resized."""
    rows = model.get_input_embeddings().weight.shape[0]
    if tokenizer.pad_token_id is not None and tokenizer.pad_token_id < rows:
        return
    if tokenizer.eos_token_id is not None and tokenizer.eos_token_id < rows:
        tokenizer.pad_token = tokenizer.eos_token
    else:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(0)
    notices.append(
        f"The tokenizer has no padding token of this model; {tokenizer.pad_token!r} stands in."
    )


def _line(error: Exception) -> str:
    """First line of an error, short enough for a sentence."""
    lines = str(error).strip().splitlines()
    text = lines[0] if lines else type(error).__name__
    return (text if len(text) <= 160 else text[:157] + "...").rstrip(".")
