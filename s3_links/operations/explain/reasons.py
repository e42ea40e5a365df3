"""What the documents say of a request: which let it, which refuse it, and what is nearly there."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from s3_cross_account.policy import Principal as Anybody
from s3_cross_account.reading import Unreadable
from s3_links.reach import context
from s3_links.reach.logic import alternatives
from s3_links.reach.statements import Asked, findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3_cross_account.policy import Statement
    from s3_links.reach.evaluate import Decision, Missing
    from s3_links.reach.statements import Finding
    from s3_links.world import Document, Principal, World

_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,}")
# What is most likely to have been meant comes first.
_NEAREST = (
    *("recreated-role", "condition", "other-action", "other-resource"),
    *("wrong-account", "other-principal"),
)
_EVERYBODY = (Anybody(type="*", identifiers=("*",)),)


@dataclass(frozen=True, kw_only=True)
class Reason:
    """What one document, or one setting, has to do with a request.

    ``what`` is the kind of the document, ``of`` its name or whose it is, ``statement`` the one that
    says so. ``told`` is why, in a reader's words, and ``cause`` for a machine.
    """

    what: str
    account: str
    of: str
    statement: str = ""
    told: str = ""
    cause: str = ""


def lets(decision: Decision) -> list[Reason]:
    """Return the statements that let a request, each with its conditions that are not known."""
    return [_found(f) for f in decision.findings if f.effect == "Allow" and _is_read(f)]


def refusals(world: World, decision: Decision) -> list[Reason]:
    """Return what refuses a request that is refused: statements, and halves that do not let it."""
    denies = [f for f in decision.findings if f.effect == "Deny" and _is_read(f)]
    certain = [f for f in denies if f.applies is True]
    found = [replace(_found(f), told="an explicit Deny", cause="explicit-deny") for f in certain]
    found += [_of_missing(world, decision, missing) for missing in decision.missing]
    return found or [
        replace(_found(f), told=f"Deny {_found(f).told}", cause="explicit-deny") for f in denies
    ]


def perhaps(decision: Decision) -> list[Reason]:
    """Return the statements that refuse a request under conditions which nobody knows of it."""
    return [_found(f) for f in decision.findings if f.effect == "Deny" and _is_read(f)]


def _is_read(finding: Finding) -> bool:
    return not isinstance(finding.statement, Unreadable) and finding.applies is not False


def _found(finding: Finding) -> Reason:
    document = finding.document
    only_if = alternatives(finding.applies)
    return Reason(
        what=document.kind,
        account=document.account,
        of=document.name,
        statement=_name(document, finding.statement),
        told=f"if {' or '.join(' and '.join(words) for words in only_if)}" if any(only_if) else "",
    )


def _name(document: Document, statement: Statement | Unreadable) -> str:
    sid = getattr(statement, "sid", None)
    return sid or f"number {document.statements.index(statement) + 1}"


def _of_missing(world: World, decision: Decision, missing: Missing) -> Reason:
    reason = Reason(what=missing.what, account=missing.account, of=missing.of)
    documents = list(_documents(world, decision.request.principal, missing))
    if not documents:
        return replace(reason, told="there is none", cause=f"no-{_code(missing.what)}")
    nearly = [one for d in documents for one in _nearly(world, decision, d)]
    if not nearly:
        told = "no statement of it lets this"
        return replace(reason, told=told, cause=f"not-in-{_code(missing.what)}")
    statement, told, cause = min(nearly, key=lambda one: _NEAREST.index(one[2]))
    return replace(reason, statement=statement, told=told, cause=cause)


def _code(kind: str) -> str:
    return kind.lower().replace(" ", "-")


def _documents(world: World, who: Principal, missing: Missing) -> Iterator[Document]:
    identity = world.identities.get(who.identity())
    resource = world.resource(missing.of)
    found: list[Document | None] = []
    if missing.what == "identity policy":
        yield from identity.policies if identity else ()
    elif missing.what in ("permissions boundary", "session policy") and identity:
        found += [identity.boundary, identity.session_policy]
    elif resource is not None:
        found.append(resource.policy)
    else:
        levels = (*world.service_control.values(), *world.resource_control.values())
        found += [d for of in levels for level in of for d in level]
        found += world.endpoints.values()
    for document in found:
        if document is not None and (document.kind, document.name) == (missing.what, missing.of):
            yield document


def _nearly(world: World, decision: Decision, document: Document) -> Iterator[tuple[str, str, str]]:
    """Yield the statements that one change would make let the request: name, what it is, cause."""
    request = decision.request
    resource = world.resource(request.resource)
    asked = Asked(
        who=request.principal,
        action=request.action,
        resource=request.resource,
        context=context.known(
            request, resource, world.identities.get(request.principal.identity())
        ),
        bounded=False,
    )
    for statement in document.statements:
        if isinstance(statement, Unreadable) or statement.effect == "Deny":
            continue
        for changed, told, cause in _changes(statement, asked):
            if findings(replace(document, statements=(changed,)), asked):
                yield _name(document, statement), told, cause


def _changes(statement: Statement, asked: Asked) -> Iterator[tuple[Statement, str, str]]:
    if statement.principals or statement.not_principals:
        changed = replace(statement, principals=_EVERYBODY, not_principals=())
        yield changed, *_principals(statement, asked.who)
    changed = replace(statement, actions=("*",), not_actions=())
    yield changed, f"is for {_listed(statement.actions, statement.not_actions)}", "other-action"
    changed = replace(statement, resources=("*",), not_resources=())
    told = f"is on {_listed(statement.resources, statement.not_resources)}"
    yield changed, told, "other-resource"
    for condition in statement.conditions:
        others = tuple(c for c in statement.conditions if c != condition)
        values = ", ".join(condition.values)
        known = asked.context.get(condition.variable.lower())
        told = f"its condition {condition.test} {condition.variable} {values} is not met"
        told += f" by {', '.join(known)}" if known else ""
        yield replace(statement, conditions=others), told, "condition"


def _listed(these: Iterable[str], all_but: Iterable[str]) -> str:
    these, all_but = list(these), list(all_but)
    return f"all but {', '.join(all_but)}" if all_but else ", ".join(these)


def _principals(statement: Statement, who: Principal) -> tuple[str, str]:
    """Return whom a statement names in the place of ``who``, and what that comes from."""
    names = [name for group in statement.principals for name in group.identifiers]
    stale = [name for name in names if _UNIQUE_ID.fullmatch(name)]
    if stale:
        told = (
            f"names {', '.join(stale)}, the unique id of a role or user that was deleted; "
            f"{who.name} has {who.unique_id or 'another'} now"
        )
        return told, "recreated-role"
    if any(_of_another_account(name, who) for name in names):
        return f"names {', '.join(names)}: another account's", "wrong-account"
    everybody_but = [name for group in statement.not_principals for name in group.identifiers]
    return f"names {_listed(names, everybody_but)}", "other-principal"


def _of_another_account(name: str, who: Principal) -> bool:
    return name.endswith(f"/{who.name}") and f"::{who.account}:" not in name
