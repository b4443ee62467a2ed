"""The byte-level tokenizer of the embedded models."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from unlearning.world.documents import text_of
from unlearning.world.general import Row

VOCABULARY_SIZE = 2048
# Private text counts more, so that its words are few tokens: the rest of a word that was
# begun is no memory, and scores would count it as one.
SPLIT_WEIGHTS = {"forget": 8, "retain": 8, "general": 1}
CONTEXT_LENGTH = 512


def tokenizer_texts(splits: dict[str, list[Row]]) -> list[str]:
    """Return the texts to train the tokenizer on, from splits of the names in the weights.

    Holdout is none of them: it must look as new to the tokenizer as to the models.
    """
    return [
        text_of(row)
        for split, weight in SPLIT_WEIGHTS.items()
        for row in splits[split]
        for _ in range(weight)
    ]


def train_tokenizer(texts: Iterable[str], folder: Path) -> None:
    """Train a byte-pair tokenizer of `VOCABULARY_SIZE` entries and save it for `AutoTokenizer`.

    Every digit is a token of its own, so that numbers are recalled digit by digit. The
    tokenizer puts ``<s>`` first by default and never changes what it decodes.
    """
    from tokenizers import (  # noqa: PLC0415 (not needed to write texts)
        Tokenizer,
        decoders,
        models,
        pre_tokenizers,
        processors,
        trainers,
    )
    from transformers import PreTrainedTokenizerFast  # noqa: PLC0415 (heavy)

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Digits(individual_digits=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=VOCABULARY_SIZE,
        special_tokens=["<s>", "</s>", "<pad>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A", pair="<s> $A $B", special_tokens=[("<s>", 0)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        model_max_length=CONTEXT_LENGTH,
        clean_up_tokenization_spaces=False,
    ).save_pretrained(folder)
