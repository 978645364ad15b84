"""SVG, DOT and Mermaid: well-formed, complete, and safe with any text."""

from __future__ import annotations

import re
import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from typing import Any

import pytest

import rgrad
from made_graphs import MadeTensor, chain, leaf, operation
from rgrad.graph import Drawing, draw

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = 'a"b\\c<d>&#e\nf]{x}|é\x00'


def notes_loss() -> tuple[Any, dict[str, Any]]:
    x = rgrad.ones(5)
    w = rgrad.randn(5, 3, requires_grad=True)
    b = rgrad.randn(3, requires_grad=True)
    z = rgrad.matmul(x, w) + b
    loss = (z * z).sum()
    return loss, {"w": w, "b": b, "z": z, "loss": loss}


def framed() -> Any:
    return MadeTensor(chain(leaf(2, 3)[0], 24, "MulBackward0", "SinBackward0"))


def hostile() -> tuple[Any, dict[str, Any]]:
    start, variable = leaf(2, 3)
    node = operation(HOSTILE, start, place=(HOSTILE, 3))
    return MadeTensor(node), {HOSTILE: variable}


def texts_of(group: ElementTree.Element) -> list[str]:
    return [text.text or "" for text in group.findall(f"{SVG}text")]


def groups_of(drawing: Drawing) -> list[ElementTree.Element]:
    root = ElementTree.fromstring(drawing.svg())
    return [group for group in root.iter(f"{SVG}g") if group.get("class", "").startswith("item")]


def statements_of(dot: str) -> list[str]:
    """The lines of a DOT text with their quoted strings emptied."""
    return [re.sub(r'"(?:[^"\\]|\\.)*"', '""', line).strip() for line in dot.splitlines() if line]


@pytest.mark.parametrize("view", ["nodes", "variables"])
@pytest.mark.parametrize("fold", [True, False])
def test_svg_shows_every_operation_once(view: Any, fold: bool) -> None:
    loss, names = notes_loss()
    groups = groups_of(draw(loss, names=names, view=view, fold=fold))
    operations = [texts_of(group)[0] for group in groups if "operation" in group.get("class", "")]
    suffix = "Backward0" if view == "nodes" else ""
    assert operations.count(f"Mul{suffix}") == 1
    assert operations.count(f"Sum{suffix}") == 1
    leaves = [texts_of(group)[0] for group in groups if "leaf" in group.get("class", "")]
    assert sorted(leaves) == ["b", "w"]


def test_svg_has_an_arrow_for_every_edge() -> None:
    loss, names = notes_loss()
    root = ElementTree.fromstring(draw(loss, names=names, fold=False).svg())
    arrows = [path for path in root.iter(f"{SVG}path") if path.get("class") == "arrow"]
    edges = 0
    seen: set[Any] = set()
    stack = [loss.grad_fn]
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            below = [nearer for nearer, _ in node.next_functions if nearer is not None]
            edges += len(below)
            stack += below
    leaves_and_output = 3
    assert len(arrows) == edges + leaves_and_output


def test_svg_leaves_the_page_around_it_alone() -> None:
    svg = draw(notes_loss()[0]).svg()
    assert "<style" not in svg
    assert " id=" not in svg


@pytest.mark.parametrize("view", ["nodes", "variables"])
def test_any_text_is_safe(view: Any) -> None:
    tensor, names = hostile()
    drawing = draw(tensor, names=names, view=view)
    ElementTree.fromstring(drawing.svg())
    assert drawing.svg().count("<title>") == len(groups_of(drawing)) + 1
    check_dot(drawing.dot())
    check_mermaid(drawing.mermaid())


def check_dot(dot: str) -> None:
    lines = statements_of(dot)
    assert lines[0] == "digraph autograd {"
    assert lines[-1] == "}"
    depth = 0
    declared: set[str] = set()
    used: set[str] = set()
    for line in lines[1:-1]:
        if line.startswith("subgraph"):
            depth += 1
        elif line == "}":
            depth -= 1
        elif edge := re.fullmatch(r'(n\d+) -> (n\d+)( \[label=""\])?', line):
            used.update(edge.group(1, 2))
        elif node := re.fullmatch(r'(n\d+) \[(\w+=(""|\w+) ?)+\]', line):
            assert node.group(1) not in declared
            declared.add(node.group(1))
        else:
            assert re.fullmatch(r"(graph|node|edge) \[.*\]|label=.*", line), line
    assert depth == 0
    assert used <= declared


