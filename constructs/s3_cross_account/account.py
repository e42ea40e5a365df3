"""An AWS account that constructs work in, and its provider alias."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    AwsProvider,
    AwsProviderAssumeRole,
    AwsProviderDefaultTags,
    AwsProviderIgnoreTags,
    DataAwsCallerIdentity,
)
from .settings import across_partitions, partition

if TYPE_CHECKING:
    from .settings import AccountSettings
    from .validation import Checks

__all__ = ["Account"]


TRUST_POLICY_QUOTA = 2048
"""Characters of a trust policy, in an account that asked for no more."""


class Account(Construct):
    """Creates the AWS provider ``alias`` of one account, or takes one that an application has.

    Every other construct is given the account that it works in, and names this provider.
    ``settings`` say how a new provider reaches the account. A ``provider`` that exists comes in
    their place: its region has to be set, and what it allows as its one account id is that of the
    account; ``alias`` is then only what the account is called.
    An account that nobody here has credentials for is given by its ``account_id`` and, for its
    partition, a ``region``: it is ``foreign`` and has no provider. Nothing is created in it; what
    its owner has to write there is handed over as JSON.
    ``name`` begins the names of what is created there; it is the alias unless given. Every role
    that is created in the account has ``permissions_boundary`` (a policy's ARN) as its boundary.
    ``trust_policy_quota`` is how many characters a trust policy may have there: "IAM and AWS STS
    quotas" in the IAM User Guide.

    Follows "Provider configuration" of the Terraform AWS provider. Raises ``ValueError`` for
    anything but one of ``settings``, ``provider`` and ``account_id``, and for one without a region.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alias: str,
        settings: AccountSettings | None = None,
        provider: AwsProvider | None = None,
        account_id: str | None = None,
        region: str | None = None,
        name: str | None = None,
        permissions_boundary: str | None = None,
        trust_policy_quota: int = TRUST_POLICY_QUOTA,
    ) -> None:
        super().__init__(scope, id_)
        self.permissions_boundary = permissions_boundary
        self.trust_policy_quota = trust_policy_quota
        self._claimed: set[tuple[str, str]] = set()
        # A stack that looks at them itself spares Node.js the call back for each account.
        checks: Checks | None = getattr(scope, "checks", None)
        self.validated_by_stack = checks is not None
        self.checks: Checks = [] if checks is None else checks
        self.alias = alias
        self.name = alias if name is None else name
        # A statement's sid takes letters and digits only.
        words = re.split(r"[^A-Za-z0-9]+", alias)
        self.title = "".join(word[:1].upper() + word[1:] for word in words)
        if [settings, provider, account_id].count(None) != 2 or (account_id and not region):
            raise ValueError(
                f"{alias}: give settings, a provider, or account_id and region, one of them"
            )
        self.foreign = account_id is not None
        self._provider = provider
        if settings is not None:
            self.region, self._id = settings.region, settings.account_id
            self._provider = self._new_provider(settings)
        elif provider is not None:
            self.region, self._id = _told_by(provider, alias)
        else:
            self.region, self._id = str(region), account_id

    @property
    def provider(self) -> AwsProvider:
        """The provider that works in the account; a foreign one has none (``ValueError``)."""
        if self._provider is None:
            raise ValueError(f"{self.alias} is foreign: nothing can be created or looked up in it")
        return self._provider

    def _new_provider(self, settings: AccountSettings) -> AwsProvider:
        role, ignored = settings.assume_role, settings.ignore_tags
        return AwsProvider(
            self,
            "Resource",
            alias=self.alias,
            region=settings.region,
            profile=settings.profile,
            assume_role=None
            if role is None
            else [
                AwsProviderAssumeRole(
                    role_arn=role.role_arn,
                    external_id=role.external_id,
                    session_name=role.session_name,
                )
            ],
            allowed_account_ids=None if settings.account_id is None else [settings.account_id],
            default_tags=[AwsProviderDefaultTags(tags=settings.tags)] if settings.tags else None,
            ignore_tags=None
            if ignored is None
            else [AwsProviderIgnoreTags(keys=ignored.keys, key_prefixes=ignored.key_prefixes)],
        )

    @property
    def account_id(self) -> str:
        """The account's id: the pinned one, else looked up when Terraform plans."""
        if self._id is None:
            identity = DataAwsCallerIdentity(self, "identity", provider=self.provider)
            self._id = str(identity.account_id)
        return self._id

    @property
    def partition(self) -> str:
        """The partition of the account's region, the second word of every ARN in it."""
        return partition(self.region)

    def claim(self, what: str, name: str) -> bool:
        """Take ``what``, of which AWS keeps one for ``name``; false where it is taken already."""
        if (what, name) in self._claimed:
            return False
        self._claimed.add((what, name))
        return True


def in_one_partition(*accounts: Account) -> None:
    """Raise ``ValueError`` where accounts cannot reach each other."""
    if problem := across_partitions({account.alias: account.region for account in accounts}):
        raise ValueError(problem)


def _told_by(provider: AwsProvider, alias: str) -> tuple[str, str | None]:
    """Return a provider's region and, where it allows only one, its account id."""
    region, allowed = provider.region, provider.allowed_account_ids
    if not region:
        raise ValueError(f"{alias}: the provider has no region: give it one")
    return str(region), str(allowed[0]) if allowed and len(allowed) == 1 else None
