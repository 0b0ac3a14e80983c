"""The app opens fast on a laptop because it never imports torch: sys.modules is asked after a visit to every page."""

import json
import os
import subprocess
import sys
from pathlib import Path

from samviz.runs import open_store
from tests import stored, synthetic

ROOT = Path(__file__).parents[2]

VISIT = """
import json, runpy, sys
from streamlit.testing.v1 import AppTest

runpy.run_path("app.py")
app = AppTest.from_file("samviz/ui/router.py", default_timeout=120).run()
assert not app.exception
pages = sorted(sys.argv[1:])
for page in pages:
    app.switch_page("../../pages/" + page).run()
    assert not app.exception, page
app.query_params["id"] = "1"
app.switch_page("../../pages/lab.py").run()
assert not app.exception
from samviz.ui.live import Cache
from samviz.runs import open_store
Cache(open_store()).page("1")
print(json.dumps(sorted(name for name in sys.modules if name.split(".")[0] == "torch")))
print(json.dumps([title.value for title in app.title]))
"""


def test_no_page_makes_the_app_import_torch(tmp_path: Path) -> None:
    stored.put(open_store(tmp_path), synthetic.comparison(1, 2, name="Stored"))
    pages = [path.name for path in (ROOT / "pages").glob("*.py")]
    assert len(pages) >= 4
    done = subprocess.run(
        [sys.executable, "-c", VISIT, *pages],
        cwd=ROOT,
        env={**os.environ, "SAMVIZ_HOME": str(tmp_path), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    torch, titles = map(json.loads, done.stdout.splitlines()[-2:])
    assert torch == []
    assert titles == ["Stored"]
