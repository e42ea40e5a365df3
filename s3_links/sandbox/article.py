"""The article's last step, run on emulated instances with the commands that the stack prints."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from s3_cross_account.aws_cli import WITHOUT_TAGS

from .instance import EmulatedInstance

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from .aws_cli import AwsCli
    from .emulator import Emulator
    from .reference import Deployed

MEBIBYTE = 1024 * 1024
# Over 8 MB the AWS CLI copies in parts, and version 2 asks for tags.
LARGE = (9 * MEBIBYTE, 20 * MEBIBYTE)
SMALL = 50


@dataclass(frozen=True)
class Step:
    """One command on an instance, and what came of it."""

    instance: str
    command: str
    expected: bool
    found: bool
    detail: str


def run_steps(
    emulator: Emulator, deployed: Deployed, folder: Path, aws_cli: AwsCli
) -> Iterator[Step]:
    """Run the steps of both patterns in ``folder``, yielding each as it ends."""
    outputs = deployed.outputs
    yield from _steps(
        emulator,
        deployed,
        folder / "ec2-1",
        aws_cli,
        "1",
        "2",
        outputs["copy_command_Dont_Use_AssumeRole"],
    )
    yield from _steps(
        emulator,
        deployed,
        folder / "ec2-2",
        aws_cli,
        "3",
        "4",
        outputs["copy_command_Use_AssumeRole"],
        outputs["aws_config_Use_AssumeRole"],
    )


def _steps(
    emulator: Emulator,
    deployed: Deployed,
    home: Path,
    aws_cli: AwsCli,
    source_number: str,
    target_number: str,
    copy: str,
    aws_config: str | None = None,
) -> Iterator[Step]:
    role = "role 1" if aws_config is None else "role 2"
    source, owner = deployed.buckets[f"bucket {source_number}"]
    target, target_owner = deployed.buckets[f"bucket {target_number}"]
    role_name, session = deployed.roles[role].rpartition("/")[2], deployed.principals[role]
    with EmulatedInstance(emulator, home, role_name, session, aws_cli) as instance:
        if aws_config is not None:
            instance.configure(aws_config)
        profile = "" if aws_config is None else " --profile account2"
        _write_objects(home / "objects")

        def step(command: str, expect_objects: bool = True, expected: bool = True) -> Step:
            command = aws_cli.takes(command)
            _empty(target_owner.s3, target)
            result = instance.run(command)
            same = _objects(target_owner.s3, target) == _objects(owner.s3, source)
            ok = result.returncode == 0 and same is expect_objects
            count = len(_objects(target_owner.s3, target))
            detail = f"exit code {result.returncode}, {count} objects"
            return Step(home.name, command, expected, ok, detail)

        _empty(owner.s3, source)
        uploaded = instance.run(f"aws s3 cp objects s3://{source} --recursive")
        yield Step(
            home.name,
            f"aws s3 cp objects s3://{source} --recursive",
            True,
            uploaded.returncode == 0,
            f"exit code {uploaded.returncode}, {len(_objects(owner.s3, source))} objects",
        )
        yield step(copy)
        yield step(f"aws s3 sync s3://{source} s3://{target}{WITHOUT_TAGS}{profile}")
        # As the article has it: neither a key nor --recursive, so that nothing is copied.
        yield step(f"aws s3 cp s3://{source} s3://{target}{profile}", expect_objects=False)


def _write_objects(folder: Path) -> None:
    folder.mkdir()
    for size in LARGE:
        (folder / f"{size // MEBIBYTE}-MiB.bin").write_bytes(os.urandom(size))
    small = folder / "small"
    small.mkdir()
    for number in range(SMALL):
        (small / f"{number}.txt").write_bytes(str(number).encode())


def _objects(s3: object, bucket: str) -> dict[str, int]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket)  # type: ignore[attr-defined]
    return {o["Key"]: o["Size"] for page in pages for o in page.get("Contents", [])}


def _empty(s3: object, bucket: str) -> None:
    for key in _objects(s3, bucket):
        s3.delete_object(Bucket=bucket, Key=key)  # type: ignore[attr-defined]
