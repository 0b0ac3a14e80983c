"""What texts refer to is there: sections, tables, figures and equations of both papers, and pinned versions."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PATTERNS = ("*.md", "docs/*.md", "samviz/**/*.py", "pages/*.py", "tests/**/*.py", "assets/**/*.js", "assets/**/*.toml")
TEXTS = [path for pattern in PATTERNS for path in ROOT.glob(pattern)]


def numbers(last: int) -> set[str]:
    return {str(number) for number in range(1, last + 1)}


THERE = {
    "ASAM": {
        "section": numbers(6) | {f"5.{i}" for i in range(1, 5)},
        "appendix": {"A.1", "B"},  # as the text names them; it ends before
        "Table": numbers(6),
        "Fig": numbers(4),
        "Eq": numbers(7),
    },
    "SAM-ON": {
        "section": numbers(6) | {"3.1", "3.2", "4.1", "4.2", "4.3"} | {f"5.{i}" for i in range(1, 5)},
        "appendix": {*"ABCD", "A.1", "A.2", "A.3"} | {f"B.{i}" for i in range(1, 6)},
        "Table": numbers(14),
        "Fig": numbers(10),
        "Eq": numbers(24),
    },
}
"""What each paper has, by its own headings and captions."""

NUMBER = r"(?:[A-D]\b|\d+)(?:\.\d+)?"
PART = rf"(section|appendix|Table|Fig|Eq)s?\.?\s+({NUMBER}(?:(?:,|\s+and|\s+to)\s+{NUMBER})*)"
PLACE = rf"\b(SAM-ON|ASAM)(?:'s)?((?:[\s(,;]+(?:and\s+|its\s+)?{PART})+)"
"""The name of a paper, and the parts of it that are named right after it."""


def named(text: str) -> list[tuple[str, str, str]]:
    """(paper, kind, number) of all that a text refers to."""
    return [
        (place[1], part[1], number)
        for place in re.finditer(PLACE, text)
        for part in re.finditer(PART, place[2])
        for number in re.findall(NUMBER, part[2])
    ]


def test_the_parts_of_the_papers_are_found_in_a_sentence() -> None:
    text = (
        "SAM-ON (sections 4.1 and 4.2,\nFigs. 1 to 3), and ASAM's Eq. 4; SAM-ON section 3.2 and appendix B.2, Table 8"
    )
    assert named(text) == [
        *(("SAM-ON", "section", number) for number in ("4.1", "4.2")),
        *(("SAM-ON", "Fig", number) for number in ("1", "3")),
        ("ASAM", "Eq", "4"),
        ("SAM-ON", "section", "3.2"),
        ("SAM-ON", "appendix", "B.2"),
        ("SAM-ON", "Table", "8"),
    ]


def test_what_is_cited_of_the_papers_exists() -> None:
    cited = {(path.relative_to(ROOT).as_posix(), *place) for path in TEXTS for place in named(path.read_text("utf-8"))}
    assert len(cited) > 200
    assert not [place for place in cited if place[3] not in THERE[place[1]][place[2]]]


def test_a_version_in_the_texts_is_the_pinned_one() -> None:
    version = re.compile(r"[\w\[\]-]+==[\d.]+\d")
    pinned = {found for path in ROOT.glob("requirements*.txt") for found in version.findall(path.read_text("utf-8"))}
    for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        assert pinned.issuperset(version.findall(path.read_text("utf-8"))), path.name
