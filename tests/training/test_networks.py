"""The networks: sizes from the literature, weights from the seed alone, a step of SAM in each scope, and one's own."""

import sys
from collections.abc import Callable, Iterator
from math import isfinite
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from samviz.optim import SAM, select
from samviz.spec import NETWORKS, SCOPES
from samviz.training import build
from samviz.training.networks import SIZE
from tests.bench.networks import counted, table

NORM_LAYERS = (nn.BatchNorm2d, nn.LayerNorm)


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    """Batches of two are too small to share: threads that wait for each other took seven times as long when busy."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="module", params=NETWORKS)
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(scope="module")
def network(name: str) -> nn.Module:
    """One network at a time, for all tests that leave its weights as they are."""
    return build(name, 10, seed=0).to(memory_format=torch.channels_last)


def images(n: int) -> Tensor:
    x = torch.randn(n, *SIZE, generator=torch.Generator().manual_seed(0))
    return x.contiguous(memory_format=torch.channels_last)


def test_the_table_says_what_is_counted(name: str, network: nn.Module) -> None:
    said = NETWORKS[name]
    assert counted(network) == {
        "parameters": said.parameters,
        "norm_parameters": said.norm_parameters,
        "flops": said.flops,
    }


def test_every_norm_layer_has_a_trainable_gamma_of_one_and_beta_of_zero(network: nn.Module) -> None:
    layers = [m for m in network.modules() if isinstance(m, NORM_LAYERS)]
    assert all(torch.equal(layer.weight, torch.ones_like(layer.weight)) for layer in layers)
    assert all(torch.equal(layer.bias, torch.zeros_like(layer.bias)) for layer in layers)
    assert len(select(network, "norm_only")) == 2 * len(layers) > 0
    assert all(w.requires_grad for w in network.parameters())


def test_convolutions_start_as_in_he_et_al_by_fan_out(name: str, network: nn.Module) -> None:
    if NETWORKS[name].family == "vit":
        assert float(network.layers[0].self_attn.in_proj_weight.detach().std()) == pytest.approx(0.02, rel=0.02)
        assert not torch.equal(network.layers[0].linear1.weight, network.layers[1].linear1.weight)
        return
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d) and layer.weight.numel() > 10_000:
            expected = (2 / (layer.out_channels * layer.kernel_size[0] ** 2)) ** 0.5
            assert float(layer.weight.detach().std()) == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("scope", SCOPES)
def test_a_step_of_sam_perturbs_what_the_scope_names_and_comes_back(network: nn.Module, scope: str) -> None:
    network.train()
    norm = {
        f"{place}.{w}"
        for place, layer in network.named_modules()
        if isinstance(layer, NORM_LAYERS)
        for w in ("weight", "bias")
    }
    start = {w: value.detach().clone() for w, value in network.named_parameters()}
    x, y = images(2), torch.tensor([0, 1])
    moved: list[set[str]] = []

    def closure() -> Tensor:
        moved.append({w for w, value in network.named_parameters() if not torch.equal(value, start[w])})
        return cross_entropy(network(x), y)

    loss = SAM(network, torch.optim.SGD(network.parameters(), lr=0.0), scope=scope, rho=0.5).step(closure)
    assert isfinite(loss)
    assert moved == [set(), {"all": set(start), "norm_only": norm, "no_norm": set(start) - norm}[scope]]
    assert all(torch.equal(value, start[w]) for w, value in network.named_parameters())


def test_bf16_autocast_gives_nearly_the_same_logits(network: nn.Module) -> None:
    network.eval()
    with torch.inference_mode():
        exact = network(images(2))
        with torch.autocast("cpu", torch.bfloat16):
            rounded = network(images(2))
    assert rounded.dtype == torch.bfloat16
    assert float((rounded - exact).abs().max()) < 0.1 * float(exact.abs().max())


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_tells_any_number_of_classes_apart(name: str) -> None:
    with torch.inference_mode():
        assert build(name, 3, seed=0).eval()(images(1)).shape == (1, 3)


# By hand: 3x3 convolutions, projections, gamma and beta, then the linear layer.
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("resnet8", 9 * (3 * 16 + 2 * 16**2 + 16 * 32 + 32**2 + 32 * 64 + 64**2) + 16 * 32 + 32 * 64 + 2 * 336 + 650),
        ("resnet9", 9 * (3 * 64 + 64 * 128 + 2 * 128**2 + 128 * 256 + 256 * 512 + 2 * 512**2) + 2 * 2240 + 5120),
        (
            "wrn16_4",
            9 * (3 * 16 + 16 * 64 + 3 * 64**2 + 64 * 128 + 3 * 128**2 + 128 * 256 + 3 * 256**2)
            + (16 * 64 + 64 * 128 + 128 * 256)
            + 2 * (16 + 4 * 64 + 4 * 128 + 4 * 256)
            + 2570,
        ),
        (
            "vgg19_bn",
            9 * (3 * 64 + 64**2 + 64 * 128 + 128**2 + 128 * 256 + 3 * 256**2 + 256 * 512 + 7 * 512**2)
            + 2 * (2 * 64 + 2 * 128 + 4 * 256 + 8 * 512)
            + 5130,
        ),
        # 12 layers: queries, keys, values, their projection, the MLP, two LayerNorms; then the patches, the token,
        # 65 positions, the last LayerNorm and the linear layer.
        ("vit_t", 12 * (12 * 192**2 + 13 * 192) + (49 + 1 + 65 + 2 + 10) * 192 + 10),
        ("vit_s", 12 * (12 * 384**2 + 13 * 384) + (49 + 1 + 65 + 2 + 10) * 384 + 10),
    ],
)
def test_a_network_has_the_size_that_its_widths_give(name: str, parameters: int) -> None:
    assert NETWORKS[name].parameters == parameters


@pytest.mark.parametrize(
    ("name", "left_out", "millions"),
    [
        # He et al. 2016, Table 6, whose shortcuts (option A) have no parameters: less two projections and their norms.
        ("resnet20", 16 * 32 + 32 * 64 + 2 * 96, "0.27"),
        ("resnet32", 16 * 32 + 32 * 64 + 2 * 96, "0.46"),
        ("resnet56", 16 * 32 + 32 * 64 + 2 * 96, "0.85"),
        ("wrn28_2", 0, "1.5"),  # Berthelot et al. 2019 (MixMatch), section 4
        ("wrn28_10", 0, "36.5"),  # Zagoruyko & Komodakis 2016
        ("pyramidnet272", NETWORKS["pyramidnet272"].norm_parameters, "26.0"),  # Han et al. 2017, without norm layers
        ("vgg19_bn", -(2 * 64 + 2 * 128 + 4 * 256 + 8 * 512), "20.04"),  # bearpaw/pytorch-classification, with biases
        # kuangliu/pytorch-cifar
        ("resnet18", 0, "11.173962"),
        ("densenet121", 0, "6.956298"),
        # pytorchcv's own table
        ("resnext29_32x4d", 0, "4.775754"),
        ("pyramidnet272", 0, "26.210842"),
    ],
)
def test_a_network_has_the_size_of_the_literature(name: str, left_out: int, millions: str) -> None:
    digits = len(millions.partition(".")[2])
    assert f"{(NETWORKS[name].parameters - left_out) / 1e6:.{digits}f}" == millions


@pytest.mark.parametrize(
    ("name", "multiply_adds"),
    # pytorchcv's table, in millions; it counts norm layers and activations, too: about 1 %.
    [
        ("resnet20", 41.29),
        ("resnet56", 127.06),
        ("resnext29_32x4d", 780.55),
        ("wrn28_10", 5246.98),
        ("pyramidnet272", 4541.36),
    ],
)
def test_a_network_costs_what_the_literature_says(name: str, multiply_adds: float) -> None:
    assert 0.98 * multiply_adds < NETWORKS[name].flops / 2e6 < multiply_adds


def test_the_norm_parameters_are_as_few_as_sam_on_says() -> None:
    assert f"{100 * (1 - NETWORKS['wrn28_10'].norm_share):.2f}" == "99.95"  # SAM-ON Table 6: its sparsity
    # SAM-ON Fig. 3 has 99.93 % for ResNet-18: that is without the norm layers of the three projections.
    resnet18 = NETWORKS["resnet18"]
    assert f"{100 * (1 - resnet18.norm_share):.2f}" == "99.91"
    projections = 2 * (128 + 256 + 512)
    assert f"{100 * (1 - (resnet18.norm_parameters - projections) / resnet18.parameters):.2f}" == "99.93"


def test_the_page_about_networks_shows_the_table() -> None:
    page = Path(__file__).parents[2] / "docs" / "networks.md"
    assert table(NETWORKS) in page.read_text("utf-8")


@pytest.mark.parametrize("name", ["resnet8", "resnet9", "vit_t"])
def test_the_seed_alone_decides_the_weights_and_torch_s_own_state_stays(name: str) -> None:
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    one = build(name, 10, seed=3)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(6)
    two, other = build(name, 10, seed=3), build(name, 10, seed=4)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), two.parameters(), strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(matrices(one), matrices(other), strict=True))


def matrices(network: nn.Module) -> list[Tensor]:
    """The weights that are drawn, and not set to 0 or 1."""
    return [w for w in network.parameters() if w.ndim > 1]


def test_an_unknown_network_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^network must be one of resnet8, .* but it is 'resnet7'\.$"):
        build("resnet7", 10, seed=0)


def linear(classes: int) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Dropout(), nn.Linear(3 * 32 * 32, classes))


@pytest.fixture
def mine(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A module of one's own, where the test puts its function make."""
    module = ModuleType("mypackage.nets")
    monkeypatch.setitem(sys.modules, "mypackage", ModuleType("mypackage"))
    monkeypatch.setitem(sys.modules, "mypackage.nets", module)
    return module


