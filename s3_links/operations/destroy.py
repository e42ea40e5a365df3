"""Destroys a stack, also one that is no longer declared."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from . import key_policies, undeclared
from .joined import owners
from .markdown import as_markdown
from .plan import alone, planned
from .stack import declared
from .terraform import initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .stack import Stack


def destroy(stack: Stack, agreed: Callable[[str], None]) -> None:
    """Plan it, and destroy what the plan says; ``agreed`` is given its summary, and may raise.

    What was imported or is to be kept is not in that plan: Terraform forgets it afterwards. A key
    whose policy was taken over gets it back before: what that names is needed until then, and no
    plan to destroy the one may have the other left.
    """
    initialize(stack)
    state = _pulled(stack)
    if keys := key_policies.to_give_back(state, stack.content.get("output")):
        agreed("".join(_given_back(keys)))
        with alone():
            key_policies.give_back(stack, state, stack.content.get("output"))
            policies = [
                f"{resource['type']}.{resource['name']}"
                for resource in state["resources"]
                if resource["type"] == "aws_kms_key_policy"
                and any(i["attributes"]["key_id"] in keys for i in resource["instances"])
            ]
            terraform(stack, "state", "rm", *policies)
        state = _pulled(stack)
    goes, stays = undeclared.parted(state, stack.content.get("output"))
    # Of what stays nothing depends on what goes: what is targeted takes its dependents with it.
    targets = [f"-target={address}" for address in goes] if stays else []
    with alone(), tempfile.TemporaryDirectory(prefix="s3-destroy-") as folder:
        file = Path(folder) / "plan"
        told = "".join((*_staying(stays), *_shared(stack)))
        if goes or not stays:
            summary = planned(stack, file, "-destroy", *targets, whole=not targets)
            told = f"{as_markdown([summary])}{told}"
        agreed(told)
        if goes or not stays:
            print(terraform(stack, "apply", str(file)), end="")
        if stays:  # and what was looked up for what went, which would look like something left
            left = terraform(stack, "state", "list").split()
            terraform(stack, "state", "rm", *stays, *(a for a in left if a.startswith("data.")))


def _pulled(stack: Stack) -> dict[str, Any]:
    pulled = terraform(stack, "state", "pull")
    found: dict[str, Any] = json.loads(pulled) if pulled.strip() else {}
    return found


def _given_back(keys: list[str]) -> Iterator[str]:
    yield "First these keys get the policies back that they had before, without this link's\n"
    yield "statements, and Terraform forgets them:\n\n"
    yield from (f"- `{key}`\n" for key in keys)


def _staying(addresses: list[str]) -> Iterator[str]:
    if addresses:
        yield "\nThese stay as they are, and Terraform forgets them:\n\n"
        yield from (f"- `{address}`\n" for address in addresses)


def _shared(stack: Stack) -> Iterator[str]:
    """Yield what is to be known of the buckets that the stack shares with others."""
    shared = owners(declared().values())
    for owner in sorted(shared.get(stack.name, ())):
        yield (
            f"\nThe policies of what `{owner}` makes still name these roles, should somebody make "
            f"them anew: take `{stack.name}` out of the links file, and deploy `{owner}`.\n"
        )
    if left := sorted(name for name, theirs in shared.items() if stack.name in theirs):
        names = ", ".join(f"`{name}`" for name in left)
        yield f"\nThese name its buckets, and reach nothing there any more: {names}.\n"


def destroy_undeclared(stack: Stack, agreed: Callable[[str], None]) -> None:
    """Destroy what an undeclared stack made; ``agreed`` is given the addresses, and may raise."""
    goes, stays = undeclared.contents(stack)
    told = "\n  ".join([f"{stack.name} is no longer declared. It made, and this destroys:", *goes])
    if stays:
        told += "\n" + "\n  ".join(["These stay as they are:", *stays])
    agreed(told)
    undeclared.destroy(stack)
