"""Look for what must not be committed: ``python -m tools.committed [folder]``.

A package index belongs to a machine, not to the project, and so does a path.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_INDEXES = re.compile(
    r"https?://(?:[\w.-]+\.)?(?:pypi\.org|pythonhosted\.org|npmjs\.(?:org|com))\b"
)


def problems(root: Path) -> Iterator[str]:
    """Yield what is wrong in the files that git tracks, or would track, below ``root``."""
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split("\0")
    texts = {name: text for name in names if (text := _text(root / name)) is not None}
    if "source" in tomllib.loads(texts.get("Pipfile", "")):
        yield "Pipfile: names a package index: remove [[source]]"
    lock = json.loads(texts.get("Pipfile.lock", "{}"))
    if lock.get("_meta", {}).get("sources"):
        yield "Pipfile.lock: names a package index: run `make lock`"
    if "constructs/__init__.py" in texts:
        yield "constructs/__init__.py: shadows the PyPI package constructs: delete it"
    machine = {str(root.resolve()), str(Path.home()) + "/"}
    for name, text in texts.items():
        if found := _INDEXES.search(text):
            yield f"{name}: holds a package index's address ({found[0]}): remove it"
        if name == "package-lock.json" and '"resolved"' in text:
            yield f"{name}: records download addresses: make it anew with this folder's .npmrc"
        for path in machine:
            if path != "//" and path in text:
                yield f"{name}: holds a path of this machine ({path}): make it relative"


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8")
    except (UnicodeDecodeError, OSError):  # binary, or deleted and not yet committed
        return None


if __name__ == "__main__":
    found = list(problems(Path(sys.argv[1] if len(sys.argv) > 1 else ".")))
    print("\n".join(found))
    sys.exit(bool(found))
