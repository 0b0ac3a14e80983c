"""`make audit`: asks pip-audit whether the pinned packages, and what they need, have known vulnerabilities.

A package that could not be looked up counts as a failure, which pip-audit itself passes over. `tests/audit.toml` lists
the vulnerabilities that do not concern samviz, each with a date and a reason; after 180 days each has to be looked at
again. It gates no build: what is published tomorrow must not stop a build of today.
"""

import json
import subprocess
import sys
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
EXCEPTIONS = Path(__file__).with_name("audit.toml")
LASTS = 180
"""Days that an exception is good for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Excepted:
    """A vulnerability that does not concern samviz."""

    id: str
    """As pip-audit writes it, or one of its aliases: PYSEC-..., GHSA-... or CVE-..."""
    date: date
    """Of the day when somebody looked at it."""
    reason: str

    def __post_init__(self) -> None:
        for field in ("id", "reason"):
            if not isinstance(getattr(self, field), str) or not getattr(self, field).strip():
                raise ValueError(f"{field} must be a text, but it is {getattr(self, field)!r}.")
        if type(self.date) is not date:
            raise ValueError(f"date must be a date such as 2026-11-25, but it is {self.date!r}.")


def read_exceptions(text: str) -> list[Excepted]:
    """Read audit.toml; ValueError in one sentence where it is wrong."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"It must be a TOML file, but it could not be read: {error}.") from None
    rows, known = data.pop("exception", []), {field.name for field in fields(Excepted)}
    if data or not isinstance(rows, list) or not all(isinstance(row, dict) and set(row) == known for row in rows):
        raise ValueError("It must have nothing but tables [[exception]], each with id, date and reason.")
    return [Excepted(**row) for row in rows]


def problems(found: Iterable[dict[str, Any]], exceptions: Iterable[Excepted], today: date) -> list[str]:
    """What is wrong, a line each; `found` are the dependencies of pip-audit's JSON."""
    lines = []
    by_id = {row.id: row for row in exceptions}
    for row in by_id.values():
        days = (today - row.date).days
        if not 0 <= days <= LASTS:
            lines.append(f"The exception {row.id} of {row.date} is not of the last {LASTS} days: look at it again.")
    packages = {(row["name"], row.get("version", "")): row for row in found}
    if not packages:
        lines.append("Nothing was audited.")
    skipped = {name: row["skip_reason"] for (name, _), row in packages.items() if "skip_reason" in row}
    if packages and len(skipped) == len(packages):
        reason = next(iter(skipped.values()))
        lines.append(
            f"None of {len(packages)} packages could be audited, as if no vulnerability service could be reached from "
            f"here; the first reason given: {reason}."
        )
    else:
        lines += [f"{name} was skipped: {reason}." for name, reason in skipped.items()]
    for (name, version), row in packages.items():
        for vulnerability in row.get("vulns", []):
            ids = [vulnerability["id"], *vulnerability.get("aliases", [])]
            if not by_id.keys() & set(ids):
                fixed = ", ".join(vulnerability.get("fix_versions", [])) or "no version yet"
                lines.append(f"{name} {version} has {' = '.join(ids)}, fixed in {fixed}.")
    return lines


def audited(file: Path) -> list[dict[str, Any]]:
    """What pip-audit says of a requirements file; RuntimeError in one sentence where it says nothing."""
    command = [sys.executable, "-m", "pip_audit", "--format", "json", "--desc", "off", "--progress-spinner", "off"]
    done = subprocess.run([*command, "--requirement", file], capture_output=True, text=True)
    try:
        return json.loads(done.stdout)["dependencies"]
    except ValueError:
        said = done.stderr.strip().splitlines() or ["nothing"]
        raise RuntimeError(f"pip-audit could not audit {file.name}, and said: {said[-1]}") from None


def main() -> None:
    try:
        exceptions = read_exceptions(EXCEPTIONS.read_text("utf-8"))
    except ValueError as error:
        sys.exit(f"{EXCEPTIONS.name} cannot be used. {error}")
    try:
        found = [row for file in sorted(ROOT.glob("requirements*.txt")) for row in audited(file)]
    except RuntimeError as error:
        sys.exit(f"The audit has failed. {error}")
    if lines := problems(found, exceptions, date.today()):
        sys.exit("\n".join(["The audit has failed.", *lines]))
    print(f"No known vulnerability in {len({row['name'] for row in found})} packages, none skipped.")


if __name__ == "__main__":
    main()
