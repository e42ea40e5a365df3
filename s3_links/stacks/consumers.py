"""Who gets access by a link, from its declaration, and what is to be known of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.document import PolicyDocument
from s3_cross_account.foreign import ForeignRole
from s3_cross_account.grantees import ExistingUser, Organization, PermissionSet, WholeAccount
from s3_cross_account.policy import of_account, of_pod, service, trust, trust_token
from s3_cross_account.role import ExistingRole, Role
from s3_links.declarations.handed_over import IDENTITY, TRUST

if TYPE_CHECKING:
    from constructs import Construct

    from s3_cross_account.account import Account
    from s3_cross_account.policy import Statement
    from s3_cross_account.role import RoleBase
    from s3_links.declarations.consumers import Consumer


def grantee(
    scope: Construct, consumer: Consumer, *, account: Account, link: str, named_directly: bool
) -> RoleBase:
    """Return who a consumer is, of a link; an organization is told in any of its accounts."""
    prefix = f"{link}-{consumer.name}"
    if consumer.organization:
        return Organization(
            scope,
            "organization",
            account=account,
            organization_id=consumer.organization,
            path=consumer.organization_path,
        )
    if consumer.whole_account:
        return WholeAccount(scope, "account", account=account)
    if account.foreign:
        return ForeignRole(
            scope,
            "user" if consumer.existing_user else "role",
            account=account,
            name_or_arn=str(consumer.existing_user or consumer.existing_role),
            kind="user" if consumer.existing_user else "role",
            policy_name_prefix=prefix,
            named_directly=named_directly,
            trusted_service=consumer.service,
        )
    if consumer.permission_set:
        return PermissionSet(
            scope,
            "permission-set",
            account=account,
            policy_name_prefix=prefix,
            name=consumer.permission_set,
        )
    if consumer.existing_user:
        return ExistingUser(
            scope,
            "user",
            account=account,
            policy_name_prefix=prefix,
            **_name_or_arn(consumer.existing_user),
        )
    if consumer.managed_role is None:
        return ExistingRole(
            scope,
            "role",
            account=account,
            policy_name_prefix=prefix,
            instance_profile=consumer.instance_profile,
            trusted_service=consumer.trusted_service,
            **_name_or_arn(consumer.existing_role),
        )
    return Role(
        scope,
        "role",
        account=account,
        name=consumer.managed_role,
        path=consumer.path,
        imported=consumer.imported_role is not None,
        trust=PolicyDocument(
            scope, "trust", account=account, statements=_trusting(consumer, account)
        ),
    )


def _name_or_arn(text: str | None) -> dict[str, str]:
    if text is None:
        return {}
    return {"arn" if text.startswith("arn:") else "name": text}


def _trusting(consumer: Consumer, account: Account) -> list[Statement]:
    """Return the statements of a new role's trust policy: who hands out its sessions."""
    if token := consumer.token:
        provider = f"arn:{account.partition}:iam::{account.account_id}:oidc-provider/{token.issuer}"
        named = {"issuer": token.issuer, "audience": token.audience}
        return [trust_token(provider, **named, subjects=(token.subject,))]
    if pod := consumer.trusted_pod:
        start = f"arn:{account.partition}:eks:{account.region}:{account.account_id}"
        limits = of_pod(
            namespace=pod.namespace,
            service_account=pod.service_account,
            cluster_arn=f"{start}:cluster/{pod.cluster}",
        )
        return [trust(service(str(consumer.service)), *limits)]
    of = {"partition": account.partition, "account_id": account.account_id}
    return [trust(service(name), *of_account(name, **of)) for name in consumer.services]


def outputs(consumer: Consumer, who: RoleBase) -> dict[str, str]:
    """Return the outputs of a consumer: its ARN, or what somebody else has to do for it."""
    if isinstance(who, PermissionSet):
        return {consumer.output: " ".join(who.to_reference)}
    if isinstance(who, WholeAccount):
        return {consumer.output: who.statements_json or ""}
    if isinstance(who, ForeignRole):
        return {consumer.output: who.arn, **handed_over(consumer.label, who)}
    return {consumer.output: who.arn}


def handed_over(label: str, who: ForeignRole) -> dict[str, str]:
    """Return the outputs of what the owner of a foreign account has to write for its role."""
    trust = {f"{TRUST}{label}": who.trust.json} if who.trust else {}
    policies = {
        f"{IDENTITY}{label}{f'_{number}' if number > 1 else ''}": document.json
        for number, document in enumerate(who.policies.values(), 1)
    }
    return {**policies, **trust}
