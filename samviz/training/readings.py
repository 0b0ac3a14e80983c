"""What the steps of an epoch came to: kept on the device, and read without making it wait."""

import torch
from torch import Tensor


class Readings:
    """A row of figures for each step of an epoch, on the device; the host reads them when they are there.

    On a CPU that is at once. On an accelerator a copy is asked for, and taken when it has arrived: the host goes on
    launching the next steps in the meantime.
    """

    def __init__(self, steps: int, width: int, device: torch.device) -> None:
        self._rows = torch.zeros(steps, width, device=device)
        self._pinned = torch.zeros(steps, width, pin_memory=True) if device.type == "cuda" else None
        self._asked: list[tuple[int, torch.cuda.Event]] = []
        self.read = torch.zeros(0, width)
        """The rows that have arrived, (steps so far, width) float32 on the CPU."""

    def add(self, step: int, row: Tensor) -> None:
        """Keep the row of a step of the epoch, counted from 0."""
        self._rows[step].copy_(row)

    def ask(self, steps: int) -> None:
        """Ask for the rows of the first `steps` steps."""
        if self._pinned is None:
            self.read = self._rows[:steps].cpu()
            return
        self._pinned[:steps].copy_(self._rows[:steps], non_blocking=True)
        event = torch.cuda.Event()
        event.record()
        self._asked.append((steps, event))

    def arrived(self, wait: bool = False) -> int:
        """How many steps' rows `read` has by now; `wait` for all that were asked for."""
        while self._asked and (wait or self._asked[0][1].query()):
            steps, event = self._asked.pop(0)
            event.synchronize()
            self.read = self._pinned[:steps].clone()
        return len(self.read)

    def state(self) -> Tensor:
        """The rows so far, on the CPU."""
        return self._rows.to("cpu", copy=True)

    def load(self, rows: Tensor) -> None:
        self._rows.copy_(rows)
