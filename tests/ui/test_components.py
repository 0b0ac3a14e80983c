"""Browser modules are served by version: kept for good under the right one, asked for again under any other."""

import re

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from samviz.ui.components import ASSETS, Assets, version
from tests.asgi import get

APP = Starlette(routes=[Mount("/assets", Assets())])


def test_a_module_under_its_version_is_kept_for_good() -> None:
    answer = get(APP, f"/assets/{version()}/plane.js")
    assert answer.status == 200
    assert "javascript" in answer.headers["content-type"]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.body == (ASSETS / "plane.js").read_bytes()


@pytest.mark.parametrize("address", ["/assets/plane.js", "/assets/v000000000000/plane.js"])
def test_a_module_under_another_address_is_asked_for_again(address: str) -> None:
    answer = get(APP, address)
    assert answer.status == 200
    assert answer.headers["cache-control"] == "no-cache"
    assert get(APP, address, if_none_match=answer.headers["etag"]).status == 304


@pytest.mark.parametrize("path", ["nothing.js", "../app.py", "%2e%2e/app.py", "v000000000000/../../app.py"])
def test_there_is_nothing_else(path: str) -> None:
    assert get(APP, f"/assets/{path}").status == 404


@pytest.mark.parametrize("module", sorted(ASSETS.glob("*.js")), ids=lambda path: path.name)
def test_modules_import_each_other_by_relative_addresses(module) -> None:
    """So that a neighbor is always of the same version; and every neighbor exists."""
    for name in re.findall(r'^import .*? from "([^"]+)"', module.read_text("utf-8"), re.MULTILINE):
        assert name.startswith("./")
        assert (ASSETS / name).is_file()
