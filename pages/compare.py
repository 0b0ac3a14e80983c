"""The Compare page: arms side by side over seeds, with differences, intervals, costs and their norm layers."""

from samviz.ui import compare

compare.page()
