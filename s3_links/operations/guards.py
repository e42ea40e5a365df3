"""What is not access but guards it, or what is kept: told where a plan changes it."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import first, nested, type_of

from .labels import shown

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    from s3_links.synthesized.blocks import Blocks

    from .moments import Moments

_PUBLIC = (
    *("block_public_acls", "block_public_policy"),
    *("ignore_public_acls", "restrict_public_buckets"),
)
_OWNERSHIP = ("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced")
_KEPT = ("aws_s3_bucket", "aws_kms_key")
"""What cannot be had again once it is deleted."""
_KEEPING_DATA = ("versioning", "force_destroy", "expiration", "MFA delete")


@dataclass(frozen=True, order=True)
class Guard:
    """A guard that changes: of what, which, and how.

    ``weakens`` is true where it lets more than before, or where nobody can say; ``data_loss`` where
    data can be lost that could not.
    """

    target: str
    guard: str
    before: str
    after: str
    weakens: bool
    data_loss: bool = False


def guards(plan: Mapping[str, Any], moments: Moments) -> list[Guard]:
    """Return every guard that a plan changes on what was there before."""
    before, after = moments.before, moments.after
    found: list[Guard] = []
    for type_, kind in _KINDS.items():
        was, now = _by_target(before, type_), _by_target(after, type_)
        owners, left = _by_target(before, kind.of), _by_target(after, kind.of)
        # What is new had no guard to lose, what goes has nothing left to guard.
        for target in sorted((was.keys() | now.keys()) - (owners.keys() ^ left.keys())):
            one, other = was.get(target), now.get(target)
            found += _changed(
                target,
                kind.read(before, one) if one else kind.unmanaged(before, owners.get(target)),
                kind.read(after, other) if other else kind.lost,
            )
    found += _deleted(plan, moments)
    return found


def _by_target(blocks: Blocks, type_: str) -> dict[str, str]:
    return {_target(blocks, address): address for address in blocks.of(type_)}


def _target(blocks: Blocks, address: str) -> str:
    place = shown(blocks.place(address))
    match type_of(address):
        case "aws_s3_account_public_access_block":
            return f"account {place}"
        case "aws_iam_role":
            return f"role {blocks.attribute(address, 'name')} ({place})"
    return f"bucket {blocks.attribute(address, 'bucket')}"


# Each guard by its name: its value in words, and how strong it is (None: not to be compared).
Values = dict[str, tuple[str, float | None]]
_BY_ITSELF: Values = {"encryption": ("AES256", 0)}
"""What Amazon S3 encrypts by where nothing is set."""


def _public_access(blocks: Blocks, address: str) -> Values:
    return _blocks([name for name in _PUBLIC if blocks.known(address, name) in (True, "true")])


def _blocks(on: Collection[str]) -> Values:
    switches = {name: ("on", 1) if name in on else ("off", 0) for name in _PUBLIC}
    return {f"public access block {name}": switch for name, switch in switches.items()}


def _ownership(blocks: Blocks, address: str) -> Values:
    value = first(blocks.known(address, "rule")).get("object_ownership") or "?"
    return {"ownership": (value, _OWNERSHIP.index(value) if value in _OWNERSHIP else None)}


_STATUS = {"Enabled": 1, "Disabled": 0, "Suspended": 0}


def _versioning(blocks: Blocks, address: str) -> Values:
    found = first(blocks.known(address, "versioning_configuration"))
    status, deletes = found.get("status") or "?", found.get("mfa_delete") or "Disabled"
    return {
        "versioning": (status, _STATUS.get(status)),
        "MFA delete": (deletes, _STATUS.get(deletes)),
    }


def _of_bucket(blocks: Blocks, address: str) -> Values:
    """Return what a bucket's own block says; of its versioning, what is there or set there."""
    forced = blocks.known(address, "force_destroy")
    on = forced not in (None, False, "false")  # what is not known yet may be
    found: Values = {"force_destroy": ("on" if on else "off", 0 if on else 1)}
    if versioning := first(blocks.known(address, "versioning")):
        status = "Enabled" if versioning.get("enabled") in (True, "true") else "Suspended"
        found["versioning, of its own block"] = (status, _STATUS[status])
    return found


