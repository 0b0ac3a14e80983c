"""What a scope perturbs in a model: which tensors, how many numbers, what share."""

from dataclasses import dataclass

from torch import nn

from samviz.optim.scopes import select


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter tensor of a model."""

    name: str
    """As in `named_parameters`; the first of its names where a tensor is tied."""
    layer: str
    """The class of the module that holds it."""
    shape: tuple[int, ...]
    numbers: int
    perturbed: bool


@dataclass(frozen=True, slots=True)
class Coverage:
    """What a scope perturbs in a model; printed, it is a table."""

    model: str
    """The model's class."""
    scope: str
    rows: tuple[Row, ...]
    """Every parameter tensor of the model, each once, frozen ones included, in the model's own order."""

    @property
    def perturbed(self) -> int:
        """How many numbers are perturbed."""
        return sum(row.numbers for row in self.rows if row.perturbed)

    @property
    def numbers(self) -> int:
        """How many numbers the model has as parameters."""
        return sum(row.numbers for row in self.rows)

    @property
    def share(self) -> float:
        """The part that is perturbed, from 0 to 1; 1 minus the sparsity of SAM-ON section 5.1."""
        return self.perturbed / self.numbers

    def __str__(self) -> str:
        cells = [("tensor", "layer", "shape", "numbers", "perturbed")]
        for row in self.rows:
            shape = "x".join(map(str, row.shape)) or "scalar"
            cells.append((row.name, row.layer, shape, f"{row.numbers:,}", "yes" if row.perturbed else "no"))
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cells
        ]
        tensors = sum(row.perturbed for row in self.rows)
        lines.append(
            f"{self.scope} perturbs {tensors} of {len(self.rows)} tensors of {self.model}: "
            f"{self.perturbed:,} of {self.numbers:,} numbers, {100 * self.share:.3g} %."
        )
        return "\n".join(lines)


def coverage(model: nn.Module, scope: str = "all") -> Coverage:
    """Which parameters of `model` an ascent in `scope` perturbs. Raises ValueError as `select` does."""
    chosen = select(model, scope)
    rows = []
    for name, w in model.named_parameters():
        layer = type(model.get_submodule(name.rpartition(".")[0])).__name__
        rows.append(Row(name, layer, tuple(w.shape), w.numel(), w in chosen))
    return Coverage(type(model).__name__, scope, tuple(rows))
