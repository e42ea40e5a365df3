"""KMS keys as they are: their policy, their grants, and whether they work at all.

Follows "Key policies in AWS KMS", "Grants in AWS KMS" and "Key states of AWS KMS keys" in the AWS
KMS Developer Guide.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from s3_links.world import KeyGrant, Resource

from .reader import UnreadError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from s3_links.world import Principal

    from .reader import Reader


@dataclass(frozen=True, kw_only=True)
class FoundKey:
    """A key; one that AWS manages for a service cannot be shared with another account."""

    resource: Resource
    state: str | None = None
    aws_managed: bool = False


def key(reader: Reader, named: str, account: str, whose: Principal) -> FoundKey:
    """Return a key that ``account`` can name, by its ARN, its id or an alias.

    Of its grants those count that are for ``whose`` role.
    """
    ask = partial(reader.ask, account, "kms", of=f"key {named.rpartition('/')[2]}")
    arn, state, aws_managed = named, None, named.startswith("alias/aws/")
    try:
        found = ask("describe_key", KeyId=named)["KeyMetadata"]
        arn, state = found["Arn"], found.get("KeyState")
        aws_managed = found.get("KeyManager") == "AWS"
    except UnreadError:
        pass
    policy = reader.document(
        "key policy",
        account,
        arn,
        lambda: ask("get_key_policy", KeyId=arn, PolicyName="default")["Policy"],
    )
    try:
        grants = tuple(
            _grant(grant)
            for grant in ask("list_grants", KeyId=arn)["Grants"]
            if grant.get("GranteePrincipal") in (whose.arn, whose.session_arn())
        )
    except UnreadError:
        grants = (KeyGrant(name="a grant, which may not be listed,"),)
    return FoundKey(
        resource=Resource(arn=arn, account=account, policy=policy, grants=grants),
        state=state,
        aws_managed=aws_managed,
    )


def _grant(found: Mapping[str, Any]) -> KeyGrant:
    constraints = found.get("Constraints", {})
    whole = constraints.get("EncryptionContextEquals")
    context = whole or constraints.get("EncryptionContextSubset") or {}
    return KeyGrant(
        name=f"the grant {found['GrantId']}",
        actions=frozenset(f"kms:{operation}" for operation in found.get("Operations", [])),
        context=tuple(context.items()),
        whole_context=whole is not None,
    )
