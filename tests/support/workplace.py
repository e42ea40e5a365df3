"""A copy of the project to work in, as its users do: with its make targets and commands."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from tests.conftest import PROJECT
from tests.support.command import run_here

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


_OWN = {"cdktf.out", "cdktf.log", "plans", ".plans.lock", "links.json"}


class Workplace:
    """A folder that holds the project, by links to its files, and has outputs of its own."""

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.environment = dict(environment)
        for entry in PROJECT.iterdir():
            if entry.name not in _OWN and not entry.name.startswith("terraform."):
                (folder / entry.name).symlink_to(entry)

    def declare(self, content: Mapping[str, Any]) -> None:
        """Write the links file."""
        (self.folder / "links.json").write_text(json.dumps(content))

    def stack(self, name: str) -> Path:
        """Return the folder of a synthesized stack."""
        return self.folder / "cdktf.out" / "stacks" / name

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run make."""
        return self.run("make", *arguments)

    def operations(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command of ``s3-links``, which synthesizes first."""
        return self.run(sys.executable, "-m", "s3_links", *arguments)

    def operations_here(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run it in this process, where its start and signals are not what is tried."""
        environment = {"PATH": os.environ["PATH"]} | self.environment
        return run_here(self.folder, *arguments, environment=environment)

    def terraform(self, stack: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run Terraform in the folder of a stack."""
        return self.run("terraform", *arguments, folder=self.stack(stack))

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            command,
            cwd=folder or self.folder,
            env={"PATH": os.environ["PATH"]} | self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
