"""How the cost of a synthesis grows with links, and with the roles of one bucket."""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .declared import ACCOUNTS
from .measuring import BARE, measure, report

if TYPE_CHECKING:
    from collections.abc import Callable

APP = [sys.executable, "-m", "s3_links", "app"]
RUNS = 3
LINEAR = 1.3
"""How much more the next one may cost among many than among few."""
MEGABYTES = 370


def growth() -> bool:
    """Print what many take, also as a multiple of importing cdktf; return whether it is kept."""
    links = _grows("hardened links", _links, (10, 100, 1000), times=55, megabytes=MEGABYTES)
    roles = _grows("roles of one bucket", _roles, (30, 150, 300), times=6)
    return links and roles


def _grows(
    what: str,
    declared: Callable[[int], dict[str, Any]],
    sizes: tuple[int, ...],
    *,
    times: float,
    megabytes: float | None = None,
) -> bool:
    seconds: dict[int, list[float]] = {size: [] for size in sizes}
    peaks: dict[int, float] = {}
    bare = []
    for _ in range(RUNS):
        bare.append(_measured(BARE, {})[0])
        for size in sizes:
            took, peaks[size] = _measured(APP, {"accounts": ACCOUNTS, "links": declared(size)})
            seconds[size].append(took)
    medians = {size: statistics.median(seconds[size]) for size in sizes}
    for size in sizes:
        print(f"{size:5} {what:20} {medians[size]:7.2f} s  {peaks[size]:4.0f} MB", flush=True)
    of_next = [(medians[b] - medians[a]) / (b - a) for a, b in pairwise(sizes)]
    told = ", ".join(f"{1000 * each:.1f} ms" for each in of_next)
    linear = of_next[-1] <= of_next[0] * LINEAR
    print(f"each of them more: {told}{'' if linear else '  NOT LINEAR'}")
    most = sizes[-1]
    kept = report(f"{most} {what}", "s", bare, seconds[most], limit=times, than="import cdktf")
    small = megabytes is None or peaks[most] <= megabytes
    if not small:
        print(f"{most} {what}: more than {megabytes} MB  NOT KEPT")
    return linear and kept and small


def _measured(command: list[str], content: dict[str, Any]) -> tuple[float, float]:
    folder = Path(tempfile.mkdtemp(prefix="bench-"))
    try:
        (folder / "links.json").write_text(json.dumps(content))
        return measure(command, folder, cwd=folder)
    finally:
        shutil.rmtree(folder)


def _links(number: int) -> dict[str, Any]:
    return {
        f"link-{n}": {
            "pattern": "direct-access",
            "consumers": [{"account": "account1", "new_role": f"reader-{n}"}],
            "buckets": [{"account": "account2", "new_prefix": f"reports-{n}-"}],
            "access": {"level": "read-only", "prefixes": ["a/"]},
            "hardening": True,
        }
        for n in range(number)
    }


def _roles(number: int) -> dict[str, Any]:
    return {
        "link": {
            "pattern": "direct-access",
            "consumers": [{"account": "account1", "new_role": f"r{n}"} for n in range(number)],
            "buckets": [{"account": "account2", "new_prefix": "reports-"}],
            "access": {"level": "read-only"},
        }
    }
