"""The data sets that a recipe can name."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class Dataset:
    """Images of 32x32 pixels in three colors, uint8."""

    label: str
    classes: tuple[str, ...]
    train_size: int
    test_size: int

    def sizes(self, classes: int) -> tuple[int, int]:
        """Train and test images of so many of the classes, of which each has equally many."""
        return self.train_size * classes // len(self.classes), self.test_size * classes // len(self.classes)


_FINE_LABELS = """
apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant flatfish
forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree motorcycle
mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate poppy porcupine
possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider squirrel streetcar
sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle wardrobe whale
willow_tree wolf woman worm
"""
"""Those of CIFAR-100, in the order of fine_label_names.txt in its archive."""

DATASETS = {
    "builtin": Dataset(
        label="Built-in shapes",
        classes=("disc", "ring", "square", "frame", "triangle", "cross", "star", "stripes", "checks", "dots"),
        train_size=4000,
        test_size=2000,
    ),
    "cifar10": Dataset(
        label="CIFAR-10",
        classes=("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"),
        train_size=50_000,
        test_size=10_000,
    ),
    "cifar100": Dataset(
        label="CIFAR-100",
        classes=tuple(_FINE_LABELS.split()),
        train_size=50_000,
        test_size=10_000,
    ),
}
