"""Votes counted, as escaped HTML, and what a vote is to be judged by."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard.ballot import called
from dashboard.language import N_, _, plural
from dashboard.notes import counted
from dashboard.pictures import escaped
from unlearning.data.base import Example
from unlearning.runs.votes import Share, Tally

MOST_PAIRS = 4
"""Pairs of models that are shown."""
LONGEST_TRUTH = 400
"""Characters of the true text."""
NOBODY = N_("No votes on this run yet.")


def tally_table(tallies: Sequence[Tally], run_id: str) -> str:
    """One row a model: how many said that it knows the text, and that it writes well."""
    if not tallies:
        return f'<p class="note">{_(NOBODY)}</p>'
    bodies = "".join(_body(tally, run_id, len(tallies) > 1) for tally in tallies[:MOST_PAIRS])
    left = len(tallies) - MOST_PAIRS
    about = _("Named alone or with the other one; in brackets the 95 % Wilson interval.")
    if left > 0:
        about += " " + plural(
            left,
            "{left} more pair of models is in the CSV under Runs.",
            "{left} more pairs of models are in the CSV under Runs.",
        ).format(left=left)
    heads = (_("Blind votes"), _("knows the text"), _("writes well"))
    row = "".join(f'<th scope="col">{head}</th>' for head in heads)
    return (
        f'<table class="votes"><caption>{about}</caption><thead><tr>{row}</tr></thead>'
        f"{bodies}</table>"
    )


def _body(tally: Tally, run_id: str, headed: bool) -> str:
    names = [called(model, strength, run_id) for model, strength in tally.models]
    head = ""
    if headed:
        words = _("{one} and {other}, {votes}").format(
            one=names[0], other=names[1], votes=counted(tally.n, "vote", "votes")
        )
        head = f'<tr class="group"><th scope="rowgroup" colspan="3">{escaped(words)}</th></tr>'
    rows = "".join(
        f'<tr><th scope="row">{escaped(name)}</th>'
        f"<td>{_share(tally.knows[i])}</td><td>{_share(tally.writes[i])}</td></tr>"
        for i, name in enumerate(names)
    )
    return f"<tbody>{head}{rows}</tbody>"


def _share(share: Share) -> str:
    low, high = share.interval
    named = _("{named} of {count}").format(named=share.named, count=share.n)
    interval = _("{share:.0%} ({low:.0%} to {high:.0%})").format(
        share=share.value, low=low, high=high
    )
    return f'<b>{named}</b> <span class="note">{interval}</span>'.replace("%", " %")


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
