"""Blind votes without a browser: the lot, what is shown before the vote, and what after it."""

from __future__ import annotations

from pathlib import Path

import gradio as gr
import pytest

from dashboard.ballot import Ballot, by_lot, called, closed_name, resolved, run_voted_on
from dashboard.blind_vote import Voting
from dashboard.compare_form import CompareForm
from dashboard.page import Page, Settings
from dashboard.side_by_side import Writing
from dashboard.vote_table import tally_table, truth
from tests.dashboard.recorded import TEXTS, record
from tests.runs.test_votes import RUN, vote
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest, Judged
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.votes import tallies
from unlearning.workers.absent import AbsentWorker

SECRET, KEY = "s" * 24, "the key of this browser"
HOSTILE = '</span><img src=x onerror="alert(1)">'


def request(
    *sides: str, strengths: tuple[float, ...] = (), prompt: str = "Once"
) -> GenerateRequest:
    return GenerateRequest(sides=sides, strengths=strengths, prompts=(prompt,), judge=True)


def written(text: str, logp: float, *, looped: bool = False) -> Writing:
    judged = (Judged(text=text, logp=logp),)
    state = "looped" if looped else "done"
    return Writing(text, state, [*judged], {0: judged, 1: judged})


class TestLot:
    def test_it_is_even_and_the_chosen_order_plays_no_part(self) -> None:
        first = []
        for i in range(200):
            prompt = f"Prompt {i}"
            one = by_lot(request("original:a", "run:a", prompt=prompt), SECRET, KEY)
            other = by_lot(request("run:a", "original:a", prompt=prompt), SECRET, KEY)
            assert one == other == by_lot(one, SECRET, KEY), "asking again shifts nothing"
            first.append(one.sides[0])
        assert 70 < first.count("run:a") < 130

    def test_strengths_move_with_their_sides(self) -> None:
        for i in range(20):
            asked = request("original:a", "run:a", strengths=(1, 1.5), prompt=str(i))
            drawn = by_lot(asked, SECRET, KEY)
            assert drawn.strength(drawn.sides.index("run:a")) == 1.5

    def test_another_browser_draws_another_lot(self) -> None:
        asked = [request("original:a", "run:a", prompt=str(i)) for i in range(40)]
        mine, theirs = ([by_lot(one, SECRET, key).sides for one in asked] for key in (KEY, "other"))
        assert mine != theirs

    def test_the_same_twice_is_no_comparison(self) -> None:
        with pytest.raises(UserError, match="the same model"):
            by_lot(request("run:a", "run:a"), SECRET, KEY)
        by_lot(request("run:a", "run:a", strengths=(0.5, 1)), SECRET, KEY)


