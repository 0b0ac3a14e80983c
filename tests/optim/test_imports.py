"""What is for other people's own code needs little: samviz.optim torch alone, samviz.sharpness NumPy as well."""

import subprocess
import sys

import pytest

SCRIPT = """
import sys, numpy.random, torch
before = set(sys.modules)
{}
tops = {{name.split(".")[0] for name in set(sys.modules) - before}}
print(*sorted(tops - set(sys.stdlib_module_names) - {{"numpy", "torch"}}))
"""

MEASURE = """
from samviz.sharpness import Measure, sharpness
network = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 32 * 32, 10))
*_, (found,) = sharpness(network, torch.randn(4, 3, 32, 32), torch.arange(4), [Measure(steps=2)], m=4)
assert found.value > 0
"""


@pytest.mark.parametrize("use", ["import samviz.optim", MEASURE], ids=["optim", "sharpness"])
def test_it_brings_no_other_library_along(use: str) -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT.format(use)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["samviz"]


def test_no_file_of_the_optimizer_names_numpy() -> None:
    """torch itself brings NumPy along where it is installed, so that the list above cannot show it."""
    script = "import sys; sys.modules['numpy'] = None; import samviz.optim; print(samviz.optim.SAM.__name__)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "SAM"
