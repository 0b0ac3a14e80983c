"""The Papers page: the published tables, one's own runs beside them, the figures and the claims."""

from samviz.ui import papers

papers.page()
