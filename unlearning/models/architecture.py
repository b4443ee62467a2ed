"""Sizes of a model from its configuration alone: parameters and linear layers. No torch here."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from unlearning.models.folder import context_length

TIED = {"gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neo", "opt"}
"""Families whose input and output embeddings are one unless the config says otherwise."""
EXACT = {
    "llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text",
    "gpt2", "gpt_neo", "gpt_neox", "opt",
}  # fmt: skip
"""Families whose count is exact; others are taken for a Llama of the same sizes."""


@dataclass(frozen=True, slots=True)
class Linear:
    """One linear layer, `count` times in the model."""

    inputs: int
    outputs: int
    bias: bool
    count: int

    @property
    def parameters(self) -> int:
        """Numbers in all of them."""
        return self.count * self.outputs * (self.inputs + self.bias)


@dataclass(frozen=True, slots=True)
class Architecture:
    """Sizes of a causal language model."""

    hidden: int
    layers: int
    vocabulary: int
    linear: tuple[Linear, ...]
    """Every linear layer but the output layer."""
    rest: int
    """Embeddings, output layer, norms."""
    exact: bool

    @property
    def parameters(self) -> int:
        """Numbers in the whole model, tied embeddings counted once."""
        return self.rest + sum(layer.parameters for layer in self.linear)

    def lora_parameters(self, rank: int) -> int:
        """Numbers in one adapter of that rank on every linear layer."""
        return sum(layer.count * rank * (layer.inputs + layer.outputs) for layer in self.linear)


def architecture(config: dict[str, Any]) -> Architecture:
    """Read the sizes.

    Raises:
        KeyError: the config lacks one of them.
        TypeError, ValueError, OverflowError: one is no size.
    """
    family = str(config.get("model_type"))
    builders = {"gpt2": _gpt2, "gpt_neo": _gpt_neo, "gpt_neox": _gpt_neox, "opt": _opt}
    return builders.get(family, _gated)(config, family)


def _first(config: dict[str, Any], *keys: str) -> int:
    for key in keys:
        if config.get(key) is not None:
            size = int(config[key])
            if size < 1:
                raise ValueError(f"{key} is {size}")
            return size
    raise KeyError(keys[0])


def _common(config: dict[str, Any]) -> tuple[int, int, int, int]:
    """Hidden width, layers, vocabulary, width of the feed-forward part."""
    hidden = _first(config, "hidden_size", "n_embd", "d_model")
    layers = _first(config, "num_hidden_layers", "n_layer", "num_layers")
    inner = next(
        (int(config[k]) for k in ("intermediate_size", "n_inner", "ffn_dim") if config.get(k)),
        4 * hidden,
    )
    return hidden, layers, _first(config, "vocab_size"), inner


def _embeddings(config: dict[str, Any], family: str, vocabulary: int, width: int) -> int:
    tied = config.get("tie_word_embeddings", family in TIED)
    return vocabulary * width * (1 if tied else 2)


def _gated(config: dict[str, Any], family: str) -> Architecture:
    hidden, layers, vocabulary, inner = _common(config)
    heads = _first(config, "num_attention_heads", "n_head")
    keys = int(config.get("num_key_value_heads") or heads)
    width = int(config.get("head_dim") or hidden // heads)
    bias = bool(config.get("attention_bias", False))
    inputs_bias = bias or family == "qwen2"
    mlp_bias = bool(config.get("mlp_bias", False))
    linear = (
        Linear(hidden, heads * width, inputs_bias, layers),
        Linear(hidden, keys * width, inputs_bias, 2 * layers),
        Linear(heads * width, hidden, bias, layers),
        Linear(hidden, inner, mlp_bias, 2 * layers),
        Linear(inner, hidden, mlp_bias, layers),
    )
    norms = (4 if family in ("gemma2", "gemma3_text") else 2) * hidden
    if family in ("qwen3", "gemma3_text"):
        norms += 2 * width
    rest = _embeddings(config, family, vocabulary, hidden) + layers * norms + hidden
    return Architecture(hidden, layers, vocabulary, linear, rest, family in EXACT)


def _gpt2(config: dict[str, Any], family: str) -> Architecture:
    hidden, layers, vocabulary, inner = _common(config)
    linear = (
        Linear(hidden, 3 * hidden, True, layers),
        Linear(hidden, hidden, True, layers),
        Linear(hidden, inner, True, layers),
        Linear(inner, hidden, True, layers),
    )
    rest = _embeddings(config, family, vocabulary, hidden) + _positions(config) * hidden
    return Architecture(
        hidden, layers, vocabulary, linear, rest + (4 * layers + 2) * hidden, exact=True
    )


def _gpt_neo(config: dict[str, Any], family: str) -> Architecture:
    hidden, layers, vocabulary, inner = _common(config)
    linear = (
        Linear(hidden, hidden, False, 3 * layers),
        Linear(hidden, hidden, True, layers),
        Linear(hidden, inner, True, layers),
        Linear(inner, hidden, True, layers),
    )
    rest = _embeddings(config, family, vocabulary, hidden) + _positions(config) * hidden
    return Architecture(
        hidden, layers, vocabulary, linear, rest + (4 * layers + 2) * hidden, exact=True
    )


def _gpt_neox(config: dict[str, Any], family: str) -> Architecture:
    hidden, layers, vocabulary, inner = _common(config)
    bias = bool(config.get("attention_bias", True))
    linear = (
        Linear(hidden, 3 * hidden, bias, layers),
        Linear(hidden, hidden, bias, layers),
        Linear(hidden, inner, True, layers),
        Linear(inner, hidden, True, layers),
    )
    rest = _embeddings(config, family, vocabulary, hidden) + (4 * layers + 2) * hidden
    return Architecture(hidden, layers, vocabulary, linear, rest, exact=True)


def _opt(config: dict[str, Any], family: str) -> Architecture:
    hidden, layers, vocabulary, inner = _common(config)
    bias = bool(config.get("enable_bias", True))
    width = int(config.get("word_embed_proj_dim") or hidden)
    linear = [
        Linear(hidden, hidden, bias, 4 * layers),
        Linear(hidden, inner, bias, layers),
        Linear(inner, hidden, bias, layers),
    ]
    if width != hidden:
        linear += [Linear(width, hidden, False, 1), Linear(hidden, width, False, 1)]
    affine = bool(config.get("layer_norm_elementwise_affine", True))
    last = config.get("do_layer_norm_before", True) and not config.get("_remove_final_layer_norm")
    norms = (4 * layers + (2 if last else 0)) * hidden if affine else 0
    # The embedding of positions keeps two rows for padding.
    positions = (_positions(config) + 2) * hidden
    rest = _embeddings(config, family, vocabulary, width) + positions + norms
    return Architecture(hidden, layers, vocabulary, tuple(linear), rest, exact=True)


def _positions(config: dict[str, Any]) -> int:
    return context_length(config) or 0
