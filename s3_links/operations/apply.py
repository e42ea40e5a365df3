"""Applies exactly the plans that were summarized."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import BaseModel, ValidationError

from .plan import PLANS, alone, plan_file
from .stack import OperationError, Stack, declared, digest
from .summary import GATES
from .terraform import initialize, terraform

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

_AGAIN = "Run `s3-links plan` again."


class _Planned(BaseModel):
    plan: str
    stack: str


class _Summary(BaseModel):
    """What ``summary.json`` says for a machine; see :func:`s3_links.operations.summary.as_json`."""

    applicable: bool
    plans: dict[str, _Planned]
    refused: dict[str, list[str]]


def applicable(names: Sequence[str] = ()) -> list[Stack]:
    """Return the stacks with these names, or all that were planned, if they can be applied.

    That is, if what is in :data:`PLANS`, and what is declared, is what was summarized and passed
    its gates. Else :class:`OperationError` says all that is not.
    """
    if not PLANS.exists():
        raise OperationError(f"{PLANS}: holds no plans: run `s3-links plan` first")
    summary = _summary()
    stacks = declared()
    problems = [
        f"{file.name}: is not in the summary"
        for file in sorted(PLANS.glob("*.tfplan"))
        if file.stem not in summary.plans
    ]
    chosen = list(dict.fromkeys(names or summary.plans))
    for name in chosen:
        problems += _problems(name, summary, stacks.get(name))
    _require(problems)
    return [stacks[name] for name in chosen]


def apply(stacks: Sequence[Stack], progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Apply the plans of the stacks, all of which must be applicable; return their names.

    ``progress`` is told how far it is.
    """
    with alone():
        names = [stack.name for stack in stacks]
        for number, stack in enumerate(applicable(names), 1):
            progress(f"Applying {stack.name} ({number} of {len(names)}) ...")
            initialize(stack)
            # What was put in its place meanwhile is none of these.
            _require(_problems(stack.name, _summary(), stack))
            try:
                print(terraform(stack, "apply", str(plan_file(stack.name))), end="")
            except OperationError as error:
                raise OperationError(f"{error}{_remedy(stack, str(error))}") from None
    return names


def _require(problems: Iterable[str]) -> None:
    if found := list(problems):
        raise OperationError("\n".join([*found, _AGAIN]))


def _remedy(stack: Stack, said: str) -> str:
    """Return a line that says what to do about a plan that Terraform did not apply."""
    if "Saved plan is stale" in said:
        return f"\n{_AGAIN}"
    if "kms:CreateKey" in said:
        return (
            "\nNo role of a pipeline may: only an administrator makes new keys: "
            f"`s3-links deploy {stack.name}` does that, and what this run did not finish."
        )
    return ""


def _summary() -> _Summary:
    try:
        summary = _Summary.model_validate_json((PLANS / "summary.json").read_bytes())
    except (OSError, ValidationError):
        raise OperationError(f"{PLANS}: holds no summary that can be read. {_AGAIN}") from None
    if not summary.applicable:
        raise OperationError(
            f"{PLANS}: holds a summary only, of plans that were not made to be applied. {_AGAIN}"
        )
    return summary


def _problems(name: str, summary: _Summary, stack: Stack | None) -> Iterator[str]:
    planned = summary.plans.get(name)
    if planned is None:
        yield f"{name}: is not planned"
        return
    for gate in summary.refused.get(name, ()):
        yield f"{name}: the gate {gate!r} refused it: {GATES.get(gate, gate)}"
    if stack is None:
        yield f"{name}: is no longer declared"
    elif stack.digest != planned.stack:
        yield f"{name}: is not declared as it was when it was planned"
    try:
        if digest(plan_file(name).read_bytes()) != planned.plan:
            yield f"{name}: its plan is not the one that was summarized"
    except OSError as error:
        yield f"{name}: its plan cannot be read ({error.strerror})"
