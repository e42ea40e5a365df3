"""Node.js, which cdktf runs in, started while Python reads the declaration and imports cdktf.

It takes most of the time of importing cdktf to start and to load what that asks it to, and Python
only waits: until the first construct is made, nothing needs an answer.
"""

from __future__ import annotations

import shutil
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, Any

from .failures import NODE

if TYPE_CHECKING:
    from jsii._kernel.types import LoadRequest


def begin() -> None:
    """Start Node.js in the background; whoever first asks it for something waits for it."""
    from jsii._kernel.providers.process import ProcessProvider

    begun = isinstance(ProcessProvider.__dict__["_process"], _Starting)
    if not begun and shutil.which(NODE) is not None:  # jsii would tell of that at length
        _Starting()


class _Starting:
    """Stands in the place of jsii's process until that runs and has loaded what it was asked to."""

    def __init__(self) -> None:
        from jsii._kernel.providers.process import ProcessProvider
        from jsii._kernel.types import LoadResponse

        self._provider, self._ours = ProcessProvider, ProcessProvider.__dict__["_process"]
        self._response = LoadResponse
        self._loads: SimpleQueue[LoadRequest | None] = SimpleQueue()
        self._error: BaseException | None = None
        # Where the declaration turns out to be wrong, nobody waits for it.
        self._thread = Thread(target=self._run, daemon=True)
        self._provider._process = self  # type: ignore[method-assign]
        self._thread.start()

    def send(self, request: Any, response: type) -> Any:
        """Take what is to be loaded; with anything else, wait and give jsii its process back."""
        if response is self._response:
            self._loads.put(request)
            return None
        self._loads.put(None)
        self._thread.join()
        self._provider._process = self._ours  # type: ignore[method-assign]
        if self._error is not None:
            raise self._error
        return self._process.send(request, response)

    def _run(self) -> None:
        import jsii

        try:
            self._process = self._ours.fget(jsii.kernel.provider)
            while request := self._loads.get():
                self._process.send(request, self._response)
        except BaseException as error:  # whoever asks is told
            self._error = error
