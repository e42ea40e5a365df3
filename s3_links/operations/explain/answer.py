"""The answer to why: for a reader, and for a machine."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from s3_links.operations.labels import Labels
    from s3_links.world import Request

    from .reasons import Reason

Verdict = Literal["allowed", "refused", "undecided"]
EXIT_CODES: dict[Verdict, int] = {"allowed": 0, "refused": 2, "undecided": 3}
_TOLD: dict[Verdict, str] = {
    "allowed": "Allowed",
    "refused": "Refused",
    "undecided": "Cannot be decided",
}
# These have names of their own, the others are of something.
_NAMED = (
    *("identity policy", "permissions boundary", "service control policy"),
    *("resource control policy", "VPC endpoint policy"),
)


@dataclass(frozen=True, kw_only=True)
class Step:
    """One request of several: what lets it and what refuses it, or what it depends on.

    ``keys`` are the condition keys whose values would decide it.
    """

    request: Request
    verdict: Verdict
    lets: Sequence[Reason] = ()
    refuses: Sequence[Reason] = ()
    only_if: Sequence[Sequence[str]] = ()
    keys: Sequence[str] = ()
    notes: Sequence[str] = ()

    def values(self) -> dict[str, Any]:
        """Return it for a machine."""
        return {
            "principal": str(self.request.principal),
            "action": self.request.action,
            "resource": self.request.resource,
            "verdict": self.verdict,
            "lets": [asdict(reason) for reason in self.lets],
            "refuses": [asdict(reason) for reason in self.refuses],
            "only_if": self.only_if,
            "keys": self.keys,
            "notes": self.notes,
        }


@dataclass(frozen=True, kw_only=True)
class Answer:
    """All steps, what the declaration says, what could not be read, and the next command."""

    steps: Sequence[Step]
    declared: Sequence[str] = ()
    notes: Sequence[str] = ()
    unread: Sequence[str] = ()
    next: str = ""

    @property
    def verdict(self) -> Verdict:
        """The answer in a word: one refused step refuses all of it."""
        found = {step.verdict for step in self.steps}
        strongest: tuple[Verdict, ...] = ("refused", "undecided", "allowed")
        return next(verdict for verdict in strongest if verdict in found)

    @property
    def exit_code(self) -> int:
        """0 allowed, 2 refused, 3 cannot be decided."""
        return EXIT_CODES[self.verdict]

    def as_json(self) -> str:
        """Return it for a machine."""
        values = {
            "verdict": self.verdict,
            "steps": [step.values() for step in self.steps],
            "declared": self.declared,
            "notes": self.notes,
            "unread": self.unread,
            "next": self.next,
        }
        return json.dumps(values, indent=2, ensure_ascii=False) + "\n"

    def lines(self, labels: Labels) -> Iterator[str]:
        """Yield it for a reader: the verdict first, the next command last."""
        yield f"{_TOLD[self.verdict]}."
        for step in self.steps:
            yield ""
            yield from _of_step(step, labels)
        for title, lines in (
            ("Declared", self.declared),
            ("Notes", self.notes),
            ("Could not be read", self.unread),
        ):
            if lines:
                yield ""
                yield f"{title}:"
                yield from (f"  {line}" for line in lines)
        if self.next:
            yield ""
            yield f"Next: {self.next}"


def _of_step(step: Step, labels: Labels) -> Iterator[str]:
    request = step.request
    bucket, key = labels.target(request.resource)
    where = f"object {key} of {bucket}" if key else bucket
    who = labels.principal(str(request.principal.arn))
    yield f"{who}, {request.action} on {where}: {_TOLD[step.verdict].lower()}"
    for word, reasons in (("lets", step.lets), ("refuses", step.refuses)):
        for reason in reasons:
            yield f"  {word:8} {_told(reason, labels)}"
    for number, words in enumerate(step.only_if):
        yield f"  {'or if' if number else 'only if':8} {' and '.join(words)}"
    yield from (f"  {note}" for note in step.notes)


def _told(reason: Reason, labels: Labels) -> str:
    shown, key = labels.target(labels.principal(reason.of))
    of = f"{shown}/{key}" if key else shown
    if ":policy/" in of:
        of = of.rpartition("/")[2]
    if of.startswith(f"{reason.what} "):
        where = of
    elif reason.what in _NAMED and not of.startswith("role "):
        where = f"{reason.what} {of}"
    else:
        where = f"{reason.what} of {of}"
    if reason.account and not of.startswith("role "):
        where += f" ({labels.account(reason.account)})"
    statement = f", statement {reason.statement}" if reason.statement else ""
    return f"{where}{statement}" + (f": {reason.told}" if reason.told else "")
