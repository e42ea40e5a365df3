"""Every user and role of an account at once, for who asks who can reach something.

Follows "GetAccountAuthorizationDetails" in the IAM API Reference.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.policies import parsed, unknown
from s3_links.world import Identity, Resource, principal

from .identities import FoundIdentity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from s3_links.world import Document, DocumentKind

    from .reader import Reader


def everybody(reader: Reader, account: str) -> Iterator[FoundIdentity]:
    """Yield every user and role of ``account`` as it is. Raises ``UnreadError``."""
    call = "get_account_authorization_details"
    reply = reader.ask(account, "iam", call, of="everybody in the account")
    managed = {
        policy["Arn"]: version["Document"]
        for policy in reply.get("Policies", [])
        for version in policy["PolicyVersionList"]
        if version["IsDefaultVersion"]
    }
    groups = {group["GroupName"]: group for group in reply.get("GroupDetailList", [])}
    for kind in ("Role", "User"):
        for details in reply.get(f"{kind}DetailList", []):
            yield _identity(kind, details, managed, groups)


def _identity(
    kind: str,
    details: Mapping[str, Any],
    managed: Mapping[str, Any],
    groups: Mapping[str, Mapping[str, Any]],
) -> FoundIdentity:
    arn = details["Arn"]
    who = replace(principal(arn), unique_id=details[f"{kind}Id"])

    def of_managed(what: DocumentKind, policy: str) -> Document:
        if policy not in managed:
            return unknown(what, who.account, policy, "is not among the account's policies")
        return parsed(what, who.account, policy, managed[policy])

    def policies(kind: str, of: Mapping[str, Any]) -> Iterable[Document]:
        for inline in of.get(f"{kind}PolicyList", []):
            name, content = inline["PolicyName"], inline["PolicyDocument"]
            yield parsed("identity policy", who.account, name, content)
        for attached in of.get("AttachedManagedPolicies", []):
            yield of_managed("identity policy", attached["PolicyArn"])

    boundary = details.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    trust = details.get("AssumeRolePolicyDocument")
    found = list(policies(kind, details))
    for group in details.get("GroupList", []):
        found += policies("Group", groups[group])
    return FoundIdentity(
        who=who,
        identity=Identity(
            policies=tuple(found),
            boundary=of_managed("permissions boundary", boundary) if boundary else None,
            tags={tag["Key"]: tag["Value"] for tag in details.get("Tags", [])},
        ),
        role=Resource(
            arn=arn,
            account=who.account,
            policy=parsed("trust policy", who.account, arn, trust),
        )
        if kind == "Role"
        else None,
    )
