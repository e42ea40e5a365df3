"""How files that people wrote are read, and how every file of our own is written."""

from __future__ import annotations

import difflib
import json
import os
import re
import stat
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import ConfigurationError

if TYPE_CHECKING:
    from .part import Problem

VARIABLE = "S3_LINKS_FILE"
"""The environment variable that names another file of links, or a folder of them."""
SUFFIXES = (".json", ".yaml", ".yml")
FOLDER = Path("links")
FILES = tuple(Path(f"links{suffix}") for suffix in SUFFIXES)


def place_of_links() -> Path | None:
    """Return the file or the folder with the links, or raise :class:`ConfigurationError`."""
    if name := os.environ.get(VARIABLE):
        if not present(Path(name)):
            raise ConfigurationError([f"{name}: does not exist, and {VARIABLE} names it"])
        return Path(name)
    found = [*filter(present, FILES), *([FOLDER] if FOLDER.is_dir() else [])]
    if len(found) > 1:
        names = " and ".join(map(str, found))
        raise ConfigurationError([f"{names} are both there: keep one, or name it in {VARIABLE}"])
    slips = ((nearly(file), file) for file in FILES if not found)
    for near, file in slips:
        if near:
            told = f"is nearly called {file}, which does not exist: rename it, or move it away"
            raise ConfigurationError([f"{near}: {told}"])
    return found[0] if found else None


def present(file: Path) -> bool:
    """Return whether there is anything of this name, were it a link that leads nowhere."""
    try:
        file.lstat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise _unreadable(file, error) from None
    return True


def nearly(file: Path) -> str | None:
    """Return what stands in the place of ``file`` under a name that looks like a slip.

    An editor may have put ``.txt`` or another ``.json`` behind it. Hidden files and editors'
    backups (``~``) are left alone, and so is a name that was chosen, such as ``links.json.bak``.
    """
    near = {
        re.sub(
            rf"(?<={re.escape(file.suffix)})\.(txt|json|ya?ml)$", "", entry.name.lower()
        ): entry.name
        for entry in sorted(file.parent.iterdir())
        if not entry.name.startswith((".", "#")) and not entry.name.endswith("~")
    }
    found = difflib.get_close_matches(file.name, near, n=1, cutoff=0.88)
    return near[found[0]] if found else None


def content_of(file: Path) -> bytes:
    """Return what is in a regular file, or raise :class:`ConfigurationError`."""
    try:
        kind = file.stat().st_mode
        if stat.S_ISREG(kind):  # a pipe would be waited for, for ever
            return file.read_bytes()
    except FileNotFoundError:
        raise ConfigurationError([f"{file}: {_missing(file)}"]) from None
    except OSError as error:
        raise _unreadable(file, error) from None
    what = "a folder" if stat.S_ISDIR(kind) else "no regular file"
    raise ConfigurationError([f"{file}: is {what}: put the file in its place"])


def text_of(file: Path) -> str:
    """Return a configuration file's text, or raise :class:`ConfigurationError`."""
    try:
        text = content_of(file).decode()
    except UnicodeDecodeError:
        raise ConfigurationError([f"{file}: is not UTF-8 text: save it as UTF-8"]) from None
    if text.startswith("\ufeff"):  # the cdktf command cannot read it
        raise ConfigurationError(
            [f"{file}: begins with a byte order mark: save it as UTF-8 without one"]
        )
    if not text.strip():
        raise ConfigurationError([f"{file}: is empty: write it, or restore it from the repository"])
    return text


def json_object(text: str, source: str) -> tuple[dict[str, Any], list[Problem]]:
    """Return the JSON object in ``text``, and what is wrong with it although it can be read.

    Raises :class:`ConfigurationError` where it cannot.
    """
    repeated: list[str] = []

    def noting_repeated(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        counts = Counter(key for key, _ in pairs)
        repeated.extend(key for key, count in counts.items() if count > 1)
        return dict(pairs)

    def no_constant(name: str) -> Any:
        raise ConfigurationError([f"{source}: {name} is not JSON: write a number or text"])

    try:
        value = json.loads(text, object_pairs_hook=noting_repeated, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise ConfigurationError(
            [f"{source}: is not JSON: {error.msg} at {place}: mend it there"]
        ) from None
    except RecursionError:
        raise ConfigurationError([f"{source}: is nested too deeply: flatten it"]) from None
    except ValueError as error:  # a number of more digits than Python reads
        raise ConfigurationError([f"{source}: is not JSON: {error}: mend it"]) from None
    if not isinstance(value, dict):
        raise ConfigurationError([f"{source}: write a JSON object, {{…}}"])
    return value, [
        ((), f"the key {json.dumps(key)} stands twice in one object: remove one")
        for key in repeated
    ]


def write(file: Path, content: bytes, *, mode: int = 0o666) -> None:
    """Write beside ``file`` and rename, so that nobody reads, or is left with, half of it.

    A link stays one: what it leads to is replaced. ``mode`` is subject to the umask. Raises
    ``OSError`` with the name of ``file``.
    """
    target = Path(os.path.realpath(file))
    beside = target.with_name(f".{target.name}.{os.urandom(4).hex()}")
    try:
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as stream:
            stream.write(content)
        beside.replace(target)
    except BaseException as error:
        beside.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise OSError(error.errno, error.strerror, str(file)) from None
        raise


def _missing(file: Path) -> str:
    if file.is_symlink():
        return f"is a link to {file.readlink()}, which does not exist: mend or remove it"
    return "does not exist: run this in the project's folder"


def _unreadable(file: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        [f"{file}: cannot be read ({error.strerror}): make it a readable file"]
    )
