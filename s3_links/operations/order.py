"""In which order stacks are deployed: each after those that make what it looks up or shares."""

from __future__ import annotations

from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks

from .joined import owners
from .stack import OperationError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .stack import Stack


def in_order(stacks: Sequence[Stack]) -> list[Stack]:
    """Return the stacks so that each comes after those that make the roles which it looks up.

    And after those that write the policies of the buckets which it shares.
    """
    by_name = {stack.name: stack for stack in stacks}
    try:
        return [by_name[name] for name in TopologicalSorter(needed(stacks)).static_order()]
    except CycleError as error:
        raise OperationError(
            f"{' and '.join(dict.fromkeys(error.args[1]))} need roles or buckets of each "
            "other: neither can be deployed first"
        ) from None


def needed(stacks: Sequence[Stack]) -> dict[str, set[str]]:
    """Return by the stacks' names those that have to be deployed before each."""
    made = {key: stack.name for stack in stacks for key in roles_of(stack.content, "aws_iam_role")}
    theirs = owners(stacks)
    return {
        stack.name: {made[key] for key in _looked_up(stack.content) & set(made)} - {stack.name}
        | theirs[stack.name]
        for stack in stacks
    }


def _looked_up(source: Mapping[str, Any]) -> set[tuple[str, str]]:
    """Return the roles that a stack expects to find, by the account's alias and the name."""
    attaches = "aws_iam_role_policy_attachment"
    blocks = Blocks(declared_blocks(source), aliases_of(source), source)
    told = {
        (blocks.place(address), arn.rpartition("/")[2])
        for address in blocks.of(attaches)
        if (arn := blocks.told("role", address))
    }
    return told | roles_of(source, "data.aws_iam_role")


def roles_of(stack: Mapping[str, Any], *types: str) -> set[tuple[str, str]]:
    """Return the roles that a stack has blocks of these types of: alias and name."""
    blocks = Blocks(declared_blocks(stack), aliases_of(stack), stack)
    return {(blocks.place(a), blocks.attribute(a, "name")) for a in blocks.of(*types)}
