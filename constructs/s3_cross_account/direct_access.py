"""Pattern 1: direct access, without AssumeRole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from constructs import Construct

from .actions import LIST_GET_PUT

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .bucket import Bucket
    from .role import Role


class DirectAccess(Construct):
    """Lets ``role`` itself reach ``buckets``, whichever account each of them is in.

    Writes the role's policies in its own account, and in the account of each other bucket the
    bucket policy that names the role.

    Follows "Example 2: Bucket owner granting cross-account bucket permissions" in the Amazon S3
    User Guide.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        role: Role,
        buckets: Sequence[Bucket],
        actions: Sequence[str] = LIST_GET_PUT,
    ) -> None:
        super().__init__(scope, id_)
        for bucket in buckets:
            bucket.grant(role, actions)
