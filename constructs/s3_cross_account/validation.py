"""Checks that a construct can make only when everything is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import constructs
import jsii

if TYPE_CHECKING:
    from collections.abc import Callable


@jsii.implements(constructs.IValidation)
class _Validation:
    def __init__(self, problems: Callable[[], list[str]]) -> None:
        self._problems = problems

    def validate(self) -> list[str]:
        return self._problems()


def add_validation(construct: constructs.Construct, problems: Callable[[], list[str]]) -> None:
    """Have ``construct`` report ``problems`` when its stack is validated, before it is written."""
    construct.node.add_validation(_Validation(problems))
