"""The language of the page: the English sentence in the code is the key, a folder of JSON the rest.

One language for the whole server, chosen before the page is built. A catalogue is a folder in
assets/language with flat JSON files, English to translation; what has no entry stays English.
Values go in after translation: `_("Step {step}").format(step=3)`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from unlearning.errors import UserError

CATALOGUES = Path(__file__).resolve().parents[1] / "assets" / "language"
MESSAGES = "messages"
"""The file with sentences that the engine builds: they come here with their values in them."""
BROWSER = "browser"
"""The file with sentences that scripts of the page build."""
LONGEST = 2000
"""Characters of a message that is looked up by its template; longer ones stay as they are."""
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
    for cached in (_patterns, _known, spoken):
        cached.cache_clear()


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
        for count in range(len(sentences), 0, -1):
            beginning = " ".join(sentences[:count])
            known = _known(beginning) if count < len(sentences) or said else None
            if known is not None or count == 1:
                said.append(beginning if known is None else known)
                del sentences[:count]
                break
    return " ".join(said)


@lru_cache(maxsize=4096)
def _known(message: str) -> str | None:
    if message in _entries:
        return _entries[message]
    for patterns, translation in _patterns():
        found = [match for pattern in patterns if (match := pattern.fullmatch(message))]
        if found:
            # A value may hold what joins it to the next one: the split that is understood counts.
            values = max((match.groupdict() for match in found), key=_understood)
            return SLOT.sub(lambda slot, said=values: _value(said[slot[1]]), translation)
    return None


def _understood(values: Mapping[str, str]) -> int:
    return sum(" " in text and _known(text) is not None for text in values.values())


def _value(text: str) -> str:
    """Parts of sentences are put into others; a single word is a name."""
    return (_known(text) or text) if " " in text else text


@lru_cache(maxsize=1)
def _patterns() -> list[tuple[tuple[re.Pattern[str], ...], str]]:
    """Messages with values, those with most words of their own first."""
    found = [(key, value) for key, value in _messages.items() if SLOT.search(key)]
    found.sort(key=lambda pair: -len(SLOT.sub("", pair[0])))
    return [((pattern_of(key), pattern_of(key, greedy=True)), value) for key, value in found]


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
