"""The report: tables that a person reads at a glance, and the same as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from s3_cross_account.aws_cli import WITHOUT_TAGS

from .access import SHORT, differences

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .access import Cell
    from .article import Step
    from .aws_cli import AwsCli


_SIGN = {True: "✓", False: "·"}
LEGEND = (
    "In each cell what is promised, then what was found: ✓ let in, · refused. Blank is not asked: "
    "here a root user stands in for EC2, which AWS would not let it. parts: multipart upload."
)


def tables(cells: Sequence[Cell]) -> Iterable[Table]:
    """Return the answers, what was promised marked beside whatever differs from it."""
    copies = [cell for cell in cells if cell.what == "copy"]
    assumed = [cell for cell in cells if cell.what == "assume"]
    verbs = [cell for cell in cells if cell.what not in ("copy", "assume")]
    yield _table(
        "Who reaches what",
        verbs,
        lambda c: (c.principal, c.target),
        lambda c: SHORT.get(c.what, c.what),
    )
    yield _table(
        "Who copies from bucket to bucket",
        copies,
        lambda c: (c.principal,),
        lambda c: c.target.replace("bucket ", "").replace(" to ", "→"),
    )
    yield _table("Who may assume whom", assumed, lambda c: (c.principal,), lambda c: c.target)


def _table(title: str, cells: Sequence[Cell], row: Any, column: Any) -> Table:
    table = Table(title=title, title_justify="left", caption_justify="left", pad_edge=False)
    columns = list(dict.fromkeys(map(column, cells)))
    rows = sorted(set(map(row, cells)))
    answers = {(row(cell), column(cell)): cell for cell in cells}
    for heading in [""] * len(rows[0]) + columns:
        table.add_column(heading, justify="center" if heading else "left", no_wrap=True)
    previous = None
    for labels in rows:
        shown = ["" if labels[0] == previous and i == 0 else x for i, x in enumerate(labels)]
        if previous not in (None, labels[0]) and len(labels) > 1:
            table.add_section()
        previous = labels[0]
        table.add_row(*shown, *(_mark(answers.get((labels, c))) for c in columns))
    return table


def _mark(cell: Cell | None) -> str:
    if cell is None:
        return ""
    color = "bold red" if cell.found != cell.expected else "green" if cell.found else "dim"
    return f"[{color}]{_SIGN[cell.expected]} {_SIGN[cell.found]}[/]"


def steps_table(steps: Sequence[Step], buckets: Mapping[str, str], aws_cli: AwsCli) -> Table:
    """Return what the instances ran, with the labels of ``buckets`` in place of their names."""
    title = f"The article's last step, on the instances, with AWS CLI {aws_cli.version}"
    table = Table(title=title, title_justify="left", caption_justify="left")
    if aws_cli.old:
        table.caption = (
            f"Without{WITHOUT_TAGS}, which version 1 does not know. Amazon Linux 2023 has version "
            "2: where this machine has it as well, it runs here."
        )
    for heading in ("instance", "command", "result"):
        table.add_column(heading, overflow="fold")
    for step in steps:
        color = "green" if step.found == step.expected else "bold red"
        command = step.command
        for label, name in buckets.items():
            command = command.replace(name, label.replace(" ", ""))
        table.add_row(step.instance, command, f"[{color}]{step.detail}[/]")
    return table


def problems(
    cells: Sequence[Cell], steps: Sequence[Step], diff: str, left: Sequence[str]
) -> list[str]:
    """Return whatever is not as the patterns promise."""
    return [
        *(f"{c.principal}, {c.what}, {c.target}" for c in differences(cells)),
        *(f"{s.instance}: {s.command}: {s.detail}" for s in steps if s.found != s.expected),
        *(["cdktf diff shows changes"] if diff != "No changes." else []),
        *(f"{thing} is left" for thing in left),
    ]


def as_json(
    cells: Sequence[Cell], steps: Sequence[Step], aws_cli: AwsCli, diff: str, left: Sequence[str]
) -> str:
    """Return everything for machines."""
    return json.dumps(
        {
            "access": [asdict(cell) for cell in cells],
            "aws_cli": aws_cli.version,
            "steps": [asdict(step) for step in steps],
            "diff_after_deploy": diff,
            "left_after_destroy": list(left),
        },
        indent=2,
    )
