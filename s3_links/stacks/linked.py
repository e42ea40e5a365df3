"""What stacks that are declared in the links file have in common."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

from constructs import Construct

from s3_cross_account.account import Account
from s3_cross_account.bucket import Bucket, BucketBase, ExistingBucket
from s3_cross_account.key import ExistingKey, Key, KeyBase
from s3_cross_account.policy import document
from s3_cross_account.settings import FOREIGN_OUTPUT
from s3_cross_account.shared import SharedBucket, SharedKey
from s3_links.declarations.deployment import accounts_in
from s3_links.declarations.imported_keys import account_of, imported
from s3_links.declarations.state import IMPORTED_OUTPUT, KEPT_OUTPUT, KEY_POLICY_OUTPUT

from .base import BaseStack
from .notifications import Notifications
from .sharing import share

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cdktf import App

    from s3_links.declarations.accounts import LinkAccount
    from s3_links.declarations.buckets import LinkBucket
    from s3_links.declarations.links import AnyLink
    from s3_links.declarations.state import State


class LinkedStack(BaseStack):
    """A stack that makes its accounts and buckets from their declarations."""

    def __init__(
        self,
        scope: App,
        id_: str,
        *,
        link: AnyLink,
        accounts: Mapping[str, LinkAccount],
        state: State,
    ) -> None:
        super().__init__(scope, id_, accounts=accounts, state=state)
        self.switches = link.switches
        aliases = dict.fromkeys(alias for _, alias in accounts_in(link))
        # A foreign account has no region of its own: it is in the partition of the link's others.
        self._region = next(
            (accounts[alias].region for alias in aliases if not accounts[alias].foreign), ""
        )
        if foreign := [alias for alias in aliases if accounts[alias].foreign]:
            told = " ".join(f"{alias}={accounts[alias].account_id}" for alias in foreign)
            self.outputs(**{FOREIGN_OUTPUT: told})
        if link.imports:
            self.outputs(**{IMPORTED_OUTPUT: " ".join(link.imports)})
        self._stays: list[str] = []
        self._imported, self._keys = imported(link), dict[str, KeyBase]()
        self._settings = accounts
        self._accounts: dict[str, Account] = {}
        self._notifications = Notifications(self, id_)
        self._others: dict[str, Account] = {}
        self._shared: list[tuple[LinkBucket, BucketBase]] = []

    def account(self, alias: str) -> Account:
        """Return an account, creating its provider when it is first named."""
        if alias not in self._accounts:
            settings = self._settings[alias]
            reached = (
                {"account_id": settings.account_id, "region": settings.region or self._region}
                if settings.foreign
                else {"settings": settings}
            )
            self._accounts[alias] = Account(
                self,
                f"{alias}-provider",
                alias=alias,
                permissions_boundary=settings.permissions_boundary,
                trust_policy_quota=settings.trust_policy_quota,
                **reached,
            )
        return self._accounts[alias]

    def _account_named(self, alias: str) -> Account:
        """Return an account that is only named: with its id there is no need to reach it."""
        settings = self._settings[alias]
        if alias in self._accounts or settings.account_id is None:
            return self.account(alias)
        if alias not in self._others:
            self._others[alias] = Account(
                self,
                f"{alias}-account",
                alias=alias,
                account_id=settings.account_id,
                region=settings.region or self._region,
            )
        return self._others[alias]

    def bucket(self, declared: LinkBucket, name: str) -> BucketBase:
        """Return a declared bucket, with its key if it has one."""
        account = self.account(declared.account)
        scope = Construct(self, f"bucket.{name}")
        if declared.owner is not None:
            return self._of_another_link(scope, declared, account)
        made = self._own_bucket(scope, declared, account)
        self._shared.append((declared, made))
        return made

    def _of_another_link(
        self, scope: Construct, declared: LinkBucket, account: Account
    ) -> SharedBucket:
        named, key = declared.encrypted_by, None
        if named not in (None, "none"):
            arn = None if named == "new" else named
            key = SharedKey(scope, "key", account=account, arn=arn)
        name = str(declared.existing)
        return SharedBucket(scope, "bucket", account=account, name=name, key=key)

    def _own_bucket(self, scope: Construct, declared: LinkBucket, account: Account) -> BucketBase:
        key = self._key(scope, declared)
        if declared.existing is not None:
            assert declared.policy in ("create", "merge")
            existing = ExistingBucket(
                scope,
                "bucket",
                account=account,
                name=declared.existing,
                policy=declared.policy,
                key=key,
                versioned=getattr(declared, "versioned", False),
            )
            self._notifications.of(scope, declared, existing)
            return existing
        bucket = Bucket(
            scope,
            "bucket",
            account=account,
            prefix=declared.new_prefix,
            name=declared.new_name or declared.imported,
            imported=(
                declared.imported
                and ("with-policy" if declared.policy == "import" else "without-policy")
            )
            or None,
            force_destroy=declared.force_destroy,
            prevent_destroy=declared.keep,
            key=key,
            sse_algorithm=_algorithm(declared),
            hardening=self.switches,
            log_bucket=self._log_bucket(scope, declared.account),
            old_versions_days=declared.old_versions_days,
            logs_days=declared.logs_days,
        )
        self._notifications.of(scope, declared, bucket)
        if declared.keep:
            self._stays += [f"aws_s3_bucket/{bucket.name}"]
            self._stays += [f"aws_kms_key/{key.arn}"] if key and declared.key == "new" else []
        return bucket

    def _key(self, scope: Construct, declared: LinkBucket) -> KeyBase | None:
        """Return a bucket's key. One whose policy is taken over is the same for all buckets."""
        account, arn = self.account(declared.account), declared.key_arn
        if declared.key == "new":
            return Key(scope, "key", account=account, prevent_destroy=declared.keep)
        if arn is None:
            return None
        if arn not in self._imported:
            return ExistingKey(scope, "key", account=account, arn=arn)
        if arn not in self._keys:
            alias, key_id = account_of(arn, declared, self._settings), arn.rpartition("/")[2]
            there = self._imported[arn]
            self._keys[arn] = ExistingKey(
                Construct(self, f"key.{key_id}"),
                "key",
                account=self.account(str(alias)),
                arn=arn,
                imported_policy=there,
            )
            told = json.dumps(document(there)).replace("${", "$${")
            self.outputs(**{f"{KEY_POLICY_OUTPUT}{key_id}": told})
        return self._keys[arn]

    def _log_bucket(self, scope: Construct, alias: str) -> ExistingBucket | None:
        """Return the log bucket that an account has; its policy belongs to somebody else."""
        name = self._settings[alias].log_bucket
        if name is None:
            return None
        account = self.account(alias)
        return ExistingBucket(scope, "log-bucket", account=account, name=name, policy="merge")

    def share(self) -> None:
        """Write what other links are granted on the buckets of this one."""
        foreign = [alias for alias, settings in self._settings.items() if settings.foreign]
        for declared, bucket in self._shared:
            for sharer in declared.sharers:
                scope = Construct(self, f"shared.{declared.id}.{sharer.name}")
                share(scope, sharer, bucket, account=self._account_named, foreign=foreign)

    def last_outputs(self) -> None:
        """Create the outputs of what notifications go to, and of what stays when the link goes."""
        self._notifications.outputs()
        if self._stays:
            self.outputs(**{KEPT_OUTPUT: " ".join(self._stays)})

    def bucket_outputs(self, label: str, bucket: BucketBase) -> None:
        """Create the outputs of a bucket: its name, and what is to merge into policies."""
        logs = bucket.log_bucket if isinstance(bucket, Bucket) else None
        self.outputs(**{f"bucket_name_{label}": bucket.name})
        if isinstance(bucket, ExistingBucket) and bucket.statements_json:
            self.outputs(**{f"bucket_policy_to_merge_{label}": bucket.statements_json})
        if isinstance(bucket.key, ExistingKey) and bucket.key.statements_json:
            self.outputs(**{f"key_policy_to_merge_{label}": bucket.key.statements_json})
        if isinstance(logs, ExistingBucket) and logs.statements_json:
            self.outputs(**{f"log_bucket_policy_to_merge_{label}": logs.statements_json})


def _algorithm(declared: LinkBucket) -> Literal["AES256", "aws:kms:dsse"] | None:
    if declared.dsse:
        return "aws:kms:dsse"
    return "AES256" if declared.key == "none" else None
