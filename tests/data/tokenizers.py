"""Small tokenizers of the kinds that differ at the boundary between prompt and answer."""

from __future__ import annotations

from functools import cache

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerFast

TEXTS = (
    "Question: Where does Ilva live?\nAnswer: Ilva lives in Port Brannoch by the sea.",
    "Question: Who wrote it?\nAnswer: Paris",
    "User: hello\nAssistant: hello there, how are you?",
)
SPECIAL = ("<s>", "</s>", "<pad>", "<|im_start|>", "<|im_end|>")

QWEN = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
THINKING = (
    "{% for m in messages %}<|im_start|>{{ m.role }}\n"
    "{% if loop.last and m.role == 'assistant' %}<think>\n\n</think>\n\n{% endif %}"
    "{{ m.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STRIPPING = (
    "{{ bos_token }}{% for m in messages %}"
    "{% if m.role == 'user' %}[INST] {{ m.content | trim }} [/INST]"
    "{% elif m.role == 'assistant' %} {{ m.content | trim }} </s>"
    "{% else %}{{ raise_exception('System role not supported') }}{% endif %}{% endfor %}"
)
DATED = "{{ date_string }} {{ strftime_now('%d %b %Y') }}\n" + QWEN


@cache
def byte_level(bos: str | None = "<s>", eos: str | None = "</s>", template: str = ""):
    """Byte-level BPE in which a space belongs to the word behind it (GPT-2, Llama 3, Qwen)."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return _finish(tokenizer, 340, bos, eos, template, pre_tokenizers.ByteLevel.alphabet())


@cache
def merging(bos: str | None = "<s>"):
    """BPE without pre-tokenizer: tokens may span the colon, the space and the answer."""
    tokenizer = Tokenizer(models.BPE(unk_token="<pad>"))
    alphabet = [chr(i) for i in range(32, 127)] + ["\n"]
    tokenizer.decoder = decoders.Fuse()
    return _finish(tokenizer, 300, bos, "</s>", "", alphabet)


@cache
def metaspace(bos: str | None = "<s>"):
    """Pieces in the way of sentencepiece: a bar marks the space before a word (Llama 2)."""
    tokenizer = Tokenizer(models.BPE(unk_token="<pad>", byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="first")
    alphabet = [chr(i) for i in range(33, 127)] + ["\n", "▁"]
    return _finish(tokenizer, 300, bos, "</s>", "", alphabet)


def _finish(tokenizer, size, bos, eos, template, alphabet):
    trainer = trainers.BpeTrainer(
        vocab_size=size,
        special_tokens=list(SPECIAL),
        initial_alphabet=alphabet,
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXTS * 4, trainer)
    fast = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token=bos, eos_token=eos, pad_token="<pad>"
    )
    fast.chat_template = template or None
    return fast
