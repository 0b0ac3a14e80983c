"""`python -m samviz`: the terminal's way in."""

import sys

from samviz.cli import main

sys.exit(main())
