"""One refresh of the live page while a run goes on: of the size in the design (4 arms, 3 seeds, 60 epochs), and long.

Each sample writes one more epoch of the last seed into a real store, as a worker does, and then asks for the page: so
every refresh has something new. A second row asks again without a change. The long run has the 57 norm layers of
ResNet-56 and 200 epochs.
"""

import time
from pathlib import Path

from samviz.runs import open_store
from samviz.ui.live import Cache
from samviz.ui.live_choice import Choice
from tests import stored, synthetic
from tests.bench.table import Row, quantile_row

EPOCHS = 60
"""Of each run of the design's size."""
MEASURED = 40
"""The last epochs of the last seed, each one refresh."""
LONG_EPOCHS, LONG_MEASURED, LONG_LAYERS = 200, 20, 57


def measure(folder: Path) -> list[Row]:
    """Milliseconds from the question to the compressed answer, and kilobytes of it."""
    design = _Watched(folder / "design", EPOCHS, synthetic.LAYERS)
    sizes, new, again = design.refresh(EPOCHS - MEASURED, Choice())
    long = _Watched(folder / "long", LONG_EPOCHS, LONG_LAYERS)
    first = LONG_EPOCHS - LONG_MEASURED
    long_sizes, long_new, _ = long.refresh(first, Choice(axis="time"), last=first + LONG_MEASURED // 2)
    maps_sizes, maps_new, _ = long.refresh(first + LONG_MEASURED // 2, "gamma_mean")
    return [
        quantile_row("live refresh, server, new numbers", new, 0.5, 10, "ms"),
        quantile_row("live refresh, server, new numbers", new, 0.95, 10, "ms"),
        quantile_row("live refresh, server, nothing new", again, 0.95, 10, "ms"),
        _size("live refresh, compressed size, largest", sizes),
        quantile_row("live refresh, 200 epochs, over training time, server, new numbers", long_new, 0.5, 10, "ms"),
        _size("live refresh, 200 epochs, over training time, compressed size, largest", long_sizes),
        quantile_row("its maps of 57 norm layers, server, new numbers", maps_new, 0.5, 10, "ms"),
        _size("its maps of 57 norm layers, compressed size, largest", maps_sizes),
    ]


class _Watched:
    """A comparison in a real store whose last seed goes on."""

    def __init__(self, home: Path, epochs: int, layers: int) -> None:
        self.store, self.epochs = open_store(home), epochs
        self.comparison = synthetic.comparison(3, epochs)
        measured = LONG_MEASURED if epochs == LONG_EPOCHS else MEASURED
        reached = {0: epochs, 1: epochs, 2: epochs - measured}
        self.id = stored.put(self.store, self.comparison, reached=reached, steps=4, layers=layers)
        self.rows = synthetic.metrics(self.comparison, layers=layers), synthetic.histograms(self.comparison)
        self.cache = Cache(self.store)

    def refresh(self, after: int, what: Choice | str, last: int | None = None) -> tuple[list[float], ...]:
        """Kilobytes of each refresh after an epoch, milliseconds with something new, and without."""
        ask = self.cache.layers if isinstance(what, str) else self.cache.page
        ask(self.id, what)
        sizes, new, again = [], [], []
        for epoch in range(after + 1, (last or self.epochs) + 1):
            stored.add_epoch(self.store, self.id, 2, epoch, *self.rows, self.comparison.recipe.steps_per_epoch)
            for samples in (new, again):
                begun = time.perf_counter()
                page = ask(self.id, what)
                samples.append(1e3 * (time.perf_counter() - begun))
            assert page.revision == self.store.revision(self.id)
            sizes.append(len(page.body) / 1e3)
        return sizes, new, again


def _size(what: str, sizes: list[float]) -> Row:
    spread = f"n={len(sizes)}, {min(sizes):.3g} to {max(sizes):.3g}"
    return Row(what=what, budget=60, figure=max(sizes), unit="KB", spread=spread)
