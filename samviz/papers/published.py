"""The papers' figures: what each shows, and which of one's own comparisons or sweeps redraw it."""

from dataclasses import dataclass

from samviz.papers.claims import Side
from samviz.papers.matching import recipe_differences
from samviz.papers.recipes import RECIPES
from samviz.papers.tables import paper
from samviz.runs.views import Header
from samviz.spec import Comparison, Sweep


@dataclass(frozen=True, kw_only=True, slots=True)
class Figure:
    """A figure of a paper."""

    paper: str
    number: int
    shows: str
    page: str
    """The page that draws it: a file's stem in pages/."""
    query: tuple[tuple[str, str], ...] = ()
    """Of that page's address; "{id}" stands for one's own comparison or sweep."""
    needs: tuple[Side, ...] = ()
    """One's own comparison or sweep has an arm for each of these; none where the figure needs no training."""
    of: str = "comparison"
    """comparison, sweep (over the radius) or networks (a grid with the sharpness of each) where it needs training, else
    ""."""
    network: str | None = None
    """Key of `NETWORKS`, or the paper's own name for one that samviz has not."""
    dataset: str | None = None
    note: str = ""
    """What the text at hand lacks, and what is ours in the recipe."""

    @property
    def key(self) -> str:
        return f"{self.paper}-{self.number}"

    @property
    def name(self) -> str:
        """ "SAM-ON Fig. 5"."""
        return f"{paper(self.paper)['short']} Fig. {self.number}"

    def differences(self, header: Header) -> tuple[str, ...]:
        """What sets a comparison's recipe apart from the figure's, in words."""
        table = ("asam", 2) if self.paper == "asam" else ("sam-on", 3 if self.network == "vit_s" else 1)
        return recipe_differences(header, *table, network=self.network, dataset=self.dataset, n=None)

    @property
    def recipes(self) -> tuple[Comparison | Sweep, ...]:
        """What has to be trained for it; none where nothing has."""
        return RECIPES[self.key]() if self.key in RECIPES else ()

    def drawn_by(self, comparison: Comparison) -> bool:
        """Whether a comparison, or the base of a sweep, has all that the figure shows, on whatever data."""
        arms = comparison.arms
        return bool(self.needs) and all(any(side.holds(arm) for arm in arms) for side in self.needs)


_PLAIN, _SAM = Side(variants=(None,)), Side(variants=("sam",))
_SAM_ON, _SAM_NO_NORM = (Side(variants=("sam",), scope=scope) for scope in ("norm_only", "no_norm"))
_ELEMENTWISE = Side(variants=("elementwise_l2",))
_RHO_CURVES = (("view", "rho"), ("sweeps", "{id}"))
_CURVES = (("comparisons", "{id}"), ("view", "curves"))
_RESULTS = (("comparisons", "{id}"),)
_GAMMA = (("comparisons", "{id}"), ("view", "norm"))
_SEARCHED = "The radii are those of Table 8; the text at hand does not say which the figure goes through."

