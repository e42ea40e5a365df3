"""The command ``s3-links`` in this process: what it says and does, without its start."""

from __future__ import annotations

import contextlib
import io
import os
import signal
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING
from unittest import mock

from s3_links import cli
from s3_links.operations import interruption, synthesis
from tests.support.links import synthesized_here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def run_here(
    folder: Path, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder``, with this environment and no other; nobody answers it.

    It loads its modules once, and Node.js; what it starts besides are processes, as ever.
    """
    said, failed = io.StringIO(), io.StringIO()
    stopped: list[int] = []

    def stop(number: int, _: object) -> None:
        stopped.append(number)
        raise KeyboardInterrupt

    with (
        mock.patch.object(interruption, "catch"),  # signals are for the tests' own process
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(synthesis, "run", _run),
        mock.patch("sys.argv", ["s3-links", *arguments]),
        mock.patch("sys.stdin", io.StringIO()),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(failed),
    ):
        before = signal.signal(signal.SIGINT, stop)
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            signal.signal(signal.SIGINT, before)
    if stopped:  # the command takes Ctrl-C for an answer; it is for whoever runs the tests
        raise KeyboardInterrupt
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), failed.getvalue())


_APPS = (["-m", "s3_links", "app"], ["-c", "python main.py"])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the app: that of links is the same in this repository's ``main.py``."""
    if command[1:] in _APPS and Path("links.json").exists():
        return synthesized_here()
    return subprocess.run(command, capture_output=True, text=True, check=False)
