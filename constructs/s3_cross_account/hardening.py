"""What a careful engineer adds to a bucket: one switch each, and one preset for all."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Hardening:
    """The switches; all of them are off in the reference deployment.

    ``public_access_block``: no policy or ACL can make the bucket public. No cost.
    ``tls_only``: requests without TLS are refused, to everybody. No cost.
    ``versioning``: overwritten and deleted objects are kept, and paid for until they are expired.
    ``encryption``: S3's own keys (SSE-S3), unless the bucket has a KMS key. No cost.
    ``access_logging``: S3 writes each request to a second bucket, which is paid for.
    ``imdsv2``: instances hand out credentials only to requests with a token. No cost.

    Follows "Security best practices for Amazon S3" in the Amazon S3 User Guide.
    """

    public_access_block: bool = False
    tls_only: bool = False
    versioning: bool = False
    encryption: bool = False
    access_logging: bool = False
    imdsv2: bool = False


NONE = Hardening()
"""As the reference deployment has it."""

HARDENED = Hardening(
    public_access_block=True,
    tls_only=True,
    versioning=True,
    encryption=True,
    access_logging=True,
    imdsv2=True,
)
"""Everything on: for new links."""
