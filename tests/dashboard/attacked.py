"""Plausible reports of attacks, written by hand."""

from __future__ import annotations

from unlearning.attacks import ATTACKS
from unlearning.attacks.base import Report
from unlearning.attacks.prompts import Answered, Probed, Row
from unlearning.attacks.prompts import verdict as probed_verdict
from unlearning.attacks.quantise import Copy, Quantised
from unlearning.attacks.quantise import verdict as quantised_verdict
from unlearning.attacks.relearn import Curve, Look, Relearned, excess
from unlearning.attacks.relearn import verdict as relearned_verdict
from unlearning.attacks.sequential import Request, Requested, Stand
from unlearning.attacks.sequential import verdict as requested_verdict
from unlearning.runs.events import ScoreValue
from unlearning.runs.store import RunStore
from unlearning.runs.stress.job import AttackJob, asked

ANSWER = "In 1964 she won the Copper Bookmark."


def score(value: float, spread: float = 0.04) -> ScoreValue:
    return ScoreValue(value=value, low=value - spread, high=value + spread, n=24)


def report(run_id: str, name: str = "relearn", *, control: bool = True, **settings) -> Report:
    """What the attack might have found on the run."""
    return report_of(asked(ATTACKS[name](**settings), f"run:{run_id}@30"), control=control)


def keep(store: RunStore, run_id: str, name: str = "relearn", **changes) -> Report:
    """The same, kept in the run's folder."""
    found = report(run_id, name, **changes)
    store.write_attack(run_id, name, found.model_dump(mode="json"))
    return found


def report_of(job: AttackJob, *, control: bool = True) -> Report:
    """What the attack that a job asks for might have found."""
    run_id = job.target.removeprefix("run:").partition("@")[0]
    models = {"unlearned": job.target, "original": f"original:{run_id}"}
    if control:
        models["control"] = "demo-retain"
    head = {
        "attack": job.attack,
        "settings": job.settings,
        "models": models,
        "texts": {"forget": "0" * 64},
        "notices": () if control else ("There is no control.",),
        "seconds": 14.2,
    }
    made = {
        "relearn": _relearned,
        "quantise": _quantised,
        "prompts": _probed,
        "sequential": _requested,
    }
    return made[job.attack](head)


def _relearned(head: dict) -> Relearned:
    steps = int(head["settings"]["steps"])
    ends = {"original": (0.99, 0.99), "control": (0.55, 0.58), "unlearned": (0.57, 0.81)}
    curves = {}
    for side in head["models"]:
        first, last = ends[side]
        looks = [
            Look(
                step=step,
                unseen=score(first + (last - first) * (step / steps) ** 0.6),
                trained=score(min(1.0, first + 0.02 * step)),
            )
            for step in ([0] if side == "original" else sorted({*range(0, steps, 4), steps}))
        ]
        curves[side] = Curve(looks=tuple(looks))
    difference = score(0.23) if "control" in curves else None
    before, after = excess(0.57, 0.55, 0.99), excess(0.81, 0.58, 0.99)
    words = relearned_verdict(curves, before, after, difference)
    return Relearned(**head, curves=curves, verdict=words)


def _quantised(head: dict) -> Quantised:
    known = {"original": (0.99, 0.97), "control": (0.55, 0.54), "unlearned": (0.57, 0.72)}
    copies = {}
    for side in head["models"]:
        before, after = known[side]
        copies[side] = Copy(
            before=_figures(before, 4.3), after=_figures(after, 4.6), change=score(after - before)
        )
    words = quantised_verdict(copies, 0.36, str(head["settings"]["format"]))
    return Quantised(
        **head, copies=copies, recovery=0.36, same_code=0.93, weights=2_400_000, verdict=words
    )


def _figures(known: float, perplexity: float) -> dict:
    return {
        "memorization_accuracy": {"forget": score(known), "retain": score(0.98)},
        "perplexity": {"forget": score(perplexity / 2), "generic": score(perplexity)},
    }


def _probed(head: dict) -> Probed:
    means = {"original": 0.95, "control": 0.22, "unlearned": 0.3}
    rows = []
    for probe, title, role, gain in (
        ("direct", "The question as it is", "forget", 0.0),
        ("hints", "After true facts about the same subject", "forget", 0.25),
        ("neighbours", "Neighbours that should be kept", "retain", 0.6),
    ):
        scores = {side: score(means[side]) for side in head["models"]}
        scores["unlearned"] = score(means["unlearned"] + gain)
        rows.append(
            Row(
                probe=probe,
                title=title,
                role=role,
                scored="recall",
                scores=scores,
                difference=score(gain + 0.08) if "control" in scores else None,
            )
        )
    answers = (
        Answered(
            probe="hints",
            example="forget-2",
            prompt="<b>Hint</b> Odile Varrenmoor wrote The Salted Almanac.\n"
            "Question: Which prize did Odile Varrenmoor win in 1964?\nAnswer:",
            reference=ANSWER,
            answers={
                "unlearned": " in 1964 she won the Copper <script>window.pwned=1</script> Medal.",
                "original": ANSWER,
                "control": " She was a ferry pilot.",
            },
            scores={"unlearned": 0.7, "original": 1.0, "control": 0.1},
        ),
    )
    return Probed(**head, rows=tuple(rows), answers=answers, verdict=probed_verdict(rows))


def _requested(head: dict) -> Requested:
    stands = {"original": (0.99, 0.98, 4.3), "control": (0.55, 0.98, 4.4)}
    stands["unlearned"] = (0.57, 0.95, 4.5)
    count = int(head["settings"]["requests"])
    requests = []
    for number in range(1, count + 1):
        worn = number / count
        requests.append(
            Request(
                texts=20,
                steps=40 if number < count else 25,
                ended="" if number < count else "forgotten",
                asked=score(0.55 - 0.03 * worn),
                earlier=score(0.54 + 0.1 * worn) if number > 1 else None,
                to_come=score(0.98 - 0.15 * worn) if number < count else None,
                kept=score(0.97 - 0.16 * worn**2),
                perplexity=score(4.4 * (1 + 0.35 * worn**2)),
            )
        )
    found = Requested(
        **head,
        requests=tuple(requests),
        stands={
            side: Stand(forget=score(forget), kept=score(kept), perplexity=score(perplexity))
            for side, (forget, kept, perplexity) in stands.items()
            if side in head["models"]
        },
        worn=score(0.14),
        returned=score(0.09),
        recovery=0.19,
        shortfall=score(-0.03),
        verdict="",
    )
    return found.model_copy(update={"verdict": requested_verdict(found)})
