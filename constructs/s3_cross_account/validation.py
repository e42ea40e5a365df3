"""Checks that a construct can make only when everything is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import constructs
import jsii

if TYPE_CHECKING:
    from collections.abc import Callable

    from .account import Account


Checks = list[tuple[constructs.Construct, "Callable[[], list[str]]"]]
"""Constructs, and what finds their problems once everything is declared."""


def problems_of(checks: Checks) -> list[str]:
    """Return every problem, each with the path of its construct."""
    return [
        f"{construct.node.path}: {problem}"
        for construct, problems in checks
        for problem in problems()
    ]


@jsii.implements(constructs.IValidation)
class _Validation:
    def __init__(self, account: Account) -> None:
        self._account = account

    def validate(self) -> list[str]:
        return problems_of(self._account.checks)


def add_validation(
    construct: constructs.Construct, account: Account, problems: Callable[[], list[str]]
) -> None:
    """Have what ``problems`` finds in ``construct`` reported when its stack is validated.

    Its account reports them, with the construct's path: one validation for all constructs of an
    account, as Node.js is asked for each when it is added and calls back for each. A stack with
    ``checks`` of its own reports those of its accounts.
    """
    if not account.checks and not account.validated_by_stack:
        account.node.add_validation(_Validation(account))
    account.checks.append((construct, problems))
