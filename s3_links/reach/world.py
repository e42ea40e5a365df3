"""The documents that decide: whose policies, on which resources, in which accounts.

What is not here is not known. A part that is known to be missing is said so (``policy=None`` on a
bucket means that it has none).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from s3_cross_account.reading import Unreadable, read

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_cross_account.policy import Statement

    from .principals import Principal

DocumentKind = Literal[
    "identity policy",
    "permissions boundary",
    "session policy",
    "bucket policy",
    "key policy",
    "trust policy",
    "service control policy",
    "resource control policy",
    "VPC endpoint policy",
]


@dataclass(frozen=True, kw_only=True)
class Document:
    """One policy document: where it stands, and its statements."""

    kind: DocumentKind
    account: str
    name: str
    statements: tuple[Statement | Unreadable, ...]


def document(kind: DocumentKind, account: str, name: str, content: Any) -> Document:
    """Return a document of what AWS or a plan holds: JSON text, or parsed."""
    return Document(kind=kind, account=account, name=name, statements=read(content))


@dataclass(frozen=True, kw_only=True)
class Identity:
    """What a user or a role may do by itself."""

    policies: tuple[Document, ...] = ()
    boundary: Document | None = None
    session_policy: Document | None = None
    tags: Mapping[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A bucket, a key or a role that is assumed: its owner's account and its own policy.

    ``other_grants`` says what else may let somebody in and is not evaluated: a key's grants, a
    bucket's access points.
    """

    arn: str
    account: str
    policy: Document | None = None
    other_grants: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bucket(Resource):
    """A bucket. ``None`` where a setting is not known.

    ``restrict_public`` is ``RestrictPublicBuckets`` of the bucket's or the account's public access
    block. The block's other settings refuse configurations, not requests.
    """

    restrict_public: bool | None = False
    ownership: Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] | None = (
        "BucketOwnerEnforced"
    )


Levels = tuple[tuple[Document, ...], ...]


@dataclass(frozen=True, kw_only=True)
class World:
    """Everything that is known, by whom and what it is attached to.

    ``service_control`` and ``resource_control`` hold, by account, the policies of each level of its
    organization, from the root down. An account that is not in them has none.
    """

    identities: Mapping[Principal, Identity] = field(default_factory=dict)
    resources: Mapping[str, Resource] = field(default_factory=dict)
    service_control: Mapping[str, Levels] = field(default_factory=dict)
    resource_control: Mapping[str, Levels] = field(default_factory=dict)
    endpoints: Mapping[str, Document] = field(default_factory=dict)

    def resource(self, arn: str) -> Resource | None:
        """Return the bucket (also of an object's ARN), key or role with ``arn``."""
        head = arn.split("/", 1)[0] if ":s3:::" in arn else arn
        return self.resources.get(head)


@dataclass(frozen=True, kw_only=True)
class Request:
    """Who wants to do what to what; ``context`` is what is known of the request's keys.

    A key with no values is known to be absent, a key that is not there is not known. ``endpoint``
    is the VPC endpoint that it goes through.
    """

    principal: Principal
    action: str
    resource: str
    context: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    endpoint: str | None = None
