"""Take the package index's name out of ``Pipfile.lock``: ``python -m tools.lock``."""

import json
from pathlib import Path

FILE = Path("Pipfile.lock")


def main() -> None:
    """Leave only names, versions and hashes in the lock file."""
    lock = json.loads(FILE.read_text(encoding="utf-8"))
    lock["_meta"]["sources"] = []
    for section in ("default", "develop"):
        for package in lock[section].values():
            package.pop("index", None)
    FILE.write_text(json.dumps(lock, indent=4, sort_keys=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
