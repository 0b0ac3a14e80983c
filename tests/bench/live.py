"""One refresh of the live page, while a run of the size in the design goes on: 4 arms, 3 seeds, 60 epochs.

Each sample writes one more epoch of the last seed into a real store, as a worker does, and then asks for the page: so
every refresh has something new. A second row asks again without a change.
"""

import time
from pathlib import Path

from samviz.runs import open_store
from samviz.ui.live import Cache
from tests import stored, synthetic
from tests.bench.table import Row, quantile_row

EPOCHS = 60
"""Of each run."""
MEASURED = 40
"""The last epochs of the last seed, each one refresh."""


def measure(folder: Path) -> list[Row]:
    """Milliseconds from the question to the compressed answer, and kilobytes of it."""
    store = open_store(folder)
    comparison = synthetic.comparison(3, EPOCHS)
    id = stored.put(store, comparison, reached={0: EPOCHS, 1: EPOCHS, 2: EPOCHS - MEASURED}, steps=4)
    metrics, histograms = synthetic.metrics(comparison), synthetic.histograms(comparison)
    cache = Cache(store)
    cache.page(id)
    new, again, sizes = [], [], []
    for epoch in range(EPOCHS - MEASURED + 1, EPOCHS + 1):
        stored.add_epoch(store, id, 2, epoch, metrics, histograms, comparison.recipe.steps_per_epoch)
        for samples in (new, again):
            begun = time.perf_counter()
            page = cache.page(id)
            samples.append(1e3 * (time.perf_counter() - begun))
        sizes.append(len(page.body) / 1e3)
    assert page.revision == store.revision(id)
    size = Row(
        what="live refresh, compressed size, largest",
        budget=60,
        figure=max(sizes),
        unit="KB",
        spread=f"n={len(sizes)}, {min(sizes):.3g} to {max(sizes):.3g}",
    )
    return [
        quantile_row("live refresh, server, new numbers", new, 0.5, 10, "ms"),
        quantile_row("live refresh, server, new numbers", new, 0.95, 10, "ms"),
        quantile_row("live refresh, server, nothing new", again, 0.95, 10, "ms"),
        size,
    ]
