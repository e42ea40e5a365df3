"""Summarizes a plan that was made elsewhere, as ``terraform show -json`` prints it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .plan import declared_aliases
from .stack import OperationError
from .summary import Summary, summarize

if TYPE_CHECKING:
    from pathlib import Path


def summarized(plan: Path, stack: Path) -> Summary:
    """Return the summary of a plan of the stack whose synthesized JSON is in ``stack``.

    A plan does not say through which provider Terraform deletes what is no longer declared: the
    account of such a resource is shown as ``?``.
    """
    shown, source = _object(plan), _object(stack)
    if "planned_values" not in shown:
        raise OperationError(f"{plan}: is no plan: give what `terraform show -json PLAN` prints")
    if "terraform" not in source:
        raise OperationError(f"{stack}: is no synthesized stack: give its cdk.tf.json")
    return summarize(stack.absolute().parent.name, shown, source, declared_aliases(source))


def _object(file: Path) -> dict[str, Any]:
    try:
        content = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise OperationError(f"{file}: cannot be read ({error.strerror})") from None
    except ValueError:
        content = None
    if not isinstance(content, dict):
        raise OperationError(f"{file}: holds no JSON object")
    return content
