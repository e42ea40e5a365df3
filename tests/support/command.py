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
from s3_links.operations import synthesis
from tests.support.links import synthesized_here

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)  # which the command catches


def run_here(
    folder: Path, *arguments: str, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the command in ``folder``, with this environment and no other; nobody answers it.

    It loads its modules once, and Node.js; what it starts besides are processes, as ever.
    """
    said, failed = io.StringIO(), io.StringIO()
    handlers = {number: signal.getsignal(number) for number in _SIGNALS}
    with (
        mock.patch.dict(os.environ, environment, clear=True),
        mock.patch.object(synthesis, "run", _run),
        mock.patch("sys.argv", ["s3-links", *arguments]),
        mock.patch("sys.stdin", io.StringIO()),
        contextlib.chdir(folder),
        contextlib.redirect_stdout(said),
        contextlib.redirect_stderr(failed),
    ):
        try:
            cli.main()
        except SystemExit as end:
            code = int(end.code or 0)
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
    return subprocess.CompletedProcess(arguments, code, said.getvalue(), failed.getvalue())


_APPS = (["-m", "s3_links", "app"], ["-c", "python main.py"])


def _run(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run the app: that of links is the same in this repository's ``main.py``."""
    if command[1:] in _APPS and Path("links.json").exists():
        return synthesized_here()
    return subprocess.run(command, capture_output=True, text=True, check=False)
