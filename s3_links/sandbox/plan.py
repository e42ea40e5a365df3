"""``python -m s3_links.sandbox.plan``: plan the declared stacks against emulated accounts.

For a run without credentials, such as that of a pull request from a fork: it sees that everything
plans, and which access there would be. It writes a summary, and no plan that could be applied.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3_links.declarations.buckets import ReplicatedBucket
from s3_links.declarations.read_links import declared
from s3_links.synthesized.blocks import Blocks, aliases_of, declared_blocks, type_of

from .access import root_of
from .emulator import Emulator, EmulatorError
from .run_folder import run_folder
from .terraform import terraform_settings
from .workstation import PROJECT, ToolError, check_tools, run

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from s3_links.declarations.links import AnyLink

_NOTE = "Planned against empty emulated accounts: everything appears as new, also what is deployed."
_ANYBODY = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}
_EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def main() -> int:
    """Plan, with the arguments that the operation ``plan`` takes; return its exit code."""
    try:
        check_tools()
        with run_folder("s3-plan-") as folder:
            return _plan(folder, sys.argv[1:])
    except (ToolError, EmulatorError) as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Interrupted: the emulated accounts are stopped, nothing is left.", file=sys.stderr)
        return 130


def _plan(folder: Path, arguments: list[str]) -> int:
    here, outputs = Path.cwd(), {"CDKTF_OUTDIR": str(folder / "cdktf.out")}
    code, _ = run(
        [sys.executable, str(PROJECT / "main.py")], here, os.environ | outputs, shown=True
    )
    if code:
        return code
    stacks = [_with_local_state(file) for file in folder.glob("cdktf.out/stacks/*/cdk.tf.json")]
    with Emulator(folder / "emulator", encrypted=True) as emulator:
        environment = emulator.environment | terraform_settings(folder) | outputs
        links = read.links.values() if (read := declared()) else ()
        environment |= stand_in(emulator, folder, stacks, links)
        command = [
            sys.executable,
            "-m",
            "s3_links",
            "plan",
            "--skip-synth",
            "--summary-only",
            "--note",
            _NOTE,
        ]
        return run([*command, *arguments], here, environment, shown=True)[0]


def _with_local_state(file: Path) -> dict[str, Any]:
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
                _make_role(emulator, arn.split(":")[4], arn.rpartition("/")[2])
        regions |= {p["alias"]: p["region"] for p in stack.get("provider", {}).get("aws", [])}
        blocks = Blocks(declared_blocks(stack), aliases_of(stack), stack, ids)
        _look_ups(emulator, blocks)
        _imports(emulator, stack, blocks, regions)
    for bucket in (bucket for link in links for bucket in link.buckets if bucket.existing):
        s3 = root_of(emulator.endpoint, ids[bucket.account], regions[bucket.account]).s3
        _make_bucket(s3, str(bucket.existing), regions[bucket.account])
        if isinstance(bucket, ReplicatedBucket):
            versioned = {"Status": "Enabled"}
            s3.put_bucket_versioning(Bucket=bucket.existing, VersioningConfiguration=versioned)
    file = folder / "emulated-credentials"
    file.write_text(
        "".join(
            f"[{profile}]\naws_access_key_id = {id_}\naws_secret_access_key = {id_}\n"
            for profile, id_ in profiles.items()
        ),
        encoding="utf-8",
    )
    return {"AWS_SHARED_CREDENTIALS_FILE": str(file), "AWS_CONFIG_FILE": os.devnull}


def _look_ups(emulator: Emulator, blocks: Blocks) -> None:
    for address in blocks.of("data.aws_iam_role"):
        _make_role(emulator, blocks.account(address), blocks.attribute(address, "name"))
    for address in blocks.of("data.aws_iam_instance_profile"):
        account, name = blocks.account(address), blocks.attribute(address, "name")
        iam = root_of(emulator.endpoint, account).client("iam")
        _make_role(emulator, account, name)
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
                _make_role(emulator, account, name)
            case "aws_s3_bucket":
                _make_bucket(s3, name, region)
            case "aws_s3_bucket_policy":
                policy = _EVERYTHING | {"Effect": "Deny", "Principal": {"AWS": account}}
                policy |= {"Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
                s3.put_bucket_policy(Bucket=name, Policy=_document(policy))


def _make_bucket(s3: Any, name: str, region: str) -> None:
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # by an earlier stack
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})


def _make_role(emulator: Emulator, account: str, name: str) -> None:
    iam = root_of(emulator.endpoint, account).client("iam")
    try:
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(_ANYBODY))
    except iam.exceptions.EntityAlreadyExistsException:
        return
    iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=_document(_EVERYTHING))


def _document(statement: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


if __name__ == "__main__":
    sys.exit(main())
