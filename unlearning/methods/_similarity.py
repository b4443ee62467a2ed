"""How much of a true text comes back in what a model writes: BLEU and BERTScore."""

from __future__ import annotations

import re
import warnings
from functools import cache
from typing import Any

from unlearning.lazy import F, Lazy, torch

transformers = Lazy("transformers")

BERT = "google-bert/bert-base-uncased"
BERT_LAYER = 9
"""Layer whose states BERTScore compares for this model."""


def bleu(written: str, reference: str) -> float:
    """Sentence BLEU of lower-cased words, without smoothing: 0 where no four words agree.

    The number of NLTK's `sentence_bleu` with its default weights; 0 to 1.
    """
    from nltk.translate.bleu_score import sentence_bleu  # noqa: PLC0415 (slow, rarely needed)

    with warnings.catch_warnings():
        # It warns of every text without a common four-gram, which here is the aim.
        warnings.simplefilter("ignore")
        return float(sentence_bleu([_words(reference)], _words(written)))


def bert_is_here() -> bool:
    """Whether BERTScore's model is on this machine; it is never fetched."""
    try:
        transformers.AutoConfig.from_pretrained(BERT, local_files_only=True)
    except (OSError, ImportError):
        return False
    return True


def bertscore_f1(written: str, reference: str, model: str = BERT) -> float:
    """BERTScore F1 without idf weights or rescaling, -1 to 1 (Zhang et al., ICLR 2020).

    Each token is matched with the most similar one of the other text, by the cosine of their
    states; the two special tokens at the ends are left out. 0 where a text is empty.
    """
    ours_ND, theirs_MD = _states(written, model), _states(reference, model)
    if not len(ours_ND) or not len(theirs_MD):
        return 0.0
    similar_NM = ours_ND @ theirs_MD.T
    precision, recall = similar_NM.amax(dim=1).mean(), similar_NM.amax(dim=0).mean()
    return float(2 * precision * recall / (precision + recall))


def _words(text: str) -> list[str]:
    return re.findall(r"\w+|[^\w\s]", text.lower())


@cache
def _bert(model: str) -> tuple[Any, Any]:
    load = {"local_files_only": True, "trust_remote_code": False}
    tokenizer = transformers.AutoTokenizer.from_pretrained(model, **load)
    return tokenizer, transformers.AutoModel.from_pretrained(model, **load).eval()


def _states(text: str, model: str) -> Any:
    """Unit vectors [N, D] of the text's own tokens."""
    tokenizer, bert = _bert(model)
    encoded = tokenizer(text, return_tensors="pt", truncation=True, max_length=512)
    with torch.no_grad():
        states = bert(**encoded, output_hidden_states=True).hidden_states
    layer = min(BERT_LAYER, len(states) - 1)
    return F.normalize(states[layer][0, 1:-1], dim=-1)
