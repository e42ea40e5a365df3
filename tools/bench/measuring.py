"""Runs a command by turns with others, and compares what they took."""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

PROJECT = Path(__file__).parents[2]
RUNS = 5
BARE = [sys.executable, "-c", "import cdktf"]
"""The floor under every synthesis: Node.js and cdktf, and nothing of AWS."""


def measure(
    command: Sequence[str],
    folder: Path,
    *,
    cwd: Path = PROJECT,
    environment: Mapping[str, str] | None = None,
) -> tuple[float, float]:
    """Run ``command``, with its output in ``folder``; return its seconds and megabytes.

    The megabytes are those of it and its children together, at their peak.
    """
    settings = os.environ | {"CDKTF_OUTDIR": str(folder), "CHECKPOINT_DISABLE": "1"}
    settings |= environment or {}
    peak = 0
    start = time.perf_counter()
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=cwd, env=settings, stdout=log, stderr=log)
        root = psutil.Process(process.pid)
        while process.poll() is None:
            peak = max(peak, _resident(root))
            time.sleep(0.02)
    elapsed = time.perf_counter() - start
    if process.returncode:
        sys.exit((folder / "log").read_text(errors="replace"))
    return elapsed, peak / 2**20


def _resident(root: psutil.Process) -> int:
    total = 0
    try:
        for process in [root, *root.children(recursive=True)]:
            held = process.memory_full_info()
            total += getattr(held, "pss", held.rss)  # what several share counts once
    except psutil.Error:  # one of them has just ended
        pass
    return total


def of_children() -> float:
    """Return the processor's seconds that this process's children took so far."""
    times = psutil.Process().cpu_times()
    return times.children_user + times.children_system


def report(
    name: str, unit: str, other: Sequence[float], ours: Sequence[float], *, limit: float, than: str
) -> bool:
    """Print both sides' medians and their ratio; return whether ours is at most ``limit``."""
    theirs, own = statistics.median(other), statistics.median(ours)
    kept = own <= theirs * limit
    ratio, promised = (
        (f"1/{theirs / own:.1f}", f"1/{1 / limit:.3g}")
        if limit < 1
        else (f"{own / theirs:.2f} times", f"{limit:.3g}")
    )
    print(
        f"{name:33} {than:12} {theirs:8.2f} {unit:2}  ours {own:7.2f} {unit:2}  "
        f"{ratio} (promised {promised}){'' if kept else '  NOT KEPT'}",
        flush=True,
    )
    return kept
