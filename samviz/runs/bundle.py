"""A comparison as one zip file to keep, to read with other programs, and to import elsewhere.

What `samviz.runs.unbundle` reads back are comparison.json, measurements.json, note.txt and the checkpoints; the rest is
for people.
"""

from __future__ import annotations

import json
import os
import re
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from stat import S_IFREG
from typing import IO, TYPE_CHECKING, BinaryIO

from samviz import __version__
from samviz.runs import exchange, exchange_measured
from samviz.runs.views import HISTOGRAM_COLUMNS, METRIC_COLUMNS, MeasurementView, Snapshot

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

COMPARISON, MEASUREMENTS, NOTE = "comparison.json", "measurements.json", "note.txt"
MOST = {
    "README.txt": 2**16,
    "recipe.json": 2**20,
    COMPARISON: 2**27,
    MEASUREMENTS: 2**26,
    "versions.json": 2**20,
    NOTE: 2**14,
}
"""The texts, and how many bytes each may have; those of comparison.json are about four million rows, those of
measurements.json about 40 slices of the most points."""
MOST_BRACKETS, MOST_QUOTES = 2_500_000, 2**23
"""Of one text, those that open an object or a list, and quotation marks: small ones take 25 times their bytes in
memory. 20 seeds of 12 arms with all names of metrics have 2.0 and 7.9 million, and the histograms that fit in beside
them have 0.3 million lists; the bundled example has 2538 and 7656 in 0.9 MB."""
TABLES = ("metrics.csv", "metrics.parquet", "histograms.parquet")
FIGURE = re.compile(r"figures/[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
CHECKPOINT = re.compile(r"checkpoints/(0|[1-9][0-9]{0,9})\.pt")
"""All other names in a bundle."""
MOST_MEMBERS = 256
MOST_CHECKPOINT = 2**34
"""Bytes: four times the largest network's arms and their momentum."""

CHUNK = 2**20
_HEADER = re.compile(rb"samviz checkpoint 1 ([0-9a-f]{64}) ([0-9]{16})\n")
_HEADER_BYTES = 102
_DATE = (1980, 1, 1, 0, 0, 0)
"""The first that a zip file can hold: the same comparison makes the same bytes whenever it is written."""
_NAMES = ("arm", "name")
"""The columns of text."""

README = """\
A comparison of optimizers by samviz {version}.

{name}

comparison.json     all that is known of it: recipe, runs with the versions they ran with and their logs, every number;
                    what `python -m samviz import` reads, with the measurements, the note and the checkpoints
measurements.json   what the Sharpness page shows of it: for each measurement the seed, the SHA-256 in the first line of
                    the checkpoint that was measured, when it was asked for, what was asked and what it came to
recipe.json         what was compared: `python -m samviz compare --recipe recipe.json` runs it again
versions.json       device, processor and versions that each seed ran with
note.txt            the note, if there is one
metrics.csv         every number: seed, arm, epoch, step, name, value
metrics.parquet     the same, smaller and with types
histograms.parquet  histograms of gamma and beta: counts over equal bins from low to high
figures/            the charts as HTML: open figures/index.html; figures/results.csv is the table under them
checkpoints/        for each seed where it was saved last, with a line above that holds the checksum of the rest

There are only those files that were asked for. In CSV files, a text that a spreadsheet would take for a formula has an
apostrophe in front.
"""


def write(
    snapshot: Snapshot,
    target: BinaryIO,
    *,
    measurements: Iterable[MeasurementView] = (),
    figures: Mapping[str, bytes] | None = None,
    checkpoints: Mapping[int, Path] | None = None,
) -> None:
    """Write a bundle: `measurements` with the newest first, `figures` by file name, `checkpoints` by seed.

    The same content makes the same bytes, as long as the versions of samviz, pyarrow and zlib stay. Raises ValueError
    in one sentence for what could not be read back; what has been written to `target` by then is no bundle.
    """
    figures, checkpoints = figures or {}, checkpoints or {}
    if (members := len(MOST) + len(TABLES) + len(figures) + len(checkpoints)) > MOST_MEMBERS:
        raise ValueError(f"A bundle takes at most {MOST_MEMBERS} files, but these are {members}.")
    versions = {"samviz": __version__, "runs": {str(run.seed): run.machine for run in snapshot.runs}}
    texts = {
        "README.txt": README.format(version=__version__, name=snapshot.comparison.name),
        "recipe.json": snapshot.comparison.to_json(snapshot.runs[0].machine),
        COMPARISON: exchange.to_json(snapshot),
        MEASUREMENTS: exchange_measured.to_json(measurements, snapshot.comparison),
        "versions.json": json.dumps(versions, indent=2),
        NOTE: snapshot.note,
    }
    with zipfile.ZipFile(target, "w") as archive:
        for name, most in MOST.items():
            content = texts[name].encode()
            _fit(name, len(content), most)
            limit_parts(name, content)
            archive.writestr(_member(name), content)
        _write_tables(archive, snapshot)
        for name, content in sorted(figures.items()):
            if not FIGURE.fullmatch(f"figures/{name}"):
                raise ValueError(f"A figure's name must be letters, digits, dots and dashes, but it is {name!r}.")
            archive.writestr(_member(f"figures/{name}"), content)
        for seed, path in sorted(checkpoints.items()):
            _write_checkpoint(archive, seed, path)


def _write_checkpoint(archive: zipfile.ZipFile, seed: int, path: Path) -> None:
    info = _member(f"checkpoints/{seed}.pt", zipfile.ZIP_STORED)  # weights are noise to a compressor
    with path.open("rb") as source:
        info.file_size = os.fstat(source.fileno()).st_size
        _fit(info.filename, info.file_size, MOST_CHECKPOINT)
        with archive.open(info, "w") as file:
            for chunk in checked(source, f"of seed {seed}"):
                file.write(chunk)


def _fit(name: str, size: int, most: int) -> None:
    if size > most:
        raise ValueError(f"{name} must have at most {most} bytes to be read back, but it has {size}.")


def limit_parts(name: str, content: bytes) -> None:
    """Raise ValueError where a text has more objects, lists or texts in it than a comparison can have."""
    brackets, quotes = content.count(b"{") + content.count(b"["), content.count(b'"')
    for what, count, most in (("{ and [", brackets, MOST_BRACKETS), ("quotation marks", quotes, MOST_QUOTES)):
        if count > most:
            raise ValueError(f"{name} must have at most {most} {what} to be read, but it has {count}.")


def _member(name: str, method: int = zipfile.ZIP_DEFLATED) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.compress_type = method
    info.create_system = 3  # Unix, also where it is written on another system
    info.external_attr = (S_IFREG | 0o644) << 16
    return info


def harmless(text: str) -> str:
    """A text as a cell of a spreadsheet: an apostrophe in front where it would be taken for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r", "\n")) else text


def _write_tables(archive: zipfile.ZipFile, snapshot: Snapshot) -> None:
    from pyarrow import csv, parquet

    metrics = snapshot.metrics
    # Of the few names that a table has, each is looked at once.
    cells = {column: metrics[column].map({t: harmless(t) for t in metrics[column].unique()}) for column in _NAMES}
    with archive.open(_member("metrics.csv"), "w") as file:
        csv.write_csv(_table(metrics.assign(**cells), METRIC_COLUMNS), file)
    for name, rows, columns in (
        ("metrics.parquet", metrics, METRIC_COLUMNS),
        ("histograms.parquet", snapshot.histograms, HISTOGRAM_COLUMNS),
    ):
        with archive.open(_member(name, zipfile.ZIP_STORED), "w") as file:
            parquet.write_table(_table(rows, columns), file, compression="zstd")


def _table(rows: pd.DataFrame, columns: list[str]) -> pa.Table:
    """A frame with types that do not depend on whether it has rows. NaN stays NaN: nothing is missing."""
    import pyarrow as pa

    whole, real = pa.int64(), pa.float64()
    types = dict.fromkeys(("seed", "epoch", "step"), whole) | {name: pa.string() for name in _NAMES}
    types |= {"low": real, "high": real, "value": real, "counts": pa.list_(whole)}
    return pa.table({name: pa.array(rows[name].to_numpy(), types[name]) for name in columns})


def checked(source: IO[bytes], which: str) -> Iterator[bytes]:
    """The bytes of a checkpoint, header included; ValueError where they are not what the header says.

    The header is a line: samviz checkpoint 1, the SHA-256 of all that follows in hex, and its length in bytes. The
    last chunk comes before the error: whoever keeps the chunks throws them away then. Nothing is unpickled.
    """
    head = source.read(_HEADER_BYTES)
    found = _HEADER.match(head)
    if found is None:
        raise ValueError(f"The checkpoint {which} does not begin like one of samviz.")
    digest, left = sha256(head[found.end() :]), int(found[2]) - (len(head) - found.end())
    yield head
    while left > 0 and (chunk := source.read(min(left, CHUNK))):
        digest.update(chunk)
        left -= len(chunk)
        yield chunk
    if left or source.read(1) or digest.hexdigest() != found[1].decode():
        raise ValueError(f"The checkpoint {which} is damaged: its checksum does not fit.")
