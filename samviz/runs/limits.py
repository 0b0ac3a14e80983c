"""What a shared machine lets people start from the app, and how much of its disk samviz takes: SAMVIZ_HOME/limits.toml.

    most_epochs = 100
    most_bytes = 5_000_000_000

What is not in the file has the default below. The terminal belongs to the machine's owner: only the disk binds it.
"""

import tomllib
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from samviz.spec import Comparison
from samviz.spec.check import integer, mapping

FILE = "limits.toml"
_HIGHEST = 10**18


@dataclass(frozen=True, kw_only=True, slots=True)
class Limits:
    """Each is the most that is allowed, a whole number from 1 on. The defaults let every preset pass."""

    most_epochs: int = 400
    """Epochs of a run: those of the arm that trains for the longest."""
    most_batch_size: int = 2048
    """Images a step."""
    most_images: int = 50_000
    """Train images."""
    most_arms: int = 12
    """Arms of a comparison."""
    most_seeds: int = 10
    """Seeds of a comparison, each a run."""
    most_queued: int = 20
    """Runs of one person that wait or run at one time."""
    most_bytes: int = 20_000_000_000
    """Bytes on disk of all that samviz keeps."""

    def __post_init__(self) -> None:
        for field, value in asdict(self).items():
            integer(field, value, 1, _HIGHEST)


def read(home: Path) -> Limits:
    """The limits of the store in this folder; ValueError in one sentence where the file cannot be taken as it is."""
    file = home / FILE
    try:
        text = file.read_text("utf-8")
    except FileNotFoundError:
        return Limits()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(f"{file} could not be read: {error}.") from None
    try:
        said = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{file} must be a TOML file, but it could not be read: {error}.") from None
    try:
        return Limits(**mapping("limits", said, [field.name for field in fields(Limits)]))
    except ValueError as error:
        raise ValueError(f"In {file}, {error}") from None


def check_disk(limits: Limits, used_bytes: int) -> None:
    """ValueError in one sentence where what samviz keeps has reached its limit on the disk, for the terminal, too."""
    if used_bytes >= limits.most_bytes:
        raise ValueError(
            f"samviz keeps {size_text(used_bytes)} on disk, and most_bytes allows {size_text(limits.most_bytes)}: "
            f"delete comparisons that nobody needs, or raise most_bytes in {FILE}."
        )


def check(limits: Limits, comparison: Comparison, *, queued: int, runs: int, used_bytes: int) -> None:
    """ValueError in one sentence where somebody may not start so many runs of a comparison from the app.

    `queued` is the number of jobs of this person that wait or run already.
    """
    recipe = comparison.recipe
    for field, value, what in (
        ("most_epochs", comparison.epochs, "epochs"),
        ("most_batch_size", recipe.batch_size, "images a step"),
        ("most_images", recipe.images, "train images"),
        ("most_arms", len(comparison.arms), "arms"),
        ("most_seeds", len(comparison.seeds), "seeds"),
    ):
        if value > (most := getattr(limits, field)):
            raise ValueError(
                f"This machine allows at most {most} {what}, but this comparison has {value}: take fewer, or start it "
                f"from the terminal; its owner can raise {field} in {FILE}."
            )
    if queued + runs > limits.most_queued:
        raise ValueError(
            f"This machine allows at most {limits.most_queued} unfinished runs a person, but you have {queued} and "
            f"this adds {runs}: wait or cancel some; its owner can raise most_queued in {FILE}."
        )
    check_disk(limits, used_bytes)


def size_text(count: int) -> str:
    """1234567 -> "1.23 MB"."""
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1e3:.3g} kB"
