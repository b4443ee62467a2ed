"""Tiny random models of every supported family, with a byte-level tokenizer."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from unlearning.models.fingerprint import hash_weights
from unlearning.models.load import Loaded

FAMILIES = ("llama", "gpt2", "gpt_neox", "opt", "qwen2", "gemma2")
CONTEXT = 96
TEXT = (
    "Question: Where does the heron stand? Answer: It stands by the slow river at dawn.",
    "The keeper of the lighthouse wrote letters that nobody ever answered, every single day.",
    "A kite of red paper rose over the harbour; the wind smelled of salt, tar and oranges.",
    "Née in a café, the naïve crème brûlée cost 12 €. 東京 and Ελλάδα are far away. 🦊🌊",
)
CHAT = (
    "{% for message in messages %}<|{{ message['role'] }}|>{{ message['content'] }}{{ eos_token }}"
    "{% endfor %}{% if add_generation_prompt %}<|assistant|>{% endif %}"
)


@lru_cache
def _trained() -> str:
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT, trainer)
    return tokenizer.to_str()


def build_tokenizer(*, chat: bool = False, pad: bool = True) -> PreTrainedTokenizerFast:
    """Byte-level BPE of some 320 tokens with <s>, </s> and <pad>."""
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=Tokenizer.from_str(_trained()),
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>" if pad else None,
    )
    if chat:
        tokenizer.chat_template = CHAT
    return tokenizer


def build_config(family: str, **changes: Any) -> Any:
    """A configuration of two layers, width 32, that differs from the defaults where it can."""
    common = {"vocab_size": len(build_tokenizer()), "bos_token_id": 0, "eos_token_id": 1}
    llama_like = {
        "hidden_size": 32,
        "intermediate_size": 48,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "max_position_embeddings": CONTEXT,
        "initializer_range": 0.3,
        "pad_token_id": 2,
    }
    gemma = {
        **llama_like,
        "head_dim": 16,
        "query_pre_attn_scalar": 16,
        "sliding_window": 8,
        "final_logit_softcapping": 5.0,
        # Tied, random and scaled by the width, Gemma's embeddings would only repeat their input.
        "tie_word_embeddings": False,
    }
    sizes: dict[str, dict[str, Any]] = {
        "llama": {**llama_like, "tie_word_embeddings": True},
        "qwen2": llama_like,
        "mistral": llama_like,
        "qwen3": {**llama_like, "head_dim": 16},
        "gemma": {**llama_like, "head_dim": 16},
        "gemma2": gemma,
        "gemma3_text": gemma,
        "gpt2": {
            "n_embd": 32,
            "n_layer": 2,
            "n_head": 4,
            "n_positions": CONTEXT,
            "initializer_range": 0.3,
        },
        "gpt_neo": {
            "hidden_size": 32,
            "num_layers": 2,
            "num_heads": 4,
            "attention_types": [[["global", "local"], 1]],
            "window_size": 8,
            "max_position_embeddings": CONTEXT,
            "initializer_range": 0.3,
        },
        "gpt_neox": {
            "hidden_size": 32,
            "intermediate_size": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": CONTEXT,
            "initializer_range": 0.3,
        },
        "opt": {
            "hidden_size": 32,
            "ffn_dim": 64,
            "num_hidden_layers": 2,
            "num_attention_heads": 4,
            "max_position_embeddings": CONTEXT,
            "word_embed_proj_dim": 32,
            "init_std": 0.3,
            "pad_token_id": 2,
        },
    }
    return AutoConfig.for_model(family, **{**common, **sizes[family], **changes})


def build_model(family: str = "llama", *, seed: int = 0, **changes: Any) -> PreTrainedModel:
    """Random weights from a seed, in evaluation mode; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = AutoModelForCausalLM.from_config(build_config(family, **changes))
    return model.eval().requires_grad_(False)


def build_loaded(
    family: str = "llama", *, seed: int = 0, dtype: torch.dtype = torch.float32, **changes: Any
) -> Loaded:
    """What `models.load.load` would give for such a model."""
    model = build_model(family, seed=seed, **changes).to(dtype)
    return Loaded(
        model=model,
        tokenizer=build_tokenizer(),
        name=f"tiny-{family}",
        device=torch.device("cpu"),
        dtype=dtype,
        context_length=CONTEXT,
        parameters=sum(p.numel() for p in model.parameters()),
        sha256=hash_weights(model.named_parameters()),
        chat=False,
    )


def write_folder(
    folder: Path,
    family: str = "llama",
    *,
    seed: int = 0,
    chat: bool = False,
    pad: bool = True,
    **changes: Any,
) -> Path:
    """Save model and tokenizer as a folder that `models.load.load` takes."""
    build_model(family, seed=seed, **changes).save_pretrained(folder)
    build_tokenizer(chat=chat, pad=pad).save_pretrained(folder)
    return folder
