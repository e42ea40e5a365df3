"""The map of stacks: of what is declared, or of what their plans make appear and disappear."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal

from s3_links.declarations.files import write
from s3_links.map.drawing import DrawingError, page, svg
from s3_links.map.mermaid import MOST_CHARACTERS, MOST_EDGES, fits, mermaid

from .access import Access, Stated, difference
from .graphs import graph
from .joined import beside
from .moments import Moments
from .stack import OperationError, Stack
from .summary import Summary, to_merge

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from s3_links.map.graph import Graph

    from .joined import Beside

Format = Literal["mermaid", "svg", "html"]
_FORMATS: dict[str, Format] = {".svg": "svg", ".html": "html", ".htm": "html"}


def declared(stacks: Iterable[Stack]) -> list[Summary]:
    """Return the access of synthesized stacks, as what stays."""
    stacks = list(stacks)
    others = beside(stacks)
    return [_declared(stack, others.get(stack.name)) for stack in stacks]


def _declared(stack: Stack, others: Beside | None) -> Summary:
    moments = Moments.of_declared(stack.content, others)
    found = difference(moments)
    return Summary(
        stack=stack.name,
        changes=[],
        appears=[],
        disappears=[],
        to_merge=to_merge(stack.content),
        undecided=found.undecided,
        stays=found.appears,
        accounts=moments.accounts,
    )


def planned(file: Path, names: Sequence[str] = ()) -> list[Summary]:
    """Return the summaries in a ``summary.json``, all of them or those of some stacks."""
    try:
        stacks = json.loads(file.read_text(encoding="utf-8"))["stacks"]
        found = {values["stack"]: _summary(values) for values in stacks}
    except (OSError, ValueError, KeyError, TypeError):
        raise OperationError(f"{file}: holds no summary: run `s3-links plan` first") from None
    if unknown := [name for name in names if name not in found]:
        told = f"there is no {', '.join(unknown)}: choose from {', '.join(found)}"
        raise OperationError(f"{file}: {told}")
    return [found[name] for name in names or found]


def _summary(values: Mapping[str, Any]) -> Summary:
    sides: dict[str, Any] = {
        side: list(map(_access, values[side])) for side in ("appears", "disappears", "stays")
    }
    same = {name: values[name] for name in ("stack", "to_merge", "undecided", "accounts")}
    return Summary(changes=[], **sides, **same)


def _access(values: Mapping[str, Any]) -> Access:
    lists = ("actions", "paths", "conditions", "halves")
    statements = tuple(Stated(**stated) for stated in values["statements"])
    typed = {"who": tuple(values["who"].items()), "statements": statements}
    return Access(**{**values, **{name: tuple(values[name]) for name in lists}, **typed})


def of_changes(summaries: Iterable[Summary]) -> str | None:
    """Return as Mermaid the stacks whose access changes: nothing without any.

    ``None``: Mermaid would not draw it.
    """
    drawn = graph(summary for summary in summaries if summary.appears or summary.disappears)
    text = mermaid(drawn) if drawn.edges else ""
    return text if fits(text, drawn) else None


def format_of(output: Path | None) -> Format:
    """Return the format that a file's name says: Mermaid where it says nothing."""
    return _FORMATS.get(output.suffix.lower(), "mermaid") if output else "mermaid"


def beyond(drawn: Graph, format_: Format) -> str:
    """Return what to say of a map that Mermaid does not draw where nobody has configured more."""
    if format_ != "mermaid" or fits(mermaid(drawn), drawn):
        return ""
    return (
        f"Mermaid draws {MOST_EDGES} edges and {MOST_CHARACTERS} characters at most: name some "
        "links, or take --output map.html"
    )


def draw(drawn: Graph, format_: Format) -> str:
    """Return a map in a format; raise :class:`OperationError` where Node.js cannot draw it."""
    if format_ == "mermaid":
        return mermaid(drawn)
    try:
        return page(drawn) if format_ == "html" else svg(drawn)
    except DrawingError as error:
        raise OperationError(str(error)) from None


def save(output: Path, drawn: str) -> None:
    """Write a map into a file."""
    try:
        write(output, drawn.encode())
    except OSError as error:
        raise OperationError(f"{output}: cannot be written to ({error.strerror})") from None
