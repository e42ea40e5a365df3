"""What differs between two worlds: the statements that only one of them has.

Access can only change where one of these covers a request, or where something else than a statement
has changed, which is said with ``None``: then anything may.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from s3_cross_account.reading import Unreadable
from s3_links.world import AccessPoint, Bucket, Document, Identity, Resource, World

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from s3_cross_account.policy import Statement

Statements = frozenset["Statement | Unreadable"]


def statements(world: World) -> Iterator[Statement | Unreadable]:
    """Yield every statement of every document."""
    documents: Iterable[Document | None] = chain(
        (
            document
            for identity in world.identities.values()
            for document in (*identity.policies, identity.boundary, identity.session_policy)
        ),
        (resource.policy for resource in world.resources.values()),
        (d for levels in world.service_control.values() for level in levels for d in level),
        (d for levels in world.resource_control.values() for level in levels for d in level),
        world.endpoints.values(),
    )
    return (statement for d in documents if d is not None for statement in d.statements)


def of(*documents: Document | None) -> Statements:
    """Return the documents' statements; no document has none."""
    return frozenset(s for document in documents if document for s in document.statements)


def in_identity(one: Identity | None, other: Identity | None) -> Statements | None:
    """Return the statements of one alone; ``None``: a limit appears or disappears."""
    one, other = one or Identity(), other or Identity()
    changed: Statements = frozenset()
    for ours, theirs in (
        (one.boundary, other.boundary),
        (one.session_policy, other.session_policy),
    ):
        if (ours is None) != (theirs is None):
            return None
        changed |= of(ours) ^ of(theirs)
    if one.tags != other.tags:
        return None
    return changed | (of(*one.policies) ^ of(*other.policies))


def letting_more(one: Identity | None, other: Identity | None) -> Statements:
    """Return the statements by which the other may let more: what is allowed now, or was denied.

    What cannot be read may be either. A limit that appears lets nothing.
    """
    one, other = one or Identity(), other or Identity()
    pairs = [(of(*one.policies), of(*other.policies))]
    pairs += [
        (of(was), of(now))
        for was, now in ((one.boundary, other.boundary), (one.session_policy, other.session_policy))
        if was and now
    ]
    return frozenset(
        statement
        for was, now in pairs
        for statement in was ^ now
        if isinstance(statement, Unreadable) or (statement.effect == "Deny") == (statement in was)
    )


def in_resource(one: Resource | None, other: Resource | None) -> Statements | None:
    """Return the statements of one alone; ``None``: it is new or gone, or a setting differs."""
    if one is None or other is None:
        return None
    changed = of(one.policy) ^ of(other.policy)
    public = any(isinstance(r, Bucket) and r.restrict_public is not False for r in (one, other))
    if _settings(one) != _settings(other) or (changed and public):
        return None
    return changed


def _settings(resource: Resource) -> tuple[object, ...]:
    common = (resource.account, resource.grants)
    if isinstance(resource, Bucket):
        return (*common, resource.restrict_public, resource.ownership)
    if isinstance(resource, AccessPoint):
        return (*common, resource.bucket, resource.vpc)
    return common
