"""The Runs tab without a browser: who may take what, what is compared, who races."""

from __future__ import annotations

import json
import subprocess
import time
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from dashboard import run_downloads, run_sharing
from dashboard.identity import new_key
from dashboard.page import Settings
from dashboard.race import race, racing_configs, standings
from dashboard.run_comparison import cited, drawn, lines
from dashboard.run_details import erased_soon
from dashboard.run_downloads import PREFIX, clear_away, packed
from dashboard.run_figures import Drawn, overlay, pareto, points
from dashboard.run_rows import check_readable, choices, rows, steps_in
from dashboard.run_sharing import logged, merged_first, pushed
from dashboard.run_styles import STYLES
from dashboard.run_tables import differences_table, figures_table
from tests.dashboard.player import Player
from tests.dashboard.recorded import record
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.exports import merging
from unlearning.exports.merging import merged_folder
from unlearning.methods import METHODS
from unlearning.runs.events import Failed, ScoreValue
from unlearning.runs.groups import member
from unlearning.runs.limits import Limits
from unlearning.runs.scheduler import Scheduler
from unlearning.runs.store import RunStore
from unlearning.runs.wastebasket import Discarded

OWNER, STRANGER = new_key(), new_key()
HOSTILE = "<img src=x onerror=alert(1)> {{x}} ${1+1}"


@pytest.fixture
def page(tmp_path: Path) -> Any:
    """What the rooms of the tab see of a page."""
    store = RunStore(tmp_path / "runs")
    scheduler = Scheduler(store, Player(store, pause=0.001), Limits(queued_per_owner=1))
    return SimpleNamespace(scheduler=scheduler, settings=Settings(secret="s" * 24))


@pytest.fixture
def public(page: Any) -> Any:
    """The same for strangers."""
    page.settings = Settings(secret="s" * 24, public=True)
    return page


def run(page: Any, **named: Any) -> str:
    return record(page.scheduler.store, owner=OWNER, **named)


def line(page: Any, place: int, *ids: str) -> Drawn:
    return Drawn(STYLES[place], tuple(member(page.scheduler.store, run_id) for run_id in ids))


class TestWhoMay:
    def test_strangers_take_nothing_away_where_strangers_meet(self, public: Any) -> None:
        run_id = run(public)
        check_readable(public, run_id, OWNER)
        assert [r for _, r in choices(public, OWNER)] == [run_id]
        assert choices(public, STRANGER) == [] and rows(public, STRANGER).empty
        for act in (
            lambda: check_readable(public, run_id, STRANGER),
            lambda: lines(public, [run_id], True, STRANGER),
            lambda: cited(public, [run_id], STRANGER),
            lambda: race(public, ["npo", "undial"], 4, run_id, STRANGER),
            lambda: pushed(public, run_id, STRANGER, "a/b", "token", False),
            lambda: logged(public, run_id, STRANGER, "p"),
        ):
            with pytest.raises(UserError, match="somebody else"):
                act()
        assert public.scheduler.store.ids() == [run_id]

    @pytest.mark.parametrize("run_id", ["", "../../etc/passwd", "0" * 10, "\0"])
    def test_what_is_no_run_is_said(self, page: Any, run_id: str) -> None:
        with pytest.raises(UserError, match="[Nn]o run"):
            check_readable(page, run_id, OWNER)

    @pytest.mark.parametrize("text", ["0", "-3", "1.5", "x", "٣", "9" * 30, "1e3"])
    def test_steps_are_whole_numbers(self, text: str) -> None:
        with pytest.raises(UserError, match="no number of steps"):
            steps_in(text)
        assert (steps_in(" 12 "), steps_in(""), steps_in(None)) == (12, None, None)


class TestFiles:
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(run_downloads, "get_upload_folder", lambda: str(tmp_path / "gradio"))
        return tmp_path / "gradio"

    def test_names_are_random_and_private(self, folder: Path) -> None:
        made = [Path(packed("0123456789", "a.zip", lambda p: p.touch())) for _ in range(2)]
        assert len({path.parent for path in made}) == 2
        for path in made:
            assert path.name == "run-0123456789-a.zip" and path.is_relative_to(folder)
            assert path.parent.stat().st_mode & 0o077 == 0
            assert len(path.parent.name) == len(f"{PREFIX}0123456789-") + 32

    def test_what_fails_leaves_nothing(self, folder: Path) -> None:
        with pytest.raises(ZeroDivisionError):
            packed("0123456789", "a.zip", lambda path: path.write_bytes(b"x") / 0)
        assert list(folder.iterdir()) == []

    def test_files_go_with_their_run_and_with_time(self, folder: Path) -> None:
        one, other = (packed(run_id, "a", lambda p: p.touch()) for run_id in ("a" * 10, "b" * 10))
        clear_away("a" * 10)
        assert not Path(one).exists() and Path(other).exists()
        clear_away(seconds=0.0)
        assert list(folder.iterdir()) == []


