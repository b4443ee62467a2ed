"""What leaves a run: right, escaped, and nothing more than it says."""

from __future__ import annotations

import csv
import io
import json
import math
import re
import zipfile
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.dashboard.attacked import keep
from tests.dashboard.recorded import record
from unlearning.config import RunConfig
from unlearning.errors import UserError
from unlearning.exports.adapter import SETTINGS, WEIGHTS, pack_adapter, pack_folder
from unlearning.exports.curves import Curve, Panel, panel_svg, thinned
from unlearning.exports.report import report_html
from unlearning.exports.settings import settings_json
from unlearning.exports.tables import curves_csv, metrics_csv
from unlearning.exports.verdict import verdict
from unlearning.methods import METHODS
from unlearning.runs.events import Answer, Ended, Health, Measured, Probed, ScoreValue, Snapshotted
from unlearning.runs.store import RunStore
from unlearning.runs.view import Series, View

HOSTILE = (
    '</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1">\'" '
    "<!-- ]]> {{x}} ${1+1} \u2028 <svg onload=alert(1)>"
)


@pytest.fixture
def store(tmp_path) -> RunStore:
    return RunStore(tmp_path / "runs")


class Reader(HTMLParser):
    """Collects what a browser would: elements, attributes, texts."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.texts: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs

    def handle_data(self, data):
        self.texts.append(data)


def reported(store, run_id):
    return report_html(store, run_id, store.command(run_id, "RUNS"))


class TestReport:
    def test_it_says_what_the_run_was(self, store):
        run_id = record(store, label="a label")
        for name in ("relearn", "quantise"):
            keep(store, run_id, name)
        page = reported(store, run_id)
        for words in ("UNDIAL on demo", "Forgotten: it knew 100% of the words to forget",
                      "What must stay has stayed", "Words recited", "Memorization accuracy",
                      "a label", "clockmaker", "ferry pilot", "python -m unlearning run",
                      "dong2025undial", "SHA-256", "Suppressed, not removed"):  # fmt: skip
            assert words in page, words

    @pytest.mark.parametrize("outcome", ["finished", "collapsed", "diverged", "failed", "open"])
    def test_every_end_can_be_reported(self, store, outcome):
        page = reported(store, record(store, outcome=outcome))
        assert page.endswith("</body></html>\n") and ">nan<" not in page.lower()
        if outcome == "diverged":
            assert "∞" in page

    def test_a_run_that_never_began(self, store):
        page = reported(store, store.create(RunConfig(), {}))
        assert "no verdict" in page and "Nothing was measured" in page

    def test_it_asks_nobody(self, store):
        page = Reader(reported(store, record(store)))
        asking = {"link", "img", "iframe", "object", "embed", "base", "form", "audio", "video"}
        assert not asking & set(page.tags)
        assert not [v for k, v in page.attributes if k in ("src", "href", "srcset", "action")]
        policy = next(v for k, v in page.attributes if k == "content" and "default-src" in str(v))
        assert policy.startswith("default-src 'none'") and "http" not in policy

    def test_hostile_text_stays_text(self, store):
        run_id = record(store, label=HOSTILE)
        answer = Answer(role=HOSTILE, prompt=HOSTILE, original=HOSTILE, unlearned=HOSTILE)
        store.append(run_id, Probed(step=41, scores={}, answers=(answer,), health=Health(meter=0)))
        page = Reader(reported(store, run_id))
        clean = Reader(reported(store, record(store)))
        assert set(page.tags) == set(clean.tags)
        assert page.tags.count("script") == clean.tags.count("script") == 2
        assert not [k for k, _ in page.attributes if k.startswith("on")]
        data = json.loads(re.search(r'id="answers">(.*?)</script>', reported(store, run_id))[1])
        assert HOSTILE in data["texts"]

    def test_every_look_is_in_it(self, store):
        run_id = record(store)
        data = json.loads(re.search(r'id="answers">(.*?)</script>', reported(store, run_id))[1])
        looks = store.view(run_id).answers
        assert [step for step, _ in data["steps"]] == sorted(looks)
        for step, rows in data["steps"]:
            for row, answer in zip(rows, looks[step], strict=True):
                assert [data["texts"][i] for i in row[:4]] == [
                    answer.role, answer.prompt, answer.original, answer.unlearned
                ]  # fmt: skip


class TestVerdict:
    @pytest.mark.parametrize(
        ("now", "extracted", "begin"),
        [
            (0.57, 0.05, "Forgotten: "),
            (0.58, 0.05, "Not forgotten: "),
            (0.56, 0.06, "Not quite forgotten: "),
            (0.46, 0.0, "Forgotten: "),
            (0.44, 0.0, "Forgotten too much: "),
        ],
    )
    def test_the_rule_is_that_of_the_runs(self, store, now, extracted, begin):
        view = store.view(record(store))
        view.scores["unlearned"] = {
            "memorization_accuracy": {"forget": ScoreValue(value=now)},
            "extraction_likelihood": {"forget": ScoreValue(value=extracted)},
        }
        assert verdict(view).startswith(begin)

    def test_without_a_level_there_is_none(self, store):
        view = store.view(record(store))
        view.levels = None
        assert verdict(view).startswith("No verdict")
        assert "no verdict" in verdict(View())


class TestTables:
    def test_curves_come_back_as_they_were(self, store):
        view = store.view(record(store, outcome="diverged"))
        rows = list(csv.DictReader(io.StringIO(curves_csv(view), newline="")))
        for name, series in view.series.items():
            found = {int(r["step"]): float(r[name]) for r in rows if r[name] != ""}
            assert list(found) == series.steps
            assert [str(v) for v in found.values()] == [str(v) for v in series.values]
        assert any("nan" in row.values() for row in rows)

    def test_metrics_have_their_intervals(self, store):
        view = store.view(record(store))
        rows = list(csv.DictReader(io.StringIO(metrics_csv(view), newline="")))
        row = next(r for r in rows if (r["stage"], r["metric"], r["text"]) ==
                   ("unlearned", "memorization_accuracy", "forget"))  # fmt: skip
        score = view.scores["unlearned"]["memorization_accuracy"]["forget"]
        assert [float(row[k]) for k in ("value", "low", "high")] == [
            score.value, score.low, score.high
        ]  # fmt: skip
        assert int(row["n"]) == 32 and len(rows) == 14

    @given(st.text(max_size=20))
    def test_no_name_becomes_a_formula(self, name):
        view = View(scores={"original": {name: {"forget": ScoreValue(value=-1.5)}}})
        (row,) = list(csv.DictReader(io.StringIO(metrics_csv(view), newline="")))
        assert float(row["value"]) == -1.5
        try:
            float(row["metric"])
        except ValueError:
            assert not row["metric"].startswith(("=", "+", "-", "@", "\t", "\r"))

    def test_settings_hold_no_text(self, store):
        found = settings_json(store, record(store, outcome="diverged"), "the command")
        assert json.loads(found)["series"]["forget_nll"]["values"][-1] == "nan"
        assert "clockmaker" not in found


class TestCurves:
    @given(
        st.lists(st.floats(width=64), max_size=40),
        st.text(max_size=12),
        st.none() | st.floats(allow_nan=False, allow_infinity=False),
    )
    def test_any_values_make_a_picture(self, values, name, level):
        series = Series(list(range(len(values))), values)
        drawn = panel_svg(Panel(name, (Curve(name, series, "forget"),), level=level))
        Reader(drawn)
        paths = re.findall(r' d="([^"]*)"', drawn)
        assert paths and not any("nan" in path or "inf" in path for path in paths)

    @given(st.integers(0, 3000), st.integers(4, 100))
    @settings(max_examples=40)
    def test_thinning_keeps_ends_and_extremes(self, count, most):
        values = [math.sin(i * 0.37) * (1 + i % 7) for i in range(count)]
        kept = thinned(Series(list(range(count)), values), most)
        assert len(kept) <= max(most, 2) and [step for step, _ in kept] == sorted(
            {step for step, _ in kept}
        )
        if count:
            assert kept[0] == (0, values[0]) and kept[-1] == (count - 1, values[-1])

    def test_a_value_that_is_none_leaves_a_mark(self):
        series = Series([0, 1, 2, 3, 4], [1.0, 2.0, math.nan, 4.0, math.inf])
        drawn = panel_svg(Panel("loss", (Curve("forget", series, "forget"),)))
        assert "forget NaN" in drawn and drawn.count("M") > 3


class TestAdapter:
    @pytest.fixture
    def run_id(self, store):
        run_id = store.create(RunConfig(), {}, "key")
        folder = store.folder(run_id) / "snapshots" / "step-5" / "student"
        folder.mkdir(parents=True)
        (folder / WEIGHTS).write_bytes(b"weights")
        settings = {"r": 8, "base_model_name_or_path": "/home/somebody/models/demo"}
        (folder / SETTINGS).write_text(json.dumps(settings))
        store.append(run_id, Snapshotted(step=5))
        store.append(run_id, Measured(stage="unlearned", scores={}))
        store.append(run_id, Ended(status="finished", step=5))
        return run_id

    def test_it_is_what_peft_reads_without_paths_of_this_machine(self, store, run_id, tmp_path):
        pack_adapter(store, run_id, tmp_path / "a.zip")
        with zipfile.ZipFile(tmp_path / "a.zip") as packed:
            assert set(packed.namelist()) == {WEIGHTS, SETTINGS, "README.md"}
            assert packed.read(WEIGHTS) == b"weights"
            found = json.loads(packed.read(SETTINGS))
            assert found == {"r": 8, "base_model_name_or_path": "demo"}
            assert str(store.path) not in packed.read("README.md").decode()
        with pytest.raises(FileExistsError):
            pack_adapter(store, run_id, tmp_path / "a.zip")

    def test_what_was_handed_over_goes_first(self, store, run_id, tmp_path):
        snapshot = store.folder(run_id) / "snapshots" / "step-5"
        (snapshot / "student").rename(snapshot / "handed")
        (snapshot / "handed" / WEIGHTS).write_bytes(b"handed over")
        pack_adapter(store, run_id, tmp_path / "a.zip")
        assert zipfile.ZipFile(tmp_path / "a.zip").read(WEIGHTS) == b"handed over"

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"lora_rank": 0}, "trained all parameters"),
            ({}, "no snapshot yet"),
        ],
    )
    def test_where_there_is_none_it_says_why(self, store, tmp_path, settings, words):
        run_id = store.create(RunConfig.parse(settings), {})
        with pytest.raises(UserError, match=words):
            pack_adapter(store, run_id, tmp_path / "a.zip")
        assert not (tmp_path / "a.zip").exists()

    def test_a_decoder_has_none(self, store, run_id, tmp_path, monkeypatch):
        monkeypatch.setattr(METHODS["undial"], "artifact", "decoder")
        with pytest.raises(UserError, match="decoder, not weights"):
            pack_adapter(store, run_id, tmp_path / "a.zip")

    @pytest.mark.parametrize("run_id", ["../../etc/passwd", "", "0" * 10, "a/../b"])
    def test_no_name_leads_out(self, store, tmp_path, run_id):
        with pytest.raises(UserError, match="no run"):
            pack_adapter(store, run_id, tmp_path / "a.zip")

    def test_a_folder_without_its_links(self, tmp_path):
        folder = tmp_path / "model"
        folder.mkdir()
        (folder / "config.json").write_text("{}")
        (folder / "passwd").symlink_to("/etc/passwd")
        pack_folder(folder, tmp_path / "m.zip")
        assert zipfile.ZipFile(tmp_path / "m.zip").namelist() == ["config.json"]