def test_one_s_own_network_is_built_from_the_seed(mine: ModuleType) -> None:
    mine.make = linear
    torch.manual_seed(5)
    state = torch.random.get_rng_state()
    one, two, other = (build("mypackage.nets:make", 7, seed) for seed in (0, 0, 1))
    assert torch.equal(torch.random.get_rng_state(), state)
    assert one.training
    assert one[2].out_features == 7
    assert torch.equal(one[2].weight, two[2].weight)
    assert not torch.equal(one[2].weight, other[2].weight)


def test_one_s_own_network_is_left_as_its_function_made_it(mine: ModuleType) -> None:
    mine.make = lambda classes: nn.Sequential(nn.BatchNorm2d(3), *linear(classes))
    statistics = build("mypackage.nets:make", 10, seed=0)[0]
    assert torch.equal(statistics.running_var, torch.ones(3))
    assert statistics.num_batches_tracked == 0


class Broken(nn.Module):
    """A network that runs on contiguous images only."""

    def forward(self, x: Tensor) -> Tensor:
        return x.view(len(x), -1)[:, :10]


def fails(classes: int) -> nn.Module:
    raise RuntimeError("no luck.\nA second line")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (None, r"module:function of a function that is there, but {} is not: mypackage.nets has no function make\."),
        (fails, r"a function of the number of classes, but {} is not: it raised RuntimeError: no luck\."),
        (lambda: None, r"a function of the number of classes, but {} is not: it raised TypeError: .*\."),
        (lambda classes: [linear(classes)], r"a function that returns a torch.nn.Module, but {} is not: .* list\."),
        (lambda classes: linear(classes + 1), r"a network that turns images \(2, 3, 32, 32\) into .* gave \(2, 11\)\."),
        (
            lambda classes: nn.Linear(3, 10),
            r"a network that turns .* logits \(2, 10\), .* it raised RuntimeError: .*\.",
        ),
        (lambda classes: Broken(), r"a network that turns .*, but {} is not: it raised RuntimeError: view size .*\."),
        (lambda classes: nn.Sequential(nn.Flatten(2), nn.RNN(1024, 5)), r"a network that turns .* it gave tuple\."),
    ],
)
def test_what_is_no_network_is_refused_in_one_sentence(
    mine: ModuleType, make: Callable[[int], nn.Module] | None, message: str
) -> None:
    mine.make = make
    with pytest.raises(ValueError, match="^network must be " + message.format("'mypackage.nets:make'") + "$"):
        build("mypackage.nets:make", 10, seed=0)


def test_a_module_that_cannot_be_imported_is_refused_in_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "of_a_test.py").write_text("import torch\n1 / 0\n")
    for name, reason in {
        "nowhere.to_be_found:make": "ModuleNotFoundError: No module named 'nowhere'",
        "of_a_test:make": "ZeroDivisionError: division by zero",
    }.items():
        with pytest.raises(ValueError, match=r"^network must be module:function of a module that can be") as refused:
            build(name, 10, seed=0)
        assert str(refused.value).endswith(f"imported, but {name!r} is not: {reason}.")
