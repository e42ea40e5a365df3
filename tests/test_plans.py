"""The folder of the plans: what a run leaves in it, and that nothing else is applied."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from operations.apply import applicable, apply
from operations.plan import PLANS, plan
from operations.stack import OperationError, synthesized

# Stands in for Terraform: a plan holds what is planned, as text.
TERRAFORM = """#!/bin/sh
command=$1
for word; do file=${word#-out=}; done
case $command in
  plan) cp cdk.tf.json "$file" ;;
  show) cat shown.json ;;
  apply) echo "applied $(cat "$file")" ;;
esac
"""
CREATED = {
    "resource_changes": [
        {"address": "aws_iam_role.r", "mode": "managed", "change": {"actions": ["create"]}}
    ],
    "planned_values": {},
}


class Project:
    """A folder with synthesized stacks, and what Terraform shows of their plans."""

    def __init__(self, folder: Path) -> None:
        self.out = folder / "cdktf.out"

    def declare(self, *names: str, shown: Any = CREATED) -> None:
        for name in names:
            stack = self.out / "stacks" / name
            stack.mkdir(parents=True, exist_ok=True)
            backend = {"local": {"path": f"{name}.tfstate"}}
            block = {"r": {"provider": "aws.account1"}}
            content = {"terraform": {"backend": backend}, "resource": {"aws_iam_role": block}}
            (stack / "cdk.tf.json").write_text(json.dumps(content))
            (stack / "shown.json").write_text(json.dumps(shown))
        stacks = {name: {"synthesizedStackPath": f"stacks/{name}/cdk.tf.json"} for name in names}
        (self.out / "manifest.json").write_text(json.dumps({"stacks": stacks}))

    def touch(self, name: str) -> None:
        """Declare a stack otherwise."""
        file = self.out / "stacks" / name / "cdk.tf.json"
        file.write_text(file.read_text() + "\n")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    command = tmp_path / "bin" / "terraform"
    command.parent.mkdir()
    command.write_text(TERRAFORM)
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{command.parent}:/usr/bin:/bin")
    monkeypatch.delenv("CDKTF_OUTDIR", raising=False)
    monkeypatch.chdir(tmp_path)
    project = Project(tmp_path)
    project.declare("reports", "worker", "terraform-state")
    return project


def written() -> dict[str, Any]:
    content: dict[str, Any] = json.loads((PLANS / "summary.json").read_text())
    return content


def left() -> set[str]:
    return {entry.name for entry in Path().iterdir()} - {"bin", "cdktf.out", ".plans.lock"}


def test_what_was_planned_is_applied(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan(synthesized())
    project.declare(
        "reports", "worker", "terraform-state"
    )  # synthesized anew, as `make apply` does
    assert apply(applicable()) == ["reports", "worker"]
    assert capsys.readouterr().out.count("applied") == 2
    assert left() == {"plans"}


@pytest.mark.usefixtures("project")
def test_one_of_several_plans_is_applied() -> None:
    plan(synthesized())
    assert apply(applicable(["worker"])) == ["worker"]


@pytest.mark.usefixtures("project")
def test_a_stack_that_is_planned_by_its_name_is_applied_without() -> None:
    plan(synthesized(["terraform-state"]))
    assert apply(applicable()) == ["terraform-state"]


@pytest.mark.usefixtures("project")
def test_a_summary_only_leaves_no_plan_and_is_not_applied() -> None:
    plan(synthesized())
    plan(synthesized(), summary_only=True)
    assert {file.name for file in PLANS.iterdir()} == {"summary.md", "summary.json"}
    assert [stack["stack"] for stack in written()["stacks"]] == ["reports", "worker"]
    assert written()["applicable"] is False
    with pytest.raises(OperationError, match="holds a summary only, of plans that were not made"):
        applicable()
