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

# Node.js tells of the operating system's errors so, as "Error: ENOSPC: no space left on device".
_SYSTEM_ERROR = re.compile(r"\bE[A-Z0-9]{2,}: ([^,]+), \w+(?: '([^']+)')?")


def told(error: BaseException) -> str | None:
    """Return what to tell the user, or nothing where the error is none of theirs."""
    if isinstance(error, ConfigurationError):
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
    return f"Node.js ended too early: {_version()}"


def require_nodejs() -> None:
    """Raise :class:`ConfigurationError` where there is no Node.js to start."""
    if shutil.which(NODE) is None:
        raise ConfigurationError(
            [f"Node.js is not installed: install version {OLDEST_NODE} or later"]
        )


def _unwritten(file: str | None, reason: str) -> str:
    return f"{file or 'a file'}: cannot be read or written ({reason}): mend that, and run it again"


def _from_jsii(error: BaseException) -> bool:
    """Return whether jsii raised it, which stands between this program and Node.js."""
    frames = (frame for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(frame.f_globals.get("__name__", "").startswith("jsii.") for frame in frames)


def _version() -> str:
    """Return what there is to say of a Node.js that does not do."""
    try:
        result = subprocess.run(
            [NODE, "--version"], capture_output=True, text=True, timeout=10, check=False
        )
        version = result.stdout.strip()
    except (OSError, subprocess.TimeoutExpired):
        version = ""
    found = re.match(r"v(\d+)\.", version)
    if found is None:
        return f"`{NODE} --version` does not work: install version {OLDEST_NODE} or later"
    if int(found[1]) < OLDEST_NODE:
        return f"it is {version}: install version {OLDEST_NODE} or later"
    return f"it is {version}, which does: run it again; memory may have been short"
