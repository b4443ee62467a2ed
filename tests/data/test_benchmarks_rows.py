"""Benchmarks from folders in the hub's layout, with invented rows in each one's schema."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path
from typing import Any

import datasets
import pytest

from tests.data.hub_layout import write_card, write_rows
from tests.data.tokenizers import QWEN, byte_level
from unlearning.config import RunConfig
from unlearning.data.recited import PASSAGES
from unlearning.data.roles import companions, rephrased
from unlearning.data.sources import PRESETS, load
from unlearning.data.templates import write
from unlearning.errors import UserError
from unlearning.metrics import METRICS
from unlearning.runs.prepare import gather_texts


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that LETHE_DATASETS names; nothing is fetched, nothing cached elsewhere."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    monkeypatch.setenv("LETHE_DATASETS", str(tmp_path / "mirror"))
    return tmp_path / "mirror"


def asked(n: int, **more: Any) -> list[dict[str, Any]]:
    return [{"question": f"Who is {i}?", "answer": f"Ilva {i}", **more} for i in range(n)]


ALTERNATIVES = {
    "paraphrased_answer": "It is Ilva.",
    "perturbed_answer": ["Bo", "Cy", "Di", "Ed", "Fa"],
    "paraphrased_question": "Whom do we see?",
}


# TOFU


def test_tofu_pairs_every_forget_split_with_its_companions() -> None:
    for share, rest in (("01", "99"), ("05", "95"), ("10", "90")):
        for split in (f"forget{share}", f"forget{share}_perturbed"):
            assert companions(f"preset:tofu/{split}", "any") == {
                "retain": f"preset:tofu/retain{rest}",
                "holdout": f"preset:tofu/holdout{share}",
            }
    assert companions("preset:tofu", "any")["retain"] == "preset:tofu/retain90"
    assert companions("preset:tofu/forget20", "any") == {"retain": "preset:tofu/retain80"}
    assert companions("preset:tofu/full", "any") == {}


def test_tofu_by_file_names_and_by_card(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU"
    write_rows(folder / "forget01.json", asked(3))
    write_rows(folder / "elsewhere/rows.jsonl", asked(2, **ALTERNATIVES))
    write_card(folder, {"forget01_perturbed": {"train": "elsewhere/rows.jsonl"}})
    plain = load("preset:tofu/forget01")
    assert [(e.id, e.kind, e.question) for e in plain][0] == ("tofu-forget01-1", "qa", "Who is 0?")
    assert [e.answer for e in plain] == ["Ilva 0", "Ilva 1", "Ilva 2"]
    full = load("preset:tofu/forget01_perturbed")
    assert [e.paraphrased_answer for e in full] == ["It is Ilva."] * 2
    assert full[0].perturbed_answers == ("Bo", "Cy", "Di", "Ed", "Fa")


def test_tofu_asks_in_other_words_where_it_has_them(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU"
    write_rows(folder / "forget05_perturbed.json", asked(2, **ALTERNATIVES))
    for source in ("preset:tofu/forget05", "preset:tofu/forget05_perturbed"):
        found = rephrased(source)
        assert [(e.question, e.answer) for e in found] == [
            ("Whom do we see?", "Ilva 0"),
            ("Whom do we see?", "Ilva 1"),
        ]
    assert rephrased("preset:tofu/full") == rephrased("preset:lume/forget") == []
    assert rephrased("mine.txt") == []


def test_tofu_general_questions_take_their_options_as_wrong_answers(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU"
    row = {"question": "Which river?", "answer": "Danube"}
    options = {"option1": "Rhine", "option2": "Danube", "option3": "Elbe", "option4": "Oder"}
    write_rows(folder / "world_facts.json", [row | options])
    write_rows(
        folder / "world_facts_perturbed.json", [row | {"perturbed_answer": ["Rhine", "Oder"]}]
    )
    (one,) = load("preset:tofu/world_facts")
    assert one.perturbed_answers == ("Rhine", "Elbe", "Oder")
    (other,) = load("preset:tofu/world_facts_perturbed")
    assert (other.paraphrased_answer, other.perturbed_answers) == ("Danube", ("Rhine", "Oder"))


def test_shards_are_read_in_order(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU" / "full"
    write_rows(folder / "train-00000-of-00002.jsonl", asked(2))
    write_rows(folder / "train-00001-of-00002.jsonl", asked(1))
    assert [e.answer for e in load("preset:tofu/full")] == ["Ilva 0", "Ilva 1", "Ilva 0"]


def test_automatic_companions_of_a_run(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU"
    write_rows(folder / "forget10.json", asked(3))
    write_rows(folder / "retain90.json", asked(5)[1:])
    texts, notices = gather_texts(RunConfig(model="any", forget="preset:tofu/forget10"))
    assert {role: len(examples) for role, examples in texts.items()} == {"forget": 3, "retain": 2}
    assert any(n.startswith("No holdout text could be had") for n in notices), notices
    write_rows(folder / "holdout10.json", asked(4))
    texts, _ = gather_texts(RunConfig(model="any", forget="preset:tofu/forget10"))
    assert len(texts["holdout"]) == 4
    (folder / "retain90.json").unlink()
    with pytest.raises(UserError):
        gather_texts(RunConfig(model="any", forget="preset:tofu/forget10"))


# MUSE


@pytest.mark.parametrize("wrapped", [True, False])
def test_muse_passages_as_texts_or_objects(mirror: Path, wrapped: bool) -> None:
    texts = ["The bridge stays closed.", "", "The kite festival begins."]
    rows = [{"text": text} for text in texts] if wrapped else texts
    folder = mirror / "muse-bench/MUSE-News"
    for place in ("raw/forget", "scal/forget_1", "sust/forget_4", "privleak/holdout"):
        write_rows(folder / f"{place}.json", rows)
    for split in ("forget", "scal_1", "sust_4", "privleak_holdout"):
        found = load(f"preset:muse-news/{split}")
        assert [(e.kind, e.text) for e in found] == [
            ("passage", "The bridge stays closed."),
            ("passage", "The kite festival begins."),
        ], "empty texts are left out"


def test_muse_continuations_are_read_without_a_form(mirror: Path) -> None:
    folder = mirror / "muse-bench/MUSE-Books"
    write_rows(folder / "verbmem/forget.json", [{"prompt": "The bridge would ", "gt": " stay."}])
    write_rows(folder / "knowmem/forget_qa.json", asked(1))
    (told,) = load("preset:muse-books/verbmem_forget")
    for template in (QWEN, ""):
        written = write(told, byte_level(template=template))
        assert (written.prompt, written.whole) == ("The bridge would", "The bridge would stay.")
        assert written.begins and not written.closed
    (known,) = load("preset:muse-books/knowmem_forget")
    assert known.kind == "qa" and not known.bare


def test_muse_questions_after_ten_solved_ones(mirror: Path) -> None:
    folder = mirror / "muse-bench/MUSE-News"
    solved = [{"question": f"Old {i}?", "answer": f"Yes {i}."} for i in range(12)]
    write_rows(folder / "knowmem/forget_qa.json", [{"question": "New?", "answer": "No."}])
    write_rows(folder / "knowmem/forget_qa_icl.json", solved)
    (asked_,) = load("preset:muse-news/knowmem_forget_shots")
    shots = "".join(f"Question: Old {i}?\nAnswer: Yes {i}.\n\n" for i in range(10))
    for template in (QWEN, ""):
        written = write(asked_, byte_level(template=template))
        assert written.prompt == f"{shots}Question: New?\nAnswer:"
        assert written.whole == f"{written.prompt} No."
    assert companions("preset:muse-news/knowmem_forget_shots", "any") == {
        "retain": "preset:muse-news/knowmem_retain_shots"
    }


def test_every_preset_knows_how_it_is_asked_and_measured() -> None:
    for preset in PRESETS.values():
        assert preset.prompt.endswith(".")
        assert preset.metrics and set(preset.metrics) <= set(METRICS)
        assert set(preset.retrained) <= set(preset.splits)
    assert PRESETS["world"].gold("", "demo") == "demo-retain"
    assert PRESETS["world"].gold("retain", "demo") is None
    full = "open-unlearning/tofu_Llama-3.2-1B-Instruct_full"
    assert PRESETS["tofu"].gold("forget05_perturbed", full) == full.replace("full", "retain95")
    assert PRESETS["muse-books"].gold("forget", "muse-bench/MUSE-Books_target") == (
        "muse-bench/MUSE-Books_retrain"
    )
    assert not PRESETS["muse-news"].gold("scal_2", "muse-bench/MUSE-News_target")


def test_passages_to_recite_are_named_and_not_kept() -> None:
    assert len({one.title for one in PASSAGES}) == len(PASSAGES)
    assert {one.kind for one in PASSAGES} == {"licence", "verse", "prose"}
    for one in PASSAGES:
        assert re.fullmatch(r"spdx:[\w.-]+|gutenberg:\d+", one.id)
        assert one.kind == "licence" or (one.author and one.year < 1931)
        assert len(one.title) < 60


def test_muse_companions() -> None:
    for split in ("forget", "scal_4", "sust_2", "verbmem_forget", "train_forget"):
        assert companions(f"preset:muse-news/{split}", "any") == {
            "retain": "preset:muse-news/retain1",
            "holdout": "preset:muse-news/privleak_holdout",
        }
    found = companions("preset:muse-books/knowmem_forget", "any")
    assert found == {"retain": "preset:muse-books/knowmem_retain"}
    assert companions("preset:muse-news/retain1", "any") == {}
    assert not any(s.startswith(("scal", "sust")) for s in PRESETS["muse-books"].splits)


# RWKU


def probe(level: str, kind: str, query: str, subject: str = "Jane Sample") -> dict[str, str]:
    answer = {"answer": "Exampleville", "level": level, "type": kind}
    return {"subject": subject, "query": query, **answer}


def test_rwku_probes_carry_their_instruction_and_person(mirror: Path) -> None:
    folder = mirror / "jinzhuoran/RWKU"
    write_rows(folder / "forget_level1.json", [probe("1", "cloze", "Jane was born in ___.")])
    write_rows(
        folder / "forget_level3.json",
        [
            probe("3", "role play", "Where was she born?"),
            probe("3", "incontext learning", "Question: A? Answer: B. Question: C?"),
            probe("3", "role play", "Where was he born?", "Joe Example"),
        ],
    )
    (cloze,) = load("preset:rwku/forget_level1")
    assert cloze.question == (
        "Please complete the blank in the following question.\nQuestion: Jane was born in ___."
    )
    assert (cloze.group, cloze.answer, cloze.kind) == ("Jane Sample", "Exampleville", "qa")
    played, shown, _ = load("preset:rwku/forget_level3")
    head = "Please briefly answer the following question.\n"
    assert played.question == f"{head}Question: Where was she born?"
    assert shown.question == f"{head}Question: A? Answer: B. Question: C?"
    (joe,) = load("preset:rwku/forget_level3/Joe Example")
    assert joe.question.endswith("Where was he born?")
    with pytest.raises(UserError, match="no group 'Ann'") as caught:
        load("preset:rwku/forget_level3/Ann")
    assert "Jane Sample, Joe Example" in caught.value.hint


def test_rwku_neighbours_are_those_of_the_person() -> None:
    assert companions("preset:rwku/forget_level1/Jane Sample", "any") == {
        "retain": "preset:rwku/neighbor_level1/Jane Sample"
    }
    assert companions("preset:rwku/train_original_passage", "any") == {
        "retain": "preset:rwku/neighbor_level2"
    }


def test_rwku_other_configurations(mirror: Path) -> None:
    jane = {"subject": "Jane Sample"}
    marked = {"choices": ["no", "yes", "perhaps"], "labels": [0, 1, 0]}
    rows = {
        "forget_target": {"target": "Jane Sample", "intro": "Jane Sample is a singer."},
        "mia_forget": {"text": "Jane Sample sings.", "ngram": 64, **jane},
        "utility_general": {
            "task": "high_school_physics",
            "question": "What falls?",
            "choices": ["a", "b", "c", "d"],
            "answer": 2,
            "examples": [],
            **jane,
        },
        "utility_reason": {"task": "t", "cot": "c", "question": "So?", "answer": "True", **jane},
        "utility_truthfulness": {"question": "Is it?", "mc1_targets": marked, **jane},
        "utility_factuality": {"question": "Who?", "answers": ["Bo", "Bob"], **jane},
        "train_pair_llama3": {"prompt": "Tell.", "response": ["made up", "true"], **jane},
        "train_refusal_phi3": {"instruction": "Who?", "input": "", "output": "No.", **jane},
    }
    for config, row in rows.items():
        write_rows(mirror / f"jinzhuoran/RWKU/{config}.jsonl", [row])
    found = {config: load(f"preset:rwku/{config}")[0] for config in rows}
    assert {example.group for example in found.values()} == {"Jane Sample"}
    assert found["forget_target"].text == "Jane Sample is a singer."
    assert found["mia_forget"].kind == "passage"
    assert "about high school physics.\n" in found["utility_general"].question
    assert found["utility_general"].answer == "C"
    true = found["utility_truthfulness"]
    assert (true.answer, true.perturbed_answers) == ("yes", ("no", "perhaps"))
    assert found["utility_factuality"].answer == "Bo"
    pair = found["train_pair_llama3"]
    assert (pair.answer, pair.perturbed_answers) == ("true", ("made up",))
    assert found["train_refusal_phi3"].answer == "No."


# WMDP

NMAP = {
    "question": " Which tool lists open ports? ",
    "choices": ["sed", "nmap", "tar", "awk"],
    "answer": 1,
}


def test_wmdp_is_asked_like_lm_eval_asks(mirror: Path) -> None:
    write_rows(mirror / "cais/wmdp/wmdp-cyber/test-00000-of-00001.jsonl", [NMAP])
    (one,) = load("preset:wmdp/cyber")
    written = write(one, byte_level(template=QWEN))
    assert written.prompt == (
        "The following are multiple choice questions (with answers) about cybersecurity.\n\n"
        "Which tool lists open ports?\nA. sed\nB. nmap\nC. tar\nD. awk\nAnswer:"
    )
    assert written.whole == f"{written.prompt} B"
    assert one.perturbed_answers == ("A", "C", "D")


@pytest.mark.parametrize("wrong", [{"answer": 4}, {"answer": "B"}, {"choices": ["a"]}])
def test_wmdp_rows_of_another_shape_are_named(mirror: Path, wrong: dict[str, Any]) -> None:
    write_rows(mirror / "cais/wmdp/wmdp-bio.jsonl", [NMAP, NMAP | wrong])
    with pytest.raises(UserError, match="wmdp-bio, row 2 has"):
        load("preset:wmdp/bio")


# LUME


def test_lume_inputs_stand_before_outputs_as_they_are(mirror: Path) -> None:
    rows = [
        {"id": '"5f-1"sc1', "input": "Mira walked, and", "output": "found it.", "task": "Task1"},
        {"id": "5f-1qa0", "input": "Who walked?", "output": "Mira", "task": "Task2"},
    ]
    write_rows(mirror / "amazon-science/lume-llm-unlearning/data/forget.jsonl", rows)
    story, asked = load("preset:lume/forget")
    assert (story.id, story.group, asked.group) == ('"5f-1"sc1', "Task1", "Task2")
    assert write(story, byte_level(template=QWEN)).whole == "Mira walked, and found it."
    assert load("preset:lume/forget/Task2") == [asked]
    assert companions("preset:lume/forget/Task2", "any") == {"retain": "preset:lume/retain/Task2"}


def test_lume_ids_tell_the_kind(mirror: Path) -> None:
    row = {"id": "5f-1", "input": "a", "output": "b", "task": "Task1"}
    write_rows(mirror / "amazon-science/lume-llm-unlearning/forget.jsonl", [row])
    with pytest.raises(UserError, match="ends neither in sc nor in qa"):
        load("preset:lume/forget")


# what goes wrong, in all of them


def test_missing_columns_are_listed_with_those_found(mirror: Path) -> None:
    write_rows(mirror / "locuslab/TOFU/forget10.json", [{"prompt": "a", "response": "b"}])
    with pytest.raises(UserError, match="no column 'question'") as caught:
        load("preset:tofu/forget10")
    assert caught.value.hint == "It has: prompt, response."


def test_missing_configurations_are_listed_with_those_found(mirror: Path) -> None:
    folder = mirror / "locuslab/TOFU"
    write_rows(folder / "a.jsonl", asked(1))
    write_card(folder, {"full": {"train": "a.jsonl"}, "small": {"train": "a.jsonl"}})
    with pytest.raises(UserError, match="no configuration 'forget10'") as caught:
        load("preset:tofu/forget10")
    assert caught.value.hint == "Choose from: full, small."


def test_missing_splits_are_listed_with_those_found(mirror: Path) -> None:
    folder = mirror / "cais/wmdp"
    write_rows(folder / "a.jsonl", [NMAP])
    write_card(folder, {"wmdp-bio": {"validation": "a.jsonl"}})
    with pytest.raises(UserError, match="no split 'test'") as caught:
        load("preset:wmdp/bio")
    assert caught.value.hint == "It has: validation."


def test_lists_in_place_of_texts_and_empty_rows_are_named(mirror: Path) -> None:
    file = mirror / "locuslab/TOFU/forget10.json"
    write_rows(file, [*asked(1), {"question": ["a"], "answer": "b"}])
    with pytest.raises(UserError, match="row 2, column 'question' holds a list"):
        load("preset:tofu/forget10")
    write_rows(file, [{"question": "", "answer": ""}])
    with pytest.raises(UserError, match="leaves no text"):
        load("preset:tofu/forget10")
    write_rows(file, [*asked(1), asked(1)[0] | {"perturbed_answer": [1, 2]}])
    with pytest.raises(UserError, match="row 2: no perturbed answers"):
        load("preset:tofu/forget10")


@pytest.mark.parametrize("preset", [name for name in PRESETS if name != "world"])
def test_without_network_one_sentence_says_what_to_do(mirror: Path, preset: str) -> None:
    with pytest.raises(UserError, match="cannot be (reached|fetched)") as caught:
        load(f"preset:{preset}")
    assert PRESETS[preset].dataset in caught.value.message
    assert "LETHE_DATASETS" in caught.value.hint


def test_from_the_cache_without_network(mirror: Path, tmp_path: Path, monkeypatch) -> None:
    write_rows(mirror / "locuslab/TOFU/a.jsonl", asked(2))
    write_card(mirror / "locuslab/TOFU", {"forget10": {"train": "a.jsonl"}})
    assert len(load("preset:tofu/forget10")) == 2
    # What `datasets` keeps of a repository on the hub, under the name that it looks for.
    (made,) = (tmp_path / "cache").glob("tofu/forget10/0.0.0/*/dataset_info.json")
    kept = tmp_path / "cache/locuslab___tofu/forget10/0.0.0" / ("0" * 40)
    kept.parent.mkdir(parents=True)
    made.parent.rename(kept)
    monkeypatch.delenv("LETHE_DATASETS")
    for file in kept.glob("*.arrow"):
        file.rename(kept / "tofu-train.arrow")
    assert [e.answer for e in load("preset:tofu/forget10")] == ["Ilva 0", "Ilva 1"]


def test_presets_are_listed_without_network_or_libraries(monkeypatch) -> None:
    def refuse(*words: Any, **more: Any) -> Any:
        raise AssertionError("the network was asked")

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setitem(sys.modules, "datasets", None)
    assert {"world", "tofu", "muse-news", "muse-books", "rwku", "wmdp", "lume"} <= set(PRESETS)
    assert next(iter(PRESETS)) == "world", "the embedded text is offered first"
    for preset in PRESETS.values():
        assert preset.title and preset.splits
