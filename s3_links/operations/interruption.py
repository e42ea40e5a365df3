"""Ctrl-C and the signals that end a run: Terraform is told of them once, and waited for.

Terraform needs the time to save a state. So it runs in a session of its own, where a terminal's
Ctrl-C does not reach it a second time, which would make it stop at once.
"""

from __future__ import annotations

import signal
import subprocess
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence


class _Run:
    """A command that is running or starting, which is told to end once."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[str] | None = None
        self._told = False

    def end(self) -> None:
        if self.process is not None and not self._told:
            self._told = True
            self.process.terminate()


_running: set[_Run] = set()
_received: list[int] = []


class Interrupted(KeyboardInterrupt):
    """The run was interrupted by a signal; ``said`` is what its user has to know of that."""

    def __init__(self, said: str = "") -> None:
        super().__init__(f"{said}\nInterrupted.".strip())
        self.code = 128 + _received[0]
        """The exit code of such a run."""


def catch() -> None:
    """End in an orderly way with Ctrl-C, SIGTERM and SIGHUP, where they are not ignored."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _interrupt)


def stop_if_interrupted(said: str = "") -> None:
    """Raise :class:`Interrupted` if a signal has come."""
    if _received:
        raise Interrupted(said.strip())


def run(command: Sequence[str], **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a command to its end, also when a signal comes, and return what it printed."""
    stop_if_interrupted()
    this = _Run()
    _running.add(this)
    try:
        with subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            start_new_session=True,
            **options,
        ) as process:
            this.process = process
            if _received:  # while it started
                this.end()
            out, err = process.communicate()
    finally:
        _running.discard(this)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _interrupt(number: int, _frame: object) -> None:
    _received.append(number)
    running = tuple(_running)
    for this in running:
        this.end()
    if not running:  # else whoever runs the command does, once it has ended
        raise Interrupted
