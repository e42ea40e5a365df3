"""The summary in a terminal: a table that fits, and cuts off nothing."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from s3_links.operations.markdown import as_markdown
from s3_links.operations.terminal import show
from tests.support.accesses import LISTS, NOTHING, READS

LONG = replace(
    READS,
    principal="role a-role-with-a-name-of-thirty-six-letters (an-account-with-a-long-alias)",
    actions=("s3:ObjectOwnerOverrideToBucketOwner", "s3:GetObjectVersionForReplication"),
    target="bucket reports-of-the-years-before-20261124000000000000000001",
    conditions=("StringEquals aws:PrincipalOrgID o-a1b2c3d4e5", "Bool aws:SecureTransport true"),
    works=False,
    halves=("identity policy",),
)


def shown(markdown: str, width: int) -> list[str]:
    file = io.StringIO()
    show(markdown, Console(file=file, width=width))
    return [line.rstrip() for line in file.getvalue().splitlines()]


def columns(lines: list[str], heading: str) -> list[str]:
    """Return the words of each column below a heading, without what folds them."""
    at = next(n for n, line in enumerate(lines) if line.split()[:2] == ["who", "may"])
    starts = [lines[at].index(name) for name in ("who", "may", "on", "by")]
    ends = [*starts[1:], None]
    body = lines[at + 2 : lines.index("", at)] if "" in lines[at:] else lines[at + 2 :]
    told = (
        ["".join(line[a:b].split()) for line in body] for a, b in zip(starts, ends, strict=True)
    )
    assert heading in lines
    return ["".join(words) for words in told]


@pytest.mark.parametrize("width", [80, 200])
def test_a_row_of_access_is_shown_whole(width: int) -> None:
    lines = shown(as_markdown([replace(NOTHING, appears=[LONG])]), width)
    assert max(map(cell_len, lines)) <= min(width, 100)
    who, may, on, by = columns(lines, "reports")
    assert who == LONG.principal.replace(" ", "")
    assert may == ",".join(LONG.actions)
    for part in (LONG.target, *LONG.paths, "only if", *LONG.conditions):
        assert part.replace(" ", "") in on
    assert by.startswith("identitypolicyonly:refusedwithouttheotherhalf")


def test_names_of_wide_letters_fit_too() -> None:
    wide = replace(READS, target="bucket " + "バケット" * 12)
    lines = shown(as_markdown([replace(NOTHING, appears=[wide])]), 80)
    assert max(map(cell_len, lines)) <= 80
    assert "".join(lines).count("バ") == 12


def test_each_stack_stands_once_above_its_rows() -> None:
    stacks = [replace(NOTHING, stack=name, appears=[READS, LISTS]) for name in ("one", "two")]
    lines = shown(as_markdown(stacks), 80)
    assert [line for line in lines if line in ("one", "two")] == ["one", "two"]
    assert not [line for line in lines if line.split()[:1] == ["stack"]]


def test_all_else_of_a_summary_is_there() -> None:
    summary = replace(NOTHING, appears=[READS], undecided=["a policy of x"], to_merge=["out"])
    text = "\n".join(shown(as_markdown([summary], "A note"), 80))
    for words in ("A note", "1 of 1 stacks changes", "What cannot be decided", "a policy of x"):
        assert words in text
