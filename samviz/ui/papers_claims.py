"""The Papers page's claims: which of them one's own runs confirm, contradict or have not tested, with the evidence."""

import streamlit as st

from samviz.figures.papers_claims import STATES, Judged, counts, judge
from samviz.figures.papers_evidence import Evidence
from samviz.papers.claims import MARGIN
from samviz.papers.outcomes import SHARPNESS
from samviz.papers.published import figure
from samviz.runs import Store
from samviz.spec import PRESETS
from samviz.ui.document import PAGES
from samviz.ui.papers_data import outcomes
from samviz.ui.papers_figures import ICONS
from samviz.ui.papers_state import Choice
from samviz.ui.plain import plain
from samviz.ui.state import bound

PAGE = PAGES / "papers.py"
COLORS = {"confirmed": "green", "contradicted": "red", "open": "orange", "untested": "gray"}
EVERY = "every"
"""All states, as an option."""
SHOWN = 3
"""Pieces of evidence that are listed before one asks for more."""
_VIEW = {"gamma_mean": "norm", "seconds": "cost"}
"""Measure -> the view of the Compare page that shows it."""
_MARK = {"for": ":material/check:", "against": ":material/close:", "open": ":material/remove:"}
_RULE = f"""
- A claim is a difference between two arms of one comparison, seed by seed, on the same batches. Its mean has a 95 %
  interval (Student's t).
- It is **confirmed** where the whole interval lies on the claim's side of zero, in one comparison at least and in none
  on the other side; **contradicted** the other way round; **not settled** where the interval holds zero, which is
  within seed noise, where there is one seed, and where comparisons disagree.
- "Level" means that the whole interval lies within {MARGIN:g} point of zero: that number is ours.
- One in twenty intervals leaves the truth out: of many comparisons, one may speak by chance.
- What is confirmed or contradicted is the sentence on these data and networks. What differs from the paper's recipe
  stands with each piece of evidence.
"""


def show(store: Store, choice: Choice) -> None:
    """The list, or those in one state."""
    known = outcomes(store)
    with st.spinner("Reading your runs…"):
        mine = known.measured(header.id for header in known.headers())
        judged = judge([*mine, *known.chosen()], known.sweeps(), known.grids())
    found = counts(judged)
    names = {EVERY: f"all {len(judged)}"} | {state: f"{STATES[state]} {found[state]}" for state in STATES}
    st.segmented_control(
        "What your runs say",
        list(names),
        format_func=names.__getitem__,
        **bound(choice, "state", choice.state or EVERY, empty=EVERY),
    )
    with st.expander("How a claim is judged", icon=":material/gavel:"):
        st.markdown(_RULE)
    for one in judged:
        if choice.state in ("", one.state):
            with st.container(border=True, gap="xsmall", key=f"papers-line-{one.claim.key}"):
                _claim(one)


def _claim(one: Judged) -> None:
    claim = one.claim
    st.markdown(f":{COLORS[one.state]}-badge[{STATES[one.state]}] {plain(claim.text)}")
    st.caption(plain(claim.source))
    for evidence in one.evidence[:SHOWN]:
        _evidence(one, evidence)
    if rest := one.evidence[SHOWN:]:
        with st.expander(f"{len(rest)} more"):
            for evidence in rest:
                _evidence(one, evidence)
    if one.state == "untested":
        if claim.needs:
            st.caption(plain(f"Needs {claim.needs}."))
        if claim.preset:
            label = f"The preset {PRESETS[claim.preset].label} in the Lab"
            st.page_link(PAGES / "lab.py", label=label, icon=":material/science:")
        if claim.figure is not None:
            theirs = figure(*claim.figure)
            query = {"view": "figures", "figure": theirs.key}
            label = f"The recipe of {theirs.name}"
            st.page_link(PAGE, label=label, icon=":material/description:", query_params=query)


def _evidence(one: Judged, evidence: Evidence) -> None:
    said = " · ".join(part for part in (evidence.contrast, evidence.found, _seeds(evidence), evidence.why) if part)
    st.markdown(f"{_MARK[evidence.says]} {plain(said)}")
    page, query = "compare", {"comparisons": evidence.id, "view": _VIEW.get(one.claim.measure, "results")}
    if one.claim.crosses == "networks":
        page, query = "papers", {"view": "figures", "figure": "asam-2"}
    elif evidence.kind == "sweep":
        query = {"view": "rho", "sweeps": evidence.id}
    elif one.claim.measure == SHARPNESS:
        page, query = "sharpness", {"id": evidence.id, "view": "sharpness"}
    icon = f":material/{ICONS[page]}:"
    st.page_link(PAGES / f"{page}.py", label=plain(evidence.name), icon=icon, query_params=query)
    if evidence.differences:
        st.caption(plain(f"Not the paper's recipe: {'; '.join(evidence.differences)}."))


def _seeds(evidence: Evidence) -> str:
    return f"{evidence.seeds} seed{'' if evidence.seeds == 1 else 's'}" if evidence.seeds else ""
