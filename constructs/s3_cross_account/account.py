"""An AWS account that constructs work in, and its provider alias."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from constructs import Construct

from .bindings import (
    AwsProvider,
    AwsProviderAssumeRole,
    AwsProviderIgnoreTags,
    DataAwsCallerIdentity,
)
from .settings import across_partitions, partition

if TYPE_CHECKING:
    from .settings import AccountSettings


class Account(Construct):
    """Creates the AWS provider ``alias`` of one account.

    Every other construct is given the account that it works in, and names this provider.
    ``name`` begins the names of what is created there; it is the alias unless given. Every role
    that is created in the account has ``permissions_boundary`` (a policy's ARN) as its boundary.

    Follows "Provider configuration" of the Terraform AWS provider.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        alias: str,
        settings: AccountSettings,
        name: str | None = None,
        permissions_boundary: str | None = None,
    ) -> None:
        super().__init__(scope, id_)
        self.permissions_boundary = permissions_boundary
        self._id = settings.account_id
        self._claimed: set[tuple[str, str]] = set()
        self.alias = alias
        self.region = settings.region
        self.name = alias if name is None else name
        # A statement's sid takes letters and digits only.
        words = re.split(r"[^A-Za-z0-9]+", alias)
        self.title = "".join(word[:1].upper() + word[1:] for word in words)
        role, ignored = settings.assume_role, settings.ignore_tags
        self.provider = AwsProvider(
            self,
            "Resource",
            alias=alias,
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
