"""The language of the page: the English sentence in the code is the key, a folder of JSON the rest.

One language for the whole server, chosen before the page is built. A catalogue is a folder in
assets/language with flat JSON files, English to translation; what has no entry stays English.
Values go in after translation: `_("Step {step}").format(step=3)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from unlearning.errors import UserError

CATALOGUES = Path(__file__).resolve().parents[1] / "assets" / "language"
MESSAGES = "messages"
"""The file with sentences that the engine builds: they come here with their values in them."""
BROWSER = "browser"
"""The file with sentences that scripts of the page build."""
LONGEST = 1000
"""Characters of a message that is looked up by its template; longer ones stay as they are."""
DEEPEST = 2
"""Sentences in sentences that are looked up."""
SLOT = re.compile(r"\{(\w*)[^{}]*\}")
"""A place for a value, with its format."""
SENTENCE_END = re.compile(r"(?<=[.!?:;]) ")

_language = "en"
_entries: dict[str, str] = {}
_messages: dict[str, str] = {}
_browser: dict[str, str] = {}


def available() -> list[str]:
    """The languages that there are, English first."""
    return ["en", *sorted(path.name for path in CATALOGUES.iterdir() if path.is_dir())]


def use(language: str) -> None:
    """Speak this language from now on.

    Raises:
        UserError: there is no such language.
    """
    global _language
    if language not in available():
        raise UserError(
            f"The page does not speak {language[:20]!r}.", f"Choose: {', '.join(available())}."
        )
    _language = language
    files = {} if language == "en" else catalogue(language)
    for kept, found in (
        (_entries, {key: value for part in files.values() for key, value in part.items()}),
        (_messages, files.get(MESSAGES, {})),
        (_browser, files.get(BROWSER, {})),
    ):
        kept.clear()
        kept.update(found)
    _templates.cache_clear()
    spoken.cache_clear()


def catalogue(language: str) -> dict[str, dict[str, str]]:
    """The entries of a language by file."""
    paths = sorted((CATALOGUES / language).glob("*.json"))
    return {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in paths}


def _(text: str) -> str:
    """The sentence in the language of the page."""
    return _entries.get(text, text)


def N_(text: str) -> str:  # noqa: N802 (gettext's name for it)
    """Marks a sentence that is translated where it is used."""
    return text


def plural(count: int, one: str, many: str) -> str:
    """The form for a count, translated; German and English have the same two."""
    return _(one if count == 1 else many)


def amid(label: str) -> str:
    """A label amid a sentence: lower case in English; a German noun keeps its capital."""
    return label.lower() if _language == "en" else _(label)


@lru_cache(maxsize=2048)
def spoken(message: str) -> str:
    """A message of the engine in the language of the page.

    It is looked up as it is, by its template, and sentence by sentence. What is in neither stays
    English: an answer of a model or a name of a file is nobody's sentence.
    """
    if not _entries or not message or len(message) > LONGEST:
        return message
    whole = _known(message)
    if whole is not None:
        return whole
    sentences = SENTENCE_END.split(message)
    said: list[str] = []
    while sentences:
        # The longest beginning that is known: values may hold ends of sentences themselves.
        for count in range(min(len(sentences), 4), 0, -1):
            beginning = " ".join(sentences[:count])
            known = _known(beginning) if count < len(sentences) or said else None
            if known is not None or count == 1:
                said.append(beginning if known is None else known)
                del sentences[:count]
                break
    return " ".join(said)


def _known(message: str, depth: int = DEEPEST) -> str | None:
    if message in _entries:
        return _entries[message]
    for template in _templates():
        found = template.read(message)
        if found:
            # A value may hold what joins it to the next one: the split that is understood counts.
            values = max(found, key=lambda one: _understood(one, depth))
            return SLOT.sub(
                lambda slot, said=values: _value(said[slot[1]], depth), template.translation
            )
    return None


def _understood(values: Mapping[str, str], depth: int) -> int:
    return sum(_value(text, depth) != text for text in values.values())


def _value(text: str, depth: int) -> str:
    """Parts of sentences are put into others; a single word is a name."""
    return (_known(text, depth - 1) or text) if depth and " " in text else text


@lru_cache(maxsize=1)
def _templates() -> list[Template]:
    """Messages with values, those with most words of their own first."""
    found = [Template.of(key, value) for key, value in _messages.items() if SLOT.search(key)]
    return sorted(found, key=lambda template: -sum(map(len, template.own)))


@dataclass(frozen=True)
class Template:
    """A message with places for values."""

    own: tuple[str, ...]
    """Its words before, between and after the values."""
    patterns: tuple[re.Pattern[str], ...]
    translation: str

    @classmethod
    def of(cls, text: str, translation: str) -> Template:
        """The template of an entry."""
        own = tuple(SLOT.sub("\0", text).split("\0"))
        return cls(own, (pattern_of(text), pattern_of(text, greedy=True)), translation)

    def read(self, message: str) -> list[dict[str, str]]:
        """The values in a message, split in all ways that are tried; empty where it is another."""
        # Most are ruled out by their words, which is much cheaper than by a pattern.
        if not (message.startswith(self.own[0]) and message.endswith(self.own[-1])):
            return []
        if not all(words in message for words in self.own):
            return []
        matches = (pattern.fullmatch(message) for pattern in self.patterns)
        return [match.groupdict() for match in matches if match]


def pattern_of(template: str, *, greedy: bool = False) -> re.Pattern[str]:
    """What a template becomes with any values in it, the first ones short or long."""
    parts, at, seen = [], 0, set()
    for slot in SLOT.finditer(template):
        parts.append(re.escape(template[at : slot.start()]))
        name, some = slot[1], ".+" if greedy else ".+?"
        parts.append(f"(?P={name})" if name in seen else f"(?P<{name}>{some})")
        seen.add(name)
        at = slot.end()
    return re.compile("".join([*parts, re.escape(template[at:])]), re.DOTALL)


def head() -> str:
    """What the page's scripts need, for `launch(head=...)`; nothing in English."""
    if _language == "en":
        return ""
    return (
        f'<script>document.documentElement.lang = "{_language}"; '
        f"window.letheWords = {for_script(_browser)};</script>"
    )


def for_script(entries: Mapping[str, str]) -> str:
    """JSON that cannot end the script which it stands in."""
    return json.dumps(entries, ensure_ascii=False).replace("<", "\\u003c")
