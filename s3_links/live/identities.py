"""Users and roles as they are: what they may, what limits them, and whom a role trusts.

Follows "Policies and permissions in AWS Identity and Access Management" in the IAM User Guide.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.policies import parsed, unknown
from s3_links.world import Identity, Resource, principal

from .reader import UnreadError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from s3_links.world import Document, DocumentKind, Principal

    from .reader import Reader


@dataclass(frozen=True, kw_only=True)
class FoundIdentity:
    """A user or a role with its path and its unique id, what it may, and whom a role trusts."""

    who: Principal
    identity: Identity
    role: Resource | None = None


def identity(reader: Reader, who: Principal) -> FoundIdentity | None:
    """Return a user or a role as it is, or nothing where there is none of this name."""
    return _Identity(reader, who).found()


class _Identity:
    def __init__(self, reader: Reader, who: Principal) -> None:
        self._reader, self._who = reader, who
        self._ask = partial(reader.ask, who.account, "iam", of=f"{who.kind} {who.name}")

    def found(self) -> FoundIdentity | None:
        kind = self._who.kind.capitalize()
        named = {f"{kind}Name": self._who.name}
        try:
            reply = self._ask(f"get_{self._who.kind}", "NoSuchEntity", **named)
        except UnreadError as error:
            return self._unread(str(error))
        if reply is None:
            return None
        entity = reply[kind]
        arn = entity["Arn"]
        # A session's ARN does not hold its role's path.
        who = replace(principal(arn), session=self._who.session, unique_id=entity[f"{kind}Id"])
        trust = parsed("trust policy", who.account, arn, entity.get("AssumeRolePolicyDocument"))
        return FoundIdentity(
            who=who,
            identity=Identity(
                policies=tuple(self._policies()),
                boundary=self._boundary(entity),
                tags={tag["Key"]: tag["Value"] for tag in entity.get("Tags", [])},
            ),
            role=self._role(arn, trust),
        )

    def _unread(self, why: str) -> FoundIdentity:
        who, arn = self._who, str(self._who.arn)
        whole = partial(unknown, account=who.account, reason=why)
        return FoundIdentity(
            who=who,
            identity=Identity(
                policies=(whole("identity policy", name=f"policies of {who.name}"),),
                boundary=whole("permissions boundary", name=f"boundary of {who.name}"),
            ),
            role=self._role(arn, whole("trust policy", name=arn)),
        )

    def _role(self, arn: str, trust: Document) -> Resource | None:
        if self._who.kind != "role":
            return None
        return Resource(arn=arn, account=self._who.account, policy=trust)

    def _policies(self) -> Iterator[Document]:
        name = self._who.name
        yield from self._of(self._who.kind, name)
        if self._who.kind == "user":
            for group in self._listed("list_groups_for_user", "Groups", UserName=name):
                if group:
                    yield from self._of("group", group["GroupName"])
                else:
                    yield self._lost("groups")

    def _of(self, kind: str, name: str) -> Iterator[Document]:
        """Yield the policies of a user, a role or a group."""
        named = {f"{kind.capitalize()}Name": name}
        for policy in self._listed(f"list_{kind}_policies", "PolicyNames", **named):
            yield self._inline(kind, named, policy) if policy else self._lost("inline policies")
        for policy in self._listed(f"list_attached_{kind}_policies", "AttachedPolicies", **named):
            yield (
                self._managed("identity policy", policy["PolicyArn"])
                if policy
                else self._lost("managed policies")
            )

    def _listed(self, call: str, key: str, **named: str) -> list[Any]:
        """Return what is listed, and nothing in the place of a list that cannot be read."""
        try:
            found: list[Any] = self._ask(call, **named)[key]
        except UnreadError:
            return [None]
        return found

    def _lost(self, what: str) -> Document:
        who = self._who
        return unknown("identity policy", who.account, f"{what} of {who.name}", "may not be listed")

    def _inline(self, kind: str, named: dict[str, str], name: str) -> Document:
        return self._document(
            "identity policy",
            name,
            lambda: self._ask(f"get_{kind}_policy", **named, PolicyName=name)["PolicyDocument"],
        )

    def _managed(self, kind: DocumentKind, arn: str) -> Document:
        def content() -> Any:
            version = self._ask("get_policy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
            reply = self._ask("get_policy_version", PolicyArn=arn, VersionId=version)
            return reply["PolicyVersion"]["Document"]

        return self._document(kind, arn, content)

    def _boundary(self, entity: dict[str, Any]) -> Document | None:
        arn = entity.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
        return self._managed("permissions boundary", arn) if arn else None

    def _document(self, kind: DocumentKind, name: str, content: Any) -> Document:
        return self._reader.document(kind, self._who.account, name, content)
