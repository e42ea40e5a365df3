"""Node.js, which cdktf runs in, started while Python reads the declaration and imports cdktf.

It takes most of the time of importing cdktf to start and to load what that asks it to, and Python
only waits: until the first construct is made, nothing needs an answer. So it starts before anything
is imported, and without the second Node.js that jsii's own start puts in between, which
passes on every message and takes as long to start as the one that works.
"""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from queue import SimpleQueue
from tempfile import TemporaryDirectory
from threading import Thread
from typing import TYPE_CHECKING, Any

from .failures import NODE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from jsii._kernel.providers.process import _NodeProcess
    from jsii._kernel.types import LoadRequest

PROGRAM = {
    "lib__program.js": "program.js",
    # Looked for beside the program: it indexes a package for the next time that it is loaded.
    "lib__runtime-index-worker.js": "runtime-index-worker.js",
}
"""What jsii brings of JavaScript: its name there, and the one that it has to have."""
# Messages come and go over file descriptor 3.
_START = ("/bin/sh", "-c", 'exec "$@" 3<&0 0</dev/null >&2', "sh")
_OPTIONS = ("--max-old-space-size=4069", "--preserve-symlinks")  # as jsii starts it


LONG = 10_000
"""What has more characters is no line for people."""


def begin() -> None:
    """Start Node.js in the background; whoever first asks it for something waits for it."""
    if "jsii" in sys.modules:  # it may be running
        return
    if shutil.which(NODE) is not None:  # jsii would tell of that at length
        _Starting(_Direct.started())
        # To load it takes Node.js as long as reading the declaration takes Python.
        import cdktf  # noqa: F401


def abandon() -> None:
    """End Node.js at once, and leave nothing of it behind."""
    if _Direct.running is not None:
        _Direct.running.end()


class _Direct:
    """The Node.js that answers, as jsii would start it in the end."""

    running: _Direct | None = None

    def __init__(self, scripts: Path) -> None:
        from socket import socketpair

        self._folder = TemporaryDirectory(prefix="jsii-")
        for name, needed in PROGRAM.items():
            Path(self._folder.name, needed).write_bytes((scripts / name).read_bytes())
        ours, theirs = socketpair()
        with theirs:
            program = str(Path(self._folder.name, "program.js"))
            self._process: subprocess.Popen[bytes] = subprocess.Popen(
                [*_START, NODE, *_OPTIONS, program],
                stdin=theirs.fileno(),
                stderr=subprocess.PIPE,
                env=os.environ | {"TMPDIR": self._folder.name},  # removed even where it is killed
            )
        self._process.stdin = os.fdopen(os.dup(ours.fileno()), "wb")
        self._process.stdout = os.fdopen(ours.detach(), "rb")
        # It may still be starting then, and would tell at length that nobody is there.
        atexit.register(self.end)

    @classmethod
    def started(cls) -> _Direct | None:
        """Start it; return ``None`` where jsii has to, as it has another layout or is told to."""
        found = find_spec("jsii")
        if os.name != "posix" or "JSII_RUNTIME" in os.environ or found is None:
            return None
        scripts = Path(str(found.origin)).parent / "_embedded" / "jsii"
        if all((scripts / name).is_file() for name in PROGRAM):
            cls.running = cls(scripts)
        return cls.running

    def end(self) -> None:
        """End it, whatever it does.

        Also from within a signal's handler: the locks of ``subprocess`` may be held by what that
        has interrupted, and would never be let go.
        """
        with suppress(ProcessLookupError, ChildProcessError):
            if self._process.returncode is None:
                os.kill(self._process.pid, signal.SIGKILL)
                os.waitpid(self._process.pid, 0)
                self._process.returncode = -signal.SIGKILL
        self._folder.cleanup()

    def greeted(self) -> _NodeProcess:
        """Return it as jsii's process, which takes leave of it as of its own."""
        from jsii._kernel.providers.process import _NodeProcess

        process = _NodeProcess()  # type: ignore[no-untyped-call]
        process._process = self._process
        process.sink_thread = Thread(target=_print, args=(self._process.stderr,), daemon=True)
        process.sink_thread.start()
        atexit.register(process.stop)
        process.handshake()
        return process


def _print(lines: Iterable[bytes]) -> None:
    """Print what Node.js prints, except for the line where it fails: that is all of its program."""
    for line in lines:
        if len(line) < LONG:
            sys.stderr.write(line.decode(errors="replace"))


class _Starting:
    """Stands in the place of jsii's process until that runs and has loaded what it was asked to."""

    def __init__(self, direct: _Direct | None) -> None:
        from jsii._kernel.providers.process import ProcessProvider
        from jsii._kernel.types import LoadResponse

        self._provider, self._ours = ProcessProvider, ProcessProvider.__dict__["_process"]
        self._direct = direct
        self._response = LoadResponse
        self._loads: SimpleQueue[LoadRequest | None] = SimpleQueue()
        self._error: BaseException | None = None
        # Where the declaration turns out to be wrong, nobody waits for it.
        self._thread = Thread(target=self._run, daemon=True)
        self._provider._process = self  # type: ignore[method-assign]
        self._thread.start()

    def send(self, request: Any, response: type) -> Any:
        """Take what is to be loaded; with anything else, wait and give jsii its process."""
        if response is self._response:
            self._loads.put(request)
            return None
        self._loads.put(None)
        self._thread.join()
        if self._error is not None:
            raise self._error
        self._provider._process = self._process  # type: ignore[method-assign]
        return self._process.send(request, response)

    def _run(self) -> None:
        import jsii

        try:
            if self._direct:
                self._process = self._direct.greeted()
            else:
                self._process = self._ours.fget(jsii.kernel.provider)
            while request := self._loads.get():
                self._process.send(request, self._response)
        except BaseException as error:  # whoever asks is told
            self._error = error
