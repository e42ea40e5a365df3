"""Plans the stacks into files, and applies exactly those plans."""

from __future__ import annotations

import json
import re
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

from .stack import OperationError, Stack
from .summary import Summary, as_json, as_markdown, summarize
from .terraform import initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Sequence

PLANS = Path("plans")
"""Holds a ``.tfplan`` for each stack, ``summary.md`` for people and ``summary.json``."""
_ALIAS = re.compile(r"\.([A-Za-z0-9_-]+)$")


def plan(stacks: Sequence[Stack], gates: Sequence[str] = ()) -> list[Summary]:
    """Plan every stack and write what the plans do; with an error, nothing is left to apply."""
    shutil.rmtree(PLANS, ignore_errors=True)
    try:
        PLANS.mkdir()
    except OSError as error:
        raise OperationError(
            f"{PLANS}: cannot be written to ({error.strerror}): move it away"
        ) from None
    with ThreadPoolExecutor(max_workers=4) as pool:
        outcomes = list(pool.map(_plan_or_problem, stacks))
    summaries = [outcome for outcome in outcomes if isinstance(outcome, Summary)]
    problems = [outcome for outcome in outcomes if isinstance(outcome, str)]
    if problems:
        shutil.rmtree(PLANS)
        raise OperationError("\n".join(problems))
    (PLANS / "summary.md").write_text(as_markdown(summaries), encoding="utf-8")
    (PLANS / "summary.json").write_text(as_json(summaries, gates), encoding="utf-8")
    return summaries


def apply(stacks: Sequence[Stack]) -> list[str]:
    """Apply the plans that :func:`plan` wrote, and return the names of the stacks."""
    planned = [(stack, _file(stack)) for stack in stacks if _file(stack).exists()]
    if not planned:
        raise OperationError(f"{PLANS}: holds no plans: run `make plan` first")
    for stack, file in planned:
        initialize(stack)
        try:
            print(terraform(stack, "apply", str(file)), end="")
        except OperationError as error:
            raise OperationError(f"{error}{_remedy(stack, str(error))}") from None
    return [stack.name for stack, _ in planned]


def _remedy(stack: Stack, said: str) -> str:
    """Return a line that says what to do about a plan that Terraform did not apply."""
    if "Saved plan is stale" in said or "not a valid zip file" in said:
        return "\nRun `make plan` again."
    if "kms:CreateKey" in said:
        return (
            "\nNo role of a pipeline may: only an administrator makes new keys: "
            f"`make deploy LINK={stack.name}` does that, and what this run did not finish."
        )
    return ""


def _plan_or_problem(stack: Stack) -> Summary | str:
    try:
        return _plan(stack)
    except OperationError as error:
        return str(error)


def _plan(stack: Stack) -> Summary:
    initialize(stack)
    # Without a lock a role that may only read can plan; Terraform refuses to apply a stale plan.
    terraform(stack, "plan", "-lock=false", f"-out={_file(stack)}")
    shown = json.loads(terraform(stack, "show", "-json", str(_file(stack))))
    aliases = _declared_aliases(stack)
    if any(entry["address"] not in aliases for entry in shown.get("resource_changes", [])):
        aliases = _aliases_of_state(stack) | aliases
    return summarize(stack.name, shown, stack.content, aliases)


def _file(stack: Stack) -> Path:
    return PLANS.absolute() / f"{stack.name}.tfplan"


def _declared_aliases(stack: Stack) -> dict[str, str]:
    """Return the provider alias of each address that the stack declares."""
    return {
        f"{data}{type_}.{name}": block["provider"].partition(".")[2]
        for section, data in (("resource", ""), ("data", "data."))
        for type_, blocks in stack.content.get(section, {}).items()
        for name, block in blocks.items()
    }


def _aliases_of_state(stack: Stack) -> dict[str, str]:
    """Return the provider alias of each address in the state: a plan does not show it."""
    text = terraform(stack, "state", "pull")
    found = {}
    for resource in json.loads(text).get("resources", []) if text.strip() else []:
        data = "data." if resource["mode"] == "data" else ""
        if alias := _ALIAS.search(resource["provider"]):
            found[f"{data}{resource['type']}.{resource['name']}"] = alias[1]
    return found
