"""What a careful engineer adds to a bucket or an instance: one switch each, one preset for all."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Switch = Annotated[bool, Field(examples=[True])]

__all__ = ["HARDENED", "NONE", "Hardening"]

OLD_VERSIONS_DAYS = 90
"""How long overwritten and deleted objects can be restored: a loss is often noticed late."""
UNFINISHED_UPLOADS_DAYS = 7
LOGS_DAYS = 365
"""How long a log bucket keeps its logs: audits look back a year."""


class Hardening(BaseModel):
    """The switches; all of them are off in the reference deployment.

    Follows "Security best practices for Amazon S3" in the Amazon S3 User Guide and the controls for
    Amazon EC2 in the AWS Security Hub User Guide.
    """

    model_config = ConfigDict(
        extra="forbid", strict=True, frozen=True, use_attribute_docstrings=True
    )

    public_access_block: Switch = False
    """true or false: whether no policy or ACL can make the bucket public. Creates a public access
    block in the bucket's account; breaks only what is public. No cost"""

    tls_only: Switch = False
    """true or false: whether requests without TLS are refused, to everybody. A statement in the
    bucket's policy; breaks clients that speak plain HTTP. No cost"""

    versioning: Switch = False
    """true or false: whether overwritten and deleted objects are kept. Enables versioning of the
    bucket, which S3 can suspend but never undo; what is kept is paid for until it expires"""

    lifecycle: Switch = False
    """true or false: whether old versions are deleted after 90 days, unfinished uploads after 7.
    Creates a lifecycle configuration of a new bucket, not of an imported one, whose own would be
    lost. No cost"""

    encryption: Switch = False
    """true or false: whether S3's own keys (SSE-S3) are the bucket's default, unless it has a KMS
    key. Sets the default encryption in the bucket's account; objects that are there stay as they
    are. No cost"""

    access_logging: Switch = False
    """true or false (a log bucket that exists is the "log_bucket" of its account): whether S3
    writes each request to a log bucket. Creates one for each bucket, in the bucket's account, whose
    storage is paid for and which is deleted, with its logs, together with the link"""

    imdsv2: Switch = False
    """true or false: whether instances hand out credentials only to requests with a token. An
    option of the link's instances, in the role's account; breaks software that knows only the first
    version of the instance metadata service. No cost"""

    ebs_encryption: Switch = False
    """true or false: whether instances have an encrypted root volume. With the default key for EBS
    of the role's account; replaces an instance that is there. No cost"""

    ebs_optimized: Switch = False
    """true or false: whether instances have a connection of their own to their volumes. In the
    role's account; replaces an instance that is there. No cost with t3.micro"""

    https_egress_only: Switch = False
    """true or false: whether instances reach others by HTTPS (port 443) only. A rule of their
    security group, in the role's account; breaks all that goes out by another port. No cost"""

    default_security_group_closed: Switch = False
    """true or false: whether the default security group of an instance's VPC lets nothing in or
    out. In the role's account; breaks nothing of the link, which does not use it. No cost"""


NONE = Hardening()
"""As the reference deployment has it."""

HARDENED = Hardening(**dict.fromkeys(Hardening.model_fields, True))
"""Everything on: for new links."""
