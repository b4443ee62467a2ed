"""BibTeX of the methods: the one place where their papers are declared.

Names are given in full where they were checked in full, else family names alone, as in the
methods' own citations; 'others' stands where those say 'et al.'.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from unlearning.errors import UserError
from unlearning.methods import METHODS

ARXIV = "https://arxiv.org/abs/"


@dataclass(frozen=True, slots=True)
class Paper:
    """One paper on arXiv."""

    key: str
    authors: tuple[str, ...]
    title: str
    year: int
    venue: str = ""
    """Where it appeared; empty for a preprint."""
    pages: str = ""


PAPERS: dict[str, Paper] = {
    "2203.12817": Paper(
        "liu2022continual",
        ("Liu", "Liu", "Stone"),
        "Continual Learning and Private Unlearning",
        2022,
        "CoLLAs",
    ),
    "2210.01504": Paper(
        "jang2023knowledge",
        ("Joel Jang", "Dongkeun Yoon", "Sohee Yang", "Sungmin Cha", "Moontae Lee",
         "Lajanugen Logeswaran", "Minjoon Seo"),
        "Knowledge Unlearning for Mitigating Privacy Risks in Language Models",
        2023,
        "ACL",
    ),
    "2212.04089": Paper(
        "ilharco2023editing",
        ("Ilharco", "Ribeiro", "Wortsman", "Gururangan", "Schmidt", "Hajishirzi", "Farhadi"),
        "Editing Models with Task Arithmetic",
        2023,
        "ICLR",
    ),
    "2305.18290": Paper(
        "rafailov2023direct",
        ("Rafailov", "Sharma", "Mitchell", "Ermon", "Manning", "Finn"),
        "Direct Preference Optimization: Your Language Model is Secretly a Reward Model",
        2023,
        "NeurIPS",
    ),
    "2310.02238": Paper(
        "eldan2023whos",
        ("Eldan", "Russinovich"),
        "Who's Harry Potter? Approximate Unlearning in LLMs",
        2023,
    ),
    "2401.06121": Paper(
        "maini2024tofu",
        ("Maini", "Feng", "Schwarzschild", "Lipton", "Kolter"),
        "TOFU: A Task of Fictitious Unlearning for LLMs",
        2024,
        "COLM",
    ),
    "2402.10052": Paper(
        "dong2025undial",
        ("Yijiang River Dong", "Hongzhou Lin", "Mikhail Belkin", "Ramon Huerta",
         r"Ivan Vuli{\'c}"),
        "UNDIAL: Self-Distillation with Adjusted Logits for Robust Unlearning in Large Language "
        "Models",
        2025,
        "NAACL",
        "8827--8840",
    ),
    "2403.03218": Paper(
        "li2024wmdp",
        ("Li", "Pan", "Gopal", "others"),
        "The WMDP Benchmark: Measuring and Reducing Malicious Use With Unlearning",
        2024,
        "ICML",
    ),
    "2404.05868": Paper(
        "zhang2024negative",
        ("Zhang", "Lin", "Bai", "Mei"),
        "Negative Preference Optimization: From Catastrophic Collapse to Effective Unlearning",
        2024,
        "COLM",
    ),
    "2407.20271": Paper(
        "tang2024learn",
        ("Haoyu Tang", "Ye Liu", "Xi Zhao", "Xukai Liu", "Yanghai Zhang", "Kai Zhang",
         "Xiaofang Zhou", "Enhong Chen"),
        "Learn while Unlearn: An Iterative Unlearning Framework for Generative Language Models",
        2024,
    ),
    "2409.13474": Paper(
        "mekala2025alternate",
        ("Mekala", "Dorna", "Dubey", "Lalwani", "Koleczek", "Rungta", "Hasan", "Lobo"),
        "Alternate Preference Optimization for Unlearning Factual Knowledge in Large Language "
        "Models",
        2025,
        "COLING",
    ),
    "2410.07163": Paper(
        "fan2024simplicity",
        ("Fan", "Liu", "Lin", "Jia", "Zhang", "Mei", "Liu"),
        "Simplicity Prevails: Rethinking Negative Preference Optimization for LLM Unlearning",
        2024,
    ),
    "2410.11143": Paper(
        "wang2025flat",
        ("Wang", "Wei", "Liu", "Pang", "Liu", "Shah", "Bao", "Liu", "Wei"),
        "LLM Unlearning via Loss Adjustment with Only Forget Data",
        2025,
        "ICLR",
    ),
    "2410.22086": Paper(
        "bu2025unlearning",
        ("Zhiqi Bu", "Xiaomeng Jin", "Bhanukiran Vinzamuri", "Anil Ramakrishna", "Kai-Wei Chang",
         "Volkan Cevher", "Mingyi Hong"),
        "Unlearning as multi-task optimization: A normalized gradient difference approach with an "
        "adaptive learning rate",
        2025,
        "NAACL",
    ),
    "2502.19301": Paper(
        "wang2025rethinking",
        ("Wang", "Zhou", "Zhou", "Shin", "Han", "Weinberger"),
        "Rethinking LLM Unlearning Objectives: A Gradient Perspective and Go Beyond",
        2025,
        "ICLR",
    ),
    "2503.01224": Paper(
        "yang2025ceu", ("Yang",), "CE-U: Cross Entropy Unlearning", 2025
    ),
    "2504.13388": Paper(
        "klochkov2025mean",
        ("Yegor Klochkov",),
        "A mean teacher algorithm for unlearning of language models",
        2025,
    ),
    "2505.11953": Paper(
        "yang2025exploring",
        ("Yang", "others"),
        "Exploring Criteria of Loss Reweighting to Enhance LLM Unlearning",
        2025,
        "ICML",
    ),
    "2506.05314": Paper(
        "entesari2025constrained",
        ("Entesari", "others"),
        "Constrained Entropic Unlearning: A Primal-Dual Framework for Large Language Models",
        2025,
    ),
}  # fmt: skip
"""arXiv number to paper."""


def paper_of(method: str) -> tuple[str, Paper]:
    """arXiv number and paper of a method.

    Raises:
        UserError: unknown method, or one without a paper.
    """
    url = METHODS[method].paper if method in METHODS else ""
    number = url.removeprefix(ARXIV)
    if number not in PAPERS:
        raise UserError(f"There is no paper known for the method {method[:40]!r}.", "")
    return number, PAPERS[number]


def bibtex(methods: Iterable[str]) -> str:
    """One entry for every paper of these methods, without doubles, in their order.

    Methods without a paper are left out.
    """
    numbers: dict[str, list[str]] = {}
    for name in dict.fromkeys(methods):
        if name in METHODS and METHODS[name].paper:
            numbers.setdefault(paper_of(name)[0], []).append(METHODS[name].title)
    return "\n".join(_entry(number, titles) for number, titles in numbers.items())


def _entry(number: str, titles: list[str]) -> str:
    paper = PAPERS[number]
    kind = "inproceedings" if paper.venue else "misc"
    fields = {
        "author": " and ".join(paper.authors),
        # Braces keep the capitals that styles would lower.
        "title": f"{{{paper.title}}}",
        "year": str(paper.year),
        "eprint": number,
        "archiveprefix": "arXiv",
        "url": ARXIV + number,
    }
    if paper.venue:
        fields["booktitle"] = f"{paper.venue} {paper.year}"
    if paper.pages:
        fields["pages"] = paper.pages
    fields["note"] = f"Method: {', '.join(titles)}"
    lines = "".join(f"  {name} = {{{value}}},\n" for name, value in fields.items())
    return f"@{kind}{{{paper.key},\n{lines}}}\n"
