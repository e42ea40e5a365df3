"""Other bindings than the pinned ones, each in a folder of its own: ``make`` installs them.

A file of requirements names what is in the folder of the same name below ``.tools``; in front of
the installed packages, it is what a program imports.
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.conftest import PROJECT

if TYPE_CHECKING:
    from pathlib import Path


def installation(name: str) -> Path:
    """Return the folder of other bindings; skip where they cannot be had, fail under CI."""
    folder = PROJECT / ".tools" / name
    if not (folder / ".installed").exists():
        log = folder.with_suffix(".log")
        said = log.read_text().strip().splitlines() if log.exists() else []
        reason = f"{name}.txt cannot be installed here: {said[-1] if said else 'run it by make'}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return folder


def run(
    folder: Path, *command: str, bindings: Path | None = None
) -> subprocess.CompletedProcess[str]:
    """Run Python in ``folder``, with other bindings."""
    path = [PROJECT] if bindings is None else [bindings, PROJECT]
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(map(str, path))},
        capture_output=True,
        text=True,
        check=False,
    )
