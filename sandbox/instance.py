"""An emulated EC2 instance: a home folder, the metadata service, and the real AWS CLI."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Self

from .emulator import REGION, Emulator
from .metadata import MetadataService

if TYPE_CHECKING:
    from .access import Principal


class EmulatedInstance:
    """Runs commands as somebody would on the instance: with its role and nothing else.

    ``home`` belongs to this instance alone: the AWS CLI's cache does not tell two sources of
    credentials apart, and a shared one would give one instance the other's role.
    """

    def __init__(self, emulator: Emulator, home: Path, role_name: str, role: Principal) -> None:
        self.home = home
        home.mkdir(parents=True)
        self._metadata = MetadataService(role_name, role, REGION)
        self._environment = {
            "HOME": str(home),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self._metadata.endpoint,
            **emulator.endpoints,
        }

    def __enter__(self) -> Self:
        self._metadata.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._metadata.__exit__()

    def configure(self, aws_config: str) -> None:
        """Write ``~/.aws/config``."""
        file = self.home / ".aws" / "config"
        file.parent.mkdir(exist_ok=True)
        file.write_text(aws_config, encoding="utf-8")

    def run(self, command: str) -> subprocess.CompletedProcess[str]:
        """Run a shell command in the home folder."""
        return subprocess.run(
            command,
            shell=True,
            cwd=self.home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
