"""The key policies that links take over: what they say, and whose they are."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from s3_cross_account.policy import Statement
from s3_cross_account.reading import Unreadable, read

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .accounts import LinkAccount
    from .buckets import LinkBucket
    from .links import AnyLink

_PRINCIPAL = re.compile(r"\*|\d{12}|arn:.*")


def statements(bucket: LinkBucket) -> tuple[Statement, ...]:
    """Return what a key policy says that is taken over with a bucket."""
    found = read(bucket.imported_key_policy)
    return tuple(statement for statement in found if isinstance(statement, Statement))


def imported(link: AnyLink) -> dict[str, tuple[Statement, ...]]:
    """Return the key policies that a link takes over, by the ARNs of their keys."""
    return {
        bucket.key_arn: statements(bucket)
        for bucket in link.buckets
        if bucket.key_arn and bucket.imported_key_policy is not None
    }


def account_of(arn: str, bucket: LinkBucket, accounts: Mapping[str, LinkAccount]) -> str | None:
    """Return the alias of the account that a bucket's key is in, if it is declared."""
    account_id = arn.split(":")[4]
    if accounts[bucket.account].known_id in (None, account_id):
        return bucket.account
    return next((alias for alias, a in accounts.items() if a.known_id == account_id), None)


def out_of_reach(
    arn: str, bucket: LinkBucket, accounts: Mapping[str, LinkAccount]
) -> Iterator[str]:
    """Yield why the policy of a bucket's key cannot be written from here."""
    alias, (_, _, _, region, account_id, _) = account_of(arn, bucket, accounts), arn.split(":")
    if alias is None:
        yield (
            f'the key is in account {account_id}, which is not among "accounts": declare it with '
            'its "account_id", or leave this out, and its owner merges the statements'
        )
    elif accounts[alias].is_foreign:
        yield (
            f'the key is in "{alias}", which is foreign, nobody here has credentials for it: leave '
            "this out, and its owner merges the statements"
        )
    elif accounts[alias].region != region:
        yield (
            f'the key is in {region}, its account "{alias}" in {accounts[alias].region}: leave '
            "this out, and merge the statements"
        )


def unfit(document: object) -> Iterator[str]:
    """Yield why a key policy cannot be written as it is."""
    found = read(document)
    if not found:
        yield (
            "has no statements: copy the whole document, as `aws kms get-key-policy --policy-name "
            "default` prints it"
        )
    for statement in found:
        if isinstance(statement, Unreadable):
            told = f"has a statement that cannot be read ({statement.reason})"
            yield f"{told}: leave this out, and merge the statements"
            continue
        if statement.not_principals:
            yield 'has a "NotPrincipal": leave this out, and merge the statements'
        for principal in statement.principals:
            for name in principal.identifiers if principal.type == "AWS" else ():
                if not _PRINCIPAL.fullmatch(name):  # what AWS leaves of one that was deleted
                    yield (
                        f"names {name}, a role or user that is gone, and KMS refuses that: take it "
                        "out of the key policy first"
                    )
