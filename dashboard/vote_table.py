"""Votes counted, as escaped HTML, and what a vote is to be judged by."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.ballot import called
from dashboard.pictures import escaped
from unlearning.data.base import Example
from unlearning.runs.votes import Share, Tally

MOST_PAIRS = 4
"""Pairs of models that are shown."""
LONGEST_TRUTH = 400
"""Characters of the true text."""
NOBODY = '<p class="note">No votes on this run yet.</p>'


def tally_table(tallies: Sequence[Tally], run_id: str) -> str:
    """One row a model: how many said that it knows the text, and that it writes well."""
    if not tallies:
        return NOBODY
    bodies = "".join(_body(tally, run_id, len(tallies) > 1) for tally in tallies[:MOST_PAIRS])
    left = len(tallies) - MOST_PAIRS
    more = f" {left} more pairs of models are in the CSV under Runs." if left > 0 else ""
    return (
        '<table class="votes"><caption>Named alone or with the other one; in brackets the 95 % '
        f"Wilson interval.{more}</caption><thead><tr>"
        '<th scope="col">Blind votes</th><th scope="col">knows the text</th>'
        f'<th scope="col">writes well</th></tr></thead>{bodies}</table>'
    )


def _body(tally: Tally, run_id: str, headed: bool) -> str:
    names = [called(model, strength, run_id) for model, strength in tally.models]
    head = ""
    if headed:
        words = f"{names[0]} and {names[1]}, {_votes(tally.n)}"
        head = f'<tr class="group"><th scope="rowgroup" colspan="3">{escaped(words)}</th></tr>'
    rows = "".join(
        f'<tr><th scope="row">{escaped(name)}</th>'
        f"<td>{_share(tally.knows[i])}</td><td>{_share(tally.writes[i])}</td></tr>"
        for i, name in enumerate(names)
    )
    return f"<tbody>{head}{rows}</tbody>"


def _share(share: Share) -> str:
    low, high = share.interval
    return (
        f"<b>{share.named} of {share.n}</b> "
        f'<span class="note">{share.value:.0%} ({low:.0%} to {high:.0%})</span>'
    ).replace("%", " %")


def _votes(count: int) -> str:
    return "1 vote" if count == 1 else f"{count} votes"


def truth(prompt: str, examples: Sequence[Example]) -> str:
    """How a text to forget goes on after the prompt; empty where none begins like that."""
    asked = " ".join(prompt.split())
    for example in examples:
        whole = " ".join(f"{example.prompt} {example.target}".split())
        if asked and whole.startswith(asked) and len(whole) > len(asked):
            return _cut(whole[len(asked) :].strip())
        question = " ".join(example.prompt.split())
        if question and question in asked:
            return _cut(" ".join(example.target.split()))
    return ""


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_TRUTH else f"{text[:LONGEST_TRUTH].rsplit(' ', 1)[0]} …"
