"""Propose renewed lock files in a pull request: ``python -m tools.propose``, in a GitHub workflow.

The branch ``dependencies`` is this command's own: it is written anew each time, on top of ``main``,
and an open pull request of it follows. Nothing but git, the GitHub CLI and Python itself is needed,
so that nothing that was just renewed runs where it could write.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCKS = ("Pipfile.lock", "package-lock.json", "tests/evaluator/package-lock.json")
BRANCH = "dependencies"
TITLE = "Renew the dependencies"
_AUTHOR = ("github-actions[bot]", "41898282+github-actions[bot]@users.noreply.github.com")
_GIT = ("-c", f"user.name={_AUTHOR[0]}", "-c", f"user.email={_AUTHOR[1]}")
_WITH_TOKEN = ("-c", "credential.helper=", "-c", "credential.helper=!gh auth git-credential")


def versions(lock: dict[str, Any]) -> dict[str, set[str]]:
    """Return the versions of each package in the lock file of pipenv or of npm."""
    found: dict[str, set[str]] = {}
    for section in ("default", "develop", "packages"):
        for path, package in lock.get(section, {}).items():
            if name := path.rpartition("node_modules/")[2]:
                version = package.get("version", "").removeprefix("==")
                found.setdefault(name, set()).update({version} - {""})
    return found


def changes(before: dict[str, set[str]], after: dict[str, set[str]]) -> Iterator[str]:
    """Yield a row of a table for each package that is another, is new or is gone."""
    for name in sorted(before | after):
        old, new = (sorted(side.get(name, ())) for side in (before, after))
        if old != new:
            yield f"| `{name}` | {', '.join(old) or '-'} | {', '.join(new) or '-'} |"


def body() -> str:
    """Return what the pull request says: the run that tested it, and each change."""
    run = "/".join(os.environ.get(f"GITHUB_{word}", "") for word in ("SERVER_URL", "REPOSITORY"))
    lines = [
        f"All checks and tests passed with it: {run}/actions/runs/{os.environ['GITHUB_RUN_ID']}"
    ]
    for name in LOCKS:
        before = json.loads(_run("git", "show", f"HEAD:{name}"))
        with open(name, encoding="utf-8") as file:  # noqa: PTH123 (relative, as git has it)
            rows = list(changes(versions(before), versions(json.load(file))))
        if rows:
            lines += ["", f"| {name} | before | after |", "|---|---|---|", *rows]
    return "\n".join(lines) + "\n"


def propose() -> str:
    """Push the branch and open its pull request; return what was done."""
    if not _run("git", "status", "--porcelain", "--", *LOCKS):
        return "Nothing has changed."
    text = body()
    _run("git", "switch", "--quiet", "--force-create", BRANCH)
    _run("git", *_GIT, "commit", "--quiet", "--message", TITLE, "--", *LOCKS)
    _run("git", *_WITH_TOKEN, "push", "--quiet", "--force", "origin", BRANCH)
    one = ("--head", BRANCH, "--state", "open", "--json", "number", "--jq", ".[].number")
    if number := _run("gh", "pr", "list", *one).strip():
        _run("gh", "pr", "edit", number, "--body-file", "-", text=text)
        return f"Pull request {number} has the new versions."
    opened = ("--base", "main", "--head", BRANCH, "--title", TITLE, "--body-file", "-")
    return _run("gh", "pr", "create", *opened, text=text).strip()


def _run(*command: str, text: str | None = None) -> str:
    result = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(f"{' '.join(command[:3])}: {result.stderr.strip()}")
    return result.stdout


if __name__ == "__main__":
    print(propose())
