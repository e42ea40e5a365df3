"""Shows the plans' summary where the platform's reviewers look."""

from __future__ import annotations

import json
import os
import subprocess
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from s3_links.declarations.files import write

from . import mapped
from .graphs import graph
from .markdown import with_map
from .plan import PLANS
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COMMENT_BYTES = 65_000
"""GitHub takes 65,536 characters in a comment."""
_JOB_SUMMARY_BYTES = 1_000_000
"""GitHub shows nothing of a job's summary of more than 1 MiB."""
_COMMENTS = """
query($owner: String!, $repo: String!, $number: Int!, $endCursor: String) {
  repository(owner: $owner, name: $repo) {
    pullRequest(number: $number) {
      comments(first: 100, after: $endCursor) {
        nodes { id body viewerDidAuthor }
        pageInfo { hasNextPage endCursor }
      }
    }
  }
}"""
_EDIT = """
mutation($id: ID!, $body: String!) {
  updateIssueComment(input: {id: $id, body: $body}) { clientMutationId }
}"""


def report(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Show the summary and return where.

    On GitHub it is in the job's summary and, with ``PULL_REQUEST`` (a number) and ``GH_TOKEN``, in
    a comment that later runs in this folder replace; on GitLab ``plans/gitlab.json`` is for the
    merge request's Terraform widget. ``plans/map.html`` is the map, and is kept with the plans.
    """
    try:
        text = (PLANS / "summary.md").read_text(encoding="utf-8")
        stacks = json.loads((PLANS / "summary.json").read_text(encoding="utf-8"))["stacks"]
    except (OSError, ValueError, KeyError, TypeError):
        raise OperationError(f"{PLANS}: holds no summary: run `s3-links plan` first") from None
    summaries = mapped.planned(PLANS / "summary.json")
    write(PLANS / "map.html", mapped.draw(graph(summaries), "html").encode())
    map_ = mapped.of_changes(summaries)
    shown = []
    if file := environment.get("GITHUB_STEP_SUMMARY"):
        with open(file, "a", encoding="utf-8") as summary:  # noqa: PTH123 (given by the platform)
            summary.write(with_map(text, map_, _JOB_SUMMARY_BYTES))
        shown.append("the job's summary")
    if number := environment.get("PULL_REQUEST"):
        _comment(number, text, map_, environment)
        shown.append(f"a comment on pull request {number}")
    if environment.get("GITLAB_CI"):
        done = Counter(c["action"] for stack in stacks for c in stack["changes"])
        # The widget knows no replacement: one is a deletion and a creation.
        counts = {what: done[what] + done["replace"] for what in ("create", "delete")}
        counts["update"] = done["update"] + done["import"]
        write(PLANS / "gitlab.json", json.dumps(counts).encode())
        shown.append("the merge request's widget")
    return shown


def _comment(number: str, text: str, map_: str | None, environment: Mapping[str, str]) -> None:
    """Replace the comment that an earlier run made for this folder, or make one."""
    mark = _mark(environment)
    body = f"{mark}\n{with_map(text, map_, _COMMENT_BYTES - len(mark) - 1)}"
    server = environment.get("GITHUB_SERVER_URL")
    graphql = ["api", "graphql", *(["--hostname", urlsplit(server).netloc] if server else [])]
    pull_request = ["-F", "owner={owner}", "-F", "repo={repo}", "-F", f"number={number}"]
    each = [*graphql, "--paginate", "--jq", ".data.repository.pullRequest.comments.nodes[]"]
    try:
        comments = _gh([*each, *pull_request, "-f", f"query={_COMMENTS}"])
        found = [
            comment["id"]
            for comment in map(json.loads, filter(None, comments.split("\n")))
            # Anybody can write the mark into a comment of their own.
            if comment["viewerDidAuthor"] and comment["body"].startswith(mark)
        ]
        if found:
            edit = [*graphql, "-f", f"id={found[-1]}", "-F", "body=@-", "-f", f"query={_EDIT}"]
            _gh(edit, body)
        else:
            _gh(["pr", "comment", number, "--body-file", "-"], body)
    except FileNotFoundError:
        raise OperationError("the GitHub CLI (gh) is not installed: install it") from None
    except subprocess.CalledProcessError as error:
        raise OperationError(
            f"the comment on pull request {number} failed: {error.stderr.strip()}: the job needs "
            "`permissions: pull-requests: write` and GH_TOKEN"
        ) from None


def _mark(environment: Mapping[str, str]) -> str:
    """Return what nobody sees in the comment, and what tells it from those of other folders."""
    here = Path.cwd()
    folder = os.path.relpath(here, Path(environment.get("GITHUB_WORKSPACE") or here).resolve())
    return f"<!-- s3-links plan of {quote(folder)} -->"


def _gh(arguments: Sequence[str], given: str = "") -> str:
    return subprocess.run(
        ["gh", *arguments], input=given, capture_output=True, text=True, check=True
    ).stdout
