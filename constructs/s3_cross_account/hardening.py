"""What a careful engineer adds to a bucket or an instance: one switch each, one preset for all."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["HARDENED", "NONE", "Hardening"]

OLD_VERSIONS_DAYS = 90
"""How long overwritten and deleted objects can be restored: a loss is often noticed late."""
UNFINISHED_UPLOADS_DAYS = 7
LOGS_DAYS = 365
"""How long a log bucket keeps its logs: audits look back a year."""


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """The switches; all of them are off in the reference deployment.

    ``public_access_block``: no policy or ACL can make the bucket public. No cost.
    ``tls_only``: requests without TLS are refused, to everybody. No cost.
    ``versioning``: overwritten and deleted objects are kept, and paid for until they are expired.
    ``lifecycle``: old versions are deleted after 90 days, unfinished uploads after 7. No cost.
    ``encryption``: S3's own keys (SSE-S3), unless the bucket has a KMS key. No cost.
    ``access_logging``: S3 writes each request to a log bucket, whose storage is paid for.
    ``imdsv2``: instances hand out credentials only to requests with a token. No cost.
    ``ebs_encryption``: instances have an encrypted root volume. No cost.
    ``ebs_optimized``: instances have a connection of their own to it. No cost with ``t3.micro``.
    ``https_egress_only``: instances reach others by HTTPS only. No cost.
    ``default_security_group_closed``: that of an instance's VPC lets nothing in or out. No cost.

    Follows "Security best practices for Amazon S3" in the Amazon S3 User Guide and the controls for
    Amazon EC2 in the AWS Security Hub User Guide.
    """

    public_access_block: bool = False
    tls_only: bool = False
    versioning: bool = False
    lifecycle: bool = False
    encryption: bool = False
    access_logging: bool = False
    imdsv2: bool = False
    ebs_encryption: bool = False
    ebs_optimized: bool = False
    https_egress_only: bool = False
    default_security_group_closed: bool = False


NONE = Hardening()
"""As the reference deployment has it."""

HARDENED = Hardening(**{field.name: True for field in fields(Hardening)})
"""Everything on: for new links."""
