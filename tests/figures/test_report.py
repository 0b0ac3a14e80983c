"""The report: everything that the page shows, as one text that asks for nothing, with what people typed as text."""

import argparse
import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from samviz.cli import report as command
from samviz.figures.compare import reference_of, sides_of
from samviz.figures.compare_results import results_section
from samviz.figures.report import report, sections_of
from samviz.runs import Store, open_store
from samviz.spec import Comparison
from tests import stored, synthetic
from tests.figures.test_compare import source

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&amp;"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("SAMVIZ_HOME", str(tmp_path))
    return open_store(tmp_path)


def write(*arguments: str) -> int:
    parser = argparse.ArgumentParser()
    command.add_to(parser.add_subparsers())
    asked = parser.parse_args(["report", *arguments])
    return asked.command(asked)


def test_it_has_verdicts_tables_figures_recipe_and_versions(store: Store, tmp_path: Path) -> None:
    spec = synthetic.comparison(3, 6, name="Reported")
    id = stored.put(store, spec)
    target = tmp_path / "report.html"
    assert write(id, str(target)) == 0
    text = target.read_text("utf-8")
    sides = sides_of([source(spec)])
    for section in sections_of(sides, reference_of(sides)):
        assert f'<section id="{section.name}">' in text
    for sentence in results_section(sides, sides[0], "last").sentences:
        assert f"<li>{sentence}</li>" in text
    assert "&quot;label_noise&quot;: 0.4" in text
    assert "&quot;torch&quot;: &quot;2.13.0&quot;" in text
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL)[1])
    assert len(data["figures"]) == text.count('<div class="plot"') > 20
    assert [arm["label"] for arm in data["arms"]] == ["SGD", "SAM-all", "SAM-ON", "SAM no-norm"]


def test_it_asks_for_nothing_and_what_was_typed_is_text() -> None:
    spec = replace(synthetic.comparison(2, 3), name=HOSTILE)
    one = source(spec)
    one = replace(one, header=replace(one.header, note=HOSTILE))
    sides = sides_of([one, source(replace(spec, name="Other"), "2")])
    text = report(sides, sides[0])
    document = re.sub(r"<script>.*?</script>", "", text, flags=re.DOTALL)  # plotly.js and what draws
    assert "<script>alert" not in text
    assert "<img" not in document
    assert not re.search(r'(src|href)="', document)
    assert text.count("<script") == text.count("</script>") == 3
    assert "default-src 'none'" in text


def test_a_missing_comparison_and_a_folder_are_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(KeyError):
        write("99", str(tmp_path / "report.html"))
    with pytest.raises(ValueError, match=r"^file must be a file in a folder that is there"):
        write("1", str(tmp_path))


def test_one_that_has_not_begun_has_a_report_too(store: Store, tmp_path: Path) -> None:
    spec: Comparison = synthetic.comparison(2, 3)
    id = stored.put(store, spec, reached={0: -1, 1: -1}, ends=dict.fromkeys(spec.seeds, "queued"))
    assert write(id, str(tmp_path / "report.html")) == 0
    assert "no seed has finished with both arms yet" in (tmp_path / "report.html").read_text("utf-8")
