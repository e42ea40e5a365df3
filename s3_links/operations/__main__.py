"""``python -m s3_links.operations``: what the make targets call. ``make help`` lists those."""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
from typing import TYPE_CHECKING

from s3_links.declarations import read_links
from s3_links.declarations.errors import ConfigurationError
from s3_links.declarations.pipeline import STACK as PIPELINE_STACK

from . import (
    accounts,
    apply,
    environment,
    existing,
    oidc,
    plan,
    report,
    state,
    undeclared,
)
from .interruption import Interrupted, catch
from .stack import OperationError, Stack, declared, synthesized
from .summary import GATES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

REFUSED = 2
"""The exit code of a plan that a gate refuses; 1 is an error."""


def main() -> int:
    """Run a command; return its exit code."""
    catch()
    arguments = _arguments()
    commands: dict[str, Callable[[argparse.Namespace, list[Stack]], int]] = {
        "check": _check,
        "plan": _plan,
        "apply": _apply,
        "destroy": _destroy,
        "move-state": _move_state,
        "unlock": _unlock,
        "credentials": _credentials,
        "report": _report,
    }
    try:
        return commands[arguments.command](arguments, _stacks(arguments))
    except (ConfigurationError, OperationError) as error:
        print(error, file=sys.stderr)
        return 1
    except Interrupted as error:
        print(error, file=sys.stderr)
        return error.code


def _stacks(arguments: argparse.Namespace) -> list[Stack]:
    if arguments.command == "report":
        return []
    if changed := environment.problems():
        raise OperationError("\n".join(changed))
    if arguments.command == "destroy":  # its stack need not be declared
        return []
    select = apply.applicable if arguments.command == "apply" else synthesized
    return select(arguments.stacks)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m s3_links.operations", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    for name, text in (
        ("check", "show which account each alias reaches, and stop when it is the wrong one"),
        ("plan", "plan into the folder plans, and summarize it"),
        ("apply", "apply the plans in that folder"),
        ("destroy", "destroy one stack, also one that is no longer declared"),
        ("move-state", "move a local state into the configured backend"),
        ("unlock", "remove the lock that a killed run left"),
        ("report", "show the plans' summary to the reviewers of this pipeline"),
        ("credentials", "write profiles with the session of a pipeline's role"),
    ):
        command = commands.add_parser(name, help=text, description=text)
        if name == "credentials":  # those of the stack that creates the roles
            command.set_defaults(stacks=[PIPELINE_STACK])
        elif name == "destroy":
            command.set_defaults(stacks=[])
            command.add_argument("stack", nargs="?", help="the stack's name")
            command.add_argument("--cdktf", default="", help="arguments for the cdktf command")
        else:
            command.add_argument("stacks", nargs="*", help="the stacks' names (default: all)")
        if name == "plan":
            command.add_argument(
                "--refuse",
                action="append",
                default=[],
                choices=GATES,
                help="exit with 2 if "
                + ", ".join(f"{what} ({gate})" for gate, what in GATES.items()),
            )
            command.add_argument(
                "--summary-only",
                action="store_true",
                help="leave the summary of the plans only, which cannot be applied",
            )
            command.add_argument("--note", default="", help="a line above the summary")
        if name == "check":
            command.add_argument("--one", action="store_true", help="refuse more than one stack")
        if name == "unlock":
            command.add_argument("--id", required=True, help="the lock's id")
        if name == "credentials":
            command.add_argument("--role", required=True, choices=("plan", "deploy"))
    return parser.parse_args()


