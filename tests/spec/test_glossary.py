"""The glossary: every word marked in a text has a term, and every term one sentence and a source."""

import pytest

from samviz.spec.glossary import BY_WORD, GLOSSARY, Term, pieces


@pytest.mark.parametrize("term", GLOSSARY.values(), ids=lambda term: term.name)
def test_a_term_has_one_sentence_and_a_source(term: Term) -> None:
    assert term.definition.endswith(".")
    assert ". " not in term.definition
    assert term.source.startswith(("ASAM ", "SAM-ON ", "ours"))


def test_no_word_stands_for_two_terms() -> None:
    assert len(BY_WORD) == sum(1 + len(term.words) for term in GLOSSARY.values())


def test_a_text_is_cut_at_its_marked_words() -> None:
    valley = GLOSSARY["valley"]
    assert pieces("To the [valley], at [ρ].") == [
        ("To the ", None),
        ("valley", valley),
        (", at ", None),
        ("ρ", GLOSSARY["radius ρ"]),
        (".", None),
    ]
    assert pieces("Nothing marked.") == [("Nothing marked.", None)]
    with pytest.raises(KeyError):
        pieces("an [unknown] word")
