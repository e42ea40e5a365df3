"""Named sets of S3 actions.

Follows "Actions, resources, and condition keys for Amazon S3" in the Service Authorization
Reference.
"""

from typing import Final

LIST_GET_PUT: Final = ("s3:PutObject", "s3:GetObject", "s3:ListBucket")
"""List a bucket, read and write its objects: what the patterns grant by default.

Enough for ``aws s3 ls`` and for ``aws s3 cp`` in both directions; not for deleting.
"""

COPY_WITH_TAGS: Final = (*LIST_GET_PUT, "s3:GetObjectTagging", "s3:PutObjectTagging")
"""Also read and write objects' tags.

Version 2 of the AWS CLI asks for them when ``aws s3 cp`` or ``sync`` copies objects of more than
8 MB from bucket to bucket.
"""

READ_WRITE_DELETE: Final = (*COPY_WITH_TAGS, "s3:DeleteObject")
"""Also delete objects: for ``aws s3 mv`` and ``aws s3 sync --delete``."""

ASSUME_ROLE: Final = ("sts:AssumeRole",)
"""Take on a role. The role's trust policy and the caller's identity policy both need it."""