FIGURES: tuple[Figure, ...] = (
    Figure(
        paper="asam",
        number=1,
        shows="Loss contours and the three maximization regions around w = (1, 1) and w' = (3, 1/3).",
        page="regions",
        of="",
        note="Needs no training. The paper names neither the radius nor the loss: those of the page are ours.",
    ),
    Figure(
        paper="asam",
        number=2,
        shows="Sharpness and adaptive sharpness against the generalization gap, with their rank correlations.",
        page="papers",
        query=(("view", "figures"), ("figure", "asam-2")),
        of="networks",
        note="Needs the sharpness of each network of a grid over batch size, learning rate, weight decay and dropout: "
        "ask for it on the Sharpness page. Data set, network and grid are in appendix B, which is not in the text at "
        "hand: the recipe is ours.",
    ),
    Figure(
        paper="asam",
        number=3,
        shows="Trajectories of SAM and ASAM on |w1 ReLU(w2) − 0.04| from two starts.",
        page="trajectories",
        of="",
        note="Needs no training. The paper names no radius for ASAM, no learning rate and no number of steps: the "
        "page's are ours.",
    ),
    Figure(
        paper="asam",
        number=4,
        shows="Test accuracy of ASAM against ρ: p = ∞, p = 2 with and without bias normalization, filterwise.",
        page="compare",
        query=_RHO_CURVES,
        needs=(
            Side(variants=("elementwise_linf",)),
            _ELEMENTWISE,
            Side(variants=("elementwise_l2_orig",)),
            Side(variants=("filterwise_l2",)),
        ),
        of="sweep",
        network="WRN-16-8",
        dataset="cifar10",
        note="The paper's network is WRN-16-8, the recipe's WRN-16-4; the text does not name the data set of the "
        "figure. The radii are those of the grid search in section 5.2.",
    ),
    Figure(
        paper="sam-on",
        number=1,
        shows="WRN-28-10 on CIFAR-100: test accuracy against ρ for all, ON and no-norm.",
        page="compare",
        query=_RHO_CURVES,
        needs=(_SAM, _SAM_ON, _SAM_NO_NORM),
        of="sweep",
        network="wrn28_10",
        dataset="cifar100",
        note=f"{_SEARCHED} The other variants are under Fig. 6.",
    ),
    Figure(
        paper="sam-on",
        number=2,
        shows="ViT-S on CIFAR-100: test accuracy against ρ for all, ON and no-norm.",
        page="compare",
        query=_RHO_CURVES,
        needs=(_SAM, _SAM_ON, _SAM_NO_NORM),
        of="sweep",
        network="vit_s",
        dataset="cifar100",
        note=f"{_SEARCHED} The other variants are under Fig. 7.",
    ),
    Figure(
        paper="sam-on",
        number=3,
        shows="Left: SAM-ON, SSAM-F and a random mask on CIFAR-10, ResNet-18. Right: batch sizes and values of m, "
        "WRN-28-10 on CIFAR-100.",
        page="compare",
        query=_RESULTS,
        needs=(_SAM, _SAM_ON, Side(variants=("sam",), mask="random"), Side(variants=("sam",), mask="fisher")),
        network="resnet18",
        dataset="cifar10",
        note="The text names 99.93 % and 50 % sparsity; the other sparsities, the batch sizes and the values of m are "
        "ours. The comparison found in the store is of the left half.",
    ),
    Figure(
        paper="sam-on",
        number=4,
        shows="Distribution of γ and β of a WRN-28-10 trained with SAM-all and SAM-ON.",
        page="compare",
        query=_GAMMA,
        needs=(_SAM, _SAM_ON),
        network="wrn28_10",
        dataset="cifar100",
        note="The text does not name the data set of the figure: CIFAR-100, as in section 5.",
    ),
    Figure(
        paper="sam-on",
        number=5,
        shows="WRN-28-10 on CIFAR-100: switching from SGD to SAM and from SAM to SGD, by the epoch of the switch.",
        page="compare",
        query=_RESULTS,
        needs=(
            Side(variants=("sam",), window="late"),
            Side(variants=("sam",), scope="norm_only", window="late"),
        ),
        network="wrn28_10",
        dataset="cifar100",
        note="The text names epoch 100; that the recipe also switches at epoch 150, and nowhere else, is ours.",
    ),
    Figure(
        paper="sam-on",
        number=6,
        shows="All SAM variants and their SAM-ON counterparts against ρ, WRN-28-10 on CIFAR-100.",
        page="compare",
        query=_RHO_CURVES,
        needs=(Side(), Side(scope="norm_only")),
        of="sweep",
        network="wrn28_10",
        dataset="cifar100",
        note=f"One sweep for each variant. {_SEARCHED}",
    ),
    Figure(
        paper="sam-on",
        number=7,
        shows="All SAM variants and their SAM-ON counterparts against ρ, ViT-S on CIFAR-100.",
        page="compare",
        query=_RHO_CURVES,
        needs=(Side(), Side(scope="norm_only")),
        of="sweep",
        network="vit_s",
        dataset="cifar100",
        note=f"One sweep for each variant. {_SEARCHED}",
    ),
    Figure(
        paper="sam-on",
        number=8,
        shows="Distribution of the parameters' magnitudes by type of layer, for several variants, on a log scale.",
        page="compare",
        query=(*_GAMMA, ("scale", "log")),
        needs=(
            _SAM,
            _SAM_ON,
            Side(variants=("elementwise_l2",)),
            Side(variants=("elementwise_l2",), scope="norm_only"),
        ),
        network="wrn28_10",
        dataset="cifar100",
        note="The text does not name the data set of the figure: CIFAR-100, as in section 5.",
    ),
    Figure(
        paper="sam-on",
        number=9,
        shows="SAM-ON, SSAM-F, SSAM-D and a random mask on CIFAR-10, ResNet-18, with error bars.",
        page="compare",
        query=_RESULTS,
        needs=(_SAM, _SAM_ON, Side(variants=("sam",), mask="fisher"), Side(variants=("sam",), mask="dynamic")),
        network="resnet18",
        dataset="cifar10",
        note="The text names 99.93 % and 50 % sparsity; the others are ours.",
    ),
    Figure(
        paper="sam-on",
        number=10,
        shows="SAM with and without fixed γ = 1 and β = 0 (fix-norm), WRN-28-10 on CIFAR-100.",
        page="compare",
        query=_RESULTS,
        needs=(_SAM, Side(variants=("sam",), trained="fix_norm")),
        network="wrn28_10",
        dataset="cifar100",
        note="The text does not say what the figure's axes are: the recipe trains both at the radius of Table 8.",
    ),
)
"""ASAM 1 to 4 and SAM-ON 1 to 10."""


def figure(paper: str, number: int) -> Figure:
    """One figure; KeyError where there is none."""
    return {(one.paper, one.number): one for one in FIGURES}[paper, number]
