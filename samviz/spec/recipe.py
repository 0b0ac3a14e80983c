"""What all arms of a comparison share: data, network, optimizer, schedule."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from samviz.spec import check
from samviz.spec.datasets import DATASETS
from samviz.spec.networks import NETWORKS

SCHEDULES = {"cosine": "cosine to zero", "constant": "constant"}
AUGMENTATIONS = {"none": "none", "crop_flip": "crop and flip"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The shared part of a comparison. Every random draw depends only on (seed, epoch, batch)."""

    dataset: str = "builtin"
    """Key of `DATASETS`."""
    train_size: int | None = None
    """Images trained on, drawn class by class from the seed; None takes all."""
    test_size: int | None = None
    """Images tested on; None takes all."""
    label_noise: float = 0.0
    """Share of train labels replaced by a uniformly drawn other class (ASAM section 5.4)."""
    augmentation: str = "none"
    """none, or crop_flip: pad by 4, crop 32x32, flip left to right."""
    network: str = "resnet8"
    """Key of `NETWORKS`."""
    epochs: int = 20
    """Passes over the train images."""
    batch_size: int = 128
    """Images a step."""
    lr: float = 0.1
    """Initial learning rate of SGD."""
    momentum: float = 0.9
    """Momentum of SGD."""
    nesterov: bool = False
    """Nesterov's form of the momentum."""
    weight_decay: float = 5e-4
    """Weight decay (lambda in ASAM Eq. 7), on every parameter."""
    schedule: str = "cosine"
    """Learning rate over the steps: cosine to zero, or constant."""
    label_smoothing: float = 0.0
    """Share of the target spread evenly over the classes."""

    def __post_init__(self) -> None:
        check.choice("dataset", self.dataset, DATASETS)
        data = DATASETS[self.dataset]
        if self.train_size is not None:
            check.integer("train_size", self.train_size, 10, data.train_size)
        if self.test_size is not None:
            check.integer("test_size", self.test_size, 10, data.test_size)
        check.choice("augmentation", self.augmentation, AUGMENTATIONS)
        check.choice("network", self.network, NETWORKS)
        check.integer("epochs", self.epochs, 1, 2000)
        check.integer("batch_size", self.batch_size, 2, 8192)
        if self.batch_size > self.images:
            raise ValueError(
                f"batch_size must be at most the number of train images, {self.images}, but it is {self.batch_size}."
            )
        check.flag("nesterov", self.nesterov)
        check.choice("schedule", self.schedule, SCHEDULES)
        for field, high in (
            ("label_noise", 0.95),
            ("lr", 100),
            ("momentum", 0.999),
            ("weight_decay", 1),
            ("label_smoothing", 0.9),
        ):
            object.__setattr__(self, field, check.number(field, getattr(self, field), 0, high))
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0, but momentum is 0.")

    @property
    def images(self) -> int:
        """Number of train images."""
        return self.train_size or DATASETS[self.dataset].train_size

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches an epoch; the rest of an epoch's shuffle is left out, so that every step sees one size."""
        return self.images // self.batch_size

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, data: Any) -> "Recipe":
        """Read a recipe; raises ValueError in one sentence that names the field, the value and what is allowed."""
        return cls(**check.mapping("recipe", data, [f.name for f in fields(cls)]))
