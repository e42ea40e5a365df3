"""What the grants of a KMS key let.

Follows "Grants in AWS KMS" in the AWS KMS Developer Guide. "Troubleshooting key access" there says
that a grant may stand in the place of an IAM policy, of a key of another account too. Whether one
by itself is enough no document says plainly: what depends on one is not decided here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .logic import Formula, Unknown, some

if TYPE_CHECKING:
    from s3_links.world import KeyGrant, Request, Resource

_CONTEXT = "kms:EncryptionContext:"


def let(resource: Resource, request: Request) -> Formula:
    """Return whether a grant lets a request, as far as one can tell."""
    possible = [grant for grant in resource.grants if _speaks_of(grant, request)]
    return some(*(Unknown(f"{grant.name} allows it") for grant in possible))


def _speaks_of(grant: KeyGrant, request: Request) -> bool:
    if grant.actions is not None and request.action not in grant.actions:
        return False
    known = {
        key[len(_CONTEXT) :]: values
        for key, values in request.context.items()
        if key.startswith(_CONTEXT)
    }
    if grant.whole_context and known.keys() - dict(grant.context).keys():
        return False
    return all(
        any(_same(value, asked) for asked in known.get(key, (value,)))
        for key, value in grant.context
    )


def _same(value: str, asked: str) -> bool:
    """Return whether both may be the same: ``*`` at the end is any key of a bucket."""
    return value == asked or (asked.endswith("*") and value.startswith(asked[:-1]))
