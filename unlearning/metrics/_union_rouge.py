"""ROUGE-L of whole texts by sets of words, as the `rouge` library scores it.

It differs from rouge_score: letters keep their case, punctuation stays on its word, and a word
counts once however often it stands there (Lin 2004, section 3.2, with sets in place of lists).
"""

from __future__ import annotations

from collections.abc import Sequence


def union_recall(reference: str, generation: str) -> float | None:
    """Share of the reference's different words that are in a longest common subsequence of a
    sentence of each, 0 to 1; None where the reference has no word."""
    true, said = _sentences(reference), _sentences(generation)
    words = {word for sentence in true for word in sentence}
    if not words:
        return None
    found = {word for one in true for other in said for word in common(one, other)}
    return len(found) / len(words)


def _sentences(text: str) -> list[list[str]]:
    return [words for part in text.split(".") if (words := part.split())]


def common(one: Sequence[str], other: Sequence[str]) -> list[str]:
    """A longest common subsequence; of several that which drops the other's last words first."""
    table = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, word in enumerate(one, 1):
        for j, theirs in enumerate(other, 1):
            table[i][j] = (
                table[i - 1][j - 1] + 1 if word == theirs else max(table[i - 1][j], table[i][j - 1])
            )
    found, i, j = [], len(one), len(other)
    while i and j:
        if one[i - 1] == other[j - 1]:
            found.append(one[i - 1])
            i, j = i - 1, j - 1
        elif table[i - 1][j] > table[i][j - 1]:
            i -= 1
        else:
            j -= 1
    return found[::-1]
