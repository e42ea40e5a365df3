"""The bucket that holds the state of every other stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

from s3_cross_account.account import Account
from s3_cross_account.bucket import Bucket
from s3_cross_account.hardening import Hardening

from .base import BaseStack

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_cross_account.settings import AccountSettings
    from s3_links.declarations.state import S3State

_HARDENING = Hardening(public_access_block=True, tls_only=True, versioning=True, encryption=True)


class StateBucketStack(BaseStack):
    """Creates the state bucket in its account: versioned, encrypted, TLS only, never public.

    Terraform refuses to destroy it. The stack's own state is local, and small enough to be made
    again by importing the bucket.

    Follows "Backend type: s3" of the Terraform documentation.
    """

    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        state: S3State,
        accounts: Mapping[str, AccountSettings],
    ) -> None:
        super().__init__(scope, id_, accounts=accounts)
        alias = state.account
        account = Account(self, f"{alias}-provider", alias=alias, settings=accounts[alias])
        bucket = Bucket(
            self,
            "state",
            account=account,
            name=state.bucket,
            prevent_destroy=True,
            hardening=_HARDENING,
        )
        self.outputs(state_bucket=bucket.name)
