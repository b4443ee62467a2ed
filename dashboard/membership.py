"""The membership explorer: every text's score, and a threshold that is moved by hand.

The scores are those of the last measurement of original and unlearned model. The slider moves in
the browser alone; drawing and counting stand in assets/page/membership.js.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

import gradio as gr

from dashboard.language import N_, _
from unlearning.metrics import METRICS
from unlearning.runs.events import TextScores
from unlearning.runs.view import View

STAGES = {"original": N_("Original"), "unlearned": N_("Unlearned")}
DIGITS = 5
"""Significant digits of a score that are sent."""
NOTHING = N_(
    "Here stands how clearly each text is recognised as seen before, once a run with texts to "
    "forget and unseen texts of the same kind is open and measured."
)
NOT_KEPT = N_(
    "This run was measured before the scores of single texts were kept. Continue it, or run it "
    "once more."
)
ABOUT = N_(
    'An attacker gives each text a score and calls everything below a threshold "seen in '
    'training". Where forgetting worked, no threshold tells the two kinds apart (AUC 0.5).'
)


def template() -> str:
    """What the script fills."""
    return f"""<section class="membership" aria-labelledby="membership-title">
<h3 id="membership-title">{_("Was it seen before? Set the threshold yourself")}</h3>
<p class="note membership-note"></p>
<div class="membership-body" hidden>
<div class="membership-controls">
<label for="membership-attack">{_("Attack")}</label><select id="membership-attack"></select>
<label for="membership-threshold">{_("Threshold")}</label>
<input type="range" id="membership-threshold" min="0" max="400" step="1">
<output for="membership-threshold"></output>
</div>
<div class="membership-models"></div>
<p class="membership-key"><span class="key forget">{_("text to forget")}</span>
<span class="key unseen">{_("text that was never seen")}</span>
<span>{_('left of the line: called "seen"')}</span></p>
</div>
</section>"""


def explorer() -> gr.HTML:
    """The component. Use it as input and as output of the tick."""
    return gr.HTML(
        value=None,
        html_template=template(),
        js_on_load="window.letheMembership(element, props, watch);",
        apply_default_css=False,
        elem_id="membership",
    )


def payload(view: View, held: Any = None, run_id: str = "") -> dict[str, Any] | None:
    """What the browser lacks, or None when it has drawn everything.

    Returns:
        note: a sentence. attacks: of each name, title, where the threshold stands at first, and
        models [title, key, forget scores, holdout scores, auc, low, high].
    """
    attacks = [_attack(view, name) for name in _names(view)]
    measured = "original" in view.scores or "unlearned" in view.scores
    # Without unseen text there is nothing to compare with, and no area either.
    compared = any("forget" in view.scores[s].get(n, {}) for s in view.scores for n in _known())
    note = ABOUT if attacks else NOT_KEPT if measured and compared else NOTHING
    content = {"run": run_id, "note": _(note), "attacks": attacks}
    tag = sha256(repr(content).encode()).hexdigest()[:10]
    drawn = held.get("drawn") if isinstance(held, Mapping) else None
    if isinstance(drawn, Mapping) and drawn.get("tag") == tag:
        return None
    return {**content, "tag": tag}


def _known() -> list[str]:
    return [name for name in METRICS if name.startswith("membership_")]


def _names(view: View) -> list[str]:
    """Attacks of which the scores of single texts are there."""
    found = {name for stage in STAGES for name in view.membership.get(stage, {})}
    return [name for name in _known() if name in found]


def _attack(view: View, name: str) -> dict[str, Any]:
    models, first = [], None
    for stage, title in STAGES.items():
        texts = view.membership.get(stage, {}).get(name)
        if texts is None:
            continue
        forget, holdout = _finite(texts.forget), _finite(texts.holdout)
        score = view.scores.get(stage, {}).get(name, {}).get("forget")
        area = (score.value, score.low, score.high) if score else (None, None, None)
        area = [None if one is None or not math.isfinite(one) else round(one, 3) for one in area]
        models.append([_(title), stage, forget, holdout, *area])
        first = best_threshold(texts) if first is None else first
    title = METRICS[name].title.removeprefix("Membership, ")
    return {"name": name, "title": f"{title}: {_(METRICS[name].plain)}", "first": first,
            "models": models}  # fmt: skip


def best_threshold(texts: TextScores) -> float:
    """Where the share of forget texts below less that of unseen texts is largest (Youden's J);
    midway between two scores, the lowest of equally good ones."""
    forget, holdout = _finite(texts.forget), _finite(texts.holdout)
    scores = sorted({*forget, *holdout})
    if not scores:
        return 0.0
    between = [(a + b) / 2 for a, b in zip(scores, scores[1:], strict=False)] or [scores[0]]
    return max(between, key=lambda t: (called_seen(forget, t) * len(holdout)
                                       - called_seen(holdout, t) * len(forget), -t))  # fmt: skip


def called_seen(scores: Sequence[float], threshold: float) -> int:
    """Texts whose score lies below the threshold."""
    return sum(score < threshold for score in scores)


def _finite(scores: Sequence[float]) -> list[float]:
    """Rounded to what is sent; a model that fell apart may have scores that are no numbers."""
    return [float(f"{score:.{DIGITS}g}") for score in scores if math.isfinite(score)]
