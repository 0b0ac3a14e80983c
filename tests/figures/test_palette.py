"""The look of an arm: fixed where it is alone of its kind, and never that of another arm of the comparison."""

from itertools import pairwise

from samviz.figures import palette
from samviz.figures.palette import DASHES, Look, looks
from samviz.spec import Arm
from samviz.spec.arm import SCOPES
from samviz.spec.comparison import MOST_ARMS
from samviz.variants import VARIANTS
from tests import synthetic


def test_an_arm_looks_the_same_whatever_it_stands_beside() -> None:
    for variant in VARIANTS:
        for scope in SCOPES:
            arm = Arm(variant=variant, scope=scope, rho=0.1)
            look = Look(palette.color(variant, scope), palette.dash(variant, scope))
            for arms in ((arm,), (Arm(), arm, Arm(variant=variant, scope=scope, rho=0.2))):
                assert looks(arms)[arm.key] == look
    four = looks(synthetic.comparison().arms)
    assert [look.color for look in four.values()] == [palette.SGD, "#0072b2", "#d55e00", "#009e73"]


def test_what_sets_an_arm_apart_shows_also_where_it_is_alone() -> None:
    plain = Arm(variant="sam", rho=0.1)
    others = (
        Arm(variant="sam", rho=0.1, mask="fisher", sparsity=0.9),
        Arm(variant="sam", rho=0.1, first_epoch=3),
        Arm(variant="sam", rho=0.1, trained="fix_norm"),
    )
    own = {looks((arm,))[arm.key] for arm in (plain, *others)}
    assert len(own) == 4
    assert looks((Arm(), Arm(epochs_factor=2)))["sgd:x2"] == looks((Arm(epochs_factor=2),))["sgd:x2"]


def test_no_two_arms_of_a_comparison_look_alike() -> None:
    sweep = tuple(Arm(variant="sam", rho=0.1 * (k + 1)) for k in range(MOST_ARMS))
    mixed = (
        *(Arm(variant="elementwise_l2", scope=scope, rho=rho) for scope in SCOPES for rho in (0.1, 0.2)),
        Arm(variant="elementwise_l2", rho=0.1, first_epoch=3),
        Arm(variant="elementwise_l2", scope="norm_only", rho=0.1, first_epoch=3),
        *(Arm(variant="sam", rho=0.1, mask=mask, sparsity=0.9) for mask in ("fisher", "random")),
        Arm(),
        Arm(trained="norm_only"),
    )
    for arms in (sweep, mixed):
        found = looks(arms)
        assert list(found) == [arm.key for arm in arms]
        assert len(set(found.values())) == len(arms)
        assert {look.dash for look in found.values()} <= set(DASHES)


def test_in_a_sweep_neighbors_differ_in_shade_and_in_dash() -> None:
    found = list(looks(tuple(Arm(variant="sam", rho=0.1 * (k + 1)) for k in range(4))).values())
    for one, other in pairwise(found):
        assert one.color != other.color
        assert one.dash != other.dash
