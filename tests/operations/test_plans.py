"""The folder of the plans: what a run leaves in it, and that nothing else is applied."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from s3_links.operations import apply as applying
from s3_links.operations import interruption
from s3_links.operations import plan as planning
from s3_links.operations.apply import applicable, apply
from s3_links.operations.plan import PLANS, plan
from s3_links.operations.stack import OperationError, Stack, synthesized
from s3_links.operations.terraform import terraform
from tests.conftest import PROJECT

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cost("planned")

# Stands in for Terraform: a plan holds what is planned, as text. Where it is to wait, it goes on
# until it is stopped, and takes its time to say so.
TERRAFORM = """#!/bin/sh
command=$1
for word; do file=${word#-out=}; done
if [ -e wait-to-$command ]; then
  trap 'sleep 0.5; echo stopped >>stopped; echo "state saved"; exit 1' TERM
  echo $$ >waiting
  while true; do sleep 0.1; done
fi
case $command in
  init) echo init >>inits; mkdir -p .terraform/providers/registry/hashicorp/aws/5/linux ;;
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
            stack = self.stack(name)
            stack.mkdir(parents=True, exist_ok=True)
            backend = {"local": {"path": f"{name}.tfstate"}}
            block = {"r": {"provider": "aws.account1"}}
            content = {"terraform": {"backend": backend}, "resource": {"aws_iam_role": block}}
            (stack / "cdk.tf.json").write_text(json.dumps(content))
            (stack / "shown.json").write_text(json.dumps(shown))
        stacks = {name: {"synthesizedStackPath": f"stacks/{name}/cdk.tf.json"} for name in names}
        (self.out / "manifest.json").write_text(json.dumps({"stacks": stacks}))

    def stack(self, name: str) -> Path:
        return self.out / "stacks" / name

    def touch(self, name: str) -> None:
        """Declare a stack otherwise."""
        file = self.stack(name) / "cdk.tf.json"
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