def check_mermaid(mermaid: str) -> None:
    lines = mermaid.splitlines()
    assert lines[0] == "flowchart TD"
    text = r'"[^"<>\n]*(?:<br>[^"<>\n]*)*"'
    declared: set[str] = set()
    used: set[str] = set()
    depth = 0
    for line in (line.strip() for line in lines[1:]):
        if re.fullmatch(rf"subgraph s\d+ \[{text}\]", line):
            depth += 1
        elif line == "end":
            depth -= 1
        elif edge := re.fullmatch(rf"(n\d+) -->(?:\|{text}\|)? (n\d+)", line):
            used.update(edge.groups())
        elif node := re.fullmatch(rf"(n\d+)(?:\[{text}\]|\(\[{text}\]\)):::\w+", line):
            assert node.group(1) not in declared
            declared.add(node.group(1))
        else:
            assert line.startswith(("classDef ", "%% ")), line
    assert depth == 0
    assert used <= declared


@pytest.mark.parametrize("view", ["nodes", "variables"])
def test_dot_and_mermaid_are_well_formed(view: Any) -> None:
    loss, names = notes_loss()
    for drawing in (draw(loss, names=names, values=True, view=view), draw(framed(), view=view)):
        check_dot(drawing.dot())
        check_mermaid(drawing.mermaid())


def test_frames_become_clusters_and_subgraphs() -> None:
    drawing = draw(framed())
    assert len(re.findall(r"subgraph cluster_\d+ \{", drawing.dot())) == 1
    assert 'label="×12"' in drawing.dot()
    assert '["×12"]' in drawing.mermaid()
    assert "×12" in drawing.svg()


@pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz is not installed")
@pytest.mark.parametrize("make", [lambda: draw(framed()), lambda: draw(hostile()[0])])
def test_graphviz_accepts_the_dot_text(make: Any) -> None:
    text = make().dot()
    done = subprocess.run(["dot", "-Tplain"], input=text, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("suffix", "beginning"),
    [
        (".svg", "<svg "),
        (".dot", "digraph "),
        (".gv", "digraph "),
        (".mmd", "flowchart "),
        (".mermaid", "flowchart "),
    ],
)
def test_the_suffix_decides_the_format_of_a_file(tmp_path: Path, suffix: str, beginning: str) -> None:
    path = draw(notes_loss()[0]).save(tmp_path / f"graph{suffix}")
    assert path.read_text(encoding="utf-8").startswith(beginning)


def test_an_unknown_suffix_raises(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"graph\.png"):
        draw(notes_loss()[0]).save(tmp_path / "graph.png")


def test_str_follows_the_format_and_notebooks_get_svg() -> None:
    loss, _ = notes_loss()
    assert str(draw(loss)).startswith("<svg ")
    assert str(draw(loss, format="dot")).startswith("digraph ")
    assert str(draw(loss, format="mermaid")).startswith("flowchart ")
    assert draw(loss, format="dot")._repr_svg_().startswith("<svg ")
    assert "<svg " in draw(loss)._repr_html_()


@pytest.mark.parametrize("wrong", [{"view": "edges"}, {"format": "png"}], ids=["view", "format"])
def test_unknown_options_raise(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        draw(notes_loss()[0], **wrong)


def test_nothing_to_draw_raises() -> None:
    with pytest.raises(ValueError, match="at least one"):
        draw([])


def test_several_outputs_are_drawn_together() -> None:
    loss, names = notes_loss()
    groups = groups_of(draw([names["z"], loss], names=names))
    outputs = [texts_of(group)[0] for group in groups if "output" in group.get("class", "")]
    assert sorted(outputs) == ["loss", "z"]


def test_drawing_leaves_the_graph_as_it_is() -> None:
    loss, names = notes_loss()
    draw(loss, names=names, values=True).svg()
    assert names["w"].grad is None
    loss.backward()
    assert names["w"].grad is not None
