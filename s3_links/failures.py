"""What can stop a synthesis, told in plain lines: no user has to read a traceback.

Whatever is not told here is a mistake of this program, and keeps its traceback.
"""

from __future__ import annotations

import errno
import os
import re
import shutil
import subprocess
import traceback

from s3_links.declarations.errors import ConfigurationError

NODE = os.environ.get("JSII_NODE", "node")
OLDEST_NODE = 20
_OURS = ("s3_cross_account", "s3_links", "stacks")
_INSTALL = f"install version {OLDEST_NODE} or later"

# Node.js tells of the operating system's errors so, as "Error: ENOSPC: no space left on device".
_SYSTEM_ERROR = re.compile(r"\bE[A-Z0-9]{2,}: ([^,]+), \w+(?: '([^']+)')?")


def told(error: BaseException) -> str | None:
    """Return what to tell the user, or nothing where the error is none of theirs."""
    if isinstance(error, (ConfigurationError, NodejsError, ToldError)):
        return str(error)
    if isinstance(error, KeyboardInterrupt):
        return "Interrupted."
    if isinstance(error, ModuleNotFoundError):
        package = str(error.name).partition(".")[0]
        return (
            f"The Python package {package} is not installed here: run `make synth`, or this inside "
            "the environment (`pipenv shell`) after `make install`; elsewhere, install "
            "s3-links anew"
        )
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        return _unwritten(error.filename, error.strerror or str(error))
    if not _from_jsii(error):
        return None
    if error.__cause__ is not None:  # what Node.js replied
        found = _SYSTEM_ERROR.search(str(error))
        return _unwritten(found[2], found[1]) if found else None
    return "Node.js ended too early: run it again; memory may have been short"


class ToldError(Exception):
    """What stopped another process of this program, in the lines that tell it."""


class NodejsError(Exception):
    """The Node.js that is here does not do; the message says why, in one line."""


def require_nodejs() -> None:
    """Raise :class:`NodejsError` where there is no Node.js that jsii runs on."""
    if shutil.which(NODE) is None:
        raise NodejsError(f"Node.js is not installed: {_INSTALL}")
    try:
        result = subprocess.run(
            [NODE, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
        found = re.match(r"v(\d+)\.", result.stdout)
    except (OSError, subprocess.TimeoutExpired):
        found = None
    if found is None:
        raise NodejsError(f"`{NODE} --version` does not work: {_INSTALL}")
    if int(found[1]) < OLDEST_NODE:
        raise NodejsError(f"Node.js {found[1]} is too old: {_INSTALL}")


def _unwritten(file: str | None, reason: str) -> str:
    return f"{file or 'a file'}: cannot be read or written ({reason}): mend that, and run it again"


def _from_jsii(error: BaseException) -> bool:
    """Return whether jsii raised it, which stands between this program and Node.js.

    What a construct raises has come through jsii too, which made the construct.
    """
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    names = [frame.f_globals.get("__name__", "").partition(".")[0] for frame in frames]
    last = next((name for name in reversed(names) if name == "jsii" or name in _OURS), "")
    return last == "jsii"
