"""What is not access but guards it, or what is kept: told where a plan changes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from s3_links.synthesized.blocks import Blocks, type_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from .moments import Moments

_PUBLIC = (
    *("block_public_acls", "block_public_policy"),
    *("ignore_public_acls", "restrict_public_buckets"),
)
_OWNERSHIP = ("ObjectWriter", "BucketOwnerPreferred", "BucketOwnerEnforced")
_KEPT = ("aws_s3_bucket", "aws_kms_key")
"""What cannot be had again once it is deleted."""


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
    found: list[Guard] = []
    for type_, of, read in _READERS:
        was, now = (_by_target(blocks, type_, of) for blocks in (moments.before, moments.after))
        there = [{_target(b, a, of) for a in b.of(_OWNER[of])} for b in _both(moments)]
        # What is new had no guard to lose, what goes has nothing left to guard.
        known = (there[0] | was.keys()) & (there[1] | now.keys())
        for target in sorted(known):
            before = dict(read(moments.before, was.get(target)))
            after = dict(read(moments.after, now.get(target)))
            found += _changed(target, before, after)
    found += _deleted(plan, moments)
    return found


def _both(moments: Moments) -> tuple[Blocks, Blocks]:
    return moments.before, moments.after


_OWNER = {"bucket": "aws_s3_bucket", "name": "aws_iam_role"}


def _by_target(blocks: Blocks, type_: str, of: str) -> dict[str, str]:
    return {_target(blocks, address, of): address for address in blocks.of(type_)}


def _target(blocks: Blocks, address: str, of: str) -> str:
    kind = "role" if of == "name" else "bucket"
    place = f" ({blocks.aliases.get(address, '?')})" if kind == "role" else ""
    return f"{kind} {blocks.attribute(address, of)}{place}"


# Each guard by its name: its value in words, and how strong it is (None: not to be compared).
Values = dict[str, tuple[str, float | None]]


def _public_access(blocks: Blocks, address: str | None) -> Values:
    on = [name for name in _PUBLIC if address and blocks.known(address, name) in (True, "true")]
    return {f"public access block {name}": _switch(name in on) for name in _PUBLIC}


def _ownership(blocks: Blocks, address: str | None) -> Values:
    # Without any, ACLs count.
    rule = _first(blocks.known(address, "rule")) if address else {}
    value = rule.get("object_ownership") or ("ObjectWriter" if not address else "?")
    strength = _OWNERSHIP.index(value) if value in _OWNERSHIP else None
    return {"ownership": (value, strength)}


def _versioning(blocks: Blocks, address: str | None) -> Values:
    value = _first(blocks.known(address, "versioning_configuration")) if address else {}
    status = value.get("status") or ("off" if not address else "?")
    return {"versioning": (status, {"Enabled": 1, "off": 0, "Suspended": 0}.get(status))}


def _force_destroy(blocks: Blocks, address: str | None) -> Values:
    on = bool(address) and blocks.known(str(address), "force_destroy") in (True, "true")
    return {"force_destroy": ("on" if on else "off", 0 if on else 1)}


def _encryption(blocks: Blocks, address: str | None) -> Values:
    if not address:
        return {"encryption": ("AES256", 0)}  # what Amazon S3 does by itself
    default = _first(
        _first(blocks.known(address, "rule")).get("apply_server_side_encryption_by_default")
    )
    algorithm = default.get("sse_algorithm") or "?"
    key = default.get("kms_master_key_id") or ""
    strength = {"AES256": 0, "aws:kms": 1, "aws:kms:dsse": 2}.get(algorithm)
    # Another key is another guard, as strong as nobody can say.
    return {"encryption": (f"{algorithm} {key}".strip(), strength)}


def _boundary(blocks: Blocks, address: str | None) -> Values:
    arn = address and blocks.known(address, "permissions_boundary")
    if not address or not arn:
        return {"permissions boundary": ("none", 0)}
    return {"permissions boundary": (blocks.attribute(address, "permissions_boundary"), 1)}


def _replication(blocks: Blocks, address: str | None) -> Values:
    found: Values = {}
    for rule in (blocks.known(address, "rule") or []) if address else []:
        if rule.get("status") != "Enabled":
            continue
        destination = _first(rule.get("destination"))
        filter_ = _first(rule.get("filter"))
        every = _first(filter_.get("and"))
        prefix = str(filter_.get("prefix") or every.get("prefix") or rule.get("prefix") or "")
        tags = filter_.get("tag") or every.get("tags") or ""
        to = str(destination.get("bucket") or "?")
        name = f"replication to {to}"
        told = f"of {prefix}*" + (f" with the tags {tags}" if tags else "")
        if destination.get("account"):
            told += f" for the account {destination['account']}"
        told = "; ".join(sorted({*found.get(name, ("",))[0].split("; "), told} - {""}))
        found[name] = (told, None)
    return found


_READERS = (
    ("aws_s3_bucket_public_access_block", "bucket", _public_access),
    ("aws_s3_bucket_ownership_controls", "bucket", _ownership),
    ("aws_s3_bucket_versioning", "bucket", _versioning),
    ("aws_s3_bucket", "bucket", _force_destroy),
    ("aws_s3_bucket_server_side_encryption_configuration", "bucket", _encryption),
    ("aws_s3_bucket_replication_configuration", "bucket", _replication),
    ("aws_iam_role", "name", _boundary),
)


def _changed(target: str, before: Values, after: Values) -> Iterator[Guard]:
    none = ("none", None)
    for name in sorted({*before, *after}):
        (was, strong), (now, strength) = before.get(name, none), after.get(name, none)
        if was == now:
            continue
        if name.startswith("replication"):
            weakens = not _covers(was, now)
        elif strong is None or strength is None:
            weakens = True
        else:
            # Another boundary is evaluated; another key of the same kind is not.
            weakens = strength < strong or (strength == strong and name == "encryption")
        loses = weakens and name in ("versioning", "force_destroy")
        yield Guard(target, name, was, now, weakens=weakens, data_loss=loses)


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


def _switch(on: bool) -> tuple[str, float]:
    return ("on", 1) if on else ("off", 0)


def _first(value: Any) -> dict[str, Any]:
    if isinstance(value, list):
        value = value[0] if value else {}
    return value if isinstance(value, dict) else {}
