"""samviz.optim is for other people's training code: it needs torch and the standard library, nothing else."""

import subprocess
import sys

SCRIPT = """
import sys, torch
before = set(sys.modules)
import samviz.optim
tops = {name.split(".")[0] for name in set(sys.modules) - before}
print(*sorted(tops - set(sys.stdlib_module_names) - {"torch"}))
"""


def test_the_optimizer_imports_with_torch_alone() -> None:
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["samviz"]


def test_no_file_of_the_optimizer_names_numpy() -> None:
    """torch itself brings NumPy along where it is installed, so that the list above cannot show it."""
    script = "import sys; sys.modules['numpy'] = None; import samviz.optim; print(samviz.optim.SAM.__name__)"
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "SAM"
