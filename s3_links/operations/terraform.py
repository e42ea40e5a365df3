"""Runs Terraform in the folder of a stack."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

from .interruption import run, stop_if_interrupted
from .stack import OperationError

if TYPE_CHECKING:
    from .stack import Stack

LITTLE_COLLECTING = {"GOGC": "off", "GOMEMLIMIT": "1GiB"}
"""Lets Terraform and the provider collect garbage only above this much memory each.

Both hold the schemas of everything that the provider knows: with the Go runtime's usual settings,
a third of their time goes into collecting garbage, of which there is next to none yet.
"""


def terraform(stack: Stack, *arguments: str) -> str:
    """Return what Terraform printed, or raise :class:`OperationError` with it.

    It never asks: nobody may be there to answer.
    """
    if shutil.which("terraform") is None:
        raise OperationError("Terraform is not installed: install version 1.5 or later")
    result = run(
        ["terraform", *arguments],
        cwd=stack.folder,
        env=LITTLE_COLLECTING
        | os.environ
        | {"TF_INPUT": "0", "TF_IN_AUTOMATION": "1", "TF_CLI_ARGS": "-no-color"},
    )
    # What an apply has done is worth knowing, what a plan would do is not.
    stop_if_interrupted(f"{result.stdout}{result.stderr}" if arguments[0] == "apply" else "")
    if result.returncode:
        said = (result.stderr or result.stdout).strip()
        raise OperationError(f"terraform {arguments[0]} of {stack.name} failed:\n{said}")
    return result.stdout


def initialize(stack: Stack) -> None:
    """Run ``terraform init``, wherever an earlier run kept the state."""
    if stack.backend[0] != "cloud":
        terraform(stack, "init", "-reconfigure")
        return
    # HCP Terraform does not know that option; this is what it does.
    (stack.folder / ".terraform" / "terraform.tfstate").unlink(missing_ok=True)
    terraform(stack, "init")
