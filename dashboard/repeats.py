"""Text of a model with its repetitions marked."""

from __future__ import annotations

from itertools import groupby

from dashboard.pictures import escaped
from dashboard.words import again, plain_words

READ = 400
"""Words that are looked at; the rest stays unmarked."""


def marked(text: str) -> str:
    """The text, escaped, with the words that only repeat what stands before them underlined."""
    found = plain_words(text)
    repeated = again(found[:READ])
    parts = []
    for is_again, group in groupby(range(len(found)), repeated.__contains__):
        words = escaped("".join(found[i] for i in group))
        parts.append(f'<span class="again">{words}</span>' if is_again else words)
    return "".join(parts)
