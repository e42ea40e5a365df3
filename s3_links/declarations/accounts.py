"""An account of a links file."""

from __future__ import annotations

from typing import Annotated

from s3_cross_account.settings import AccountSettings

from .names import (
    BucketName,
    text,
)


class LinkAccount(AccountSettings):
    """One account: how Terraform reaches it, and what everything created in it shares."""

    permissions_boundary: Annotated[
        str | None,
        text(
            "the ARN of a managed policy",
            "arn:aws:iam::123456789012:policy/boundary",
            r"^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$",
        ),
    ] = None
    log_bucket: BucketName | None = None
