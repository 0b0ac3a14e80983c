"""The table of the Regions page that tells which T_w are scale-invariant, and where: rows of words."""

from dataclasses import replace

from samviz.spec.regions import RegionSettings
from samviz.toy.invariance import HIGHEST, KINDS, LOWEST, TRIALS, Trial, verdict
from samviz.ui.toy_pictures import labels, norm_text, within
from samviz.variants import VARIANTS, Variant, elementwise, filterwise, fisher, identity, layerwise

FORMULAS = {
    identity: "1",
    elementwise: "|w|",
    layerwise: "‖layer‖",
    filterwise: "‖filter‖",
    fisher: "(1 + {eta:g} g²)^(−1/2)",
}

NETWORK = {"common": "one factor a layer", "filters": "filters of the last hidden layer", "nodes": "all nodes"}
"""What a column is called, by KINDS."""

CAPTION = (
    f"ASAM Definition 1, T_Aw = A·T_w, and Theorem 1, equal sharpness at w and Aw, tried with {TRIALS} random A on the "
    "toy, and on a network of two convolutions, a fully connected layer and biases. The factors of A lie between "
    f"{LOWEST:g} and {HIGHEST:g}. T is the largest error of Definition 1, S that of the sharpness. On the toy every "
    "layer is one weight, so that elementwise, filterwise and layerwise T coincide."
)


def invariance(s: RegionSettings) -> dict:
    """The regions of the panels as they are set, then the rest of the family with η = 0."""
    w, a, c = (s.values["w1"], s.values["w2"]), s.values["a"], s.values["c"]
    rows = []
    for name, variant, rho in _chosen(s):
        found = verdict(variant, w, a, rho, c)
        cells = [found.toy, found.toy_random, *(found.network[kind] for kind in KINDS)]
        rows.append({"label": name, "T": _formula(variant), "cells": [_cell(t) for t in cells], "reason": found.reason})
    return {
        "caption": CAPTION,
        "columns": [f"toy, a = {a:.4g}", f"toy, {TRIALS} A", *(f"network, {NETWORK[kind]}" for kind in KINDS)],
        "rows": rows,
        "summary": _summary(rows),
    }


def _chosen(s: RegionSettings) -> list[tuple[str, Variant, float]]:
    """Name, variant and radius of each row; panels that show the same share one."""
    rows: dict[Variant, tuple[list[str], float]] = {}
    for key, label in labels(s).items():
        variant = replace(VARIANTS[s.variant(key)], p=s.p(key), eta=s.eta(key))
        rows.setdefault(variant, ([], s.rho(key)))[0].append(label)
    shown = {(v.operator, v.p, v.normalize_bias) for v in rows}
    found = [(f"{v.label}: {', '.join(map(within, names))}", v, rho) for v, (names, rho) in rows.items()]
    for v in VARIANTS.values():
        if (v.operator, v.p, v.normalize_bias) not in shown:
            found.append((v.label, v if v.operator is fisher else replace(v, eta=0.0), 0.5))
    return found


def _formula(variant: Variant) -> str:
    text = FORMULAS.get(variant.operator, "T").format(eta=variant.eta)
    if variant.eta > 0 and variant.operator not in (fisher, identity):
        text += f" + {variant.eta:g}"
    bias = "" if variant.normalize_bias else ", 1 for biases"
    return f"T = {text}{bias}, p = {norm_text(variant.p)}"


def _cell(trial: Trial) -> dict[str, str]:
    return {
        "verdict": "holds" if trial.holds else "fails",
        "errors": f"T\u00a0{_off(trial.definition)}, S\u00a0{_off(trial.theorem)}",
    }


def _off(error: float) -> str:
    """A relative error: as a power of ten where it is rounding, in percent, or as the ratio of the two values."""
    if error < 1e-6:
        return f"{error:.0e}".replace("e-0", "e-") if error else "0"
    return f"{100 * error:.2g}\u00a0%" if error < 0.995 else f"×{float(f'{error + 1:.3g}'):g}"


def _summary(rows: list[dict]) -> str:
    """What the table shows, in a sentence."""
    always = [row["label"] for row in rows if all(cell["verdict"] == "holds" for cell in row["cells"])]
    if not always:
        return "No T_w here keeps its sharpness under every rescaling that was tried."
    return f"Scale-invariant under every rescaling that was tried: {'; '.join(always)}."
