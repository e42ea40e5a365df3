"""What people call what has another name here, stands elsewhere, or is not of a links file at all.

What has a second half in another account belongs into a links file; what has none is its owner's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection


@dataclass(frozen=True, kw_only=True)
class Words:
    """Words, and what is told of each; only ``beside`` the field of this name, where it has one.

    WORD in what is told stands for the word.
    """

    words: str
    told: str
    beside: str | None = None

    def of(self, word: str) -> str | None:
        """Return what is told of a word, if it is one of these."""
        return self.told.replace("WORD", word) if word in self.words.split() else None


_OF_AN_ACCESS = (
    "actions conditions level mfa prefixes same_accounts source_ips tls_only tls_version "
    "vpc_endpoint_ids vpc_ids"
)
KEYS: Final = (
    Words(
        words="accelerate acceleration acl analytics cors cors_configuration cors_rule cors_rules "
        "expiration expiration_days intelligent_tiering lifecycle lifecycle_configuration "
        "lifecycle_rule lifecycle_rules mfa_delete object_lock object_lock_configuration "
        "object_lock_enabled object_ownership ownership_controls request_payer requester_pays "
        "transfer_acceleration transitions website",
        told="it has no half in another account: whoever owns the bucket sets it, beside this "
        "file; remove it",
    ),
    Words(
        words="encryption public_access_block versioning",
        told='it is a switch: write "hardening": {"WORD": true} in the link',
    ),
    Words(
        words="access_logging access_logs logging",
        told='it is a switch: write "hardening": {"access_logging": true} in the link',
    ),
    Words(
        words=_OF_AN_ACCESS,
        told='it is of an access: write "access": {"WORD": …} here',
        beside="access",
    ),
    Words(
        words=_OF_AN_ACCESS,
        told="it is of the access of a link's roles: S3 copies what the rules name; remove it",
        beside="both_ways",
    ),
    Words(
        words=_OF_AN_ACCESS,
        told="it is of the access of a link's roles: a service gets what its documents ask for; "
        "remove it",
        beside="trail",
    ),
    Words(
        words=_OF_AN_ACCESS,
        told='it is of an access: write "access": {"WORD": …} in the link',
    ),
    Words(
        words="deletion_policy deletion_protection prevent_destroy removal_policy retain",
        told='write "keep": true beside a new bucket\'s name',
    ),
    Words(
        words="dsse force_destroy keep key old_versions_days",
        told='it is of a bucket: write "WORD" beside its name',
    ),
    Words(
        words="external_id self_assuming",
        told='it is of a role to assume: write "assumed_role": {"WORD": …} in the link',
    ),
    Words(
        words="permissions_boundary region tags",
        told='it is of an account: write "accounts": {"account1": {"WORD": …}}',
    ),
    Words(
        words="kms kms_key kms_key_arn kms_key_id kms_master_key_id sse",
        told='write "key" beside a bucket\'s name: "new", or the ARN of a key that exists',
    ),
    Words(
        words="access_point accesspoint through",
        told='write "access_points" beside a bucket\'s name: [{"account": "account1", "name": '
        '"reports"}]',
    ),
    Words(
        words="inventory",
        told='it is a link: "pattern": "service-delivery", "service": "s3-inventory"',
    ),
    Words(
        words="replicate replication_configuration", told='it is a link: "pattern": "replication"'
    ),
    Words(
        words="replica_modifications",
        told='write "both_ways": true in the replication, which has it',
    ),
    Words(
        words="existing_object_replication existing_objects",
        told='write "batch_role": true in the replication',
    ),
    Words(
        words="access_grants mrap multi_region_access_point object_lambda",
        told="it is not written here: whoever owns the bucket makes it, beside this file; remove "
        "it",
    ),
    Words(
        words="deny deny_others exclusive",
        told="a Deny for everybody else is the bucket owner's: remove it",
    ),
    # Of the file itself.
    Words(
        words="depends_on",
        told="deploy orders links by what they share and look up: remove it",
    ),
    Words(
        words="disabled enabled status",
        told="what is written is in force: to stop a part, take it out and "
        'deploy; to stop a link, "s3-links destroy"',
    ),
    Words(
        words="bucket_name existing_bucket name",
        told='write "new_name" or "new_prefix" for a new bucket, "existing" for one that exists',
        beside="new_prefix",
    ),
    Words(
        words="existing existing_access_point",
        told="the link makes access points; one that exists is its owner's to share, by its own "
        "policy and the bucket's",
        beside="vpc_id",
    ),
    # Of who gets access.
    Words(
        words="role role_name",
        told='write "new_role" for one that the link creates, "existing_role" for one that exists',
        beside="existing_role",
    ),
    Words(
        words="arn principal principals role_arn",
        told='write "existing_role" or "existing_user": they take ARNs',
        beside="existing_role",
    ),
    Words(
        words="new_user user user_arn user_name",
        told='write "existing_user" for an IAM user '
        'that exists; a new consumer is a "new_role", which has no keys to lose',
        beside="existing_user",
    ),
    Words(
        words="existing_group group iam_group",
        told="a group is no principal that a policy can "
        "name: write each user, or a role that they assume",
        beside="existing_user",
    ),
    Words(
        words="anonymous everybody everyone public",
        told="nothing is given to everybody here: "
        'what the world may read is behind CloudFront, "service": "cloudfront"',
        beside="existing_user",
    ),
    Words(
        words="canonical_id canonical_user canonical_user_id",
        told='write "existing_role", '
        '"existing_user" or "whole_account": canonical ids are for ACLs',
        beside="existing_user",
    ),
    Words(
        words="managed_policy_arns policies policy_arns",
        told="the link writes what access "
        "needs; what else a role may do is for others to attach: remove it",
        beside="existing_role",
    ),
    Words(
        words="service service_principal services trusted_services",
        told='write "trusted_service"',
        beside="trusted_service",
    ),
    Words(
        words="irsa oidc_issuer pod service_account",
        told='write "trusted_pod": {"WORD": …}',
        beside="trusted_pod",
    ),
    Words(
        words="cognito identity_pool saml saml_provider trusted_identity_pool trusted_saml "
        "web_identity",
        told="who signs in by SAML, by Amazon Cognito or by another that AWS knows by itself has a "
        'role already: write its name as "existing_role"',
        beside="trusted_service",
    ),
    Words(
        words="trusted_account trusted_role",
        told='a role that others assume is an "assumed_role", of the pattern assume-role',
        beside="trusted_service",
    ),
    # Of an access.
    Words(words="cidr cidrs ip ips source_ip", told='write "source_ips"', beside="source_ips"),
    Words(
        words="vpc_endpoint vpc_endpoint_id vpce",
        told='write "vpc_endpoint_ids"',
        beside="vpc_endpoint_ids",
    ),
    Words(
        words="expires expires_at expiry not_after until",
        told='write "conditions": {"DateLessThan": {"aws:CurrentTime": "2030-01-01T00:00:00Z"}}',
        beside="conditions",
    ),
    Words(
        words="delete list permissions read write",
        told='write a "level", or "actions"',
        beside="level",
    ),
    Words(
        words="exclude excluded_prefixes keys objects suffix suffixes tags",
        told="an access is "
        'to what is below "prefixes", or has a tag: "conditions": {"StringEquals": '
        '{"s3:ExistingObjectTag/share": "yes"}}',
        beside="conditions",
    ),
    # Of what a service delivers.
    Words(
        words="origin_access_identity",
        told="CloudFront reads by an origin access control, "
        'which replaces identities: write "distribution_ids"',
        beside="distribution_ids",
    ),
)
"""Of unknown keys."""


def told_of_key(key: str, known: Collection[str]) -> str | None:
    """Return what to do about an unknown key beside the ``known`` ones, if that can be told."""
    told = (w.of(key) for w in KEYS if w.beside is None or w.beside in known)
    return next((text for text in told if text), None)
