"""Pattern 2: AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from . import policy
from .access import REFERENCE, Access
from .account import in_one_partition
from .actions import CARRIED
from .aws_cli import instance_profile_config
from .document import PolicyDocument, rendered_once
from .foreign import ForeignRole
from .policy import Condition
from .role import Role

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from .account import Account
    from .bucket import BucketBase
    from .role import RoleBase

__all__ = ["AssumeRole"]


class AssumeRole(Construct):
    """Lets ``roles`` reach ``buckets`` by assuming a role of another account.

    Creates the role to assume (``assumed_role``) in ``account``, with a trust policy that names
    ``roles``, and allows each of them to assume it; with ``external_id`` they have to give it. What
    the roles' sessions bring along (tags, a source identity) is allowed in both. The conditions of
    ``access`` stand on the trust policy too, as far as they can be asked there. The
    assumed role may reach every bucket; a bucket outside its account names it in the bucket
    policy. With ``home_access`` each role itself also has direct access to the buckets of its own
    account, as in the reference deployment. With ``imported`` the role to assume exists and is
    taken over; see :class:`Role`. In a foreign ``account`` its owner has to create it, by what the
    :class:`~.foreign.ForeignRole` in its place holds. A ``self_assuming`` role may assume itself,
    and is asked for the external id then too.
    ``aws_config`` is the AWS CLI profile, named ``profile``, that an instance with one of the
    roles uses; in a chain of roles it begins with ``source_profile``, that of the role before it.

    Follows "IAM tutorial: Delegate access across AWS accounts using IAM roles" in the IAM User
    Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        roles: Sequence[RoleBase],
        buckets: Sequence[BucketBase],
        account: Account,
        assumed_role_name: str,
        policy_names: Mapping[str, str] | None = None,
        access: Access = REFERENCE,
        external_id: str | None = None,
        survive_recreation: bool = False,
        home_access: bool = False,
        imported: bool = False,
        source_profile: str | None = None,
        self_assuming: bool = False,
        named_directly: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        in_one_partition(account, *(role.account for role in roles))
        trusted = list(_trusting(roles, access, external_id, survive_recreation=survive_recreation))
        brought = tuple(action for action in CARRIED if any(action in r.carried for r in roles))
        tags = tuple(dict.fromkeys(tag for role in roles for tag in role.tags))
        if self_assuming:
            trusted += _trusting_itself(account, assumed_role_name, external_id, brought, tags)
        self.assumed_role: RoleBase
        if account.foreign:
            self.assumed_role = ForeignRole(
                self,
                "assumed-role",
                account=account,
                name_or_arn=assumed_role_name,
                policy_name_prefix=assumed_role_name,
                named_directly=named_directly,
                trust_statements=trusted,
            )
        else:
            self.assumed_role = Role(
                self,
                "assumed-role",
                account=account,
                name=assumed_role_name,
                trust=PolicyDocument(
                    self,
                    "trust",
                    account=account,
                    statements=trusted,
                    what="trust policy",
                    limit=account.trust_policy_quota,
                ),
                policy_names=policy_names,
                imported=imported,
            )
        if self_assuming:
            itself = policy.may_assume(self.assumed_role.arn, sid="AssumeItself", carried=brought)
            self.assumed_role.allow(itself, account=account)
        with rendered_once():
            for bucket in buckets:
                for role in roles:
                    if home_access and bucket.account is role.account:
                        bucket.grant(role, access=access, survive_recreation=survive_recreation)
                bucket.grant(
                    self.assumed_role,
                    access=access.of_assumed_role(),
                    survive_recreation=survive_recreation,
                )
        for role in roles:
            role.allow(
                policy.may_assume(
                    self.assumed_role.arn,
                    sid=f"{role.account.title}AssumeRole",
                    carried=role.carried,
                ),
                account=role.account,
            )
        self.profile = account.alias
        self.aws_config = instance_profile_config(
            profile=self.profile,
            role_arn=self.assumed_role.arn,
            region=account.region,
            external_id=external_id,
            source_profile=source_profile,
        )


def _trusting_itself(
    account: Account,
    name: str,
    external_id: str | None,
    brought: tuple[str, ...],
    tags: tuple[str, ...],
) -> Iterator[policy.Statement]:
    """Yield what lets a role assume itself, which AWS lets no role without its trust policy.

    It names the account with a condition, as a role cannot be named before it is there. See "An
    update to IAM role trust policy behavior" in the AWS Security Blog. What its sessions have
    ``brought`` along goes with them again: "Chaining roles with session tags" in the IAM User
    Guide.
    """
    arn = f"arn:{account.partition}:iam::{account.account_id}:role/{name}"
    by_arn = Condition(test="ArnEquals", variable="aws:PrincipalArn", values=(arn,))
    owner = policy.account_root(account.partition, account.account_id)
    yield policy.trust(owner, by_arn, external_id=external_id)
    if brought:
        conditions = policy.passing(tags, (by_arn,))
        yield policy.Statement(actions=brought, principals=(owner,), conditions=conditions)


def _trusting(
    roles: Sequence[RoleBase],
    access: Access,
    external_id: str | None,
    *,
    survive_recreation: bool,
) -> Iterator[policy.Statement]:
    """Yield the trust policy's statements: one for the roles of an account, where that will do."""
    named: dict[tuple[Account, tuple[str, ...], tuple[str, ...]], list[policy.Naming]] = {}
    for role in roles:
        naming = role.principal(survive_recreation=survive_recreation)
        named.setdefault((role.account, role.carried, role.tags), []).append(naming)
    for (account, carried, tags), namings in named.items():
        id_ = account.account_id if access.conditions.same_accounts else None
        for principal, by_arn in policy.together(namings):
            asked = access.conditions.of_caller(account_id=id_)
            yield policy.trust(principal, *by_arn, *asked, external_id=external_id)
            if carried:
                # By themselves: only sts:AssumeRole knows an external id, and other keys.
                asked = access.conditions.of_caller(account_id=id_, actions=carried)
                yield policy.Statement(
                    actions=carried,
                    principals=(principal,),
                    conditions=policy.passing(tags, by_arn + asked),
                )