class TestComparison:
    def test_nothing_is_drawn_of_nothing(self, page: Any) -> None:
        table, curves, plane, differ = drawn(page, [], True, "kept", OWNER)
        assert "Choose two runs" in table and not curves["visible"] and not plane["visible"]
        assert differ == ""

    def test_seeds_are_averaged_if_asked(self, page: Any) -> None:
        store = page.scheduler.store
        ids = [run(page), run(page), run(page, method="npo")]
        store.change_config(ids[1], seed=1)
        together = lines(page, ids, True, OWNER)
        assert [len(one.members) for one in together] == [2, 1]
        assert [len(one.members) for one in lines(page, ids, False, OWNER)] == [1, 1, 1]
        table, curves, plane, differ = drawn(page, ids, True, "kept", OWNER)
        assert "2 seeds" in table and "0.558 ± 0.000" in table
        assert "Method" in differ and "seed 1" in differ
        bands = [trace for trace in curves["value"].data if trace.fill == "toself"]
        assert len(bands) == 4
        assert len([t for t in plane["value"].data if t.name]) == 3  # and where they set out

    def test_figures_stand_on_both_themes(self, page: Any) -> None:
        found = [line(page, 0, run(page)), line(page, 1, run(page, outcome="diverged"))]
        for figure in (overlay(found), pareto(found, "kept"), pareto(found, "perplexity")):
            layout = json.loads(figure.to_json())["layout"]
            assert layout["paper_bgcolor"] == layout["plot_bgcolor"] == "rgba(0,0,0,0)"
            assert layout["font"]["color"] == "#808080" and not layout["template"].get("data")
            assert len(figure.to_json()) < 40_000

    def test_less_than_never_having_seen_it_is_no_gain(self, page: Any) -> None:
        ids = [run(page), run(page, method="npo"), run(page, method="simnpo")]
        found = [line(page, i, run_id) for i, run_id in enumerate(ids)]
        values = {"A": (0.56, 0.98), "B": (0.20, 0.98), "C": (0.56, 0.99)}
        for one in found:
            forget, keep = values[one.style.letter]
            one.members[0].view.scores["unlearned"] = {
                "memorization_accuracy": {
                    "forget": ScoreValue(value=forget),
                    "retain": ScoreValue(value=keep),
                }
            }
        assert [p.better for p in points(found, "kept")] == ["C", "A", ""]
        # Where no level is known, less counts as more forgotten.
        for one in found:
            one.members[0].view.levels = None
        assert [p.better for p in points(found, "kept")] == ["B", "", ""]

    def test_a_run_without_end_is_compared_all_the_same(self, page: Any) -> None:
        found = lines(page, [run(page, outcome="open"), run(page)], False, OWNER)
        assert [p.drawn.style.letter for p in points(found, "kept")] == ["B"]
        assert "not measured" in figures_table(page.scheduler.store, found, points(found, "kept"))

    def test_what_makes_it_lame_is_said(self, page: Any) -> None:
        other = page.scheduler.store.create(RunConfig(), {}, OWNER)
        assert "different texts" in drawn(page, [run(page), other], True, "kept", OWNER)[0]

    def test_text_is_text(self, page: Any) -> None:
        store = page.scheduler.store
        ids = [run(page, label=HOSTILE), run(page, method="npo")]
        store.change_config(ids[0], model=HOSTILE, prompts=[HOSTILE])
        found = lines(page, ids, True, OWNER)
        told = figures_table(store, found, []) + differences_table(found)
        assert "<img" not in told and "&lt;img" in told
        assert "<img" not in overlay(found).to_json() + pareto(found, "kept").to_json()

    def test_more_than_eight_are_refused(self, page: Any) -> None:
        with pytest.raises(UserError, match="9 runs are chosen; 8"):
            lines(page, [run(page) for _ in range(9)], True, OWNER)
        assert json.loads(cited(page, [run(page)], OWNER))["text"].startswith("@inproceedings")
        with pytest.raises(UserError, match="No run is chosen"):
            cited(page, [], OWNER)


