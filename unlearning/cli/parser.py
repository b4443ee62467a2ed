"""Arguments of every command; those of `run` and `finetune` come from their declarations."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import NoReturn

from unlearning.cli import acts
from unlearning.cli import attack as attacks
from unlearning.cli import export as exports
from unlearning.cli.check import check
from unlearning.cli.evaluate import evaluate
from unlearning.cli.finetune import finetune
from unlearning.cli.presets import presets
from unlearning.cli.sweep import SWEEPS, sweep
from unlearning.config import FinetuneConfig, RunConfig
from unlearning.declare import Declared
from unlearning.errors import UserError

ROLES = ("forget", "retain", "generic", "holdout", "retrained")
DEFAULT_RUNS = "runs"


class _Parser(argparse.ArgumentParser):
    """Reports a wrong argument like any other bad input: one line, exit status 2."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message[:1].upper()}{message[1:]}.", f"See: {self.prog} --help.")


def build() -> argparse.ArgumentParser:
    """The whole command line."""
    parser = _Parser(
        prog="python -m unlearning",
        description="Make a causal language model forget a text, and measure what is left.",
    )
    commands = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=_Parser
    )

    def command(name: str, act: Callable[[argparse.Namespace], int], help: str) -> _Parser:
        made = commands.add_parser(name, help=help, description=help)
        made.set_defaults(act=act)
        made.add_argument("--json", action="store_true", help="last line of output is one object")
        made.add_argument(
            "--runs",
            default=os.environ.get("LETHE_RUNS", DEFAULT_RUNS),
            metavar="DIR",
            help="folder of the runs (default %(default)s)",
        )
        made.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:1 or mps")
        made.add_argument(
            "--worker",
            choices=("inline", "process"),
            default="inline",
            help="where it runs: in this process, or in one that survives it",
        )
        return made

    _settings(
        command("run", acts.run, "Unlearn a text; watch, measure, keep the result."), RunConfig
    )

    checked = command("check", check, "Does the model know the text, and what would a run cost?")
    _settings(checked, RunConfig, leave_out=("label",))

    swept = command("sweep", sweep, "Many runs, several seeds each, one table at the end.")
    swept.add_argument("--preset", choices=SWEEPS, help="a sweep that has a name")
    swept.add_argument("--methods", type=_names, metavar="a,b", help="these methods, or all")
    swept.add_argument("--seeds", type=_seeds, default=(0, 1, 2), metavar="S,T", help="0,1,2")
    swept.add_argument("--only", type=_names, default=(), metavar="x,y", help="cells that begin so")
    swept.add_argument("--world", metavar="DIR", help="on a world made by: world --out DIR")
    swept.add_argument(
        "--whole-panel",
        action="store_true",
        help="measure every metric in what is run now, not the table's alone",
    )
    swept.add_argument("--jobs", type=_count, default=1, metavar="N", help="runs at a time")
    swept.add_argument(
        "--texts", type=_count, metavar="N", help="texts of each set in TOFU's table (default: all)"
    )
    swept.add_argument("--out", metavar="FILE", help="write the table and what it rests on as JSON")
    _settings(swept, RunConfig, leave_out=("method", "hyperparameters", "seed", "label"))

    again = command("continue", acts.resume, "Go on with a run from its last snapshot.")
    again.add_argument("id", metavar="ID")
    again.add_argument(
        "--steps", type=_count, metavar="N", help="steps in all (default: as planned)"
    )

    again.add_argument(
        "--from-step",
        type=int,
        metavar="N",
        help="go on from the snapshot of this step; later ones are dropped",
    )
    again.add_argument(
        "--keep",
        action="store_true",
        help="take no step: make that snapshot the result, measure it, drop nothing",
    )

    measured = command("evaluate", evaluate, "Measure a model without changing it.")
    measured.add_argument("--model", default="demo", metavar="M")
    for role in ROLES:
        measured.add_argument(f"--{role}", default=_default(role), metavar=_word(role))
    measured.add_argument(
        "--metrics",
        default="",
        metavar="a,b",
        help="default: all; a:n=5 sets n; benchmark: those of the preset's authors",
    )
    measured.add_argument("--max-length", type=_count, default=512, metavar="TOKENS")
    measured.add_argument(
        "--texts", type=_count, default=32, metavar="N", help="texts of each role"
    )

    spoken = command("generate", acts.generate, "Continue prompts, with two models side by side.")
    spoken.add_argument("--model", default="demo", metavar="M")
    spoken.add_argument("--against", metavar="M", help="a second model, under the same seed")
    spoken.add_argument(
        "--strength",
        action="append",
        type=float,
        metavar="S",
        help="of a run's adapter, 0 (original) to 1.5; once for each model",
    )
    spoken.add_argument("--prompt", action="append", required=True, metavar="TEXT")
    spoken.add_argument("--question", action="store_true", help="put it as a question")
    spoken.add_argument("--tokens", type=int, default=64, metavar="N")
    spoken.add_argument("--temperature", type=float, default=0.0, metavar="T")
    spoken.add_argument("--top-p", type=float, default=1.0, metavar="P")
    spoken.add_argument("--seed", type=int, default=0, metavar="S")

    taught = command("finetune", finetune, "Teach a model a corpus; write it as a model folder.")
    _settings(taught, FinetuneConfig)
    taught.add_argument("--out", required=True, metavar="DIR", help="a new folder for the model")

    attacks.arguments(
        command("attack", attacks.attack, "Try to bring a forgotten text back; see what returns.")
    )

    command("runs", acts.runs, "List the runs.")
    command("show", acts.show, "Show one run.").add_argument("id", metavar="ID")
    exports.arguments(
        command("export", exports.export, "Take weights and figures of a run away with you.")
    )
    reported = command("report", exports.report, "Write a run as one HTML file, for offline.")
    reported.add_argument("id", metavar="ID")
    reported.add_argument("--out", required=True, metavar="FILE.html")
    command("delete", acts.delete, "Erase a run with its texts and weights.").add_argument(
        "id", metavar="ID"
    )
    command("methods", acts.methods, "The methods, with every hyperparameter.")
    command("metrics", acts.metrics, "The metrics.")
    command("presets", presets, "The texts by name, and models to begin with.")
    command("docs", acts.docs, "Bring the README's tables up to date.")
    world = command("world", acts.world, "Make the embedded texts and models again.")
    world.add_argument("--out", required=True, metavar="DIR")
    world.add_argument("--seed", type=int, metavar="S", help="default: the shipped world's")
    world.add_argument("--texts-only", action="store_true", help="leave the training out")
    return parser


