"""The command line, derived from the declarations.

Exit status: 0 finished, 3 collapsed and stopped, 2 bad input with one clear line, 1 a defect.
Results go to standard output (with `--json` one object on the last line), progress to standard
error.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence

from unlearning.cli.parser import build
from unlearning.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    try:
        chosen = build().parse_args(arguments)
        return chosen.act(chosen)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted; a run can be taken up with: continue ID", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # The reader of our output has gone; there is nobody left to tell.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception:
        traceback.print_exc()
        print("error: this is a defect of Lethe; please report it.", file=sys.stderr)
        return 1
