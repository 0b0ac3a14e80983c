"""What is where, in the terminal: data sets, and the store's own health."""

import argparse
from typing import Any

from tqdm import tqdm

from samviz import data
from samviz.cli.terminal import FAILED, say, table
from samviz.home import data_folders, home
from samviz.runs import open_store
from samviz.runs.limits import size_text
from samviz.runs.repair import check, repair
from samviz.spec import check as check_value


def add_to(commands: Any) -> None:
    """The commands `data` and `store`."""
    datasets = commands.add_parser("data", help="what data is there and where")
    datasets.set_defaults(command=_data)
    actions = datasets.add_subparsers(metavar="ACTION")
    download = actions.add_parser("download", help="fetch a data set, checked by its checksum")
    download.set_defaults(command=_download)
    download.add_argument("dataset", help=" or ".join(data.ARCHIVES))

    store = commands.add_parser("store", help="where everything is kept, and how much room it takes")
    store.set_defaults(command=_store)
    actions = store.add_subparsers(metavar="ACTION")
    for name, help, act in (
        ("check", "look the store and all checkpoints over; changes nothing", _check),
        ("repair", "save what can be read of a damaged store; the damaged one is kept", _repair),
    ):
        actions.add_parser(name, help=help).set_defaults(command=act)


def _data(_: argparse.Namespace) -> int:
    rows = [("data", "ready", "size", "")]
    for status in data.status():
        size = f"{status.size_bytes / 1e6:.0f} MB" if status.size_bytes else ""
        rows.append((f"{status.label} ({status.key})", "yes" if status.ready else "no", size, status.note))
    table(rows)
    print(f"\nLooked in {' and '.join(map(str, data_folders()))}. Store and runs are in {home()}.")
    return 0


def _download(asked: argparse.Namespace) -> int:
    check_value.choice("dataset", asked.dataset, data.ARCHIVES)
    with tqdm(desc=asked.dataset, unit="B", unit_scale=True, disable=None, leave=False) as bar:

        def progress(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        place = data.download(asked.dataset, progress)
    print(f"{asked.dataset} is in {place}.")
    return 0


def _store(_: argparse.Namespace) -> int:
    usage = open_store().usage()
    print(f"Store and runs are in {home()}" + (f", the tables in {usage.server}." if usage.server else "."))
    rows = [("what", "size")]
    rows += [(what, size_text(size)) for what, size in usage.parts.items()]
    rows.append(("all, of at most " + size_text(usage.most), size_text(usage.total)))
    table(rows)
    return 0


def _check(_: argparse.Namespace) -> int:
    faults = check(home())
    print("\n".join(faults) or "The store and all checkpoints are sound.")
    return FAILED if faults else 0


def _repair(_: argparse.Namespace) -> int:
    kept, saved = repair(home())
    table([("table", "rows saved", "not readable")] + [(t.table, str(t.rows), str(t.lost)) for t in saved])
    return say(f"The damaged store is kept as {kept}: restart samviz wherever it is open, or it goes on with that one.")
