"""Rules that hold for every synthesized stack. Each returns what breaks it."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Stack = dict[str, Any]


def blocks(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    for section in ("resource", "data"):
        for type_, named in stack.get(section, {}).items():
            for name, block in named.items():
                yield f"{section}.{type_}.{name}", block


def statements(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield our statements: those of a key policy that was taken over stand before them."""
    others = {}
    for policy in stack.get("resource", {}).get("aws_kms_key_policy", {}).values():
        taken = stack.get("output", {}).get(f"key_policy_taken_over_{policy['key_id']}")
        if taken is not None:
            name = policy["policy"].split(".")[2]
            others[name] = len(json.loads(taken["value"])["Statement"])
    for name, block in stack.get("data", {}).get("aws_iam_policy_document", {}).items():
        for statement in block.get("statement", [])[others.get(name, 0) :]:
            yield name, statement


def every_provider_has_an_alias(stack: Stack) -> list[str]:
    return [
        f"provider.{name}"
        for name, configurations in stack.get("provider", {}).items()
        for configuration in configurations
        if not configuration.get("alias")
    ]


def every_block_names_an_alias(stack: Stack) -> list[str]:
    declared = {
        f"{name}.{configuration.get('alias')}"
        for name, configurations in stack.get("provider", {}).items()
        for configuration in configurations
    }
    return [address for address, block in blocks(stack) if block.get("provider") not in declared]


def within_an_organization(statement: dict[str, Any]) -> bool:
    return any(
        (condition["test"], condition["variable"]) == ("StringEquals", "aws:PrincipalOrgID")
        and all(re.fullmatch(r"o-[a-z0-9]+", value) for value in condition["values"])
        for condition in statement.get("condition", [])
    )


def no_wildcard_principal(stack: Stack) -> list[str]:
    return [
        name
        for name, statement in statements(stack)
        if statement.get("effect") != "Deny" and not within_an_organization(statement)
        for principal in statement.get("principals", [])
        if "*" in [principal["type"], *principal["identifiers"]]
    ]


def no_wildcard_action(stack: Stack) -> list[str]:
    return [
        name
        for name, statement in statements(stack)
        if statement.get("effect") != "Deny"
        for action in statement.get("actions", [])
        if "*" in action
    ]


def no_wildcard_resource(stack: Stack) -> list[str]:
    """Report a ``*`` other than one that ends a bucket's objects: ``bucket/*`` or a prefix.

    Systems Manager puts the type of what it delivers before the account.
    """
    return [
        name
        for name, statement in statements(stack)
        for resource in statement.get("resources", [])
        if "*" in re.sub(r"(?<=.)/([^*]*)(\*/accountid=\d{12}/)?\*$", "", resource)
    ]


def nothing_negated(stack: Stack) -> list[str]:
    negated = {"not_actions", "not_principals", "not_resources"}
    return [name for name, statement in statements(stack) if negated & set(statement)]


def no_absolute_path(stack: Stack) -> list[str]:
    backends = stack.get("terraform", {}).get("backend", {})
    return [name for name, backend in backends.items() if json.dumps(backend).count('"/')]


RULES: tuple[Callable[[Stack], list[str]], ...] = (
    every_provider_has_an_alias,
    every_block_names_an_alias,
    no_wildcard_principal,
    no_wildcard_action,
    no_wildcard_resource,
    nothing_negated,
    no_absolute_path,
)
