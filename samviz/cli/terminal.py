"""What all commands share: sentences, tables, exit codes and the parser's manners."""

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from stat import S_IFDIR, S_IFMT, S_IFREG
from typing import NoReturn

from samviz.spec import check

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


def check_text(asked: argparse.Namespace) -> None:
    """Raise ValueError where an argument has bytes that are no text; Python keeps such as surrogates."""
    for dest, value in vars(asked).items():
        if isinstance(value, str | Path):
            try:
                str(value).encode()
            except UnicodeEncodeError:
                raise check.wrong(dest.removeprefix("many_"), "text", str(value)) from None


class UnwritableError(Exception):
    """A file that was asked for cannot be written: one sentence that says why."""


def check_target(field: str, path: Path | None, *, replaced: bool = False) -> None:
    """Raise ValueError unless a file can be written there, or, if it is to be `replaced`, can take the place of one."""
    if path is None:
        return
    try:
        kind = S_IFMT(path.stat().st_mode)
    except FileNotFoundError:
        kind = S_IFREG
    except OSError as error:  # such as a name that is too long
        raise ValueError(f"{field} cannot be {str(path)!r}: {error.strerror}.") from None
    if kind == S_IFDIR or not path.absolute().parent.is_dir():
        raise ValueError(f"{field} must be a file in a folder that is there, but it is {str(path)!r}.")
    if replaced and kind != S_IFREG:
        raise ValueError(f"{field} must be a file, but {str(path)!r} is a device or the like.")


@contextmanager
def writing_to(path: Path) -> Iterator[None]:
    """Whatever writes there; UnwritableError where that cannot be done."""
    try:
        yield
    except OSError as error:
        raise UnwritableError(f"{path} cannot be written: {error.strerror or error}.") from None


def write(path: Path, text: str) -> None:
    """Write a file that was asked for; UnwritableError where that cannot be done."""
    with writing_to(path):
        path.write_text(text, "utf-8")
