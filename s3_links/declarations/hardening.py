"""The hardening of a link."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from s3_cross_account.hardening import HARDENED, NONE, Hardening

HardeningChoice = Annotated[
    bool | Hardening,
    Field(
        description="true (everything), false or single switches. What a careful engineer adds to "
        "new and imported buckets and to instances; existing buckets stay as they are",
        examples=[True],
    ),
]


def switches(hardening: bool | Hardening) -> Hardening:
    """Return the hardening as the library has it."""
    if isinstance(hardening, bool):
        return HARDENED if hardening else NONE
    return hardening
