"""What all arms of a comparison share: data, network, optimizer, schedule."""

from dataclasses import asdict, dataclass, fields
from typing import Any

from samviz.spec import check
from samviz.spec.datasets import DATASETS, Dataset
from samviz.spec.networks import check_network, own_network

OPTIMIZERS = {"sgd": "SGD", "adamw": "AdamW"}
SCHEDULES = {
    "cosine": "cosine to zero",
    "linear": "linear to zero (with a warm-up: one cycle)",
    "steps": "a tenth from half and from three quarters on",
    "constant": "constant",
}
AUGMENTATIONS = {"none": "none", "crop_flip": "crop and flip", "autoaugment": "crop, flip and AutoAugment"}
PRECISIONS = {"auto": "what is faster here", "fp32": "fp32", "bf16": "bf16 autocast"}
MOST_EPOCHS = 2000
SMALLEST = 10
"""The fewest images of a part of a data set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Recipe:
    """The shared part of a comparison. Every random draw depends only on (seed, epoch, batch)."""

    dataset: str = "builtin"
    """Key of `DATASETS`."""
    classes: tuple[str, ...] | None = None
    """The classes that are told apart, in this order; None takes all."""
    train_size: int | None = None
    """Images trained on, drawn class by class from the seed; None takes all that are not held out."""
    validation_size: int = 0
    """Train images held out, class by class, the same for every seed: to choose an epoch or a radius by."""
    test_size: int | None = None
    """Images tested on; None takes all."""
    label_noise: float = 0.0
    """Share of train labels replaced by a uniformly drawn other class (ASAM section 5.4)."""
    augmentation: str = "none"
    """none; crop_flip: pad by 4, crop 32x32, flip left to right; autoaugment: AutoAugment's CIFAR-10 policy on top."""
    cutout: int = 0
    """Side in pixels of a square that is set to the mean color; 0 is none."""
    network: str = "resnet8"
    """Key of `NETWORKS`, or one's own as `module:function`, from the terminal only."""
    dropout: float = 0.0
    """Share of the features before the classifier that is left out of each step; 0 of a network of one's own."""
    epochs: int = 20
    """Passes over the train images."""
    extended: tuple[int, ...] = ()
    """After which epochs a training that had ended was given more: the schedule up to each is that of a training which
    ends there."""
    batch_size: int = 128
    """Images a step."""
    m: int | None = None
    """Images that climb together (m-sharpness, SAM-ON section 3.2); it divides batch_size. None is the whole batch."""
    optimizer: str = "sgd"
    """sgd or adamw: what every arm descends with."""
    lr: float = 0.1
    """Highest learning rate."""
    momentum: float = 0.9
    """Momentum of SGD; beta1 of AdamW, whose beta2 is 0.999."""
    nesterov: bool = False
    """Nesterov's form of SGD's momentum."""
    weight_decay: float = 5e-4
    """Weight decay (lambda in ASAM Eq. 7)."""
    decay_norm: bool = True
    """Whether gamma and beta of the norm layers decay, too."""
    schedule: str = "cosine"
    """Learning rate over the steps after the warm-up: cosine, linear, steps or constant."""
    warmup_epochs: int = 0
    """Epochs at first in which the learning rate grows linearly from 0 to lr."""
    label_smoothing: float = 0.0
    """Share of the target spread evenly over the classes."""
    precision: str = "auto"
    """fp32, bf16 (autocast, weights stay in fp32), or auto: whichever takes less time on the device, by measuring."""

    def __post_init__(self) -> None:
        data = DATASETS[check.choice("dataset", self.dataset, DATASETS)]
        self._check_images(data)
        check.choice("augmentation", self.augmentation, AUGMENTATIONS)
        check.integer("cutout", self.cutout, 0, 32)
        check_network(self.network)
        check.integer("epochs", self.epochs, 1, MOST_EPOCHS)
        ends = check.sequence("extended", self.extended, 0, MOST_EPOCHS)
        for before, end in zip((0, *ends), ends, strict=False):
            check.integer("extended", end, before + 1, self.epochs - 1)
        object.__setattr__(self, "extended", ends)
        check.integer("batch_size", self.batch_size, 2, 8192)
        if self.batch_size > self.images:
            raise ValueError(
                f"batch_size must be at most the number of train images, {self.images}, but it is {self.batch_size}."
            )
        if self.m is not None:
            check.integer("m", self.m, 2, self.batch_size)
            if self.batch_size % self.m:
                raise ValueError(f"m must divide batch_size, {self.batch_size}, but it is {self.m}.")
        check.choice("optimizer", self.optimizer, OPTIMIZERS)
        check.flag("nesterov", self.nesterov)
        check.flag("decay_norm", self.decay_norm)
        check.choice("schedule", self.schedule, SCHEDULES)
        check.integer("warmup_epochs", self.warmup_epochs, 0, self.length(1))
        check.choice("precision", self.precision, PRECISIONS)
        for field, high in (
            ("label_noise", 0.95),
            ("lr", 100),
            ("momentum", 0.999),
            ("weight_decay", 1),
            ("label_smoothing", 0.9),
            ("dropout", 0.9),
        ):
            object.__setattr__(self, field, check.number(field, getattr(self, field), 0, high))
        if self.dropout and own_network(self.network):
            raise check.wrong("dropout", "0 for a network of one's own, which is taken as it is", self.dropout)
        if self.nesterov and self.optimizer != "sgd":
            raise ValueError(f"nesterov is a form of SGD's momentum, but optimizer is {self.optimizer}.")
        if self.nesterov and self.momentum == 0:
            raise ValueError("nesterov needs a momentum above 0, but momentum is 0.")

    def _check_images(self, data: Dataset) -> None:
        """Raise ValueError unless the classes are the data set's and its images are enough for all three parts."""
        if self.classes is not None:
            classes = check.sequence("classes", self.classes, 2, len(data.classes))
            for name in classes:
                check.choice("classes", name, data.classes)
            if len(set(classes)) < len(classes):
                raise ValueError(f"classes must differ from each other, but they are {', '.join(classes)}.")
            object.__setattr__(self, "classes", classes)
        train, test = data.sizes(len(self.class_names))
        check.integer("validation_size", self.validation_size, 0, train - SMALLEST)
        if 0 < self.validation_size < SMALLEST:
            allowed = f"0 or a whole number from {SMALLEST} to {train - SMALLEST}"
            raise check.wrong("validation_size", allowed, self.validation_size)
        if self.train_size is not None:
            check.integer("train_size", self.train_size, SMALLEST, train - self.validation_size)
        if self.test_size is not None:
            check.integer("test_size", self.test_size, SMALLEST, test)

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes that the network tells apart."""
        return DATASETS[self.dataset].classes if self.classes is None else self.classes

    @property
    def images(self) -> int:
        """Number of train images."""
        return self.train_size or DATASETS[self.dataset].sizes(len(self.class_names))[0] - self.validation_size

    @property
    def test_images(self) -> int:
        """Number of test images."""
        return self.test_size or DATASETS[self.dataset].sizes(len(self.class_names))[1]

    @property
    def steps_per_epoch(self) -> int:
        """Whole batches an epoch; the rest of an epoch's shuffle is left out, so that every step sees one size."""
        return self.images // self.batch_size

    def length(self, epoch: int) -> int:
        """How long the training was to be when this epoch was trained."""
        return next((end for end in self.extended if epoch <= end), self.epochs)

    def to_dict(self) -> dict[str, Any]:
        classes = None if self.classes is None else list(self.classes)
        return asdict(self) | {"classes": classes, "extended": list(self.extended)}

    @classmethod
    def from_dict(cls, data: Any) -> "Recipe":
        """Read a recipe; raises ValueError in one sentence that names the field, the value and what is allowed."""
        return cls(**check.mapping("recipe", data, [f.name for f in fields(cls)]))
