"""Pattern 1: direct access, without AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .access import REFERENCE, Access
from .document import rendered_once

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bucket import BucketBase
    from .role import RoleBase

__all__ = ["DirectAccess"]


class DirectAccess(Construct):
    """Lets ``roles`` themselves reach ``buckets``, whichever account each of them is in.

    Writes each role's policies in its own account, and in the account of each other bucket the
    bucket policy that names the role. ``access`` and ``survive_recreation`` are those of
    :meth:`BucketBase.grant`.

    Follows "Example 2: Bucket owner granting cross-account bucket permissions" in the Amazon S3
    User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        roles: Sequence[RoleBase],
        buckets: Sequence[BucketBase],
        access: Access = REFERENCE,
        survive_recreation: bool = False,
    ) -> None:
        super().__init__(scope, id_)
        with rendered_once():
            for bucket in buckets:
                bucket.grant(*roles, access=access, survive_recreation=survive_recreation)