class TestRace:
    def test_every_racer_is_the_same_run_but_for_its_method(self) -> None:
        base = RunConfig.parse({"method": "npo", "hyperparameters": {"beta": 0.2}, "seed": 7,
                                "learning_rate": 1.0, "lora_rank": 4, "steps": 9,
                                "prompts": ["Who?"]})  # fmt: skip
        one, two = racing_configs(base, ["npo", "undial", "npo"], None)
        assert (one.method, two.method) == ("npo", "undial")
        for config in (one, two):
            assert config.hyperparameters == {} and config.learning_rate is config.steps is None
            assert (config.seed, config.lora_rank, config.prompts) == (7, 4, ("Who?",))
        with pytest.raises(UserError, match="no method named"):
            racing_configs(base, ["npo", HOSTILE], None)

    def test_on_the_texts_of_the_chosen_run(self, page: Any) -> None:
        store = page.scheduler.store
        base = run(page)
        ids = race(page, ["npo", "undial"], 12, base, OWNER)
        assert all(store.texts(one) == store.texts(base) for one in ids)
        latest = time.monotonic() + 20
        while page.scheduler.active(OWNER) and time.monotonic() < latest:
            time.sleep(0.02)
        told = standings(page, ids)
        assert told.count('<figure class="curve"') == 2 and told.count("Forgotten: ") == 2
        assert METHODS["npo"].title in told and 'data-last="12"' in told
        with pytest.raises(UserError, match="at least two"):
            race(page, ["npo"], None, base, OWNER)
        page.scheduler.delete(ids[0], OWNER)
        assert standings(page, store.racers(ids[1])).count("<figure") == 1
        assert "No race yet" in standings(page, [])
        page.scheduler.close()


class TestSharing:
    @pytest.fixture
    def called(self, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
        """What would have been started."""
        calls: list[Any] = []

        def started(command: list[str], **named: Any) -> Any:
            calls.append((command, named))
            return SimpleNamespace(
                returncode=0,
                stdout='{"hub": "https://h", "hub_merged": "https://m", "trackio": "3"}\n',
            )

        monkeypatch.setattr(subprocess, "run", started)
        return calls

    def test_the_token_is_no_argument(self, page: Any, called: list[Any]) -> None:
        assert pushed(page, run(page), OWNER, " --help ", " hf_secret ", True) == "https://h"
        command, named = called[0]
        assert "hf_secret" not in " ".join(command) and named["env"]["HF_TOKEN"] == "hf_secret"
        assert "--hub=--help" in command and "--public" in command

    def test_the_login_of_the_server_is_not_for_strangers(
        self, public: Any, called: list[Any]
    ) -> None:
        with pytest.raises(UserError, match="no token"):
            pushed(public, run(public), OWNER, "a/b", " ", False)
        with pytest.raises(UserError, match="switched off"):
            logged(public, run(public), OWNER, "p")
        assert called == []

    def test_what_went_wrong_is_told_in_its_words(
        self, page: Any, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
    ) -> None:
        ended = SimpleNamespace(returncode=2, stdout="", stderr="noise\nerror: It rains. Wait.\n")
        monkeypatch.setattr(run_sharing.subprocess, "run", lambda *_, **__: ended)
        with pytest.raises(UserError, match=r"^It rains\. Wait\.$"):
            logged(page, run(page), OWNER, "p")
        ended.returncode, ended.stderr = 1, "Traceback"
        with pytest.raises(UserError, match="mistake of ours"):
            logged(page, run(page), OWNER, "p")
        assert "Traceback" in capfd.readouterr().err

    def test_the_merged_model_is_written_first_then_pushed(
        self, page: Any, called: list[Any], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_sharing, "LOOK_SECONDS", 0.002)
        run_id = run(page)
        told = list(merged_first(page, run_id, OWNER))
        assert told[-1] == "The model is being merged …" and len(set(told)) <= 2
        assert (merged_folder(page.scheduler.store, run_id) / "model.safetensors").is_file()
        # What is there is not written again, whoever asks.
        assert list(merged_first(page, run_id, STRANGER)) == []
        assert pushed(page, run_id, OWNER, "a/b", "", False, merged=True) == "https://m"
        assert "--hub-merged=a/b" in called[0][0] and "--public" not in called[0][0]
        page.scheduler.close()

    def test_a_merged_model_that_fails_is_told(
        self, page: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(run_sharing, "LOOK_SECONDS", 0.002)

        def fail(player: Player, run_id: str) -> None:
            job = merging.read(player.store, run_id)
            failed = Failed(message="Too large.", hint="Wait.")
            ended = {"state": "failed", "failed": failed}
            merging.write(player.store, run_id, job.model_copy(update=ended))

        monkeypatch.setattr(Player, "_play_merging", fail)
        run_id = run(page)
        with pytest.raises(UserError, match=r"Too large\. Wait\."):
            list(merged_first(page, run_id, OWNER))
        with pytest.raises(UserError, match="somebody else"):
            list(merged_first(page, run_id, STRANGER))
        page.scheduler.close()

    @pytest.mark.skipif(find_spec("trackio") is not None, reason="Trackio is installed")
    def test_for_real_without_trackio_it_is_one_sentence(self, page: Any) -> None:
        with pytest.raises(UserError, match="Trackio is not installed here"):
            logged(page, run(page), OWNER, "lethe")


def test_a_deleted_run_says_until_when() -> None:
    told = erased_soon(Discarded("0123456789", 1234.5, Path()))
    assert 'data-erased-at="1234500"' in told and "0123456789" in told
