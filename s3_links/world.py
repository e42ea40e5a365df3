"""Who asks, and the documents that decide: whose policies, on which resources, in which accounts.

What is not here is not known. A part that is known to be missing is said so (``policy=None`` on a
bucket means that it has none).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Literal

from s3_cross_account.reading import Unreadable, read
from s3_cross_account.through import objects_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_cross_account.policy import Statement


Kind = Literal["account", "user", "role", "service", "federated", "anonymous"]
PRINCIPAL_ARN = re.compile(
    r"arn:(?P<partition>[\w-]+):(?P<service>iam|sts)::(?P<account>[^:]*):"
    r"(?P<kind>root|user|role|assumed-role|federated-user)(?P<name>/.+)?"
)


@dataclass(frozen=True, kw_only=True)
class Principal:
    """Who makes a request.

    ``account`` is empty for a service and for the anonymous; kind ``account`` is the account's root
    user. A role acts in sessions: ``session`` is the session's name, and ``None`` means any.
    ``name`` is a service's or an identity provider's too, ``unique_id`` is its ``AROA…`` id. A role
    or a service without a name is any that no policy names; with a path, which is then that of an
    organization, any in there.
    """

    kind: Kind
    account: str = ""
    name: str = ""
    path: str = "/"
    session: str | None = None
    partition: str = "aws"
    unique_id: str | None = None

    @property
    def arn(self) -> str | None:
        """Its ARN as policies name it: a role's own, not its session's."""
        if not self.name and self.kind != "account":
            return None
        prefix = f"arn:{self.partition}:iam::{self.account}:"
        match self.kind:
            case "account":
                return f"{prefix}root"
            case "user" | "role":
                return f"{prefix}{self.kind}{self.path}{self.name}"
            case "federated":
                return self.name
        return None

    def session_arn(self) -> str | None:
        """Return the ARN of a role's session with a known name."""
        if self.kind != "role" or self.session is None:
            return None
        name = f"{self.name}/{self.session}"
        return f"arn:{self.partition}:sts::{self.account}:assumed-role/{name}"

    def __str__(self) -> str:
        if self.kind == "role" and not self.name and self.path != "/":
            return f"anyone in {self.path.strip('/')}"
        if self.kind == "role" and not self.name:
            return f"anyone else in {self.account}"
        if self.kind == "service" and not self.name:
            return "any other service"
        return self.session_arn() or self.arn or self.name or self.kind

    def identity(self) -> Principal:
        """Return whom policies are attached to: the role, for each of its sessions."""
        if self.session is None and self.unique_id is None:
            return self
        return replace(self, session=None, unique_id=None)


ANONYMOUS = Principal(kind="anonymous")


def anyone_else(account: str, partition: str = "aws") -> Principal:
    """Return whoever in ``account`` no policy names: their own policies are not known."""
    return Principal(kind="role", account=account, partition=partition)


def principal(arn: str) -> Principal:
    """Return the principal with ``arn``: an account's root, a user, a role, or a role's session.

    A session's ARN does not hold its role's path, which is taken to be ``/``.
    """
    found = PRINCIPAL_ARN.fullmatch(arn)
    if found is None or found["kind"] == "federated-user":
        raise ValueError(f"{arn!r} is no ARN of an account, a user, a role or a session")
    common = {"partition": found["partition"], "account": found["account"]}
    name = (found["name"] or "").lstrip("/")
    match found["kind"]:
        case "root":
            return Principal(kind="account", **common)
        case "assumed-role":
            role, _, session = name.partition("/")
            return Principal(kind="role", name=role, session=session, **common)
    path, slash, last = name.rpartition("/")
    kind: Kind = "user" if found["kind"] == "user" else "role"
    return Principal(kind=kind, path=f"/{path}{slash}", name=last, **common)


DocumentKind = Literal[
    "identity policy",
    "permissions boundary",
    "session policy",
    "bucket policy",
    "access point policy",
    "key policy",
    "trust policy",
    "queue policy",
    "topic policy",
    "event bus policy",
    "function policy",
    "service control policy",
    "resource control policy",
    "VPC endpoint policy",
]

