"""What the outputs are called that hold what somebody else has to write."""

from __future__ import annotations

IDENTITY = "identity_policy_to_attach_"
BUCKET = "bucket_policy_to_merge_"
KEY = "key_policy_to_merge_"
TRUST = "trust_policy_to_write_"


def of_target(kind: str, label: str) -> str:
    """Return the output of what has to be merged into the policy of a queue, a topic or a bus."""
    return f"{kind}_policy_to_merge_{label}"


def of_target_key(label: str) -> str:
    """Return the output of what has to be merged into the policy of its key."""
    return f"key_policy_to_merge_of_{label}"
