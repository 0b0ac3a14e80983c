"""`make lecture`: the app for everyone on the local network. They can look at all of it; only a browser on this
computer, and who has signed in, can start or change anything, which samviz/ui/access.py sees to.
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

from streamlit.web import cli

from samviz.spec.lesson import address
from samviz.ui.public import SETTING, loopback, network_address, setting

PORT = 8501
APP = Path(__file__).parents[2] / "app.py"


def _free(port: int) -> int:
    """The first port from `port` on that nobody listens on."""
    with suppress(OSError), socket.socket() as s:
        s.bind(("0.0.0.0", port))
        return port
    return _free(port + 1)


def main(arguments: Sequence[str] | None = None) -> None:
    """Say where the audience finds the app, and start it; further arguments are those of `streamlit run`."""
    parser = argparse.ArgumentParser(prog="python -m samviz.ui.lecture", allow_abbrev=False)
    parser.add_argument("--server.port", dest="port", type=int, help=f"default: the first free one from {PORT} on")
    asked, rest = parser.parse_known_args(arguments)
    try:
        url = setting()
    except ValueError as error:
        sys.exit(str(error))
    port, mine = asked.port or _free(PORT), network_address()
    print(
        f"The audience opens   {url or f'http://{mine}:{port}'}\n"
        f"You open             http://localhost:{port}{address(1, '1')}\n"
        f"Another address      {SETTING}=http://NAME:{port} make lecture",
        flush=True,
    )
    if not url and loopback(mine):
        print("This computer is in no network at the moment: nobody else can open that address.", flush=True)
    if url.startswith("https://"):
        print("To act, you sign in as well, unless secrets.toml says local = true: see docs/security.md.", flush=True)
    hosts = ["localhost", "127.0.0.1", "::1", mine, *([urlsplit(url).hostname] if url else [])]
    options = ["--server.address", "0.0.0.0", "--server.port", str(port)]
    cli.main(["run", str(APP), *options, *(f"--server.allowedHosts={host}" for host in hosts), *rest])


if __name__ == "__main__":
    main()
