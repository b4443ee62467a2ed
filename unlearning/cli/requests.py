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
before the first request.
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
"""


def sequential_page(found: Mapping[str, Any]) -> str:
    """One table a figure, a column a request."""
    return _page(SEQUENTIAL, "request", found)


def growing_page(found: Mapping[str, Any]) -> str:
    """One table a figure, a column a size."""
    return _page(GROWING, "quarters", found)


def curves(found: Mapping[str, Any], figure: str) -> dict[str, list[Mapping[str, Any]]]:
    """Method to its figure at each request, in order, with mean and deviation over the seeds."""
    by_method: dict[str, list[Mapping[str, Any]]] = {}
    for row in found["rows"]:
        by_method.setdefault(row["cell"].split("/")[0], []).append(row["figures"][figure])
    return by_method


def _page(text: str, word: str, found: Mapping[str, Any]) -> str:
    seeds = ",".join(
        str(s) for s in dict.fromkeys(s for row in found["rows"] for s in row["seeds"])
    )
    parts = [text.format(seeds=seeds).strip()]
    for name, figure in FIGURES.items():
        own = curves(found, name)
        most = max(map(len, own.values()), default=0)
        head = ["method", *(f"{word} {place}" for place in range(1, most + 1))]
        lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
        for method, points in own.items():
            cells = [in_words(point["mean"], point["deviation"]) for point in points]
            cells += ["not reached"] * (most - len(cells))
            lines.append(f"| `{method}` | {' | '.join(cells)} |")
        parts.append(f"## {figure.title[0].upper()}{figure.title[1:]}\n\n" + "\n".join(lines))
    return "\n\n".join(parts) + "\n"
