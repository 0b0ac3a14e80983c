"""What all commands share: sentences, tables, exit codes and the parser's manners."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

FAILED, WRONG, INTERRUPTED = 1, 2, 130
"""Exit codes: it did not finish, a value was wrong and nothing was started, Ctrl+C."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.exit(WRONG, f"{message[:1].upper()}{message[1:]} (see {self.prog} --help).\n")


def say(sentence: str, code: int = 0) -> int:
    """Tell the person something that is no result; the exit code."""
    print(sentence, file=sys.stderr)
    return code


def table(rows: list[tuple[str, ...]]) -> None:
    """Print rows in columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def check_target(field: str, path: Path | None) -> None:
    """Raise ValueError unless a file can be written there."""
    if path is not None and (path.is_dir() or not path.absolute().parent.is_dir()):
        raise ValueError(f"{field} must be a file in a folder that is there, but it is {str(path)!r}.")
