"""Runs Terraform in the folder of a stack."""

from __future__ import annotations

import json
import os
import re
import shutil
from typing import TYPE_CHECKING

from .interruption import run, stop_if_interrupted
from .stack import OperationError, digest

if TYPE_CHECKING:
    from .stack import Stack

_NAME = "TERRAFORM_BINARY_NAME"
_GONE = re.compile(
    r"original provider configuration at provider\[[^]]+\]\.([\w-]+) is required, but it has been"
)
"""What Terraform says of a resource whose provider is no longer there."""
LITTLE_COLLECTING = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""Lets Terraform and the provider collect garbage only above this much memory each.

Both hold the schemas of everything that the provider knows: with the Go runtime's usual settings,
a third of their time goes into collecting garbage, of which there is next to none yet.
"""


def binary() -> str:
    """Return the command to run: Terraform's, or what ``TERRAFORM_BINARY_NAME`` names.

    Both command lines of cdktf honour that variable, for OpenTofu.
    """
    return os.environ.get(_NAME) or "terraform"


def missing() -> str:
    """Return what is wrong where that command is not installed, else nothing."""
    if shutil.which(binary()) is not None:
        return ""
    if os.environ.get(_NAME):
        return f"{_NAME} names {binary()!r}, which is not there: install it, or unset the variable"
    return "Terraform is not installed: install version 1.5 or later"


def terraform(stack: Stack, *arguments: str) -> str:
    """Return what Terraform printed, or raise :class:`OperationError` with it.

    It never asks: nobody may be there to answer.
    """
    if problem := missing():
        raise OperationError(problem)
    result = run(
        [binary(), *arguments],
        cwd=stack.folder,
        env=LITTLE_COLLECTING
        | os.environ
        | {"TF_INPUT": "0", "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"},
    )
    # What an apply has done is worth knowing, what a plan would do is not.
    stop_if_interrupted(f"{result.stdout}{result.stderr}" if arguments[0] == "apply" else "")
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        if gone := sorted(set(_GONE.findall(" ".join(said.split())))):
            raise OperationError(
                f"{stack.name}: its state holds what is in {', '.join(gone)}, an account that it "
                "no longer names: write it as it was, with the account's name, `s3-links destroy "
                f"{stack.name}`, and declare it anew"
            )
        raise OperationError(f"{binary()} {arguments[0]} of {stack.name} failed:\n{said}")
    return result.stdout


def initialize(stack: Stack) -> None:
    """Run ``terraform init``, wherever an earlier run kept the state.

    Not again where nothing has changed since: it would read the whole provider for its checksum,
    which every other command does as well.
    """
    if stack.backend[0] == "cloud":
        # HCP Terraform does not know -reconfigure; this is what it does.
        (stack.folder / ".terraform" / "terraform.tfstate").unlink(missing_ok=True)
        terraform(stack, "init")
        return
    done = stack.folder / ".terraform" / "initialized"
    if done.is_file() and done.read_text(encoding="utf-8") == _initialized(stack):
        return
    done.unlink(missing_ok=True)
    terraform(stack, "init", "-reconfigure")
    if done.parent.is_dir():
        done.write_text(_initialized(stack), encoding="utf-8")


def _initialized(stack: Stack) -> str:
    """Return what an initialization depends on and what it leaves, as a digest."""
    folder = stack.folder
    files = (folder / ".terraform.lock.hcl", folder / ".terraform" / "terraform.tfstate")
    there = [file.read_text(encoding="utf-8") if file.is_file() else None for file in files]
    # A mirror's packages are links, which may lead nowhere by now.
    packages = (folder / ".terraform" / "providers").glob("*/*/*/*/*")
    found = sorted(str(package) for package in packages if package.exists())
    return digest(json.dumps([binary(), stack.content["terraform"], there, found]).encode())
