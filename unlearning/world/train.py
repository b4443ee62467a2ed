"""Training of the two embedded models, on a CPU, in well under an hour."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import torch
from transformers import AutoTokenizer, GenerationConfig, LlamaConfig, LlamaForCausalLM

from unlearning.world.corpus import read
from unlearning.world.documents import Document, batches, documents, padded_length
from unlearning.world.tokenizer import CONTEXT_LENGTH

TRAINED_ON = {"demo": ("forget", "retain"), "demo-retain": ("retain",)}
_IGNORED = -100


@dataclass(frozen=True)
class Recipe:
    """Sizes and schedule: private text and general questions in every epoch, prose in turns.

    `noise` is the share of input tokens of general prose that are replaced by others: a model
    that has seen disturbed text stays sensible where text is new to it.
    """

    hidden: int = 256
    layers: int = 4
    heads: int = 4
    intermediate: int = 688
    epochs: int = 40
    prose_share: float = 0.112
    batch_tokens: int = 2560
    learning_rate: float = 2e-3
    last_rate: float = 0.02
    warmup_steps: int = 100
    weight_decay: float = 0.05
    noise: float = 0.04
    seed: int = 7


def train_model(
    name: str,
    world: Path,
    out: Path,
    recipe: Recipe | None = None,
    progress: Callable[[str], None] = print,
) -> None:
    """Train one embedded model and save it as bfloat16 safetensors.

    Args:
        name: ``demo`` (forget, retain and general) or ``demo-retain`` (never sees forget; as
            many tokens of general text take its place, so both train equally long).
        world: folder of the splits.
        out: the model's folder; it already holds the tokenizer.
    """
    recipe = recipe or Recipe()
    torch.manual_seed(recipe.seed)
    tokenizer = AutoTokenizer.from_pretrained(out)
    split = {key: documents(read(world, key), tokenizer) for key in ("forget", "retain", "general")}
    known = [document for key in TRAINED_ON[name] for document in split[key]]
    known += [document for document in split["general"] if not document.prose]
    prose = [document for document in split["general"] if document.prose]
    missing = 0 if "forget" in TRAINED_ON[name] else _tokens(split["forget"])
    schedule = plan_batches(recipe, known, prose, missing)
    model = new_model(recipe, tokenizer)
    fit(model, schedule, recipe, progress=lambda line: progress(f"{name}: {line}"))
    model.to(torch.bfloat16).save_pretrained(out)


def new_model(recipe: Recipe, tokenizer: Any) -> LlamaForCausalLM:
    """Return an untrained Llama model with tied embeddings."""
    marks = {
        "bos_token_id": tokenizer.bos_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=recipe.hidden,
        intermediate_size=recipe.intermediate,
        num_hidden_layers=recipe.layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=CONTEXT_LENGTH,
        tie_word_embeddings=True,
        **marks,
    )
    model = LlamaForCausalLM(config)
    model.generation_config = GenerationConfig(do_sample=False, max_new_tokens=128, **marks)
    return model


def plan_batches(
    recipe: Recipe, known: list[Document], prose: list[Document], missing_tokens: int
) -> list[list[Document]]:
    """Return the batches of the whole training, in order.

    Each epoch holds all `known` text and the next share of `prose`, plus `missing_tokens` more.
    """
    rng = Random(recipe.seed)
    share = recipe.prose_share * _tokens(prose)
    queue: list[Document] = []
    planned: list[list[Document]] = []
    for _ in range(recipe.epochs):
        chosen, wanted = list(known), share + missing_tokens
        while wanted > 0:
            if not queue:
                queue = rng.sample(prose, len(prose))
            chosen.append(queue.pop())
            wanted -= len(chosen[-1].ids)
        planned += batches(rng, chosen, recipe.batch_tokens)
    return planned


def fit(
    model: LlamaForCausalLM,
    schedule: list[list[Document]],
    recipe: Recipe,
    progress: Callable[[str], None] = print,
) -> None:
    """Run AdamW over the schedule: warm-up, then a cosine down to `last_rate` of the peak."""
    model.train()
    optimizer = torch.optim.AdamW(
        model.parameters(),
        lr=recipe.learning_rate,
        betas=(0.9, 0.98),
        weight_decay=recipe.weight_decay,
    )
    running, generator = 0.0, torch.Generator().manual_seed(recipe.seed)
    for step, batch in enumerate(schedule):
        for group in optimizer.param_groups:
            group["lr"] = recipe.learning_rate * rate(step, len(schedule), recipe)
        input_BT, label_BT = tensors(batch, model.config.pad_token_id)
        input_BT = disturb(input_BT, batch, recipe.noise, model.config.vocab_size, generator)
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits_BTV = model(input_ids=input_BT).logits
        loss = torch.nn.functional.cross_entropy(
            logits_BTV[:, :-1].flatten(0, 1).float(),
            label_BT[:, 1:].flatten(),
            ignore_index=_IGNORED,
        )
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        running = loss.item() if step == 0 else 0.95 * running + 0.05 * loss.item()
        if step % 50 == 0 or step + 1 == len(schedule):
            progress(f"step {step + 1} of {len(schedule)}, loss {running:.3f}")


def rate(step: int, steps: int, recipe: Recipe) -> float:
    """Return the factor on the learning rate at one step, in [0, 1]."""
    if step < recipe.warmup_steps:
        return (step + 1) / recipe.warmup_steps
    done = (step - recipe.warmup_steps) / max(1, steps - recipe.warmup_steps)
    return recipe.last_rate + (1 - recipe.last_rate) * 0.5 * (1 + math.cos(math.pi * done))


def tensors(batch: list[Document], pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Return right-padded input ids and labels (pads ignored), both `(B, T)`.

    No attention mask is needed: a causal model never looks right, and pads are not scored.
    """
    length = padded_length(batch)
    input_BT = torch.full((len(batch), length), pad)
    label_BT = torch.full((len(batch), length), _IGNORED)
    for row, document in enumerate(batch):
        ids = torch.tensor(document.ids)
        input_BT[row, : len(ids)] = ids
        label_BT[row, : len(ids)] = ids
    return input_BT, label_BT


def disturb(
    input_BT: torch.Tensor,
    batch: list[Document],
    share: float,
    vocabulary: int,
    generator: torch.Generator,
) -> torch.Tensor:
    """Replace a random `share` of the inputs of general prose, never ``<s>`` in front."""
    chosen_BT = torch.rand(input_BT.shape, generator=generator) < share
    chosen_BT &= torch.tensor([document.prose for document in batch])[:, None]
    chosen_BT[:, 0] = False
    random_BT = torch.randint(3, vocabulary, input_BT.shape, generator=generator)
    return torch.where(chosen_BT, random_BT, input_BT)


def _tokens(chosen: list[Document]) -> int:
    return sum(len(document.ids) for document in chosen)
