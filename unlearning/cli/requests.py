"""The pages of requests in a row and of growing requests: MUSE's two curves as tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from unlearning.sweeps.columns import FIGURES
from unlearning.sweeps.figures import in_words

SEQUENTIAL = """# Requests in a row

Made by

```
python -m unlearning sweep --preset sequential --seeds {seeds} --out docs/sequential.json
python -m unlearning docs
```

The forget text of the embedded model in four parts of the same mixture, forgotten one after the
other: each request starts from the result of the one before (sustainability in MUSE, Shi et al.
2024, [arXiv:2407.06460](https://arxiv.org/abs/2407.06460)). A method that lasts keeps its figures
from left to right. Forget figures are of the part just asked for, perplexity is a multiple of that
before the first request. A run that collapses is rolled back to its last healthy weights, so that
a method may stand still here where it would be destroyed: the last table tells.

![What is kept, and the price; hollow: collapsed and rolled back](requests.svg)
"""
GROWING = """# Growing requests

Made by

```
python -m unlearning sweep --preset growing --seeds {seeds} --out docs/growing.json
python -m unlearning docs
```

One, two, three and four quarters of the forget text of the embedded model, each at once and from
the original model (scalability in MUSE, Shi et al. 2024,
[arXiv:2407.06460](https://arxiv.org/abs/2407.06460)). A method that scales keeps its figures from
left to right. Perplexity is a multiple of the original's.

![What is kept, and the price; hollow: collapsed and rolled back](requests.svg)
"""


ENDS = "How each run ended, and the step whose weights it kept"


def sequential_page(found: Mapping[str, Any]) -> str:
    """One table a figure, a column a request."""
    return _page(SEQUENTIAL, "request", found)


def growing_page(found: Mapping[str, Any]) -> str:
    """One table a figure, a column a size."""
    return _page(GROWING, "quarters", found)


def curves(found: Mapping[str, Any], figure: str) -> dict[str, list[Mapping[str, Any]]]:
    """Method to its figure at each request, in order, with mean and deviation over the seeds."""
    return {name: [row["figures"][figure] for row in own] for name, own in by_method(found).items()}


def by_method(found: Mapping[str, Any]) -> dict[str, list[Mapping[str, Any]]]:
    """Method to its rows, in the order of the requests."""
    rows: dict[str, list[Mapping[str, Any]]] = {}
    for row in found["rows"]:
        rows.setdefault(row["cell"].split("/")[0], []).append(row)
    return rows


def _page(text: str, word: str, found: Mapping[str, Any]) -> str:
    seeds = ",".join(
        str(s) for s in dict.fromkeys(s for row in found["rows"] for s in row["seeds"])
    )
    parts = [text.format(seeds=seeds).strip()]
    for name, figure in FIGURES.items():
        cells = {
            method: [in_words(point["mean"], point["deviation"]) for point in points]
            for method, points in curves(found, name).items()
        }
        parts.append(_section(f"{figure.title[0].upper()}{figure.title[1:]}", word, cells))
    ends = {name: [_end(row) for row in own] for name, own in by_method(found).items()}
    return "\n\n".join([*parts, _section(ENDS, word, ends)]) + "\n"


def _section(title: str, word: str, cells: Mapping[str, list[str]]) -> str:
    """A heading and a table: a line a method, a column a request."""
    most = max(map(len, cells.values()), default=0)
    head = ["method", *(f"{word} {place}" for place in range(1, most + 1))]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for method, own in cells.items():
        filled = own + ["not reached"] * (most - len(own))
        lines.append(f"| `{method}` | {' | '.join(filled)} |")
    return f"## {title}\n\n" + "\n".join(lines)


def _end(row: Mapping[str, Any]) -> str:
    """'collapsed at 15', for every seed; the step is that of the weights that were kept."""
    return "; ".join(
        f"{how} at {step}" for how, step in zip(row["ends"], row["steps"], strict=True)
    )
