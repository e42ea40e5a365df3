"""The folder of one run, which goes with it, however the run ends."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import signal
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK = "run.lock"


@contextlib.contextmanager
def run_folder(prefix: str) -> Iterator[Path]:
    """Make a temporary folder, remove it in the end, and what killed runs have left before.

    A kill and a closed terminal end the run as Ctrl-C does, by :class:`KeyboardInterrupt`; a
    shell's background job would ignore the latter. ``TMPDIR`` is the folder from here on:
    Terraform's own temporary files stay where it is killed.
    """
    for sign in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sign, signal.default_int_handler)
    _remove_abandoned(prefix)
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    try:
        # The lock ends with this process. It is held before it has its name, so that no other run
        # can find it free.
        with (folder / f"{_LOCK}.new").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            Path(lock.name).rename(folder / _LOCK)
            os.environ["TMPDIR"] = str(folder)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_abandoned(prefix: str) -> None:
    for folder in Path(tempfile.gettempdir()).glob(f"{prefix}*"):
        # Of others' folders nothing can be opened.
        with contextlib.suppress(OSError), (folder / _LOCK).open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
