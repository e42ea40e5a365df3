"""Node.js, which cdktf runs in, started while the declaration is still being read.

It takes about as long to start as all of Python's part, and most of that is waiting.
"""

from __future__ import annotations

import shutil
import sys
import threading
from importlib import import_module

from .failures import NODE, require_nodejs

_starting: threading.Thread | None = None


def begin() -> None:
    """Start Node.js in the background; whoever needs it finds out what went wrong."""
    global _starting
    sys.setswitchinterval(0.0005)  # it mostly waits, and is to go on at once when it need not
    # Where the declaration turns out to be wrong, nobody waits for it.
    _starting = threading.Thread(target=_start, daemon=True)
    _starting.start()


def require() -> None:
    """Wait for Node.js; raise :class:`NodejsError` where there is none that jsii runs on."""
    require_nodejs()
    if _starting is not None:
        import_module("s3_cross_account.access")  # of the library, what needs no Node.js
        _starting.join()


def _start() -> None:
    if shutil.which(NODE) is None:  # jsii would tell of it at length
        return
    try:
        import_module("s3_cross_account")  # which says whether cdktf's successor takes its place
        import_module("cdktf")
    except Exception:
        pass
