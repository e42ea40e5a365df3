"""Where the emulator is installed: beside this program, or in an environment of its own.

It asks for exact versions of botocore and others, which no user's environment should have to meet.
"""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from .emulator_process import VERSION

_PACKAGE = Path(__file__).parents[1]
_REQUIREMENT = f"ministack=={VERSION}"
# The package alone, under its name: nothing else of this environment is on the other's path.
_START = (
    "import runpy, sys, types; package = types.ModuleType('s3_links'); "
    "package.__path__ = [sys.argv[1]]; sys.modules['s3_links'] = package; "
    "runpy.run_module('s3_links.sandbox.emulator_process', run_name='__main__')"
)


class InstallationError(Exception):
    """The emulator cannot be installed; the message says why."""


def command() -> list[str]:
    """Return the command that starts the emulator's process, installed where it is not yet."""
    return [_python(), "-c", _START, str(_PACKAGE)]


def _python() -> str:
    try:
        if importlib.metadata.version("ministack") == VERSION:
            return sys.executable
    except importlib.metadata.PackageNotFoundError:
        pass
    environment = _environment()
    python = environment / "bin" / "python"
    if not python.exists():
        _install(environment)
    return str(python)


def user_cache() -> Path:
    """Return where what the sandbox needs is kept from one run to the next."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return cache / "s3-links"


def _environment() -> Path:
    """Return the folder of the environment: one for each version."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return user_cache() / f"ministack-{VERSION}-{version}"


def _install(environment: Path) -> None:
    """Make the environment beside its place first: half of one is never used."""
    print(f"Installing the emulator, once, into {environment} ...", file=sys.stderr)
    environment.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(prefix=f"{environment.name}-", dir=environment.parent))
    try:
        _run([sys.executable, "-m", "venv", str(new)])
        _run([str(new / "bin" / "python"), "-m", "pip", "install", "--quiet", _REQUIREMENT])
        if not environment.exists():  # another run may have been faster
            new.rename(environment)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _run(arguments: list[str]) -> None:
    result = subprocess.run(arguments, capture_output=True, text=True, check=False)
    if result.returncode:
        said = (result.stderr or result.stdout).strip().splitlines()[-3:]
        raise InstallationError("the emulator cannot be installed: " + "\n".join(said))
