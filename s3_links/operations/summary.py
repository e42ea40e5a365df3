"""What a reviewer reads of a plan, and what a gate asks of it."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from s3_links.declarations.handed_over import IDENTITY, TRUST
from s3_links.synthesized.blocks import foreign_accounts

from .access import Access, difference, staying
from .guards import Guard, guards
from .moments import Moments
from .stack import OperationError
from .undecided import undecided

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .insiders import Insiders
    from .joined import Beside

_ACTIONS = {
    ("no-op",): "import",  # only those are told
    ("create",): "create",
    ("update",): "update",
    ("delete",): "delete",
    ("create", "delete"): "replace",
    ("delete", "create"): "replace",
    ("forget",): "forget",
}
GATES = {
    "changes": "anything changes",
    "destroys": "a resource is deleted or replaced",
    "access": "access appears, a guard weakens, or what may be access cannot be decided",
    "public": "everyone gets access, or anybody outside the declared accounts and organization",
    "data-loss": "a bucket or a key is deleted, force_destroy is on, or versioning is off",
}
"""What a pipeline can refuse."""


@dataclass(frozen=True)
class Change:
    """A resource that changes, and what happens to it.

    ``account`` is the alias, or the id of an account that has none, or ``?``.
    """

    account: str
    address: str
    action: str
    imported: bool
    changed_outside: bool


@dataclass(frozen=True)
class Summary:
    """What the plan of one stack does.

    ``to_merge`` names the outputs with statements for policies that somebody else owns. ``guards``
    are those that change, ``undecided`` is what nobody can say here: it counts as access. ``stays``
    is the access that the plan leaves as it is, ``accounts`` has their ids by their aliases.
    """

    stack: str
    changes: list[Change]
    appears: list[Access]
    disappears: list[Access]
    to_merge: list[str]
    guards: list[Guard] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)
    stays: list[Access] = field(default_factory=list)
    accounts: dict[str, str] = field(default_factory=dict)

    def refused(self, gates: Iterable[str]) -> list[str]:
        """Return the gates that this plan does not pass."""
        found = {
            "changes": bool(self.changes),
            "destroys": any(c.action in ("delete", "replace") for c in self.changes),
            # A refusal that goes away lets somebody in.
            "access": any(a.effect == "Allow" and not a.alone for a in self.appears)
            or any(a.effect == "Deny" for a in self.disappears)
            or any(guard.weakens for guard in self.guards)
            or bool(self.undecided),
            "public": any(a.public for a in (*self.appears, *self.disappears)),
            "data-loss": any(guard.data_loss for guard in self.guards),
        }
        return [gate for gate in gates if found[gate]]


def summarize(
    stack: str,
    plan: Mapping[str, Any],
    source: Mapping[str, Any],
    aliases: Mapping[str, str],
    declared: Insiders | None = None,
    beside: Beside | None = None,
    *,
    whole: bool = True,
) -> Summary:
    """Return the summary of a plan; see :class:`s3_links.operations.moments.Moments`.

    A plan that is not ``whole`` leaves something out on purpose.

    Raises :class:`OperationError` when the plan is not all that Terraform has to say, or when it
    says what is not understood here.
    """
    if problems := list(_unfit(plan, whole=whole)):
        raise OperationError("\n".join(f"{stack}: {problem}" for problem in problems))
    moments = Moments(plan, source, aliases, declared, beside)
    access = difference(moments)
    changes = plan.get("resource_changes", [])
    outside = {entry["address"]: entry["change"] for entry in plan.get("resource_drift", [])}
    return Summary(
        stack=stack,
        changes=[
            Change(
                account=moments.account(entry["address"]),
                address=entry["address"],
                action=_ACTIONS[tuple(entry["change"]["actions"])],
                imported="importing" in entry["change"],
                changed_outside=_repairs(entry["change"], outside.get(entry["address"])),
            )
            for entry in changes
            if entry["mode"] != "data"
            and (entry["change"]["actions"] != ["no-op"] or "importing" in entry["change"])
        ],
        appears=access.appears,
        disappears=access.disappears,
        to_merge=to_merge(source),
        guards=guards(plan, moments),
        undecided=[*access.undecided, *undecided(plan, moments)],
        stays=staying(moments, access.appears),
        accounts=moments.accounts,
    )


def to_merge(source: Mapping[str, Any]) -> list[str]:
    """Return the outputs of a stack with statements for policies that somebody else owns."""
    foreign = foreign_accounts(source)
    return [
        name
        for name in source.get("output", {})
        if "_policy_to_merge_" in name or (foreign and name.startswith((IDENTITY, TRUST)))
    ]


def _repairs(change: Mapping[str, Any], drift: Mapping[str, Any] | None) -> bool:
    """Whether a change undoes what was changed outside of Terraform.

    Terraform lists every attribute that AWS completed as well; what counts is what it repairs.
    """
    if drift is None:
        return False
    if "delete" in drift["actions"]:
        return True
    return bool(_differing(drift) & _differing(change))


def _differing(change: Mapping[str, Any]) -> set[str]:
    before, after = change.get("before") or {}, change.get("after") or {}
    names = {*before, *after, *(change.get("after_unknown") or {})}
    return {name for name in names if before.get(name) != after.get(name)}


def _unfit(plan: Mapping[str, Any], *, whole: bool) -> Iterator[str]:
    if plan.get("errored"):
        yield "Terraform could not complete the plan: mend what it says, and plan again"
    if whole and plan.get("complete") is False:
        yield "Terraform leaves changes out of the plan: plan all of them"
    for entry in plan.get("deferred_changes") or []:
        address = entry.get("resource_change", {}).get("address", "?")
        yield f"{address}: Terraform puts this change off: nobody can say what it will do"
    for entry in plan.get("resource_changes", []):
        actions = entry["change"]["actions"]
        if entry["mode"] != "data" and tuple(actions) not in _ACTIONS:
            yield (
                f"{entry['address']}: the actions {actions} are not known here: plan with another "
                "version of Terraform"
            )


def as_json(
    summaries: Sequence[Summary],
    gates: Sequence[str],
    plans: Mapping[str, Mapping[str, str]] | None,
) -> str:
    """Return the summaries for a machine.

    ``plans`` has, by the stack's name, the digests of its plan and of its synthesized JSON; without
    it nothing can be applied.
    """
    content = {
        "stacks": [_values(summary) for summary in summaries],
        "refused": {s.stack: refused for s in summaries if (refused := s.refused(gates))},
        "applicable": plans is not None,
        "plans": plans or {},
    }
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _values(summary: Summary) -> dict[str, Any]:
    typed = {
        side: [access.values() for access in getattr(summary, side)]
        for side in ("appears", "disappears", "stays")
    }
    return asdict(summary) | typed
