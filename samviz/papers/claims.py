"""What the papers claim of their methods, each as a contrast between arms that one's own runs can have."""

from dataclasses import dataclass

from samviz.spec import NETWORKS, Arm, Recipe

MARGIN = 1.0
"""Percentage points within which two accuracies count as level. The papers name no number: this one is ours."""

_ELEMENTWISE_L2 = ("elementwise_l2", "elementwise_l2_orig")
_OTHERS = ("sam", "elementwise_linf", "layerwise_l2", "fisher")


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """Which arms stand on one side of a contrast."""

    variants: tuple[str | None, ...] | None = None
    """Keys of `VARIANTS`, None for the base optimizer alone; the field itself None is any with an ascent."""
    scope: str = "all"
    mask: str | None = None
    sparse: bool | None = None
    """Whether the mask leaves more than 99 % of the coordinates alone; None is either."""
    trained: str = "all"
    window: str = "whole"
    """whole, late (the ascent begins after the first epoch) or early (it ends before the last)."""

    def holds(self, arm: Arm) -> bool:
        """Whether an arm is one of these."""
        variant = arm.variant in self.variants if self.variants is not None else arm.variant is not None
        late, early = arm.first_epoch > 1, arm.last_epoch is not None
        window = {"whole": not late and not early, "late": late and not early, "early": early and not late}
        return (
            variant
            and arm.scope == self.scope
            and arm.mask == self.mask
            and arm.trained == self.trained
            and window[self.window]
            and (self.sparse is None or arm.mask is None or (arm.sparsity > 0.99) == self.sparse)
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Claim:
    """A sentence of a paper, and the contrast that speaks for or against it."""

    key: str
    text: str
    source: str
    """Where the paper says so."""
    terms: tuple[tuple[int, Side], ...] = ()
    """(+1 or -1, side): the contrast is the sum of the measures with these signs, seed by seed. Empty where no
    comparison can tell."""
    measure: str = "test_accuracy"
    """test_accuracy or gamma_mean after the last epoch, seconds an epoch, or sharpness, of whatever radius."""
    expects: str = "more"
    """more: above zero; less: below; level: within `MARGIN`; no gain: not above zero."""
    family: str | None = None
    """resnet (BatchNorm) or vit (LayerNorm); None is any."""
    noise: bool | None = None
    """Whether the train labels are noisy; None is either."""
    crosses: str = ""
    """m: the contrast is between two comparisons that differ in m alone, the smaller one first.
    rho: it is between the best radii of a sweep. networks: it is over all networks of a grid."""
    beside: tuple[str, int, str | None] = ("sam-on", 1, None)
    """Paper, table and network whose recipe one's own is told apart from."""
    figure: tuple[str, int] | None = None
    """The figure whose recipe would test it."""
    preset: str = ""
    """The preset of the Lab that would, where no figure's does."""
    needs: str = ""
    """What it takes to test it, but for a comparison."""

    def fits(self, recipe: Recipe) -> bool:
        """Whether a recipe is of the kind that the claim is about."""
        family = NETWORKS[recipe.network].family if recipe.network in NETWORKS else None
        return (self.family is None or family == self.family) and (
            self.noise is None or (recipe.label_noise > 0) == self.noise
        )


def _ahead(first: Side, second: Side) -> tuple[tuple[int, Side], ...]:
    return (1, first), (-1, second)


_PLAIN = Side(variants=(None,))
_ALL, _ON, _NO_NORM = Side(), Side(scope="norm_only"), Side(scope="no_norm")
_SAM, _SAM_ON = Side(variants=("sam",)), Side(variants=("sam",), scope="norm_only")
_ASAM = Side(variants=("elementwise_l2_orig",))


def _masked(mask: str, sparse: bool | None = None) -> Side:
    return Side(variants=("sam",), mask=mask, sparse=sparse)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        key="sam-beats-sgd",
        text="SAM reaches a higher test accuracy than SGD.",
        source="ASAM Tables 2 and 3, SAM-ON Tables 1 and 11",
        terms=_ahead(_SAM, _PLAIN),
        family="resnet",
        noise=False,
        beside=("asam", 2, None),
        figure=("sam-on", 1),
    ),
    Claim(
        key="asam-beats-sam",
        text="ASAM generally surpasses SGD and SAM: here, ASAM against SAM.",
        source="ASAM section 5.2, Tables 2 and 3",
        terms=_ahead(_ASAM, _SAM),
        noise=False,
        beside=("asam", 2, None),
        preset="asam",
    ),
    Claim(
        key="sam-noise",
        text="With wrong train labels, SAM keeps a higher test accuracy than SGD.",
        source="ASAM section 5.4, Table 6",
        terms=_ahead(_SAM, _PLAIN),
        noise=True,
        beside=("asam", 6, None),
        preset="asam_noise",
    ),
    Claim(
        key="asam-noise",
        text="ASAM generally enhances the test accuracy across various noise levels: here, against SAM.",
        source="ASAM section 5.4, Table 6",
        terms=_ahead(_ASAM, _SAM),
        noise=True,
        beside=("asam", 6, None),
        preset="asam_noise",
    ),
    Claim(
        key="asam-p",
        text="For ASAM, p = 2 shows better test accuracies than p = ∞.",
        source="ASAM section 5.2, Fig. 4",
        terms=_ahead(_ASAM, Side(variants=("elementwise_linf",))),
        beside=("asam", 2, None),
        figure=("asam", 4),
    ),
    Claim(
        key="asam-bias",
        text="Bias normalization does not contribute to ASAM's test accuracy.",
        source="ASAM section 5.2, Fig. 4",
        terms=_ahead(Side(variants=("elementwise_l2",)), _ASAM),
        expects="no gain",
        beside=("asam", 2, None),
        figure=("asam", 4),
    ),
    Claim(
        key="asam-filterwise",
        text="Elementwise and filterwise ASAM reach comparable test accuracies.",
        source="ASAM section 5.2, Fig. 4",
        terms=_ahead(_ASAM, Side(variants=("filterwise_l2",))),
        expects="level",
        beside=("asam", 2, None),
        figure=("asam", 4),
    ),
    Claim(
        key="asam-correlation",
        text="Adaptive sharpness has a stronger rank correlation with the generalization gap than sharpness.",
        source="ASAM section 3, Table 1, Fig. 2",
        crosses="networks",
        needs="a grid of trained networks with the sharpness of each",
        figure=("asam", 2),
    ),
    Claim(
        key="on-beats-all-batchnorm",
        text="SAM-ON outperforms SAM-all for networks with BatchNorm, in every variant on average.",
        source="SAM-ON section 4.1, Tables 1 and 11, Fig. 1",
        terms=_ahead(_ON, _ALL),
        family="resnet",
        beside=("sam-on", 11, None),
        figure=("sam-on", 1),
    ),
    Claim(
        key="on-beats-all-layernorm",
        text="SAM-ON outperforms SAM-all for Vision Transformers, which have LayerNorm, by a clear margin.",
        source="SAM-ON section 4.2, Table 3, Fig. 2",
        terms=_ahead(_ON, _ALL),
        family="vit",
        beside=("sam-on", 3, None),
        figure=("sam-on", 2),
    ),
    Claim(
        key="no-norm-loses",
        text="Leaving the norm layers out (no-norm) significantly decreases performance for elementwise l2 variants.",
        source="SAM-ON sections 4.1 and 4.2, Figs. 1 and 2",
        terms=_ahead(
            Side(variants=_ELEMENTWISE_L2, scope="no_norm"),
            Side(variants=_ELEMENTWISE_L2),
        ),
        expects="less",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 6),
    ),
    Claim(
        key="no-norm-keeps",
        text="For all other variants, no-norm maintains a performance similar to SAM-all.",
        source="SAM-ON section 4.1, Fig. 1",
        terms=_ahead(Side(variants=_OTHERS, scope="no_norm"), Side(variants=_OTHERS)),
        expects="level",
        family="resnet",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 6),
    ),
    Claim(
        key="on-wants-larger-rho",
        text="But for elementwise l2, the best radius of SAM-ON is larger than that of SAM-all.",
        source="SAM-ON appendix B.2, Table 8",
        terms=_ahead(Side(variants=_OTHERS, scope="norm_only"), Side(variants=_OTHERS)),
        crosses="rho",
        beside=("sam-on", 1, "resnet56"),
        figure=("sam-on", 1),
    ),
    Claim(
        key="no-norm-wants-larger-rho",
        text="Where no-norm loses nothing, its best radius shifts towards larger values than that of SAM-all.",
        source="SAM-ON section 4.1, Fig. 1",
        terms=_ahead(Side(variants=_OTHERS, scope="no_norm"), Side(variants=_OTHERS)),
        crosses="rho",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 1),
    ),
    Claim(
        key="on-is-cheaper",
        text="SAM-ON takes less time an epoch than SAM-all.",
        source="SAM-ON section 4.3, Table 5",
        terms=_ahead(_ON, _ALL),
        measure="seconds",
        expects="less",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 4),
    ),
    Claim(
        key="smaller-m",
        text="Lower values of m lead to better performance within a batch size.",
        source="SAM-ON section 4.1, Fig. 3 right",
        terms=((1, _ALL), (-1, _ALL)),
        crosses="m",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 3),
    ),
    Claim(
        key="on-beats-random",
        text="A random mask of SAM-ON's sparsity performs poorly: SAM-ON is ahead of it.",
        source="SAM-ON section 5.1, Table 6, Fig. 3 left",
        terms=_ahead(_SAM_ON, _masked("random")),
        beside=("sam-on", 6, None),
        figure=("sam-on", 3),
    ),
    Claim(
        key="on-beats-fisher-mask",
        text="SSAM-F is less effective than SAM-ON.",
        source="SAM-ON section 5.1, Table 6, Fig. 3 left",
        terms=_ahead(_SAM_ON, _masked("fisher")),
        beside=("sam-on", 6, None),
        figure=("sam-on", 3),
    ),
    Claim(
        key="on-beats-dynamic-mask",
        text="SSAM-D is less effective than SAM-ON.",
        source="SAM-ON appendix B.3, Table 12, Fig. 9",
        terms=_ahead(_SAM_ON, _masked("dynamic")),
        beside=("sam-on", 12, None),
        figure=("sam-on", 9),
    ),
    Claim(
        key="fisher-mask-beats-sam",
        text="At medium sparsity, SSAM-F can perform on par with SAM-all or outperform it.",
        source="SAM-ON section 5.1, Table 6",
        terms=_ahead(_SAM, _masked("fisher", sparse=False)),
        expects="no gain",
        beside=("sam-on", 6, None),
        figure=("sam-on", 3),
    ),
    Claim(
        key="on-is-sharper",
        text="SAM-ON's networks are sharper than SAM-all's, by adaptive l-infinity sharpness.",
        source="SAM-ON section 5.2 and appendix D, Tables 7 and 14",
        terms=_ahead(_ON, _ALL),
        measure="sharpness",
        beside=("sam-on", 7, None),
        figure=("sam-on", 4),
        needs="the sharpness of trained networks: ask for it on the Sharpness page",
    ),
    Claim(
        key="on-raises-gamma",
        text="SAM-ON shifts the distribution of γ towards larger values than SAM-all (but for elementwise l2).",
        source="SAM-ON section 5.3 and appendix B.2, Figs. 4 and 8",
        terms=_ahead(
            Side(variants=("sam", "elementwise_linf", "layerwise_l2"), scope="norm_only"),
            Side(variants=("sam", "elementwise_linf", "layerwise_l2")),
        ),
        measure="gamma_mean",
        family="resnet",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 4),
    ),
    Claim(
        key="late-ascent",
        text="SAM shows its largest gains over SGD in the later epochs: made only late, it gains more than only early.",
        source="SAM-ON section 5.4, Fig. 5",
        terms=_ahead(Side(variants=("sam",), window="late"), Side(variants=("sam",), window="early")),
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 5),
    ),
    Claim(
        key="on-needs-time",
        text="The improvement of SAM-ON over SAM-all shrinks, the later training switches to them from SGD.",
        source="SAM-ON section 5.4, Fig. 5 left",
        terms=(
            (1, _SAM_ON),
            (-1, _SAM),
            (-1, Side(variants=("sam",), scope="norm_only", window="late")),
            (1, Side(variants=("sam",), window="late")),
        ),
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 5),
    ),
    Claim(
        key="fix-norm",
        text="Fixing γ = 1 and β = 0 does not lead to a decrease in the performance of SAM.",
        source="SAM-ON appendix B.4, Fig. 10",
        terms=_ahead(_SAM, Side(variants=("sam",), trained="fix_norm")),
        expects="no gain",
        beside=("sam-on", 1, "wrn28_10"),
        figure=("sam-on", 10),
    ),
    Claim(
        key="only-norm-trained",
        text="SAM still aids generalization when only the BatchNorm layers are trained.",
        source="SAM-ON appendix B.5, Table 13",
        terms=_ahead(
            Side(variants=("sam",), trained="norm_only"),
            Side(variants=(None,), trained="norm_only"),
        ),
        family="resnet",
        beside=("sam-on", 13, None),
        needs="a comparison whose arms train γ and β only",
    ),
    Claim(
        key="imagenet",
        text="ASAM beats SGD and SAM on ImageNet, and SAM-ON is competitive there.",
        source="ASAM Table 4, SAM-ON Tables 2 and 4",
        needs="ImageNet, which samviz does not train on",
    ),
    Claim(
        key="translation",
        text="ASAM improves the BLEU score of a Transformer trained with Adam.",
        source="ASAM section 5.3, Table 5",
        needs="IWSLT'14 and a translation network, which samviz does not train",
    ),
)
