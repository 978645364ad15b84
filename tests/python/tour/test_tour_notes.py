"""The snippets of the tour: the same as the examples, and run for real."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

import rgrad
from rgrad.tour.notes import SNIPPETS, Snippet
from rgrad.tour.replay import Replay

EXAMPLES = Path(__file__).parents[3] / "examples"


@pytest.mark.parametrize("snippet", SNIPPETS, ids=lambda snippet: snippet.title)
def test_every_snippet_is_in_an_example(snippet: Snippet) -> None:
    code = snippet.code.removeprefix("import rgrad as torch\n\n")
    assert any(code in path.read_text(encoding="utf-8") for path in EXAMPLES.glob("*.py"))


def test_snippets_build_on_each_other() -> None:
    rgrad.manual_seed(0)
    replay = Replay()
    printed = [replay.run(snippet) for snippet in SNIPPETS]
    assert printed[0] == ""
    assert printed[3] == "True\nFalse\n"
    assert printed[4] == "False\n"
    assert printed[5].startswith("First call\ntensor([[4., 2., 2., 2., 2.],\n")
    assert printed[6] == ""
    assert sys.stdout is sys.__stdout__ or sys.stdout.writable()


def test_errors_show_the_line_of_the_snippet() -> None:
    import traceback

    broken = Snippet("Section 9", "Broken", "fine = 1\nmissing + fine\n", "")
    with pytest.raises(NameError) as caught:
        Replay().run(broken)
    text = "".join(traceback.format_exception(caught.value))
    assert 'File "section_9.py", line 2' in text
    assert "missing + fine" in text
