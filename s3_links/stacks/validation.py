"""What the constructs of the stacks find wrong once everything is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.validation import problems_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cdktf import TerraformStack


def problems(stacks: Iterable[TerraformStack]) -> list[str]:
    """Return every problem of every stack, each with the path of its construct.

    cdktf validates one stack after the other while it writes them; this looks at all of them
    before anything is written. Only a stack that fails is walked: each step is a call to Node.js.
    """
    return [problem for stack in stacks for problem in _of(stack)]


def _of(stack: TerraformStack) -> list[str]:
    # Another stack has its accounts report to cdktf, with the path already.
    found = problems_of(getattr(stack, "checks", []))
    if not _valid(stack):
        found += [
            problem
            if problem.startswith(f"{stack.node.id}/")
            else f"{construct.node.path}: {problem}"
            for construct in stack.node.find_all()
            for problem in construct.node.validate()
        ]
    return found


def _valid(stack: TerraformStack) -> bool:
    try:
        stack.run_all_validations()
    except RuntimeError:
        return False
    return True