def _settings(
    parser: argparse.ArgumentParser, declared: type[Declared], leave_out: Sequence[str] = ()
) -> None:
    """A flag for every field; `--device` is every command's own."""
    kinds = {"number": float, "integer": int, "text": str}
    for item in declared.declared():
        if item.name in leave_out:
            continue
        flag = "--" + item.name.replace("_", "-")
        told = item.help.replace("%", "%%") + (f" [{item.span}]" if item.span else "")
        if item.name == "hyperparameters":
            parser.add_argument(
                "--set", action="append", default=[], metavar="KEY=VALUE", help=told
            )
        elif item.name == "prompts":
            parser.add_argument("--prompt", action="append", metavar="TEXT", help=told)
        elif item.name == "device":
            continue
        elif item.kind == "switch":
            parser.add_argument(
                flag, action=argparse.BooleanOptionalAction, default=item.default, help=told
            )
        else:
            default = "decided at the start" if item.default is None else item.default
            parser.add_argument(
                *([flag, "--lr"] if item.name == "learning_rate" else [flag]),
                dest=item.name,
                type=kinds.get(item.kind, str),
                default=item.default,
                required=item.name == "data",
                metavar=_word(item.name),
                help=told if item.name == "data" else f"{told} (default {default})",
            )
    parser.add_argument("--full", action="store_true", help="train all parameters, no adapter")


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{number} is too small: at least 1")
    return number


def _names(text: str) -> tuple[str, ...]:
    return tuple(name for name in (part.strip() for part in text.split(",")) if name)


def _seeds(text: str) -> tuple[int, ...]:
    if not all(part.isdigit() for part in _names(text)) or not _names(text):
        raise argparse.ArgumentTypeError(f"{text!r} is no list of seeds such as 0,1,2")
    return tuple(dict.fromkeys(int(part) for part in _names(text)))


def _default(role: str) -> str:
    return getattr(RunConfig(), role)


def _word(name: str) -> str:
    return "SOURCE" if name in (*ROLES[:4], "data") else name.upper().replace("_", "-")