def _check(arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    if arguments.one:
        _refuse_several(stacks)
    check(stacks)
    return 0


def _refuse_several(stacks: Sequence[Stack]) -> None:
    if len(stacks) > 1:
        names = ", ".join(stack.name for stack in stacks)
        raise OperationError(f"name one stack, LINK=...: there are {names}")


def check(stacks: Sequence[Stack]) -> None:
    """Print which account each alias reaches; raise :class:`OperationError` with what is wrong."""
    problems = []
    for line in environment.endpoints():
        print(line)
    reached = accounts.reached(stacks)
    for entry in reached:
        pinned = "pinned" if entry.pinned else "not pinned"
        if entry.account:
            print(f"{entry.alias}: account {entry.account} ({pinned}) as {entry.caller}")
        if entry.problem:
            problems.append(f"{entry.alias}: {entry.problem}")
    for stack in stacks if not problems else ():
        problems += _state_problems(stack)
    if not problems:
        problems += _existing(stacks, {entry.alias: entry.account for entry in reached})
        for name in undeclared.undeclared(declared().values()):
            print(
                f"{name}: is deployed, but no longer declared: declare it again, or destroy it, "
                f"which works without its declaration: `make destroy LINK={name}`"
            )
    if problems:
        raise OperationError("\n".join(dict.fromkeys(problems)))


def _existing(stacks: Sequence[Stack], reached: Mapping[str, str]) -> list[str]:
    """Tell what is found of what the links expect; return what stops a plan."""
    read = read_links.declared()
    found = existing.findings(stacks, read.links if read else {}, reached)
    for finding in found:
        if not finding.stops:
            print(finding)
    return [str(finding) for finding in found if finding.stops]


def _state_problems(stack: Stack) -> list[str]:
    found = []
    for look in (state.problem, state.locked):
        try:
            found.append(look(stack))
        except OperationError as error:
            found.append(str(error))
    return [problem for problem in found if problem]


def _plan(arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    check(stacks)
    summaries = plan.plan(
        stacks, arguments.refuse, summary_only=arguments.summary_only, note=arguments.note
    )
    print((plan.PLANS / "summary.md").read_text(encoding="utf-8"), end="")
    refused = [
        f"{summary.stack}: {GATES[gate]}"
        for summary in summaries
        for gate in summary.refused(arguments.refuse)
    ]
    if refused:
        print("Refused:", *refused, sep="\n  ", file=sys.stderr)
        return REFUSED
    return 0


def _apply(_arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    check(stacks)
    print("Applied:", ", ".join(apply.apply(stacks)))
    return 0


def _destroy(arguments: argparse.Namespace, _stacks: list[Stack]) -> int:
    gone = undeclared.undeclared(declared().values()).get(arguments.stack)
    if gone is None:
        stacks = synthesized([arguments.stack] if arguments.stack else [])
        _refuse_several(stacks)
        check(stacks)
        return subprocess.call(["cdktf", "destroy", stacks[0].name, *shlex.split(arguments.cdktf)])
    goes, stays = undeclared.contents(gone)
    print(f"{gone.name} is no longer declared. It made, and this destroys:", *goes, sep="\n  ")
    if stays:
        print("It took over, and these stay as they are:", *stays, sep="\n  ")
    if "--auto-approve" not in arguments.cdktf and not _agreed():
        raise OperationError("Nothing was destroyed.")
    undeclared.destroy(gone)
    return 0


def _agreed() -> bool:
    try:
        return input("Only yes is taken: ") == "yes"
    except EOFError:  # nobody is there to answer
        return False


def _move_state(_arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    for stack in stacks:
        print(f"{stack.name}: the state is moved from {state.move(stack)}")
    return 0


def _unlock(arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    (stack,) = stacks
    state.unlock(stack, arguments.id)
    print(f"{stack.name}: unlocked")
    return 0


def _credentials(arguments: argparse.Namespace, stacks: list[Stack]) -> int:
    (stack,) = stacks
    for profile, arn in oidc.write_credentials(stack, arguments.role).items():
        print(f"{profile}: {arn}")
    return 0


def _report(_arguments: argparse.Namespace, _stacks: list[Stack]) -> int:
    print("The summary is in", " and ".join(report.report()) or "plans/summary.md")
    return 0


if __name__ == "__main__":
    sys.exit(main())
