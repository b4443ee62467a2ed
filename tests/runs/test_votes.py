"""Blind votes: kept with the run, once each, counted by model wherever it stood."""

from __future__ import annotations

import csv
import io

import pytest

from tests.dashboard.recorded import record
from unlearning.errors import UserError
from unlearning.exports.tables import votes_csv
from unlearning.runs import votes
from unlearning.runs.requests import GenerateRequest
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.votes import Share, Shown, Vote, add, tallies, votes_of
from unlearning.workers.absent import AbsentWorker

ORIGINAL, RUN = ("original:0123456789", 1.0), ("run:0123456789@20", 1.0)


def vote(a=ORIGINAL, b=RUN, knows="a", writes="both", prompt="Once", voter="ada", texts=None):
    shown = [Shown(model=m, strength=s, texts=texts or (f"says {m}",)) for m, s in (a, b)]
    request = GenerateRequest(sides=(a[0], b[0]), strengths=(a[1], b[1]), prompts=(prompt,))
    return Vote(
        time=0.0, voter=voter, request=request, a=shown[0], b=shown[1], knows=knows, writes=writes
    )


class TestTally:
    def test_a_model_is_counted_wherever_it_stood(self):
        cast = [
            vote(knows="a", writes="both"),
            vote(RUN, ORIGINAL, knows="b", writes="neither"),
            vote(knows="neither", writes="b"),
            vote(RUN, ORIGINAL, knows="both", writes="a"),
        ]
        (tally,) = tallies(cast)
        assert tally.models == (ORIGINAL, RUN) and tally.n == 4
        assert [share.named for share in tally.knows] == [3, 1]
        assert [share.named for share in tally.writes] == [1, 3]

    def test_another_step_or_strength_is_another_pair(self):
        later, beyond = ("run:0123456789@40", 1.0), ("run:0123456789@20", 1.5)
        cast = [vote(b=later), vote(), vote(prompt="Twice"), vote(b=beyond)]
        found = tallies(cast)
        assert [(tally.models[1], tally.n) for tally in found] == [
            (RUN, 2),
            (later, 1),
            (beyond, 1),
        ]

    @pytest.mark.parametrize(
        ("named", "n", "low", "high"),
        [(0, 10, 0.0, 0.2775), (10, 10, 0.7225, 1.0), (8, 10, 0.4902, 0.9433), (1, 1, 0.2065, 1.0)],
    )
    def test_the_interval_is_wilsons(self, named, n, low, high):
        assert Share(named, n).interval == pytest.approx((low, high), abs=1e-4)


class TestKeeping:
    def test_what_was_said_is_what_is_read_back(self, store):
        run_id = record(store)
        assert votes_of(store, run_id) == []
        cast = [vote(), vote(prompt="Zweimal \u2028 \n =SUM(A1)")]
        for one in cast:
            add(store, run_id, one)
        assert votes_of(RunStore(store.path), run_id) == cast

    def test_the_same_again_does_not_count_in_whatever_order(self, store):
        run_id = record(store)
        add(store, run_id, vote())
        with pytest.raises(UserError, match="voted on these answers before"):
            add(store, run_id, vote(RUN, ORIGINAL, knows="neither"))
        add(store, run_id, vote(voter="bob"))
        add(store, run_id, vote(b=(RUN[0], 1.5)))
        assert len(votes_of(store, run_id)) == 3

    def test_a_run_has_room_for_so_many(self, store, monkeypatch):
        monkeypatch.setattr(votes, "MOST_VOTES", 1)
        run_id = record(store)
        add(store, run_id, vote())
        with pytest.raises(UserError, match="no more are kept"):
            add(store, run_id, vote(voter="bob"))

    def test_a_line_of_another_version_is_left_out_and_kept(self, store):
        run_id = record(store)
        path = store.folder(run_id) / "votes.jsonl"
        path.write_text('{"later": 1}\n')
        add(store, run_id, vote())
        assert votes_of(store, run_id) == [vote()]
        assert path.read_text().startswith('{"later": 1}\n')

    def test_only_the_owner_votes(self, store):
        run_id = record(store, owner="the key of its owner")
        scheduler = Scheduler(store, AbsentWorker())
        with pytest.raises(UserError, match="belongs to somebody else"):
            scheduler.vote(run_id, vote(), "the key of another")
        with pytest.raises(UserError, match="no run"):
            scheduler.vote("0123456789", vote(), "the key of its owner")
        scheduler.vote(run_id, vote(), "the key of its owner")
        assert votes_of(store, run_id) == [vote()]


def test_the_table_is_safe_in_a_spreadsheet():
    one = vote(prompt="=1+1", texts=("@now", "second"))
    (row,) = csv.DictReader(io.StringIO(votes_csv([one])))
    assert row["prompt"] == "'=1+1" and row["answer_a"] == '["@now", "second"]'
    assert (row["model_a"], row["strength_b"], row["knows"]) == (ORIGINAL[0], "1.0", "a")
    assert votes_csv([]).startswith("time,voter,prompt,model_a,")
