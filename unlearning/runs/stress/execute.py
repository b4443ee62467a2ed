"""Carry an attack out on a model or run, beside its original and a control; keep the report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module

from unlearning.attacks._probes import question_of
from unlearning.attacks.base import Attack, Report, Side
from unlearning.attacks.prompts import Prompts
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.data.roles import rephrased
from unlearning.errors import UserError
from unlearning.runs.prepare import gather_texts
from unlearning.runs.store import RunStore
from unlearning.runs.stress.ground import ORIGINAL, Ground
from unlearning.runs.training import StopAskedError

AUTO, NONE = "auto", "none"


@dataclass(frozen=True)
class Target:
    """What is attacked, with which texts. Empty sources of a run's attack are the run's texts."""

    model: str
    """Embedded name, folder, hub id, or run:ID[@STEP]."""
    forget: str = ""
    retain: str = ""
    generic: str = ""
    original: str = AUTO
    """The model before unlearning; auto: what the run set out from."""
    control: str = AUTO
    """A model that never saw the text; auto: where one is known; none: without."""
    paraphrased: Sequence[Example] = ()
    """The same answers to questions in other words."""
    max_length: int | None = None
    """Tokens of a sequence; empty takes the run's, or the default of runs."""

    @property
    def run_id(self) -> str | None:
        """The run, where the model is one."""
        if not self.model.startswith("run:"):
            return None
        return self.model.removeprefix("run:").partition("@")[0]


def carry_out(
    store: RunStore,
    attack: Attack,
    target: Target,
    *,
    device: str = "auto",
    tell: Callable[[str], None] = lambda message: None,
    stop: Callable[[], bool] = lambda: False,
) -> Report | None:
    """The report, which is also kept in the run's folder where the target is a run.

    None where the stop flag went up: nothing is kept then.

    Raises:
        UserError: a model or text is missing, or the attack cannot be carried out here.
    """
    begun = time.perf_counter()
    texts, forget, notices = _texts(store, target)
    names = sides(store, target, forget)
    if "control" not in names:
        notices.append("No model is known that never saw the text: there is no control.")
    ground = Ground(
        store=store,
        names=names,
        texts=texts,
        paraphrases=_paraphrases(attack, target, forget, notices),
        device=device,
        max_length=target.max_length or _length(store, target),
        notices=notices,
        tell=tell,
        stop=stop,
    )
    for notice in notices:
        tell(f"note: {notice}")
    try:
        report: Report = import_module(f"{__package__}.{attack.name}").carry_out(attack, ground)
    except StopAskedError:
        return None
    report = report.model_copy(update={"seconds": time.perf_counter() - begun})
    if target.run_id is not None:
        store.write_attack(target.run_id, report.attack, report.model_dump(mode="json"))
    return report


def sides(store: RunStore, target: Target, forget: str) -> dict[Side, str]:
    """Names of the models that take part. `forget` is the source of the text.

    The control is known for the embedded model and its own forget text, for a run that names a
    retrained model, and for a run that was taught the text first: its model before that.
    """
    run_id = target.run_id
    config = store.config(run_id) if run_id else None
    # What a run says of its control holds for its own text only.
    own = config if config is not None and forget == config.forget else None
    control = target.control
    if control == AUTO:
        control = NONE
        if own is not None and own.teach_first:
            control = own.model
        elif own is not None and own.retrained not in (AUTO, NONE, ""):
            control = own.retrained
        elif store.root_model(target.model) == "demo" and forget == "preset:world/forget":
            control = "demo-retain"
    before = target.original
    if before == AUTO:
        before = f"{ORIGINAL}{run_id}" if run_id else NONE
    found: dict[Side, str] = {"unlearned": target.model}
    if before not in (NONE, ""):
        found["original"] = before
    if control not in (NONE, ""):
        found["control"] = control
    return found


def _paraphrases(attack: Attack, target: Target, forget: str, notices: list[str]) -> dict[str, str]:
    """Answer to its question in other words: those given, else the benchmark's own."""
    if not isinstance(attack, Prompts):
        return {}
    found = target.paraphrased
    if not found:
        try:
            found = rephrased(forget)
        except UserError as error:
            notices.append(f"The questions are not asked in other words: {error.message}")
    counts = Counter(one.target for one in found)
    # Of an answer to several questions nobody can tell which one is meant.
    return {one.target: question_of(one) for one in found if counts[one.target] == 1}


def _length(store: RunStore, target: Target) -> int:
    return (store.config(target.run_id) if target.run_id else RunConfig()).max_length


def _texts(
    store: RunStore, target: Target
) -> tuple[Mapping[Role, Sequence[Example]], str, list[str]]:
    """Examples by role, the source of the forget text, and notices."""
    given: dict[Role, Sequence[Example]] = {}
    if target.run_id is not None:
        config, kept = store.config(target.run_id), store.texts(target.run_id)
        for role in ("forget", "retain", "generic"):
            if not getattr(target, role) and role in kept:
                given[role] = kept[role]
        # The run's own source still names what its texts are.
        forget = target.forget or config.forget
    elif not target.forget:
        raise UserError(
            "No text is named to ask the model for.",
            "Give --forget SOURCE, or attack a run (run:ID), which keeps its own.",
        )
    else:
        forget = target.forget
    wanted = RunConfig(
        model=target.model,
        forget=forget,
        retain=target.retain or AUTO,
        generic=target.generic or AUTO,
        holdout=NONE,
    )
    texts, notices = gather_texts(wanted, given, base=store.root_model(target.model))
    return texts, forget, notices
