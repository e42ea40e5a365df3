"""An emulated EC2 instance: a home folder, the metadata service, and the real AWS CLI."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Self

from .emulator import REGION, Emulator
from .metadata import MetadataService

if TYPE_CHECKING:
    from pathlib import Path

    from .access import Principal
    from .aws_cli import AwsCli


class EmulatedInstance:
    """Runs commands as somebody would on the instance: with its role and nothing else.

    ``home`` belongs to this instance alone: the AWS CLI's cache does not tell two sources of
    credentials apart, and a shared one would give one instance the other's role.
    """

    def __init__(
        self, emulator: Emulator, home: Path, role_name: str, role: Principal, aws_cli: AwsCli
    ) -> None:
        self.home = home
        models = home / ".aws" / "models"
        models.mkdir(parents=True)
        if not aws_cli.old:
            (models / "endpoints.json").write_text(_endpoints(emulator.endpoint), encoding="utf-8")
        self._metadata = MetadataService(role_name, role, REGION)
        self._environment = {
            "HOME": str(home),
            "PATH": f"{aws_cli.folder}:{os.environ.get('PATH', '')}",
            # Releases of version 2 from 2023 and before put the path right behind it.
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": f"{self._metadata.endpoint}/",
            **emulator.endpoints,
        }

    def __enter__(self) -> Self:
        self._metadata.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._metadata.__exit__()

    def configure(self, aws_config: str) -> None:
        """Write ``~/.aws/config``."""
        (self.home / ".aws" / "config").write_text(aws_config, encoding="utf-8")

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


def _endpoints(endpoint: str) -> str:
    """Return the data file of the AWS CLI that has every service at ``endpoint``.

    For version 2, which before 2.13 does not know ``AWS_ENDPOINT_URL``. Version 1 does, and with
    such a file would ask for a region where it needs none.
    """
    scheme, _, address = endpoint.partition("://")
    everywhere = {"hostname": address, "protocols": [scheme], "signatureVersions": ["v4"]}
    partition = {
        "partition": "aws",
        "dnsSuffix": "amazonaws.com",
        "regionRegex": ".*",
        "defaults": everywhere,
        "regions": {},
        "services": {},
    }
    return json.dumps({"version": 3, "partitions": [partition]})
