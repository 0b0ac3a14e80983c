"""What the arms came to: means over seeds, differences to the reference, verdicts, and both as a picture."""

from typing import Any

import numpy as np

from samviz.figures import palette
from samviz.figures.compare import ENDS, JUDGED, JUDGES, Side, compared, ended, unpaired
from samviz.figures.curves import uid
from samviz.figures.paired import interval, size, verdict
from samviz.figures.parts import Chart, Section, Table, mean_and_deviation

HEAD = (
    "Arm", "ρ", "Test accuracy, last epoch (%)", "best epoch (%)", "best at epoch",
    "Difference, last (points)", "95 % interval", "Difference, best (points)", "95 % interval", "Seeds", "Diverged",
)  # fmt: skip
ROW_HEIGHT = 44
"""Of an arm in the picture of differences, in pixels."""
LABEL = 34
"""Characters of an arm's name beside it."""


def results_section(sides: list[Side], reference: Side, end: str) -> Section:
    """The table and the verdicts of all arms against `reference`; the picture is of the epoch `end`."""
    others = [side for side in sides if side.key != reference.key]
    charts, paired = [], [side for side in others if compared(side, reference, end).n]
    if paired:
        charts.append(
            Chart(
                name=f"differences-{end}",
                title=f"Difference to {reference.label} (points), {ENDS[end]}",
                figure=differences_figure(paired, reference, end),
                height=90 + ROW_HEIGHT * len(paired),
                wide=True,
                note="a dot a seed; the diamond is their mean, with its 95 % confidence interval",
            )
        )
    return Section(
        name="results",
        title="Results",
        lead=f"Against {reference.label}, at the {ENDS[end]}; ± is half a 95 % confidence interval." if paired else "",
        sentences=verdicts(sides, reference, end),
        tables=[results_table(sides, reference)],
        charts=charts,
        notes=notes(sides, reference),
    )


def verdicts(sides: list[Side], reference: Side, end: str) -> list[str]:
    """One sentence for each arm but the reference; nothing but a warning where there is one seed."""
    others = [side for side in sides if side.key != reference.key]
    return [f"{_verdict(side, reference, end)}." for side in others]


def _verdict(side: Side, reference: Side, end: str) -> str:
    if reason := unpaired(side, reference):
        mean = mean_and_deviation(list(ended(side).at(end).values()))
        return f"{side.label}: not paired, since {reason}; its mean is {mean}"
    return verdict(side.label, compared(side, reference, end))


def results_table(sides: list[Side], reference: Side) -> Table:
    """Mean ± standard deviation over the seeds that have finished, at both ends, and what that is to the reference."""
    rows = []
    for side in sides:
        found = ended(side)
        differences = []
        for end in ENDS:
            if side.key == reference.key:
                differences += ["reference", ""]
            elif unpaired(side, reference):
                differences += ["not paired", ""]
            else:
                pair = compared(side, reference, end)
                differences += [mean_and_deviation(list(pair.values)), interval(pair)]
        diverged = [str(one.seed) for one in side.source.tally.diverged(side.index)]
        rows.append(
            (
                side.label,
                f"{side.arm.rho:g}" if side.arm.variant is not None else "",
                mean_and_deviation(list(found.last.values())),
                mean_and_deviation(list(found.best.values())),
                _epochs(list(found.epochs.values())),
                *differences,
                f"{len(found.last)} of {len(side.source.comparison.seeds)}",
                f"seed {', '.join(diverged)}" if diverged else "",
            )
        )
    if not any(row[-1] for row in rows):
        rows = [row[:-1] for row in rows]
    return Table(
        head=HEAD[: len(rows[0])],
        rows=rows,
        keys=tuple(side.key for side in sides),
        note="mean ± standard deviation over the seeds that have finished",
    )


def _epochs(epochs: list[int]) -> str:
    """The range of the seeds' best epochs."""
    if not epochs:
        return "–"
    return str(epochs[0]) if len(set(epochs)) == 1 else f"{min(epochs)} to {max(epochs)}"


def notes(sides: list[Side], reference: Side) -> list[str]:
    """How the best epoch was chosen, what the pairing rests on, and what one seed cannot tell."""
    judged: dict[str, list[str]] = {}
    for side in sides:
        judged.setdefault(ended(side).judge, []).append(side.source.comparison.name)
    told = []
    for judge, names in judged.items():
        of = f" ({', '.join(dict.fromkeys(names))})" if len(judged) > 1 else ""
        told.append(f"Best epoch{of}: the one with the highest {JUDGES[judge]}, {JUDGED[judge]}.")
    paired = [side for side in sides if side.key != reference.key and not unpaired(side, reference)]
    if paired:
        told.append(
            "Differences are paired: the same seed gives both arms the same first weights, batches and augmentation. "
            "The interval is the mean ± t·s/√n over the seeds' differences; one that holds zero is within seed noise."
        )
    if any(compared(side, reference, "last").n == 1 for side in paired):
        told.append("One seed tells nothing of how far arms differ by chance alone: add seeds.")
    return told


def differences_figure(paired: list[Side], reference: Side, end: str) -> dict[str, Any]:
    """A line for each arm, each with a seed in common with the reference: dots, and a diamond with the interval."""
    traces: list[dict[str, Any]] = []
    for row, side in enumerate(paired):
        found = compared(side, reference, end)
        values = [round(value, 3) for value in found.values]
        dots = {"color": palette.faint(side.look.color, 0.6), "size": 7}
        texts = [f"seed {seed}: {value:+.2f}" for seed, value in zip(found.seeds, found.values, strict=True)]
        # Spread over a part of the line's height, so that equal ones are seen.
        heights = np.linspace(row - 0.16, row + 0.16, found.n) if found.n > 1 else [row]
        traces.append(_marks(side, "-seeds", values, [round(float(y), 3) for y in heights], dots, texts))
        half = {"array": [round(found.half, 3)], "color": side.look.color, "thickness": 2, "width": 6}
        text = f"{side.plotted()}: mean {found.mean:+.2f}" + (f" ± {size(found.half)}" if found.n > 1 else "")
        mark = {"color": side.look.color, "size": 12, "symbol": "diamond"}
        more = {"error_x": half} if found.n > 1 else {}
        traces.append(_marks(side, "", [round(found.mean, 3)], [row], mark, [text], **more))
    ticks = list(range(len(paired)))
    layout = {
        "xaxis": {"title": {"text": "points"}, "rangemode": "tozero", "zeroline": True, "zerolinewidth": 2},
        "yaxis": {
            "tickvals": ticks,
            "ticktext": [side.plotted(LABEL) for side in paired],
            "range": [len(paired) - 0.5, -0.5],
            "automargin": True,
            "zeroline": False,
            "showgrid": False,
            "fixedrange": True,
        },
        "hovermode": "closest",
    }
    return {"data": traces, "layout": layout}


def _marks(side: Side, part: str, x: list, y: list, marker: dict, texts: list[str], **more: Any) -> dict[str, Any]:
    return {
        "type": "scatter",
        "mode": "markers",
        "uid": uid(side.key) + part,
        "meta": side.key,
        "showlegend": False,
        "x": x,
        "y": y,
        "marker": marker,
        "text": texts,
        "hovertemplate": "%{text}<extra></extra>",
    } | more
