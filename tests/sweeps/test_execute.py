"""Sweeps are carried out once, go on where they broke off, and say what failed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from unlearning.errors import UserError
from unlearning.methods import METHODS
from unlearning.sweeps import figures
from unlearning.sweeps.base import Cell, Chain, Sweep, changed, single
from unlearning.sweeps.execute import carry_out
from unlearning.sweeps.presets import growing, methods, sequential


def quiet(_: str) -> None:
    """Progress that nobody reads."""


def test_cells_are_run_with_every_seed_and_only_once(store, ground) -> None:
    sweep = methods(ground, ["undial", "gradient_ascent"], [0, 1], store.path)
    done = carry_out(store, sweep, device="cpu", tell=quiet)
    assert [(d.cell, d.seed) for d in done] == [
        *[("undial", 0), ("undial", 1)],
        *[("gradient_ascent", 0), ("gradient_ascent", 1)],
    ]
    assert len(set(store.ids())) == 4
    logs = {d.run_id: (store.folder(d.run_id) / "events.jsonl").read_bytes() for d in done}
    assert carry_out(store, sweep, device="cpu", tell=quiet) == done
    assert logs == {i: (store.folder(i) / "events.jsonl").read_bytes() for i in logs}
    first, second = (store.view(d.run_id).curve("forget_nll").values for d in done[:2])
    assert first != second


def test_another_setting_is_another_run(store, ground) -> None:
    carry_out(store, methods(ground, ["undial"], [0], store.path), device="cpu", tell=quiet)
    faster = changed(ground, learning_rate=2e-2)
    carry_out(store, methods(faster, ["undial"], [0], store.path), device="cpu", tell=quiet)
    assert len(store.ids()) == 2


def test_other_defaults_are_another_run(store, ground, monkeypatch) -> None:
    open_ended = changed(ground, learning_rate=None, steps=None, batch_size=None)
    cls = METHODS["undial"]
    monkeypatch.setattr(cls, "defaults", replace(cls.defaults, steps=1))
    sweep = methods(open_ended, ["undial"], [0], store.path)
    carry_out(store, sweep, device="cpu", tell=quiet)
    monkeypatch.setattr(cls, "defaults", replace(cls.defaults, lora=cls.defaults.lora * 2))
    (again,) = carry_out(store, sweep, device="cpu", tell=quiet)
    assert len(store.ids()) == 2
    assert store.view(again.run_id).started.learning_rate == pytest.approx(cls.defaults.lora)


def test_what_broke_off_goes_on(store, ground) -> None:
    longer = changed(ground, steps=4, snapshot_every=2, probe_every=2)
    sweep = methods(longer, ["undial"], [0], store.path)
    (whole,) = carry_out(store, sweep, device="cpu", tell=quiet)
    log = store.folder(whole.run_id) / "events.jsonl"
    lines = log.read_text().splitlines(keepends=True)
    cut = next(i for i, line in enumerate(lines) if '"stepped"' in line and '"step":3' in line)
    losses = store.view(whole.run_id).curve("forget_nll").values
    log.write_text("".join(lines[:cut]))
    store = type(store)(store.path)
    (again,) = carry_out(store, sweep, device="cpu", tell=quiet)
    assert again.run_id == whole.run_id
    assert store.view(again.run_id).ended.status == "finished"
    assert store.view(again.run_id).curve("forget_nll").values == losses


def test_requests_start_from_the_one_before(store, ground) -> None:
    sweep = sequential(ground, ["undial"], [0], store.path / "texts")
    done = carry_out(store, sweep, device="cpu", tell=quiet)
    assert [d.cell for d in done] == [f"undial/request-{n}" for n in (1, 2, 3, 4)]
    models = [store.config(d.run_id).model for d in done]
    assert models == [ground.model, *(f"run:{d.run_id}" for d in done[:-1])]
    assert {d.first for d in done} == {done[0].run_id}
    rows = figures.rows(store, done)
    before = store.view(done[0].run_id).scores["original"]["perplexity"]["generic"].value
    after = store.view(done[3].run_id).scores["unlearned"]["perplexity"]["generic"].value
    assert rows[3].values["perplexity"] == (pytest.approx(after / before),)


def test_growing_requests_hold_what_came_before(store, ground) -> None:
    sweep = growing(ground, ["undial"], [0], store.path / "texts")
    assert len(sweep.chains) == 4
    sizes = [Path(c.cells[0].config.forget).read_text().count("\n") for c in sweep.chains]
    assert sizes == sorted(set(sizes)) and sizes[-1] == 6


def test_a_failed_run_ends_its_chain_and_is_tried_again(store, ground, tmp_path) -> None:
    nowhere = changed(ground, model=str(tmp_path / "nowhere"))
    chain = Chain((Cell("first", nowhere), Cell("second", ground)))
    told: list[str] = []
    sweep = Sweep("broken", (chain, single("other", ground)), (0,))
    done = carry_out(store, sweep, device="cpu", tell=told.append)
    assert [d.cell for d in done] == ["first", "other"]
    assert "first, seed 0: failed" in told[0]
    assert figures.rows(store, done)[0].ends == ("failed",)
    again = carry_out(store, sweep, device="cpu", tell=quiet)
    assert again[0].run_id != done[0].run_id and again[1] == done[1]
    assert len(store.ids()) == 2


def test_two_processes_find_what_one_found(store, ground, tmp_path) -> None:
    sweep = methods(ground, ["undial"], [0, 1], store.path)
    apart = carry_out(store, sweep, device="cpu", jobs=2, tell=quiet)
    alone = carry_out(type(store)(tmp_path / "alone"), sweep, device="cpu", tell=quiet)
    assert [(d.cell, d.seed) for d in apart] == [(d.cell, d.seed) for d in alone]
    other = type(store)(tmp_path / "alone")
    for one, two in zip(apart, alone, strict=True):
        losses = [
            s.view(d.run_id).curve("forget_nll").values for s, d in [(store, one), (other, two)]
        ]
        assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_cells_have_names_of_their_own(ground) -> None:
    with pytest.raises(ValueError, match="named twice: a"):
        Sweep("double", (single("a", ground), single("a", ground)))
    sweep = Sweep("two", (single("a/x", ground), single("b/x", ground)))
    assert [c.cells[0].name for c in sweep.only(["b"]).chains] == ["b/x"]
    with pytest.raises(UserError, match="no cell that begins with 'c'"):
        sweep.only(["c"])


def test_a_run_measures_its_columns_alike_with_and_without_the_rest(store, ground, tmp_path):
    narrow = single("narrow", ground, ("recited", "perplexity"))
    (one,) = carry_out(store, Sweep("some", (narrow,), (0,)), device="cpu", tell=quiet)
    whole = type(store)(tmp_path / "whole")
    every = Sweep("every", (single("narrow", ground),), (0,))
    (all_,) = carry_out(whole, every, device="cpu", tell=quiet, whole_panel=True)
    few, many = store.view(one.run_id).scores, whole.view(all_.run_id).scores
    for stage in ("original", "unlearned"):
        assert {name: set(roles) for name, roles in few[stage].items()} == {
            "memorization_accuracy": {"forget"},
            "perplexity": {"generic"},
        }
        for name, roles in few[stage].items():
            for role, score in roles.items():
                assert score == many[stage][name][role]
        assert len(many[stage]) > 10
    assert figures.rows(store, [one])[0].values["extraction"] == (None,)
