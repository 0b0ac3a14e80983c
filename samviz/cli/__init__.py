"""The terminal: the same comparisons through the same store as the app, so that each shows the other's."""

import os
import sys
from collections.abc import Sequence

from samviz.cli import compare, exchange, measure, places, report, stored, sweeps
from samviz.cli.terminal import FAILED, INTERRUPTED, WRONG, Parser, UnwritableError, check_text, say
from samviz.runs import StoreError, UnknownError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code. Whatever is wrong is said in one sentence on stderr."""
    what = "See, teach and test sharpness-aware minimization."
    parser = Parser(prog="python -m samviz", description=what, allow_abbrev=False)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for part in (compare, stored, measure, exchange, report, sweeps, places):
        part.add_to(commands)
    asked = parser.parse_args(arguments)
    try:
        check_text(asked)
        return asked.command(asked)
    except (StoreError, UnwritableError) as error:
        return say(str(error), FAILED)
    except ValueError as error:
        return say(str(error), WRONG)
    except UnknownError as error:
        return say(error.args[0], WRONG)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # the reader, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
