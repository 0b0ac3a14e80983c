"""The guided lesson: eleven saved states of the pages, each with two sentences, an equation and one thing to try.

The numbers in it are those that the page shows in that state; tests/ui/test_lesson.py works each of them out again.
Words in brackets are terms of the glossary.
"""

from dataclasses import dataclass

from samviz.spec import check

LECTURES = ("1", "controls")
"""Ways to show a page to an audience: large type without the settings, or with them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Step:
    """One step: what to look at, and what to see there."""

    title: str
    text: str
    """Two sentences."""
    equation: str
    attempt: str
    """One thing to try, and what comes of it."""
    page: str
    """trajectories, regions, lab or sharpness."""
    query: str
    """The settings, as they stand in the page's address."""


LESSON = (
    Step(
        title="Why sharpness",
        text="Both paths of plain descent end in the [valley], where the loss is zero. But within a [radius] of "
        "ρ = 0.05 the loss rises by 0.0151 around the first end and by 0.0203 around the second, which is the "
        "[sharper] minimum.",
        equation="sharpness = max L(w + ε) − L(w),  ‖ε‖₂ ≤ ρ",
        attempt="Select each path under “What happened”, and read its number in the curve “sharpness in SAM's sphere”.",
        page="trajectories",
        query="starts=0.1,0.1;0.4,0.05&variants=sgd",
    ),
    Step(
        title="One step of SAM",
        text="At w = (0.2, 0.05) the loss is 0.03, and a step [ε] of length ρ = 0.05 along the gradient climbs to "
        "w + ε = (0.1879, 0.001493), where it is 0.03972. Then SAM goes back to w and descends with the gradient that "
        "it found up there.",
        equation="ε = ρ g / ‖g‖₂,  w ← w − α ∇L(w + ε)",
        attempt="Press → for the descent, the second half of this step, and Shift → for ten steps.",
        page="trajectories",
        query="starts=0.2,0.05&variants=sam&at=0",
    ),
    Step(
        title="The dead zone",
        text="From w = (0.3, 0.033) the same [ρ] leads to w + ε = (0.2945, −0.0167), into the [dead half-plane], where "
        "the gradient is (0, 0). So SAM does not move at all, in 5000 steps.",
        equation="w₂ + ε₂ ≤ 0  ⇒  ∇L(w + ε) = 0",
        attempt="Set “ρ SAM” to 0.03: now w + ε stays above the line w₂ = 0, and SAM reaches the valley.",
        page="trajectories",
        query="starts=0.3,0.033&variants=sam&at=0",
    ),
    Step(
        title="Rescaling",
        text="A = diag(3, 1/3) multiplies w₁ by 3 and divides w₂ by 3: the product is the same, and so is the loss. "
        "But the largest loss in a [sphere] of radius 0.5 is 1.792107 around w and 2.514558 around Aw.",
        equation="L(Aw) = L(w),  A = diag(a, 1/a)",
        attempt="Move the slider “rescale a”, and watch the row of the sphere.",
        page="regions",
        query="a=3",
    ),
    Step(
        title="Sphere against ellipsoid",
        text="Around w = (1, 1) sphere and [ellipsoid] are the same circle, and both find 1.792107. Around Aw = "
        "(2, 0.5) the ellipsoid has been rescaled like the weights and finds 1.792107 again, and the sphere 2.068167.",
        equation="‖ε‖₂ ≤ ρ against ‖T⁻¹ε‖₂ ≤ ρ,  T = diag(|w₁|, |w₂|)",
        attempt="Drag w to other places: for cuboid and ellipsoid the rescaling goes on changing nothing.",
        page="regions",
        query="a=2",
    ),
    Step(
        title="ASAM",
        text="ASAM climbs in the ellipsoid: with [η] = 0 its ε is along w, and w + ε keeps the signs of w while "
        "ρ < √2. With ρ = 0.5 it reaches the valley from both starts, at (0.250, 0.159) and (0.323, 0.124), and stays "
        "there, while SAM slides on to (0.200, 0.199) or is stuck.",
        equation="ε = ρ T²g / ‖T g‖₂  ⇒  w + ε = (1 ± ρ/√2) w",
        attempt="Set “ρ ASAM” to 1.5, which is more than √2: now ASAM is stuck too, from both starts.",
        page="trajectories",
        query="variants=sam,elementwise_l2",
    ),
    Step(
        title="The price of η",
        text="Where a weight is 0, [T] = |w| would not perturb it, so the [stabilizer η] is added. The price is the "
        "invariance: with η = 0.2 the ellipsoid finds 1.988528 around w and 2.126026 around Aw.",
        equation="T = diag(|w₁| + η, |w₂| + η)",
        attempt="Set the η of the ellipsoid to 0.01, the value that ASAM uses: the difference falls to 0.006417.",
        page="regions",
        query="a=3&eta.ellipsoid=0.2",
    ),
    Step(
        title="A large learning rate drifts on its own",
        text="This is plain descent with a learning rate of 0.05: it swings across the valley, and the swing slides "
        "along it, to (0.201, 0.201) and (0.200, 0.200). SAM ends there as well, so that a path which ends at "
        "w₁ = w₂ alone does not show what [sharpness] does.",
        equation="w ← w − α ∇L(w),  α = 0.05",
        attempt="Set the learning rate to 0.003: each path stays near where it reached the valley, "
        "at (0.251, 0.159) and (0.323, 0.124).",
        page="trajectories",
        query="variants=sgd&lr=0.05",
    ),
    Step(
        title="From the toy to a network",
        text="The same two halves of a step train networks: here a ResNet-8 on 2000 images, 40 % of them with a wrong "
        "label. After 30 epochs SGD has a test accuracy of 30.9 % and a [generalization gap] of 55.0 points, SAM-all "
        "39.2 % and 13.1 points.",
        equation="ε = ρ g / ‖g‖₂,  w ← w − α ∇L(w + ε), in each batch",
        attempt="Hide and show SGD by its button above the curves, and compare train and test accuracy.",
        page="lab",
        query="id=example",
    ),
    Step(
        title="SAM-ON",
        text="[SAM-ON] perturbs [γ and β] of the normalization layers alone, 0.861 % of this network's parameters, and "
        "the mean γ ends at 0.932 instead of SAM-all's 0.900. Its 38.0 % are above SGD and below SAM-all here; in the "
        "paper, in runs of 200 epochs without wrong labels, it is ahead of both on average.",
        equation="ε = ρ g / ‖g‖₂ over γ and β,  ε = 0 elsewhere",
        attempt="Move the slider below the histograms, and see γ spread over the epochs.",
        page="lab",
        query="id=example",
    ),
    Step(
        title="A trained network, rescaled",
        text="Each convolution of this trained network is multiplied by a, from 0.01 to 100, and its BatchNorm takes a "
        "back: no logit changes by more than rounding. The [sharpness] in the [sphere] changes by a factor of more "
        "than ten million, in [ellipsoid] and [cuboid] by less than one in a thousand.",
        equation="BN(a W∗x) = BN(W∗x)  ⇒  L(Aw) = L(w)",
        attempt="Move the slider to its left end, and read the row of the sphere beside that of the ellipsoid.",
        page="sharpness",
        query="id=example",
    ),
)


def address(number: int, lecture: str = "") -> str:
    """Where step `number` (from 1) is seen, e.g. /regions?a=3&lesson=4; `lecture` is "" or one of LECTURES."""
    step = LESSON[number - 1]
    return f"/{step.page}?{step.query}&lesson={number}" + (f"&lecture={lecture}" if lecture else "")


def parse_lesson(text: str) -> int:
    """Read the number of a step from an address; raises ValueError with the text if it is none."""
    try:
        value = int(text)
    except ValueError:
        value = text
    return check.integer("lesson", value, 1, len(LESSON))


def parse_lecture(text: str) -> str:
    """Read how an audience is shown the page from an address; "0" is not at all. Raises ValueError for other texts."""
    chosen = check.choice("lecture", text, ("0", *LECTURES))
    return "" if chosen == "0" else chosen
