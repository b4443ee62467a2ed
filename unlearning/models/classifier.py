"""The classifier that tells language from gibberish, from the hub."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from unlearning.errors import UserError
from unlearning.metrics.gibberish import CLASSIFIER

TOKENS = 32
"""Of each text, as OpenUnlearning reads them."""
CLEAN = 0
BATCH = 64


def clean_probabilities(
    device: torch.device, name: str = CLASSIFIER
) -> Callable[[Sequence[str]], list[float]]:
    """Fetch the classifier; what it returns gives each text's probability of the class "clean".

    Raises:
        UserError: it cannot be fetched, or has no safetensors.
    """
    try:
        tokenizer = AutoTokenizer.from_pretrained(name, trust_remote_code=False)
        model = AutoModelForSequenceClassification.from_pretrained(
            name, trust_remote_code=False, use_safetensors=True, dtype=torch.float32
        )
    except (OSError, ValueError) as error:
        raise UserError(
            f"The classifier {name} cannot be loaded: the hub is out of reach, or it has no "
            "safetensors.",
            "Leave out the metric gibberish, or fetch the classifier where there is a network.",
        ) from error
    model = model.to(device).eval()

    def probabilities(texts: Sequence[str]) -> list[float]:
        found: list[float] = []
        for start in range(0, len(texts), BATCH):
            batch = tokenizer(
                list(texts[start : start + BATCH]),
                return_tensors="pt",
                padding=True,
                truncation=True,
                max_length=TOKENS,
            ).to(device)
            with torch.no_grad():
                p_BC = model(**batch).logits.float().softmax(-1)
            found += p_BC[:, CLEAN].tolist()
        return found

    return probabilities
