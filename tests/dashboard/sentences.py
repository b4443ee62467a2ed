"""What the page says, and which of it a catalogue lacks: `python -m tests.dashboard.sentences de`.

Sentences are found in the code: marked ones (`_`, `N_`, `plural`, `counted`), errors for the user,
what methods, metrics, attacks, settings, texts and lessons declare, and what scripts say.
"""

from __future__ import annotations

import ast
import json
import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from dashboard.language import MESSAGES, SLOT, available, catalogue
from dashboard.lessons import LESSONS
from dashboard.lessons.glossary import GLOSSARY
from unlearning.attacks import ATTACKS
from unlearning.config import RunConfig
from unlearning.data.sources import PRESETS
from unlearning.declare import Declared
from unlearning.methods import METHODS
from unlearning.metrics import METRICS
from unlearning.models.suggested import SUGGESTIONS

ROOT = Path(__file__).resolve().parents[2]
MARKS = {"_": slice(0, 1), "N_": slice(0, 1), "plural": slice(1, 3), "counted": slice(1, 3)}
"""Functions whose arguments are sentences, and which of them."""
SAID = re.compile(r'letheSay\(\s*("(?:[^"\\]|\\.)*")', re.DOTALL)


def trees(folder: str) -> Iterator[ast.Module]:
    """The modules of a package."""
    for path in sorted((ROOT / folder).rglob("*.py")):
        yield ast.parse(path.read_text(encoding="utf-8"))


def literal(node: ast.expr) -> str | None:
    """A string as it stands in the code; of an f-string its template."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return template(node) if isinstance(node, ast.JoinedStr) else None


def template(node: ast.JoinedStr) -> str:
    """An f-string with numbered places: what a catalogue calls its values is its own affair."""
    return "".join(
        part.value if isinstance(part, ast.Constant) else f"{{{i}}}"
        for i, part in enumerate(node.values)
    )


def shape(text: str) -> str:
    """A template without the names of its places."""
    return SLOT.sub("{}", text)


def called(tree: ast.Module, *names: str) -> Iterator[ast.Call]:
    """Calls of these functions by their bare name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
            yield node


@cache
def marked() -> frozenset[str]:
    """Sentences of the dashboard's own."""
    return frozenset(
        text
        for tree in trees("dashboard")
        for call in called(tree, *MARKS)
        for node in call.args[MARKS[call.func.id]]
        if (text := literal(node)) is not None
    )


@cache
def scripted() -> frozenset[str]:
    """What scripts say."""
    paths = [*(ROOT / "assets" / "page").glob("*.js"), *(ROOT / "dashboard").rglob("*.py")]
    found = [said for path in paths for said in SAID.findall(path.read_text(encoding="utf-8"))]
    return frozenset(json.loads(said.replace("\\\n", "")) for said in found)


@cache
def errors() -> frozenset[str]:
    """Messages and hints that the dashboard raises."""
    return frozenset(
        shape(text)
        for tree in trees("dashboard")
        for call in called(tree, "UserError")
        for node in _branches(call.args)
        if (text := literal(node)) is not None
    )


def _branches(nodes: list[ast.expr]) -> Iterator[ast.expr]:
    for node in nodes:
        yield from (node.body, node.orelse) if isinstance(node, ast.IfExp) else (node,)


@cache
def built() -> frozenset[str]:
    """Every string of the engine and of the dashboard, for messages to be found in."""
    found = set()
    for folder in ("dashboard", "unlearning"):
        for tree in trees(folder):
            texts = map(literal, (node for node in ast.walk(tree) if isinstance(node, ast.expr)))
            found |= {shape(text) for text in texts if text is not None}
    return frozenset(found)


def fields(declared: type[Declared]) -> set[str]:
    """Labels and explanations of a form."""
    return {text for item in declared.declared() for text in (item.label, item.help)}


@cache
def declared() -> frozenset[str]:
    """What is declared beside the code that does it. Names of methods and metrics stay."""
    found = fields(RunConfig)
    for method in METHODS.values():
        found |= {method.summary(), method.idea, method.cost, method.failure} | fields(method)
        found |= {word for r in method.reports for word in (r.chart, r.words, r.direction)}
        found.add(method.dial.turns.replace("_", " "))
    for attack in ATTACKS.values():
        found |= {attack.rule} | fields(attack)
    found |= {metric.plain.removeprefix("text health: ") for metric in METRICS.values()}
    found |= {about for preset in PRESETS.values() for about in preset.splits.values()}
    found |= {suggestion.note for suggestion in SUGGESTIONS}
    return frozenset(found - {""})


@cache
def taught() -> frozenset[str]:
    """Lessons and glossary."""
    found = {word for words, _, meaning in GLOSSARY for word in (words, meaning)}
    for lesson in LESSONS:
        found |= {lesson.title, lesson.formula_told, lesson.question, lesson.watch}
        found |= {*lesson.idea, *lesson.choices}
    return frozenset(found)


def missing(language: str) -> dict[str, list[str]]:
    """Sentences without an entry, by where they come from."""
    files = catalogue(language)
    entries = {key for part in files.values() for key in part}
    known = {shape(key) for key in files[MESSAGES]}
    wanted = {"dashboard": marked(), "declared": declared(), "learn": taught()}
    found = {name: sorted(texts - entries) for name, texts in wanted.items()}
    found["scripts"] = sorted(scripted() - set(files["browser"]))
    found["errors"] = sorted(errors() - known - {shape(key) for key in entries})
    return {name: texts for name, texts in found.items() if texts}


def unused(language: str) -> dict[str, list[str]]:
    """Entries that nothing says, by file."""
    files = catalogue(language)
    said = marked() | declared() | taught() | set(_titles())
    found = {
        name: [key for key in part if key not in said]
        for name, part in files.items()
        if name not in (MESSAGES, "browser")
    }
    found["browser"] = [key for key in files["browser"] if key not in scripted()]
    found[MESSAGES] = [key for key in files[MESSAGES] if shape(key) not in built()]
    return {name: keys for name, keys in found.items() if keys}


def _titles() -> Iterator[str]:
    yield from (preset.title for preset in PRESETS.values())
    yield from (attack.title for attack in ATTACKS.values())
    yield from (attack.summary() for attack in ATTACKS.values())


def main(languages: list[str]) -> int:
    """Print what is missing and unused as JSON; 1 where there is anything."""
    found = {
        language: {"missing": missing(language), "unused": unused(language)}
        for language in languages or available()[1:]
    }
    print(json.dumps(found, indent=1, ensure_ascii=False))
    return int(any(part for lists in found.values() for part in lists.values()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
