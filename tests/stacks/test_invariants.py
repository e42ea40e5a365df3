"""The rules hold for the stacks, and each rule sees what breaks it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support import invariants
from tests.support.invariants import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.cost("synthesized")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_reference_stack_keeps_it(
    rule: Callable[[dict[str, Any]], list[str]], synthesized: dict[str, Any]
) -> None:
    assert rule(synthesized) == []


def with_statement(**statement: Any) -> dict[str, Any]:
    return {"data": {"aws_iam_policy_document": {"document": {"statement": [statement]}}}}


def principal(*identifiers: str, type_: str = "AWS") -> list[dict[str, Any]]:
    return [{"type": type_, "identifiers": list(identifiers)}]


PROVIDERS = {"aws": [{"alias": "account1"}]}
BREAKING = [
    (invariants.every_provider_has_an_alias, {"provider": {"aws": [{"region": "eu-west-1"}]}}),
    (
        invariants.every_block_names_an_alias,
        {"provider": PROVIDERS, "resource": {"aws_vpc": {"vpc": {}}}},
    ),
    (
        invariants.every_block_names_an_alias,
        {"provider": PROVIDERS, "data": {"aws_ami": {"ami": {"provider": "aws.account2"}}}},
    ),
    (invariants.no_wildcard_principal, with_statement(principals=principal("*"))),
    (invariants.no_wildcard_principal, with_statement(principals=principal("a", type_="*"))),
    *(
        (
            invariants.no_wildcard_principal,
            with_statement(
                principals=principal("*", type_="*"),
                condition=[{"test": test, "variable": variable, "values": [value]}],
            ),
        )
        for test, variable, value in (
            ("StringEquals", "aws:PrincipalOrgID", "o-*"),
            ("StringLike", "aws:PrincipalOrgID", "o-a1b2c3d4e5"),
            ("StringEquals", "aws:PrincipalOrgPaths", "o-a1b2c3d4e5/r-ab12/"),
        )
    ),
    (invariants.no_wildcard_action, with_statement(actions=["s3:*"])),
    (invariants.no_wildcard_action, with_statement(actions=["*"])),
    (invariants.no_wildcard_resource, with_statement(resources=["*"])),
    (invariants.no_wildcard_resource, with_statement(resources=["arn:aws:s3:::*"])),
    (invariants.no_wildcard_resource, with_statement(resources=["arn:aws:s3:::b*/*"])),
    (invariants.nothing_negated, with_statement(not_actions=["s3:DeleteBucket"])),
    (
        invariants.no_absolute_path,
        {"terraform": {"backend": {"local": {"path": "/home/someone/terraform.tfstate"}}}},
    ),
]


@pytest.mark.parametrize(("rule", "stack"), BREAKING)
def test_each_rule_sees_what_breaks_it(
    rule: Callable[[dict[str, Any]], list[str]], stack: dict[str, Any]
) -> None:
    assert rule(stack) != []


def test_each_rule_has_a_case_that_breaks_it() -> None:
    assert {rule for rule, _ in BREAKING} == set(RULES)
