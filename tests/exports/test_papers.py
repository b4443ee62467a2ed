"""Every method with a paper can be cited, and the entry says what the method says."""

from __future__ import annotations

import re
import unicodedata

import pytest

from unlearning.errors import UserError
from unlearning.exports.papers import ARXIV, PAPERS, bibtex, paper_of
from unlearning.methods import METHODS

CITED = [name for name, cls in METHODS.items() if cls.paper]


def parsed(text: str) -> dict[str, dict[str, str]]:
    """A small reader of BibTeX: key to fields; braces must balance."""
    entries, at = {}, 0
    while at < len(text):
        head = re.compile(r"\s*@(\w+)\{([\w-]+),\n").match(text, at)
        if not head:
            assert not text[at:].strip(), text[at : at + 80]
            break
        depth, end = 1, head.end()
        while depth:
            depth += {"{": 1, "}": -1}.get(text[end], 0)
            end += 1
        body = text[head.end() : end - 1]
        fields = dict(re.findall(r"^  (\w+) = \{(.*)\},$", body, re.MULTILINE))
        assert body.count("\n") == len(fields), body
        assert head[2] not in entries
        entries[head[2]] = {"kind": head[1], **fields}
        at = end
    return entries


def plain(name: str) -> str:
    """Family name without accents and BibTeX's ways of writing them."""
    family = re.sub(r"[{}'\\]", "", name.split()[-1])
    return unicodedata.normalize("NFKD", family).encode("ascii", "ignore").decode()


@pytest.mark.parametrize("name", CITED)
def test_every_method_with_a_paper_has_an_entry(name):
    (entry,) = parsed(bibtex([name])).values()
    method, (number, paper) = METHODS[name], paper_of(name)
    assert method.paper == ARXIV + number == entry["url"] and entry["eprint"] == number
    assert entry["title"].strip("{}") == paper.title
    said = unicodedata.normalize("NFKD", method.citation).encode("ascii", "ignore").decode()
    first, _, rest = said.partition(": ")
    assert f"{rest} ".startswith((f"{paper.title}. ", f"{paper.title} ", paper.title))
    names = [part.removesuffix(" et al.") for part in first.removesuffix(" et al.").split(", ")]
    authors = [plain(author) for author in paper.authors if author != "others"]
    assert authors == [plain(one) for one in names]
    assert ("others" in paper.authors) == first.endswith("et al.")
    assert str(paper.year) in said
    assert (paper.venue or "") in said
    assert (entry["kind"] == "inproceedings") == bool(paper.venue)


def test_methods_of_one_paper_share_its_entry():
    entries = parsed(bibtex(["idk", "npo", "idk_dpo", "npo"]))
    assert list(entries) == ["maini2024tofu", "zhang2024negative"]
    assert METHODS["idk_dpo"].title in entries["maini2024tofu"]["note"]


def test_all_together_is_one_file():
    entries = parsed(bibtex(METHODS))
    assert len(entries) == len({METHODS[name].paper for name in CITED})
    assert len({paper.key for paper in PAPERS.values()}) == len(PAPERS)
    assert set(PAPERS) == {METHODS[name].paper.removeprefix(ARXIV) for name in CITED}


def test_what_is_no_method_is_left_out():
    assert bibtex(["nonsense"]) == bibtex([]) == ""
    with pytest.raises(UserError, match="no paper"):
        paper_of("nonsense")
