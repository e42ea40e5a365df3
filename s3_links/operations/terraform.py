"""Runs Terraform in the folder of a stack."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from .interruption import run, stop_if_interrupted
from .stack import OperationError

if TYPE_CHECKING:
    from .stack import Stack

_NAME = "TERRAFORM_BINARY_NAME"
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
        raise OperationError(f"{binary()} {arguments[0]} of {stack.name} failed:\n{said}")
    return result.stdout


def initialize(stack: Stack) -> None:
    """Run ``terraform init``, wherever an earlier run kept the state."""
    if stack.backend[0] != "cloud":
        terraform(stack, "init", "-reconfigure")
        return
    # HCP Terraform does not know that option; this is what it does.
    (stack.folder / ".terraform" / "terraform.tfstate").unlink(missing_ok=True)
    terraform(stack, "init")
