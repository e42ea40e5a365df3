"""Shows the plans' summary where the platform's reviewers look."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from typing import TYPE_CHECKING

from .plan import PLANS
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping

_COMMENT_CHARACTERS = 65_000
"""GitHub takes 65,536 in a comment."""


def report(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Show the summary and return where.

    On GitHub it is in the job's summary and, with ``PULL_REQUEST`` (a number) and ``GH_TOKEN``, in
    a comment that later runs replace; on GitLab ``plans/gitlab.json`` is for the merge request's
    Terraform widget.
    """
    try:
        text = (PLANS / "summary.md").read_text(encoding="utf-8")
        stacks = json.loads((PLANS / "summary.json").read_text(encoding="utf-8"))["stacks"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OperationError(f"{PLANS}: holds no summary: run `make plan` first") from None
    shown = []
    if file := environment.get("GITHUB_STEP_SUMMARY"):
        with open(file, "a", encoding="utf-8") as summary:  # noqa: PTH123 (given by the platform)
            summary.write(text)
        shown.append("the job's summary")
    if number := environment.get("PULL_REQUEST"):
        _comment(number, text)
        shown.append(f"a comment on pull request {number}")
    if environment.get("GITLAB_CI"):
        done = Counter(c["action"] for stack in stacks for c in stack["changes"])
        # The widget knows no replacement: one is a deletion and a creation.
        counts = {what: done[what] + done["replace"] for what in ("create", "delete")}
        counts["update"] = done["update"] + done["import"]
        (PLANS / "gitlab.json").write_text(json.dumps(counts), encoding="utf-8")
        shown.append("the merge request's widget")
    return shown


def _comment(number: str, text: str) -> None:
    if len(text) > _COMMENT_CHARACTERS:
        text = f"{text[:_COMMENT_CHARACTERS]}\n\n… and more: see the artifact `plan`.\n"
    command = ["gh", "pr", "comment", number, "--edit-last", "--create-if-none", "--body-file", "-"]
    try:
        subprocess.run(command, input=text, capture_output=True, text=True, check=True)
    except FileNotFoundError:
        raise OperationError("the GitHub CLI (gh) is not installed: install it") from None
    except subprocess.CalledProcessError as error:
        raise OperationError(
            f"the comment on pull request {number} failed: {error.stderr.strip()}: the job needs "
            "`permissions: pull-requests: write` and GH_TOKEN"
        ) from None
