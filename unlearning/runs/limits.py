"""What one visitor may ask for. Without limits given, a local user may do everything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from unlearning.attacks.base import Attack
from unlearning.config import RunConfig
from unlearning.data.base import Example, Role
from unlearning.errors import UserError
from unlearning.runs.requests import GenerateRequest


@dataclass(frozen=True)
class Limits:
    """None lifts a limit."""

    queued_per_owner: int | None = 2
    """Runs that one owner may have waiting or running at a time."""
    raced: int | None = 4
    """Runs of one race. A race enters as a whole where its owner has room for one run; until all
    of it has ended it counts run by run."""
    queued: int | None = 50
    """Runs that may wait in all."""
    max_steps: int | None = None
    """Optimizer steps of a run; steps of teaching are bound alike."""
    max_characters: int | None = None
    """Characters of the texts that a visitor brings along; presets do not count."""
    max_prompt_characters: int | None = 8000
    """Characters of one prompt of a generate request."""
    max_new_tokens: int | None = None
    """Tokens of one answer."""
    requests_per_owner: int | None = 4
    """Generate requests that one owner may have open at a time."""
    attack_times: int | None = None
    """How many times its default a count among the settings of an attack may be."""
    models: frozenset[str] | None = None
    """Names of the models that may be loaded; earlier runs may be named in any case."""

    def check_run(self, config: RunConfig, texts: Mapping[Role, Sequence[Example]]) -> None:
        """Refuse a run that asks for too much.

        Raises:
            UserError: names the limit.
        """
        self.check_steps(config.steps or config.build_method().defaults.steps)
        if config.teach_first:
            self.check_steps(config.teach_steps, "steps of teaching")
        for model in (config.model, config.retrained):
            self.check_model(model)
        # Built-in texts are always the same; only what a visitor brings along is bound.
        brought = [
            example
            for role, examples in texts.items()
            if not getattr(config, role, "auto").startswith(("preset:", "auto"))
            for example in examples
        ]
        size = sum(len(example.prompt) + len(example.target) for example in brought)
        if self.max_characters is not None and size > self.max_characters:
            raise UserError(
                f"The texts have {size:,} characters; {self.max_characters:,} are allowed here.",
                "Use less text.",
            )

    def check_race(self, count: int, what: str = "methods") -> None:
        """Refuse a race of too many runs, or of one; `what` sets them apart.

        Raises:
            UserError: names the limit.
        """
        if count < 2:
            raise UserError(f"A race needs at least two {what}.", "Choose another one.")
        if self.raced is not None and count > self.raced:
            raise UserError(
                f"{count} {what} are to race; {self.raced} are allowed.",
                f"Choose at most {self.raced}.",
            )

    def check_steps(self, steps: int, what: str = "steps") -> None:
        """Refuse too many steps.

        Raises:
            UserError: names the limit.
        """
        if self.max_steps is not None and steps > self.max_steps:
            raise UserError(
                f"{steps} {what} are asked for; {self.max_steps} are allowed here.",
                f"Choose at most {self.max_steps}.",
            )

    def check_request(self, request: GenerateRequest) -> None:
        """Refuse a generate request that asks for too much.

        Raises:
            UserError: names the limit.
        """
        longest = max(len(prompt) for prompt in request.prompts)
        if self.max_prompt_characters is not None and longest > self.max_prompt_characters:
            raise UserError(
                f"The prompt is {longest:,} characters long; "
                f"{self.max_prompt_characters:,} are allowed.",
                "Shorten it.",
            )
        if self.max_new_tokens is not None and request.max_new_tokens > self.max_new_tokens:
            raise UserError(
                f"{request.max_new_tokens} new tokens are asked for; "
                f"{self.max_new_tokens} are allowed here.",
                f"Choose at most {self.max_new_tokens}.",
            )
        for side in request.sides:
            self.check_model(side)

    def check_attack(self, attack: Attack) -> None:
        """Refuse an attack that asks for too much.

        Raises:
            UserError: names the limit.
        """
        if self.attack_times is None:
            return
        for item in attack.declared():
            # What is 0 or empty by default, such as a seed, costs nothing.
            if item.kind != "integer" or not item.default:
                continue
            most, value = item.default * self.attack_times, getattr(attack, item.name)
            if value is not None and value > most:
                raise UserError(
                    f"{attack.title}: {item.label.lower()} {value} is asked for; {most} is "
                    "allowed here.",
                    f"Choose at most {most}.",
                )

    def check_training(self, attack: Attack, run_steps: int) -> None:
        """Refuse an attack that repeats more of the run's training than a run may take.

        Raises:
            UserError: names the limit.
        """
        steps = attack.training_steps(run_steps)
        if self.max_steps is not None and steps > self.max_steps:
            raise UserError(
                f"{attack.title}: {steps} training steps are asked for in all; {self.max_steps} "
                "are allowed here.",
                "Ask for fewer requests, or attack a run of fewer steps.",
            )

    def check_model(self, model: str) -> None:
        """Refuse a model that is not on the list.

        Raises:
            UserError: names those that are.
        """
        free = model in ("none", "auto", "") or model.startswith(("run:", "original:"))
        if self.models is not None and not free and model not in self.models:
            raise UserError(
                f"The model {model[:80]!r} is not offered here.",
                f"Choose from: {', '.join(sorted(self.models))}.",
            )