def test_the_binary_that_a_variable_names_is_run(
    project: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin" / "terraform").rename(tmp_path / "bin" / "tofu")
    with pytest.raises(OperationError, match="Terraform is not installed"):
        plan(synthesized())
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tofu")
    plan(synthesized())
    assert apply(applicable()) == ["reports", "worker"]
    (project.stack("worker") / "shown.json").unlink()
    with pytest.raises(OperationError, match=r"^tofu show of worker failed"):
        plan(synthesized())
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", "tufo")
    with pytest.raises(OperationError, match="TERRAFORM_BINARY_NAME names 'tufo', which is not"):
        plan(synthesized())


def test_no_other_place_says_which_binary_that_is() -> None:
    sources = (PROJECT / "s3_links").rglob("*.py")
    starts = re.compile(r'\[\s*"terraform"\s*,|which\("terraform"\)')
    assert [file.name for file in sources if starts.search(file.read_text())] == []


def test_what_was_planned_is_applied(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    plan(synthesized())
    project.declare(
        "reports", "worker", "terraform-state"
    )  # synthesized anew, as `make apply` does
    assert apply(applicable()) == ["reports", "worker"]
    assert capsys.readouterr().out.count("applied") == 2
    assert left() == {"plans"}


def test_a_stack_is_initialized_again_only_where_something_has_changed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    stack = project.stack("worker")

    def initialized() -> int:
        plan(synthesized(["worker"]))
        return len((stack / "inits").read_text().splitlines())

    assert [initialized(), initialized()] == [1, 1]
    content = json.loads((stack / "cdk.tf.json").read_text())
    content["resource"] = {}
    (stack / "cdk.tf.json").write_text(json.dumps(content))
    assert initialized() == 1
    content["terraform"]["backend"]["local"]["path"] = "elsewhere.tfstate"
    (stack / "cdk.tf.json").write_text(json.dumps(content))
    assert [initialized(), initialized()] == [2, 2]
    (stack / ".terraform.lock.hcl").write_text("another version")
    assert [initialized(), initialized()] == [3, 3]
    (stack / ".terraform" / "terraform.tfstate").write_text("another backend, by somebody else")
    assert [initialized(), initialized()] == [4, 4]
    provider = stack / ".terraform" / "providers" / "registry" / "hashicorp" / "aws" / "5" / "linux"
    provider.rmdir()
    assert [initialized(), initialized()] == [5, 5]
    binary = Path("bin/terraform").rename("bin/tofu").name
    monkeypatch.setenv("TERRAFORM_BINARY_NAME", binary)
    assert [initialized(), initialized()] == [6, 6]


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


def test_a_crash_in_the_summary_leaves_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan(synthesized())
    project.declare("reports", "worker", shown={"resource_changes": [{}]})
    with pytest.raises(KeyError):
        plan(synthesized())
    assert left() == set()
    project.declare("reports", "worker")

    def no_space(*_: object) -> str:
        raise OSError(28, "No space left on device", "summary.md")

    monkeypatch.setattr(planning, "as_markdown", no_space)
    with pytest.raises(OperationError, match=r"^summary\.md: cannot be written to \(No space left"):
        plan(synthesized())
    assert left() == set()
    with pytest.raises(OperationError, match=r"^plans: holds no plans: run `s3-links plan` first"):
        applicable()


def test_one_stack_that_cannot_be_planned_leaves_nothing(project: Project) -> None:
    plan(synthesized())
    (project.stack("worker") / "shown.json").unlink()
    with pytest.raises(OperationError, match="terraform show of worker failed"):
        plan(synthesized())
    assert left() == set()


def test_a_stack_that_is_synthesized_while_it_is_planned_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def meanwhile(*arguments: Any) -> str:
        project.touch("worker")
        return terraform(*arguments)

    monkeypatch.setattr(planning, "terraform", meanwhile)
    with pytest.raises(OperationError, match=r"^worker: was synthesized anew while it was planned"):
        plan(synthesized())


@pytest.mark.usefixtures("project")
def test_a_plan_that_is_put_in_another_s_place_while_one_is_applied_is_not_applied(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plan(synthesized())

    def meanwhile(stack: Stack) -> None:
        (PLANS / f"{stack.name}.tfplan").write_text("another")

    monkeypatch.setattr(applying, "initialize", meanwhile)
    with pytest.raises(OperationError, match="its plan is not the one that was summarized"):
        apply(applicable())
    assert "applied" not in capsys.readouterr().out


# As Terraform 1.11.4 prints it, once for each resource.
GONE = """
Error: Provider configuration not present

To work with aws_iam_role.r (orphan) its original provider configuration at
provider["registry.terraform.io/hashicorp/aws"].lake is required, but it has
been removed. This occurs when a provider configuration is removed while
objects created by that provider still exist in the state. Re-add the
provider configuration to destroy aws_iam_role.r (orphan), after which you
can remove the provider configuration again.
"""


def test_an_account_that_a_link_no_longer_names_is_named(project: Project) -> None:
    binary = project.out.parent / "bin" / "terraform"
    binary.write_text(
        f"#!/bin/sh\n[ $1 = init ] && exit\ncat >&2 <<'EOF'\n{GONE}{GONE}EOF\nexit 1\n"
    )
    with pytest.raises(OperationError) as raised:
        plan(synthesized(["reports"]))
    assert str(raised.value) == (
        "reports: its state holds what is in lake, an account that it no longer names: write it "
        "as it was, with the account's name, `s3-links destroy reports`, and declare it anew"
    )


WRONG: list[tuple[str, Callable[[Project], object], str]] = [
    (
        "a plan that was planned otherwise",
        lambda _: (PLANS / "worker.tfplan").write_text("another"),
        "worker: its plan is not the one that was summarized",
    ),
    (
        "another stack's plan under its name",
        lambda _: (PLANS / "reports.tfplan").replace(PLANS / "worker.tfplan"),
        "reports: its plan cannot be read (No such file or directory)\n"
        "worker: its plan is not the one that was summarized",
    ),
    (
        "a stack that is declared otherwise",
        lambda project: project.touch("reports"),
        "reports: is not declared as it was when it was planned",
    ),
    (
        "a stack that is not declared any more",
        lambda project: project.declare("worker"),
        "reports: is no longer declared",
    ),
    (
        "a plan that is not listed",
        lambda _: (PLANS / "more.tfplan").write_text(""),
        "more.tfplan: is not in the summary",
    ),
    (
        "no summary",
        lambda _: (PLANS / "summary.json").unlink(),
        "plans: holds no summary that can be read.",
    ),
    (
        "a part of a summary",
        lambda _: (PLANS / "summary.json").write_text("{"),
        "plans: holds no summary that can be read.",
    ),
    (
        "a summary that says nothing of plans",
        lambda _: (PLANS / "summary.json").write_text(json.dumps({"stacks": [], "refused": {}})),
        "plans: holds no summary that can be read.",
    ),
]


@pytest.mark.parametrize(
    ("change", "problem"), [pytest.param(change, told, id=id_) for id_, change, told in WRONG]
)
def test_nothing_else_is_applied(
    change: Callable[[Project], object], problem: str, project: Project
) -> None:
    plan(synthesized())
    prepared = applicable()
    change(project)
    for attempt in (applicable, lambda: apply(prepared)):
        with pytest.raises(OperationError) as refused:
            attempt()
        assert str(refused.value).startswith(problem)
        assert str(refused.value).endswith("Run `s3-links plan` again.")


@pytest.mark.usefixtures("project")
def test_a_plan_that_a_gate_refused_is_not_applied() -> None:
    plan(synthesized(), ["changes", "destroys"])
    with pytest.raises(OperationError) as refused:
        applicable()
    assert str(refused.value).splitlines() == [
        "reports: the gate 'changes' refused it: anything changes",
        "worker: the gate 'changes' refused it: anything changes",
        "Run `s3-links plan` again.",
    ]
    plan(synthesized(), ["destroys"])
    assert len(applicable()) == 2


def test_everything_that_is_wrong_is_told_at_once(project: Project) -> None:
    plan(synthesized(["reports"]), ["changes"])
    project.touch("reports")
    (PLANS / "reports.tfplan").unlink()
    (PLANS / "more.tfplan").write_text("")
    with pytest.raises(OperationError) as refused:
        applicable(["reports", "worker"])
    assert str(refused.value).splitlines() == [
        "more.tfplan: is not in the summary",
        "reports: the gate 'changes' refused it: anything changes",
        "reports: is not declared as it was when it was planned",
        "reports: its plan cannot be read (No such file or directory)",
        "worker: is not planned",
        "Run `s3-links plan` again.",
    ]


@pytest.mark.usefixtures("project")
def test_what_is_in_the_place_of_the_plans_is_not_removed(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    PLANS.symlink_to(kept)
    with pytest.raises(OperationError, match=r"^plans: cannot be written to \(File exists\): move"):
        plan(synthesized())
    assert left() == {"plans", "kept"}


# Runs of their own, which are interrupted.

RUN = """
import signal, sys
import s3_links.cli
from s3_links.operations import check, synthesis

signal.signal(signal.SIGINT, signal.default_int_handler)  # may be ignored where the tests run
check.check = lambda stacks, quiet=False: None  # asks AWS
synthesis.synthesize = lambda: None
s3_links.cli.main()
"""


def running(*arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", RUN, *arguments],
        env=os.environ | {"PYTHONPATH": f"{PROJECT}:{PROJECT / 'constructs'}"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize(
    ("argument", "code", "problem"),
    [
        ("--refuse=access", 0, ""),
        ("--refuse=changes", 2, "the gate 'changes' refused it: anything changes"),
        ("--summary-only", 0, "plans: holds a summary only"),
    ],
)
def test_an_exit_code_tells_each_end(argument: str, code: int, problem: str) -> None:
    planned = running("plan", argument)
    assert "### `reports`" in planned.communicate()[0]
    assert planned.returncode == code
    applied = running("apply")
    assert problem in applied.communicate()[1]
    assert applied.returncode == bool(problem)


def started(project: Project, command: str) -> subprocess.Popen[str]:
    """Start an operation; return it when Terraform works on the stack ``worker``."""
    (project.stack("worker") / f"wait-to-{command}").touch()
    process = running(command)
    wait_for((project.stack("worker") / "waiting").exists)
    return process


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def unlocked() -> bool:
    with Path(".plans.lock").open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True


def test_a_signal_that_comes_while_terraform_starts_is_passed_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Signalled(subprocess.Popen[str]):
        def __init__(self, *arguments: Any, **options: Any) -> None:
            super().__init__(*arguments, **options)
            interruption._interrupt(signal.SIGTERM, None)

    monkeypatch.setattr(interruption, "_received", [])
    monkeypatch.setattr(subprocess, "Popen", Signalled)
    assert interruption.run(["sleep", "60"]).returncode == -signal.SIGTERM


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_plan_leaves_nothing(number: signal.Signals, project: Project) -> None:
    plan(synthesized())
    process = started(project, "plan")
    with pytest.raises(OperationError, match="another `s3-links plan` or `apply` is running"):
        plan(synthesized())
    process.send_signal(number)
    assert process.communicate(timeout=60) == ("", "Interrupted.\n")
    assert process.returncode == 128 + number
    assert (project.stack("worker") / "stopped").read_text() == "stopped\n"
    assert left() == set()
    with pytest.raises(OperationError, match="holds no plans: run `s3-links plan` first"):
        applicable()


def test_what_a_killed_plan_leaves_is_not_applied_and_is_removed_by_the_next(
    project: Project,
) -> None:
    plan(synthesized())
    process = started(project, "plan")
    wait_for(lambda: list(Path().glob(".plans-*/reports.tfplan")))
    process.kill()
    process.communicate()
    wait_for(unlocked)  # what it was just starting has its files for a moment
    assert len(left()) == 1
    with pytest.raises(OperationError, match="holds no plans: run `s3-links plan` first"):
        applicable()
    (project.stack("worker") / "wait-to-plan").unlink()
    plan(synthesized())
    assert left() == {"plans"}
    with contextlib.suppress(ProcessLookupError):
        os.kill(int((project.stack("worker") / "waiting").read_text()), signal.SIGKILL)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_an_interrupted_apply_lets_terraform_save_the_state(
    number: signal.Signals, project: Project
) -> None:
    plan(synthesized())
    process = started(project, "apply")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 128 + number
    assert (project.stack("worker") / "stopped").read_text() == "stopped\n"
    assert out.startswith("applied ")  # the stack before
    assert err == "state saved\nInterrupted.\n"
