"""What a declaration expects to find in its accounts, made in emulated ones."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

from s3_links.declarations.replicated import ReplicatedBucket
from s3_links.declarations.state import KEY_POLICY_OUTPUT
from s3_links.operations.order import roles_of
from s3_links.synthesized.blocks import (
    Blocks,
    aliases_of,
    declared_blocks,
    foreign_accounts,
    type_of,
)

from .access import root_of
from .emulator import REGION
from .emulator_process import KEY_ID

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from s3_links.declarations.links import AnyLink

    from .access import Principal
    from .emulator import Emulator

_ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def with_local_state(file: Path) -> dict[str, Any]:
    """Return a stack, which keeps its state here from now on: the real one cannot be read."""
    stack: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    stack["terraform"].pop("cloud", None)
    stack["terraform"]["backend"] = {"local": {"path": "emulated.tfstate"}}
    file.write_text(json.dumps(stack), encoding="utf-8")
    return stack


def stand_in(
    emulator: Emulator,
    folder: Path,
    stacks: Iterable[Mapping[str, Any]],
    links: Iterable[AnyLink] = (),
) -> dict[str, str]:
    """Make what the stacks expect to find; return the variables with the credentials.

    That is a profile for each account, the roles that Terraform assumes, the roles and instance
    profiles that are looked up, what is imported, and the existing buckets of the links.
    """
    stacks = list(stacks)
    made = {role for stack in stacks for role in roles_of(stack, "aws_iam_role")}
    for stack in stacks:  # first: others may name the same without its path
        _told(emulator, stack, {name for _, name in made})
    ids: dict[str, str] = {}
    profiles: dict[str, str] = {}
    regions: dict[str, str] = {}
    for stack in stacks:
        for provider in stack.get("provider", {}).get("aws", []):
            alias = provider["alias"]
            pinned = next(iter(provider.get("allowed_account_ids") or []), None)
            roles = [role["role_arn"] for role in provider.get("assume_role") or []]
            of_role = roles[0].split(":")[4] if roles else None
            ids.setdefault(alias, pinned or of_role or f"{len(ids) + 1:012d}")
            profiles[provider.get("profile") or "default"] = ids[alias]
            for arn in roles:
                owner = root_of(emulator.endpoint, arn.split(":")[4])
                make_role(owner, arn.rpartition("/")[2], _EVERYTHING)
        regions |= {p["alias"]: p["region"] for p in stack.get("provider", {}).get("aws", [])}
        for alias, id_ in foreign_accounts(stack).items():
            ids[alias] = id_
            regions.setdefault(alias, REGION)
        blocks = Blocks(declared_blocks(stack), aliases_of(stack), stack, ids)
        _boundaries(emulator, blocks)
        _look_ups(emulator, blocks, made)
        _imports(emulator, stack, blocks, regions)
    buckets = (bucket for link in links for bucket in link.buckets)
    for bucket in (bucket for bucket in buckets if bucket.existing and not bucket.owner):
        s3 = root_of(emulator.endpoint, ids[bucket.account], regions[bucket.account]).s3
        _make_bucket(s3, str(bucket.existing), regions[bucket.account])
        if isinstance(bucket, ReplicatedBucket):
            versioned = {"Status": "Enabled"}
            s3.put_bucket_versioning(Bucket=bucket.existing, VersioningConfiguration=versioned)
            if bucket.replication == "merge":
                _replicate(s3, str(bucket.existing), regions[bucket.account])
    file = folder / "emulated-credentials"
    file.write_text(
        "".join(
            f"[{profile}]\naws_access_key_id = {id_}\naws_secret_access_key = {id_}\n"
            for profile, id_ in profiles.items()
        ),
        encoding="utf-8",
    )
    return {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_CONFIG_FILE": os.devnull}


def _told(emulator: Emulator, stack: Mapping[str, Any], made: set[str]) -> None:
    """Make the roles and users that a stack names by their ARNs."""
    for arn in Blocks(declared_blocks(stack), aliases_of(stack), stack).told_arns:
        owner, name = root_of(emulator.endpoint, arn.split(":")[4]), arn.rpartition("/")[2]
        if ":user/" in arn:
            make_user(owner, arn)
        elif name not in made:
            make_role(owner, arn)


def _look_ups(emulator: Emulator, blocks: Blocks, made: set[tuple[str, str]]) -> None:
    for address in blocks.of("data.aws_iam_role"):
        name = blocks.attribute(address, "name")
        if (blocks.place(address), name) not in made:
            owner = root_of(emulator.endpoint, blocks.account(address))
            make_role(owner, name)
    for address in blocks.of("data.aws_iam_user"):
        owner = root_of(emulator.endpoint, blocks.account(address))
        make_user(owner, blocks.attribute(address, "user_name"))
    for address in blocks.of("data.aws_iam_instance_profile"):
        account, name = blocks.account(address), blocks.attribute(address, "name")
        owner = root_of(emulator.endpoint, account)
        iam = owner.client("iam")
        make_role(owner, name)
        try:
            iam.create_instance_profile(InstanceProfileName=name)
            iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        except iam.exceptions.EntityAlreadyExistsException:
            pass


def _imports(
    emulator: Emulator,
    stack: Mapping[str, Any],
    blocks: Blocks,
    regions: Mapping[str, str],
) -> None:
    for entry in stack.get("import", []):
        address, name = entry["to"], entry["id"]
        account, region = blocks.account(address), regions[blocks.place(address)]
        s3 = root_of(emulator.endpoint, account, region).s3
        match type_of(address):
            case "aws_iam_role":
                make_role(root_of(emulator.endpoint, account), name)
            case "aws_s3_bucket":
                _make_bucket(s3, name, region)
            case "aws_s3_bucket_policy":
                policy = _EVERYTHING | {"Effect": "Deny", "Principal": {"AWS": account}}
                policy |= {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
                s3.put_bucket_policy(Bucket=name, Policy=document(policy))
            case "aws_kms_key_policy":
                kms = root_of(emulator.endpoint, account, region).client("kms")
                told = blocks.output(f"{KEY_POLICY_OUTPUT}{name}").replace("$${", "${")
                make_key(kms, name, told)
            case "aws_s3_bucket_replication_configuration":
                _make_bucket(s3, name, region)
                _replicate(s3, name, region)


def make_key(kms: Any, key_id: str, policy: str) -> None:
    """Make a key of this id, with the policy that it has."""
    with contextlib.suppress(kms.exceptions.NotFoundException):  # made by an earlier stack
        kms.describe_key(KeyId=key_id)
        return
    kms.create_key(Policy=policy, Tags=[{"TagKey": KEY_ID, "TagValue": key_id}])


def _make_bucket(s3: Any, name: str, region: str) -> None:
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # by an earlier stack
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})


def _replicate(s3: Any, name: str, region: str) -> None:
    """Have a bucket replicate to another one already, as its owner has declared elsewhere."""
    to = f"{name[:50]}-elsewhere"
    _make_bucket(s3, to, region)
    for bucket in (name, to):
        versioned = {"Status": "Enabled"}
        s3.put_bucket_versioning(Bucket=bucket, VersioningConfiguration=versioned)
    rule = {
        "ID": "elsewhere",
        "Priority": 1000,
        "Status": "Enabled",
        "Filter": {"Prefix": "elsewhere/"},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": f"arn:aws:s3:::{to}"},
    }
    there = {"Role": "arn:aws:iam::000000000000:role/elsewhere", "Rules": [rule]}
    s3.put_bucket_replication(Bucket=name, ReplicationConfiguration=there)


def _boundaries(emulator: Emulator, blocks: Blocks) -> None:
    """Make the permissions boundaries of new roles, which let everything: the rest is unknown."""
    arns = {str(blocks.known(role, "permissions_boundary")) for role in blocks.of("aws_iam_role")}
    for arn in sorted(arn for arn in arns if arn.split(":")[4:5] not in (["aws"], [])):
        iam = root_of(emulator.endpoint, arn.split(":")[4]).client("iam")
        with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
            iam.create_policy(PolicyDocument=document(_EVERYTHING), **_named("Policy", arn))


def make_role(owner: Principal, name: str, may: Mapping[str, Any] | None = None) -> None:
    """Make a role that anybody may assume, where there is none, with a statement of its own.

    Its name may be an ARN, which tells its path too.
    """
    iam = owner.client("iam")
    named = _named("Role", name)
    try:
        iam.create_role(AssumeRolePolicyDocument=document(_ANYBODY), **named)
    except iam.exceptions.EntityAlreadyExistsException:
        return
    if may:
        role = named["RoleName"]
        iam.put_role_policy(RoleName=role, PolicyName="all", PolicyDocument=document(may))


def make_user(owner: Principal, name: str) -> bool:
    """Make a user, by its name or its ARN, where there is none; return whether it is new."""
    iam = owner.client("iam")
    try:
        iam.create_user(**_named("User", name))
    except iam.exceptions.EntityAlreadyExistsException:
        return False
    return True


def _named(kind: str, text: str) -> dict[str, str]:
    """Return the name of a role or a user and, of an ARN, its path."""
    _, _, path = text.partition(f":{kind.lower()}/")
    path, _, name = path.rpartition("/")
    if not name:
        return {f"{kind}Name": text}
    return {f"{kind}Name": name, "Path": f"/{path}/" if path else "/"}


def document(statement: Mapping[str, Any]) -> str:
    """Return a policy document with one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
