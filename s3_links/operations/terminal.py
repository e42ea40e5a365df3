"""The summary in a terminal: the same Markdown, with its tables set so that no name is cut off."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any, ClassVar

from rich import box
from rich.console import Console
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Iterator

_WIDEST = 100
"""Lines that are longer are hard to read, however wide the terminal is."""
_COLUMNS = {"who": 4, "may": 5, "on": 5, "by": 3}
"""The columns of access beside each other, and how they share the width."""


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
            table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, padding=(0, 1, 0, 0))
            for name, share in _COLUMNS.items():
                table.add_column(name, ratio=share, overflow="fold")
            for row in together:
                if row["only if"].plain:
                    row["on"] = Text("\nonly if ").join([row["on"], row["only if"]])
                table.add_row(*(row[name] for name in _COLUMNS))
            yield table


class _Summary(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {
        **Markdown.elements,
        "table_open": _AccessTable,
    }
