"""The tables that the controls and legends of the maps below the Trajectories page are made from."""

from samviz.figures import palette
from samviz.spec.maps import SHOWN
from samviz.spec.trajectories import DETAILS, QUANTITIES, SWEEPS
from samviz.toy.outcome import KINDS
from samviz.ui.curve_pictures import SYMBOLS
from samviz.ui.map_pictures import COARSE, KIND_WORDS, label


def tables() -> dict:
    """What `assets/maps.js` needs to know before it asks for anything."""
    sweeps = ((key, *key.split(".")) for key in SWEEPS)
    return {
        "coarse": COARSE,
        "details": list(DETAILS),
        "shown": SHOWN,
        "quantities": [{"key": key, "label": text} for key, text in QUANTITIES.items()],
        "sweeps": [
            {"key": key, "method": m, "label": f"{SYMBOLS[parameter]} of {label(m)}"} for key, parameter, m in sweeps
        ],
        "kinds": [{"key": key, "label": KIND_WORDS[key][0], "color": palette.END[key]} for key in KINDS],
        "differences": palette.DIFFERENCE,
        "no_value": palette.NO_VALUE,
        "ramps": {"sequential": palette.SEQUENTIAL, "diverging": palette.DIVERGING},
    }
