"""Access in a terminal: one kind of table, in which no name is cut off.

A summary is the same Markdown as elsewhere, with its tables set so.
"""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from rich.console import Console
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_WIDEST = 100
"""Lines that are longer are hard to read, however wide the terminal is."""
_COLUMNS = ("who", "may", "on", "by")


def table(headings: Sequence[str], rows: Iterable[Sequence[Text]]) -> Table:
    """Return a table of the width that there is: who comes first, by which halves comes last."""
    made = Table(box=None, padding=(0, 2, 1, 0), pad_edge=False, expand=True)
    for number, heading in enumerate(headings):  # the words are in the middle
        ratio = 4 if number in (0, len(headings) - 1) else 5
        made.add_column(heading, overflow="fold", ratio=ratio)
    for row in rows:
        made.add_row(*row)
    return made


def show(markdown: str, console: Console | None = None) -> None:
    """Print a summary."""
    console = console or Console()
    console.print(_Summary(markdown), width=min(console.width, _WIDEST))


class _AccessTable(TableElement):
    """Access by stack: the name on a line of its own, the conditions below what they limit."""

    def __rich_console__(self, *_: Any) -> Iterator[Table | Text]:
        assert self.header is not None
        assert self.header.row is not None
        names = [cell.content.plain for cell in self.header.row.cells]
        body = self.body.rows if self.body is not None else []
        rows = [dict(zip(names, (c.content for c in row.cells), strict=True)) for row in body]
        for stack, together in groupby(rows, key=lambda row: row["stack"].plain):
            yield Text(stack, style="bold")
            yield table(_COLUMNS, map(_cells, together))
            yield Text()


def _cells(row: dict[str, Text]) -> list[Text]:
    if row["only if"].plain:
        row["on"] = Text("\nonly if ").join([row["on"], row["only if"]])
    return [row[name] for name in _COLUMNS]


class _Summary(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": _AccessTable,
    }