def _expiration(blocks: Blocks, address: str) -> Values:
    """Return after how many days objects and old versions go, by the rules that delete them."""
    found: Values = {}
    for rule in nested(blocks.known(address, "rule")):
        of = json.dumps(rule.get("filter") or rule.get("prefix") or "", sort_keys=True)
        expiring, old = (
            first(rule.get(name)) for name in ("expiration", "noncurrent_version_expiration")
        )
        for what, when in (
            ("objects", expiring.get("days")),
            ("objects", expiring.get("date")),
            ("old versions", old.get("noncurrent_days")),
        ):
            if not when or rule.get("status") != "Enabled":
                continue
            days = float(when) if str(when).isdigit() else 0
            name = f"expiration of {what} of {of}"
            if days <= _days(found.get(name, ("", None))[1]):
                found[name] = (f"{when} days" if days else str(when), days)
    return found


def _encryption(blocks: Blocks, address: str) -> Values:
    return _encrypted_by(blocks.known(address, "rule"), blocks)


def _encryption_of(blocks: Blocks, bucket: str | None) -> Values:
    """Return what Terraform has looked up of a bucket whose encryption it did not manage."""
    found = blocks.known(bucket, "server_side_encryption_configuration") if bucket else None
    return _BY_ITSELF if found == [] else _encrypted_by(first(found).get("rule"), blocks)


def _encrypted_by(rule: Any, blocks: Blocks) -> Values:
    default = first(first(rule).get("apply_server_side_encryption_by_default"))
    algorithm = default.get("sse_algorithm") or "?"
    key = default.get("kms_master_key_id") or ""
    strength = {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2}.get(algorithm)
    # Another key is another guard, as strong as nobody can say; so is one of somebody else.
    strength = None if _is_foreign(key, blocks) else strength
    return {"encryption": (f"{algorithm} {key}".strip(), strength)}


def _is_foreign(key: str, blocks: Blocks) -> bool:
    """Whether a key is of an account that is none of the stack's."""
    account = "".join(key.split(":")[4:5])
    return account.isdigit() and account not in blocks.accounts.values()


def _boundary(blocks: Blocks, address: str) -> Values:
    if not blocks.known(address, "permissions_boundary"):
        return {"permissions boundary": ("none", 0)}
    return {"permissions boundary": (blocks.attribute(address, "permissions_boundary"), 1)}


def _replication(blocks: Blocks, address: str) -> Values:
    found: Values = {}
    for rule in blocks.known(address, "rule") or []:
        if rule.get("status") != "Enabled":
            continue
        destination = first(rule.get("destination"))
        filter_ = first(rule.get("filter"))
        every = first(filter_.get("and"))
        prefix = str(filter_.get("prefix") or every.get("prefix") or rule.get("prefix") or "")
        tags = filter_.get("tag") or every.get("tags") or ""
        to = str(destination.get("bucket") or "?")
        name = f"replication to {to}"
        encrypted = first(destination.get("encryption_configuration"))
        if _is_foreign(key := str(encrypted.get("replica_kms_key_id") or ""), blocks):
            name += f" with the key {key}"
        told = f"of {prefix}*" + (f" with the tags {tags}" if tags else "")
        if destination.get("account"):
            told += f" for the account {destination['account']}"
        told = "; ".join(sorted({*found.get(name, ("",))[0].split("; "), told} - {""}))
        found[name] = (told, None)
    return found


def _as_good_as(values: Values) -> Callable[[Blocks, str | None], Values]:
    """Return what counts as there before Terraform first sets a guard: the best that it can be.

    AWS sets the best on a new bucket since April 2023, and its owner may have on any other.
    """
    there = {name: ("not managed", strength) for name, (_, strength) in values.items()}
    return lambda *_: there


