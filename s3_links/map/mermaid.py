"""The map as Mermaid, which GitHub and GitLab draw.

Follows "Flowcharts - Basic Syntax" in Mermaid's documentation. A name is one of anybody's choice:
all but letters, digits and a few signs are written as codes, so that no name ends its label.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .graph import SIGNS, missing_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from .graph import Edge, Graph, Kind

MOST_CHARACTERS, MOST_EDGES = 50_000, 500
"""Mermaid draws nothing larger: ``maxTextSize`` and ``maxEdges`` of its configuration."""

_SHAPES: dict[Kind, tuple[str, str]] = {
    "role": ("([", "])"),
    "user": ("([", "])"),
    "bucket": ("[(", ")]"),
    "key": ("{{", "}}"),
}
_GREEN, _RED = "#1a7f37", "#cf222e"
_PLAIN = frozenset(" .,/*+-_…−→")


def mermaid(graph: Graph) -> str:
    """Return the map as a flowchart: what appears is green, what disappears or misses a half red.

    What disappears or misses a half is dashed too.
    """
    return "\n".join(_lines(graph)) + "\n"


def fits(text: str, graph: Graph) -> bool:
    """Whether Mermaid draws it where nobody has configured more."""
    return len(text) <= MOST_CHARACTERS and len(graph.edges) <= MOST_EDGES


def _lines(graph: Graph) -> Iterator[str]:
    yield "flowchart LR"
    numbers = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    for number, account in enumerate(graph.accounts):
        id_ = f" {account.id}" if account.id else ""
        yield f'  subgraph a{number}["{_escaped(account.name + id_)}"]'
        yield from (f"    {line}" for line in _nodes(graph, numbers, account.name))
        yield "  end"
    yield from (f"  {line}" for line in _nodes(graph, numbers, ""))
    styles: dict[str, list[str]] = {}
    for number, edge in enumerate(graph.edges):
        words = "<br/>".join(_escaped(line) for line in _words(edge))
        yield f'  {numbers[edge.source]} -->|"{words}"| {numbers[edge.target]}'
        if style := _style(edge):
            styles.setdefault(style, []).append(str(number))
    for style, edges in styles.items():
        yield f"  linkStyle {','.join(edges)} {style}"


def _nodes(graph: Graph, numbers: dict[str, str], account: str) -> Iterator[str]:
    for node in graph.nodes:
        if node.account == account:
            before, after = _SHAPES.get(node.kind, ("[", "]"))
            kind = "" if node.kind in ("service", "public", "other") else f"{node.kind} "
            yield f'{numbers[node.id]}{before}"{_escaped(kind + node.name)}"{after}'


def _words(edge: Edge) -> list[str]:
    missing = [missing_words(edge.missing)] if edge.missing else []
    return [SIGNS[edge.state] + line for line in (*edge.labels, *missing)]


def _style(edge: Edge) -> str:
    if edge.missing or edge.state == "disappears":
        return f"stroke:{_RED},stroke-width:2px,stroke-dasharray:6 4"
    return f"stroke:{_GREEN},stroke-width:2px" if edge.state == "appears" else ""


def _escaped(words: str) -> str:
    return "".join(c if c.isalnum() or c in _PLAIN else f"#{ord(c)};" for c in words)
