"""How the papers trained what a table has: the part of a recipe that their text names."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from samviz.spec.recipe import AUGMENTATIONS, OPTIMIZERS


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings:
    """Settings under the names of `Recipe`'s fields; None is what the paper does not name."""

    epochs: int | None = None
    """Of the methods with an ascent."""
    epochs_plain: int | None = None
    """Of the base optimizer alone."""
    batch_size: int | None = None
    m: int | None = None
    """Images that climb together; 0 is the whole batch."""
    optimizer: str | None = None
    lr: float | None = None
    momentum: float | None = None
    weight_decay: float | None = None
    schedule: str | None = None
    label_smoothing: float | None = None
    augmentation: str | None = None
    """Where the rows of the table do not tell it."""
    accuracy: str | None = None
    """best: the highest accuracy of any epoch is reported."""
    also: tuple[str, ...] = ()
    """What has no field in a recipe, in words."""

    def words(self) -> str:
        """In one line, without what is not named: "200 epochs (without an ascent 400), batches of 128, ..."."""
        told = [
            _told(self.epochs, "{} epochs"),
            "" if self.epochs_plain in (None, self.epochs) else f"without an ascent {self.epochs_plain} epochs",
            _told(self.batch_size, "batches of {}"),
            "" if self.m is None else f"m = {self.m}" if self.m else "no m-sharpness",
            _told(self.optimizer and OPTIMIZERS.get(self.optimizer, self.optimizer), "{}"),
            _told(self.lr, "learning rate {:g}"),
            _told(self.schedule, "{} schedule"),
            _told(self.momentum, "momentum {:g}"),
            _told(self.weight_decay, "weight decay {:g}"),
            _told(self.label_smoothing, "label smoothing {:g}"),
            _told(self.augmentation and AUGMENTATIONS[self.augmentation], "{}"),
            "highest accuracy of any epoch" if self.accuracy == "best" else "",
            *self.also,
        ]
        return ", ".join(part for part in told if part) or "not named in the text at hand"

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> "Settings":
        return cls(**{**data, "also": tuple(data.get("also", ()))})


def _told(value: Any, form: str) -> str:
    return "" if value is None else form.format(value)