@dataclass(frozen=True, kw_only=True)
class _Kind:
    """A type of block that guards: how it is read, and the type of what comes and goes with it.

    ``unmanaged`` is what counts before Terraform has set it, ``lost`` what is left when it goes.
    """

    read: Callable[[Blocks, str], Values]
    of: str = "aws_s3_bucket"
    unmanaged: Callable[[Blocks, str | None], Values] = lambda *_: {}
    lost: Values = field(default_factory=dict)


_KINDS = {
    "aws_s3_account_public_access_block": _Kind(
        read=_public_access, of="", unmanaged=_as_good_as(_blocks(_PUBLIC)), lost=_blocks(())
    ),
    "aws_s3_bucket_public_access_block": _Kind(
        read=_public_access, unmanaged=_as_good_as(_blocks(_PUBLIC)), lost=_blocks(())
    ),
    "aws_s3_bucket_ownership_controls": _Kind(
        read=_ownership,
        unmanaged=_as_good_as({"ownership": ("BucketOwnerEnforced", 2)}),
        lost={"ownership": ("ObjectWriter", 0)},  # without any, ACLs count
    ),
    "aws_s3_bucket_versioning": _Kind(
        read=_versioning,
        unmanaged=lambda *_: {
            "versioning": ("not managed", 1),
            "MFA delete": ("Disabled", 0),
        },
        lost={"versioning": ("Suspended", 0), "MFA delete": ("Disabled", 0)},
    ),
    "aws_s3_bucket": _Kind(read=_of_bucket),
    "aws_s3_bucket_lifecycle_configuration": _Kind(read=_expiration),
    "aws_s3_bucket_server_side_encryption_configuration": _Kind(
        read=_encryption,
        unmanaged=_encryption_of,
        lost=_BY_ITSELF,
    ),
    "aws_s3_bucket_replication_configuration": _Kind(read=_replication),
    "aws_iam_role": _Kind(read=_boundary, of="aws_iam_role"),
}


def _changed(target: str, before: Values, after: Values) -> Iterator[Guard]:
    none = ("none", None)
    for name in sorted({*before, *after}):
        (was, strong), (now, strength) = before.get(name, none), after.get(name, none)
        if was == now:
            continue
        if name.startswith("replication"):
            weakens = not _covers(was, now)
        elif name.startswith("expiration"):
            weakens = _days(strength) < _days(strong)
        elif strong is None or strength is None:
            weakens = True
        else:
            # Another boundary is evaluated; another key of the same kind is not.
            weakens = strength < strong or (strength == strong and name == "encryption")
        loses = weakens and name.startswith(_KEEPING_DATA)
        yield Guard(target, name, was, now, weakens=weakens, data_loss=loses)


def _days(strength: float | None) -> float:
    return math.inf if strength is None else strength


def _covers(before: str, after: str) -> bool:
    """Whether all that is replicated now was before: the same, or keys below."""
    if after == "none":
        return True
    return all(
        any(
            new == old
            # A tag narrows too; another account is another destination.
            or (old.endswith("*") and " for " not in new and new.startswith(old[:-1]))
            for old in before.split("; ")
        )
        for new in after.split("; ")
    )


def _deleted(plan: Mapping[str, Any], moments: Moments) -> Iterator[Guard]:
    for entry in plan.get("resource_changes", []):
        address = entry["address"]
        type_ = entry.get("type") or type_of(address)
        if type_ in _KEPT and entry["mode"] != "data" and "delete" in entry["change"]["actions"]:
            kind = "bucket" if type_ == "aws_s3_bucket" else "key"
            name = moments.before.attribute(address, "bucket" if kind == "bucket" else "key_id")
            yield Guard(f"{kind} {name}", kind, "kept", "deleted", weakens=False, data_loss=True)