class TestShown:
    def test_before_the_vote_nothing_depends_on_who_is_who(self, tmp_path: Path) -> None:
        store = RunStore(tmp_path)
        run_id = record(store)
        drawings = []
        for sides in ((f"original:{run_id}", f"run:{run_id}"), (f"run:{run_id}", "demo")):
            ballot = Ballot(request(*sides), run_id)
            sure = -0.1 if sides[0].startswith("original") else -3.0
            ballot.written(store, [written("a ferry", sure, looped=sure < -1), written("b", -1.0)])
            assert ballot.complete
            drawings.append([ballot.closed_panel(0), ballot.closed_panel(1)])
        assert drawings[0] == drawings[1], "equal texts look equal, whoever wrote them"
        everything = "".join(drawings[0]) + closed_name(0) + closed_name(1)
        assert not any(w in everything for w in ("riginal", "nlearned", "run:", "demo", "data-p"))

    def test_after_it_everything_is_there(self, tmp_path: Path) -> None:
        store = RunStore(tmp_path)
        run_id = record(store, outcome="finished")
        ballot = Ballot(request(f"run:{run_id}", f"original:{run_id}", strengths=(1.5, 1)), run_id)
        assert not ballot.complete
        ballot.written(store, [written("a ferry", -0.1), written("b", -1.0)])
        assert "data-words" in ballot.open_panel(0)
        assert ballot.name(0) == (
            '<h3 class="blind-name unlearned">A: Unlearned, step 40, strength 1.5</h3>'
        )
        assert ballot.name(1) == '<h3 class="blind-name original">B: Original</h3>'
        cast = ballot.vote("a", "neither", KEY)
        assert cast.a.model == f"run:{run_id}@40" and cast.a.texts == ("a ferry",)
        assert cast.a.strength == 1.5 and KEY not in cast.voter

    def test_what_is_sent_before_the_vote_names_nobody(self, tmp_path: Path) -> None:
        store = RunStore(tmp_path)
        run_id = record(store)
        with gr.Blocks():
            page = Page(Scheduler(store, AbsentWorker()), Settings(secret=SECRET))
            form, voting = CompareForm(), Voting()
            voting.bind(page, form, gr.Column(), page.run.change(None))
        values = {page.key: KEY, page.run: run_id}
        ballot = voting.ask(request(f"original:{run_id}", f"run:{run_id}"), values)
        growing = [Writing("a"), Writing("b")]
        finished = [written("a", -0.1), written("b", -3.0)]
        sent = [voting.draw(ballot, growing), voting.draw(ballot, finished)]
        sent.append(voting.ended(ballot, values))
        assert sent[-1].pop(voting.ballot) is ballot, "a state: it stays on the server"
        told = repr([list(updates.values()) for updates in sent])
        assert "Answer A" in told
        assert not any(word in told for word in ("riginal", "nlearned", run_id, "data-p"))

    @pytest.mark.parametrize("answers", [(None, "a"), ("a", None), ("c", "a"), ("a", ["b"])])
    def test_both_questions_are_answered(self, tmp_path: Path, answers: tuple) -> None:
        ballot = Ballot(request("demo", "demo-retain"), "")
        ballot.written(RunStore(tmp_path), [written("a", -1.0), written("b", -1.0)])
        with pytest.raises(UserError, match="not answered yet"):
            ballot.vote(*answers, KEY)

    def test_what_was_stopped_is_not_complete(self, tmp_path: Path) -> None:
        ballot = Ballot(request("demo", "demo-retain"), "")
        ballot.written(RunStore(tmp_path), [written("a", -1.0), Writing("b", "stopped")])
        assert not ballot.complete

    def test_text_of_models_is_escaped(self, tmp_path: Path) -> None:
        ballot = Ballot(request(HOSTILE, "demo", prompt=HOSTILE), "")
        ballot.written(RunStore(tmp_path), [written(HOSTILE, -1.0), written(HOSTILE, -1.0)])
        for drawn in (ballot.closed_panel(0), ballot.open_panel(1), ballot.name(0)):
            assert "<img" not in drawn
        assert "<img" not in tally_table(tallies([vote(a=(HOSTILE, 1.0))]), "")


def test_a_vote_goes_to_the_open_run_if_it_stands_on_a_side() -> None:
    assert run_voted_on(("original:a", "run:b@3"), "b") == "b"
    assert run_voted_on(("original:a", "run:b@3"), "c") == "a"
    assert run_voted_on(("demo", "demo-retain"), "c") == ""


def test_models_are_called_by_what_they_are(tmp_path: Path) -> None:
    store = RunStore(tmp_path)
    live = record(store, outcome="open")
    assert resolved(store, f"run:{live}") == f"run:{live}@20"
    assert resolved(store, f"run:{live}@5") == f"run:{live}@5"
    assert resolved(store, "demo") == "demo"
    assert called(f"run:{live}@20", 0.5, live) == "Unlearned, step 20, strength 0.5"
    assert called(f"run:{live}@20", 1, "other") == f"Run {live}, step 20"
    assert called("demo-retain", 1, "") == "Never saw the text (demo-retain)"


def test_the_count_names_n_and_interval() -> None:
    cast = [vote(prompt=str(i), knows="a") for i in range(10)]
    table = tally_table(tallies(cast), "0123456789")
    assert "<b>10 of 10</b>" in table and "100 % (72 % to 100 %)" in table
    assert "0 % (0 % to 28 %)" in table and "Unlearned, step 20" in table
    two = tally_table(tallies([*cast, vote(b=(RUN[0], 1.5))]), "0123456789")
    assert "Original and Unlearned, step 20, strength 1.5, 1 vote<" in two
    assert "No votes" in tally_table([], "0123456789")


def test_the_truth_is_told_for_the_text_to_forget_alone() -> None:
    forget = TEXTS["forget"]
    assert truth("Odile Varrenmoor was born  in Hallowick", forget).startswith("in 1931, the")
    asked = "Question: Which prize did Odile Varrenmoor win in 1964?\nAnswer:"
    assert truth(asked, forget) == "In 1964 she won the Copper Bookmark."
    assert truth("Tobin Eskelund", forget) == truth(" ", forget) == ""
