"""The sandbox's tables fit a terminal of 80 columns."""

from __future__ import annotations

from itertools import permutations, product

import pytest
from rich.console import Console

from s3_links.sandbox import report
from s3_links.sandbox.access import VERBS, Cell

pytestmark = pytest.mark.cost("pure")

BUCKETS = [f"bucket {number}" for number in range(1, 5)]
CELLS = [
    *(Cell("role 1", verb, bucket, True, True) for bucket, verb in product(BUCKETS, VERBS)),
    *(Cell("role 1", "copy", f"{a} to {b}", True, True) for a, b in permutations(BUCKETS, 2)),
    *(Cell("role 1", "assume", f"role {number}", False, False) for number in range(1, 4)),
]


def test_the_tables_fit_80_columns() -> None:
    console = Console(width=80)
    with console.capture() as said:
        console.print(*report.tables(CELLS), sep="\n")
    lines = said.get().splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in said.get()
    assert said.get().count("✓ ✓") == len(BUCKETS) * len(VERBS) + 12
