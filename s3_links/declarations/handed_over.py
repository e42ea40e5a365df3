"""What the outputs are called that hold what somebody else has to write."""

from __future__ import annotations

IDENTITY = "identity_policy_to_attach_"
BUCKET = "bucket_policy_to_merge_"
KEY = "key_policy_to_merge_"
TRUST = "trust_policy_to_write_"
