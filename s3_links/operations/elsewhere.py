"""Summarizes a plan that was made elsewhere, as ``terraform show -json`` prints it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import aliases_of

from .insiders import insiders
from .stack import OperationError, require_shape
from .summary import Summary, summarize
from .terraform import binary

if TYPE_CHECKING:
    from collections.abc import Collection
    from pathlib import Path


def summarized(plan: Path, stack: Path, organizations: Collection[str] = ()) -> Summary:
    """Return the summary of a plan of the stack whose synthesized JSON is in ``stack``.

    ``organizations`` are those whose members are no outsiders, if not those that the stack's own
    policies ask everybody to be in.
    """
    shown, source = _object(plan), _object(stack)
    if "planned_values" not in shown:
        raise OperationError(f"{plan}: is no plan: give what `{binary()} show -json PLAN` prints")
    if "terraform" not in source:
        raise OperationError(f"{stack}: is no synthesized stack: give its cdk.tf.json")
    require_shape({stack: source})
    everybody = insiders([source])
    if organizations:
        everybody = replace(everybody, organizations=frozenset(organizations))
    return summarize(stack.absolute().parent.name, shown, source, aliases_of(source), everybody)


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
