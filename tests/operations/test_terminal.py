"""The summary in a terminal: a table that fits, and cuts off nothing."""

from __future__ import annotations

import fcntl
import io
import json
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from s3_links.operations.markdown import as_markdown
from s3_links.operations.terminal import show
from s3_links.synthesized.blocks import declared_blocks
from tests.support.accesses import LISTS, NOTHING, READS
from tests.support.synthesized import synthesized

if TYPE_CHECKING:
    from pathlib import Path

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
    body = lines[at + 2 : lines.index("", at + 2)]
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


LINK: dict[str, Any] = {
    "pattern": "direct-access",
    "consumers": [{"account": "account1", "new_role": "reports-reader"}],
    "buckets": [{"account": "account2", "new_prefix": "reports-"}],
    "access": {"level": "copy-with-tags", "organization_id": "o-a1b2c3d4e5"},
}


@pytest.mark.cost("planned")
def test_a_terminal_of_80_columns_gets_the_table_and_a_pipe_gets_markdown(tmp_path: Path) -> None:
    source = synthesized(LINK)
    plan = {"planned_values": {"root_module": {"resources": declared_blocks(source)}}}
    for name, content in (("plan.json", plan), ("cdk.tf.json", source)):
        (tmp_path / name).write_text(json.dumps(content))
    command = [sys.executable, "-m", "s3_links", "summarize", "plan.json", "--stack=cdk.tf.json"]
    piped = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "| stack | who | may | on | only if | by |" in piped.stdout
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    with subprocess.Popen(command, cwd=tmp_path, stdin=theirs, stdout=theirs) as process:
        os.close(theirs)
        read = b""
        try:
            while more := os.read(ours, 65536):
                read += more
        except OSError:
            pass  # so a terminal ends
    os.close(ours)
    assert process.returncode == 0
    lines = re.sub(r"\x1b\[[0-9;]*m", "", read.decode()).splitlines()
    assert max(map(cell_len, lines)) <= 80
    assert ["who", "may", "on", "by"] in [line.split() for line in lines]
    for name in ("s3:PutObjectTagging", "reports-reader", "o-a1b2c3d4e5"):
        assert any(name in line for line in lines)
