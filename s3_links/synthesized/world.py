"""All blocks of one moment as the world that is evaluated: who is there, and every policy."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Literal

from s3_links.world import (
    ACCESS_POINT,
    AccessPoint,
    Bucket,
    Document,
    Identity,
    Principal,
    Resource,
    World,
    principal,
)

from .blocks import UNNAMED, Blocks, first, nested, type_of
from .destinations import HARMLESS, POLICY_TYPES, destinations
from .policies import document_of, parsed, unknown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_MODELLED = {
    *("aws_iam_role", "aws_iam_policy", "aws_iam_role_policy", "aws_iam_role_policy_attachment"),
    "aws_iam_user_policy_attachment",
    *("aws_s3_bucket", "aws_s3_bucket_policy", "aws_s3_bucket_ownership_controls"),
    "aws_s3_access_point",
    *("aws_s3_bucket_public_access_block", "aws_s3_bucket_versioning"),
    "aws_s3_account_public_access_block",
    *("aws_s3_bucket_replication_configuration", "aws_kms_key", "aws_kms_key_policy"),
    "aws_s3_bucket_server_side_encryption_configuration",
    *POLICY_TYPES,
}
# These let nobody do anything to a bucket, a role or a key.
_HARMLESS = {
    *("aws_kms_alias", "aws_s3_bucket_lifecycle_configuration", "aws_s3_object", "aws_instance"),
    *("aws_vpc", "aws_subnet", "aws_internet_gateway", "aws_route_table", "aws_security_group"),
    *("aws_route_table_association", "terraform_data", "aws_s3_bucket_logging"),
    "aws_default_security_group",
    *HARMLESS,
}
# Whom these hand a role to is in its trust policy, so that a new one adds nothing to it.
_HARMLESS_WHEN_NEW = {"aws_iam_instance_profile", "aws_iam_openid_connect_provider"}
_GRANTING = {
    "aws_s3_bucket": (
        *("acl", "grant", "policy", "replication_configuration"),
        *("lifecycle_rule", "object_lock_configuration", "server_side_encryption_configuration"),
    ),
    "aws_s3_object": ("acl",),
    "aws_s3_access_point": ("public_access_block_configuration",),
    "aws_iam_role": ("inline_policy", "managed_policy_arns"),
    "aws_sqs_queue": ("policy",),
    "aws_sns_topic": ("policy",),
}
_PLACES = {
    "bucket policy": (("aws_s3_bucket_policy", "bucket"), ("aws_s3_bucket", "bucket")),
    "access point policy": (("aws_s3_access_point", "arn"),),
    "key policy": (("aws_kms_key", "arn"),),
    "trust policy": (("aws_iam_role", "arn"),),
    "permissions boundary": (("aws_iam_role", "permissions_boundary"),),
    "identity policy": (
        ("aws_iam_role_policy_attachment", "policy_arn"),
        ("aws_iam_user_policy_attachment", "policy_arn"),
        ("aws_iam_role_policy", "name"),
    ),
}
OTHERS = "other policies of "
"""Begins the name of the document that stands for what a role has and nobody looked up."""
_NAMED = re.compile(r"arn:[\w-]+:iam::[^:]*:(?:role|user)/.+")
_ATTACHMENTS = ("aws_iam_role_policy_attachment", "aws_iam_user_policy_attachment")


def world_of(
    blocks: Blocks,
    unmanaged: Mapping[str, str] | None = None,
    attached: frozenset[tuple[str, str]] = frozenset(),
) -> World:
    """Return what is known at one moment.

    ``unmanaged`` has the policies, by bucket, that no block has written: they stay until one does.
    ``attached`` are the attachments, by role and policy, that blocks have made before: a role's own
    list of its policies does not know yet which of them go.
    """
    return _Builder(blocks, unmanaged or {}, attached).world()


def attachments(blocks: Blocks) -> frozenset[tuple[str, str]]:
    """Return the attachments that blocks make: the role's name and the policy's ARN."""
    return frozenset(
        (blocks.attribute(address, _holds(address)), blocks.attribute(address, "policy_arn"))
        for address in blocks.of(*_ATTACHMENTS)
    )


def _holds(address: str) -> Literal["role", "user"]:
    """Return what a block calls whom it gives a policy to."""
    return "user" if type_of(address) == "aws_iam_user_policy_attachment" else "role"


def place_of(blocks: Blocks, document: Document) -> str | None:
    """Return the address of the block that a document stands in."""
    name = document.name
    for type_, argument in _PLACES.get(document.kind, ()):
        for address in blocks.of(type_):
            value = blocks.attribute(address, argument)
            if value == name or (argument == "bucket" and name.endswith(f":::{value}")):
                return address
    return None


def unmanaged_policies(blocks: Blocks) -> dict[str, str]:
    """Return the policies, by bucket, that no block has written.

    An imported bucket may have one that nobody declared to import.
    """
    written = {blocks.attribute(policy, "bucket") for policy in blocks.of("aws_s3_bucket_policy")}
    return {
        name: str(blocks.known(address, "policy"))
        for address in blocks.of("aws_s3_bucket")
        if blocks.is_known(address, "policy") and blocks.known(address, "policy")
        if (name := blocks.attribute(address, "bucket")) not in written
    }


def not_modelled(entry: Mapping[str, Any]) -> Iterator[str]:
    """Yield why nobody can say here whether a planned change of a resource lets somebody in."""
    address, change = entry["address"], entry["change"]
    actions = change["actions"]
    if entry["mode"] == "data" or actions in (["no-op"], ["read"], ["forget"]):
        return
    type_ = type_of(address)
    if address.startswith("module.") or entry.get("module_address"):
        yield f"{address}: what a module changes is not evaluated"
    elif type_ in _HARMLESS_WHEN_NEW and actions in (["create"], ["delete"]):
        return
    elif type_ not in _MODELLED | _HARMLESS:
        yield f"{address}: what a {type_} lets is not evaluated"
    else:
        before, after = change.get("before") or {}, change.get("after") or {}
        # What is computed is not known of what is new, and grants nothing there.
        unknown_now = (change.get("after_unknown") or {}) if before else {}
        for name in _GRANTING.get(type_, ()):
            granted = after.get(name)
            if (granted and granted != before.get(name) and granted != "private") or (
                unknown_now.get(name) is True
            ):
                yield f"{address}: what {name} lets is not evaluated"


class _Builder:
    def __init__(
        self,
        blocks: Blocks,
        unmanaged: Mapping[str, str],
        attached: frozenset[tuple[str, str]],
    ) -> None:
        self._blocks = blocks
        self._unmanaged = unmanaged
        self._before = attached | attachments(blocks)
        self._managed = {
            blocks.attribute(address, "arn"): address for address in blocks.of("aws_iam_policy")
        }

    def world(self) -> World:
        roles = dict(self._roles())
        resources: dict[str, Resource] = {
            str(who.arn): Resource(
                arn=str(who.arn),
                account=who.account,
                policy=self._trust(address, who),
            )
            for who, address in roles.items()
            if who.kind == "role"
        }
        named = (
            *self._buckets(),
            *self._access_points(),
            *self._keys(),
            *destinations(self._blocks),
        )
        resources |= {resource.arn: resource for resource in named}
        attached = self._attached(roles)
        identities = {
            who: Identity(
                policies=tuple(self._policies(who, address, attached[who])),
                boundary=self._boundary(address) if address else None,
            )
            for who, address in roles.items()
        }
        return World(identities=identities, resources=resources)

    # Roles and users

    def _roles(self) -> Iterator[tuple[Principal, str]]:
        found: dict[Principal, str] = {}
        looked_up = ("data.aws_iam_role", "data.aws_iam_instance_profile", "data.aws_iam_user")
        for address in self._blocks.of(*looked_up, "aws_iam_role"):
            name = "role_arn" if type_of(address) == looked_up[1] else "arn"
            arn = self._blocks.attribute(address, name)
            if _NAMED.fullmatch(arn):
                found[principal(arn)] = address
        yield from found.items()
        for address in self._blocks.of(*_ATTACHMENTS, "aws_iam_role_policy"):
            who = self._holder(address, found)
            if who not in found:
                found[who] = ""
                yield who, ""

    def _holder(self, address: str, roles: Iterable[Principal]) -> Principal:
        """Return the role or the user that a block gives a policy to."""
        kind = _holds(address)
        account, name = self._blocks.account(address), self._blocks.attribute(address, kind)
        if arn := self._blocks.told(kind, address):
            return principal(arn)
        for who in roles:
            if (who.kind, who.name) == (kind, name) and account in (who.account, UNNAMED):
                return who
        partition = self._blocks.partition(address)
        return Principal(kind=kind, account=account, name=name, partition=partition)

    def _trust(self, address: str, who: Principal) -> Document:
        arn = str(who.arn)
        if type_of(address) not in ("aws_iam_role", "data.aws_iam_role"):
            return unknown("trust policy", who.account, arn, f"whom {arn} trusts is not looked up")
        return document_of(self._blocks, address, "assume_role_policy", "trust policy", arn)

    def _attached(self, roles: Mapping[Principal, str]) -> dict[Principal, list[Document]]:
        found: dict[Principal, list[Document]] = defaultdict(list)
        for address in self._blocks.of(*_ATTACHMENTS):
            who = self._holder(address, roles)
            found[who].append(self._policy(self._blocks.attribute(address, "policy_arn"), who))
        for address in self._blocks.of("aws_iam_role_policy"):
            who = self._holder(address, roles)
            name = self._blocks.attribute(address, "name")
            found[who].append(document_of(self._blocks, address, "policy", "identity policy", name))
        return found

    def _policies(
        self, who: Principal, address: str, attached: list[Document]
    ) -> Iterator[Document]:
        yield from attached
        names = {document.name for document in attached}
        blocks = self._blocks
        for inline in nested(blocks.known(address, "inline_policy")) if address else ():
            name = str(inline.get("name"))
            if inline.get("policy") and name not in names:
                yield parsed("identity policy", who.account, name, inline["policy"])
        for arn in blocks.known(address, "managed_policy_arns") or [] if address else []:
            if (who.name, arn) not in self._before:
                yield self._policy(arn, who)
        if type_of(address) != "aws_iam_role":
            reason = f"what else {who.name} has is not looked up"
            yield unknown("identity policy", who.account, f"{OTHERS}{who}", reason)

    def _policy(self, arn: str, who: Principal) -> Document:
        if arn in self._managed:
            return document_of(self._blocks, self._managed[arn], "policy", "identity policy", arn)
        return unknown("identity policy", who.account, arn, f"{arn} is not written here")

    def _boundary(self, address: str) -> Document | None:
        if not self._blocks.known(address, "permissions_boundary"):
            return None
        arn = self._blocks.attribute(address, "permissions_boundary")
        if arn in self._managed:
            own = self._managed[arn]
            return document_of(self._blocks, own, "policy", "permissions boundary", arn)
        account = self._blocks.account(address)
        return unknown("permissions boundary", account, arn, f"{arn} is not written here")

    # Buckets and keys

    def _buckets(self) -> Iterator[Bucket]:
        blocks = self._blocks
        names: dict[str, str] = {}
        for address in blocks.of("aws_s3_bucket", "data.aws_s3_bucket", "aws_s3_bucket_policy"):
            names.setdefault(blocks.attribute(address, "bucket"), address)
        policies = self._by_bucket("aws_s3_bucket_policy")
        public = self._by_bucket("aws_s3_bucket_public_access_block")
        of_accounts = {
            blocks.account(a): a for a in blocks.of("aws_s3_account_public_access_block")
        }
        ownership = self._by_bucket("aws_s3_bucket_ownership_controls")
        for name, address in names.items():
            arn, account = f"arn:{blocks.partition(address)}:s3:::{name}", blocks.account(address)
            policy = None
            if name in policies:
                policy = document_of(blocks, policies[name], "policy", "bucket policy", arn)
            elif name in self._unmanaged:
                policy = parsed("bucket policy", account, arn, self._unmanaged[name])
            elif type_of(address) == "data.aws_s3_bucket":
                policy = unknown("bucket policy", account, arn, "not looked up")
            blocking = filter(None, (public.get(name), of_accounts.get(account)))
            settings: dict[str, Any] = {
                "restrict_public": any(blocks.known(a, "restrict_public_buckets") for a in blocking)
            }
            if name in ownership:
                rule = first(blocks.known(ownership[name], "rule"))
                settings["ownership"] = rule.get("object_ownership")
            yield Bucket(arn=arn, account=account, policy=policy, **settings)

    def _access_points(self) -> Iterator[AccessPoint]:
        blocks = self._blocks
        for address in blocks.of("aws_s3_access_point"):
            arn, bucket = blocks.attribute(address, "arn"), blocks.attribute(address, "bucket")
            policy, vpcs = None, nested(blocks.known(address, "vpc_configuration"))
            if blocks.known(address, "policy") not in (None, "", "{}"):  # which is none
                policy = document_of(blocks, address, "policy", ACCESS_POINT, arn)
            yield AccessPoint(
                arn=arn,
                account=blocks.account(address),
                policy=policy,
                bucket=f"arn:{blocks.partition(address)}:s3:::{bucket}",
                vpc=next((str(one.get("vpc_id")) for one in vpcs), None),
            )

    def _by_bucket(self, type_: str) -> dict[str, str]:
        return {self._blocks.attribute(a, "bucket"): a for a in self._blocks.of(type_)}

    def _keys(self) -> Iterable[Resource]:
        blocks = self._blocks
        policies = {blocks.attribute(a, "key_id"): a for a in blocks.of("aws_kms_key_policy")}
        for address in blocks.of("aws_kms_key", "data.aws_kms_key"):
            arn = blocks.attribute(address, "arn")
            by_id = policies.pop(blocks.attribute(address, "key_id"), None)
            own = by_id or policies.pop(arn, None)
            yield self._key(arn, address, own or address)
        for key, address in policies.items():  # of keys that others made
            start = f"arn:{blocks.partition(address)}:kms:{blocks.region(address)}"
            whole = f"{start}:{blocks.account(address)}:key/{key}"
            yield self._key(key if key.startswith("arn:") else whole, address, address)

    def _key(self, arn: str, address: str, place: str) -> Resource:
        blocks = self._blocks
        return Resource(
            arn=arn,
            account=blocks.account(address),
            policy=document_of(blocks, place, "policy", "key policy", arn),
        )