POLICIES: Final[Mapping[str, DocumentKind]] = {
    "s3": "bucket policy",
    "kms": "key policy",
    "sts": "trust policy",
    "iam": "trust policy",
    "sqs": "queue policy",
    "sns": "topic policy",
    "events": "event bus policy",
    "lambda": "function policy",
}
"""What the policy of a resource is called, by its service."""
ACCESS_POINT: Final[DocumentKind] = "access point policy"
"""What that of an access point is called, which is of S3 too."""
OF_RESOURCES: Final = (*POLICIES.values(), ACCESS_POINT)
"""What all policies of resources are called."""
_POINT = ":accesspoint/"


def policy_of(arn: str) -> DocumentKind:
    """Return what the policy of a resource is called; an ARN that is not known is a role's."""
    if _POINT in arn:
        return ACCESS_POINT
    service = arn.split(":")[2:3]
    return POLICIES.get("".join(service), "trust policy")


@dataclass(frozen=True, kw_only=True)
class Document:
    """One policy document: where it stands, and its statements.

    ``name`` is the resource's that it is of, or its own; ``place`` the address of the block that it
    is written in, which makes no other document of it.
    """

    kind: DocumentKind
    account: str
    name: str
    statements: tuple[Statement | Unreadable, ...]
    place: str = field(default="", compare=False)


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
class KeyGrant:
    """A grant of a key to whoever asks: the actions, and the encryption context that it is for.

    ``None`` as its actions is any of them, where it could not be read. With ``whole_context`` the
    request's encryption context holds nothing else.
    """

    name: str
    actions: frozenset[str] | None = None
    context: tuple[tuple[str, str], ...] = ()
    whole_context: bool = False


@dataclass(frozen=True, kw_only=True)
class Resource:
    """A bucket, a key or a role that is assumed: its owner's account and its own policy.

    ``grants`` are a key's.
    """

    arn: str
    account: str
    policy: Document | None = None
    grants: tuple[KeyGrant, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Bucket(Resource):
    """A bucket. ``None`` where a setting is not known.

    ``restrict_public`` is ``RestrictPublicBuckets`` of the bucket's or the account's public access
    block. The block's other settings refuse configurations, not requests. ``ownership`` is, where
    nothing is said, what new buckets have since April 2023: "Controlling ownership of objects and
    disabling ACLs for your bucket" in the Amazon S3 User Guide.
    """

    restrict_public: bool | None = False
    ownership: Literal["BucketOwnerEnforced", "BucketOwnerPreferred", "ObjectWriter"] | None = (
        "BucketOwnerEnforced"
    )


@dataclass(frozen=True, kw_only=True)
class AccessPoint(Resource):
    """An access point of the bucket with the ARN ``bucket``; with ``vpc`` of one VPC alone."""

    bucket: str
    vpc: str | None = None

    def behind(self, arn: str) -> str:
        """Return the ARN of the bucket, or of the object that ``arn`` names through here."""
        within = arn.replace(objects_of(self.arn), objects_of(self.bucket))
        return within.replace(self.arn, self.bucket)


Levels = tuple[tuple[Document, ...], ...]


def head_of(arn: str) -> str:
    """Return the ARN of the bucket or the access point that an object's is in; others as it is."""
    return parted(arn)[0] if ":s3:::" in arn or _POINT in arn else arn


def parted(arn: str) -> tuple[str, str]:
    """Return what comes before the name of something within, such as a key, and the sign there."""
    sign = objects_of(arn).removeprefix(arn)
    return arn.partition(sign)[0], sign


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

    def behind(self, arn: str) -> str:
        """Return the ARN of the bucket or object that ``arn`` names through an access point."""
        point = self.resource(arn)
        return point.behind(arn) if isinstance(point, AccessPoint) else arn

    def resource(self, arn: str) -> Resource | None:
        """Return the bucket or access point (also of an object's ARN), key or role with ``arn``."""
        return self.resources.get(head_of(arn))


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
