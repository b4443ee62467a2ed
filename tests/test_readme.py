"""The README and the project's pins tell the truth."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from unlearning.cli.docs import filled
from unlearning.cli.parser import build

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_tables_are_up_to_date():
    assert filled(README) == README, "run: python -m unlearning docs"


def test_the_tree_names_what_is_there():
    tree = re.search(r"## Where things are\n\n```\n(.*?)```", README, re.DOTALL)[1]
    folder = ""
    for line in tree.splitlines():
        name = line.split()[0]
        if not line.startswith("  "):
            folder = name if name.endswith("/") else ""
            assert (ROOT / name).exists(), name
        else:
            assert (ROOT / folder / name).exists(), name


def test_links_lead_somewhere():
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", README):
        assert (ROOT / target).exists(), target


def test_commands_are_understood():
    parser = build()
    commands = re.findall(r"^python -m unlearning (.+)$", README, re.MULTILINE)
    assert len(commands) >= 6
    known = {a for action in parser._actions for a in (action.choices or ())}
    for words in commands:
        for alternative in words.split(" | "):
            assert alternative.split()[0] in known, alternative


def test_front_matter_pins_what_requirements_pin():
    pins = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    version = re.search(r"^sdk_version: (\S+)$", README, re.MULTILINE)[1]
    assert f"gradio=={version}" in pins
    assert "torch==2.13.0" in pins


def test_every_requirement_is_pinned():
    for name in ("requirements.txt", "requirements-dev.txt"):
        for line in (ROOT / name).read_text(encoding="utf-8").splitlines():
            assert re.fullmatch(r"-r requirements\.txt|[\w.-]+==[\w.]+", line), line


def test_python_versions_are_stated():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["requires-python"] == ">=3.11,<3.14"
    assert "3.11 to 3.13" in README
