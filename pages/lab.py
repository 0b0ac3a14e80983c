"""The Lab page: compare SGD, SAM, SAM-ON and the others on real training runs, live."""

from samviz.ui import lab

lab.page()
