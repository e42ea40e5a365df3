"""The hardening of a link."""

from __future__ import annotations

from typing import Annotated

from pydantic import (
    Field,
)

from s3_cross_account.hardening import HARDENED, NONE, Hardening

from .part import Part


class HardeningSwitches(Part):
    """One switch each; left out is off."""

    public_access_block: bool = False
    tls_only: bool = False
    versioning: bool = False
    lifecycle: bool = False
    encryption: bool = False
    access_logging: Annotated[
        bool,
        Field(
            description='true or false (a log bucket that exists is the "log_bucket" of its '
            "account)",
            examples=[True],
        ),
    ] = False
    imdsv2: bool = False
    ebs_encryption: bool = False
    ebs_optimized: bool = False
    https_egress_only: bool = False
    default_security_group_closed: bool = False


HardeningChoice = Annotated[
    bool | HardeningSwitches,
    Field(description="true (everything), false or single switches", examples=[True]),
]


def switches(hardening: bool | HardeningSwitches) -> Hardening:
    """Return the hardening as the library has it."""
    if isinstance(hardening, bool):
        return HARDENED if hardening else NONE
    return Hardening(**hardening.model_dump())
